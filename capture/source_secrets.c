/* TLS key logs out of captures, on their way from the files' threads to the pulling side. */
#include "capture/source_inner.h"

#include <stdlib.h>

enum { SECRETS_MAX = 16 << 20 }; /* not fetched yet; a capture of nothing but key logs ends here */

struct piece {
    unsigned source;
    uint32_t n;
    bool last;
};

static unsigned number_of(const struct source *src)
{
    unsigned i = 0;
    while (src->owner->list[i] != src)
        i++;
    return i;
}

static bool room_for(struct sources *s, size_t n)
{
    if (s->secrets_n + n > SECRETS_MAX)
        return false;
    if (s->secrets_n + n <= s->secrets_room)
        return true;
    size_t room = 2 * (s->secrets_n + n);
    uint8_t *more = realloc(s->secrets, room);
    if (!more)
        return false;
    s->secrets = more;
    s->secrets_room = room;
    return true;
}

void source_secrets(struct source *src, struct slice bytes, bool last)
{
    struct sources *s = src->owner;
    struct piece p = {number_of(src), (uint32_t)bytes.n, last};
    pthread_mutex_lock(&s->iface_lock);
    if (room_for(s, sizeof p + bytes.n)) {
        memcpy(s->secrets + s->secrets_n, &p, sizeof p);
        memcpy(s->secrets + s->secrets_n + sizeof p, bytes.p, bytes.n);
        s->secrets_n += sizeof p + bytes.n;
        atomic_store_explicit(&s->secrets_there, true, memory_order_release);
    }
    pthread_mutex_unlock(&s->iface_lock);
}

void sources_secrets(struct sources *s, sources_secrets_fn *fn, void *arg)
{
    struct piece p;
    if (!atomic_load_explicit(&s->secrets_there, memory_order_acquire))
        return;
    pthread_mutex_lock(&s->iface_lock);
    for (size_t at = 0; at < s->secrets_n; at += sizeof p + p.n) {
        memcpy(&p, s->secrets + at, sizeof p);
        fn(arg, p.source, s->list[p.source]->path, slice_of(s->secrets + at + sizeof p, p.n),
           p.last);
    }
    if (s->secrets_n)
        explicit_bzero(s->secrets, s->secrets_n);
    s->secrets_n = 0;
    atomic_store_explicit(&s->secrets_there, false, memory_order_relaxed);
    pthread_mutex_unlock(&s->iface_lock);
}
