/* What the two halves of rejoining share: rejoin.c (facts into the joiner) and rejoin_store.c (its
 * failures into the database). */
#ifndef EW_STORAGE_REJOIN_INNER_H
#define EW_STORAGE_REJOIN_INNER_H

#include "flows/limits.h"
#include "storage/load.h"
#include "storage/store.h"

/* The largest failure: FINDINGS_MAX findings of 1.5 kB, and texts. */
enum { FAILURE_BYTES = 64 << 10 };

struct rejoin_link {
    int64_t attempt, failure;
};

struct rejoin {
    struct store *s;
    int64_t run, packets; /* packets: the run, or for a log one that saw packets */
    const char *sensor;
    int64_t first, last; /* the stretch, us */
    struct loaded facts;
    struct block **failure; /* record_failure by joiner's id - 1; NULL = withdrawn */
    size_t n_failures;
    struct block *scratch; /* of FAILURE_BYTES */
    struct rejoin_link *links;
    size_t n_links, room_links;
    struct addr edges[LIMIT_ALIASES];
    unsigned n_edges;
    struct fact_alias aliases[LIMIT_ALIASES];
    unsigned n_aliases;
    uint16_t relay_low, relay_high;
    bool failed;       /* no memory inside a hook */
    bool alias_failed; /* no writing inside a hook: db.why tells */
};

/* Puts the joiner's failures in the place of those stored for the scopes and the stretch. */
int rejoin_store(struct rejoin *r);

#endif
