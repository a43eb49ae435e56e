/*
 * A view page by page, newest first, for readers that come back with a cursor. Fast whatever the
 * size of the database, as long as the filter lets something through: rows are taken along the
 * index of their time.
 */
#ifndef EW_STORAGE_PAGE_H
#define EW_STORAGE_PAGE_H

#include "storage/query.h"

enum { PAGE_CURSOR = 48 };

/* The page behind cursor (NULL or "": the first). f->limit rows at most, and f->newest is implied.
 * NULL on error, or if the cursor is none of ours: then *bad is set. Views without a time of their
 * own (findings, candidates ...) come in their usual order. */
struct rows *page_view(struct query_db *db, enum query_view v, const struct query_filter *f,
                       const char *cursor, bool *bad);

/* The cursor behind the current row, which is row n (from 1) of this page. */
char *page_cursor(struct rows *r, enum query_view v, const char *cursor, int64_t n,
                  char out[PAGE_CURSOR]);

#endif
