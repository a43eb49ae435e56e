/* Which flows are fed, from which byte on, and for how long. What becomes of a segment:
 * reassembly.c. */
#include "flows/feeder_state.h"

#include "flows/limits.h"
#include "flows/pages.h"

#include <stdlib.h>

enum {
    LOOK_EVERY = HEAL_AFTER / 4,
    LIST_AFTER = 8, /* seconds: the order of flows by their last use need not be finer */
};

/* ---- life of a fed flow ---- */

/* The feeder's to write to, the readers' to look at. */
static struct flow *flow_of(const struct fed *e)
{
    return (struct flow *)e->stream.flow;
}

static uint32_t seconds(tick_t t)
{
    return (uint32_t)(t / TICK_S);
}

static void end_fed(struct feeder *f, struct fed *e, bool closed, enum flow_watch watch)
{
    reassembly_close(f, e);
    if (e->release) {
        f->counts.released++;
        watch = WATCH_IGNORE;
    }
    f->reader.over(f->reader.arg, &e->stream, closed);
    flow_of(e)->stream = 0;
    flow_of(e)->watch = (uint8_t)watch;
    lru_give(&f->fed_lru, (uint32_t)(e - f->fed));
}

/* Where the reader's first byte of this side stands, given that seq is a byte that exists. True: at
 * the very start of the connection. */
static bool place(struct half *h, bool saw_isn, uint32_t isn, uint32_t seq)
{
    int32_t from_start = seq_diff(seq, isn + 1);
    bool start = saw_isn && from_start >= 0 && from_start <= HEAL_MAX_BYTES;
    h->next = h->acked = start ? isn + 1 : seq;
    h->start = START_SEEN;
    return start;
}

/* The side that sent nothing yet starts where the handshake said, else where it was acknowledged.
 */
static void place_silent(struct half *h, bool saw_isn, uint32_t isn, const struct packet *p)
{
    if (p->flags & TCP_ACK) {
        bool start = place(h, saw_isn, isn, p->ack);
        h->start = start ? START_SEEN : START_ACKED;
    } else if (saw_isn) {
        place(h, true, isn, isn + 1);
    }
}

static void place_both(struct fed *e, enum stream_side from, const struct packet *p)
{
    const struct flow *flow = e->stream.flow;
    bool saw[2] = {flow->saw_syn, flow->saw_synack};
    uint32_t isn[2] = {flow->client_isn, flow->server_isn};
    enum stream_side to = other_side(from);
    e->stream.from_start =
        place(&e->half[from], saw[from], isn[from], p->seq + (p->flags & TCP_SYN ? 1 : 0));
    place_silent(&e->half[to], saw[to], isn[to], p);
    e->half[from].seen = p->time;
    e->half[to].seen = saw[to] ? p->time : TICK_NONE;
}

/* The flow whose last packet lies furthest back, or nearly so. Flows are not moved in their list
 * with their packets, which would cost three cache lines, but when they are met here. */
static struct fed *longest_idle(struct feeder *f)
{
    for (;;) {
        uint32_t number = lru_oldest(&f->fed_lru);
        struct fed *e = &f->fed[number];
        tick_t client = e->half[SIDE_CLIENT].seen, server = e->half[SIDE_SERVER].seen;
        uint32_t used = seconds(client > server ? client : server);
        if ((int32_t)(used - e->listed) <= LIST_AFTER)
            return e;
        lru_touch(&f->fed_lru, number);
        e->listed = used;
    }
}

static struct fed *begin_fed(struct feeder *f, struct flow *flow, enum stream_side from,
                             const struct packet *p)
{
    if (f->fed_lru.live == f->fed_lru.size) {
        f->counts.evicted++;
        end_fed(f, longest_idle(f), false, WATCH_UNDECIDED);
    }
    uint32_t number = lru_take(&f->fed_lru);
    struct fed *e = &f->fed[number];
    *e = (struct fed){.stream = {.flow = flow}, .listed = seconds(p->time)};
    flow->stream = number;
    flow->watch = WATCH_FEED;
    place_both(e, from, p);
    f->counts.streams++;
    f->counts.adopted += !e->stream.from_start;
    return e;
}

