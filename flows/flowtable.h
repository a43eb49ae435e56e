/*
 * The tracker's table: one entry per connection of a pair of endpoints, found by the pair in either
 * order, and aged in first-in-first-out lists.
 *
 *   index[hash] -> entry -> entry ...      chains; a pair may have several: an old connection
 *                                          and a new attempt on its ports, or SYNs both ways
 *   list[wait][kind]: oldest ... newest    what waits for the same thing waits equally long, so the
 *                                          oldest is due first and is evicted first
 *
 * What a packet of an open connection touches is two cache lines (struct entry); the rest is apart.
 * Entry 0 is never used: 0 means none.
 */
#ifndef EW_FLOWS_FLOWTABLE_H
#define EW_FLOWS_FLOWTABLE_H

#include "flows/handshake.h"
#include "flows/limits.h"
#include "flows/tracker.h"

struct entry {
    struct flow flow;
    tick_t seen; /* last packet */
    struct handshake hs;
    uint32_t next;                            /* in the chain, or of the free ones */
    uint8_t siblings;                         /* others of this pair may exist */
    uint8_t wanted;                           /* 0 or 1: as hooks.wanted said */
    uint8_t proof;                            /* evidence is kept */
    uint8_t from_client : 1, from_server : 1; /* sides seen */
    uint8_t counted : 1, answered : 1;        /* among its hosts' open ones; SYN got an answer */
    uint8_t asking : 1;                       /* whether it is wanted is asked, not answered */
};

struct entry_cold {
    uint64_t id;           /* of the attempt, 0 = none */
    tick_t last, asked;    /* attempt.last; last SYN, TICK_NONE = not seen */
    tick_t armed;          /* when its present wait began */
    uint32_t older, newer; /* in its list */
    uint32_t evidence;
    uint32_t rtt_us;      /* UINT32_MAX = none */
    uint32_t concurrency; /* attempt.concurrency */
    uint16_t ipid;        /* of the first answer (entry.answered) */
    uint8_t ttl;          /* likewise */
    int8_t list;          /* wait * FLOW_KINDS + kind, -1 = none */
};

_Static_assert(sizeof(struct entry) == 128, "two cache lines");
_Static_assert(sizeof(struct entry_cold) <= 56, "at most 192 bytes per flow with its index");
/* The index has at least twice as many places as there are entries: most chains are of one, so that
 * what a hint asks for is what the packet needs. */

/* Those of which it is not known yet whether they are wanted take no part in eviction, and have
 * room of their own. */
enum flow_kind { FLOW_UNWANTED, FLOW_WANTED, FLOW_ASKING, FLOW_KINDS };
enum { FLOW_LISTS = WAITS * FLOW_KINDS };

struct flow_list {
    uint32_t oldest, newest, count;
    uint32_t placed; /* the last that an answer put there, or an older one; 0 = none */
};

struct flowtable {
    struct entry *hot;
    struct entry_cold *cold;
    uint32_t *index;
    uint32_t most; /* entries that are not asking */
    uint32_t size, grown, free, used, asking, buckets;
    uint64_t seed;
    struct flow_list list[FLOW_LISTS];
    tick_t due[FLOW_LISTS]; /* of the oldest of each list; INT64_MAX when empty */
};

/* 0, or -1 without memory. Besides flows there is room for LIMIT_QUESTIONS that ask. */
int flowtable_open(struct flowtable *t, uint32_t flows, uint64_t seed);
void flowtable_close(struct flowtable *t);

/* The first entry of the pair, 0 = none; *forward: its client is src. hash: endpoint_hash_pair() of
 * the two with the table's seed. */
uint32_t flowtable_find(const struct flowtable *t, uint32_t hash, const struct endpoint *src,
                        const struct endpoint *dst, bool *forward);
/* For packets handled in groups, each step after the memory that the one before asked for has come:
 * where the pair's chain begins; its first entry; that entry's flow (NULL = none). */
void flowtable_hint(const struct flowtable *t, uint32_t hash);
void flowtable_hint_entry(const struct flowtable *t, uint32_t hash);
const struct flow *flowtable_hint_flow(const struct flowtable *t, uint32_t hash);

/* The next one of the same pair. */
uint32_t flowtable_sibling(const struct flowtable *t, uint32_t n);

/* A zeroed entry for the pair, in no list; 0 = full. */
uint32_t flowtable_take(struct flowtable *t, const struct endpoint *client,
                        const struct endpoint *server);
void flowtable_remove(struct flowtable *t, uint32_t n);

/* Begins the entry's wait (hs.wait) at now. */
void flowtable_arm(struct flowtable *t, uint32_t n, tick_t now);
/* The entry, in no list yet, is asking; and then it is not any more: its wait goes on among the
 * wanted or the unwanted. */
void flowtable_asking(struct flowtable *t, uint32_t n);
void flowtable_answered(struct flowtable *t, uint32_t n, bool wanted);
/* No room for one more that is not asking. */
static inline bool flowtable_full(const struct flowtable *t)
{
    return t->used - t->asking >= t->most;
}
/* The list whose oldest entry is due first, and when: -1 and INT64_MAX when all are empty. */
int flowtable_due(const struct flowtable *t, tick_t *due);

unsigned flowtable_bytes_per_flow(void);

static inline struct flow_list *flowtable_list(struct flowtable *t, enum handshake_wait w,
                                               enum flow_kind kind)
{
    return &t->list[w * FLOW_KINDS + kind];
}

#endif
