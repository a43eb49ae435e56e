/* The joiner's indexes: which call or allocation knows this endpoint? */
#include <stdlib.h>

#include "flows/joiner_state.h"
#include "flows/wire/sdp.h"
#include "flows/memory.h"

uint64_t index_key(const struct joiner *j, const struct endpoint *e)
{
    return endpoint_hash(e, j->config.seed);
}

uint64_t index_port_key(const struct joiner *j, uint16_t port)
{
    struct endpoint e = {.port = port};
    return endpoint_hash(&e, j->config.seed ^ 0x5bd1e995u);
}

uint64_t index_client_key(const struct joiner *j, const struct addr *a)
{
    struct endpoint e = {.addr = *a};
    return endpoint_hash(&e, j->config.seed);
}

/* ---- nodes ---- */

enum { BY_ENDPOINT, BY_PORT, BY_CLIENT };

static struct multimap *map_of(struct joiner *j, unsigned which)
{
    return which == BY_ENDPOINT ? &j->by_endpoint : &j->by_port;
}

/* Whose entry it is, and of what in it. */
struct index_owner {
    void *owner;
    enum node_kind kind;
    unsigned medium, side;
};

static bool more_nodes(struct scope *s)
{
    unsigned room = s->room * 2;
    uint32_t *grown =
        memory_got(realloc(s->nodes == s->few ? NULL : s->nodes, room * sizeof *grown));
    if (!grown)
        return false;
    if (s->nodes == s->few)
        memcpy(grown, s->few, sizeof s->few);
    s->nodes = grown;
    s->room = room;
    return true;
}

/* Is there one entry more in the map? */
static bool node_add(struct joiner *j, struct scope *s, unsigned which, uint64_t key, uint16_t more,
                     const struct index_owner *o)
{
    if (s->n_nodes == s->room && !more_nodes(s))
        return false;
    enum multimap_added added =
        multimap_add(map_of(j, which), key, more, o->owner, (uint8_t)o->kind, o->medium, o->side);
    if (added != MULTIMAP_FULL)
        s->nodes[s->n_nodes++] = multimap_tag(key) << 2 | which;
    return added == MULTIMAP_ADDED;
}

static void endpoint_add(struct joiner *j, struct scope *s, const struct endpoint *e,
                         const struct index_owner *o)
{
    if (node_add(j, s, BY_ENDPOINT, index_key(j, e), e->port, o))
        j->ports_known[e->port]++;
}

static void port_add(struct joiner *j, struct scope *s, uint16_t port, const struct index_owner *o)
{
    uint64_t key = index_port_key(j, port);
    node_add(j, s, BY_PORT, key, multimap_more(key), o);
}

static void client_add(struct joiner *j, struct scope *s, const struct addr *a,
                       const struct index_owner *o)
{
    if (s->n_nodes == s->room && !more_nodes(s))
        return;
    uint32_t node = chains_add(&j->by_client, index_client_key(j, a), o->owner, (uint8_t)o->kind,
                               (uint8_t)o->side);
    if (node)
        s->nodes[s->n_nodes++] = node << 2 | BY_CLIENT;
}

const struct multimap_slot *index_first(const struct joiner *j, const struct endpoint *e)
{
    return j->ports_known[e->port] ? multimap_first(&j->by_endpoint, index_key(j, e), e->port)
                                   : NULL;
}

const struct chain_node *index_client_first(const struct joiner *j, const struct addr *a)
{
    return chains_first(&j->by_client, index_client_key(j, a));
}

void index_prefetch(const struct joiner *j, const struct scope *s)
{
    for (unsigned i = 0; i < s->n_nodes; i++) {
        const uint32_t at = s->nodes[i] >> 2;
        if ((s->nodes[i] & 3) == BY_CLIENT)
            chains_prefetch_node(&j->by_client, at);
        else
            multimap_prefetch_old((s->nodes[i] & 3) == BY_PORT ? &j->by_port : &j->by_endpoint, at);
    }
}

void index_forget(struct joiner *j, struct scope *s, const void *owner)
{
    for (unsigned i = 0; i < s->n_nodes; i++) {
        unsigned which = s->nodes[i] & 3;
        if (which == BY_CLIENT) {
            chains_remove(&j->by_client, s->nodes[i] >> 2);
            continue;
        }
        int port = multimap_remove(map_of(j, which), s->nodes[i] >> 2, owner);
        if (which == BY_ENDPOINT && port >= 0)
            j->ports_known[port]--;
    }
    if (s->nodes != s->few)
        free(s->nodes);
    s->nodes = s->few;
    s->n_nodes = 0;
    s->room = SCOPE_FEW;
}

