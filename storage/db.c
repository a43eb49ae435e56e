/* Opening, migrating and running statements, with reasons that name the database. */
#include "storage/db.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "storage/functions.h"

enum { BUSY_MS = 5000, RETRY_MS = 20 };

__attribute__((format(printf, 2, 3))) static void db_why(struct db *db, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(db->why, sizeof db->why, "%s: ", db->path ? db->path : "database");
    if (n < 0 || (size_t)n >= sizeof db->why)
        return;
    va_start(ap, fmt);
    vsnprintf(db->why + n, sizeof db->why - (size_t)n, fmt, ap);
    va_end(ap);
}

int db_fault(struct db *db, const char *doing)
{
    int code = sqlite3_errcode(db->handle) & 0xff;
    db->code = code;
    db->busy = code == SQLITE_BUSY || code == SQLITE_LOCKED;
    switch (code) {
    case SQLITE_NOTADB:
        db_why(db, "is not a database");
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        db_why(db, "is locked by another program");
        break;
    case SQLITE_READONLY:
        db_why(db, "is read-only");
        break;
    case SQLITE_FULL:
        db_why(db, "cannot %s: disk full", doing);
        break;
    default:
        db_why(db, "cannot %s: %s", doing, sqlite3_errmsg(db->handle));
    }
    return -1;
}

int db_no_memory(struct db *db)
{
    db->code = SQLITE_NOMEM;
    db_why(db, "out of memory");
    return -1;
}

bool db_may_pass(const struct db *db)
{
    switch (db->code) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
        return true;
    default:
        return false;
    }
}

/* ---- the write-ahead log ---- */

enum { CHECKPOINT_PAGES = 1000, SMALL_LEAST = 128, SMALL_MOST = 320, PAGE_BYTES = 8192 };

static int on_commit(void *arg, sqlite3 *handle, const char *name, int pages)
{
    struct db *db = arg;
    db->log_pages = pages;
    if (db->small_steps ? pages >= SMALL_LEAST && pages <= SMALL_MOST : pages >= CHECKPOINT_PAGES)
        sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return SQLITE_OK;
}

int db_log_within(struct db *db, int64_t most)
{
    if ((int64_t)db->log_pages * PAGE_BYTES <= most)
        return 0;
    sqlite3_busy_timeout(db->handle, 0);
    int rc = sqlite3_wal_checkpoint_v2(db->handle, "main", SQLITE_CHECKPOINT_RESTART, NULL, NULL);
    sqlite3_busy_timeout(db->handle, BUSY_MS);
    if (rc == SQLITE_OK) {
        db->log_pages = 0;
        return 0;
    }
    db_why(db, "a reader has held the write-ahead log until it had %lld MB",
           (long long)db->log_pages * PAGE_BYTES >> 20);
    db->code = SQLITE_BUSY;
    return -1;
}

void db_close(struct db *db)
{
    sqlite3_close_v2(db->handle);
    free(db->path);
    db->handle = NULL;
    db->path = NULL;
}

int db_exec(struct db *db, const char *sql)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_fault(db, "write");
}

sqlite3_stmt *db_prepare(struct db *db, const char *sql)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL) != SQLITE_OK)
        db_fault(db, "prepare a statement");
    return s;
}

int db_run(struct db *db, sqlite3_stmt *s)
{
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW)
        ;
    int result = rc == SQLITE_DONE ? 0 : db_fault(db, "write");
    sqlite3_reset(s);
    return result;
}

int db_run_with(struct db *db, sqlite3_stmt *s, const struct binds *b)
{
    bind_to(b, s);
    return db_run(db, s);
}

int db_int(struct db *db, const char *sql, int64_t none, int64_t *out)
{
    sqlite3_stmt *s = db_prepare(db, sql);
    if (!s)
        return -1;
    int rc = sqlite3_step(s), result = 0;
    *out = none;
    if (rc == SQLITE_ROW && sqlite3_column_type(s, 0) != SQLITE_NULL)
        *out = sqlite3_column_int64(s, 0);
    else if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        result = db_fault(db, "read");
    sqlite3_finalize(s);
    return result;
}

int db_begin(struct db *db)
{
    return db_exec(db, "BEGIN IMMEDIATE");
}

int db_commit(struct db *db)
{
    return db_exec(db, "COMMIT");
}

