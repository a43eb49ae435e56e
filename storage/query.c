/* Reading: a view with filters, or a figure, as rows. */
#include "storage/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "storage/grown.h"
#include "storage/large.h"

struct rows {
    struct query_db *db;
    sqlite3_stmt *s;
};

enum db_result query_open(const char *path, struct query_db **out, char *why, size_t room)
{
    struct query_db *q = calloc(1, sizeof *q);
    if (!q) {
        snprintf(why, room, "%s: out of memory", path);
        return DB_NOT_OPENED;
    }
    q->few = LARGE_FEW;
    enum db_result result = db_open_read(&q->db, path, &schema_edgewatch);
    if (result == DB_OK) {
        *out = q;
        return DB_OK;
    }
    snprintf(why, room, "%s", q->db.why);
    free(q);
    return result;
}

void query_close(struct query_db *q)
{
    if (!q)
        return;
    db_close(&q->db);
    free(q);
}

const char *query_error(const struct query_db *q)
{
    return q->db.why;
}

/* ---- limits ---- */

enum { STEPS_BETWEEN_LOOKS = 2000 }; /* of SQLite's machine: some tens of microseconds */

static int look_at_the_clock(void *arg)
{
    struct query_db *q = arg;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    q->expired = now.tv_sec > q->deadline.tv_sec ||
                 (now.tv_sec == q->deadline.tv_sec && now.tv_nsec >= q->deadline.tv_nsec);
    return q->expired;
}

void query_limit(struct query_db *q, int64_t ms)
{
    q->expired = false;
    if (ms <= 0) {
        sqlite3_progress_handler(q->db.handle, 0, NULL, NULL);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &q->deadline);
    int64_t ns = q->deadline.tv_nsec + ms % 1000 * 1000000;
    q->deadline.tv_sec += ms / 1000 + ns / 1000000000;
    q->deadline.tv_nsec = ns % 1000000000;
    sqlite3_busy_timeout(q->db.handle, (int)ms);
    sqlite3_progress_handler(q->db.handle, STEPS_BETWEEN_LOOKS, look_at_the_clock, q);
}

bool query_expired(const struct query_db *q)
{
    return q->expired;
}

int64_t query_version(struct query_db *q)
{
    int64_t version;
    return db_int(&q->db, "PRAGMA data_version", -1, &version) ? -1 : version;
}

const char *query_view_name(enum query_view v)
{
    return statements_view[v].name;
}

int64_t query_last_failure(struct query_db *q)
{
    int64_t last;
    return db_int(&q->db, "SELECT ifnull(max(id), 0) FROM failure", -1, &last) ? 0 : last;
}

bool query_failure_span(struct query_db *q, tick_t *first, tick_t *last)
{
    int64_t from, to;
    if (db_int(&q->db, "SELECT min(first_us) FROM failure", -1, &from) ||
        db_int(&q->db, "SELECT max(last_us) FROM failure", -1, &to) || from < 0 || to < 0)
        return false;
    *first = from * TICK_US;
    *last = to * TICK_US;
    return true;
}

/* ---- parameters ---- */

static void set_int(sqlite3_stmt *s, const char *name, int64_t v)
{
    int at = sqlite3_bind_parameter_index(s, name);
    if (at)
        sqlite3_bind_int64(s, at, v);
}

static void set_text(sqlite3_stmt *s, const char *name, const char *v)
{
    int at = v ? sqlite3_bind_parameter_index(s, name) : 0;
    if (at)
        sqlite3_bind_text(s, at, v, -1, SQLITE_TRANSIENT);
}

/* An open side of the period is the end of time, as number and as text. */
static int64_t since_us(tick_t since)
{
    return since == TICK_NONE ? INT64_MIN / 4 : since / TICK_US;
}

static int64_t until_us(tick_t until)
{
    return until == TICK_NONE ? INT64_MAX / 4 : until / TICK_US;
}

static void set_period(sqlite3_stmt *s, tick_t since, tick_t until)
{
    char text[TICK_TEXT];
    bool from = since != TICK_NONE, to = until != TICK_NONE;
    set_int(s, ":since", since_us(since));
    set_int(s, ":until", until_us(until));
    set_text(s, ":since_text", from ? tick_text(since, text) : "");
    set_text(s, ":day_before", from ? tick_text(since - 25 * 3600 * TICK_S, text) : "");
    set_text(s, ":hour_before", from ? tick_text(since - 3600 * TICK_S, text) : "");
    set_text(s, ":until_text", to ? tick_text(until, text) : "9999-12-31T23:59:59.999999Z");
}

sqlite3_stmt *query_statement(const struct rows *r)
{
    return r->s;
}

void query_bind_int(struct rows *r, const char *name, int64_t v)
{
    set_int(r->s, name, v);
}

void query_bind(struct rows *r, const struct query_filter *f)
{
    sqlite3_stmt *s = r->s;
    set_period(s, f->since, f->until);
    set_text(s, ":user", f->user);
    set_text(s, ":call", f->call);
    set_text(s, ":addr", f->addr);
    set_text(s, ":verdict", f->verdict);
    set_text(s, ":finding", f->finding);
    set_text(s, ":partner", f->partner);
    set_text(s, ":grade", f->grade);
    set_int(s, ":id", f->id);
    set_int(s, ":after", f->after_id);
    set_int(s, ":failure", f->failure_id);
    set_int(s, ":limit", f->limit);
}

/* ---- statements ---- */

