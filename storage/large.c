/* Which way into a large table is the shortest. */
#include "storage/large.h"

#include <stdio.h>

/* The first rows of a part of a large table, taken along the index of their time. which and
 * verdict: what the table is asked for, NULL: all. */
static void first_rows(struct text *sql, const struct view_sql *v, const struct query_filter *f,
                       const char *which, const char *verdict)
{
    struct query_filter rest = *f;
    bool any = false, all = true;
    rest.since = rest.until = TICK_NONE;
    text_put(sql, "SELECT * FROM (SELECT ");
    text_put(sql, v->name);
    text_put(sql, ".* FROM (SELECT id AS page_row, ");
    text_put(sql, v->time);
    text_put(sql, " AS page_time FROM ");
    text_put(sql, v->table);
    query_condition(sql, true, which, &any);
    query_condition(sql, true, verdict, &any);
    text_put(sql, ") CROSS JOIN ");
    text_put(sql, v->name);
    text_put(sql, " WHERE id = page_row");
    query_conditions(sql, v, &rest, &all);
    text_put(sql, " ORDER BY page_time, page_row LIMIT :limit)");
}

static void limited_text(struct text *sql, const struct view_sql *v, const struct query_filter *f,
                         bool period)
{
    /* a verdict has an index that is in order of time, too */
    first_rows(sql, v, f, period ? v->usual : NULL,
               f->verdict && v->far_verdict ? "verdict = :verdict" : NULL);
    if (period) {
        text_put(sql, " UNION ALL ");
        first_rows(sql, v, f, v->other, NULL);
    }
    query_ordered(sql, v, f);
}

static const char *or_else(const char *wanted, const char *else_this)
{
    return wanted ? wanted : else_this;
}

/* Does the statement, which counts up to :limit rows, find so few that looking all of them up is
 * quicker than passing others by? */
static bool few(struct query_db *q, const struct query_filter *f, const char *sql)
{
    int64_t n = q->few;
    struct rows *r = query_rows(q, sql);
    struct query_filter limited = *f;
    limited.limit = q->few;
    if (!r)
        return false;
    query_bind(r, &limited);
    if (rows_next(r) == 1)
        n = rows_int(r, 0);
    rows_close(r);
    return n < q->few;
}

static const char
    rows_of_finding[] =
        "SELECT count(*) FROM (SELECT 1 FROM finding WHERE code = :finding LIMIT :limit)",
    rows_of_verdict[] =
        "SELECT count(*) FROM (SELECT 1 FROM failure WHERE verdict = :verdict LIMIT :limit)";

static bool short_period(struct query_db *q, const struct view_sql *v, const struct query_filter *f)
{
    char sql[256];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM (SELECT 1 FROM %s WHERE %s BETWEEN :since AND :until LIMIT"
             " :limit)",
             v->table, v->time);
    return few(q, f, sql);
}

void large_text(struct query_db *q, struct text *sql, const struct view_sql *v,
                const struct query_filter *f)
{
    bool period = f->since != TICK_NONE || f->until != TICK_NONE;
    bool finding = f->finding && v->far_finding && few(q, f, rows_of_finding);
    bool verdict = f->verdict && v->far_verdict && few(q, f, rows_of_verdict);
    bool sought = finding || verdict || (f->user && v->far_user) || (f->addr && v->far_addr) ||
                  f->call || f->id;
    bool others = f->failure_id || f->after_id || f->partner;
    struct view_sql far = *v;
    if (f->limit > 0 && v->time && !sought && !others) {
        limited_text(sql, v, f, period);
        return;
    }
    bool whole = !period || (sought && v->each_span && !short_period(q, v, f));
    far.span = whole ? or_else(v->each_span, v->span) : or_else(v->far_span, v->span);
    if (whole) {
        far.user = or_else(v->far_user, v->user);
        far.addr = or_else(v->far_addr, v->addr);
    }
    if (finding)
        far.finding = v->far_finding;
    if (verdict || (!period && !sought))
        far.verdict = or_else(v->far_verdict, v->verdict);
    query_view_text(sql, &far, f);
}
