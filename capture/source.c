/* Capture sources: set-up, interfaces and their counters, tear-down. */
#include "capture/dedup.h"
#include "capture/source_inner.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct sources *sources_new(const struct source_options *opt)
{
    struct sources *s = aligned_alloc(64, (sizeof *s + 63) / 64 * 64);
    if (!s)
        return NULL;
    memset(s, 0, sizeof *s);
    s->opt = *opt;
    if (opt->shed)
        s->shed = *opt->shed;
    s->safe_time = TICK_NONE;
    s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->stop_fd < 0 || pthread_mutex_init(&s->iface_lock, NULL) != 0 ||
        pthread_mutex_init(&s->event_lock, NULL) != 0) {
        if (s->stop_fd >= 0)
            close(s->stop_fd);
        free(s);
        return NULL;
    }
    return s;
}

static void source_free(struct source *src)
{
    if (src->started)
        pthread_join(src->thread, NULL);
    source_file_free(src);
    source_live_free(src);
    source_feed_free(src);
    ring_free(src->ring);
    free(src->path);
    free(src);
}

void sources_free(struct sources *s)
{
    if (!s)
        return;
    sources_stop(s);
    for (size_t i = 0; i < s->count; i++)
        source_free(s->list[i]);
    for (unsigned i = 0; i < sources_iface_count(s); i++)
        if (s->ifaces[i] != &s->spare)
            free(s->ifaces[i]);
    free(s->list);
    free(s->secrets);
    pthread_mutex_destroy(&s->iface_lock);
    pthread_mutex_destroy(&s->event_lock);
    close(s->stop_fd);
    free(s);
}

struct source *sources_add(struct sources *s, const char *path, const struct ring_shape *shape)
{
    struct source **more = realloc(s->list, (s->count + 1) * sizeof *more);
    struct source *src = calloc(1, sizeof *src);
    if (more)
        s->list = more;
    if (src) {
        src->owner = s;
        src->path = strdup(path);
        src->ring = ring_new(shape, &s->bell);
    }
    if (!more || !src || !src->path || !src->ring) {
        if (src)
            source_free(src);
        sources_fail(s, SOURCE_NO_MEMORY, "%s: out of memory", path);
        return NULL;
    }
    s->list[s->count++] = src;
    return src;
}

void sources_drop_last(struct sources *s)
{
    source_free(s->list[--s->count]);
}

enum source_error sources_fail(struct sources *s, enum source_error code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(s->error, sizeof s->error, fmt, ap);
    va_end(ap);
    return code;
}

const char *sources_error_text(const struct sources *s)
{
    return s->error;
}

void source_damaged(struct source *src, enum source_error code, const char *fmt, ...)
{
    va_list ap;
    if (src->damage != SOURCE_OK)
        return;
    src->damage = code;
    int n = snprintf(src->damage_text, sizeof src->damage_text, "%.300s: ", src->path);
    va_start(ap, fmt);
    vsnprintf(src->damage_text + n, sizeof src->damage_text - (size_t)n, fmt, ap);
    va_end(ap);
}

enum source_error sources_damage(const struct sources *s, const char **text)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->list[i]->damage == SOURCE_OK)
            continue;
        *text = s->list[i]->damage_text;
        return s->list[i]->damage;
    }
    return SOURCE_OK;
}

void sources_decode(struct sources *s, uint64_t seed)
{
    s->decode = true;
    s->seed = seed;
}

void source_decode(struct source *src, struct batch *b)
{
    struct fragment unused;
    for (; src->owner->decode && b->n_decoded < b->count; b->n_decoded++) {
        struct raw_packet raw = source_frame(b, b->n_decoded);
        struct decoded *d = &b->decoded[b->n_decoded];
        d->kind = frame_decode(&raw, &d->packet, &unused);
        if (d->kind != FRAME_PACKET)
            continue;
        d->dedup = dedup_hash(&d->packet, src->owner->seed);
        d->flow = endpoint_hash_pair(&d->packet.src, &d->packet.dst, src->owner->seed);
    }
}

static void *source_main(void *arg)
{
    struct source *src = arg;
    pthread_setname_np(pthread_self(), "ew-capture"); /* in top -H */
    src->run(src);
    ring_close(src->ring);
    return NULL;
}

