/*
 * Records on their way to the writer thread: deep copies, laid one behind the other in blocks.
 *
 *   block: [kind size | struct | its arrays and texts] [kind size | ...] ...
 *
 * All pointers of a record point into its own block, which never moves, so the reading side uses
 * the engine's own structs without decoding anything.
 */
#ifndef EW_STORAGE_RECORD_H
#define EW_STORAGE_RECORD_H

#include "flows/facts.h"
#include "flows/findings.h"
#include "flows/joiner.h"
#include "flows/matcher.h"
#include "flows/pipeline.h"
#include "storage/privacy.h"

enum record_kind {
    RECORD_ATTEMPT,
    RECORD_LINK,
    RECORD_CALL,
    RECORD_ALLOCATION,
    RECORD_ALIAS,
    RECORD_FAILURE,
    RECORD_GONE,
    RECORD_TRAFFIC,
    RECORD_HEALTH,
    RECORD_TROUBLE,
    RECORD_TLS,
    RECORD_ADVANCE,
    RECORD_FEED,
    RECORD_LOG,
    RECORDS
};

struct block {
    struct block *next;
    struct privacy *veil; /* lent: what is copied gets its pseudonyms; NULL = as it is */
    size_t used, room;
    bool full; /* a copy did not fit */
    _Alignas(16) uint8_t data[];
};

struct record_attempt {
    struct attempt attempt;
    unsigned n;
    struct evidence *evidence;
};
struct record_link {
    uint64_t attempt;
    int64_t failure;
};
struct record_finding {
    const char *code, *evidence, *advice;
    bool likely;
};
struct record_failure {
    struct failure failure;
    unsigned n;
    struct record_finding *list;
};
struct record_health {
    struct health_row row;
    const char *interface;
    uint64_t queue_lost; /* records dropped since the last engine row */
};

/* NULL without memory. */
struct block *block_new(size_t room);

/* Each appends one record, or leaves the block as it was and returns false if it does not fit. */
bool record_attempt(struct block *b, const struct attempt *a, const struct evidence *ev,
                    unsigned n);
bool record_call(struct block *b, const struct fact_call *c);
bool record_allocation(struct block *b, const struct fact_allocation *a);
bool record_failure(struct block *b, const struct failure *f, const struct finding *list,
                    unsigned n);
/* A block with a copy of one failure that record_next() gave. The caller frees it. NULL without
 * memory. */
struct block *record_failure_alone(const struct record_failure *r);
bool record_tls(struct block *b, const struct fact_tls *t);
bool record_health(struct block *b, const struct health_row *h, const char *interface,
                   uint64_t lost);
/* Kinds that hold no pointers: link, alias, gone (int64_t), traffic, trouble, advance (tick_t),
 * feed, log. */
bool record_flat(struct block *b, enum record_kind kind, const void *bytes, size_t n);

/* Walks a block from *at = 0. NULL at its end. */
const void *record_next(const struct block *b, size_t *at, enum record_kind *kind);

#endif