static void index_endpoint(struct joiner *j, struct fact_call *c, unsigned medium, unsigned side,
                           const struct endpoint *e, bool relay)
{
    struct scope *s = c->join;
    const struct index_owner o = {c, NODE_CALL, medium, side};
    endpoint_add(j, s, e, &o);
    if (j->n_orphans)
        rejudge_waiting(j, e, relay);
    if (relay)
        rejudge_owners_at(j, e);
}

/* ports 0 and 9 (discard: RFC 6544 active candidates) are never connected to */
static bool usable(const struct endpoint *e)
{
    return e->port != 0 && e->port != 9 && !addr_none(&e->addr);
}

static bool anybody_waits(const struct joiner *j, const struct addr *client)
{
    return j->n_orphans && chains_first(&j->waiting, index_client_key(j, client));
}

/* The client's own address: what fails between it and its relay server concerns the call. If the
 * side names another one right after it, that will be the client's, and this one is only of use to
 * whoever waits for it, or to say that somebody at a public address is known. */
static void index_client(struct joiner *j, struct fact_call *c, unsigned medium, unsigned side,
                         const struct addr *a, const struct addr *last)
{
    struct scope *s = c->join;
    if (addr_eq(&s->client[side], a) || addr_none(a))
        return;
    s->client[side] = *a;
    if (!addr_eq(a, last) && addr_is_private(a) && !anybody_waits(j, a))
        return;
    client_add(j, s, a, &(struct index_owner){c, NODE_CALL, medium, side});
    if (j->n_orphans)
        rejudge_client(j, a);
}

/* Of the candidates from there on; NULL: there is none. */
static const struct addr *last_host(const struct fact_side *f, unsigned from)
{
    for (unsigned i = f->n_candidates; i > from; i--)
        if (f->candidates[i - 1].type == CAND_HOST && !addr_none(&f->candidates[i - 1].at.addr))
            return &f->candidates[i - 1].at.addr;
    return NULL;
}

static void index_side(struct joiner *j, struct fact_call *c, unsigned medium, unsigned side)
{
    struct scope *s = c->join;
    const struct fact_side *f = &c->media[medium].side[side];
    uint64_t *preset = &s->preset[medium][side];
    const struct addr *client = last_host(f, s->indexed[medium][side]);
    if (f->present && usable(&f->preset) && index_key(j, &f->preset) != *preset) {
        *preset = index_key(j, &f->preset);
        index_endpoint(j, c, medium, side, &f->preset, true);
    }
    for (unsigned i = s->indexed[medium][side]; i < f->n_candidates; i++) {
        const struct fact_candidate *k = &f->candidates[i];
        bool again = i && endpoint_eq(&k->at, &f->candidates[i - 1].at);
        if (k->type == CAND_HOST)
            index_client(j, c, medium, side, &k->at.addr, client);
        if (usable(&k->at) && !again && index_key(j, &k->at) != *preset)
            index_endpoint(j, c, medium, side, &k->at, k->type == CAND_RELAY);
    }
    s->indexed[medium][side] = f->n_candidates;
}

void index_call(struct joiner *j, struct fact_call *c)
{
    for (unsigned m = 0; m < c->n_media && m < LIMIT_MEDIA_PER_CALL; m++)
        for (unsigned side = 0; side < CALL_SIDES; side++)
            index_side(j, c, m, side);
}

void index_allocation(struct joiner *j, struct fact_allocation *a)
{
    struct scope *s = a->join;
    const struct index_owner o = {a, NODE_ALLOCATION, 0, 0};
    const struct endpoint *relays[2] = {&a->relay, &a->relay2};
    if (s->relay_indexed || !a->granted)
        return;
    s->relay_indexed = true;
    chains_prefetch(&j->by_client, index_client_key(j, &a->client.addr));
    for (int i = 0; i < 2; i++) {
        multimap_prefetch(&j->by_endpoint, multimap_tag(index_key(j, relays[i])));
        multimap_prefetch(&j->by_port, multimap_tag(index_port_key(j, relays[i]->port)));
    }
    for (int i = 0; i < 2; i++) {
        if (!usable(relays[i]))
            continue;
        relay_addr_add(j, &relays[i]->addr);
        endpoint_add(j, s, relays[i], &o);
        port_add(j, s, relays[i]->port, &o);
    }
    client_add(j, s, &a->client.addr, &o);
}

/* ---- questions ---- */

/* Ports are reused: who lived at t itself comes before who only comes near it, then the later one.
 */
static bool better_owner(const struct fact_allocation *a, const struct fact_allocation *b, tick_t t)
{
    bool a_lived = a->started <= t && (a->ended == TICK_NONE || t <= a->ended);
    bool b_lived = b->started <= t && (b->ended == TICK_NONE || t <= b->ended);
    return a_lived != b_lived ? a_lived : a->started > b->started;
}

