/*
 * A run in the database: its row when it begins, and at its end the merging with what earlier runs
 * stored, the joining across runs, and the findings across failures.
 */
#ifndef EW_STORAGE_RUN_H
#define EW_STORAGE_RUN_H

#include "storage/privacy.h"
#include "storage/store.h"
#include "storage/writer.h"

/* Opens the run that s will store; its row is committed. 0, or -1 with s->db.why. */
int run_begin(struct store *s, const struct run_info *run, struct privacy *p);

struct run_end {
    tick_t first, last;  /* packet time of the run, TICK_NONE: there was none */
    const char *damaged; /* NULL, or where and how it ended early */
    uint64_t lost;       /* rows that health does not know of yet */
    struct privacy *privacy;
    struct log_result *log;       /* of an import, else NULL */
    struct failures_found *found; /* NULL: not asked for */
};

/* Merge, rejoin and conclude in one transaction: a reader sees the run before or after it. 0, or -1
 * with s->db.why. */
int run_end(struct store *s, const struct run_end *e);

#endif
