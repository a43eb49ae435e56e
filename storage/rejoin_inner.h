/* What the parts of rejoining share: rejoin.c (what is joined, and how), rejoin_sweep.c (facts into
 * the joiner) and rejoin_store.c (its failures into the database). */
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

enum rejoin_sql {
    REJOIN_FIND,
    REJOIN_TAKE,
    REJOIN_RUN,
    REJOIN_LEAVE,
    REJOIN_REMOVE,
    REJOIN_REMOVE_FINDINGS,
    REJOIN_SQLS
};

struct rejoin {
    struct store *s;
    int64_t run, packets; /* packets: the run, or for a log one that saw packets */
    const char *sensor;
    int64_t first, last;    /* the stretch, us */
    struct block **failure; /* record_failure by joiner's id - 1, told and not stored yet */
    int64_t *rows; /* likewise: its row; below 0: that row, but taken back since; 0: none */
    size_t n_failures;
    sqlite3_stmt *sql[REJOIN_SQLS];
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

/* All in order; each 0, or -1 with db.why. The first takes away the failures of the scopes and the
 * stretch; the sweep calls rejoin_store() for what the joiner has said so far; the last ties
 * attempts to their failures. */
int rejoin_open(struct rejoin *r);
int rejoin_sweep(struct rejoin *r, struct joiner *j);
int rejoin_store(struct rejoin *r);
int rejoin_close(struct rejoin *r);
void rejoin_statements_free(struct rejoin *r);

#endif
