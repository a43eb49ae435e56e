/*
 * From packets to attempts: finds the connection a packet belongs to and lets handshake.h judge it.
 * UDP goes to checks.h; one clock serves both.
 */
#include "flows/tracker.h"

#include "flows/tracker_state.h"

#include <stdlib.h>

enum {
    ONE_WAY_AFTER = 4 /* packets of one side without any of the other: one direction only */
};

struct tracker *tracker_new(uint32_t flows, uint32_t checks, uint64_t seed,
                            const struct tracker_hooks *hooks)
{
    struct tracker *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    flows = flows ? flows : LIMIT_FLOWS;
    t->now = TICK_NONE;
    t->due = INT64_MAX;
    t->embryos = flows / 4 < LIMIT_EMBRYOS ? flows / 4 : LIMIT_EMBRYOS;
    if (attempts_open(&t->attempts, seed, hooks) != 0)
        goto no_attempts;
    t->attempts.asker[ASKER_TCP] = (struct answered_hook){t, entry_answered};
    if (flowtable_open(&t->table, flows, seed) != 0)
        goto no_table;
    t->checks = checks_new(checks ? checks : LIMIT_CHECKS, seed, &t->attempts);
    if (!t->checks)
        goto no_checks;
    return t;
no_checks:
    flowtable_close(&t->table);
no_table:
    attempts_close(&t->attempts);
no_attempts:
    free(t);
    return NULL;
}

void tracker_free(struct tracker *t)
{
    if (!t)
        return;
    checks_free(t->checks);
    flowtable_close(&t->table);
    attempts_close(&t->attempts);
    free(t);
}

void tracker_restart(struct tracker *t, tick_t now)
{
    entries_finish(t);
    t->now = now;
}

/* Deadlines run as time goes on. Where it leaps, to another day's capture or by a clock that was
 * set, what is pending ends with what was seen of it. */
static void clock_to(struct tracker *t, tick_t time)
{
    if (time < t->due &&
        (uint64_t)time - (uint64_t)t->now + CLOCK_STEP_BACK <= CLOCK_STEP_BACK + CLOCK_STEP_AHEAD) {
        t->now = time > t->now ? time : t->now; /* nearly always; no branch says which */
    } else if (time > t->now) {
        if (t->now != TICK_NONE && time - t->now > CLOCK_STEP_AHEAD)
            entries_finish(t);
        if (time >= t->due)
            entries_run(t, time);
        t->now = time;
    } else if (time < t->now - CLOCK_STEP_BACK) {
        tracker_restart(t, time);
    }
}

void tracker_advance(struct tracker *t, tick_t now)
{
    clock_to(t, now);
}

void tracker_finish(struct tracker *t, tick_t now)
{
    clock_to(t, now);
    entries_finish(t);
}

/* ---- packets ---- */

static enum peek peek(struct slice payload)
{
    struct stun_msg m;
    struct slice body = payload;
    if (body.n >= 2 && body.p[0] == 0x16 && body.p[1] == 3)
        return PEEK_TLS;
    if (body.n >= 2 && !stun_looks_like(body, false)) { /* RFC 4571: length first */
        size_t framed = be16(body.p);
        body = slice_of(body.p + 2, body.n - 2 < framed ? body.n - 2 : framed);
    }
    if (!stun_looks_like(body, false) || stun_parse(body, false, &m, NULL) != WIRE_OK)
        return payload.n ? PEEK_OTHER : PEEK_NOTHING;
    switch (m.kind) {
    case STUN_BINDING_REQ:
        return PEEK_CHECK_REQUEST;
    case STUN_BINDING_OK:
        return PEEK_CHECK_OK;
    case STUN_BINDING_ERR:
        return PEEK_CHECK_ERROR;
    default:
        return PEEK_OTHER;
    }
}

static struct handshake_event event_of(const struct packet *p)
{
    return (struct handshake_event){.what = HS_SEGMENT,
                                    .time = p->time,
                                    .seq = p->seq,
                                    .ack = p->ack,
                                    .len = p->payload_len,
                                    .flags = p->flags};
}

