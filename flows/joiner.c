/* Life of pairs and scopes: attempts are folded into pairs, pairs find their scope. */
#include "flows/joiner.h"

#include <stdlib.h>

#include "flows/joiner_state.h"

#define FOLD_WINDOW (120 * TICK_S) /* attempts between the same unexplained ends are one pair */

static void list_add(struct pair **head, struct pair *p)
{
    p->prev = NULL;
    p->next = *head;
    if (*head)
        (*head)->prev = p;
    *head = p;
}

static void list_remove(struct pair **head, struct pair *p)
{
    if (p->prev)
        p->prev->next = p->next;
    else
        *head = p->next;
    if (p->next)
        p->next->prev = p->prev;
    p->next = p->prev = NULL;
}

static void borrow(struct pair *p)
{
    struct scope *s = scope_of_allocation(p->own);
    p->own_prev = NULL;
    p->own_next = s->borrowed;
    if (s->borrowed)
        s->borrowed->own_prev = p;
    s->borrowed = p;
}

static void unborrow(struct pair *p)
{
    struct scope *s = scope_of_allocation(p->own);
    if (p->own_prev)
        p->own_prev->own_next = p->own_next;
    else
        s->borrowed = p->own_next;
    if (p->own_next)
        p->own_next->own_prev = p->own_prev;
    p->own_next = p->own_prev = NULL;
}

/* ---- orphans ---- */

static void orphan_add(struct joiner *j, struct pair *p)
{
    p->orphan = true;
    p->prev = j->newest;
    p->next = NULL;
    if (j->newest)
        j->newest->next = p;
    else
        j->oldest = p;
    j->newest = p;
    j->n_orphans++;
    for (int e = 0; e < 2; e++) {
        uint64_t key = index_key(j, &p->end[e].wire);
        j->ports_waiting[p->end[e].wire.port]++;
        if (p->client_leg && e == 0)
            key = index_client_key(j, &p->end[0].wire.addr);
        p->nodes[e] = multimap_add(&j->waiting, key, p, NODE_PAIR, 0, (uint8_t)e);
        p->nodes[2 + e] = 0;
        if (p->end[e].wire.port >= 1024 && !p->client_leg)
            p->nodes[2 + e] = multimap_add(&j->waiting_port, index_port_key(j, p->end[e].wire.port),
                                           p, NODE_PAIR, 0, (uint8_t)e);
    }
}

static void orphan_remove(struct joiner *j, struct pair *p)
{
    for (int i = 0; i < 4; i++)
        multimap_remove(i < 2 ? &j->waiting : &j->waiting_port, p->nodes[i]);
    for (int e = 0; e < 2; e++)
        j->ports_waiting[p->end[e].wire.port]--;
    if (p->prev)
        p->prev->next = p->next;
    else
        j->oldest = p->next;
    if (p->next)
        p->next->prev = p->prev;
    else
        j->newest = p->prev;
    p->next = p->prev = NULL;
    p->orphan = false;
    j->n_orphans--;
}

/* ---- scopes ---- */

static struct scope *scope_new(struct joiner *j)
{
    struct scope *s = pool_take(&j->scopes);
    if (s)
        *s = (struct scope){0};
    return s;
}

struct scope *scope_of_call(struct fact_call *c)
{
    return c->join;
}

struct scope *scope_of_allocation(struct fact_allocation *a)
{
    return a->join;
}

/* The scope of a pair that has one. */
static struct scope *owner_of(const struct pair *p)
{
    return p->call ? scope_of_call(p->call) : scope_of_allocation(p->own);
}

static void detach(struct joiner *j, struct pair *p)
{
    if (p->orphan) {
        orphan_remove(j, p);
        return;
    }
    if (p->call && p->own)
        unborrow(p);
    if (p->call || p->own) {
        list_remove(&owner_of(p)->pairs, p);
        owner_of(p)->n_pairs--;
    }
    p->call = NULL;
    p->own = NULL;
    p->keys = 0;
}

static void pair_free(struct joiner *j, struct pair *p)
{
    detach(j, p);
    pool_give(&j->pairs, p);
}

/* ---- folding ---- */

