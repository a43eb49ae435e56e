/*
 * The joiner's insides, shared by its files: joiner.c (what it is told), joiner_pair.c (life of
 * pairs and scopes), joiner_judge.c (what is claimed of a pair, and when anew), joiner_index.c (who
 * knows this endpoint?), joiner_alias.c (known relays and their two addresses), joiner_emit.c (the
 * failure record), joiner_hint.c (memory asked for ahead).
 *
 *   attempt -> pair -> scope (a call's medium, else an allocation, else none)
 *
 * A pair is two public endpoints and a transport within one scope: all attempts between them in
 * either direction, on either side of a NAT. A pair without scope waits among the orphans.
 */
#ifndef EW_FLOWS_JOINER_STATE_H
#define EW_FLOWS_JOINER_STATE_H

#include "flows/allowance.h"
#include "flows/chains.h"
#include "flows/joiner.h"
#include "flows/known.h"
#include "flows/limits.h"
#include "flows/multimap.h"
#include "flows/pool.h"

enum { PAIR_IDS = 8 };

enum node_kind { NODE_CALL, NODE_ALLOCATION, NODE_PAIR };

/* An endpoint of a pair: what the maps say of it. */
struct pair_end {
    struct endpoint wire, pub;
    bool aliased;
    bool edge; /* its address is a known relay's or Edge's */
};

struct pair {
    struct pair *next, *prev;         /* in the owner's list, or the orphans by age */
    struct fact_call *call;           /* scope; medium is an index in call->media */
    struct fact_allocation *own;      /* near allocation (owner when call is NULL) */
    struct pair *own_next, *own_prev; /* list of own's pairs, when call owns the pair */
    unsigned medium;
    uint32_t nodes[4]; /* orphan: in waiting x2, in waiting_port x2; 0 = in none */
    bool orphan;
    struct pair_end end[2]; /* in no order */
    uint8_t proto, leg;
    unsigned keys;
    uint8_t confidence;
    bool connected;
    bool verdict_known;
    struct attempt best; /* the attempt that the verdict is taken from */
    uint64_t first_id;   /* earliest attempt: part of event_id */
    uint32_t first_isn;
    struct endpoint first_src, first_dst;
    tick_t first, last;
    uint32_t attempts, syns, rsts;
    uint8_t quality;
    uint64_t ids[PAIR_IDS]; /* attempts folded in, for attempts.failure_id and finals */
    struct pair_count {
        uint32_t isn, syns, rsts;
    } each[PAIR_IDS];         /* of ids[]: counted once where two have one ISN */
    unsigned n_ids, n_linked; /* linked: attempt_failure() was told for ids[0..n_linked) */
    int64_t failure;          /* id, 0 = never emitted */
    bool client_leg;          /* client to relay server, or signaling: no scope */
    bool signaling;
    bool shown, info; /* emitted and not withdrawn; its severity then */
    uint64_t digest;  /* of what was emitted last */
    int tls_instead;  /* enum tls_instead, -1 = not applicable */
    uint32_t note;    /* trouble above TCP: number of its story in the joiner's notes, 0 = none */
};

/* The words of a trouble, by number modulo their count; the newest replaces the oldest. */
struct trouble_note {
    uint32_t number;
    char detail[TROUBLE_DETAIL], partner[TROUBLE_PARTNER];
};

enum { SCOPE_FEW = 16 };

/* Joiner state of a call or an allocation (fact->join). Small, and what a call of one medium needs
 * in front: it is in no cache any more when something of it happens. */
