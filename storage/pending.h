/*
 * Failures told but not yet written. A failure is told again whenever something about it changes,
 * half of the time within the batch: only the last telling is worth a row and its findings.
 */
#ifndef EW_STORAGE_PENDING_H
#define EW_STORAGE_PENDING_H

#include "storage/record.h"

enum { PENDING_MAX = 4096 }; /* about 2 kB each */

/* Zeroed = empty. */
struct pending {
    struct pending_table *table;
    unsigned n;
};

void pending_free(struct pending *p);
/* Keeps a copy in place of an earlier one of the same engine id. False if it does not fit or
 * without memory: write what there is, then this one. */
bool pending_put(struct pending *p, const struct record_failure *r);
/* The failure is none. */
void pending_drop(struct pending *p, int64_t id);
/* The i-th of n, oldest first; NULL if it was dropped. */
struct record_failure *pending_at(const struct pending *p, unsigned i);
/* Forgets all of them. */
void pending_clear(struct pending *p);

#endif