/* how much a verdict tells: of several failed attempts of a pair the most telling stands for it */
static int rank(enum verdict v)
{
    static const uint8_t ranks[VERDICTS] = {
        [VERDICT_REFUSED] = 9,         [VERDICT_UNREACHABLE] = 8, [VERDICT_RESET_AFTER_OPEN] = 7,
        [VERDICT_OPEN_NO_CHECK] = 6,   [VERDICT_HALF_OPEN] = 5,   [VERDICT_RETRY_CONFLICT] = 5,
        [VERDICT_TIMEOUT] = 4,         [VERDICT_SINGLE_SYN] = 3,  [VERDICT_UNSEEN] = 1,
        [VERDICT_PSEUDOTLS_FAIL] = 10, [VERDICT_TLS_FAIL] = 10,   [VERDICT_ALLOC_FAIL] = 10,
    };
    return ranks[v];
}

static void pair_begin(struct pair *p, const struct attempt *a)
{
    *p = (struct pair){.proto = a->proto, .first = a->first, .last = a->last, .tls_instead = -1};
    p->end[0].wire = a->src;
    p->end[1].wire = a->dst;
    p->first_id = a->id;
    p->first_isn = a->isn;
    p->first_src = a->src;
    p->first_dst = a->dst;
}

/* One attempt seen on both sides of a NAT has the same ISN. */
static bool seen_before(const struct pair *p, uint32_t isn)
{
    for (unsigned i = 0; i < p->n_ids; i++)
        if (p->isns[i] == isn)
            return true;
    return false;
}

static void take_earlier(struct pair *p, const struct attempt *a)
{
    if (a->first < p->first || (a->first == p->first && a->isn < p->first_isn)) {
        p->first_id = a->id;
        p->first_isn = a->isn;
        p->first_src = a->src;
        p->first_dst = a->dst;
    }
    p->first = a->first < p->first ? a->first : p->first;
    p->last = a->last > p->last ? a->last : p->last;
}

/* The more telling attempt, the earlier one, and of two sights of one packet always the same. */
static bool tells_more(const struct attempt *a, const struct attempt *b)
{
    if (rank(a->verdict) != rank(b->verdict))
        return rank(a->verdict) > rank(b->verdict);
    if (a->first != b->first)
        return a->first < b->first;
    return endpoint_cmp(&a->src, &b->src) < 0;
}

static void take_verdict(struct pair *p, const struct attempt *a)
{
    if (a->verdict == VERDICT_CONNECTED) {
        p->connected = true;
    } else if (!p->verdict_known || tells_more(a, &p->best)) {
        p->best = *a;
        p->verdict_known = true;
    }
    p->quality = a->quality > p->quality ? a->quality : p->quality;
}

static void fold(struct pair *p, const struct attempt *a)
{
    for (unsigned i = 0; i < p->n_ids; i++)
        if (p->ids[i] == a->id) { /* the final word on a connected one */
            take_verdict(p, a);
            return;
        }
    if (!seen_before(p, a->isn)) {
        p->attempts++;
        p->syns += a->syns;
        p->rsts += a->rsts;
    }
    if (p->n_ids < PAIR_IDS) {
        p->ids[p->n_ids] = a->id;
        p->isns[p->n_ids++] = a->isn;
    }
    take_earlier(p, a);
    take_verdict(p, a);
}

/* p joins q: same ends, same scope, found out late */
static void merge(struct joiner *j, struct pair *q, struct pair *p)
{
    bool twice = p->n_ids && seen_before(q, p->isns[0]);
    if (!twice) {
        q->attempts += p->attempts;
        q->syns += p->syns;
        q->rsts += p->rsts;
    }
    for (unsigned i = 0; i < p->n_ids && q->n_ids < PAIR_IDS; i++) {
        q->ids[q->n_ids] = p->ids[i];
        q->isns[q->n_ids++] = p->isns[i];
    }
    struct attempt early = {.id = p->first_id, .isn = p->first_isn, .src = p->first_src,
                            .dst = p->first_dst, .first = p->first, .last = p->last};
    take_earlier(q, &early);
    if (p->verdict_known)
        take_verdict(q, &p->best);
    q->connected |= p->connected;
    if (p->shown)
        emit_withdraw(j, p);
    pair_free(j, p);
}

/* ---- scope of a pair ---- */