void query_condition(struct text *sql, bool wanted, const char *text, bool *any)
{
    if (!wanted || !text)
        return;
    text_put(sql, *any ? " AND " : " WHERE ");
    text_put(sql, text);
    *any = true;
}

void query_conditions(struct text *sql, const struct view_sql *v, const struct query_filter *f,
                      bool *any)
{
    query_condition(sql, f->since != TICK_NONE || f->until != TICK_NONE, v->span, any);
    query_condition(sql, f->user, v->user, any);
    query_condition(sql, f->call, v->call, any);
    query_condition(sql, f->addr, v->addr, any);
    query_condition(sql, f->verdict, v->verdict, any);
    query_condition(sql, f->finding, v->finding, any);
    query_condition(sql, f->id, v->id, any);
    query_condition(sql, f->after_id, v->after, any);
    query_condition(sql, f->failure_id, v->failure, any);
    query_condition(sql, f->partner, v->partner, any);
    query_condition(sql, f->grade, v->grade, any);
    query_condition(sql, !f->with_info, v->plain, any);
}

void query_ordered(struct text *sql, const struct view_sql *v, const struct query_filter *f)
{
    if (v->order) {
        text_put(sql, " ORDER BY ");
        text_put(sql, v->order);
    }
    if (f->limit > 0)
        text_put(sql, " LIMIT :limit");
    text_raw(sql, "", 1);
}

void query_view_text(struct text *sql, const struct view_sql *v, const struct query_filter *f)
{
    bool any = false;
    text_put(sql, "SELECT * FROM ");
    text_put(sql, v->name);
    query_conditions(sql, v, f, &any);
    query_ordered(sql, v, f);
}

struct rows *query_rows(struct query_db *q, const char *sql)
{
    struct rows *r = sql ? malloc(sizeof *r) : NULL;
    if (!r) {
        snprintf(q->db.why, sizeof q->db.why, "%s: out of memory", q->db.path);
        return NULL;
    }
    *r = (struct rows){q, db_prepare(&q->db, sql)};
    if (r->s)
        return r;
    free(r);
    return NULL;
}

struct rows *query_view(struct query_db *q, enum query_view v, const struct query_filter *f)
{
    struct text sql = {0};
    const struct view_sql *view = &statements_view[v];
    if (view->table && grown_has(&q->db, view->table))
        large_text(q, &sql, view, f);
    else
        query_view_text(&sql, view, f);
    struct rows *r = query_rows(q, sql.failed ? NULL : sql.p);
    text_free(&sql);
    if (r)
        query_bind(r, f);
    return r;
}

struct rows *query_sum(struct query_db *q, enum query_sum sum, tick_t since, tick_t until)
{
    bool asks_tables =
        sum == SUM_HEALTH || sum == SUM_BLIND || sum == SUM_TABLE_LIMIT || sum == SUM_LAST;
    if (!asks_tables && period_make(&q->period, &q->db, since_us(since), until_us(until)) != 0)
        return NULL;
    struct rows *r = query_rows(q, statements_sum[sum]);
    if (r)
        set_period(r->s, since, until);
    return r;
}

static int transaction(struct query_db *q, const char *text)
{
    sqlite3_stmt *s = db_prepare(&q->db, text);
    int result = s ? db_run(&q->db, s) : -1;
    sqlite3_finalize(s);
    return result;
}

int query_begin(struct query_db *q)
{
    return transaction(q, "BEGIN");
}

int query_end(struct query_db *q)
{
    return transaction(q, "COMMIT");
}

/* ---- rows ---- */

int rows_next(struct rows *r)
{
    int rc = sqlite3_step(r->s);
    if (rc == SQLITE_ROW)
        return 1;
    if (rc != SQLITE_DONE && r->db->expired) {
        snprintf(r->db->db.why, sizeof r->db->db.why, "%s: the question took too long",
                 r->db->db.path);
        return -1;
    }
    return rc == SQLITE_DONE ? 0 : db_fault(&r->db->db, "read");
}

void rows_close(struct rows *r)
{
    if (!r)
        return;
    sqlite3_finalize(r->s);
    free(r);
}

int rows_columns(const struct rows *r)
{
    return sqlite3_column_count(r->s);
}

const char *rows_name(const struct rows *r, int column)
{
    return sqlite3_column_name(r->s, column);
}

enum rows_type rows_type(struct rows *r, int column)
{
    switch (sqlite3_column_type(r->s, column)) {
    case SQLITE_INTEGER:
        return ROWS_INT;
    case SQLITE_FLOAT:
        return ROWS_REAL;
    case SQLITE_TEXT:
        return ROWS_TEXT;
    case SQLITE_BLOB:
        return ROWS_BLOB;
    default:
        return ROWS_NULL;
    }
}

int64_t rows_int(struct rows *r, int column)
{
    return sqlite3_column_int64(r->s, column);
}

double rows_real(struct rows *r, int column)
{
    return sqlite3_column_double(r->s, column);
}

const char *rows_text(struct rows *r, int column)
{
    return (const char *)sqlite3_column_text(r->s, column);
}

const void *rows_blob(struct rows *r, int column, size_t *n)
{
    const void *p = sqlite3_column_blob(r->s, column);
    *n = (size_t)sqlite3_column_bytes(r->s, column);
    return p;
}

int rows_find(const struct rows *r, const char *name)
{
    for (int i = 0; i < rows_columns(r); i++)
        if (strcmp(rows_name(r, i), name) == 0)
            return i;
    return -1;
}
