/*
 * HEP over UDP and TCP. Datagrams are handed on as they are; a TCP stream is cut at the lengths
 * that the messages declare, and closed at the first byte that is no HEP. What the messages say is
 * the engine's business (flows/feeds.c).
 */
#include "capture/feed_inner.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    HEP_MESSAGE_MAX = 65535,
    HEP_HEAD = 6,
    UDP_AT_ONCE = 32,
    UDP_ROUNDS = 64,          /* before TCP has its turn */
    UDP_BUFFER = 4 << 20,     /* in the kernel: a burst of 4,000 messages */
    POLL_MS = SOURCE_POLL_MS, /* how long a message may wait in a batch */
};

struct connection {
    int fd;
    struct endpoint sender;
    int64_t heard; /* ms */
    int64_t begun; /* ms; of the message under way, 0 = none */
    size_t used;
    uint8_t bytes[HEP_MESSAGE_MAX];
};

struct hep {
    int udp, tcp;
    uint32_t kernel_lost; /* as the kernel counts, of the UDP socket */
    struct connection *connections[FEED_CONNECTIONS];
    unsigned n;
    struct mmsghdr heads[UDP_AT_ONCE];
    struct iovec parts[UDP_AT_ONCE];
    struct sockaddr_storage from[UDP_AT_ONCE];
    _Alignas(8) uint8_t control[UDP_AT_ONCE][64];
    uint8_t datagrams[UDP_AT_ONCE][HEP_MESSAGE_MAX];
};

/* ---- UDP ---- */

/* How many datagrams the kernel dropped because we were slow. */
static void count_kernel_lost(struct feed *f, struct hep *h, struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        uint32_t lost;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
            continue;
        memcpy(&lost, CMSG_DATA(c), sizeof lost);
        count_add(&f->counts->kernel_drops, (uint32_t)(lost - h->kernel_lost));
        h->kernel_lost = lost;
    }
}

/* False when nothing is left to read. */
static bool take_datagrams(struct feed *f, struct hep *h)
{
    for (unsigned i = 0; i < UDP_AT_ONCE; i++) {
        h->parts[i] = (struct iovec){h->datagrams[i], HEP_MESSAGE_MAX};
        h->heads[i].msg_hdr = (struct msghdr){.msg_name = &h->from[i],
                                              .msg_namelen = sizeof h->from[i],
                                              .msg_iov = &h->parts[i],
                                              .msg_iovlen = 1,
                                              .msg_control = h->control[i],
                                              .msg_controllen = sizeof h->control[i]};
    }
    int n = recvmmsg(h->udp, h->heads, UDP_AT_ONCE, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
        struct endpoint sender = feed_sender(&h->from[i]);
        count_kernel_lost(f, h, &h->heads[i].msg_hdr);
        (void)feed_put(f, &sender, slice_of(h->datagrams[i], h->heads[i].msg_len));
    }
    return n == UDP_AT_ONCE;
}

/* ---- TCP ---- */

static void hang_up(struct hep *h, unsigned i)
{
    close(h->connections[i]->fd);
    free(h->connections[i]);
    h->connections[i] = h->connections[--h->n];
}

static void make_room(struct hep *h)
{
    unsigned silent = 0;
    if (h->n < FEED_CONNECTIONS)
        return;
    for (unsigned i = 1; i < h->n; i++)
        if (h->connections[i]->heard < h->connections[silent]->heard)
            silent = i;
    hang_up(h, silent);
}