static bool same_ends(const struct pair *p, const struct pair_end end[2], uint8_t proto)
{
    return p->proto == proto && ((endpoint_eq(&p->end[0].pub, &end[0].pub) &&
                                  endpoint_eq(&p->end[1].pub, &end[1].pub)) ||
                                 (endpoint_eq(&p->end[0].pub, &end[1].pub) &&
                                  endpoint_eq(&p->end[1].pub, &end[0].pub)));
}

static struct pair *find_in_scope(const struct found_scope *f, uint8_t proto, const struct pair *not)
{
    struct scope *s = f->call ? scope_of_call(f->call) : scope_of_allocation(f->own);
    for (struct pair *p = s->pairs; p; p = p->next)
        if (p != not &&(!f->call || p->medium == f->medium) && same_ends(p, f->end, proto))
            return p;
    return NULL;
}

static void attach(struct pair *p, const struct found_scope *f)
{
    struct scope *s = f->call ? scope_of_call(f->call) : scope_of_allocation(f->own);
    p->call = f->call;
    p->medium = f->call ? f->medium : 0;
    p->own = f->own;
    list_add(&s->pairs, p);
    if (p->call && p->own) {
        borrow(p);
        scope_of_allocation(p->own)->claimed = true;
    }
    s->n_pairs++;
}

/* Of an end that was seen on both sides of a NAT the inner sight stays: it carries the alias. */
static void adopt_ends(struct pair *p, const struct pair_end end[2])
{
    const struct pair_end old[2] = {p->end[0], p->end[1]};
    for (int e = 0; e < 2; e++) {
        p->end[e] = end[e];
        for (int o = 0; o < 2 && !end[e].aliased; o++)
            if (old[o].aliased && endpoint_eq(&old[o].pub, &end[e].pub))
                p->end[e] = old[o];
    }
}

/* Within one scope keys only add up, whichever sight or fact brought them. */
static void adopt_answer(struct joiner *j, struct pair *p, const struct found_scope *f)
{
    const struct match_answer *a = &f->answer;
    adopt_ends(p, f->end);
    p->keys |= a->keys;
    p->confidence = (uint8_t)match_confidence(p->keys, a->both_ends);
    p->connected |= a->send && a->send->answered != TICK_NONE;
    for (int e = 0; e < 2; e++) {
        if (!f->end[e].aliased)
            continue;
        alias_learn(j, &f->end[e].wire.addr, &f->end[e].pub.addr, f->end[e].wire.port);
        if (f->own && match_owns(f->own, &f->end[e].pub))
            f->own->wire_addr = f->end[e].wire.addr;
    }
}

/* A stranger's pair of a known Edge: grade C, so many a minute and no more. */
static bool grade_c_allowed(struct joiner *j, tick_t t)
{
    tick_t minute = t / (60 * TICK_S);
    if (minute != j->grade_c_minute) {
        j->grade_c_minute = minute;
        j->grade_c_count = 0;
    }
    if (j->grade_c_count >= LIMIT_UNKNOWN_PER_MINUTE) {
        j->counts.grade_c_suppressed++;
        return false;
    }
    j->grade_c_count++;
    return true;
}

static bool in_relay_range(const struct joiner *j, uint16_t port)
{
    return port >= j->config.relay_low && port <= j->config.relay_high;
}

/* Nothing negotiated is known: is an Edge's relay range touched? */
static bool grade_c(const struct joiner *j, struct pair *p)
{
    bool touched = false;
    for (int e = 0; e < 2; e++) {
        alias_resolve(j, &p->end[e].wire, &p->end[e]);
        touched |= p->end[e].edge && in_relay_range(j, p->end[e].wire.port);
    }
    return touched;
}

static void sibling_refresh(struct joiner *j, struct pair *p)
{
    struct scope *s = p->call ? scope_of_call(p->call) : scope_of_allocation(p->own);
    if (s->connected[p->medium])
        return;
    s->connected[p->medium] = true;
    for (struct pair *q = s->pairs; q; q = q->next)
        if (q->shown && q->medium == p->medium)
            emit_pair(j, q);
}

static void judge(struct joiner *j, struct pair *p)
{
    bool scoped = p->call || p->own;
    if (p->connected) {
        if (p->shown)
            emit_withdraw(j, p);
        if (scoped)
            sibling_refresh(j, p);
        return;
    }
    if (!p->verdict_known)
        return;
    if (scoped && p->best.verdict == VERDICT_UNSEEN) {
        struct scope *s = p->call ? scope_of_call(p->call) : scope_of_allocation(p->own);
        s->unseen[p->medium] = true;
        return;
    }
    if (scoped || p->client_leg ||
        (grade_c(j, p) && (p->shown || grade_c_allowed(j, p->first))))
        emit_pair(j, p);
}

