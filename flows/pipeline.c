/* The engine, put together: one packet's way from frame to record. */
#include "flows/pipeline_inner.h"

#include <stdlib.h>
#include <sys/random.h>

#include "capture/feed.h"
#include "flows/memory.h"

#define ADVANCE_EVERY (100 * TICK_MS)
/* Memory is asked for so many packets ahead, in steps: each needs what the one before asked for. */
enum { STEP = 2, AHEAD = 4 * STEP };

/* ---- life ---- */

static struct joiner_config joining(const struct pipeline *p, const struct engine_config *c)
{
    return (struct joiner_config){.sensor = c->sensor,
                                  .aliases = c->aliases,
                                  .n_aliases = c->n_aliases,
                                  .edges = c->edges,
                                  .n_edges = c->n_edges,
                                  .relay_low = c->relay_low,
                                  .relay_high = c->relay_high,
                                  .seed = p->seed,
                                  .veil = c->veil};
}

static bool build_joining(struct pipeline *p, const struct engine_config *c)
{
    struct joiner_config jc = joining(p, c);
    struct joiner_hooks jh = pipeline_joiner_hooks(p);
    p->joiner = joiner_new(&jc, &jh);
    p->calls = p->joiner ? calls_new(p->joiner, &p->out, c->interim, p->seed) : NULL;
    p->allocations = p->joiner ? allocations_new(p->joiner, &p->out, c->interim, p->seed) : NULL;
    p->traffic = traffic_new(c->relay_low, c->relay_high, p->seed);
    p->feeds = p->calls ? feeds_new(p->calls, &p->out) : NULL;
    return p->calls && p->allocations && p->traffic && p->feeds;
}

static bool build_reading(struct pipeline *p, const struct engine_config *c, const char **why)
{
    struct handover_to second = pipeline_second_half(p);
    p->handover = handover_new(&second, c->threads);
    if (!p->handover)
        return false;
    struct proto_config pc = {.handover = p->handover,
                              .joiner = p->joiner,
                              .sip_ports = c->sip_ports,
                              .turn_ports = c->turn_ports,
                              .n_sip_ports = c->n_sip_ports,
                              .n_turn_ports = c->n_turn_ports,
                              .feeds = p->feeds,
                              .keys = c->keys};
    struct tracker_hooks th = pipeline_tracker_hooks(p);
    p->proto = proto_new(&pc);
    p->tracker = tracker_new(c->flows, 0, p->seed, &th);
    p->dedup = dedup_new(p->seed);
    p->defrag = defrag_new(p->seed);
    if (!p->proto || !p->tracker || !p->dedup || !p->defrag)
        return false;
    p->feeder = feeder_new(0, 0, proto_reader(p->proto), why);
    return p->feeder != NULL;
}

struct pipeline *pipeline_new(const struct engine_config *c, const struct engine_out *out,
                              const char **why)
{
    struct pipeline *p = calloc(1, sizeof *p);
    *why = "out of memory";
    if (!p)
        return NULL;
    p->out = *out;
    p->live = c->live;
    p->shed = c->shed;
    p->first = p->last = p->now = p->advanced = TICK_NONE;
    p->seed = c->seed;
    p->refused = memory_refused();
    if ((!p->seed && getrandom(&p->seed, sizeof p->seed, 0) != sizeof p->seed) ||
        !build_joining(p, c) || !build_reading(p, c, why)) {
        pipeline_free(p);
        return NULL;
    }
    return p;
}

void pipeline_reconfigure(struct pipeline *p, const struct engine_config *c)
{
    struct joiner_config jc = joining(p, c);
    handover_settle(p->handover);
    joiner_reconfigure(p->joiner, &jc);
    traffic_relay_ports(p->traffic, c->relay_low, c->relay_high);
    proto_hints(p->proto, c->sip_ports, c->n_sip_ports, c->turn_ports, c->n_turn_ports);
}

void pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    if (p->handover)
        handover_finish(p->handover); /* its thread works with all of the below */
    feeder_free(p->feeder);
    tracker_free(p->tracker);
    proto_free(p->proto);
    feeds_free(p->feeds);
    calls_free(p->calls);
    allocations_free(p->allocations);
    joiner_free(p->joiner);
    traffic_free(p->traffic);
    handover_free(p->handover);
    defrag_free(p->defrag);
    dedup_free(p->dedup);
    free(p->ifaces);
    free(p);
}

/* ---- time ---- */

