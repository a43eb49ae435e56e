/* The failures of a rejoined stretch of time take the place of those stored for it. */
#include "storage/clocks.h"
#include "storage/rejoin_inner.h"

#include <stdlib.h>

static int list_scopes(struct rejoin *r)
{
    struct db *db = &r->s->db;
    sqlite3_stmt *q;
    if (db_exec(db, "CREATE TEMP TABLE scope (call INTEGER, id INTEGER, PRIMARY KEY (call, id))"
                    " WITHOUT ROWID") ||
        !(q = db_prepare(db, "INSERT INTO temp.scope VALUES (?, ?)")))
        return -1;
    int result = 0;
    for (int call = 0; call < 2; call++) {
        size_t n = call ? r->facts.n_calls : r->facts.n_allocations;
        sqlite3_bind_int(q, 1, call);
        for (size_t i = 0; i < n && result == 0; i++) {
            sqlite3_bind_int64(q, 2, call ? r->facts.calls[i].id : r->facts.allocations[i].id);
            result = db_run(db, q);
        }
    }
    sqlite3_finalize(q);
    return result;
}

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
static int64_t row_for(struct rejoin *r, sqlite3_stmt *find, sqlite3_stmt *taken, uint64_t event)
{
    sqlite3_bind_int64(find, 1, (int64_t)event);
    int64_t row = sqlite3_step(find) == SQLITE_ROW ? sqlite3_column_int64(find, 0) : 0;
    sqlite3_reset(find);
    if (!row)
        return ids_extra(&r->s->db, IDS_FAILURE);
    sqlite3_bind_int64(taken, 1, row);
    return db_run(&r->s->db, taken) ? -1 : row;
}

/* The run that saw it: of the attempt, else of what was allocated or called; not a log. */
static int64_t run_of(struct rejoin *r, sqlite3_stmt *find, const struct failure *f)
{
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

/* Stores the failures; rows[] gets the row id of each, 0 for those that were not stored. */
static int store_new(struct rejoin *r, int64_t *rows)
{
    struct db *db = &r->s->db;
    sqlite3_stmt *find = db_prepare(db, "SELECT min(id) FROM temp.gone WHERE event_id = ?");
    sqlite3_stmt *taken = db_prepare(db, "DELETE FROM temp.gone WHERE id = ?");
    sqlite3_stmt *run = db_prepare(
        db, "SELECT coalesce((SELECT run_id FROM attempt WHERE id = ?), (SELECT run_id FROM"
            " allocation WHERE id = ?), (SELECT run_id FROM call WHERE id = ? AND run_id NOT IN"
            " " SIP_LOGS "))");
    int result = find && taken && run ? 0 : -1;
    for (size_t i = 0; i < r->n_failures && result == 0; i++) {
        const struct record_failure *f = r->failure[i] ? failure_in(r->failure[i]) : NULL;
        if (!f || !ours(r, &f->failure))
            continue;
        rows[i] = row_for(r, find, taken, f->failure.event_id);
        result = rows[i] < 0 ? -1 : store_failure(r->s, rows[i], run_of(r, run, &f->failure), f);
    }
    sqlite3_finalize(find);
    sqlite3_finalize(taken);
    sqlite3_finalize(run);
    return result;
}

static int store_links(struct rejoin *r, const int64_t *rows)
{
    sqlite3_stmt *q = db_prepare(&r->s->db, "UPDATE attempt SET failure_id = ? WHERE id = ?");
    int result = q ? 0 : -1;
    for (size_t i = 0; i < r->n_links && result == 0; i++) {
        int64_t row = r->links[i].failure ? rows[r->links[i].failure - 1] : 0;
        if (row)
            sqlite3_bind_int64(q, 1, row);
        else
            sqlite3_bind_null(q, 1);
        sqlite3_bind_int64(q, 2, r->links[i].attempt);
        result = db_run(&r->s->db, q);
    }
    sqlite3_finalize(q);
    return result;
}

/* The joiner concludes how a call went ... */
static int store_outcomes(struct rejoin *r)
{
    const struct loaded *l = &r->facts;
    sqlite3_stmt *q = db_prepare(&r->s->db, "UPDATE call SET outcome = ? WHERE id = ?");
    int result = q ? 0 : -1;
    for (size_t i = 0; i < l->n_calls && result == 0; i++) {
        struct binds b;
        if (l->calls[i].outcome == l->states[i].outcome)
            continue;
        bind_start(&b, q);
        bind_word(&b, store_outcome(l->calls[i].outcome));
        bind_int(&b, l->calls[i].id);
        result = db_run(&r->s->db, q);
    }
    sqlite3_finalize(q);
    return result;
}

/* ... and where a relay was seen on the wire. */
static int store_wire_addrs(struct rejoin *r)
{
    const struct loaded *l = &r->facts;
    sqlite3_stmt *q = db_prepare(&r->s->db, "UPDATE allocation SET wire_addr = ? WHERE id = ?");
    int result = q ? 0 : -1;
    for (size_t i = 0; i < l->n_allocations && result == 0; i++) {
        const struct addr *wire = &l->allocations[i].wire_addr;
        struct binds b;
        if (addr_eq(wire, &l->wire_addrs[i]))
            continue;
        bind_start(&b, q);
        bind_addr(&b, wire);
        bind_int(&b, l->allocations[i].id);
        result = store_relay(r->s, wire) ? -1 : db_run(&r->s->db, q);
    }
    sqlite3_finalize(q);
    return result;
}

int rejoin_store(struct rejoin *r)
{
    int64_t *rows = calloc(r->n_failures + 1, sizeof *rows);
    if (!rows)
        return db_no_memory(&r->s->db);
    int result = list_scopes(r) == 0 && remove_old(r) == 0 && store_new(r, rows) == 0 &&
                         store_links(r, rows) == 0 && store_outcomes(r) == 0 &&
                         store_wire_addrs(r) == 0 && store_settle_batch(r->s) == 0 &&
                         db_exec(&r->s->db, "DROP TABLE temp.scope; DROP TABLE temp.gone") == 0
                     ? 0
                     : -1;
    free(rows);
    return result;
}