/* Looks again for the scope of a pair that has none, or may have a better one. */
static void rejudge(struct joiner *j, struct pair *p)
{
    struct found_scope f;
    bool found = !p->client_leg && index_find(j, p, &f);
    if (p->client_leg || (p->orphan && is_server(j, &p->end[1].wire) && !(found && f.own))) {
        if (!p->client_leg) {
            orphan_remove(j, p);
            p->client_leg = true;
            if (p->connected) {
                pair_free(j, p);
                return;
            }
            orphan_add(j, p);
        }
        judge(j, p);
        return;
    }
    if (!found) {
        if (p->orphan) /* of an Edge that was not known as one before? */
            judge(j, p);
        return;
    }
    struct pair *q = find_in_scope(&f, p->proto, p);
    if (q) {
        adopt_answer(j, q, &f);
        merge(j, q, p);
        judge(j, q);
        return;
    }
    bool moved = p->orphan || p->call != f.call || p->own != f.own || p->medium != f.medium;
    if (moved)
        detach(j, p);
    adopt_answer(j, p, &f);
    if (moved)
        attach(p, &f);
    judge(j, p);
}

enum { WALK_MAX = 256 }; /* orphans looked at per new endpoint; more is an attack, not a call */

static unsigned collect(const struct multimap *m, uint64_t key, struct pair *out[WALK_MAX])
{
    unsigned n = 0;
    for (uint32_t h = multimap_first(m, key); h && n < WALK_MAX; h = multimap_next(m, h))
        out[n++] = m->nodes[h].owner;
    return n;
}

void rejudge_waiting(struct joiner *j, const struct endpoint *e, bool relay)
{
    struct pair *hits[WALK_MAX];
    if (!j->ports_waiting[e->port])
        return;
    unsigned n = collect(&j->waiting, index_key(j, e), hits);
    for (unsigned i = 0; i < n; i++)
        if (hits[i]->orphan && (endpoint_eq(&hits[i]->end[0].wire, e) ||
                                endpoint_eq(&hits[i]->end[1].wire, e)))
            rejudge(j, hits[i]);
    n = relay && e->port >= 1024 ? collect(&j->waiting_port, index_port_key(j, e->port), hits) : 0;
    for (unsigned i = 0; i < n; i++)
        if (hits[i]->orphan)
            rejudge(j, hits[i]);
}

/* After an alias became trusted. Not while lists are being walked: called last by the public calls. */
static void rescan(struct joiner *j)
{
    while (j->rescan) {
        j->rescan = false;
        for (struct pair *p = j->oldest, *next; p; p = next) {
            next = p->next;
            rejudge(j, p);
        }
    }
}

/* Something new is known of a client: its failed ways to relay servers may be told otherwise. */
void rejudge_client(struct joiner *j, const struct addr *client)
{
    struct pair *hits[WALK_MAX];
    unsigned n = collect(&j->waiting, index_client_key(j, client), hits);
    for (unsigned i = 0; i < n; i++)
        if (hits[i]->client_leg && hits[i]->shown)
            emit_pair(j, hits[i]);
}

/* Data came back through the relay: the path works, wherever its outer leg ran. */
static void relay_works(struct joiner *j, const struct fact_allocation *a)
{
    for (uint32_t h = index_first(j, &a->relay); h;
         h = multimap_next(&j->by_endpoint, h)) {
        const struct multimap_node *n = &j->by_endpoint.nodes[h];
        struct fact_call *c = n->owner;
        if (n->kind != NODE_CALL || !match_call_alive(c, a->started, ALLOCATION_GRACE) ||
            scope_of_call(c)->connected[n->medium])
            continue;
        struct pair as_if = {.call = c, .medium = n->medium};
        sibling_refresh(j, &as_if);
    }
}

static void rejudge_pairs(struct joiner *j, struct scope *s)
{
    for (struct pair *p = s->pairs, *next; p; p = next) {
        next = p->next;
        rejudge(j, p);
    }
}

