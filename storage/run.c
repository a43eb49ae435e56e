/* The row of a run, and what follows from all of a run's rows at its end. */
#include "storage/run.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "flows/limits.h"
#include "flows/verdict.h"
#include "flows/memory.h"
#include "storage/clocks.h"
#include "storage/rejoin.h"
#include "storage/settle.h"
#include "storage/text.h"
#include "storage/windows.h"

enum { BUSY_RUNNING_MS = 30000 }; /* another edgewatch may be rejoining a night */

static tick_t wall_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * TICK_S + t.tv_nsec;
}

/* "1.2.3.4,5.6.7.8"; they are relay addresses, too. */
static int edge_list(struct store *s, const struct joiner_config *c, struct privacy *p,
                     struct text *out)
{
    char a[ADDR_TEXT];
    for (unsigned i = 0; c && i < c->n_edges; i++) {
        text_put(out, i ? "," : "");
        struct addr edge = c->edges[i];
        privacy_addr(p, &edge);
        text_raw(out, a, text_of_addr(&edge, a));
        if (store_relay(s, &edge))
            return -1;
    }
    return 0;
}

static int run_insert(struct store *s, const struct run_info *run, struct privacy *p)
{
    const struct joiner_config *c = run->joiner;
    struct text edges = {0};
    int result = edge_list(s, c, p, &edges);
    struct binds *b = store_bind(s);
    bind_chars(b, run->sensor, strlen(run->sensor)); /* "" is a name, too */
    bind_text(b, run->command);
    bind_text(b, privacy_text(p, run->sources));
    bind_tick(b, wall_clock());
    bind_word(b, EW_VERSION);
    if (edges.n)
        bind_chars(b, edges.p, edges.n);
    else
        bind_null(b);
    bind_int(b, c ? c->relay_low : 0);
    bind_int(b, c ? c->relay_high : 0);
    result = result ? -1 : store_run(s, WRITE_RUN);
    s->run = sqlite3_last_insert_rowid(s->db.handle);
    text_free(&edges);
    return result;
}

int run_begin(struct store *s, const struct run_info *run, struct privacy *p)
{
    if (store_begin(s))
        return -1;
    if (db_begin(&s->db) == 0 && run_insert(s, run, p) == 0 && db_commit(&s->db) == 0) {
        sqlite3_busy_timeout(s->db.handle, BUSY_RUNNING_MS);
        return 0;
    }
    db_rollback(&s->db);
    return -1;
}

static int run_ended(struct store *s, const struct run_end *e)
{
    static const char late[] =
        "UPDATE health_span SET queue_lost = queue_lost + %llu WHERE rowid = (SELECT max(rowid)"
        " FROM health_span WHERE run_id = %lld AND interface IS NULL)";
    char sql[sizeof late + 48];
    snprintf(sql, sizeof sql, late, (unsigned long long)e->lost, (long long)s->run);
    if (e->lost && db_exec(&s->db, sql))
        return -1;
    struct binds *b = store_bind(s);
    bind_tick(b, wall_clock());
    bind_text(b, privacy_text(e->privacy, e->damaged));
    bind_int(b, s->run);
    return store_run(s, WRITE_RUN_END) || ids_release(&s->ids, &s->db) ? -1 : 0;
}

static int capture_end(struct store *s)
{
    struct clocks_found found;
    if (settle_run(s) || clocks_of_logs(s, &found) || settle_logs(s) || rejoin_run(s))
        return -1;
    for (unsigned i = 0; i < found.n; i++)
        if (rejoin_with(s, found.run[i]))
            return -1;
    return windows_run(s);
}

static int import_end(struct store *s, struct log_result *log)
{
    if (clocks_known_log(s, log))
        return -1;
    if (log->known)
        return 0;
    return clocks_of_log(s) == 0 && settle_logs(s) == 0 && rejoin_run(s) == 0
               ? clocks_result(s, log)
               : -1;
}

/* A verdict of a newer edgewatch is none of ours to count. */
static void take_found(struct failures_found *out, sqlite3_stmt *q)
{
    unsigned v = (unsigned)verdict_by_name((const char *)sqlite3_column_text(q, 0));
    if (v < VERDICTS)
        *(sqlite3_column_int(q, 1) ? &out->infos[v] : &out->failures[v]) =
            (uint64_t)sqlite3_column_int64(q, 2);
}

/* A plus takes the index on time away, which is no help to who wrote most of the table. */
#define FOUND_SQL(plus)                                                                           \
    "SELECT verdict, info, count(*) FROM failure"                                                 \
    " WHERE " plus "first_us BETWEEN ?2 - ?4 AND ?3 + ?4 AND run_id IN (SELECT o.id FROM run o"   \
    " JOIN run n ON o.sensor = n.sensor WHERE n.id = ?1) AND ((first_us <= ?3 AND last_us >= ?2)" \
    " OR call_row IN (SELECT id FROM call WHERE started_us BETWEEN ?2 - ?4 AND ?3"                \
    " AND coalesce(ended_us, started_us) >= ?2)"                                                  \
    " OR allocation_row IN (SELECT id FROM allocation WHERE started_us BETWEEN ?2 - ?4 AND ?3"    \
    " AND coalesce(ended_us, started_us) >= ?2)) GROUP BY 1, 2"

static int count_found(struct store *s, struct failures_found *out)
{
    sqlite3_stmt *q = db_prepare(&s->db, s->db.bulk ? FOUND_SQL("+") : FOUND_SQL(""));
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, s->run);
    sqlite3_bind_int64(q, 2, s->first / TICK_US);
    sqlite3_bind_int64(q, 3, s->last / TICK_US);
    sqlite3_bind_int64(q, 4, CALL_MAX / TICK_US);
    int rc;
    *out = (struct failures_found){.counted = true};
    while ((rc = sqlite3_step(q)) == SQLITE_ROW)
        take_found(out, q);
    int result = rc == SQLITE_DONE ? 0 : db_fault(&s->db, "read");
    sqlite3_finalize(q);
    return result;
}

/* What is joined without some of its memory is joined wrongly: the rows stay as they were. */
static int whole(struct store *s, uint64_t refused)
{
    return memory_refused() == refused ? 0 : db_no_memory(&s->db);
}

int run_end(struct store *s, const struct run_end *e)
{
    uint64_t refused = memory_refused();
    if (db_begin(&s->db))
        return -1;
    s->first = e->first;
    s->last = e->last == TICK_NONE ? e->first : e->last;
    bool count = e->found && e->first != TICK_NONE;
    if (store_settle_batch(s) == 0 && run_ended(s, e) == 0 &&
        (e->log ? import_end(s, e->log) : capture_end(s)) == 0 && whole(s, refused) == 0 &&
        (!count || count_found(s, e->found) == 0) && db_commit(&s->db) == 0)
        return 0;
    if (count)
        e->found->counted = false;
    db_rollback(&s->db);
    return -1;
}
