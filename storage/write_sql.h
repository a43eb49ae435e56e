/* The writing side's statements, prepared once per handle. Values are bound, or given by the table
 * "batch" (rowset.h), in the order of the columns named in each text. */
#ifndef EW_STORAGE_WRITE_SQL_H
#define EW_STORAGE_WRITE_SQL_H

#include "storage/db.h"

enum write_sql {
    WRITE_ATTEMPT,
    WRITE_LINK,
    WRITE_EVIDENCE,
    WRITE_EVIDENCE_CAP,
    WRITE_CALL,
    WRITE_SDP,
    WRITE_ALLOCATION,
    WRITE_ALIAS,
    WRITE_ALIAS_OVER,
    WRITE_RELAY,
    WRITE_FAILURE,
    WRITE_FINDING,
    WRITE_FINDINGS_REST,
    WRITE_FAILURE_GONE,
    WRITE_FINDINGS_GONE,
    WRITE_UNLINK,
    WRITE_TRAFFIC,
    WRITE_HEALTH,
    WRITE_INTERFACE,
    WRITE_TROUBLE,
    WRITE_FEED,
    WRITE_TLS,
    WRITE_TLS_PEER,
    WRITE_WINDOW_FINDING,
    WRITE_RUN,
    WRITE_RUN_SPAN,
    WRITE_RUN_END,
    WRITE_LOG,
    WRITE_SQLS
};

/* Prepares all of them; rowset_open() came before. 0, or -1 with db->why (then none is left
 * prepared). */
int write_sql_prepare(struct db *db, sqlite3_stmt *out[WRITE_SQLS]);
void write_sql_finalize(sqlite3_stmt *s[WRITE_SQLS]);

#endif
