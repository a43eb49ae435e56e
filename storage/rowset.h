/*
 * Many rows in one statement: "INSERT INTO t (...) SELECT c0, c1, ... FROM batch". A statement for
 * each row would open the table and its indexes, find its place from the root and take a new look
 * at the transaction every time, which costs as much as the row itself.
 */
#ifndef EW_STORAGE_ROWSET_H
#define EW_STORAGE_ROWSET_H

#include "storage/db.h"

enum rowset_next { ROWSET_ONE, ROWSET_END, ROWSET_NO_MEMORY };

/* Puts the next row into *row, where it is lent until the next one. It may not use the database. */
typedef enum rowset_next rowset_fn(void *arg, struct binds *row);

struct rowset {
    rowset_fn *next;
    void *arg;
    struct binds *row; /* where one stands at a time */
};

/* The table "batch" of this connection reads from *r, which must not move. 0 or -1. */
int rowset_open(struct db *db, struct rowset *r);
/* Runs a statement that reads "batch" once. 0, or -1 with db->why. */
int rowset_run(struct db *db, sqlite3_stmt *s, struct rowset *r, rowset_fn *next, void *arg);
/* ", c0, c1, ..." without the first comma, NUL-terminated. Returns the end. */
char *rowset_columns(char *to, unsigned n);

#endif
