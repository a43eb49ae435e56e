/* Old rows go, in small steps. */
#include "storage/retention.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    STEP_US = 10000,  /* aimed at, commit and all; the writer must never wait 50 ms */
    DELETE_US = 4000, /* of these, statements at most */
    DELETE_LEAST_US = 250,
    DELETE_URGENT_US = 1000, /* the least while the file is too large: on a busy machine every step
                                takes long, and the limit must hold there, too */
    PAUSE_MS = 40,           /* between steps, unless the file is too large */
    SWEEP_MS = 30000,        /* between sweeps that found nothing */
    SIZE_MS = 2000,          /* ... where the file's size has a limit: a flood fills it soon */
    ROWS_FIRST = 20,         /* per statement; packets of 20 kB each are among them */
    ROWS_LEAST = 5,
    ROWS_MOST = 2000,
    VACUUM_PAGES = 64,  /* given back to the file system per step */
    SPARE_PAGES = 1024, /* free pages that stay in the file for new rows: 8 MB */
};

enum kept { KEPT_EVIDENCE, KEPT_DETAILS, KEPT_FAILURES, KEPT };

#define MINUTE_US (60 * INT64_C(1000000))
#define DAY_US (24 * 60 * MINUTE_US)

/* The rows that a statement looks at, by order of arrival: ?2 of them behind the id ?4. */
#define BY_ID(table, key, age)                                                             \
    "SELECT " key " AS id, " age " AS age FROM " table " WHERE " key " > ?4 ORDER BY " key \
    " LIMIT ?2"
#define CALL_AGE "coalesce(ended_us, answered_us, started_us, 0)"
#define CALLS BY_ID("call", "id", CALL_AGE)
#define FAILURES BY_ID("failure", "id", "ifnull(last_us, 0)")

static const struct {
    enum kept kept;
    const char *table, *key, *rows;
    bool pair; /* goes in one transaction with the next, which has the same rows */
} tables[] = {
    /* packets whose attempt is gone are of no use either */
    {KEPT_EVIDENCE, "evidence", "attempt_id",
     "SELECT e.attempt_id AS id, ifnull(a.last_us, 0) AS age FROM (SELECT attempt_id FROM evidence"
     " WHERE attempt_id > ?4 ORDER BY attempt_id LIMIT ?2) e LEFT JOIN attempt a ON a.id ="
     " e.attempt_id",
     false},
    {KEPT_DETAILS, "attempt", "id", BY_ID("attempt", "id", "ifnull(last_us, 0)"), false},
    {KEPT_DETAILS, "trouble", "id", BY_ID("trouble", "id", "ifnull(last_us, 0)"), false},
    {KEPT_DETAILS, "tls_session", "id",
     BY_ID("tls_session", "id", "coalesce(last_us, first_us, 0)"), false},
    {KEPT_DETAILS, "allocation", "id",
     BY_ID("allocation", "id", "coalesce(ended_us, started_us, 0)"), false},
    {KEPT_DETAILS, "sdp", "call_row", CALLS, true},
    {KEPT_DETAILS, "call", "id", CALLS, false},
    {KEPT_FAILURES, "finding", "failure_id", FAILURES, true},
    {KEPT_FAILURES, "failure", "id", FAILURES, false},
    {KEPT_FAILURES, "window_finding", "id", BY_ID("window_finding", "id", "ifnull(last_us, 0)"),
     false},
    {KEPT_FAILURES, "traffic_hour", "rowid", BY_ID("traffic_hour", "rowid", "ifnull(hour_us, 0)"),
     false},
    {KEPT_FAILURES, "health_span", "rowid", BY_ID("health_span", "rowid", "ifnull(to_us, 0)"),
     false},
};
enum { TABLES = sizeof tables / sizeof *tables };

enum { HOUR = 60, DAY = 24 * HOUR };

/* The passes by size, after one by age for each kind: how old rows may be, in minutes. All tables
 * of a kind come down to the same age, which falls step by step, so that what is kept belongs
 * together; packets go first, failures last. */
