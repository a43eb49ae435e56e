/*
 * The reading side's SQL: how each view is filtered, and the figures of the summary. Parameters are
 * named; a statement uses those it needs:
 *   :since :until (microseconds)  :since_text :until_text (as in the views)  :user :call :addr
 *   :verdict :finding :partner :grade :id :failure :limit
 */
#ifndef EW_STORAGE_STATEMENTS_H
#define EW_STORAGE_STATEMENTS_H

#include "storage/query.h"

/* Conditions of one view; NULL where it has no column for the filter. */
struct view_sql {
    const char *name;
    const char *span, *user, *call, *addr, *verdict, *finding, *id, *after, *failure;
    const char *partner, *grade;
    const char *plain; /* unless with_info */
    const char *order;
    /* Where the table is large and has its indexes (grown.h): in place of span; and of user, addr,
     * verdict and finding, which then are asked of the whole table, where no period is given. */
    const char *table, *far_span, *far_user, *far_addr, *far_verdict, *far_finding;
    const char
        *each_span; /* in place of span: asked of each row that other conditions let through */
    /* And for the first rows in order of time: its column in the table, the condition for most
     * rows of a period, and that for the others, which begin before all of those. */
    const char *time, *usual, *other;
};

extern const struct view_sql statements_view[VIEWS];
extern const char *const statements_sum[SUMS];

#endif