void db_rollback(struct db *db)
{
    if (db->handle && !sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

/* What SQLite calls "unable to open database file" has reasons that a user can act on. */
static void why_not_opened(struct db *db, bool create)
{
    struct stat st;
    char *slash = strrchr(db->path, '/');
    if (stat(db->path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            db_why(db, "is a directory");
        else if (access(db->path, R_OK) != 0)
            db_why(db, "%s", strerror(errno));
        else
            db_why(db, "cannot be opened: %s", sqlite3_errmsg(db->handle));
        return;
    }
    int missing = errno;
    if (slash && slash != db->path) {
        char *dir = strndup(db->path, (size_t)(slash - db->path));
        if (dir && (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode)))
            db_why(db, "directory %s does not exist", dir);
        else if (dir && create && access(dir, W_OK) != 0)
            db_why(db, "directory %s is not writable for this user", dir);
        else
            db_why(db, "%s", strerror(missing));
        free(dir);
        return;
    }
    db_why(db, "%s", strerror(missing));
}

/* Content first: another edgewatch that makes it now brings the id together with the tables. */
static int version_of(struct db *db, const struct schema *s, int64_t *version)
{
    int64_t app, objects;
    *version = 0;
    if (db_int(db, "SELECT count(*) FROM sqlite_schema", 0, &objects))
        return -1;
    if (objects == 0)
        return 0;
    if (db_int(db, "PRAGMA application_id", 0, &app) ||
        db_int(db, "PRAGMA user_version", 0, version))
        return -1;
    if (app != s->application_id) {
        db_why(db, "is a database of another program");
        return -1;
    }
    if (*version > s->version) {
        db_why(db, "has schema version %lld, newer than this edgewatch knows (%d)",
               (long long)*version, s->version);
        return -1;
    }
    return 0;
}

static int64_t ms_since(const struct timespec *t)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - t->tv_sec) * 1000 + (now.tv_nsec - t->tv_nsec) / 1000000;
}

/* Inside a transaction: whoever came first has done it. */
static int migrate_locked(struct db *db, const struct schema *s)
{
    int64_t version;
    char set[96];
    if (version_of(db, s, &version))
        return -1;
    if (version == 0 && db_exec(db, s->fresh))
        return -1;
    for (unsigned i = 0; version && i < s->n_steps; i++) {
        if (s->steps[i].to > version && db_exec(db, s->steps[i].sql))
            return -1;
    }
    snprintf(set, sizeof set, "PRAGMA application_id = %d; PRAGMA user_version = %d",
             s->application_id, s->version);
    return db_exec(db, set);
}

static int migrate(struct db *db, const struct schema *s)
{
    int64_t version;
    if (version_of(db, s, &version))
        return -1;
    if (version == s->version)
        return 0;
    if (db_begin(db))
        return -1;
    if (migrate_locked(db, s) == 0 && db_commit(db) == 0)
        return 0;
    db_rollback(db);
    return -1;
}

/* SQLite counts its memory under a lock: two calls of it for each row, and nobody asks. */
static void count_no_memory(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int handle_open(struct db *db, const char *name, int flags)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, count_no_memory);
    int rc = sqlite3_open_v2(name, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK) {
        if (db->handle && (rc & 0xff) == SQLITE_CANTOPEN)
            why_not_opened(db, flags & SQLITE_OPEN_CREATE);
        else
            db_why(db, "cannot be opened: %s", sqlite3_errstr(rc));
        return -1;
    }
    sqlite3_busy_timeout(db->handle, BUSY_MS);
    functions_add(db->handle);
    return 0;
}

static int path_set(struct db *db, const char *path)
{
    *db = (struct db){.path = strdup(path)};
    if (!db->path) {
        snprintf(db->why, sizeof db->why, "out of memory");
        return -1;
    }
    return 0;
}

/* 8 kB pages hold three calls' SDP; the default of 4 kB leaves nearly half of each page empty. */
static const char write_pragmas[] = "PRAGMA page_size = 8192;"
                                    "PRAGMA auto_vacuum = INCREMENTAL;"
                                    "PRAGMA journal_mode = WAL;"
                                    "PRAGMA synchronous = NORMAL;"
                                    "PRAGMA temp_store = MEMORY;"
                                    "PRAGMA cache_size = -16000;"
                                    "PRAGMA journal_size_limit = 67108864;"
                                    /* a row written over leaves the lists of users (grown.c) */
                                    "PRAGMA recursive_triggers = ON;";