static const struct {
    enum kept kept;
    int minutes;
} squeeze[] = {{KEPT_EVIDENCE, DAY},      {KEPT_DETAILS, DAY},      {KEPT_FAILURES, 7 * DAY},
               {KEPT_EVIDENCE, 6 * HOUR}, {KEPT_DETAILS, 6 * HOUR}, {KEPT_FAILURES, 2 * DAY},
               {KEPT_EVIDENCE, HOUR},     {KEPT_DETAILS, HOUR},     {KEPT_FAILURES, 12 * HOUR},
               {KEPT_EVIDENCE, 30},       {KEPT_DETAILS, 30},       {KEPT_FAILURES, 3 * HOUR},
               {KEPT_EVIDENCE, 10},       {KEPT_DETAILS, 10},       {KEPT_FAILURES, HOUR},
               {KEPT_EVIDENCE, 2},        {KEPT_DETAILS, 2},        {KEPT_FAILURES, 10},
               {KEPT_EVIDENCE, 0},        {KEPT_DETAILS, 0},        {KEPT_FAILURES, 0}};
enum { PASSES = KEPT + sizeof squeeze / sizeof *squeeze };

/* A clock that was ahead leaves rows of the future at low ids. Nobody knows their age but by what
 * arrived after them: they go with the first row behind them that is old enough. */
struct retention_table {
    sqlite3_stmt *look, *go;
    int rows;     /* per statement, so that it takes a part of the step */
    int64_t from; /* up to here all rows are of the future */
    int64_t mark; /* what arrived up to here is old */
};

struct retention_sql {
    struct retention_table table[TABLES];
};

/* What stands at the lowest ids. */
struct view {
    int64_t rows, future, last, mark; /* mark: highest id that is old; 0 = none */
};

static int64_t clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t now_ms(void)
{
    return clock_us() / 1000;
}

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool wanted(const struct retention *r)
{
    const struct keep *k = &r->keep;
    return k->evidence_days || k->details_days || k->failures_days || k->max_bytes;
}

void retention_begin(struct retention *r, const struct keep *keep)
{
    *r = (struct retention){.keep = *keep, .budget_us = DELETE_US, .next_ms = now_ms()};
}

void retention_end(struct retention *r)
{
    for (unsigned i = 0; r->sql && i < TABLES; i++) {
        sqlite3_finalize(r->sql->table[i].look);
        sqlite3_finalize(r->sql->table[i].go);
    }
    free(r->sql);
    r->sql = NULL;
    r->ready = false;
}

int retention_wait_ms(const struct retention *r)
{
    int64_t ms = r->next_ms - now_ms();
    return !wanted(r) ? -1 : ms < 1 ? 1 : (int)ms;
}

/* ?1: what is older goes (us). ?3: what is later is of the future. */
static int prepare_table(struct retention_table *t, struct db *db, unsigned i)
{
    char sql[1024];
    snprintf(sql, sizeof sql,
             "SELECT count(*), ifnull(sum(age > ?3), 0), ifnull(max(id), 0),"
             " ifnull(max(id) FILTER (WHERE age < ?1), 0) FROM (%s)",
             tables[i].rows);
    t->look = db_prepare(db, sql);
    snprintf(sql, sizeof sql,
             "DELETE FROM %s WHERE %s IN (SELECT id FROM (%s) WHERE age < ?1 OR (age > ?3 AND id <="
             " ?5))",
             tables[i].table, tables[i].key, tables[i].rows);
    t->go = t->look ? db_prepare(db, sql) : NULL;
    t->rows = ROWS_FIRST;
    return t->go ? 0 : -1;
}

static int prepare(struct retention *r, struct db *db)
{
    if (r->ready)
        return 0;
    retention_end(r);
    r->sql = calloc(1, sizeof *r->sql);
    if (!r->sql)
        return db_no_memory(db);
    for (unsigned i = 0; i < TABLES; i++)
        if (prepare_table(&r->sql->table[i], db, i))
            return -1;
    r->ready = true;
    return 0;
}