struct scope {
    struct pair *pairs;    /* owned */
    struct pair *borrowed; /* allocation: pairs owned by a call, through own_next */
    uint32_t *nodes;       /* entries in the indexes: tag or node << 2 | which; few, until many */
    unsigned n_nodes, room, n_pairs;
    unsigned sends_seen;   /* allocation: sends that were looked at */
    unsigned answers_seen; /* ... of which were answered */
    bool relay_indexed, over;
    bool claimed;                         /* allocation: a call told its story */
    bool connected[LIMIT_MEDIA_PER_CALL]; /* allocation: [0] */
    bool
        failed[LIMIT_MEDIA_PER_CALL]; /* call: by a client's way to its relay; else see the pairs */
    bool unseen[LIMIT_MEDIA_PER_CALL];
    uint32_t few[SCOPE_FEW];
    struct addr client[CALL_SIDES];                     /* call: host candidate's address */
    uint16_t indexed[LIMIT_MEDIA_PER_CALL][CALL_SIDES]; /* candidates already indexed */
    uint64_t preset[LIMIT_MEDIA_PER_CALL][CALL_SIDES];  /* index_key() of the default address */
    int64_t
        verdict_row[LIMIT_MEDIA_PER_CALL]; /* failure id of not-tried/unseen/alloc-fail, 0 none */
};

struct alias_entry {
    struct fact_alias alias;
    uint16_t ports[ALIAS_TRUSTED_PORTS];
};

struct joiner {
    struct joiner_config config;
    struct joiner_hooks hooks;
    struct multimap by_endpoint;  /* calls' and allocations' own endpoints */
    struct multimap by_port;      /* allocations by relay port: same port, other address */
    struct chains waiting;        /* orphan pairs by wire endpoint */
    struct chains waiting_port;   /* orphan pairs by port, >= 1024 */
    struct chains by_client;      /* granted allocations and calls by client address */
    struct pair *oldest, *newest; /* orphans */
    uint32_t n_orphans;
    uint32_t ports_waiting[65536]; /* orphans' ends per port: most new endpoints concern none */
    uint32_t
        ports_known[65536]; /* nodes of by_endpoint per port: most ends of attempts (a client's
                               port, 443, 5061) are in none, and this table stays in the cache */
    struct pool pairs, scopes;
    struct alias_entry aliases[LIMIT_ALIASES];
    struct fact_alias alias_list[LIMIT_ALIASES];
    unsigned n_aliases;
    struct known relay_addrs, servers;
    struct trouble_note notes[LIMIT_TROUBLE_NOTES];
    uint32_t last_note;
    int64_t last_failure;
    bool rescan; /* an alias became trusted: look at all orphans again */
    struct allowance strange_peers, strange_clients, edges_own;
    struct joiner_counts counts;
};

/* What the index says of an attempt's ends at time t. */
struct found_scope {
    struct fact_call *call;
    unsigned medium;
    struct fact_allocation *own;
    struct pair_end end[2];
    struct match_answer answer;
    int score;
};

/* joiner_index.c */
uint64_t index_key(const struct joiner *j, const struct endpoint *e);
uint64_t index_port_key(const struct joiner *j, uint16_t port);
/* The first entry of by_endpoint for e, NULL = none; go on with multimap_next(). */
const struct multimap_slot *index_first(const struct joiner *j, const struct endpoint *e);
void index_call(struct joiner *j, struct fact_call *c);
void index_allocation(struct joiner *j, struct fact_allocation *a);
/* The scope will be forgotten soon. */
void index_prefetch(const struct joiner *j, const struct scope *s);
void index_forget(struct joiner *j, struct scope *s, const void *owner);
bool index_find(struct joiner *j, const struct pair *p, struct found_scope *out);
struct fact_allocation *index_allocation_at(const struct joiner *j, const struct endpoint *relay,
                                            tick_t t);
uint64_t index_client_key(const struct joiner *j, const struct addr *a);
/* ... of by_client for an address; go on with chains_next(). */
const struct chain_node *index_client_first(const struct joiner *j, const struct addr *a);
/* The call of the client at this address, begun at most CLIENT_SERVED after t. NULL = none. */
struct fact_call *index_client_call(const struct joiner *j, const struct addr *client, tick_t t);
bool index_client_served(const struct joiner *j, const struct addr *client, tick_t t);