/* ---- packets ---- */

static void note_ack(struct half *h, uint32_t ack)
{
    if (h->start == START_SEEN) {
        if (seq_diff(ack, h->acked) > 0)
            h->acked = ack;
    } else if (h->start == START_UNKNOWN || seq_diff(ack, h->next) > 0) {
        h->next = h->acked = ack;
        h->start = START_ACKED;
    }
}

/* The first payload of a side whose start was not known. Captured after its acknowledgment, it
 * stands before it. */
static void note_first(struct half *h, uint32_t seq)
{
    int32_t ahead = seq_diff(seq, h->next);
    if (h->start == START_UNKNOWN || ahead < 0 || ahead > HEAL_MAX_BYTES)
        h->next = h->acked = seq;
    h->start = START_SEEN;
}

/* How much payload the packet had on the wire. A header that claims more than a frame that was
 * captured whole has room for is wrong, not cut. Of most packets p->raw is not looked at: it lies
 * on a cache line of its own. */
static uint32_t wire_payload(const struct packet *p)
{
    if (p->payload.n == p->payload_len)
        return p->payload_len;
    return p->raw.caplen < p->raw.len ? p->payload_len : (uint32_t)p->payload.n;
}

static void payload(struct feeder *f, struct fed *e, enum stream_side side, uint32_t seq,
                    const struct packet *p)
{
    struct half *h = &e->half[side];
    e->stream.time = p->time;
    e->stream.iface = p->iface;
    if (h->start != START_SEEN)
        note_first(h, seq);
    if (p->payload.n)
        reassembly_segment(f, e, side, seq, p->payload);
    if (p->payload.n == wire_payload(p))
        return;
    f->counts.snapped_segments++;
    if (!h->waiting && h->next == seq + (uint32_t)p->payload.n)
        reassembly_skip(f, e, side, seq + wire_payload(p));
}

/* A reset counts if it stands where its sender can be: not before what the other side acknowledged,
 * not far behind what was captured. */
static bool is_reset(const struct half *h, const struct packet *p)
{
    if (!(p->flags & TCP_RST))
        return false;
    return h->start == START_UNKNOWN ||
           (seq_diff(p->seq, h->acked) >= 0 && seq_diff(p->seq, h->next) <= HEAL_MAX_BYTES);
}

static bool is_done(const struct half *h)
{
    return h->fin_seen && seq_diff(h->next, h->fin) >= 0;
}

static void count_since(struct half *h)
{
    if (h->since < UINT8_MAX)
        h->since++;
}

static void fed_packet(struct feeder *f, struct fed *e, enum stream_side side,
                       const struct packet *p)
{
    struct half *h = &e->half[side], *other = &e->half[other_side(side)];
    uint32_t seq = p->seq + (p->flags & TCP_SYN ? 1 : 0);
    h->seen = p->time;
    count_since(h);
    count_since(other);
    if (p->flags & TCP_ACK)
        note_ack(other, p->ack);
    if (wire_payload(p) && !(p->flags & TCP_RST))
        payload(f, e, side, seq, p);
    if (p->flags & TCP_FIN && h->start == START_SEEN)
        reassembly_fin(f, e, side, seq + wire_payload(p));
    if (e->holed)
        reassembly_heal_due(f, e, p->time);
    if (e->release) {
        end_fed(f, e, false, WATCH_IGNORE);
    } else if (is_reset(h, p) || (is_done(h) && is_done(other))) {
        e->stream.time = p->time; /* when it closed, not when it last spoke */
        end_fed(f, e, true, WATCH_IGNORE);
    }
}

void feeder_tcp(struct feeder *f, const struct flow_ref *ref, const struct packet *p)
{
    struct flow *flow = ref->flow;
    if (!flow)
        return;
    if (ref->fresh) {
        feeder_flow_over(f, flow);
        flow->watch = WATCH_UNDECIDED;
    }
    if (flow->watch == WATCH_IGNORE)
        return;
    enum stream_side side = ref->from_client ? SIDE_CLIENT : SIDE_SERVER;
    if (flow->stream)
        fed_packet(f, &f->fed[flow->stream], side, p);
    else if (p->payload.n && !(p->flags & TCP_RST))
        fed_packet(f, begin_fed(f, flow, side, p), side, p);
}

