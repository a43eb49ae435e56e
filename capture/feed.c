/* What feeds have in common: where they listen, and how messages get into the ring. */
#include "capture/feed_inner.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    FEED_BATCH_BYTES = 1 << 20,
    FEED_BATCHES = 8,
    FEED_MESSAGE_MIN = 256, /* a small SIP message: sets the number of descriptors */
    FEED_BACKLOG = 32,
};

int64_t feed_clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- places ---- */

static bool port_of(const char *text, uint16_t *out)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (end == text || *end || *text == '+' || *text == '-' || n < 1 || n > 65535)
        return false;
    *out = (uint16_t)n;
    return true;
}

bool feed_listen_parse(const char *text, struct endpoint *out)
{
    struct endpoint e = {.addr = addr_v4(INADDR_LOOPBACK)};
    if (port_of(text + (*text == ':'), &e.port)) {
        *out = e;
        return true;
    }
    /* 0.0.0.0 and [::] mean every address here, which endpoint_parse() takes for none */
    return endpoint_parse(slice_str(text), out);
}

static socklen_t sockaddr_of(const struct endpoint *at, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (addr_is_v4(&at->addr)) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(at->port);
        in->sin_addr.s_addr = htonl(addr_v4_of(&at->addr));
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(at->port);
    memcpy(&in6->sin6_addr, at->addr.b, 16);
    return sizeof *in6;
}

struct endpoint feed_sender(const struct sockaddr_storage *from)
{
    struct endpoint e = {0};
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)from;
        e.addr = addr_v4(ntohl(in->sin_addr.s_addr));
        e.port = ntohs(in->sin_port);
    } else if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
        memcpy(e.addr.b, &in6->sin6_addr, 16);
        e.port = ntohs(in6->sin6_port);
    }
    return e;
}

int feed_socket(int type, const struct endpoint *at)
{
    struct sockaddr_storage to;
    socklen_t size = sockaddr_of(at, &to);
    int yes = 1, fd = socket(to.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if ((type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0) ||
        bind(fd, (struct sockaddr *)&to, size) != 0 ||
        (type == SOCK_STREAM && listen(fd, FEED_BACKLOG) != 0)) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

int feed_listen(const struct endpoint *at)
{
    return feed_socket(SOCK_STREAM, at);
}

enum source_error feed_not_opened(struct sources *s, const char *kind, const char *listen)
{
    bool rights = errno == EACCES || errno == EPERM;
    return sources_fail(s, rights ? SOURCE_NO_PERMISSION : SOURCE_NO_INTERFACE, "%s %s: %s", kind,
                        listen, strerror(errno));
}

/* ---- life ---- */

void source_feed_free(struct source *src)
{
    if (!src->feed)
        return;
    src->feed->free_own(src->feed->own);
    free(src->feed);
}

struct feed *feed_add(struct sources *s, const char *kind, const char *listen, uint16_t linktype,
                      void (*run)(struct source *), void *own, void (*free_own)(void *))
{
    struct ring_shape shape = {.batches = FEED_BATCHES,
                               .bytes = FEED_BATCH_BYTES,
                               .packets = FEED_BATCH_BYTES / FEED_MESSAGE_MIN};
    char name[64];
    snprintf(name, sizeof name, "%s:%s", kind, listen);
    struct feed *f = calloc(1, sizeof *f);
    struct source *src = f ? sources_add(s, name, &shape) : NULL;
    if (!src) {
        free(f);
        free_own(own);
        sources_fail(s, SOURCE_NO_MEMORY, "%s: out of memory", name);
        return NULL;
    }
    f->src = src;
    f->iface = sources_new_iface(s, slice_str(name));
    f->counts = s->ifaces[f->iface];
    f->counts->feed = true;
    f->linktype = linktype;
    f->own = own;
    f->free_own = free_own;
    src->feed = f;
    src->run = run;
    s->has_live = true;
    return f;
}

/* ---- messages ---- */

static tick_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (tick_t)t.tv_sec * TICK_S + t.tv_nsec;
}

static bool within_rate(struct feed *f)
{
    int64_t second = feed_clock_ms() / 1000;
    if (second != f->second) {
        f->second = second;
        f->in_second = 0;
    }
    return f->in_second++ < FEED_RATE;
}

/* A batch with room for one more frame, NULL if the ring is full. */
static struct batch *room(struct feed *f, size_t bytes)
{
    struct batch *b = ring_claim(f->src->ring);
    if (b && (b->size - b->end < bytes || b->count == b->room)) {
        ring_publish(f->src->ring);
        b = ring_claim(f->src->ring);
    }
    return b;
}

bool feed_put(struct feed *f, const struct endpoint *sender, struct slice message)
{
    size_t n = FEED_HEAD + message.n;
    count_add(&f->counts->packets, 1);
    count_add(&f->counts->bytes, message.n);
    struct batch *b = within_rate(f) && message.n <= FEED_MESSAGE_MAX ? room(f, n) : NULL;
    if (!b) {
        count_add(&f->counts->ring_drops, 1);
        return false;
    }
    uint8_t *at = b->bytes + b->end;
    memcpy(at, sender->addr.b, 16);
    at[16] = (uint8_t)(sender->port >> 8);
    at[17] = (uint8_t)sender->port;
    if (message.n)
        memcpy(at + FEED_HEAD, message.p, message.n);
    b->packets[b->count++] = (struct batch_packet){.time = now(),
                                                   .offset = (uint32_t)b->end,
                                                   .caplen = (uint32_t)n,
                                                   .len = (uint32_t)message.n,
                                                   .linktype = f->linktype,
                                                   .iface = f->iface};
    b->end += n;
    return true;
}

/* An empty frame tells the engine: it counts what it can't decode. */
void feed_garbage(struct feed *f)
{
    (void)feed_put(f, &(struct endpoint){0}, (struct slice){0});
}

void feed_flush(struct feed *f)
{
    struct batch *b = ring_claim(f->src->ring);
    if (b && b->count && (ring_idle(f->src->ring) || sources_stopping(f->src->owner)))
        ring_publish(f->src->ring);
}