static void rejudge_borrowed(struct joiner *j, struct scope *s)
{
    for (struct pair *p = s->borrowed, *next; p; p = next) {
        next = p->own_next;
        rejudge(j, p);
    }
}

void rejudge_owners_at(struct joiner *j, const struct endpoint *relay)
{
    for (uint32_t h = index_first(j, relay); h;
         h = multimap_next(&j->by_endpoint, h)) {
        const struct multimap_node *n = &j->by_endpoint.nodes[h];
        if (n->kind == NODE_CALL) {
            rejudge_pairs(j, scope_of_call(n->owner));
            continue;
        }
        rejudge_pairs(j, scope_of_allocation(n->owner));
        if (scope_of_allocation(n->owner)->connected[0])
            relay_works(j, n->owner);
    }
}

/* ---- attempts ---- */

static struct pair *find_orphan(struct joiner *j, const struct pair *t)
{
    uint64_t key = t->client_leg ? index_client_key(j, &t->end[0].wire.addr)
                                 : index_key(j, &t->end[0].wire);
    for (uint32_t h = multimap_first(&j->waiting, key); h; h = multimap_next(&j->waiting, h)) {
        struct pair *p = j->waiting.nodes[h].owner;
        bool same = (endpoint_eq(&p->end[0].wire, &t->end[0].wire) &&
                     endpoint_eq(&p->end[1].wire, &t->end[1].wire)) ||
                    (endpoint_eq(&p->end[0].wire, &t->end[1].wire) &&
                     endpoint_eq(&p->end[1].wire, &t->end[0].wire));
        if (same && p->proto == t->proto && p->client_leg == t->client_leg &&
            t->first - p->last < FOLD_WINDOW && p->first - t->last < FOLD_WINDOW)
            return p;
    }
    return NULL;
}

static void orphan_room(struct joiner *j)
{
    if (j->n_orphans < LIMIT_ORPHANS)
        return;
    j->counts.orphans_evicted++;
    pair_free(j, j->oldest);
}

/* Strangers' connections that worked explain nothing, unless ICE checks ran over them: signaling may
 * yet come that negotiated them. */
static bool worth_waiting(const struct attempt *a)
{
    return a->verdict != VERDICT_CONNECTED || a->wanted || a->proto == PROTO_UDP ||
           a->peek_out == PEEK_CHECK_REQUEST || a->peek_in == PEEK_CHECK_REQUEST;
}

static enum attempt_use attempt_wait(struct joiner *j, const struct pair *t,
                                     const struct attempt *a)
{
    struct pair *p = find_orphan(j, t);
    if (!p) {
        if (!worth_waiting(a))
            return ATTEMPT_STRANGER;
        orphan_room(j);
        p = pool_take(&j->pairs);
        if (!p)
            return ATTEMPT_STRANGER;
        *p = *t;
        orphan_add(j, p);
    }
    fold(p, a);
    judge(j, p);
    return p->end[0].edge || p->end[1].edge ? ATTEMPT_RELAY : ATTEMPT_WAITING;
}

/* An allocation that failed with an error is told by the allocation itself. */
static enum attempt_use attempt_client(struct joiner *j, struct pair *t, const struct attempt *a)
{
    t->client_leg = true;
    if (a->verdict != VERDICT_CONNECTED && a->verdict != VERDICT_ALLOC_FAIL)
        attempt_wait(j, t, a);
    return ATTEMPT_CLIENT;
}

enum attempt_use joiner_attempt(struct joiner *j, const struct attempt *a)
{
    struct pair t;
    struct found_scope f;
    pair_begin(&t, a);
    bool found = index_find(j, &t, &f);
    /* relays may reach each other at 443 and 3478 (P§5): only what no allocation owns is a client */
    if (is_server(j, &a->dst) && !(found && f.own))
        return attempt_client(j, &t, a);
    if (!found)
        return attempt_wait(j, &t, a);
    struct pair *p = find_in_scope(&f, a->proto, NULL);
    if (!p) {
        struct scope *s = f.call ? scope_of_call(f.call) : scope_of_allocation(f.own);
        p = s->n_pairs < LIMIT_PAIRS_PER_CALL ? pool_take(&j->pairs) : NULL;
        if (!p) {
            j->counts.pairs_dropped++;
            return ATTEMPT_RELAY;
        }
        *p = t;
        attach(p, &f);
    }
    adopt_answer(j, p, &f);
    fold(p, a);
    judge(j, p);
    rescan(j);
    return ATTEMPT_RELAY;
}

