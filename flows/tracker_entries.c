/*
 * How the tracker's entries come, wait, report and go: verdicts on their way out, eviction,
 * deadlines.
 */
#include "flows/tracker_state.h"

enum {
    SPARED = 8 /* flows with recent packets that eviction passes over before it takes one */
};

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
        .asking = e->asking,
        .isn = h->client_isn,
        .syns = h->syns,
        .synacks = h->synacks,
        .rsts = h->rsts,
        .first = h->first,
        .last = c->last,
        .rtt_us = c->rtt_us == UINT32_MAX ? -1 : (int64_t)c->rtt_us,
        .answer_ttl = e->answered ? c->ttl : -1,
        .answer_ipid = e->answered && addr_is_v4(&e->flow.server.addr) ? c->ipid : -1,
        .concurrency = c->concurrency,
        .evidence = attempts_handle(c->evidence, e->wanted),
    };
    bool final = r->report == HS_FINAL, live = h->state == HS_LIVE;
    a.again = (final && live) || ((h->flags & HS_NO_CHECK) && (final || live)) ||
              (h->flags & HS_TOLD) != 0;
    set_icmp(&a, h);
    if (handshake_open(h)) {
        a.bytes_out = h->bytes[0];
        a.bytes_in = h->bytes[1];
    }
    if (r->verdict == VERDICT_UNSEEN && ((h->flags & HS_CLIENT_HEARD) || h->syns == 0))
        a.quality = QUALITY_ONE_WAY;
    tick_t asked = c->asked == TICK_NONE ? h->first : c->asked;
    attempts_report(&t->attempts, &a, asked, h->flags & HS_SERVER_SPOKE, final);
}

void entry_one_way(struct tracker *t, struct entry *e, const struct endpoint *talker)
{
    if (e->hs.flags & HS_ONE_WAY)
        return;
    e->hs.flags |= HS_ONE_WAY;
    hosts_one_way(t->attempts.hosts, &talker->addr);
    t->attempts.counts.one_way_flows++;
}

void entry_keep_proof(struct tracker *t, uint32_t n, const struct packet *p)
{
    struct evidence_store *store;
    uint32_t *handle = proof_of(t, n, &store);
    tick_t *last = &t->table.cold[n].last;
    if (p->time > *last)
        *last = p->time;
    if (t->table.hot[n].proof)
        evidence_keep(store, handle, &p->raw);
}

void entry_connected(struct tracker *t, uint32_t n, const struct handshake_result *r)
{
    drop_proof(t, n);
    report(t, n, &t->table.hot[n].hs, r, QUALITY_GOOD);
}

/* ---- entries come and go ---- */

static void count_open(struct tracker *t, struct entry *e, bool open)
{
    if (e->counted == open)
        return;
    void (*count)(struct hosts *, const struct addr *) = open ? hosts_opened : hosts_closed;
    count(t->attempts.hosts, &e->flow.client.addr);
    count(t->attempts.hosts, &e->flow.server.addr);
    e->counted = open;
}

void entry_show(struct tracker *t, struct entry *e)
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
    count_open(t, e, f->established || f->midstream);
}

void entry_remove(struct tracker *t, uint32_t n)
{
    struct entry *e = &t->table.hot[n];
    if (e->flow.stream && t->attempts.hooks.flow_over)
        t->attempts.hooks.flow_over(t->attempts.hooks.arg, &e->flow);
    count_open(t, e, false);
    drop_proof(t, n);
    flowtable_remove(&t->table, n);
}

void entry_arm(struct tracker *t, uint32_t n)
{
    flowtable_arm(&t->table, n, t->now);
    tick_t due = t->now + handshake_wait_time(t->table.hot[n].hs.wait);
    if (due < t->due)
        t->due = due;
}

/* What is to happen to the entry depends on it. */
static void want_answer(struct tracker *t, uint32_t n)
{
    if (t->table.hot[n].asking)
        attempts_answers(&t->attempts, t->table.cold[n].id);
}

bool entry_conclude(struct tracker *t, uint32_t n, enum handshake_what what, enum quality quality)
{
    if (what != HS_REPLACED) /* whose reporter knows the answer when it comes */
        want_answer(t, n);
    struct entry *e = &t->table.hot[n];
    struct handshake before = e->hs;
    struct handshake_event ev = {.what = (uint8_t)what,
                                 .time = t->now,
                                 .asked = t->table.cold[n].asked,
                                 .idle = t->now - e->seen};
    struct handshake_result r = handshake_step(&e->hs, &ev);
    if (r.report != HS_QUIET) {
        if (r.verdict == VERDICT_UNSEEN && (before.flags & HS_CLIENT_HEARD))
            entry_one_way(t, e, &e->flow.client);
        else if (r.verdict == VERDICT_UNSEEN && before.syns == 0)
            entry_one_way(t, e, &e->flow.server);
        report(t, n, r.report == HS_FINAL ? &before : &e->hs, &r, quality);
        if (r.report == HS_FINAL)
            drop_proof(t, n);
    }
    if (r.over) {
        entry_remove(t, n);
        return true;
    }
    entry_show(t, e);
    entry_arm(t, n);
    return false;
}

/* ---- eviction ---- */

/* What is lost least comes first: embryos, then connections. */
static const uint8_t order[WAITS] = {WAIT_LINGER,    WAIT_ANSWER,     WAIT_ACK,
                                     WAIT_AFTER_RST, WAIT_AFTER_ICMP, WAIT_CLOSED,
                                     WAIT_IDLE_MID,  WAIT_BYTES,      WAIT_IDLE};
