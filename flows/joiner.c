/* The joiner as others see it: what it is told of attempts, calls and allocations. */
#include "flows/joiner.h"

#include <stdlib.h>

#include "flows/joiner_state.h"

/* ---- attempts ---- */

/* Strangers' connections that worked explain nothing, unless ICE checks ran over them: signaling
 * may yet come that negotiated them. */
static bool worth_waiting(const struct joiner *j, const struct attempt *a)
{
    return a->verdict != VERDICT_CONNECTED || a->wanted || is_configured_edge(j, &a->dst.addr) ||
           a->proto == PROTO_UDP || a->peek_out == PEEK_CHECK_REQUEST ||
           a->peek_in == PEEK_CHECK_REQUEST;
}

static enum attempt_use attempt_wait(struct joiner *j, const struct pair *t,
                                     const struct attempt *a)
{
    orphan_prefetch(j, t);
    struct pair *p = orphan_find(j, t);
    if (!p) {
        if (!worth_waiting(j, a))
            return ATTEMPT_STRANGER;
        orphan_room(j);
        p = pool_take(&j->pairs);
        if (!p)
            return ATTEMPT_STRANGER;
        *p = *t;
        orphan_add(j, p);
    }
    pair_fold(p, a);
    judge_pair(j, p);
    if (!p->end[0].edge && !p->end[1].edge)
        return ATTEMPT_WAITING;
    return is_edge(j, &a->src.addr) ? ATTEMPT_RELAY : ATTEMPT_VISITOR;
}

/* The connection came up after all, so its failed attempts are withdrawn; what failed above TCP on
 * it (pseudo-TLS, TLS) stays failed. */
static void client_connected(struct joiner *j, const struct pair *t, const struct attempt *a)
{
    struct pair *p = orphan_find(j, t);
    if (!p || p->best.verdict == VERDICT_PSEUDOTLS_FAIL || p->best.verdict == VERDICT_TLS_FAIL)
        return;
    pair_fold(p, a);
    judge_pair(j, p);
}

/* An allocation that failed with an error is told by the allocation itself. */
static enum attempt_use attempt_client(struct joiner *j, struct pair *t, const struct attempt *a)
{
    t->client_leg = true;
    if (a->verdict == VERDICT_CONNECTED)
        client_connected(j, t, a);
    else if (a->verdict != VERDICT_ALLOC_FAIL) {
        attempt_wait(j, t, a);
        const struct pair *p = orphan_find(j, t);
        if (!p || (p->verdict_known && !p->shown)) /* one of too many */
            return ATTEMPT_VISITOR;
    }
    return ATTEMPT_CLIENT;
}

enum attempt_use joiner_attempt(struct joiner *j, const struct attempt *a)
{
    struct pair t;
    struct found_scope f;
    pair_begin(&t, a);
    bool found = index_find(j, &t, &f);
    /* relays may reach each other at 443 and 3478 (P§5): a client is what no allocation owns */
    if (is_server(j, &a->dst) && !(found && f.own))
        return attempt_client(j, &t, a);
    if (!found)
        return attempt_wait(j, &t, a);
    struct pair *p = pair_find(&f, a->proto, NULL);
    if (!p) {
        p = scope_of_found(&f)->n_pairs < LIMIT_PAIRS_PER_CALL ? pool_take(&j->pairs) : NULL;
        if (!p) {
            j->counts.pairs_dropped++;
            return ATTEMPT_RELAY;
        }
        *p = t;
        pair_attach(p, &f);
    }
    pair_adopt(j, p, &f);
    pair_fold(p, a);
    judge_pair(j, p);
    rejudge_orphans(j);
    return ATTEMPT_RELAY;
}

static uint32_t note_trouble(struct joiner *j, const struct relay_trouble *t)
{
    if (!t->detail[0] && !t->partner[0])
        return 0;
    uint32_t number = ++j->last_note;
    struct trouble_note *n = &j->notes[number % LIMIT_TROUBLE_NOTES];
    n->number = number;
    memcpy(n->detail, t->detail, sizeof n->detail);
    memcpy(n->partner, t->partner, sizeof n->partner);
    return number;
}

void joiner_relay_trouble(struct joiner *j, const struct relay_trouble *t)
{
    struct attempt a = {.src = t->client,
                        .dst = t->server,
                        .proto = PROTO_TCP,
                        .isn = t->isn,
                        .verdict = t->verdict,
                        .syns = 1,
                        .synacks = 1,
                        .first = t->first,
                        .last = t->last,
                        .rtt_us = -1,
                        .answer_ttl = -1,
                        .answer_ipid = -1,
                        .icmp_type = -1,
                        .icmp_code = -1};
    struct pair p;
    if (!t->signaling)
        server_add(j, &t->server);
    pair_begin(&p, &a);
    p.client_leg = true;
    p.signaling = t->signaling;
    p.tls_instead = t->instead;
    p.note = note_trouble(j, t);
    attempt_wait(j, &p, &a);
}