static uint32_t find(const struct tracker *t, const struct endpoint *src,
                     const struct endpoint *dst, bool *forward)
{
    uint32_t hash = endpoint_hash_pair(src, dst, t->table.seed);
    return flowtable_find(&t->table, hash, src, dst, forward);
}

/* The older connections on the ports of n are over. */
static void replace_others(struct tracker *t, uint32_t n)
{
    const struct flow f = t->table.hot[n].flow;
    bool forward;
    uint32_t next, i = find(t, &f.client, &f.server, &forward);
    for (; i; i = next) {
        struct entry *e = &t->table.hot[i];
        next = flowtable_sibling(&t->table, i);
        if (i == n)
            continue;
        if (handshake_embryonic(&e->hs) && e->hs.client_isn == f.server_isn)
            entry_remove(t, i); /* the other half of a simultaneous open */
        else if (!handshake_embryonic(&e->hs))
            entry_conclude(t, i, HS_REPLACED, QUALITY_GOOD);
    }
}

static void note_answer(struct tracker *t, uint32_t n, const struct packet *p)
{
    struct entry_cold *c = &t->table.cold[n];
    t->table.hot[n].answered = 1;
    c->ttl = p->ttl;
    c->ipid = p->ip_id;
    if (c->asked == TICK_NONE || p->time < c->asked)
        return;
    int64_t us = (p->time - c->asked) / TICK_US;
    c->rtt_us = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX - 1;
}

/* Both directions of a flow were seen: the sensor sees what goes to either end. */
static void note_sides(struct tracker *t, struct entry *e, bool from_client)
{
    bool both = from_client ? e->from_server && !e->from_client : e->from_client && !e->from_server;
    if (from_client)
        e->from_client = 1;
    else
        e->from_server = 1;
    if (both) {
        hosts_heard(t->attempts.hosts, &e->flow.client.addr);
        hosts_heard(t->attempts.hosts, &e->flow.server.addr);
    }
}

static void midstream_packet(struct tracker *t, struct entry *e, bool from_client)
{
    uint16_t *mine = from_client ? &e->hs.syns : &e->hs.synacks;
    uint16_t theirs = from_client ? e->hs.synacks : e->hs.syns;
    if (*mine < UINT8_MAX)
        (*mine)++;
    if (*mine == ONE_WAY_AFTER && theirs == 0 && !t->dropping)
        entry_one_way(t, e, from_client ? &e->flow.client : &e->flow.server);
}

static void feed(struct tracker *t, uint32_t n, const struct packet *p, struct handshake_event *ev)
{
    struct entry *e = &t->table.hot[n];
    struct entry_cold *c = &t->table.cold[n];
    if (e->hs.state == HS_OPEN && p->payload.n)
        ev->peek = (uint8_t)peek(p->payload);
    else if (e->hs.state == HS_MIDSTREAM)
        midstream_packet(t, e, ev->from_client);
    note_sides(t, e, ev->from_client);
    ev->asked = c->asked;
    struct handshake_result r = handshake_step(&e->hs, ev);
    e->seen = t->now;
    if (r.answers)
        note_answer(t, n, p);
    if (r.asks)
        c->asked = p->time;
    if (r.part)
        entry_keep_proof(t, n, p);
    entry_show(t, e);
    if (r.rearm)
        entry_arm(t, n);
    if (r.opens && e->siblings)
        replace_others(t, n);
    if (r.report != HS_QUIET)
        entry_connected(t, n, &r);
}

static struct flow_ref ref_to(struct tracker *t, uint32_t n, bool from_client, bool fresh)
{
    return (struct flow_ref){
        .flow = n ? &t->table.hot[n].flow : NULL, .from_client = from_client, .fresh = n && fresh};
}