struct fact_allocation *index_allocation_at(const struct joiner *j, const struct endpoint *relay,
                                            tick_t t)
{
    struct fact_allocation *best = NULL;
    for (const struct multimap_slot *n = index_first(j, relay); n;
         n = multimap_next(&j->by_endpoint, n)) {
        struct fact_allocation *a = n->owner;
        if (n->kind == NODE_ALLOCATION && match_owns(a, relay) &&
            match_allocation_alive(a, t, MATCH_SLACK) && (!best || better_owner(a, best, t)))
            best = a;
    }
    return best;
}

bool index_client_served(const struct joiner *j, const struct addr *client, tick_t t)
{
    for (const struct chain_node *n = index_client_first(j, client); n;
         n = chains_next(&j->by_client, n)) {
        const struct fact_allocation *a = n->owner;
        if (n->kind == NODE_ALLOCATION && addr_eq(&a->client.addr, client) &&
            a->started <= t + CLIENT_SERVED &&
            (a->ended == TICK_NONE || a->ended >= t - CLIENT_SERVED))
            return true;
    }
    return false;
}

struct fact_call *index_client_call(const struct joiner *j, const struct addr *client, tick_t t)
{
    struct fact_call *best = NULL;
    for (const struct chain_node *n = index_client_first(j, client); n;
         n = chains_next(&j->by_client, n)) {
        struct fact_call *c = n->owner;
        if (n->kind == NODE_CALL && addr_eq(&scope_of_call(c)->client[n->side], client) &&
            match_call_alive(c, t, CLIENT_SERVED) && (!best || c->started > best->started))
            best = c;
    }
    return best;
}

/* An answer counts if the far end agrees, or at least the asker is a relay of ours: strangers that
 * knock at a relay port are noise, not a negotiated pair. */
static bool acceptable(const struct match_question *q, const struct match_answer *a)
{
    if (!a->keys || a->keys == KEY_ALIAS)
        return false;
    if (a->both_ends || a->send)
        return true;
    if (q->end[0].allocation)
        return true;
    return a->side[0] >= 0; /* the asker's own address was negotiated */
}

/* What is the same for every scope that is considered for a pair. */
struct inquiry {
    struct match_question q; /* call and medium: those judged last */
    bool asked_call,
        asked_alone; /* ... and without a call: nodes of one scope come several times */
};

static void inquiry_begin(const struct joiner *j, const struct pair *p,
                          const struct pair_end end[2], struct inquiry *in)
{
    *in = (struct inquiry){.q = {.proto = p->proto}};
    struct match_question *q = &in->q;
    for (int e = 0; e < 2; e++) {
        q->end[e] = (struct match_end){end[e].wire, end[e].pub, end[e].aliased,
                                       index_allocation_at(j, &end[e].pub, p->first)};
        q->any_edge[e] = end[e].edge;
    }
}

/* Was it judged already? If not, it will be now. */
static bool asked(struct inquiry *in, const struct fact_call *c, unsigned medium)
{
    bool *before = c ? &in->asked_call : &in->asked_alone;
    if (*before && (!c || (in->q.call == c && in->q.medium == medium)))
        return true;
    *before = true;
    if (c) {
        in->q.call = c;
        in->q.medium = medium;
    }
    return false;
}

static void consider(struct inquiry *in, tick_t when, const struct pair_end end[2],
                     struct fact_call *c, unsigned medium, struct found_scope *best)
{
    struct match_question q;
    struct match_answer a;
    if (asked(in, c, medium) || (!c && best->call) || /* no allocation alone beats a call */
        (c && (medium >= c->n_media || !match_call_alive(c, when, MATCH_SLACK))))
        return;
    q = in->q;
    q.call = c;
    match_judge(&q, &a);
    if (!acceptable(&q, &a))
        return;
    tick_t started = c ? c->started : TICK_NONE;
    int score = (c ? 200 : 0) + (a.both_ends ? 100 : 0) + (a.send ? 50 : 0) +
                10 * __builtin_popcount(a.keys) + (!c || c->started <= when ? 5 : 0);
    bool later = best->call && c && started > best->call->started;
    if (score < best->score || (score == best->score && !later))
        return;
    const struct fact_allocation *own = q.end[a.near].allocation;
    *best =
        (struct found_scope){c, medium, (struct fact_allocation *)own, {end[0], end[1]}, a, score};
}

/* Calls that offered this relay address: the far end may be unknown to their SDP. */
static void consider_endpoint(const struct joiner *j, struct inquiry *in, tick_t when,
                              const struct pair_end end[2], const struct endpoint *e,
                              struct found_scope *best)
{
    for (const struct multimap_slot *n = index_first(j, e); n;
         n = multimap_next(&j->by_endpoint, n)) {
        if (n->kind == NODE_CALL)
            consider(in, when, end, n->owner, n->medium, best);
        else
            consider(in, when, end, NULL, 0, best);
    }
}