/* ---- calls ---- */

void joiner_call(struct joiner *j, struct fact_call *c)
{
    if (!c->join)
        c->join = scope_new(j);
    if (!c->join)
        return;
    index_call(j, c);
    rejudge_pairs(j, scope_of_call(c));
    rejudge_orphans(j);
}

void joiner_call_status(struct joiner *j, struct fact_call *c)
{
    if (!c->join) {
        joiner_call(j, c);
        return;
    }
    rejudge_shown(j, scope_of_call(c));
    rejudge_orphans(j);
}

static bool negotiated(const struct fact_media *m)
{
    const struct fact_side *o = &m->side[SIDE_OFFER], *a = &m->side[SIDE_ANSWER];
    return o->present && a->present && !o->rejected && !a->rejected &&
           (o->n_candidates || a->n_candidates);
}

/* What an own relay of this medium was told to do: -1 no relay seen, 0 nothing, 1 to send. */
static int relay_activity(const struct joiner *j, const struct fact_call *c, unsigned m)
{
    int seen = -1;
    for (unsigned s = 0; s < CALL_SIDES; s++) {
        const struct fact_side *f = &c->media[m].side[s];
        for (unsigned i = 0; i <= f->n_candidates; i++) {
            const struct endpoint *e = i ? &f->candidates[i - 1].at : &f->preset;
            struct fact_allocation *a = index_allocation_at(j, e, c->started);
            if (a)
                scope_of_allocation(a)->claimed = true;
            if (a && a->n_sends)
                return 1;
            seen = a ? 0 : seen;
        }
    }
    return seen;
}

/* Asked of the pairs that are there now: one that failed may have gone to another scope since. */
static bool medium_failed(const struct scope *s, unsigned m)
{
    bool failed = s->failed[m];
    for (const struct pair *p = s->pairs; p && !failed; p = p->next)
        failed = p->medium == m && p->shown && !p->info;
    return failed;
}

static void judge_medium(struct joiner *j, struct fact_call *c, unsigned m)
{
    struct scope *s = scope_of_call(c);
    if (!negotiated(&c->media[m]) || s->connected[m] || medium_failed(s, m) ||
        c->media[m].concluded || s->verdict_row[m])
        return;
    bool long_enough = c->media_failed_diag || (c->answered != TICK_NONE && c->ended != TICK_NONE &&
                                                c->ended - c->answered >= NOT_TRIED_AFTER);
    int activity = relay_activity(j, c, m);
    bool not_tried = activity == 0 && long_enough && !s->unseen[m];
    emit_medium(j, c, m, not_tried ? VERDICT_NOT_TRIED : VERDICT_UNSEEN);
}

void joiner_call_over(struct joiner *j, struct fact_call *c)
{
    struct scope *s = scope_of_call(c);
    if (!s || s->over)
        return;
    s->over = true;
    bool any = false, bad = c->status >= 300 || c->media_failed_diag;
    for (unsigned m = 0; m < c->n_media && m < LIMIT_MEDIA_PER_CALL; m++) {
        if (c->status < 300)
            judge_medium(j, c, m);
        any |= s->connected[m] || c->media[m].concluded;
        bad |= medium_failed(s, m) && !s->connected[m] && !c->media[m].concluded;
    }
    c->outcome = bad ? CALL_FAILED : any ? CALL_CONNECTED : CALL_UNKNOWN;
}

void joiner_call_forget(struct joiner *j, struct fact_call *c)
{
    scope_free(j, c->join, c);
    c->join = NULL;
}

/* ---- allocations ---- */

static unsigned answered_sends(const struct fact_allocation *a)
{
    unsigned n = 0;
    for (unsigned i = 0; i < a->n_sends; i++)
        n += a->sends[i].answered != TICK_NONE;
    return n;
}

static bool path_works(const struct fact_allocation *a)
{
    return !endpoint_none(&a->active) || answered_sends(a) > 0;
}

void joiner_allocation(struct joiner *j, struct fact_allocation *a)
{
    if (!a->join)
        a->join = scope_new(j);
    struct scope *s = a->join;
    if (!s)
        return;
    server_add(j, &a->server);
    if (a->granted && !s->relay_indexed) {
        index_allocation(j, a);
        rejudge_waiting(j, &a->relay, true);
        rejudge_owners_at(j, &a->relay);
        rejudge_client(j, &a->client.addr);
    }
    unsigned answers = answered_sends(a);
    bool news = s->sends_seen < a->n_sends || s->answers_seen < answers;
    s->answers_seen = answers;
    for (; s->sends_seen < a->n_sends; s->sends_seen++)
        rejudge_waiting(j, &a->sends[s->sends_seen].peer, false);
    if (path_works(a) && !s->connected[0]) {
        s->connected[0] = news = true;
        judge_relay_works(j, a);
    }
    if (news) {
        rejudge_pairs(j, s);
        rejudge_borrowed(j, s);
    }
    rejudge_orphans(j);
}

