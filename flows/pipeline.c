/* The engine, put together: one packet's way from frame to record. */
#include "flows/pipeline.h"

#include <stdlib.h>
#include <sys/random.h>

#include "capture/dedup.h"
#include "capture/defrag.h"
#include "capture/feed.h"
#include "flows/allowance.h"
#include "flows/feeder.h"
#include "flows/feeds.h"
#include "flows/joiner.h"
#include "flows/limits.h"
#include "flows/proto.h"
#include "flows/session.h"
#include "flows/traffic.h"
#include "flows/memory.h"

#define ADVANCE_EVERY (100 * TICK_MS)

/* Failed connects of unknown sources: so many rows a minute, the rest is only counted. */
struct source_rate {
    struct addr source;
    struct allowance rows;
};

/* A frame of the group under way. */
struct group_item {
    const struct packet *packet; /* the source's, or own */
    struct packet own;
    struct fragment fragment;
    uint64_t dedup;
    const struct flow *known; /* only while the group is looked ahead at */
    uint32_t flow;
    enum frame_kind kind;
    bool tcp;
};

struct pipeline {
    struct engine_out out;
    struct group_item group[PIPELINE_GROUP];
    struct dedup *dedup;
    struct defrag *defrag;
    struct joiner *joiner;
    struct calls *calls;
    struct allocations *allocations;
    struct feeds *feeds;
    struct proto *proto;
    struct feeder *feeder;
    struct tracker *tracker;
    struct traffic *traffic;
    struct iface_counts *ifaces;
    unsigned n_ifaces;
    tick_t first, last, now, advanced;
    uint64_t gaps; /* at the last look */
    bool live, shed;
    uint64_t seed;
    uint64_t refused; /* memory_refused() when it began */
    struct source_rate rates[LIMIT_SOURCES];
    struct allowance strangers[2]; /* rows of those elsewhere, of those at relays */
    uint64_t aggregated, attempts, failed_attempts, failures;
    bool finishing; /* what ends now ends with the capture, not on the wire */
};

/* ---- records on their way out ---- */

/* Rows that anybody can bring about, by sending SYNs, are so many a minute and no more: of each
 * source, and of all, where those at relays have an allowance of their own. */
static bool within_rate(struct pipeline *p, const struct attempt *a, bool at_relay)
{
    struct endpoint e = {.addr = a->src.addr};
    struct source_rate *r = &p->rates[endpoint_hash(&e, p->seed) % LIMIT_SOURCES];
    if (!addr_eq(&r->source, &a->src.addr))
        *r = (struct source_rate){.source = a->src.addr};
    if (allowance_take(&r->rows, a->first, LIMIT_UNKNOWN_PER_MINUTE) &&
        allowance_take(&p->strangers[at_relay], a->first, LIMIT_UNKNOWN_IN_ALL))
        return true;
    p->aggregated++;
    return false;
}

static void store_attempt(struct pipeline *p, const struct attempt *a)
{
    struct evidence ev[ATTEMPT_MAX_EVIDENCE];
    bool failed = a->verdict != VERDICT_CONNECTED;
    unsigned n = failed && a->evidence ? tracker_evidence(p->tracker, a->evidence, ev) : 0;
    p->failed_attempts += failed && !a->again;
    p->out.attempt(p->out.arg, a, ev, n);
}

/* A stranger's connection may be opened long before it is used: silence is no failure of it. */
static bool says_nothing(const struct attempt *a)
{
    return a->verdict == VERDICT_OPEN_NO_CHECK && a->peek_out == PEEK_NOTHING &&
           a->peek_in == PEEK_NOTHING;
}

/* What is worth a row: every failure, and what connected if it is or may be between a relay and a
 * peer, then when its bytes are known. What strangers do counts only when it is final. */
static bool worth_a_row(const struct attempt *a, enum attempt_use use, bool known, bool final)
{
    if (a->verdict == VERDICT_CONNECTED)
        return final && use != ATTEMPT_STRANGER && use != ATTEMPT_CLIENT;
    return final || known || use == ATTEMPT_CLIENT;
}

static void on_attempt(void *arg, const struct attempt *a, bool final)
{
    struct pipeline *p = arg;
    enum attempt_use use = joiner_attempt(p->joiner, a);
    bool own = use == ATTEMPT_RELAY || joiner_relay_addr(p->joiner, &a->src.addr);
    bool known = own || use == ATTEMPT_VISITOR || a->wanted ||
                 joiner_configured_edge(p->joiner, &a->dst.addr);
    if (use < ATTEMPT_VISITOR && !known && says_nothing(a))
        return;
    p->attempts += !a->again;
    if (use == ATTEMPT_CLIENT && final && a->proto == PROTO_TCP && !p->finishing)
        allocations_closed(p->allocations, &a->src, &a->dst, p->now);
    bool row = worth_a_row(a, use, known, final);
    bool stored = row && (own || use == ATTEMPT_CLIENT || within_rate(p, a, known));
    if (stored)
        store_attempt(p, a);
    if ((known || (row && !stored)) && !a->again)
        traffic_add(p->traffic, a, &p->out);
}

