/*
 * What query.c and page.c share.
 */
#ifndef EW_STORAGE_QUERY_INNER_H
#define EW_STORAGE_QUERY_INNER_H

#include <time.h>

#include "storage/db.h"
#include "storage/period.h"
#include "storage/statements.h"
#include "storage/text.h"

struct query_db {
    struct db db;
    struct period period;     /* of the last query_sum() */
    struct timespec deadline; /* of the questions asked now; tv_sec 0 = none */
    bool expired;
    int64_t few; /* LARGE_FEW */
};

/* NULL with query_error(). sql NULL: out of memory. */
struct rows *query_rows(struct query_db *q, const char *sql);
/* Binds what the statement has of f. */
void query_bind(struct rows *r, const struct query_filter *f);
/* What the rows come from, for tests of its plan. */
sqlite3_stmt *query_statement(const struct rows *r);
void query_bind_int(struct rows *r, const char *name, int64_t v);
/* " WHERE a AND b" of what f asks and v has columns for; *any: there is a condition already. */
void query_conditions(struct text *sql, const struct view_sql *v, const struct query_filter *f,
                      bool *any);
void query_condition(struct text *sql, bool wanted, const char *text, bool *any);
/* " ORDER BY ... LIMIT :limit" and the text's end. */
void query_ordered(struct text *sql, const struct view_sql *v, const struct query_filter *f);
/* The whole statement: fixed texts put together, what the user gave is in the parameters only. */
void query_view_text(struct text *sql, const struct view_sql *v, const struct query_filter *f);

#endif