static bool known_to_call(const struct joiner *j, const struct fact_allocation *a)
{
    for (const struct multimap_slot *n = index_first(j, &a->relay); n;
         n = multimap_next(&j->by_endpoint, n))
        if (n->kind == NODE_CALL)
            return true;
    return false;
}

/* Asked for a relay port and got none. What was never asked for in sight of the sensor (a
 * connection older than the capture), sent to another server (300), or answered where the sensor
 * does not look, did not fail as far as the packets show. Silence over UDP is told as an attempt.
 */
static bool allocation_failed(const struct fact_allocation *a)
{
    enum { TRY_ALTERNATE = 300 };
    if (a->granted || !a->requests || a->error_code == TRY_ALTERNATE)
        return false;
    return a->error_code || (a->proto == PROTO_TCP && a->heard);
}

void joiner_allocation_over(struct joiner *j, struct fact_allocation *a)
{
    struct scope *s = scope_of_allocation(a);
    if (!s || s->over)
        return;
    s->over = true;
    if (allocation_failed(a))
        emit_allocation(j, a, VERDICT_ALLOC_FAIL);
    if (!a->granted)
        return;
    bool any = s->connected[0] || s->claimed;
    for (const struct pair *p = s->pairs; p && !any; p = p->next)
        any = p->connected || p->shown;
    if (a->n_sends && !any && !known_to_call(j, a))
        emit_allocation(j, a, VERDICT_UNSEEN);
}

void joiner_allocation_forget(struct joiner *j, struct fact_allocation *a)
{
    scope_free(j, a->join, a);
    a->join = NULL;
}

/* ---- the joiner itself ---- */

struct joiner *joiner_new(const struct joiner_config *c, const struct joiner_hooks *h)
{
    struct joiner *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    j->config = *c;
    j->hooks = *h;
    pool_init(&j->pairs, sizeof(struct pair));
    pool_init(&j->scopes, sizeof(struct scope));
    uint32_t nodes = LIMIT_CALLS * 64u;
    if (multimap_init(&j->by_endpoint, nodes) ||
        multimap_init(&j->by_port, LIMIT_ALLOCATIONS * 2u) ||
        chains_init(&j->waiting, LIMIT_ORPHANS * 2u) ||
        chains_init(&j->waiting_port, LIMIT_ORPHANS * 2u) ||
        chains_init(&j->by_client, LIMIT_ALLOCATIONS * 2u)) {
        joiner_free(j);
        return NULL;
    }
    for (unsigned i = 0; i < c->n_aliases; i++)
        alias_configure(j, &c->aliases[i]);
    return j;
}

void joiner_reconfigure(struct joiner *j, const struct joiner_config *c)
{
    j->config.edges = c->edges;
    j->config.n_edges = c->n_edges;
    j->config.relay_low = c->relay_low;
    j->config.relay_high = c->relay_high;
    for (unsigned i = 0; i < c->n_aliases; i++)
        alias_configure(j, &c->aliases[i]);
    j->rescan = true; /* an Edge that was a stranger so far */
}

void joiner_free(struct joiner *j)
{
    if (!j)
        return;
    multimap_clear(&j->by_endpoint);
    multimap_clear(&j->by_port);
    chains_clear(&j->waiting);
    chains_clear(&j->waiting_port);
    chains_clear(&j->by_client);
    pool_clear(&j->pairs);
    pool_clear(&j->scopes);
    free(j);
}

bool joiner_wanted(struct joiner *j, const struct endpoint *src, const struct endpoint *dst)
{
    return is_edge(j, &src->addr) || index_first(j, dst) || index_first(j, src);
}

bool joiner_relay_server(const struct joiner *j, const struct endpoint *e)
{
    return is_server(j, e);
}

bool joiner_configured_edge(const struct joiner *j, const struct addr *a)
{
    return is_configured_edge(j, a);
}

bool joiner_relay_addr(const struct joiner *j, const struct addr *a)
{
    return is_edge(j, a);
}

void joiner_aliases(const struct joiner *j, const struct fact_alias **list, unsigned *n)
{
    struct joiner *mine = (struct joiner *)j;
    for (unsigned i = 0; i < j->n_aliases; i++)
        mine->alias_list[i] = j->aliases[i].alias;
    *list = j->alias_list;
    *n = j->n_aliases;
}

void joiner_counts(const struct joiner *j, struct joiner_counts *out)
{
    *out = j->counts;
}