/* A SYN: a retry of an attempt we know, or a new one. */
static struct flow_ref on_syn(struct tracker *t, uint32_t n, const struct packet *p)
{
    struct handshake_event ev = event_of(p);
    uint32_t next;
    ev.from_client = true;
    for (uint32_t i = n; i; i = next) {
        struct entry *e = &t->table.hot[i];
        next = flowtable_sibling(&t->table, i);
        if (!endpoint_eq(&e->flow.client, &p->src))
            continue;
        if (e->hs.state != HS_MIDSTREAM && e->hs.client_isn == p->seq) {
            feed(t, i, p, &ev);
            return ref_to(t, i, true, false);
        }
        bool alive = handshake_open(&e->hs) || e->hs.state == HS_MIDSTREAM;
        if (!alive || e->hs.wait == WAIT_CLOSED)
            entry_conclude(t, i, HS_REPLACED, QUALITY_GOOD); /* else when the new one is answered */
    }
    n = entry_new(t, &p->src, &p->dst, true);
    if (!n)
        return ref_to(t, 0, true, false);
    struct entry *e = &t->table.hot[n];
    handshake_begin(&e->hs, p->time, p->seq);
    e->from_client = 1;
    t->table.cold[n].asked = p->time;
    entry_keep_proof(t, n, p);
    entry_show(t, e);
    entry_arm(t, n);
    return ref_to(t, n, true, true);
}

/* A packet that is no SYN and belongs to nothing known. */
static struct flow_ref on_stranger(struct tracker *t, const struct packet *p)
{
    struct handshake_event ev = event_of(p);
    bool synack = p->flags & TCP_SYN;
    if ((p->flags & TCP_RST) || !p->flags)
        return ref_to(t, 0, false, false); /* nothing can follow it */
    ev.from_client = !synack && p->src.port >= p->dst.port;
    uint32_t n = entry_new(t, ev.from_client ? &p->src : &p->dst,
                           ev.from_client ? &p->dst : &p->src, synack);
    if (!n)
        return ref_to(t, 0, false, false);
    if (synack) {
        handshake_adopt(&t->table.hot[n].hs, p->time, p->ack);
    } else {
        handshake_midstream(&t->table.hot[n].hs, p->time);
        t->attempts.counts.midstream_flows++;
        entry_arm(t, n);
    }
    feed(t, n, p, &ev);
    return ref_to(t, n, ev.from_client, synack);
}

/* Of several connections on the same ports, the one the packet fits; else the newest attempt. */
static uint32_t choose(struct tracker *t, uint32_t n, const struct packet *p)
{
    struct handshake_event ev = event_of(p);
    uint32_t best = 0;
    uint64_t best_rank = 0;
    for (; n; n = flowtable_sibling(&t->table, n)) {
        const struct entry *e = &t->table.hot[n];
        ev.from_client = endpoint_eq(&e->flow.client, &p->src);
        uint64_t rank = handshake_fits(&e->hs, &ev) ? 3 : e->hs.state == HS_MIDSTREAM ? 2 : 1;
        rank = rank << 56 | t->table.cold[n].id;
        if (rank > best_rank) {
            best_rank = rank;
            best = n;
        }
    }
    return best;
}

void tracker_hint(const struct tracker *t, uint32_t hash)
{
    flowtable_hint(&t->table, hash);
}

void tracker_hint_entry(const struct tracker *t, uint32_t hash)
{
    flowtable_hint_entry(&t->table, hash);
}

const struct flow *tracker_hint_flow(const struct tracker *t, uint32_t hash)
{
    return flowtable_hint_flow(&t->table, hash);
}

struct flow_ref tracker_tcp(struct tracker *t, const struct packet *p)
{
    return tracker_tcp_at(t, p, endpoint_hash_pair(&p->src, &p->dst, t->table.seed));
}