static bool on_wanted(void *arg, const struct endpoint *src, const struct endpoint *dst)
{
    struct pipeline *p = arg;
    return joiner_wanted(p->joiner, src, dst);
}

static void on_flow_over(void *arg, struct flow *f)
{
    struct pipeline *p = arg;
    feeder_flow_over(p->feeder, f);
}

static void on_failure(void *arg, const struct failure *f, const struct finding *list, unsigned n)
{
    struct pipeline *p = arg;
    p->failures = (uint64_t)f->id > p->failures ? (uint64_t)f->id : p->failures;
    p->out.failure(p->out.arg, f, list, n);
}

static void on_failure_gone(void *arg, int64_t id)
{
    struct pipeline *p = arg;
    p->out.failure_gone(p->out.arg, id);
}

static void on_attempt_failure(void *arg, uint64_t attempt, int64_t failure)
{
    struct pipeline *p = arg;
    p->out.attempt_failure(p->out.arg, attempt, failure);
}

static void on_alias(void *arg, const struct fact_alias *a)
{
    struct pipeline *p = arg;
    p->out.alias(p->out.arg, a);
}

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
    struct joiner_hooks jh = {p, on_failure, on_failure_gone, on_attempt_failure, on_alias};
    p->joiner = joiner_new(&jc, &jh);
    p->calls = p->joiner ? calls_new(p->joiner, &p->out, c->interim, p->seed) : NULL;
    p->allocations = p->joiner ? allocations_new(p->joiner, &p->out, c->interim, p->seed) : NULL;
    p->traffic = traffic_new(c->relay_low, c->relay_high, p->seed);
    p->feeds = p->calls ? feeds_new(p->calls, &p->out) : NULL;
    return p->calls && p->allocations && p->traffic && p->feeds;
}

static bool build_reading(struct pipeline *p, const struct engine_config *c, const char **why)
{
    struct proto_config pc = {p->calls,      p->allocations, p->joiner,       c->sip_ports,
                              c->turn_ports, c->n_sip_ports, c->n_turn_ports, &p->out,
                              p->feeds,      c->keys};
    struct tracker_hooks th = {p, on_wanted, on_attempt, on_flow_over};
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
    joiner_reconfigure(p->joiner, &jc);
    traffic_relay_ports(p->traffic, c->relay_low, c->relay_high);
    proto_hints(p->proto, c->sip_ports, c->n_sip_ports, c->turn_ports, c->n_turn_ports);
}

void pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    feeder_free(p->feeder);
    tracker_free(p->tracker);
    proto_free(p->proto);
    feeds_free(p->feeds);
    calls_free(p->calls);
    allocations_free(p->allocations);
    joiner_free(p->joiner);
    traffic_free(p->traffic);
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
    calls_advance(p->calls, now);
    allocations_advance(p->allocations, now);
    feeds_advance(p->feeds, now);
    p->out.advance(p->out.arg, now);
}

/* The clock that stamps packets was set: deadlines begin anew, and silence around it proves
 * nothing. In a file it may as well be a pause, or another capture. */