/* Gaps of what was lost before the capture, not of what the capture cut by itself. */
static void look_for_gaps(struct pipeline *p, tick_t now)
{
    struct feeder_counts f;
    feeder_counts(p->feeder, &f);
    uint64_t gaps = f.gaps > f.snapped_segments ? f.gaps - f.snapped_segments : 0;
    if (gaps > p->gaps)
        tracker_gap(p->tracker, now);
    p->gaps = gaps;
}

static void advance(struct pipeline *p, tick_t now)
{
    p->advanced = now;
    tracker_advance(p->tracker, now);
    feeder_advance(p->feeder, now);
    proto_advance(p->proto, now);
    look_for_gaps(p, now);
    handover_advance(p->handover, now);
}

/* The clock that stamps packets was set: deadlines begin anew, and silence around it proves
 * nothing. In a file it may as well be a pause, or another capture. */
static void leap(struct pipeline *p, tick_t to)
{
    tick_t from = p->now, low = from < to ? from : to, high = from < to ? to : from;
    handover_settle(p->handover);
    if (p->out.leap)
        p->out.leap(p->out.arg, from, to);
    if (!p->live)
        return;
    tracker_lossy(p->tracker, low - DEADLINE_NO_ANSWER, high);
    tracker_restart(p->tracker, to);
    handover_settle(p->handover);
    calls_leap(p->calls, from, to);
    allocations_leap(p->allocations, from, to);
}

/* Small steps forward are nearly all; no branch says which of them are none. */
static inline bool goes_on(struct pipeline *p, tick_t t)
{
    if ((uint64_t)t - (uint64_t)p->advanced >= (uint64_t)ADVANCE_EVERY)
        return false;
    p->now = t > p->now ? t : p->now;
    return true;
}

/* Small steps back (reordering, two spans) leave the clock where it is; a larger one is another
 * day's capture, and the clock follows. */
static void set_now(struct pipeline *p, tick_t t)
{
    const tick_t ahead = p->live ? CLOCK_STEP_LIVE : CLOCK_STEP_AHEAD;
    bool back = p->now != TICK_NONE && t < p->now - 10 * TICK_S;
    if (back || (p->now != TICK_NONE && t > p->now + ahead))
        leap(p, t);
    if (p->now == TICK_NONE || t > p->now || back)
        p->now = t;
    tick_t since = p->now - p->advanced;
    if (p->advanced == TICK_NONE || since >= ADVANCE_EVERY || since < 0)
        advance(p, p->now);
}

/* ---- packets ---- */

static void on_tcp(struct pipeline *p, const struct packet *k, uint32_t flow)
{
    struct flow_ref ref = tracker_tcp_at(p->tracker, k, flow);
    if (ref.flow)
        feeder_tcp(p->feeder, &ref, k);
}

static void on_udp(struct pipeline *p, const struct packet *k)
{
    struct stun_msg stun;
    if (proto_datagram(p->proto, k, &stun))
        tracker_stun(p->tracker, k, &stun);
}

static void on_packet(struct pipeline *p, const struct group_item *g, struct iface_counts *counts)
{
    const struct packet *k = g->packet;
    if (dedup_seen_at(p->dedup, k, g->dedup)) {
        counts->duplicates++;
        return;
    }
    counts->handled++;
    switch (k->proto) {
    case PROTO_TCP:
        on_tcp(p, k, g->flow);
        break;
    case PROTO_UDP:
        on_udp(p, k);
        break;
    default:
        tracker_icmp(p->tracker, k);
    }
}

static struct iface_counts *iface_of(struct pipeline *p, unsigned iface)
{
    if (iface >= p->n_ifaces) {
        unsigned n = iface + 8;
        struct iface_counts *grown = memory_got(realloc(p->ifaces, n * sizeof *grown));
        if (!grown)
            return NULL;
        memset(grown + p->n_ifaces, 0, (n - p->n_ifaces) * sizeof *grown);
        p->ifaces = grown;
        p->n_ifaces = n;
    }
    return &p->ifaces[iface];
}

/* Fragments: the last piece makes the packet whole, which may be a fragment again inside a tunnel.
 */
static enum frame_kind defragment(struct pipeline *p, struct fragment *f, struct packet *k)
{
    enum frame_kind kind = FRAME_FRAGMENT;
    struct slice whole;
    for (int depth = 0; kind == FRAME_FRAGMENT && depth < FRAME_MAX_LAYERS; depth++) {
        if (!defrag_add(p->defrag, f, k->time, &whole))
            return FRAME_FRAGMENT;
        struct fragment outer = *f;
        kind = frame_transport(&outer, whole, k, f);
    }
    return kind;
}

