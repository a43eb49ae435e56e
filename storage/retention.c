/* Old rows go, in small steps. */
#include "storage/retention.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    STEP_MS = 10,     /* aimed at; the writer must never wait 50 */
    PAUSE_MS = 40,    /* between steps: the writer has the larger share */
    SWEEP_MS = 30000, /* between sweeps that found nothing */
    ROWS_FIRST = 200,
    ROWS_LEAST = 20,
    ROWS_MOST = 5000,
    VACUUM_PAGES = 64,  /* given back to the file system per step */
    SPARE_PAGES = 1024, /* free pages that stay in the file for new rows: 8 MB */
};

enum kept { KEPT_EVIDENCE, KEPT_DETAILS, KEPT_FAILURES, KEPT };

#define DAY_US (24 * 3600 * INT64_C(1000000))

/* ?1: what is older goes (us). ?2: how many of the lowest ids are looked at. */
#define OLDEST(table, key, age)                                                         \
    "DELETE FROM " table " WHERE " key " IN (SELECT " key " FROM (SELECT " key ", " age \
    " AS age FROM " table " ORDER BY " key " LIMIT ?2) WHERE age < ?1)"
#define CALL_AGE "coalesce(ended_us, answered_us, started_us, 0)"

static const struct {
    enum kept kept;
    const char *sql;
} tables[] = {
    /* packets whose attempt is gone are of no use either */
    {KEPT_EVIDENCE,
     "DELETE FROM evidence WHERE attempt_id IN (SELECT e.attempt_id FROM (SELECT attempt_id FROM"
     " evidence ORDER BY attempt_id LIMIT ?2) e LEFT JOIN attempt a ON a.id = e.attempt_id"
     " WHERE ifnull(a.last_us, 0) < ?1)"},
    {KEPT_DETAILS, OLDEST("attempt", "id", "ifnull(last_us, 0)")},
    {KEPT_DETAILS, OLDEST("trouble", "id", "ifnull(last_us, 0)")},
    {KEPT_DETAILS, OLDEST("tls_session", "id", "coalesce(last_us, first_us, 0)")},
    {KEPT_DETAILS, OLDEST("allocation", "id", "coalesce(ended_us, started_us, 0)")},
    /* in one transaction, the second of the same calls */
    {KEPT_DETAILS, "DELETE FROM sdp WHERE call_row IN (SELECT id FROM (SELECT id, " CALL_AGE
                   " AS age FROM call ORDER BY id LIMIT ?2) WHERE age < ?1)"},
    {KEPT_DETAILS, OLDEST("call", "id", CALL_AGE)},
    {KEPT_FAILURES, "DELETE FROM finding WHERE failure_id IN (SELECT id FROM (SELECT id, last_us"
                    " FROM failure ORDER BY id LIMIT ?2) WHERE ifnull(last_us, 0) < ?1)"},
    {KEPT_FAILURES, OLDEST("failure", "id", "ifnull(last_us, 0)")},
    {KEPT_FAILURES, OLDEST("window_finding", "id", "ifnull(last_us, 0)")},
    {KEPT_FAILURES, OLDEST("traffic_hour", "rowid", "ifnull(hour_us, 0)")},
    {KEPT_FAILURES, OLDEST("health_span", "rowid", "ifnull(to_us, 0)")},
};
enum { TABLES = sizeof tables / sizeof *tables };

/* The passes by size; those by age come before them, one for each kind. */
static const struct {
    enum kept kept;
    int days;
} squeeze[] = {{KEPT_EVIDENCE, 1}, {KEPT_DETAILS, 1}, {KEPT_FAILURES, 7},
               {KEPT_EVIDENCE, 0}, {KEPT_DETAILS, 0}, {KEPT_FAILURES, 0}};
enum { PASSES = KEPT + sizeof squeeze / sizeof *squeeze };

struct retention_sql {
    sqlite3_stmt *table[TABLES];
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
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
    *r = (struct retention){.keep = *keep, .rows = ROWS_FIRST, .next_ms = now_ms()};
}

void retention_end(struct retention *r)
{
    for (unsigned i = 0; r->sql && i < TABLES; i++)
        sqlite3_finalize(r->sql->table[i]);
    free(r->sql);
    r->sql = NULL;
    r->ready = false;
}

int retention_wait_ms(const struct retention *r)
{
    int64_t ms = r->next_ms - now_ms();
    return !wanted(r) ? -1 : ms < 1 ? 1 : (int)ms;
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
        if (!(r->sql->table[i] = db_prepare(db, tables[i].sql)))
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

static int too_large(const struct retention *r, struct db *db, bool *yes)
{
    int64_t pages, free_pages, size;
    *yes = false;
    if (!r->keep.max_bytes)
        return 0;
    if (db_int(db, "PRAGMA page_count", 0, &pages) ||
        db_int(db, "PRAGMA freelist_count", 0, &free_pages) ||
        db_int(db, "PRAGMA page_size", 0, &size))
        return -1;
    *yes = (pages - free_pages) * size > r->keep.max_bytes;
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
    *limit = now_us() - squeeze[r->pass - KEPT].days * DAY_US;
    if (!squeeze[r->pass - KEPT].days)
        *limit = INT64_MAX;
    return too_large(r, db, any);
}

/* One table's oldest rows. *n: how many went. Pairs (sdp and call, finding and failure) go
 * together: the first of a pair alone says nothing about what is left. */
static int delete_from(struct retention *r, struct db *db, unsigned table, int64_t limit, int *n)
{
    sqlite3_stmt *s = r->sql->table[table];
    sqlite3_bind_int64(s, 1, limit);
    sqlite3_bind_int(s, 2, r->rows);
    if (db_run(db, s))
        return -1;
    *n = sqlite3_changes(db->handle);
    return 0;
}

static bool first_of_pair(unsigned table)
{
    return table + 1 < TABLES && (strncmp(tables[table].sql, "DELETE FROM sdp", 15) == 0 ||
                                  strncmp(tables[table].sql, "DELETE FROM finding", 19) == 0);
}

static int delete_some(struct retention *r, struct db *db, int64_t limit, int *n)
{
    if (db_begin(db))
        return -1;
    int result = delete_from(r, db, r->table, limit, n);
    if (result == 0 && first_of_pair(r->table))
        result = delete_from(r, db, r->table + 1, limit, n);
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
    r->table += first_of_pair(r->table) ? 2 : 1;
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
        int n = 0;
        if (delete_some(r, db, limit, &n))
            return -1;
        r->deleted += (uint64_t)n;
        if (n == 0)
            next_table(r);
        return 0;
    }
    int result = shrink(db, more);
    if (result == 0 && !*more)
        r->pass = r->table = 0;
    return result;
}

static void adapt(struct retention *r, int64_t ms)
{
    if (ms > r->longest_ms)
        r->longest_ms = ms;
    if (ms > STEP_MS && r->rows > ROWS_LEAST)
        r->rows /= 2;
    else if (ms < STEP_MS / 2 && r->rows < ROWS_MOST)
        r->rows += r->rows / 4;
}

int retention_step(struct retention *r, struct db *db)
{
    int64_t begun = now_ms();
    bool more = false;
    if (!wanted(r) || begun < r->next_ms)
        return 0;
    int result = prepare(r, db) || bite(r, db, &more) ? -1 : 0;
    int64_t ended = now_ms();
    adapt(r, ended - begun);
    r->next_ms = ended + (more && result == 0 ? PAUSE_MS : SWEEP_MS);
    return result;
}