/* Days of this pass's limit by age, 0 = none. Packets don't outlive their attempts. */
static int64_t days_of(const struct retention *r)
{
    const struct keep *k = &r->keep;
    int64_t days[KEPT] = {k->evidence_days, k->details_days, k->failures_days};
    if (!k->evidence_days || (k->details_days && k->details_days < k->evidence_days))
        days[KEPT_EVIDENCE] = k->details_days;
    return days[r->pass];
}

static int too_large(struct retention *r, struct db *db, bool *yes)
{
    int64_t pages, free_pages, size;
    *yes = false;
    r->over = 0;
    if (!r->keep.max_bytes)
        return 0;
    if (db_int(db, "PRAGMA page_count", 0, &pages) ||
        db_int(db, "PRAGMA freelist_count", 0, &free_pages) ||
        db_int(db, "PRAGMA page_size", 0, &size))
        return -1;
    /* begun a little earlier: by the time that deleting keeps up with what arrives, the limit holds
     */
    int64_t from = r->keep.max_bytes - r->keep.max_bytes / 16;
    int64_t excess = (pages - free_pages) * size - from;
    *yes = excess > 0;
    int64_t percent = excess / (r->keep.max_bytes / 100 + 1);
    r->over = !*yes ? 0 : percent < 100 ? (int)percent : 100;
    return 0;
}

/* What this pass is about: its kind and from when back rows go. False: nothing to do in it. */
static int pass_limit(struct retention *r, struct db *db, enum kept *kept, int64_t *limit,
                      bool *any)
{
    if (r->pass < KEPT) {
        *kept = (enum kept)r->pass;
        *any = days_of(r) > 0;
        *limit = now_us() - days_of(r) * DAY_US;
        return 0;
    }
    *kept = squeeze[r->pass - KEPT].kept;
    *limit = now_us() - squeeze[r->pass - KEPT].minutes * MINUTE_US;
    if (!squeeze[r->pass - KEPT].minutes)
        *limit = INT64_MAX;
    int result = too_large(r, db, any);
    r->urgent = *any;
    return result;
}

static void bind(sqlite3_stmt *s, const struct retention_table *t, int64_t limit)
{
    sqlite3_bind_int64(s, 1, limit);
    sqlite3_bind_int(s, 2, t->rows);
    sqlite3_bind_int64(s, 3, now_us() + DAY_US);
    sqlite3_bind_int64(s, 4, t->from);
}

static int look(const struct retention_table *t, struct db *db, int64_t limit, struct view *v)
{
    bind(t->look, t, limit);
    int rc = sqlite3_step(t->look);
    int result = rc == SQLITE_ROW ? 0 : db_fault(db, "read");
    for (int i = 0; i < 4 && result == 0; i++)
        (&v->rows)[i] = sqlite3_column_int64(t->look, i);
    sqlite3_reset(t->look);
    return result;
}

static int go(const struct retention_table *t, sqlite3_stmt *s, struct db *db, int64_t limit)
{
    bind(s, t, limit);
    sqlite3_bind_int64(s, 5, t->mark);
    return db_run(db, s);
}

/* The oldest rows of a table, or of a pair of tables. *n: how many went; 0 and *more: rows of the
 * future were passed over. */
static int delete_from(struct retention *r, struct db *db, int64_t limit, int *n, bool *more)
{
    struct retention_table *t = &r->sql->table[r->table];
    struct view v;
    if (limit == INT64_MAX)
        t->from = 0;
    if (look(t, db, limit, &v))
        return -1;
    *more = true;
    *n = 0;
    if (v.mark > t->mark)
        t->mark = v.mark;
    if (v.mark && t->from) {
        t->from = 0; /* what was passed over is old as well */
        return 0;
    }
    if (!v.mark && v.future && v.last > t->mark) { /* nothing old here: what about behind it? */
        t->from = v.future == v.rows ? v.last : t->from;
        *more = v.future == v.rows;
        return 0;
    }
    *more = v.mark || v.future;
    if (!*more)
        return 0;
    if (go(t, t->go, db, limit))
        return -1;
    *n = sqlite3_changes(db->handle);
    if (!tables[r->table].pair)
        return 0;
    if (go(t, t[1].go, db, limit))
        return -1;
    *n = sqlite3_changes(db->handle);
    return 0;
}