static void hash(const struct pipeline *p, struct group_item *g, const struct group_own *own)
{
    g->dedup = dedup_hash(&own->packet, p->seed);
    g->flow = endpoint_hash_pair(&own->packet.src, &own->packet.dst, p->seed);
}

static void on_frame(struct pipeline *p, struct group_item *g, struct group_own *own)
{
    const struct raw_packet *raw = g->raw;
    struct iface_counts *counts = iface_of(p, raw->iface);
    if (!counts)
        return;
    counts->packets++;
    counts->bytes += raw->len;
    if (p->first == TICK_NONE || raw->time < p->first)
        p->first = raw->time;
    p->last = raw->time > p->last ? raw->time : p->last;
    if (!goes_on(p, raw->time))
        set_now(p, raw->time);
    if (feed_frame(raw->linktype)) {
        handover_settle(p->handover);
        bool good = feeds_frame(p->feeds, raw);
        counts->handled += good;
        counts->decode_errors += !good;
        return;
    }
    if (g->kind == FRAME_FRAGMENT) {
        g->kind = defragment(p, &own->fragment, &own->packet);
        if (g->kind == FRAME_PACKET)
            hash(p, g, own);
    }
    if (g->kind == FRAME_PACKET)
        on_packet(p, g, counts);
    else if (g->kind == FRAME_FRAGMENT)
        counts->fragments++;
    else if (g->kind == FRAME_OTHER)
        counts->not_ip++;
    else if (g->kind == FRAME_NO_LINK)
        counts->no_link++, counts->linktype = raw->linktype;
    else if (g->kind == FRAME_BAD)
        counts->decode_errors++;
}

static void decode(struct pipeline *p, struct group_item *g, struct group_own *own)
{
    const struct decoded *d = g->raw->decoded;
    if (d && d->kind != FRAME_FRAGMENT) {
        g->packet = &d->packet;
        g->kind = d->kind;
        g->dedup = d->dedup;
        g->flow = d->flow;
        return;
    }
    g->packet = &own->packet;
    g->kind = frame_decode(g->raw, &own->packet, &own->fragment);
    if (g->kind == FRAME_PACKET)
        hash(p, g, own);
}

/* Asks for what is read of each packet: it comes out of another processor's cache. */
static void decoded_hint(const struct decoded *d)
{
    __builtin_prefetch(d);
    __builtin_prefetch((const char *)d + 64);
}

static void begin_item(struct pipeline *p, unsigned i, const struct raw_packet *raw)
{
    struct group_item *g = &p->group[i];
    g->raw = raw;
    decode(p, g, &p->own[i]);
    g->tcp = g->kind == FRAME_PACKET && g->packet->proto == PROTO_TCP;
    g->known = NULL;
    if (g->kind == FRAME_PACKET) {
        dedup_hint(p->dedup, g->dedup);
        __builtin_prefetch(g->packet->payload.p); /* of a short frame, the headers too */
    }
    if (!g->tcp)
        return;
    tracker_hint(p->tracker, g->flow);
    if (g->packet->flags & TCP_SYN) /* kept as evidence */
        __builtin_prefetch(&g->packet->raw);
}

/* The frame that is so many steps behind the i-th of n; NULL: there is none. */
static struct group_item *behind(struct pipeline *p, unsigned i, unsigned steps, unsigned n)
{
    unsigned at = i - steps * STEP;
    return at < n ? &p->group[at] : NULL;
}

/* Each frame is looked at in five steps, several frames apart, so that its memory has come when it
 * is handled, and is still in the nearest cache. */
static void group_frames(struct pipeline *p, const struct raw_packet *raw, unsigned n)
{
    struct group_item *g;
    for (unsigned i = 0; i < n + AHEAD; i++) {
        if (i + 2 * STEP < n && raw[i + 2 * STEP].decoded)
            decoded_hint(raw[i + 2 * STEP].decoded);
        if (i < n)
            begin_item(p, i, &raw[i]);
        if ((g = behind(p, i, 1, n)) && g->tcp)
            tracker_hint_entry(p->tracker, g->flow);
        if ((g = behind(p, i, 2, n)) && g->tcp &&
            (g->known = tracker_hint_flow(p->tracker, g->flow)))
            feeder_hint(p->feeder, g->known);
        if ((g = behind(p, i, 3, n)) && g->known)
            feeder_hint_reader(p->feeder, g->known);
        if ((g = behind(p, i, 4, n)))
            on_frame(p, g, &p->own[g - p->group]);
    }
}

