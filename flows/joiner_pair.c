/* Life of pairs and scopes: attempts are folded into pairs, pairs belong to a scope or wait. */
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

static void orphan_keys(const struct joiner *j, const struct pair *p, uint64_t keys[4])
{
    for (int e = 0; e < 2; e++) {
        keys[e] = index_key(j, &p->end[e].wire);
        keys[2 + e] = index_port_key(j, p->end[e].wire.port);
    }
    if (p->client_leg)
        keys[0] = index_client_key(j, &p->end[0].wire.addr);
}

void orphan_prefetch(const struct joiner *j, const struct pair *p)
{
    uint64_t keys[4];
    orphan_keys(j, p, keys);
    for (int i = 0; i < 4; i++)
        chains_prefetch(i < 2 ? &j->waiting : &j->waiting_port, keys[i]);
}

void orphan_add(struct joiner *j, struct pair *p)
{
    uint64_t keys[4];
    p->orphan = true;
    p->prev = j->newest;
    p->next = NULL;
    if (j->newest)
        j->newest->next = p;
    else
        j->oldest = p;
    j->newest = p;
    j->n_orphans++;
    orphan_keys(j, p, keys);
    for (int i = 0; i < 4; i++) {
        uint16_t port = p->end[i % 2].wire.port;
        p->nodes[i] = 0;
        if (i < 2)
            j->ports_waiting[port]++;
        if (i < 2 || (port >= 1024 && !p->client_leg))
            p->nodes[i] = chains_add(i < 2 ? &j->waiting : &j->waiting_port, keys[i], p, NODE_PAIR,
                                     (uint8_t)(i % 2));
    }
}

void orphan_remove(struct joiner *j, struct pair *p)
{
    for (int i = 0; i < 4; i++)
        chains_prefetch_node(i < 2 ? &j->waiting : &j->waiting_port, p->nodes[i]);
    for (int i = 0; i < 4; i++)
        chains_remove(i < 2 ? &j->waiting : &j->waiting_port, p->nodes[i]);
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

struct pair *orphan_find(struct joiner *j, const struct pair *like)
{
    uint64_t key = like->client_leg ? index_client_key(j, &like->end[0].wire.addr)
                                    : index_key(j, &like->end[0].wire);
    const struct chains *map = &j->waiting;
    for (const struct chain_node *at = chains_first(map, key); at; at = chains_next(map, at)) {
        struct pair *p = at->owner;
        bool same = (endpoint_eq(&p->end[0].wire, &like->end[0].wire) &&
                     endpoint_eq(&p->end[1].wire, &like->end[1].wire)) ||
                    (endpoint_eq(&p->end[0].wire, &like->end[1].wire) &&
                     endpoint_eq(&p->end[1].wire, &like->end[0].wire));
        if (same && p->proto == like->proto && p->client_leg == like->client_leg &&
            like->first - p->last < FOLD_WINDOW && p->first - like->last < FOLD_WINDOW)
            return p;
    }
    return NULL;
}

void orphan_room(struct joiner *j)
{
    if (j->n_orphans < LIMIT_ORPHANS)
        return;
    j->counts.orphans_evicted++;
    pair_free(j, j->oldest);
}

/* ---- scopes ---- */

struct scope *scope_new(struct joiner *j)
{
    struct scope *s = pool_take(&j->scopes);
    if (s)
        *s = (struct scope){.nodes = s->few, .room = SCOPE_FEW};
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

struct scope *scope_of_pair(const struct pair *p)
{
    return p->call ? scope_of_call(p->call) : scope_of_allocation(p->own);
}

struct scope *scope_of_found(const struct found_scope *f)
{
    return f->call ? scope_of_call(f->call) : scope_of_allocation(f->own);
}

void pair_detach(struct joiner *j, struct pair *p)
{
    if (p->orphan) {
        orphan_remove(j, p);
        return;
    }
    if (p->call && p->own)
        unborrow(p);
    if (p->call || p->own) {
        list_remove(&scope_of_pair(p)->pairs, p);
        scope_of_pair(p)->n_pairs--;
    }
    p->call = NULL;
    p->own = NULL;
    p->keys = 0;
}

void pair_free(struct joiner *j, struct pair *p)
{
    pair_detach(j, p);
    pool_give(&j->pairs, p);
}

void pair_attach(struct pair *p, const struct found_scope *f)
{
    struct scope *s = scope_of_found(f);
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

void scope_free(struct joiner *j, struct scope *s, const void *owner)
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
    index_forget(j, s, owner);
    pool_give(&j->scopes, s);
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

void pair_begin(struct pair *p, const struct attempt *a)
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
static bool seen_before(const struct pair *p, unsigned n, uint32_t isn)
{
    for (unsigned i = 0; i < n; i++)
        if (p->each[i].isn == isn)
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

void pair_fold(struct pair *p, const struct attempt *a)
{
    for (unsigned i = 0; i < p->n_ids; i++)
        if (p->ids[i] == a->id) { /* the final word on a connected one */
            take_verdict(p, a);
            return;
        }
    if (!seen_before(p, p->n_ids, a->isn)) {
        p->attempts++;
        p->syns += a->syns;
        p->rsts += a->rsts;
    }
    if (p->n_ids < PAIR_IDS) {
        p->ids[p->n_ids] = a->id;
        p->each[p->n_ids++] = (struct pair_count){a->isn, a->syns, a->rsts};
    }
    take_earlier(p, a);
    take_verdict(p, a);
}

static bool same_ends(const struct pair *p, const struct pair_end end[2], uint8_t proto)
{
    return p->proto == proto &&
           ((endpoint_eq(&p->end[0].pub, &end[0].pub) &&
             endpoint_eq(&p->end[1].pub, &end[1].pub)) ||
            (endpoint_eq(&p->end[0].pub, &end[1].pub) && endpoint_eq(&p->end[1].pub, &end[0].pub)));
}

struct pair *pair_find(const struct found_scope *f, uint8_t proto, const struct pair *except)
{
    struct scope *s = scope_of_found(f);
    for (struct pair *p = s->pairs; p; p = p->next)
        if (p != except && (!f->call || p->medium == f->medium) && same_ends(p, f->end, proto))
            return p;
    return NULL;
}

/* p's figures are added to q's, less those of attempts that q knows, too. */
static void merge_counts(struct pair *q, const struct pair *p)
{
    q->attempts += p->attempts;
    q->syns += p->syns;
    q->rsts += p->rsts;
    for (unsigned i = 0; i < p->n_ids; i++) {
        const struct pair_count *k = &p->each[i];
        if (!seen_before(q, q->n_ids, k->isn) || seen_before(p, i, k->isn))
            continue;
        q->attempts--;
        q->syns -= k->syns;
        q->rsts -= k->rsts;
    }
}

void pair_merge(struct joiner *j, struct pair *q, struct pair *p)
{
    merge_counts(q, p);
    for (unsigned i = 0; i < p->n_ids && q->n_ids < PAIR_IDS; i++) {
        q->ids[q->n_ids] = p->ids[i];
        q->each[q->n_ids++] = p->each[i];
    }
    struct attempt early = {.id = p->first_id,
                            .isn = p->first_isn,
                            .src = p->first_src,
                            .dst = p->first_dst,
                            .first = p->first,
                            .last = p->last};
    take_earlier(q, &early);
    if (p->verdict_known)
        take_verdict(q, &p->best);
    q->connected |= p->connected;
    if (p->shown)
        emit_withdraw(j, p);
    pair_free(j, p);
}

/* ---- what the index says ---- */

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

void pair_adopt(struct joiner *j, struct pair *p, const struct found_scope *f)
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