/* Signals are for the main thread: a capture thread must not run its handlers. */
int sources_start(struct sources *s)
{
    sigset_t all, before;
    int bad = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (size_t i = 0; i < s->count && !bad; i++) {
        bad = pthread_create(&s->list[i]->thread, NULL, source_main, s->list[i]);
        s->list[i]->started = !bad;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (bad)
        sources_fail(s, SOURCE_NO_MEMORY, "capture thread: %s", strerror(bad));
    return bad ? -1 : 0;
}

void sources_stop(struct sources *s)
{
    int saved = errno;
    uint64_t one = 1;
    atomic_store(&s->stopping, true);
    /* it can only fail because it is readable already */
    ssize_t n = write(s->stop_fd, &one, sizeof one);
    (void)n;
    bell_ring(&s->bell);
    for (size_t i = 0; i < s->count; i++)
        ring_wake(s->list[i]->ring);
    errno = saved;
}

/* Names come from files: printable ASCII only. */
static void set_name(struct iface *f, struct slice name)
{
    size_t n = name.n < sizeof f->name ? name.n : sizeof f->name - 1;
    for (size_t i = 0; i < n; i++)
        f->name[i] = name.p[i] > 0x20 && name.p[i] < 0x7f ? (char)name.p[i] : '_';
    f->name[n] = 0;
}

uint16_t sources_new_iface(struct sources *s, struct slice name)
{
    pthread_mutex_lock(&s->iface_lock);
    unsigned n = atomic_load(&s->iface_count);
    if (n == 0 || s->ifaces[n - 1] != &s->spare) {
        struct iface *f = n < SOURCE_MAX_IFACES - 1 ? aligned_alloc(64, sizeof *f) : NULL;
        if (f)
            memset(f, 0, sizeof *f);
        else
            f = &s->spare, name = slice_str("others");
        set_name(f, name);
        s->ifaces[n++] = f;
        atomic_store(&s->iface_count, n);
    }
    pthread_mutex_unlock(&s->iface_lock);
    return (uint16_t)(n - 1);
}

unsigned sources_iface_count(const struct sources *s)
{
    return atomic_load(&s->iface_count);
}

const char *sources_iface_name(const struct sources *s, unsigned iface)
{
    return iface < sources_iface_count(s) ? s->ifaces[iface]->name : "";
}

void sources_iface_counts(struct sources *s, unsigned iface, struct source_counts *out)
{
    *out = (struct source_counts){0};
    if (iface >= sources_iface_count(s))
        return;
    const struct iface *f = s->ifaces[iface];
    out->feed = f->feed;
    out->packets = atomic_load_explicit(&f->packets, memory_order_relaxed);
    out->bytes = atomic_load_explicit(&f->bytes, memory_order_relaxed);
    out->kernel_drops = atomic_load_explicit(&f->kernel_drops, memory_order_relaxed);
    out->nic_drops = atomic_load_explicit(&f->nic_drops, memory_order_relaxed);
    out->shed_cut = atomic_load_explicit(&f->shed_cut, memory_order_relaxed);
    out->shed_dropped = atomic_load_explicit(&f->shed_dropped, memory_order_relaxed);
    out->ring_drops = atomic_load_explicit(&f->ring_drops, memory_order_relaxed);
}

void sources_tell(struct sources *s, uint16_t iface, const char *text)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    pthread_mutex_lock(&s->event_lock);
    if (s->event_count < SOURCE_EVENTS) {
        struct source_event *e = &s->events[(s->event_first + s->event_count++) % SOURCE_EVENTS];
        *e = (struct source_event){.iface = iface,
                                   .time = (tick_t)now.tv_sec * TICK_S + now.tv_nsec};
        snprintf(e->text, sizeof e->text, "%s", text);
    }
    pthread_mutex_unlock(&s->event_lock);
}

void sources_shed_port(struct sources *s, uint16_t port)
{
    pthread_mutex_lock(&s->event_lock);
    if (s->opt.shed && shed_add_port(&s->shed, port))
        atomic_fetch_add(&s->shed_changes, 1);
    pthread_mutex_unlock(&s->event_lock);
}

void sources_shed_relay(struct sources *s, const struct addr *a)
{
    if (!addr_is_v4(a) || addr_none(a))
        return;
    pthread_mutex_lock(&s->event_lock);
    if (s->opt.shed && shed_add_relay(&s->shed, addr_v4_of(a)))
        atomic_fetch_add(&s->shed_changes, 1);
    pthread_mutex_unlock(&s->event_lock);
}

bool sources_dropping(const struct sources *s)
{
    bool any = false;
    for (unsigned i = 0; s->has_live && i < sources_iface_count(s); i++)
        any |= atomic_load_explicit(&s->ifaces[i]->dropping, memory_order_relaxed);
    return any;
}

bool sources_event(struct sources *s, struct source_event *out)
{
    pthread_mutex_lock(&s->event_lock);
    bool any = s->event_count > 0;
    if (any) {
        *out = s->events[s->event_first];
        s->event_first = (s->event_first + 1) % SOURCE_EVENTS;
        s->event_count--;
    }
    pthread_mutex_unlock(&s->event_lock);
    return any;
}

void sources_progress(const struct sources *s, uint64_t *done, uint64_t *total)
{
    *done = atomic_load_explicit(&s->done_bytes, memory_order_relaxed);
    *total = s->total_unknown ? 0 : s->total_bytes;
}