struct flow_ref tracker_tcp_at(struct tracker *t, const struct packet *p, uint32_t hash)
{
    const uint8_t control = TCP_SYN | TCP_FIN | TCP_RST;
    bool forward;
    clock_to(t, p->time);
    t->attempts.counts.tcp_packets++;
    uint32_t n = flowtable_find(&t->table, hash, &p->src, &p->dst, &forward);
    if ((p->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN)
        return on_syn(t, n, p);
    if (!n)
        return on_stranger(t, p);
    struct entry *e = &t->table.hot[n];
    if (e->siblings) {
        n = choose(t, n, p);
        e = &t->table.hot[n];
        forward = endpoint_eq(&e->flow.client, &p->src);
    }
    if (e->hs.state == HS_LIVE && e->hs.wait == WAIT_IDLE && !(p->flags & control)) {
        e->seen = t->now;
        handshake_bytes(&e->hs, forward, p->seq, p->payload_len);
        return ref_to(t, n, forward, false);
    }
    if (e->hs.state == HS_DECIDED && p->payload_len) { /* whatever it is, it is alive */
        handshake_midstream(&e->hs, p->time);
        entry_arm(t, n);
    }
    struct handshake_event ev = event_of(p);
    ev.from_client = forward;
    feed(t, n, p, &ev);
    return ref_to(t, n, forward, false);
}

void tracker_stun(struct tracker *t, const struct packet *p, const struct stun_msg *m)
{
    clock_to(t, p->time);
    checks_stun(t->checks, p, m, t->now);
    tick_t due = checks_due(t->checks);
    if (due < t->due)
        t->due = due;
}

static bool says_unreachable(const struct packet *p)
{
    if (p->proto == PROTO_ICMP6)
        return p->icmp_type == 1;
    return p->icmp_type == 3 && p->icmp_code != 4; /* 4: fragmentation needed */
}

static bool icmp_for_tcp(struct tracker *t, const struct packet *p)
{
    const struct quoted *q = &p->quoted;
    struct handshake_event ev = {.what = HS_UNREACH,
                                 .time = p->time,
                                 .seq = q->seq,
                                 .from_client = true,
                                 .icmp_from = &p->src.addr,
                                 .icmp_code = p->icmp_code};
    bool forward;
    uint32_t n = find(t, &q->src, &q->dst, &forward);
    for (; n; n = flowtable_sibling(&t->table, n)) {
        struct entry *e = &t->table.hot[n];
        if (!endpoint_eq(&e->flow.client, &q->src))
            continue;
        struct handshake_result r = handshake_step(&e->hs, &ev);
        if (!r.part)
            continue;
        entry_keep_proof(t, n, p);
        entry_arm(t, n);
        return true;
    }
    return false;
}

void tracker_icmp(struct tracker *t, const struct packet *p)
{
    clock_to(t, p->time);
    t->attempts.counts.icmp_errors++;
    bool known = false;
    if (p->quoted.valid && says_unreachable(p))
        known = p->quoted.proto == PROTO_TCP ? icmp_for_tcp(t, p) : checks_icmp(t->checks, p);
    t->attempts.counts.icmp_unmatched += !known;
}

void tracker_lossy(struct tracker *t, tick_t from, tick_t to)
{
    attempts_lossy(&t->attempts, from, to);
}

void tracker_gap(struct tracker *t, tick_t now)
{
    attempts_gap(&t->attempts, now);
}

void tracker_dropping(struct tracker *t, bool on)
{
    t->dropping = on;
}

void tracker_counts(const struct tracker *t, struct tracker_counts *out)
{
    *out = t->attempts.counts;
    out->evidence_lost = evidence_lost(t->attempts.proof[0]) + evidence_lost(t->attempts.proof[1]);
}

unsigned tracker_evidence(struct tracker *t, uint32_t handle,
                          struct evidence out[ATTEMPT_MAX_EVIDENCE])
{
    const uint32_t wanted = UINT32_C(1) << 31;
    return evidence_list(t->attempts.proof[(handle & wanted) != 0], handle & ~wanted, out);
}

unsigned tracker_bytes_per_flow(void)
{
    return flowtable_bytes_per_flow();
}
