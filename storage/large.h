/*
 * The statement that lists a view of a large table, one that has its indexes (grown.h). What lets
 * little through comes first: a user, an address, a Call-ID, a verdict or finding that is rare;
 * else a short period; and the first rows of many (-n) are taken along the index of their time,
 * until there are enough. The answer is the same as query_view_text()'s.
 */
#ifndef EW_STORAGE_LARGE_H
#define EW_STORAGE_LARGE_H

#include "storage/query_inner.h"

/* Fewer rows than this are looked up one by one sooner than others are passed by. */
enum { LARGE_FEW = 20000 };

/* Asks db for what is rare. Writes the text with its NUL. */
void large_text(struct query_db *db, struct text *sql, const struct view_sql *v,
                const struct query_filter *f);

#endif