/* What an end may be that nobody knows: a relay behind NAT, with the port of one that somebody has,
 * who was to reach the far end through it. */
struct alias_guess {
    const struct joiner *j;
    const struct pair *p;
    const struct pair_end *end; /* both */
    int which;                  /* the one in question */
    struct found_scope *best;
};

static void consider_alias(const struct alias_guess *g, const struct endpoint *relay)
{
    const struct pair_end *end = &g->end[g->which];
    struct pair_end guess[2] = {g->end[0], g->end[1]};
    struct inquiry in;
    if (relay->port != end->wire.port || addr_eq(&relay->addr, &end->wire.addr) ||
        addr_is_v4(&relay->addr) != addr_is_v4(&end->wire.addr))
        return;
    guess[g->which].pub = *relay;
    guess[g->which].aliased = guess[g->which].edge = true;
    inquiry_begin(g->j, g->p, guess, &in);
    consider_endpoint(g->j, &in, g->p->first, guess, relay, g->best);
}

static void guess_by_allocations(const struct alias_guess *g)
{
    const struct endpoint *far = &g->end[!g->which].pub;
    uint64_t key = index_port_key(g->j, g->end[g->which].wire.port);
    for (const struct multimap_slot *n = multimap_first(&g->j->by_port, key, multimap_more(key)); n;
         n = multimap_next(&g->j->by_port, n)) {
        const struct fact_allocation *a = n->owner;
        for (unsigned i = 0; i < a->n_sends; i++)
            if (endpoint_eq(&a->sends[i].peer, far)) {
                consider_alias(g, &a->relay);
                break;
            }
    }
}

static bool side_names(const struct fact_side *s, const struct endpoint *e)
{
    bool named = s->present && endpoint_eq(&s->preset, e);
    for (unsigned i = fact_next_at(s, 0, e->port); i < s->n_candidates && !named;
         i = fact_next_at(s, i + 1, e->port))
        named = endpoint_eq(&s->candidates[i].at, e);
    return named;
}

/* Did the side offer a relay, or an address by default, at that port? *at: where it is then. */
static bool side_relays(const struct fact_side *s, uint16_t port, struct endpoint *at)
{
    bool any = s->present && s->preset.port == port && usable(&s->preset);
    *at = s->preset;
    for (unsigned i = fact_next_at(s, 0, port); i < s->n_candidates;
         i = fact_next_at(s, i + 1, port)) {
        const struct fact_candidate *k = &s->candidates[i];
        if (k->at.port != port)
            continue;
        if (at->port != port)
            *at = k->at;
        any |= usable(&k->at) && (k->type == CAND_RELAY || k->dialect == DIALECT_DEFAULT);
    }
    return any;
}

/* Calls that name the far end: asked by that, which few know, and not by the port, which many
 * calls share. */
static void guess_by_calls(const struct alias_guess *g)
{
    const struct endpoint *far = &g->end[!g->which].pub;
    for (const struct multimap_slot *n = index_first(g->j, far); n;
         n = multimap_next(&g->j->by_endpoint, n)) {
        const struct fact_call *c = n->owner;
        struct endpoint relay;
        if (n->kind == NODE_CALL && n->medium < c->n_media &&
            side_names(&c->media[n->medium].side[n->side], far) &&
            side_relays(&c->media[n->medium].side[!n->side], g->end[g->which].wire.port, &relay))
            consider_alias(g, &relay);
    }
}

static void consider_aliases(const struct joiner *j, const struct pair *p,
                             const struct pair_end end[2], int which, struct found_scope *best)
{
    const struct alias_guess g = {j, p, end, which, best};
    if (end[which].aliased || end[which].wire.port < 1024)
        return;
    guess_by_calls(&g);
    guess_by_allocations(&g);
}

bool index_find(struct joiner *j, const struct pair *p, struct found_scope *out)
{
    struct pair_end end[2];
    struct inquiry in;
    *out = (struct found_scope){.score = 0};
    for (int e = 0; e < 2; e++) {
        alias_resolve(j, &p->end[e].wire, &end[e]);
        if (j->ports_known[end[e].pub.port])
            multimap_prefetch(&j->by_endpoint, multimap_tag(index_key(j, &end[e].pub)));
    }
    inquiry_begin(j, p, end, &in);
    for (int e = 0; e < 2; e++)
        consider_endpoint(j, &in, p->first, end, &end[e].pub, out);
    /* one end may be known by itself while the other is behind NAT */
    for (int e = 0; e < 2 && !out->answer.both_ends && !out->answer.send; e++)
        consider_aliases(j, p, end, e, out);
    return out->score > 0;
}
