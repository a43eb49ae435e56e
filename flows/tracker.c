/*
 * From packets to attempts: finds the connection a packet belongs to, lets handshake.h judge it, keeps the
 * table (flowtable.h), evicts, and reports. UDP goes to checks.h; one clock serves both.
 */
#include "flows/tracker.h"

#include "flows/attempts.h"
#include "flows/checks.h"
#include "flows/flowtable.h"

#include <stdlib.h>

enum {
    SPARED = 8,       /* flows with recent packets that eviction passes over before it takes one */
    ONE_WAY_AFTER = 4 /* packets of one side without any of the other: one direction only */
};

struct tracker {
    struct flowtable table;
    struct attempts attempts;
    struct checks *checks;
    tick_t now; /* highest packet time so far */
    tick_t due; /* no TCP deadline before this */
    uint32_t embryos; /* cap on undecided attempts of unknown endpoints */
    uint32_t open;    /* concurrent connections */
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

/* ---- reports ---- */

static uint32_t *proof_of(struct tracker *t, uint32_t n, struct evidence_store **store)
{
    *store = t->attempts.proof[t->table.hot[n].wanted];
    return &t->table.cold[n].evidence;
}

static void drop_proof(struct tracker *t, uint32_t n)
{
    struct evidence_store *store;
    uint32_t *handle = proof_of(t, n, &store);
    evidence_drop(store, handle);
}

static void set_icmp(struct attempt *a, const struct handshake *h)
{
    a->icmp_type = a->icmp_code = -1;
    if (handshake_embryonic(h) && (h->flags & HS_ICMP)) {
        a->icmp_type = addr_is_v4(&h->icmp_from) ? 3 : 1;
        a->icmp_code = h->icmp_code;
        a->icmp_from = h->icmp_from;
    }
}

/* h: the attempt as it was when its verdict fell. */
static void report(struct tracker *t, uint32_t n, const struct handshake *h,
                   const struct handshake_result *r, enum quality quality)
{
    const struct entry *e = &t->table.hot[n];
    const struct entry_cold *c = &t->table.cold[n];
    struct attempt a = {
        .id = c->id,
        .src = e->flow.client,
        .dst = e->flow.server,
        .proto = PROTO_TCP,
        .verdict = r->verdict,
        .quality = (uint8_t)quality,
        .peek_out = h->peek_out,
        .peek_in = h->peek_in,
        .wanted = e->wanted,
        .isn = h->client_isn,
        .syns = h->syns,
        .synacks = h->synacks,
        .rsts = h->rsts,
        .first = h->first,
        .last = c->last,
        .rtt_us = c->rtt_us == UINT32_MAX ? -1 : (int64_t)c->rtt_us,
        .answer_ttl = c->ttl,
        .answer_ipid = c->ipid,
        .evidence = attempts_handle(c->evidence, e->wanted),
    };
    set_icmp(&a, h);
    if (handshake_open(h)) {
        a.bytes_out = h->bytes[0];
        a.bytes_in = h->bytes[1];
    }
    if (r->verdict == VERDICT_UNSEEN && ((h->flags & HS_CLIENT_HEARD) || h->syns == 0))
        a.quality = QUALITY_ONE_WAY;
    tick_t asked = c->asked == TICK_NONE ? h->first : c->asked;
    attempts_report(&t->attempts, &a, asked, h->flags & HS_SERVER_SPOKE, r->report == HS_FINAL);
}

/* What one direction of a flow proves about the sensor, once per flow. */
static void note_one_way(struct tracker *t, struct entry *e, const struct endpoint *talker)
{
    if (e->hs.flags & HS_ONE_WAY)
        return;
    e->hs.flags |= HS_ONE_WAY;
    hosts_one_way(t->attempts.hosts, &talker->addr);
    t->attempts.counts.one_way_flows++;
}

/* ---- entries come and go ---- */

static void show_flow(struct tracker *t, struct entry *e)
{
    struct flow *f = &e->flow;
    const struct handshake *h = &e->hs;
    const unsigned ends = HS_CLIENT_FIN | HS_SERVER_FIN | HS_CLIENT_RST | HS_SERVER_RST;
    f->client_isn = h->client_isn;
    f->server_isn = h->server_isn;
    f->midstream = h->state == HS_MIDSTREAM;
    f->saw_syn = !f->midstream && h->syns > 0;
    f->saw_synack = !f->midstream && h->synacks > 0;
    f->established = handshake_open(h);
    f->closing = (f->established || f->midstream) && (h->flags & ends);
    bool counts = f->established || f->midstream;
    t->open += (uint32_t)counts - e->counted;
    e->counted = counts;
}

static void remove_entry(struct tracker *t, uint32_t n)
{
    struct entry *e = &t->table.hot[n];
    if (e->flow.stream && t->attempts.hooks.flow_over)
        t->attempts.hooks.flow_over(t->attempts.hooks.arg, &e->flow);
    t->open -= e->counted;
    drop_proof(t, n);
    flowtable_remove(&t->table, n);
}

static void arm(struct tracker *t, uint32_t n)
{
    flowtable_arm(&t->table, n, t->now);
    tick_t due = t->now + handshake_wait_time(t->table.hot[n].hs.wait);
    if (due < t->due)
        t->due = due;
}

/* Silence, the end of the capture, or somebody else needs the place. True if the entry is gone. */
static bool conclude(struct tracker *t, uint32_t n, enum handshake_what what, enum quality quality)
{
    struct entry *e = &t->table.hot[n];
    struct handshake before = e->hs;
    struct handshake_event ev = {
        .what = (uint8_t)what, .time = t->now, .idle = t->now - e->seen};
    struct handshake_result r = handshake_step(&e->hs, &ev);
    if (r.report != HS_QUIET) {
        if (r.verdict == VERDICT_UNSEEN && (before.flags & HS_CLIENT_HEARD))
            note_one_way(t, e, &e->flow.client);
        else if (r.verdict == VERDICT_UNSEEN && before.syns == 0)
            note_one_way(t, e, &e->flow.server);
        report(t, n, r.report == HS_FINAL ? &before : &e->hs, &r, quality);
        if (r.report == HS_FINAL)
            drop_proof(t, n);
    }
    if (r.over) {
        remove_entry(t, n);
        return true;
    }
    show_flow(t, e);
    arm(t, n);
    return false;
}

/* ---- eviction ---- */

static uint32_t unwanted_embryos(struct tracker *t)
{
    static const uint8_t waits[] = {WAIT_ANSWER, WAIT_AFTER_RST, WAIT_AFTER_ICMP, WAIT_ACK,
                                    WAIT_LINGER};
    uint32_t n = 0;
    for (size_t i = 0; i < sizeof waits; i++)
        n += flowtable_list(&t->table, waits[i], false)->count;
    return n;
}

static void evict(struct tracker *t, uint32_t n)
{
    const struct entry *e = &t->table.hot[n];
    bool told = e->wanted || e->hs.rsts || (e->hs.flags & HS_ICMP) || !handshake_embryonic(&e->hs);
    if (handshake_embryonic(&e->hs) || e->hs.state == HS_DECIDED)
        t->attempts.counts.evicted_syn++;
    else
        t->attempts.counts.evicted_flows++;
    if (told)
        conclude(t, n, HS_REPLACED, QUALITY_LOSSY);
    else
        remove_entry(t, n); /* one of a flood: its silence was not waited for, nothing to say */
}

/* The oldest entry of a list; of those that live by packets, one that had none since its last check. */
static uint32_t victim(struct tracker *t, enum handshake_wait w, bool wanted)
{
    struct flow_list *l = flowtable_list(&t->table, w, wanted);
    bool lives = w == WAIT_BYTES || w == WAIT_IDLE || w == WAIT_IDLE_MID;
    for (unsigned i = 0; lives && i < SPARED && l->oldest; i++) {
        uint32_t n = l->oldest;
        if (t->table.hot[n].seen <= t->table.cold[n].armed)
            break;
        flowtable_arm(&t->table, n, t->now);
    }
    return l->oldest;
}

/* What is lost least goes first; nothing of a wanted endpoint while others exist. */
static void evict_one(struct tracker *t, bool embryos_only)
{
    static const uint8_t order[WAITS] = {WAIT_LINGER,    WAIT_ANSWER, WAIT_ACK,
                                         WAIT_AFTER_RST, WAIT_AFTER_ICMP, WAIT_CLOSED,
                                         WAIT_IDLE_MID,  WAIT_BYTES,  WAIT_IDLE};
    enum { EMBRYOS = 5 };
    unsigned kinds = embryos_only ? EMBRYOS : WAITS;
    for (int wanted = 0; wanted <= !embryos_only; wanted++)
        for (unsigned i = 0; i < kinds; i++) {
            uint32_t n = victim(t, order[i], wanted);
            if (n) {
                evict(t, n);
                return;
            }
        }
}

static uint32_t new_entry(struct tracker *t, const struct endpoint *client,
                          const struct endpoint *server, bool embryo)
{
    bool wanted = embryo && attempts_wanted(&t->attempts, client, server);
    if (embryo && !wanted && unwanted_embryos(t) >= t->embryos)
        evict_one(t, true);
    uint32_t n = flowtable_take(&t->table, client, server);
    if (!n) {
        evict_one(t, false);
        n = flowtable_take(&t->table, client, server);
    }
    if (!n)
        return 0;
    struct entry *e = &t->table.hot[n];
    e->wanted = wanted;
    e->seen = t->now;
    if (embryo) {
        t->table.cold[n].id = attempts_begin(&t->attempts);
        e->proof = attempts_proof(&t->attempts, client, wanted, t->now);
    }
    return n;
}

/* ---- deadlines ---- */

static void fire(struct tracker *t, uint32_t n)
{
    struct entry *e = &t->table.hot[n];
    bool watched = e->hs.wait == WAIT_IDLE || e->hs.wait == WAIT_IDLE_MID;
    if (watched && t->now - e->seen < FLOW_IDLE)
        arm(t, n);
    else
        conclude(t, n, HS_DEADLINE, QUALITY_GOOD);
}

/* Everything due up to now, TCP and UDP, in order of time; each sees its own deadline as the time, so
 * that the result does not depend on how often this is called. */
static void run_deadlines(struct tracker *t, tick_t now)
{
    for (;;) {
        tick_t due, checks = checks_due(t->checks);
        int list = flowtable_due(&t->table, &due);
        t->due = due;
        if ((due < checks ? due : checks) > now)
            break;
        t->now = due < checks ? due : checks;
        if (due <= checks)
            fire(t, t->table.list[list].oldest);
        else
            checks_fire(t->checks);
    }
    t->now = now;
}

static void finish_all(struct tracker *t)
{
    tick_t due;
    int list;
    while ((list = flowtable_due(&t->table, &due)) >= 0)
        if (!conclude(t, t->table.list[list].oldest, HS_END, QUALITY_GOOD))
            break;
    checks_finish(t->checks, t->now);
    t->due = INT64_MAX;
}

static void clock_to(struct tracker *t, tick_t time)
{
    if (time > t->now) {
        if (time >= t->due || time >= checks_due(t->checks))
            run_deadlines(t, time);
        t->now = time;
    } else if (time < t->now - CLOCK_STEP_BACK) {
        finish_all(t); /* another capture begins: its packets are no answers to these */
        t->now = time;
    }
}

void tracker_advance(struct tracker *t, tick_t now)
{
    clock_to(t, now);
}

void tracker_finish(struct tracker *t, tick_t now)
{
    clock_to(t, now);
    finish_all(t);
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

/* The older connections on the ports of n are over. */
static void replace_others(struct tracker *t, uint32_t n)
{
    const struct flow f = t->table.hot[n].flow;
    bool forward;
    uint32_t next, i = flowtable_find(&t->table, &f.client, &f.server, &forward);
    for (; i; i = next) {
        struct entry *e = &t->table.hot[i];
        next = flowtable_sibling(&t->table, i);
        if (i == n)
            continue;
        if (handshake_embryonic(&e->hs) && e->hs.client_isn == f.server_isn)
            remove_entry(t, i); /* the other half of a simultaneous open */
        else if (!handshake_embryonic(&e->hs))
            conclude(t, i, HS_REPLACED, QUALITY_GOOD);
    }
}

static void keep_proof(struct tracker *t, uint32_t n, const struct packet *p)
{
    struct evidence_store *store;
    uint32_t *handle = proof_of(t, n, &store);
    tick_t *last = &t->table.cold[n].last;
    if (p->time > *last)
        *last = p->time;
    if (t->table.hot[n].proof)
        evidence_keep(store, handle, &p->raw);
}

static void note_answer(struct tracker *t, uint32_t n, const struct packet *p)
{
    struct entry_cold *c = &t->table.cold[n];
    c->ttl = p->ttl;
    c->ipid = addr_is_v4(&p->src.addr) ? p->ip_id : -1;
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
    if (*mine == ONE_WAY_AFTER && theirs == 0)
        note_one_way(t, e, from_client ? &e->flow.client : &e->flow.server);
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
    struct handshake_result r = handshake_step(&e->hs, ev);
    e->seen = t->now;
    if (r.answers)
        note_answer(t, n, p);
    if (r.asks)
        c->asked = p->time;
    if (r.part)
        keep_proof(t, n, p);
    show_flow(t, e);
    if (r.rearm)
        arm(t, n);
    if (r.opens && e->siblings)
        replace_others(t, n);
    if (r.report != HS_QUIET) {
        drop_proof(t, n); /* only connected is reported on a packet */
        report(t, n, &e->hs, &r, QUALITY_GOOD);
    }
}

static struct flow_ref ref_to(struct tracker *t, uint32_t n, bool from_client, bool fresh)
{
    return (struct flow_ref){.flow = n ? &t->table.hot[n].flow : NULL,
                             .from_client = from_client,
                             .fresh = n && fresh};
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
        if (!handshake_open(&e->hs) && e->hs.state != HS_MIDSTREAM)
            conclude(t, i, HS_REPLACED, QUALITY_GOOD);
    }
    n = new_entry(t, &p->src, &p->dst, true);
    if (!n)
        return ref_to(t, 0, true, false);
    struct entry *e = &t->table.hot[n];
    handshake_begin(&e->hs, p->time, p->seq);
    e->from_client = 1;
    t->table.cold[n].asked = p->time;
    keep_proof(t, n, p);
    show_flow(t, e);
    arm(t, n);
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
    uint32_t n = new_entry(t, ev.from_client ? &p->src : &p->dst,
                           ev.from_client ? &p->dst : &p->src, synack);
    if (!n)
        return ref_to(t, 0, false, false);
    if (synack) {
        handshake_adopt(&t->table.hot[n].hs, p->time, p->ack);
    } else {
        handshake_midstream(&t->table.hot[n].hs, p->time);
        t->attempts.counts.midstream_flows++;
        arm(t, n);
    }
    feed(t, n, p, &ev);
    return ref_to(t, n, ev.from_client, synack);
}

/* Two SYNs that crossed are one connection as soon as one end acknowledges the other's. */
static void join_crossed(struct tracker *t, uint32_t n, const struct packet *p)
{
    uint32_t mine = 0, theirs = 0;
    for (; n; n = flowtable_sibling(&t->table, n)) {
        const struct entry *e = &t->table.hot[n];
        bool sender = endpoint_eq(&e->flow.client, &p->src);
        if (!handshake_embryonic(&e->hs) || !e->hs.syns)
            continue;
        if (sender && p->seq - e->hs.client_isn <= 1)
            mine = n;
        else if (!sender && p->ack == e->hs.client_isn + 1)
            theirs = n;
    }
    if (!mine || !theirs)
        return;
    bool mine_first = t->table.cold[mine].id < t->table.cold[theirs].id;
    uint32_t stays = mine_first ? mine : theirs, goes = mine_first ? theirs : mine;
    handshake_cross(&t->table.hot[stays].hs, t->table.hot[goes].hs.client_isn);
    note_sides(t, &t->table.hot[stays], false);
    remove_entry(t, goes);
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

struct flow_ref tracker_tcp(struct tracker *t, const struct packet *p)
{
    const uint8_t control = TCP_SYN | TCP_FIN | TCP_RST;
    bool forward;
    clock_to(t, p->time);
    t->attempts.counts.tcp_packets++;
    uint32_t n = flowtable_find(&t->table, &p->src, &p->dst, &forward);
    if ((p->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN)
        return on_syn(t, n, p);
    if (!n)
        return on_stranger(t, p);
    struct entry *e = &t->table.hot[n];
    if (e->siblings) {
        if (p->flags & TCP_ACK)
            join_crossed(t, n, p);
        n = choose(t, flowtable_find(&t->table, &p->src, &p->dst, &forward), p);
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
        arm(t, n);
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
    uint32_t n = flowtable_find(&t->table, &q->src, &q->dst, &forward);
    for (; n; n = flowtable_sibling(&t->table, n)) {
        struct entry *e = &t->table.hot[n];
        if (!endpoint_eq(&e->flow.client, &q->src))
            continue;
        struct handshake_result r = handshake_step(&e->hs, &ev);
        if (!r.part)
            continue;
        keep_proof(t, n, p);
        arm(t, n);
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

uint32_t tracker_concurrency(const struct tracker *t)
{
    return t->open;
}
