/*
 * One database handle: opening with clear reasons, migration, statements prepared once, typed
 * binds. The only file (with its users' statements) that knows how SQLite reports trouble.
 */
#ifndef EW_STORAGE_DB_H
#define EW_STORAGE_DB_H

#include <sqlite3.h>

#include "storage/bind.h"
#include "storage/schema.h"
#include "storage/writer.h" /* enum db_result */

enum { DB_WHY = 512 };

struct db {
    sqlite3 *handle;
    char *path;
    char why[DB_WHY]; /* the last error: "path: reason" */
    int code;         /* of it, SQLITE_* without the extended part */
    bool busy;        /* that error is somebody else's lock */
    int log_pages;
    bool small_steps; /* commits copy little of the log back, or leave it to a later one: the disk
                         takes long */
    bool fresh, bulk; /* db_open() made it; between db_bulk_begin() and db_bulk_end() */
};

/* Read-write: creates the file, or brings an older version up to s->version. Waits 5 s for a
 * lock. On failure *db is closed and db->why tells why. */
enum db_result db_open(struct db *db, const char *path, const struct schema *s);
/* Read-only; the file must exist. An older version is migrated first, if that is permitted. */
enum db_result db_open_read(struct db *db, const char *path, const struct schema *s);
void db_close(struct db *db);

/* A database that db_open() has just made is about to be filled: until db_bulk_end() its rows are
 * written once instead of twice (first the write-ahead log, then the file: 2.4 s of 6.2 on 100,000
 * calls) and not forced to the disk. A crash of the program still leaves whole transactions; one of
 * the machine before the system has written them may cost the file. Readers wait for commits, and
 * commits for readers. No effect on a database that was there before or
 * that others have open, too. 0, or -1 with db->why. */
int db_bulk_begin(struct db *db);
int db_bulk_end(struct db *db);

/* Runs statements without results. 0, or -1 with db->why. */
int db_exec(struct db *db, const char *sql);
/* NULL with db->why on failure. */
sqlite3_stmt *db_prepare(struct db *db, const char *sql);
/* Steps a statement that gives no rows, and resets it. 0, or -1 with db->why. */
int db_run(struct db *db, sqlite3_stmt *s);
/* The same with parameters. */
int db_run_with(struct db *db, sqlite3_stmt *s, const struct binds *b);
/* One integer out of the first row, or 'none' if there is no row or it is NULL. -1 on error. */
int db_int(struct db *db, const char *sql, int64_t none, int64_t *out);
/* Begins (waiting for the lock), commits, or gives up a transaction. 0 or -1. */
int db_begin(struct db *db);
int db_commit(struct db *db);
void db_rollback(struct db *db);
/* Puts "path: reason" of SQLite's last error into db->why; returns -1. */
int db_fault(struct db *db, const char *doing);

/* May the last error pass: a full disk, a failed write, a lock, no memory? */
bool db_may_pass(const struct db *db);
/* A passive checkpoint follows each commit that leaves 1000 pages or more in the write-ahead log,
 * as SQLite does by itself; a reader may keep it from beginning anew. 0 if the log is shorter than
 * most bytes or starts afresh with the next commit; -1 with db->why if readers hold it. */
int db_log_within(struct db *db, int64_t most);

/* db->why for memory that ran out; returns -1. */
int db_no_memory(struct db *db);

#endif