void feeder_hint(const struct feeder *f, const struct flow *flow)
{
    const struct fed *e = &f->fed[flow->stream];
    if (!flow->stream)
        return;
    __builtin_prefetch(e, 1);
    __builtin_prefetch((const char *)e + 64, 1);
}

void feeder_hint_reader(const struct feeder *f, const struct flow *flow)
{
    if (flow->stream)
        __builtin_prefetch(f->fed[flow->stream].stream.user, 1);
}

void feeder_flow_over(struct feeder *f, struct flow *flow)
{
    if (flow->stream)
        end_fed(f, &f->fed[flow->stream], false, WATCH_UNDECIDED);
}

/* ---- time ---- */

static void sweep_rooms(struct feeder *f, tick_t now)
{
    for (uint32_t i; (i = lru_oldest(&f->room_lru)) != 0;) {
        if (now - f->rooms[i].used <= STREAM_IDLE)
            return;
        f->counts.swept++;
        reassembly_leave(f, &f->fed[f->rooms[i].fed]);
    }
}

void feeder_advance(struct feeder *f, tick_t now)
{
    if (now >= f->checked && now - f->checked < LOOK_EVERY)
        return;
    f->checked = now;
    for (uint32_t i = f->n_holed; i-- > 0;)
        reassembly_heal_due(f, &f->fed[f->holed[i]], now);
    sweep_rooms(f, now);
}

void feeder_finish(struct feeder *f, tick_t now)
{
    f->checked = now;
    for (uint32_t i; (i = lru_oldest(&f->fed_lru)) != 0;)
        end_fed(f, &f->fed[i], false, WATCH_UNDECIDED);
}

/* ---- the whole ---- */

static int allocate(struct feeder *f, uint32_t streams, uint32_t rooms)
{
    if (lru_init(&f->fed_lru, streams) != 0 || lru_init(&f->room_lru, rooms) != 0)
        return -1;
    f->fed_bytes = (streams + (size_t)1) * sizeof *f->fed;
    f->rooms_bytes = (rooms + (size_t)1) * sizeof *f->rooms;
    f->fed = pages_reserve(f->fed_bytes);
    f->rooms = pages_reserve(f->rooms_bytes);
    f->holed = calloc(streams, sizeof *f->holed);
    return f->fed && f->rooms && f->holed ? 0 : -1;
}

static void release_tables(struct feeder *f)
{
    lru_end(&f->fed_lru);
    lru_end(&f->room_lru);
    rest_end(&f->stock);
    pages_release(f->fed, f->fed_bytes);
    pages_release(f->rooms, f->rooms_bytes);
    free(f->holed);
    free(f);
}

struct feeder *feeder_new(uint32_t streams, uint32_t nids_streams,
                          const struct stream_reader *reader, const char **why)
{
    uint32_t rooms = nids_streams ? nids_streams : LIMIT_NIDS_STREAMS;
    struct feeder *f = calloc(1, sizeof *f);
    if (!f || allocate(f, streams ? streams : LIMIT_STREAMS, rooms) != 0) {
        *why = "no memory for streams";
        goto no_memory;
    }
    struct nids_sink sink = {f, reassembly_sink};
    uint32_t granted =
        streams_nids_start(rooms > LIMIT_NIDS_STREAMS ? rooms : LIMIT_NIDS_STREAMS, &sink, why);
    if (!granted)
        goto no_memory;
    if (granted < rooms)
        f->room_lru.size = granted;
    f->reader = *reader;
    f->old_warnings = streams_nids_warnings();
    return f;
no_memory:
    if (f)
        release_tables(f);
    return NULL;
}

void feeder_free(struct feeder *f)
{
    if (!f)
        return;
    feeder_finish(f, f->checked);
    streams_nids_stop();
    release_tables(f);
}

void feeder_counts(const struct feeder *f, struct feeder_counts *out)
{
    *out = f->counts;
    out->nids_warnings = streams_nids_warnings() - f->old_warnings;
}