void joiner_relay_trouble(struct joiner *j, const struct relay_trouble *t)
{
    struct attempt a = {.src = t->client, .dst = t->server, .proto = PROTO_TCP, .isn = t->isn,
                        .verdict = t->verdict, .syns = 1, .synacks = 1, .first = t->first,
                        .last = t->last, .rtt_us = -1, .answer_ttl = -1, .answer_ipid = -1,
                        .icmp_type = -1, .icmp_code = -1};
    struct pair p;
    if (!t->signaling)
        server_add(j, &t->server);
    pair_begin(&p, &a);
    p.client_leg = true;
    p.signaling = t->signaling;
    p.tls_instead = t->instead;
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
    rescan(j);
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
    bool long_enough = c->media_failed_diag ||
                       (c->answered != TICK_NONE && c->ended != TICK_NONE &&
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

static void scope_free(struct joiner *j, struct scope *s)
{
    if (!s)
        return;
    while (s->borrowed) {
        struct pair *p = s->borrowed;
        unborrow(p);
        p->own = NULL;
    }
    while (s->pairs)
        pair_free(j, s->pairs);
    index_forget(j, s);
    pool_give(&j->scopes, s);
}

void joiner_call_forget(struct joiner *j, struct fact_call *c)
{
    scope_free(j, c->join);
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
        relay_works(j, a);
    }
    if (news) {
        rejudge_pairs(j, s);
        rejudge_borrowed(j, s);
    }
    rescan(j);
}

static bool known_to_call(const struct joiner *j, const struct fact_allocation *a)
{
    for (uint32_t h = index_first(j, &a->relay); h;
         h = multimap_next(&j->by_endpoint, h))
        if (j->by_endpoint.nodes[h].kind == NODE_CALL)
            return true;
    return false;
}

void joiner_allocation_over(struct joiner *j, struct fact_allocation *a)
{
    struct scope *s = scope_of_allocation(a);
    if (!s || s->over)
        return;
    s->over = true;
    if (!a->granted) {
        if (a->error_code || a->proto == PROTO_TCP)
            emit_allocation(j, a, VERDICT_ALLOC_FAIL);
        return;
    }
    bool any = s->connected[0] || s->claimed;
    for (const struct pair *p = s->pairs; p && !any; p = p->next)
        any = p->connected || p->shown;
    if (a->n_sends && !any && !known_to_call(j, a))
        emit_allocation(j, a, VERDICT_UNSEEN);
}

void joiner_allocation_forget(struct joiner *j, struct fact_allocation *a)
{
    scope_free(j, a->join);
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
    if (multimap_init(&j->by_endpoint, nodes) || multimap_init(&j->by_port, nodes) ||
        multimap_init(&j->waiting, LIMIT_ORPHANS * 2u) ||
        multimap_init(&j->waiting_port, LIMIT_ORPHANS * 2u) ||
        multimap_init(&j->by_client, LIMIT_ALLOCATIONS)) {
        joiner_free(j);
        return NULL;
    }
    for (unsigned i = 0; i < c->n_aliases && j->n_aliases < LIMIT_ALIASES; i++) {
        j->aliases[j->n_aliases++].alias = c->aliases[i];
        j->hooks.alias(j->hooks.arg, &c->aliases[i]);
        relay_addr_add(j, &c->aliases[i].private_addr);
        relay_addr_add(j, &c->aliases[i].public_addr);
    }
    return j;
}

void joiner_free(struct joiner *j)
{
    if (!j)
        return;
    multimap_clear(&j->by_endpoint);
    multimap_clear(&j->by_port);
    multimap_clear(&j->waiting);
    multimap_clear(&j->waiting_port);
    multimap_clear(&j->by_client);
    pool_clear(&j->pairs);
    pool_clear(&j->scopes);
    free(j);
}

bool joiner_wanted(struct joiner *j, const struct endpoint *src, const struct endpoint *dst)
{
    return is_edge(j, &src->addr) || is_configured_edge(j, &dst->addr) ||
           index_first(j, dst) || index_first(j, src);
}

bool joiner_relay_server(const struct joiner *j, const struct endpoint *e)
{
    return is_server(j, e);
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
