/*
 * What is claimed of a pair, and when that is asked anew: every new fact may explain pairs that
 * wait, give a pair another scope, or show that it worked after all.
 */
#include "flows/joiner_state.h"

/* ---- one pair ---- */

/* Who sends SYNs to a known relay brings about a failure with each: so many a minute, and no more.
 */
static bool stranger_allowed(struct joiner *j, struct allowance *from, tick_t t, uint32_t limit)
{
    bool allowed = allowance_take(from, t, limit);
    j->counts.strangers_suppressed += !allowed;
    return allowed;
}

/* A client of the site, or one that was served before, is told of each time. */
static bool client_allowed(struct joiner *j, const struct pair *p)
{
    const struct addr *client = &p->end[0].wire.addr;
    return addr_is_private(client) || index_client_first(j, client) ||
           stranger_allowed(j, &j->strange_clients, p->first, LIMIT_UNKNOWN_PER_MINUTE);
}

/* What an Edge itself tries is no stranger's doing, but of the Edge whose signaling can't be read.
 */
static bool grade_c_allowed(struct joiner *j, const struct pair *p)
{
    if (is_edge(j, &p->end[0].wire.addr))
        return stranger_allowed(j, &j->edges_own, p->first, LIMIT_UNKNOWN_IN_ALL);
    return stranger_allowed(j, &j->strange_peers, p->first, LIMIT_UNKNOWN_PER_MINUTE);
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

static void judge_connected(struct joiner *j, struct pair *p)
{
    struct scope *s = scope_of_pair(p);
    if (s->connected[p->medium])
        return;
    s->connected[p->medium] = true;
    for (struct pair *q = s->pairs; q; q = q->next)
        if (q->shown && q->medium == p->medium)
            emit_pair(j, q);
}

void judge_pair(struct joiner *j, struct pair *p)
{
    bool scoped = p->call || p->own;
    if (p->connected) {
        if (p->shown)
            emit_withdraw(j, p);
        if (scoped)
            judge_connected(j, p);
        return;
    }
    if (!p->verdict_known)
        return;
    if (scoped && p->best.verdict == VERDICT_UNSEEN) {
        scope_of_pair(p)->unseen[p->medium] = true;
        return;
    }
    if (scoped || (p->client_leg && (p->shown || client_allowed(j, p))) ||
        (!p->client_leg && grade_c(j, p) && (p->shown || grade_c_allowed(j, p))))
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
        judge_pair(j, p);
        return;
    }
    if (!found) {
        if (p->orphan) /* of an Edge that was not known as one before? */
            judge_pair(j, p);
        return;
    }
    struct pair *q = pair_find(&f, p->proto, p);
    if (q) {
        pair_adopt(j, q, &f);
        pair_merge(j, q, p);
        judge_pair(j, q);
        return;
    }
    bool moved = p->orphan || p->call != f.call || p->own != f.own || p->medium != f.medium;
    if (moved)
        pair_detach(j, p);
    pair_adopt(j, p, &f);
    if (moved)
        pair_attach(p, &f);
    judge_pair(j, p);
}

/* ---- pairs that a new fact may concern ---- */

enum { WALK_MAX = 256 }; /* orphans looked at per new endpoint; more is an attack, not a call */

static unsigned collect(const struct chains *m, uint64_t key, struct pair *out[WALK_MAX])
{
    unsigned n = 0;
    for (const struct chain_node *at = chains_first(m, key); at && n < WALK_MAX;
         at = chains_next(m, at))
        out[n++] = at->owner;
    return n;
}

void rejudge_waiting(struct joiner *j, const struct endpoint *e, bool relay)
{
    struct pair *hits[WALK_MAX];
    if (!j->ports_waiting[e->port])
        return;
    unsigned n = collect(&j->waiting, index_key(j, e), hits);
    for (unsigned i = 0; i < n; i++)
        if (hits[i]->orphan &&
            (endpoint_eq(&hits[i]->end[0].wire, e) || endpoint_eq(&hits[i]->end[1].wire, e)))
            rejudge(j, hits[i]);
    n = relay && e->port >= 1024 ? collect(&j->waiting_port, index_port_key(j, e->port), hits) : 0;
    for (unsigned i = 0; i < n; i++)
        if (hits[i]->orphan)
            rejudge(j, hits[i]);
}

void rejudge_orphans(struct joiner *j)
{
    while (j->rescan) {
        j->rescan = false;
        for (struct pair *p = j->oldest, *next; p; p = next) {
            next = p->next;
            rejudge(j, p);
        }
    }
}

void rejudge_client(struct joiner *j, const struct addr *client)
{
    struct pair *hits[WALK_MAX];
    unsigned n = collect(&j->waiting, index_client_key(j, client), hits);
    for (unsigned i = 0; i < n; i++)
        if (hits[i]->client_leg && hits[i]->shown)
            emit_pair(j, hits[i]);
}

void judge_relay_works(struct joiner *j, const struct fact_allocation *a)
{
    for (const struct multimap_slot *n = index_first(j, &a->relay); n;
         n = multimap_next(&j->by_endpoint, n)) {
        struct fact_call *c = n->owner;
        if (n->kind != NODE_CALL || !match_call_alive(c, a->started, ALLOCATION_GRACE) ||
            scope_of_call(c)->connected[n->medium])
            continue;
        struct pair as_if = {.call = c, .medium = n->medium};
        judge_connected(j, &as_if);
    }
}

void rejudge_pairs(struct joiner *j, struct scope *s)
{
    for (struct pair *p = s->pairs, *next; p; p = next) {
        next = p->next;
        rejudge(j, p);
    }
}

void rejudge_shown(struct joiner *j, struct scope *s)
{
    for (struct pair *p = s->pairs, *next; p; p = next) {
        next = p->next;
        if (p->shown)
            rejudge(j, p);
    }
}

void rejudge_borrowed(struct joiner *j, struct scope *s)
{
    for (struct pair *p = s->borrowed, *next; p; p = next) {
        next = p->own_next;
        rejudge(j, p);
    }
}

void rejudge_owners_at(struct joiner *j, const struct endpoint *relay)
{
    for (const struct multimap_slot *n = index_first(j, relay); n;
         n = multimap_next(&j->by_endpoint, n)) {
        if (n->kind == NODE_CALL) {
            rejudge_pairs(j, scope_of_call(n->owner));
            continue;
        }
        rejudge_pairs(j, scope_of_allocation(n->owner));
        if (scope_of_allocation(n->owner)->connected[0])
            judge_relay_works(j, n->owner);
    }
}