static int open_once(struct db *db, const struct schema *s)
{
    int64_t version;
    /* judged before the first write: a stranger's file is left as it is */
    if (handle_open(db, db->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) ||
        version_of(db, s, &version))
        return -1;
    db->fresh = version == 0;
    if (sqlite3_db_readonly(db->handle, "main") == 1) {
        db_why(db, "is read-only");
        return -1;
    }
    sqlite3_wal_hook(db->handle, on_commit, db);
    return db_exec(db, write_pragmas) || migrate(db, s) ? -1 : 0;
}

/* SQLite itself does not wait where a journal mode is changed, or where a read lock would have to
 * become a write lock. */
enum db_result db_open(struct db *db, const char *path, const struct schema *s)
{
    if (path_set(db, path))
        return DB_NOT_OPENED;
    struct timespec begun;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    while (open_once(db, s)) {
        if (!db->busy || ms_since(&begun) >= BUSY_MS) {
            db_close(db);
            return DB_NOT_OPENED;
        }
        db->busy = false;
        sqlite3_close_v2(db->handle);
        db->handle = NULL;
        sqlite3_sleep(RETRY_MS);
    }
    return DB_OK;
}

int db_bulk_begin(struct db *db)
{
    if (!db->fresh)
        return 0;
    if (db_exec(db, "PRAGMA journal_mode = PERSIST"))
        return db->busy ? 0 : -1;
    db->bulk = true;
    /* what is deleted was written a moment before: no old data stays behind */
    return db_exec(db, "PRAGMA synchronous = OFF; PRAGMA secure_delete = OFF");
}

/* If a reader is in the way the log comes back with the next writer. */
int db_bulk_end(struct db *db)
{
    if (!db->bulk)
        return 0;
    db->bulk = false;
    (void)sqlite3_exec(db->handle, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
    return db_exec(db, "PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON");
}

/* A reader in a directory it may not write in cannot make the index of the write-ahead log. If
 * there is no log, the file alone is the truth. */
static int open_immutable(struct db *db)
{
    char *wal = sqlite3_mprintf("%s-wal", db->path);
    bool quiet = wal && access(wal, F_OK) != 0;
    sqlite3_free(wal);
    if (!quiet)
        return -1;
    size_t n = strlen(db->path);
    char *uri = malloc(n * 3 + 32), *p = uri;
    if (!uri)
        return -1;
    p = stpcpy(p, "file:");
    for (size_t i = 0; i < n; i++) {
        char c = db->path[i];
        if (c == '?' || c == '#' || c == '%')
            p += sprintf(p, "%%%02x", c);
        else
            *p++ = c;
    }
    strcpy(p, "?immutable=1");
    sqlite3_close_v2(db->handle);
    db->handle = NULL;
    int result = handle_open(db, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
    free(uri);
    return result;
}

static int open_read_only(struct db *db, const struct schema *s, int64_t *version)
{
    if (handle_open(db, db->path, SQLITE_OPEN_READONLY))
        return -1;
    if (version_of(db, s, version) == 0)
        return 0;
    int rc = sqlite3_errcode(db->handle) & 0xff;
    if ((rc != SQLITE_CANTOPEN && rc != SQLITE_READONLY) || open_immutable(db))
        return -1;
    return version_of(db, s, version);
}

/* An older database is brought up to date by the first who opens it and may write it. */
static void why_not_migrated(struct db *db, const char *path, int64_t version,
                             const struct schema *s)
{
    char why[DB_WHY];
    memcpy(why, db->why, sizeof why);
    snprintf(
        db->why, sizeof db->why,
        "%.150s; it has schema version %lld and needs to be brought to %d: list something once "
        "as a user who may write it and its directory, or use a copy of it (cp %.100s)",
        why, (long long)version, s->version, path);
}

enum db_result db_open_read(struct db *db, const char *path, const struct schema *s)
{
    int64_t version;
    if (path_set(db, path))
        return DB_NOT_OPENED;
    struct stat st;
    if (stat(path, &st) != 0 || S_ISDIR(st.st_mode)) {
        why_not_opened(db, false);
    } else if (open_read_only(db, s, &version) == 0) {
        if (version == s->version)
            return DB_OK;
        if (version == 0) {
            db_why(db, "is no edgewatch database: nothing is in it");
            db_close(db);
            return DB_NOT_OPENED;
        }
        db_close(db);
        if (db_open(db, path, s) == DB_OK)
            return DB_OK;
        why_not_migrated(db, path, version, s);
    }
    db_close(db);
    return DB_NOT_OPENED;
}
