/*
 * Interfaces as a source: a thread that lets libpcap call back for each frame and copies it into
 * the ring's batches.
 *
 * Learned from TPACKET_V3: a blocking pcap_dispatch() never returns on a silent interface, hence
 * non-blocking mode and poll(); an unbounded one never returns under load, hence LIVE_DISPATCH; and
 * the snap length cuts nothing in the kernel unless a filter is installed, hence the empty filter.
 */
#include "capture/source_inner.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

enum {
    LIVE_BATCH_BYTES = 1 << 20,
    LIVE_BATCHES = 32,   /* a second of 250 Mbit/s, beside the kernel's ring */
    LIVE_FRAME_MIN = 64, /* on Ethernet: sets the number of descriptors */
    LIVE_DISPATCH = 4096,
    LIVE_DEFAULT_RING_MB = 64,
    LIVE_STATS_MS = 1000,
    /* the kernel hands a block over after one to two of these: well below HOLD_MS of the merge */
    LIVE_TIMEOUT_MS = 10,
    LIVE_LAST_BLOCK_MS = 50, /* ... so that no block is on its way after this long */
    LIVE_DRAIN_MS = 2000,    /* for a backlog, after a stop */
};

struct live {
    pcap_t *pcap;
    struct iface *counts;
    uint32_t frac_ns; /* nanoseconds per unit of a time stamp's fraction */
    uint16_t linktype;
    uint16_t iface;
    tick_t newest;         /* time of the last frame taken from the kernel */
    struct pcap_stat last; /* libpcap's counters wrap at 32 bits: we add differences */
    int64_t last_ms;
};

static int64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A batch with room for one more frame, NULL if the ring is full. */
static struct batch *live_room(struct source *src, size_t bytes)
{
    struct batch *b = ring_claim(src->ring);
    if (b && (b->size - b->end < bytes || b->count == b->room)) {
        ring_publish(src->ring);
        b = ring_claim(src->ring);
    }
    return b;
}

static void live_frame(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
    struct source *src = (struct source *)(void *)user;
    struct live *v = src->live;
    v->newest = (tick_t)h->ts.tv_sec * TICK_S + (tick_t)h->ts.tv_usec * v->frac_ns;
    count_add(&v->counts->packets, 1);
    count_add(&v->counts->bytes, h->len);
    uint32_t caplen = h->caplen < FRAME_MAX_BYTES ? h->caplen : FRAME_MAX_BYTES;
    struct batch *b = live_room(src, caplen);
    if (!b) {
        count_add(&v->counts->ring_drops, 1);
        return;
    }
    memcpy(b->bytes + b->end, bytes, caplen);
    b->packets[b->count++] = (struct batch_packet){
        .time = v->newest,
        .offset = (uint32_t)b->end,
        .caplen = caplen,
        .len = h->len,
        .linktype = v->linktype,
        .iface = v->iface,
    };
    b->end += caplen;
    source_decode(src, b);
}

/* The kernel's and the card's losses, asked for in this thread only: libpcap is not thread-safe. */
static void live_stats(struct source *src, bool now)
{
    struct live *v = src->live;
    struct pcap_stat st;
    int64_t ms = clock_ms();
    if (!now && ms - v->last_ms < LIVE_STATS_MS)
        return;
    v->last_ms = ms;
    if (pcap_stats(v->pcap, &st) != 0)
        return;
    count_add(&v->counts->kernel_drops, st.ps_drop - v->last.ps_drop);
    count_add(&v->counts->nic_drops, st.ps_ifdrop - v->last.ps_ifdrop);
    v->last = st;
}

/* Hands a partly filled batch over if the other side has nothing to do; while it is busy, frames
 * keep being gathered. */
static void live_flush(struct source *src)
{
    struct batch *b = ring_claim(src->ring);
    if (b && b->count && ring_idle(src->ring))
        ring_publish(src->ring);
}

/* Takes what the kernel has ready, if there is room for it. -1: the interface is of no use any
 * more. */
static int live_take(struct source *src)
{
    struct live *v = src->live;
    if (!ring_claim(src->ring))
        return 0;
    int n = pcap_dispatch(v->pcap, LIVE_DISPATCH, live_frame, (u_char *)src);
    live_flush(src);
    if (n >= 0 || n == PCAP_ERROR_BREAK)
        return 0;
    source_damaged(src, SOURCE_NO_INTERFACE, "%s", pcap_geterr(v->pcap));
    return -1;
}

/* After a stop: the frames that had arrived by then. */
static void live_drain(struct source *src)
{
    struct live *v = src->live;
    struct pollfd fd = {.fd = pcap_get_selectable_fd(v->pcap), .events = POLLIN};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    tick_t stopped = (tick_t)now.tv_sec * TICK_S + now.tv_nsec;
    int64_t end = clock_ms() + LIVE_DRAIN_MS;
    while (v->newest < stopped && clock_ms() < end && poll(&fd, 1, LIVE_LAST_BLOCK_MS) > 0) {
        if (!ring_claim(src->ring))
            ring_wait_room(src->ring, SOURCE_POLL_MS);
        if (live_take(src) != 0)
            return;
    }
}