static void greet(struct hep *h)
{
    struct sockaddr_storage from = {0};
    socklen_t size = sizeof from;
    int fd = accept4(h->tcp, (struct sockaddr *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    make_room(h);
    struct connection *c = malloc(sizeof *c);
    if (!c) {
        close(fd);
        return;
    }
    c->fd = fd;
    c->sender = feed_sender(&from);
    c->heard = feed_clock_ms();
    c->begun = 0;
    c->used = 0;
    h->connections[h->n++] = c;
}

/* Hands on every whole message of a connection. False: what follows is no HEP. */
static bool cut_messages(struct feed *f, struct connection *c)
{
    size_t at = 0;
    while (c->used - at >= HEP_HEAD) {
        size_t size = be16(c->bytes + at + 4);
        if (memcmp(c->bytes + at, "HEP3", 4) != 0 || size < HEP_HEAD)
            return false;
        if (size > c->used - at)
            break;
        (void)feed_put(f, &c->sender, slice_of(c->bytes + at, size));
        at += size;
    }
    if (at)
        c->begun = 0;
    c->used -= at;
    memmove(c->bytes, c->bytes + at, c->used);
    if (c->used && !c->begun)
        c->begun = c->heard;
    return memcmp(c->bytes, "HEP3", c->used < 4 ? c->used : 4) == 0;
}

/* False: the connection is over. */
static bool take_bytes(struct feed *f, struct connection *c)
{
    ssize_t n = recv(c->fd, c->bytes + c->used, sizeof c->bytes - c->used, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (n == 0)
        return false;
    c->heard = feed_clock_ms();
    c->used += (size_t)n;
    if (cut_messages(f, c))
        return true;
    feed_garbage(f);
    return false;
}

static bool too_slow(struct feed *f, const struct connection *c, int64_t now)
{
    bool slow = c->begun && now - c->begun > FEED_SLOW_S * 1000;
    if (slow)
        feed_garbage(f);
    return slow || now - c->heard > FEED_SILENT_S * INT64_C(1000);
}

/* ---- the thread ---- */

static void look_at_connections(struct feed *f, struct hep *h, const struct pollfd *fds, unsigned n)
{
    int64_t now = feed_clock_ms();
    for (unsigned i = n; i-- > 0;) {
        struct connection *c = h->connections[i];
        if ((fds[i].revents && !take_bytes(f, c)) || too_slow(f, c, now))
            hang_up(h, i);
    }
}

static void hep_run(struct source *src)
{
    struct feed *f = src->feed;
    struct hep *h = f->own;
    struct pollfd fds[3 + FEED_CONNECTIONS];
    while (!sources_stopping(src->owner)) {
        fds[0] = (struct pollfd){.fd = src->owner->stop_fd, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = h->udp, .events = POLLIN};
        fds[2] = (struct pollfd){.fd = h->tcp, .events = POLLIN};
        unsigned n = h->n;
        for (unsigned i = 0; i < n; i++)
            fds[3 + i] = (struct pollfd){.fd = h->connections[i]->fd, .events = POLLIN};
        poll(fds, 3 + n, POLL_MS);
        for (int round = 0; round < UDP_ROUNDS && take_datagrams(f, h); round++)
            continue;
        look_at_connections(f, h, fds + 3, n);
        if (fds[2].revents)
            greet(h);
        feed_flush(f);
    }
    /* what had arrived by then */
    for (int round = 0; round < UDP_ROUNDS && take_datagrams(f, h); round++)
        continue;
    for (unsigned i = 0; i < h->n; i++)
        (void)take_bytes(f, h->connections[i]);
    feed_flush(f);
}

static void hep_free(void *own)
{
    struct hep *h = own;
    while (h->n)
        hang_up(h, 0);
    if (h->udp >= 0)
        close(h->udp);
    if (h->tcp >= 0)
        close(h->tcp);
    free(h);
}

enum source_error sources_add_hep(struct sources *s, const char *listen)
{
    struct endpoint at;
    int yes = 1, room = UDP_BUFFER;
    char place[ENDPOINT_TEXT];
    if (!feed_listen_parse(listen, &at))
        return sources_fail(s, SOURCE_NO_INTERFACE, "hep %s: is no ADDR:PORT", listen);
    struct hep *h = aligned_alloc(64, (sizeof *h + 63) / 64 * 64);
    if (!h)
        return sources_fail(s, SOURCE_NO_MEMORY, "hep %s: out of memory", listen);
    h->n = 0;
    h->kernel_lost = 0;
    h->udp = feed_socket(SOCK_DGRAM, &at);
    h->tcp = h->udp < 0 ? -1 : feed_socket(SOCK_STREAM, &at);
    if (h->udp < 0 || h->tcp < 0) {
        enum source_error e = feed_not_opened(s, "hep", listen);
        hep_free(h);
        return e;
    }
    setsockopt(h->udp, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    setsockopt(h->udp, SOL_SOCKET, SO_RXQ_OVFL, &yes, sizeof yes);
    endpoint_text(&at, place);
    return feed_add(s, "hep", addr_none(&at.addr) ? listen : place, LINKTYPE_FEED_HEP, hep_run, h,
                    hep_free)
               ? SOURCE_OK
               : SOURCE_NO_MEMORY;
}
