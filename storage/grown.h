/*
 * Indexes that only a large database needs, and lists of the users of its calls and failures. Below
 * GROWN_ROWS a listing looks at every row in less than 100 ms, and a first `read` writes faster
 * without them; beyond it they are made, one at a time, and stay.
 */
#ifndef EW_STORAGE_GROWN_H
#define EW_STORAGE_GROWN_H

#include "storage/db.h"

enum { GROWN_ROWS = 200000 };

/* Makes the next one that is missing from a table of that many rows; *made: there was one.
 * Outside of a transaction. 0, or -1 with db->why. */
int grown_step(struct db *db, bool *made);
/* Does the table ("failure", "call", "allocation", "health_span") have all of its own? */
bool grown_has(struct db *db, const char *table);

#endif
