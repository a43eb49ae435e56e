/*
 * Interfaces as a source: a thread that lets libpcap call back for each frame and copies it into
 * the ring's batches.
 *
 * Learned from TPACKET_V3: a blocking pcap_dispatch() never returns on a silent interface, hence
 * non-blocking mode and poll(); an unbounded one never returns under load, hence LIVE_DISPATCH; and
 * the snap length cuts nothing in the kernel unless a filter is installed, hence the empty filter.
 */
#include "capture/source_inner.h"
#include "capture/shedding.h"
#include "capture/watch.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    LIVE_BATCH_BYTES = 1 << 20,
    LIVE_BATCHES = 32,   /* a second of 250 Mbit/s, beside the kernel's ring */
    LIVE_FRAME_MIN = 64, /* on Ethernet: sets the number of descriptors */
    LIVE_DISPATCH = 4096,
    LIVE_DEFAULT_RING_MB = 128, /* a second at 150,000 packets of 800 bytes */
    LIVE_STATS_MS = 1000,
    LIVE_VLAN_TAG = 4,     /* libpcap puts the tag back that the kernel took off before it cut */
    LIVE_FAILING_MS = 100, /* between two tries to read an interface that can't be */
    /* the kernel hands a block over after one to two of these: well below HOLD_MS of the merge */
    LIVE_TIMEOUT_MS = 10,
    LIVE_LAST_BLOCK_MS = 50, /* ... so that no block is on its way after this long */
    LIVE_DRAIN_MS = 2000,    /* for a backlog, after a stop */
};

/* Slewing changes less than that in a second; a step of less hurts no deadline. */
#define LIVE_CLOCK_STEP (500 * TICK_MS)

/* A frame that libpcap had handed out when the ring turned out to be full. The kernel's ring, which
 * is far larger, keeps those behind it. */
