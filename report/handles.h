/*
 * Read-only handles of one database for many threads: taken for one answer, given back. The
 * database may be missing, be newer than the program or be replaced while we run: each is told when
 * a handle is taken, and a new file is opened anew.
 */
#ifndef EW_REPORT_HANDLES_H
#define EW_REPORT_HANDLES_H

#include "storage/query.h"

enum { HANDLES = 4, HANDLES_WHY = 512 };

struct handles;

/* path is lent. ms: what one answer may take. NULL without memory. */
struct handles *handles_new(const char *path, int64_t ms);
void handles_free(struct handles *h);

/* Waits until one is free, at most as long as an answer may take. NULL with a reason; *busy: all
 * were taken. Its questions end after ms. */
struct query_db *handles_take(struct handles *h, bool *busy, char why[HANDLES_WHY]);
void handles_give(struct handles *h, struct query_db *db);

/* Changes whenever somebody wrote or the file is another one. Looked up ten times a second at most.
 */
int64_t handles_version(struct handles *h);

#endif