void pipeline_frames(struct pipeline *p, const struct raw_packet *raw, unsigned n)
{
    while (n) {
        unsigned now = n < PIPELINE_GROUP ? n : PIPELINE_GROUP;
        group_frames(p, raw, now);
        handover_group_over(p->handover, now < PIPELINE_GROUP);
        raw += now;
        n -= now;
    }
}

void pipeline_settle(struct pipeline *p)
{
    handover_settle(p->handover);
}

void pipeline_idle(struct pipeline *p, tick_t now)
{
    set_now(p, now);
    handover_group_over(p->handover, true);
}

void pipeline_lossy(struct pipeline *p, tick_t from, tick_t to)
{
    tracker_lossy(p->tracker, from, to);
}

void pipeline_dropping(struct pipeline *p, bool on)
{
    tracker_dropping(p->tracker, on);
}

void pipeline_finish(struct pipeline *p)
{
    tick_t now = p->now;
    if (now == TICK_NONE)
        return;
    tracker_advance(p->tracker, now);
    proto_advance(p->proto, now);
    handover_finish(p->handover);
    p->finishing = true;
    feeder_finish(p->feeder, now);
    tracker_finish(p->tracker, now);
    /* calls may still look at allocations, and allocations ask which calls know them */
    allocations_finish(p->allocations, now);
    calls_finish(p->calls);
    feeds_finish(p->feeds);
    traffic_flush(p->traffic, &p->out);
    p->out.advance(p->out.arg, now);
}

/* ---- figures ---- */

void pipeline_counts(struct pipeline *p, struct engine_counts *out)
{
    struct tracker_counts t;
    struct feeder_counts f;
    struct proto_counts r;
    struct calls_counts c;
    struct allocations_counts a;
    struct joiner_counts j;
    struct feeds_counts e;
    struct handover_counts h;
    handover_settle(p->handover);
    tracker_counts(p->tracker, &t);
    feeder_counts(p->feeder, &f);
    proto_counts(p->proto, &r);
    calls_counts(p->calls, &c);
    allocations_counts(p->allocations, &a);
    joiner_counts(p->joiner, &j);
    feeds_counts(p->feeds, &e);
    handover_counts(p->handover, &h);
    *out = (struct engine_counts){
        .table_evictions = t.evicted_syn + t.evicted_flows + t.evicted_checks + t.evidence_lost +
                           f.evicted + c.evicted + c.dropped + a.evicted + j.orphans_evicted +
                           j.pairs_dropped + e.evicted + memory_refused() - p->refused + h.refused,
        .stream_gaps = f.gaps -
                       (p->shed ? (f.snapped_segments < f.gaps ? f.snapped_segments : f.gaps) : 0) +
                       r.oversized,
        .one_way_flows = t.one_way_flows,
        .aggregated = p->aggregated + j.strangers_suppressed + r.tls_refused + h.tls_refused,
        .sip_messages = c.sip_messages + h.sip_messages,
        .stun_messages = a.stun_messages + h.stun_messages + r.ice_messages,
        .sdp_bodies = c.sdp_bodies,
        .sdp_candidates = c.sdp_candidates,
        .compressed = r.compressed_streams,
        .compressed_unread = r.compressed_unread,
        .unreadable_tls = r.tls_streams - r.tls_read,
        .decrypted_tls = r.tls_read,
        .calls = c.calls,
        .allocations = a.allocations,
        .attempts = p->attempts,
        .failed_attempts = p->failed_attempts,
        .failures = p->failures,
        .streams = f.streams,
        .direct_segments = f.direct_segments,
        .collected_segments = f.collected_segments,
        .nids_segments = f.nids_segments,
        .nids_warnings = f.nids_warnings,
        .feed_messages = e.messages,
        .feed_sip = e.sip,
        .feed_bad = e.bad,
    };
}

void pipeline_iface_counts(struct pipeline *p, unsigned iface, struct iface_counts *out)
{
    *out = iface < p->n_ifaces ? p->ifaces[iface] : (struct iface_counts){0};
}

void pipeline_span(const struct pipeline *p, tick_t *first, tick_t *last)
{
    *first = p->first;
    *last = p->last;
}