struct held {
    bool full;
    struct batch_packet packet;
    uint8_t bytes[FRAME_MAX_BYTES];
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
    struct watch watch;
    struct shedding shed;
    unsigned shed_changes; /* of the owner's, that shed has */
    uint64_t shed_packets; /* counts->packets at the last look */
    tick_t ahead;          /* wall_ahead() at the last look */
    bool failing;          /* libpcap could not read: waiting for the interface */
    struct held *held;     /* the frame that found the ring full */
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

static void live_put(struct source *src, struct batch *b, struct batch_packet packet,
                     const uint8_t *bytes)
{
    memcpy(b->bytes + b->end, bytes, packet.caplen);
    packet.offset = (uint32_t)b->end;
    b->packets[b->count++] = packet;
    b->end += packet.caplen;
    source_decode(src, b);
}

/* The ring is full: this frame waits outside, and libpcap is asked for no more. Those that it hands
 * out nevertheless are dropped. */
static void live_hold(struct live *v, struct batch_packet packet, const uint8_t *bytes)
{
    struct held *h = v->held;
    pcap_breakloop(v->pcap);
    if (h->full) {
        count_add(&v->counts->ring_drops, 1);
        return;
    }
    memcpy(h->bytes, bytes, packet.caplen);
    h->packet = packet;
    h->full = true;
}

/* False while there is still no room for the frame that waits. */
static bool live_put_held(struct source *src)
{
    struct held *h = src->live->held;
    struct batch *b = h->full ? live_room(src, h->packet.caplen) : NULL;
    if (b) {
        live_put(src, b, h->packet, h->bytes);
        h->full = false;
    }
    return !h->full;
}

static void live_frame(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
    struct source *src = (struct source *)(void *)user;
    struct live *v = src->live;
    v->newest = (tick_t)h->ts.tv_sec * TICK_S + (tick_t)h->ts.tv_usec * v->frac_ns;
    count_add(&v->counts->packets, 1);
    count_add(&v->counts->bytes, h->len);
    if (h->caplen < h->len && v->shed.on && h->caplen <= SHED_CUT + LIVE_VLAN_TAG)
        count_add(&v->counts->shed_cut, 1);
    uint32_t caplen = h->caplen < FRAME_MAX_BYTES ? h->caplen : FRAME_MAX_BYTES;
    struct batch_packet packet = {
        .time = v->newest,
        .caplen = caplen,
        .len = h->len,
        .linktype = v->linktype,
        .iface = v->iface,
    };
    struct batch *b = v->held->full ? NULL : live_room(src, caplen);
    if (b)
        live_put(src, b, packet, bytes);
    else
        live_hold(v, packet, bytes);
}

static void on_event(void *arg, const char *event)
{
    struct source *src = arg;
    sources_tell(src->owner, src->live->iface, event);
}

/* How far the wall clock, which stamps the packets, is ahead of one that nobody sets. */
static tick_t wall_ahead(void)
{
    struct timespec wall, mono;
    clock_gettime(CLOCK_MONOTONIC, &mono);
    clock_gettime(CLOCK_REALTIME, &wall);
    return (tick_t)(wall.tv_sec - mono.tv_sec) * TICK_S + wall.tv_nsec - mono.tv_nsec;
}

static bool tells_for_all(const struct source *src)
{
    size_t i = 0;
    while (!src->owner->list[i]->live)
        i++;
    return src->owner->list[i] == src;
}

/* Somebody set the clock. One interface tells for all. */
static void watch_clock(struct source *src)
{
    struct live *v = src->live;
    char text[SOURCE_EVENT_TEXT];
    tick_t now = wall_ahead(), step = now - v->ahead;
    v->ahead = now;
    if (!tells_for_all(src) || llabs(step) < LIVE_CLOCK_STEP)
        return;
    snprintf(text, sizeof text, "sees the system clock set %s by %.1f s",
             step > 0 ? "ahead" : "back", (double)llabs(step) / (double)TICK_S);
    sources_tell(src->owner, v->iface, text);
}

/* What was found in the meantime, and a rate that asks for more or less. */
static void live_shed(struct source *src)
{
    struct live *v = src->live;
    struct sources *s = src->owner;
    unsigned changes = atomic_load(&s->shed_changes);
    if (!v->shed.on)
        return;
    if (changes != v->shed_changes) {
        v->shed_changes = changes;
        pthread_mutex_lock(&s->event_lock);
        for (unsigned i = 0; i < s->shed.n_ports; i++)
            shed_add_port(&v->shed.config, s->shed.ports[i]);
        for (unsigned i = 0; i < s->shed.n_relays; i++)
            shed_add_relay(&v->shed.config, s->shed.relays[i]);
        pthread_mutex_unlock(&s->event_lock);
        shedding_again(&v->shed);
    }
    uint64_t packets = atomic_load_explicit(&v->counts->packets, memory_order_relaxed);
    bool before = v->shed.dropping;
    count_add(&v->counts->shed_dropped,
              shedding_second(&v->shed, v->watch.link.index, packets - v->shed_packets));
    v->shed_packets = packets;
    if (before == v->shed.dropping)
        return;
    atomic_store_explicit(&v->counts->dropping, v->shed.dropping, memory_order_relaxed);
    sources_tell(s, v->iface,
                 before ? "keeps relay media again"
                        : "sheds load: relay media without SYN, FIN or RST are dropped");
}

/* The kernel's and the card's losses, and what became of the interface, asked for in this thread
 * only: libpcap is not thread-safe. libpcap's own figure for the card (ps_ifdrop) is used where it
 * knows more than we do. */
static void live_stats(struct source *src, bool now)
{
    struct live *v = src->live;
    struct pcap_stat st;
    int64_t ms = clock_ms();
    if (!now && ms - v->last_ms < LIVE_STATS_MS)
        return;
    v->last_ms = ms;
    watch_clock(src);
    live_shed(src);
    uint64_t nic = watch_look(&v->watch, on_event, src);
    if (pcap_stats(v->pcap, &st) == 0) {
        count_add(&v->counts->kernel_drops, st.ps_drop - v->last.ps_drop);
        uint32_t told = st.ps_ifdrop - v->last.ps_ifdrop;
        if (told < 1u << 31 && told > nic) /* the figure of an interface that is new goes back */
            nic = told;
        v->last = st;
    }
    count_add(&v->counts->nic_drops, nic);
}

/* Hands a partly filled batch over if the other side has nothing to do; while it is busy, frames
 * keep being gathered. */
static void live_flush(struct source *src)
{
    struct batch *b = ring_claim(src->ring);
    if (b && b->count && ring_idle(src->ring))
        ring_publish(src->ring);
}

/* Takes what the kernel has ready, if there is room for it. An interface that goes down makes this
 * fail once; one that is gone is waited for (watch.h). */
static void live_take(struct source *src)
{
    struct live *v = src->live;
    if (!ring_claim(src->ring) || !live_put_held(src))
        return;
    int n = pcap_dispatch(v->pcap, LIVE_DISPATCH, live_frame, (u_char *)src);
    live_flush(src);
    if (n < 0 && n != PCAP_ERROR_BREAK) {
        v->failing = true;
        live_stats(src, true);
    } else if (n > 0) {
        v->failing = false;
    }
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
        live_take(src);
        if (v->failing)
            return;
    }
}