enum { EMBRYOS = 5 };

static bool waits_as_embryo(const struct entry *e)
{
    for (unsigned i = 0; i < EMBRYOS; i++)
        if (e->hs.wait == order[i])
            return true;
    return false;
}

static uint32_t unwanted_embryos(struct tracker *t)
{
    uint32_t n = 0;
    for (unsigned i = 0; i < EMBRYOS; i++)
        n += flowtable_list(&t->table, order[i], FLOW_UNWANTED)->count;
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
        entry_conclude(t, n, HS_REPLACED, QUALITY_LOSSY);
    else
        entry_remove(t, n); /* one of a flood: its silence was not waited for, nothing to say */
}

/* The oldest entry of a list; of those that live by packets, one that had none since its last
 * check. */
static uint32_t victim(struct tracker *t, enum handshake_wait w, enum flow_kind kind)
{
    struct flow_list *l = flowtable_list(&t->table, w, kind);
    bool lives = w == WAIT_BYTES || w == WAIT_IDLE || w == WAIT_IDLE_MID;
    for (unsigned i = 0; lives && i < SPARED && l->oldest; i++) {
        uint32_t n = l->oldest;
        if (t->table.hot[n].seen <= t->table.cold[n].armed)
            break;
        flowtable_arm(&t->table, n, t->now);
    }
    return l->oldest;
}

/* Nothing of a wanted endpoint while others exist. */
static void evict_one(struct tracker *t, bool embryos_only)
{
    unsigned waits = embryos_only ? EMBRYOS : WAITS;
    for (int kind = FLOW_UNWANTED; kind <= (embryos_only ? FLOW_UNWANTED : FLOW_WANTED); kind++)
        for (unsigned i = 0; i < waits; i++) {
            uint32_t n = victim(t, order[i], (enum flow_kind)kind);
            if (n) {
                evict(t, n);
                return;
            }
        }
}

/* For one more that is not asking. */
static void make_room(struct tracker *t, bool unwanted_embryo)
{
    if (unwanted_embryo && unwanted_embryos(t) >= t->embryos)
        evict_one(t, true);
    if (flowtable_full(&t->table))
        evict_one(t, false);
}

void entry_answered(void *tracker, uint32_t n, uint64_t id, bool wanted)
{
    struct tracker *t = tracker;
    const struct entry *e = &t->table.hot[n];
    struct entry_cold *c = &t->table.cold[n];
    if (!e->asking || c->id != id)
        return; /* it is over */
    make_room(t, !wanted && waits_as_embryo(e));
    flowtable_answered(&t->table, n, wanted);
    if (wanted) {
        evidence_move(t->attempts.proof[0], t->attempts.proof[1], &c->evidence);
    } else if (!attempts_proof(&t->attempts, &e->flow.client, false, e->hs.first)) {
        drop_proof(t, n);
        t->table.hot[n].proof = 0;
    }
}

uint32_t entry_new(struct tracker *t, const struct endpoint *client, const struct endpoint *server,
                   bool embryo)
{
    enum wanted wanted = WANTED_NO;
    uint64_t id = embryo ? attempts_begin(&t->attempts, client, server, &wanted) : 0;
    if (wanted != WANTED_LATER)
        make_room(t, embryo && wanted == WANTED_NO);
    uint32_t n = flowtable_take(&t->table, client, server);
    if (!n)
        return 0;
    struct entry *e = &t->table.hot[n];
    e->wanted = wanted == WANTED_YES;
    e->seen = t->now;
    if (!embryo)
        return n;
    t->table.cold[n].id = id;
    t->table.cold[n].concurrency = hosts_open(t->attempts.hosts, &client->addr);
    if (wanted == WANTED_LATER) {
        flowtable_asking(&t->table, n);
        attempts_asking(&t->attempts, ASKER_TCP, id, n);
        e->proof = 1;
    } else {
        e->proof = attempts_proof(&t->attempts, client, e->wanted, t->now);
    }
    return n;
}

/* ---- deadlines ---- */

static void fire(struct tracker *t, uint32_t n)
{
    struct entry *e = &t->table.hot[n];
    bool watched = e->hs.wait == WAIT_IDLE || e->hs.wait == WAIT_IDLE_MID;
    if (watched && t->now - e->seen < FLOW_IDLE)
        entry_arm(t, n);
    else
        entry_conclude(t, n, HS_DEADLINE, QUALITY_GOOD);
}

/* Everything due up to now, TCP and UDP, in order of time; each sees its own deadline as the time,
 * so that the result does not depend on how often this is called. */
void entries_run(struct tracker *t, tick_t now)
{
    for (;;) {
        tick_t due, checks = checks_due(t->checks);
        int list = flowtable_due(&t->table, &due);
        t->due = due < checks ? due : checks;
        if (t->due > now)
            break;
        t->now = t->due;
        if (due <= checks)
            fire(t, t->table.list[list].oldest);
        else
            checks_fire(t->checks);
    }
    t->now = now;
}

void entries_finish(struct tracker *t)
{
    tick_t due;
    int list;
    while ((list = flowtable_due(&t->table, &due)) >= 0)
        (void)entry_conclude(t, t->table.list[list].oldest, HS_END, QUALITY_GOOD); /* always gone */
    checks_finish(t->checks, t->now);
    t->due = INT64_MAX;
}