static void adapt_rows(struct retention_table *t, int64_t us, int64_t budget_us)
{
    if (us > budget_us / 2 && t->rows > ROWS_LEAST)
        t->rows /= 2;
    else if (us < budget_us / 4 && t->rows < ROWS_MOST)
        t->rows += t->rows / 4 + 1;
}

/* What a commit costs depends on the disk, and on whether the log is copied back with it. */
static void adapt_step(struct retention *r, int64_t us)
{
    int64_t least = r->urgent ? DELETE_URGENT_US : DELETE_LEAST_US;
    if (us > STEP_US && r->budget_us > least)
        r->budget_us /= 2;
    else if (us < STEP_US / 2 && r->budget_us < DELETE_US)
        r->budget_us += r->budget_us / 8;
}

/* One transaction of statement after statement until time is up. *more: this table has more. */
static int delete_some(struct retention *r, struct db *db, int64_t limit, bool *more)
{
    int64_t begun = clock_us(), at = begun;
    if (db_begin(db))
        return -1;
    int result, n;
    do {
        result = delete_from(r, db, limit, &n, more);
        int64_t now = clock_us();
        adapt_rows(&r->sql->table[r->table], now - at, r->budget_us);
        at = now;
        r->deleted += result == 0 ? (uint64_t)n : 0;
    } while (result == 0 && *more && at - begun < r->budget_us);
    if (result == 0 && db_commit(db) == 0)
        return 0;
    db_rollback(db);
    return -1;
}

/* Free pages beyond those that new rows will need soon. No effect on a database that was made
 * without auto_vacuum: its free pages are used again, the file stays as large as it was. */
static int shrink(struct db *db, bool *some)
{
    int64_t before, after;
    char sql[48];
    *some = false;
    if (db_int(db, "PRAGMA freelist_count", 0, &before))
        return -1;
    if (before <= SPARE_PAGES)
        return 0;
    snprintf(sql, sizeof sql, "PRAGMA incremental_vacuum(%d)", VACUUM_PAGES);
    if (db_exec(db, sql) || db_int(db, "PRAGMA freelist_count", 0, &after))
        return -1;
    *some = after < before;
    return 0;
}

static void next_table(struct retention *r)
{
    r->table += tables[r->table].pair ? 2 : 1;
    if (r->table < TABLES)
        return;
    r->table = 0;
    r->pass++;
}

/* One bite. *more: there is more to do. */
static int bite(struct retention *r, struct db *db, bool *more)
{
    enum kept kept;
    int64_t limit;
    bool any;
    *more = true;
    while (r->pass < PASSES) {
        if (pass_limit(r, db, &kept, &limit, &any))
            return -1;
        if (!any) {
            r->pass++;
            r->table = 0;
            continue;
        }
        if (tables[r->table].kept != kept) {
            next_table(r);
            continue;
        }
        bool some;
        if (delete_some(r, db, limit, &some))
            return -1;
        if (!some)
            next_table(r);
        return 0;
    }
    int result = shrink(db, more);
    if (result == 0 && !*more)
        r->pass = r->table = 0;
    return result;
}

int retention_step(struct retention *r, struct db *db)
{
    int64_t begun = clock_us();
    bool more = false;
    if (!wanted(r) || begun / 1000 < r->next_ms)
        return 0;
    db->small_steps = true;
    int result = prepare(r, db) || bite(r, db, &more) ? -1 : 0;
    db->small_steps = false;
    int64_t us = clock_us() - begun;
    adapt_step(r, us);
    if (us / 1000 > r->longest_ms)
        r->longest_ms = us / 1000;
    if (!more || result) {
        r->urgent = false;
        r->over = 0;
    }
    int sweep_ms = r->keep.max_bytes ? SIZE_MS : SWEEP_MS;
    r->next_ms = now_ms() + (r->urgent ? 0 : more && result == 0 ? PAUSE_MS : sweep_ms);
    return result;
}