static void live_run(struct source *src)
{
    struct live *v = src->live;
    struct pollfd fds[2] = {{.fd = pcap_get_selectable_fd(v->pcap), .events = POLLIN},
                            {.fd = src->owner->stop_fd, .events = POLLIN}};
    while (!sources_stopping(src->owner) && src->damage == SOURCE_OK) {
        /* while we are full the kernel's own ring takes what comes */
        if (!ring_claim(src->ring))
            ring_wait_room(src->ring, SOURCE_POLL_MS);
        else
            poll(fds, 2, SOURCE_POLL_MS);
        if (live_take(src) == 0)
            live_stats(src, false);
    }
    if (src->damage == SOURCE_OK)
        live_drain(src);
    live_stats(src, true);
    struct batch *b = ring_claim(src->ring);
    if (b && b->count)
        ring_publish(src->ring);
}

static enum source_error live_error(struct sources *s, const char *name, pcap_t *p, int code)
{
    const char *why = pcap_statustostr(code), *more = pcap_geterr(p);
    enum source_error e = SOURCE_NO_INTERFACE;
    if (code == PCAP_ERROR_PERM_DENIED || code == PCAP_ERROR_PROMISC_PERM_DENIED)
        e = SOURCE_NO_PERMISSION;
    if (code == PCAP_ERROR && more[0])
        return sources_fail(s, e, "%s: %s", name, more);
    if (strstr(more, why)) /* said already */
        why = "";
    return sources_fail(s, e, "%s: %s%s%s", name, why, *why && *more ? ": " : "", more);
}

static enum source_error live_filter(struct sources *s, const char *name, pcap_t *p)
{
    struct bpf_program prog;
    const char *text = s->opt.filter ? s->opt.filter : "";
    if (pcap_compile(p, &prog, text, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return sources_fail(s, SOURCE_BAD_FILTER, "%s: filter: %s", name, pcap_geterr(p));
    int bad = pcap_setfilter(p, &prog);
    pcap_freecode(&prog);
    return bad ? sources_fail(s, SOURCE_BAD_FILTER, "%s: filter: %s", name, pcap_geterr(p))
               : SOURCE_OK;
}

static enum source_error live_open(struct sources *s, const char *name, pcap_t **out)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    const struct source_options *o = &s->opt;
    pcap_t *p = pcap_create(name, why);
    if (!p)
        return sources_fail(s, SOURCE_NO_INTERFACE, "%s: %s", name, why);
    uint32_t mb = o->ring_mb ? o->ring_mb : LIVE_DEFAULT_RING_MB;
    pcap_set_snaplen(p, o->snaplen ? (int)o->snaplen : SOURCE_DEFAULT_SNAPLEN);
    pcap_set_promisc(p, !o->no_promisc);
    pcap_set_buffer_size(p, mb < 2048 ? (int)(mb << 20) : INT32_MAX);
    pcap_set_timeout(p, LIVE_TIMEOUT_MS);
    pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
    int code = pcap_activate(p);
    enum source_error e = code < 0 ? live_error(s, name, p, code) : live_filter(s, name, p);
    if (e == SOURCE_OK && pcap_setnonblock(p, 1, why) != 0)
        e = sources_fail(s, SOURCE_NO_INTERFACE, "%s: %s", name, why);
    if (e != SOURCE_OK)
        pcap_close(p);
    else
        *out = p;
    return e;
}

enum source_error sources_add_interface(struct sources *s, const char *name)
{
    struct ring_shape shape = {.batches = LIVE_BATCHES,
                               .bytes = LIVE_BATCH_BYTES,
                               .packets = LIVE_BATCH_BYTES / LIVE_FRAME_MIN};
    pcap_t *p = NULL;
    enum source_error e = live_open(s, name, &p);
    if (e != SOURCE_OK)
        return e;
    struct source *src = sources_add(s, name, &shape);
    struct live *v = src ? calloc(1, sizeof *v) : NULL;
    if (!v) {
        if (src)
            sources_drop_last(s);
        pcap_close(p);
        return sources_fail(s, SOURCE_NO_MEMORY, "%s: out of memory", name);
    }
    bool nano = pcap_get_tstamp_precision(p) == PCAP_TSTAMP_PRECISION_NANO;
    v->pcap = p;
    v->frac_ns = nano ? 1 : 1000;
    v->linktype = (uint16_t)pcap_datalink(p);
    v->iface = sources_new_iface(s, slice_str(name));
    v->counts = s->ifaces[v->iface];
    src->live = v;
    src->run = live_run;
    s->has_live = true;
    return SOURCE_OK;
}

void source_live_free(struct source *src)
{
    if (!src->live)
        return;
    pcap_close(src->live->pcap);
    free(src->live);
}