static void live_run(struct source *src)
{
    struct live *v = src->live;
    struct pollfd fds[2] = {{.fd = pcap_get_selectable_fd(v->pcap), .events = POLLIN},
                            {.fd = src->owner->stop_fd, .events = POLLIN}};
    while (!sources_stopping(src->owner)) {
        /* while we are full the kernel's own ring takes what comes; after an error the socket would
         * not let poll() wait */
        if (!ring_claim(src->ring))
            ring_wait_room(src->ring, SOURCE_POLL_MS);
        else
            poll(v->failing ? fds + 1 : fds, v->failing ? 1 : 2,
                 v->failing ? LIVE_FAILING_MS : SOURCE_POLL_MS);
        live_take(src);
        live_stats(src, false);
    }
    live_drain(src);
    live_stats(src, true);
    if (!live_put_held(src))
        count_add(&v->counts->ring_drops, 1);
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

/* The filter that is there anyway (see above), and behind it the program that cuts. */
static void live_begin_shedding(struct sources *s, pcap_t *p, const struct bpf_program *prog,
                                struct shedding *out)
{
    static struct sock_filter first[SHEDDING_FIRST]; /* one thread opens interfaces */
    struct shed_config c = *s->opt.shed;
    if (prog->bf_len > SHEDDING_FIRST)
        return;
    for (unsigned i = 0; i < prog->bf_len; i++)
        first[i] = (struct sock_filter){prog->bf_insns[i].code, prog->bf_insns[i].jt,
                                        prog->bf_insns[i].jf, prog->bf_insns[i].k};
    c.linktype = (uint16_t)pcap_datalink(p);
    c.whole = s->opt.snaplen ? s->opt.snaplen : SOURCE_DEFAULT_SNAPLEN;
    c.cut = c.whole < SHED_CUT ? c.whole : SHED_CUT;
    c.drop = 0;
    shedding_open(out, pcap_fileno(p), &c, s->opt.shed_above, first, prog->bf_len);
}

static enum source_error live_filter(struct sources *s, const char *name, pcap_t *p,
                                     struct shedding *shed)
{
    struct bpf_program prog;
    const char *text = s->opt.filter ? s->opt.filter : "";
    if (pcap_compile(p, &prog, text, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return sources_fail(s, SOURCE_BAD_FILTER, "%s: filter: %s", name, pcap_geterr(p));
    int bad = pcap_setfilter(p, &prog);
    if (!bad && s->opt.shed)
        live_begin_shedding(s, p, &prog, shed);
    pcap_freecode(&prog);
    return bad ? sources_fail(s, SOURCE_BAD_FILTER, "%s: filter: %s", name, pcap_geterr(p))
               : SOURCE_OK;
}

/* A handle with all that is asked for but activation. */
static pcap_t *live_create(struct sources *s, const char *name, bool promisc)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    const struct source_options *o = &s->opt;
    pcap_t *p = pcap_create(name, why);
    if (!p) {
        sources_fail(s, SOURCE_NO_INTERFACE, "%s: %s", name, why);
        return NULL;
    }
    uint32_t mb = o->ring_mb ? o->ring_mb : LIVE_DEFAULT_RING_MB;
    pcap_set_snaplen(p, o->snaplen ? (int)o->snaplen : SOURCE_DEFAULT_SNAPLEN);
    pcap_set_promisc(p, promisc);
    pcap_set_buffer_size(p, mb < 2048 ? (int)(mb << 20) : INT32_MAX);
    pcap_set_timeout(p, LIVE_TIMEOUT_MS);
    pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
    return p;
}

/* *promisc: wanted; false afterwards if the interface refuses it, which is no reason to stop: a
 * span port may be the only thing that is delivered there. */
static enum source_error live_open(struct sources *s, const char *name, bool *promisc,
                                   struct shedding *shed, pcap_t **out)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    pcap_t *p = live_create(s, name, *promisc);
    if (!p)
        return SOURCE_NO_INTERFACE;
    int code = pcap_activate(p);
    if (*promisc &&
        (code == PCAP_ERROR_PROMISC_PERM_DENIED || code == PCAP_WARNING_PROMISC_NOTSUP ||
         (code == PCAP_ERROR && strstr(pcap_geterr(p), "PACKET_ADD_MEMBERSHIP")))) {
        *promisc = false;
        pcap_close(p);
        p = live_create(s, name, false);
        if (!p)
            return SOURCE_NO_INTERFACE;
        code = pcap_activate(p);
    }
    enum source_error e = code < 0 ? live_error(s, name, p, code) : live_filter(s, name, p, shed);
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
    bool promisc = !s->opt.no_promisc;
    pcap_t *p = NULL;
    struct shedding shed = {.counter = -1};
    enum source_error e = live_open(s, name, &promisc, &shed, &p);
    if (e != SOURCE_OK) {
        shedding_close(&shed);
        return e;
    }
    struct source *src = sources_add(s, name, &shape);
    struct live *v = src ? calloc(1, sizeof *v) : NULL;
    if (!v || !(v->held = calloc(1, sizeof *v->held))) {
        free(v);
        if (src)
            sources_drop_last(s);
        shedding_close(&shed);
        pcap_close(p);
        return sources_fail(s, SOURCE_NO_MEMORY, "%s: out of memory", name);
    }
    v->shed = shed;
    bool nano = pcap_get_tstamp_precision(p) == PCAP_TSTAMP_PRECISION_NANO;
    v->pcap = p;
    v->frac_ns = nano ? 1 : 1000;
    v->linktype = (uint16_t)pcap_datalink(p);
    v->iface = sources_new_iface(s, slice_str(name));
    v->counts = s->ifaces[v->iface];
    watch_open(&v->watch, name, pcap_fileno(p), promisc);
    v->ahead = wall_ahead();
    src->live = v;
    src->run = live_run;
    if (!promisc && !s->opt.no_promisc)
        sources_tell(s, v->iface,
                     "refuses promiscuous mode: only packets for this machine and "
                     "what the span port delivers");
    s->has_live = true;
    return SOURCE_OK;
}

void source_live_free(struct source *src)
{
    if (!src->live)
        return;
    watch_close(&src->live->watch);
    shedding_close(&src->live->shed);
    pcap_close(src->live->pcap);
    free(src->live->held);
    free(src->live);
}
