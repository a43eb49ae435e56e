/*
 * The failures of a period, put together by what they have in common: one pass over the table, its
 * wide texts compared where they lie. A night of 100,000 failures is a few hundred groups, and what
 * is asked of it (by partner, Edge, leg, verdict, candidate) is asked of those.
 */
#ifndef EW_STORAGE_PERIOD_LOAD_H
#define EW_STORAGE_PERIOD_LOAD_H

#include "storage/db.h"

/* What is loaded, and into which tables (temporary, empty):
 * - counts (key, failures, first_us, last_us, attempts, syns, lossy, example): key is the id of one
 *   failure of the group; all of it have the same leg, transport, verdict, info, ends of
 *   failure_ends, partner, SIP domains, kinds of candidates, and far ports in the same ranges that
 *   traffic is counted in. A group may come in several rows. example: the lowest id of the row's.
 * - rows (id, key, info, first_us, call): each failure; call: equal for equal Call-IDs, NULL for
 *   none. NULL: only the groups, by their ends and names alone, of what counts against a partner */
struct period_load {
    const char *counts, *rows;
    int64_t since_us, until_us; /* ended at since or later, began at until or before */
};

/* 0; -1 with db->why. */
int period_load(struct db *db, const struct period_load *load);

#endif