/* joiner_alias.c */
void alias_resolve(const struct joiner *j, const struct endpoint *wire, struct pair_end *out);
void alias_configure(struct joiner *j, const struct fact_alias *a);
void alias_learn(struct joiner *j, const struct addr *private_addr, const struct addr *public_addr,
                 uint16_t port);
void relay_addr_add(struct joiner *j, const struct addr *a);
void server_add(struct joiner *j, const struct endpoint *e);
bool is_server(const struct joiner *j, const struct endpoint *e);
bool is_edge(const struct joiner *j, const struct addr *a);
bool is_configured_edge(const struct joiner *j, const struct addr *a);

/* joiner_emit.c */
void emit_pair(struct joiner *j, struct pair *p);
void emit_withdraw(struct joiner *j, struct pair *p);
void emit_link(struct joiner *j, struct pair *p);
void emit_medium(struct joiner *j, struct fact_call *c, unsigned medium, enum verdict v);
void emit_allocation(struct joiner *j, struct fact_allocation *a, enum verdict v);

/* joiner_pair.c: scopes */
struct scope *scope_new(struct joiner *j); /* NULL without memory */
/* With its pairs; NULL is fine. owner: whose join it is. */
void scope_free(struct joiner *j, struct scope *s, const void *owner);
struct scope *scope_of_call(struct fact_call *c);
struct scope *scope_of_allocation(struct fact_allocation *a);
struct scope *scope_of_pair(const struct pair *p); /* p has one */
struct scope *scope_of_found(const struct found_scope *f);

/* joiner_pair.c: pairs */
void pair_begin(struct pair *p, const struct attempt *a); /* without the attempt: see pair_fold() */
void pair_free(struct joiner *j, struct pair *p);
void pair_attach(struct pair *p, const struct found_scope *f);
void pair_detach(struct joiner *j, struct pair *p); /* from its scope or the orphans */
/* The pair between these ends in that scope, another than except; NULL = none. */
struct pair *pair_find(const struct found_scope *f, uint8_t proto, const struct pair *except);
void pair_fold(struct pair *p, const struct attempt *a);
/* p joins q: same ends, same scope, found out late. p is gone then. */
void pair_merge(struct joiner *j, struct pair *q, struct pair *p);
/* Within one scope keys only add up, whichever sight or fact brought them. */
void pair_adopt(struct joiner *j, struct pair *p, const struct found_scope *f);

/* joiner_pair.c: orphans, pairs that wait for an explanation */
/* p may be added soon. */
void orphan_prefetch(const struct joiner *j, const struct pair *p);
void orphan_add(struct joiner *j, struct pair *p);
void orphan_remove(struct joiner *j, struct pair *p);
void orphan_room(struct joiner *j); /* for one more: the oldest gives way */
struct pair *orphan_find(struct joiner *j, const struct pair *like);

/* joiner_judge.c */
void judge_pair(struct joiner *j, struct pair *p);
/* Data came back through the relay: the path works, wherever its outer leg ran. */
void judge_relay_works(struct joiner *j, const struct fact_allocation *a);
void rejudge_pairs(struct joiner *j, struct scope *s);
void rejudge_shown(struct joiner *j, struct scope *s); /* those of which a failure is told */
void rejudge_borrowed(struct joiner *j, struct scope *s);
/* Orphans whose ends this endpoint may explain. */
void rejudge_waiting(struct joiner *j, const struct endpoint *e, bool relay);
/* Something new is known of a client: its failed ways to relay servers may be told otherwise. */
void rejudge_client(struct joiner *j, const struct addr *client);
/* Somebody new knows this relay port: pairs of others who know it may be his, or gain keys. */
void rejudge_owners_at(struct joiner *j, const struct endpoint *relay);
/* All orphans, after an alias became trusted. Not while lists are being walked: the public calls do
 * it last. */
void rejudge_orphans(struct joiner *j);

#endif