static void leap(struct pipeline *p, tick_t to)
{
    tick_t from = p->now, low = from < to ? from : to, high = from < to ? to : from;
    if (p->out.leap)
        p->out.leap(p->out.arg, from, to);
    if (!p->live)
        return;
    tracker_lossy(p->tracker, low - DEADLINE_NO_ANSWER, high);
    tracker_restart(p->tracker, to);
    calls_leap(p->calls, from, to);
    allocations_leap(p->allocations, from, to);
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

static void on_tcp(struct pipeline *p, const struct packet *k)
{
    struct flow_ref ref = tracker_tcp(p->tracker, k);
    if (ref.flow)
        feeder_tcp(p->feeder, &ref, k);
}

static void on_udp(struct pipeline *p, const struct packet *k)
{
    struct stun_msg stun;
    if (proto_datagram(p->proto, k, &stun))
        tracker_stun(p->tracker, k, &stun);
}

static void on_packet(struct pipeline *p, const struct packet *k, uint64_t hint,
                      struct iface_counts *counts)
{
    if (dedup_seen_at(p->dedup, k, hint)) {
        counts->duplicates++;
        return;
    }
    counts->handled++;
    switch (k->proto) {
    case PROTO_TCP:
        on_tcp(p, k);
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

static void on_frame(struct pipeline *p, struct group_item *g)
{
    const struct raw_packet *raw = &g->packet->raw;
    struct iface_counts *counts = iface_of(p, raw->iface);
    if (!counts)
        return;
    counts->packets++;
    counts->bytes += raw->len;
    if (p->first == TICK_NONE || raw->time < p->first)
        p->first = raw->time;
    if (raw->time > p->last)
        p->last = raw->time;
    set_now(p, raw->time);
    if (feed_frame(raw->linktype)) {
        bool good = feeds_frame(p->feeds, raw);
        counts->handled += good;
        counts->decode_errors += !good;
        return;
    }
    if (g->kind == FRAME_FRAGMENT) {
        g->kind = defragment(p, &g->fragment, &g->own);
        if (g->kind == FRAME_PACKET)
            g->dedup = dedup_hash(&g->own, p->seed);
    }
    if (g->kind == FRAME_PACKET)
        on_packet(p, g->packet, g->dedup, counts);
    else if (g->kind == FRAME_FRAGMENT)
        counts->fragments++;
    else if (g->kind == FRAME_OTHER)
        counts->not_ip++;
    else if (g->kind == FRAME_NO_LINK)
        counts->no_link++, counts->linktype = raw->linktype;
    else if (g->kind == FRAME_BAD)
        counts->decode_errors++;
}

static void decode(struct pipeline *p, const struct raw_packet *raw, struct group_item *g)
{
    const struct decoded *d = raw->decoded;
    if (d && d->kind != FRAME_FRAGMENT) {
        g->packet = &d->packet;
        g->kind = d->kind;
        g->dedup = d->dedup;
        return;
    }
    g->packet = &g->own;
    g->kind = frame_decode(raw, &g->own, &g->fragment);
    g->dedup = g->kind == FRAME_PACKET ? dedup_hash(&g->own, p->seed) : 0;
}

/* The five steps of a group (the fifth is on_frame). Each touches what the step before asked the
 * memory for. */
static void look_ahead(struct pipeline *p, const struct raw_packet *raw, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct group_item *g = &p->group[i];
        decode(p, &raw[i], g);
        g->tcp = g->kind == FRAME_PACKET && g->packet->proto == PROTO_TCP;
        dedup_hint(p->dedup, g->dedup);
        if (g->tcp)
            g->flow = tracker_hint(p->tracker, g->packet);
    }
    for (unsigned i = 0; i < n; i++)
        if (p->group[i].tcp)
            tracker_hint_entry(p->tracker, p->group[i].flow);
    for (unsigned i = 0; i < n; i++) {
        struct group_item *g = &p->group[i];
        g->known = g->tcp ? tracker_hint_flow(p->tracker, g->flow) : NULL;
        if (g->known)
            feeder_hint(p->feeder, g->known);
    }
    for (unsigned i = 0; i < n; i++)
        if (p->group[i].known)
            feeder_hint_reader(p->feeder, p->group[i].known);
}

void pipeline_frames(struct pipeline *p, const struct raw_packet *raw, unsigned n)
{
    while (n) {
        unsigned now = n < PIPELINE_GROUP ? n : PIPELINE_GROUP;
        look_ahead(p, raw, now);
        for (unsigned i = 0; i < now; i++)
            on_frame(p, &p->group[i]);
        raw += now;
        n -= now;
    }
}

void pipeline_idle(struct pipeline *p, tick_t now)
{
    set_now(p, now);
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
    tracker_counts(p->tracker, &t);
    feeder_counts(p->feeder, &f);
    proto_counts(p->proto, &r);
    calls_counts(p->calls, &c);
    allocations_counts(p->allocations, &a);
    joiner_counts(p->joiner, &j);
    feeds_counts(p->feeds, &e);
    *out = (struct engine_counts){
        .table_evictions = t.evicted_syn + t.evicted_flows + t.evicted_checks + t.evidence_lost +
                           f.evicted + c.evicted + c.dropped + a.evicted + j.orphans_evicted +
                           j.pairs_dropped + e.evicted + memory_refused() - p->refused,
        .stream_gaps = f.gaps -
                       (p->shed ? (f.snapped_segments < f.gaps ? f.snapped_segments : f.gaps) : 0) +
                       r.oversized,
        .one_way_flows = t.one_way_flows,
        .aggregated = p->aggregated + j.strangers_suppressed + r.tls_refused,
        .sip_messages = c.sip_messages,
        .stun_messages = a.stun_messages + r.ice_messages,
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
