/*
 * Keeping a live database within bounds: rows that are too old go, and the oldest of what is left
 * while the file is too large. In small steps between the writer's transactions.
 *
 *   by age:  packets, details, failures, each by its own limit
 *   by size: packets of more than a day, details of more than a day, failures of more than a week;
 *            if that is not enough, the same with shorter times, down to nothing
 *
 * Of each table the rows with the lowest ids are looked at, which is the order of arrival: a
 * capture of last year that is read today goes when it is its turn. Rows dated in the future, which
 * a wrong clock left, go with the first row behind them that is old enough.
 */
#ifndef EW_STORAGE_RETENTION_H
#define EW_STORAGE_RETENTION_H

#include "storage/db.h"

struct retention {
    struct keep keep;
    unsigned pass, table; /* where the sweep stands */
    int64_t budget_us;    /* for the statements of a step */
    int64_t next_ms;      /* monotonic: not before */
    int64_t longest_ms;   /* step so far */
    uint64_t deleted;
    bool ready;  /* all statements are */
    bool urgent; /* the file is too large, and there is more to delete: no pause between steps */
    int over;    /* then: by how many percent of the limit, counted from a little below it; 100 for
                    more */
    struct retention_sql *sql;
};

void retention_begin(struct retention *r, const struct keep *keep);
void retention_end(struct retention *r);
/* How long the writer may sleep before the next step is due: -1 for ever. */
int retention_wait_ms(const struct retention *r);
/* One step, if it is due: a transaction of its own of about 10 ms. 0, or -1 with db->why. */
int retention_step(struct retention *r, struct db *db);

#endif
