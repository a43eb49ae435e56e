/*
 * The failures of a rejoined stretch of time take the place of those stored for it: first all of
 * these go, then what the joiner says is stored slice by slice. What it says anew of a failure, or
 * takes back, changes the row.
 */
#include "storage/clocks.h"
#include "storage/rejoin_inner.h"

#include <stdlib.h>

static int remove_old(struct rejoin *r)
{
    static const char choose[] =
        "INSERT INTO temp.gone SELECT id, event_id FROM failure WHERE"
        " run_id IN (SELECT id FROM run WHERE sensor = ?3) AND (first_us BETWEEN ?1 AND ?2 OR"
        " EXISTS (SELECT 1 FROM temp.scope WHERE call = 1 AND scope.id = call_row) OR"
        " EXISTS (SELECT 1 FROM temp.scope WHERE call = 0 AND scope.id = allocation_row))";
    static const char remove[] =
        "DELETE FROM failure WHERE id IN (SELECT id FROM temp.gone);"
        "DELETE FROM finding WHERE failure_id IN (SELECT id FROM temp.gone);"
        "UPDATE attempt SET failure_id = NULL WHERE failure_id IN (SELECT id FROM temp.gone)";
    struct db *db = &r->s->db;
    sqlite3_stmt *q;
    if (db_exec(db, "CREATE TEMP TABLE gone (id INTEGER PRIMARY KEY, event_id INTEGER);"
                    "CREATE INDEX temp.gone_event ON gone(event_id)") ||
        !(q = db_prepare(db, choose)))
        return -1;
    sqlite3_bind_int64(q, 1, r->first);
    sqlite3_bind_int64(q, 2, r->last);
    sqlite3_bind_text(q, 3, r->sensor, -1, SQLITE_STATIC);
    int result = db_run(db, q);
    sqlite3_finalize(q);
    return result ? -1 : db_exec(db, remove);
}

/* The row of the same event, now taken, or a new one. */
static int64_t row_for(struct rejoin *r, uint64_t event)
{
    sqlite3_stmt *find = r->sql[REJOIN_FIND];
    sqlite3_bind_int64(find, 1, (int64_t)event);
    int64_t row = sqlite3_step(find) == SQLITE_ROW ? sqlite3_column_int64(find, 0) : 0;
    sqlite3_reset(find);
    if (!row)
        return ids_extra(&r->s->db, IDS_FAILURE);
    sqlite3_bind_int64(r->sql[REJOIN_TAKE], 1, row);
    return db_run(&r->s->db, r->sql[REJOIN_TAKE]) ? -1 : row;
}

/* Stored and taken back: its row waits for another failure of the same event again. */
static int take_back(struct rejoin *r, int64_t row)
{
    static const enum rejoin_sql steps[] = {REJOIN_LEAVE, REJOIN_REMOVE, REJOIN_REMOVE_FINDINGS};
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
        sqlite3_bind_int64(r->sql[steps[i]], 1, row);
        if (db_run(&r->s->db, r->sql[steps[i]]))
            return -1;
    }
    return 0;
}

/* The run that saw it: of the attempt, else of what was allocated or called; not a log. */
static int64_t run_of(struct rejoin *r, const struct failure *f)
{
    sqlite3_stmt *find = r->sql[REJOIN_RUN];
    sqlite3_bind_int64(find, 1, (int64_t)f->attempt);
    sqlite3_bind_int64(find, 2, f->allocation_row);
    sqlite3_bind_int64(find, 3, f->call_row);
    bool found = sqlite3_step(find) == SQLITE_ROW && sqlite3_column_type(find, 0) != SQLITE_NULL;
    int64_t run = found ? sqlite3_column_int64(find, 0) : r->packets;
    sqlite3_reset(find);
    return run;
}

static const struct record_failure *failure_in(const struct block *b)
{
    size_t at = 0;
    enum record_kind kind;
    return record_next(b, &at, &kind);
}

/* A failure without scope outside the stretch was judged on half its facts: the old row stands. */
static bool ours(const struct rejoin *r, const struct failure *f)
{
    int64_t us = f->first / TICK_US;
    return f->call_row || f->allocation_row || (us >= r->first && us <= r->last);
}

/* One that was told since the last time. */
static int store_one(struct rejoin *r, const struct record_failure *f, int64_t *row)
{
    if (!ours(r, &f->failure))
        return 0;
    *row = *row < 0 ? -*row : *row ? *row : row_for(r, f->failure.event_id);
    return *row < 0 ? -1 : store_failure(r->s, *row, run_of(r, &f->failure), f);
}

int rejoin_store(struct rejoin *r)
{
    int result = 0;
    for (size_t i = 0; i < r->n_failures && result == 0; i++)
        if (!r->failure[i] && r->rows[i] < 0) {
            result = take_back(r, -r->rows[i]);
            r->rows[i] = 0;
        }
    for (size_t i = 0; i < r->n_failures && result == 0; i++) {
        if (!r->failure[i])
            continue;
        result = store_one(r, failure_in(r->failure[i]), &r->rows[i]);
        free(r->failure[i]);
        r->failure[i] = NULL;
    }
    return result;
}

static int store_links(struct rejoin *r)
{
    sqlite3_stmt *q = db_prepare(&r->s->db, "UPDATE attempt SET failure_id = ? WHERE id = ?");
    int result = q ? 0 : -1;
    for (size_t i = 0; i < r->n_links && result == 0; i++) {
        int64_t row = r->links[i].failure ? r->rows[r->links[i].failure - 1] : 0;
        if (row > 0)
            sqlite3_bind_int64(q, 1, row);
        else
            sqlite3_bind_null(q, 1);
        sqlite3_bind_int64(q, 2, r->links[i].attempt);
        result = db_run(&r->s->db, q);
    }
    sqlite3_finalize(q);
    return result;
}

static int prepare(struct rejoin *r)
{
    static const char *const texts[REJOIN_SQLS] = {
        [REJOIN_FIND] = "SELECT min(id) FROM temp.gone WHERE event_id = ?",
        [REJOIN_TAKE] = "DELETE FROM temp.gone WHERE id = ?",
        [REJOIN_RUN] =
            "SELECT coalesce((SELECT run_id FROM attempt WHERE id = ?), (SELECT run_id FROM"
            " allocation WHERE id = ?), (SELECT run_id FROM call WHERE id = ? AND run_id NOT IN"
            " " SIP_LOGS "))",
        [REJOIN_LEAVE] = "INSERT INTO temp.gone SELECT id, event_id FROM failure WHERE id = ?",
        [REJOIN_REMOVE] = "DELETE FROM failure WHERE id = ?",
        [REJOIN_REMOVE_FINDINGS] = "DELETE FROM finding WHERE failure_id = ?",
    };
    for (unsigned i = 0; i < REJOIN_SQLS; i++)
        if (!(r->sql[i] = db_prepare(&r->s->db, texts[i])))
            return -1;
    return 0;
}

int rejoin_open(struct rejoin *r)
{
    return load_list_scopes(&r->s->db, r->sensor, r->first, r->last) || remove_old(r) || prepare(r)
               ? -1
               : 0;
}

void rejoin_statements_free(struct rejoin *r)
{
    for (unsigned i = 0; i < REJOIN_SQLS; i++) {
        sqlite3_finalize(r->sql[i]);
        r->sql[i] = NULL;
    }
}

int rejoin_close(struct rejoin *r)
{
    rejoin_statements_free(r);
    return store_links(r) || store_settle_batch(r->s) ||
                   db_exec(&r->s->db, "DROP TABLE temp.scope; DROP TABLE temp.gone")
               ? -1
               : 0;
}
