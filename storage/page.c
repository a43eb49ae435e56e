/* Pages of a view, newest first. */
#include "storage/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "storage/query_inner.h"

/*
 * Cursor: "t.ID" of the last row, t its time in microseconds, "-" for none. Views that have no id
 * and time to hold on to count rows instead: "nN". Readers of those fix the period.
 */
struct place {
    bool begun, timed;
    int64_t time, id; /* id: rows to skip where no id is to be had */
};

/* Where a view's rows come from in order of time. Rows without a time come last. */
static const struct {
    const char *table, *time, *column; /* column: the view's name of it */
    const char *span;                  /* touches [:since, :until] */
    const char *view;                  /* of that table alone, if the view has more; else NULL */
} sources[VIEWS] = {
    [VIEW_FAILURES] = {"failure", "first_us", "first_seen",
                       "page_time <= :until AND page_end >= :since", NULL},
    [VIEW_ATTEMPTS] = {"attempt", "first_us", "first_seen",
                       "page_time <= :until AND page_end >= :since", "handshakes"},
    [VIEW_CALLS] = {"call", "started_us", "started", NULL, NULL},
    [VIEW_ALLOCATIONS] = {"allocation", "started_us", "started", NULL, NULL},
};

static bool number(const char **p, int64_t *out)
{
    char *end;
    if (**p < '0' || **p > '9')
        return false;
    *out = strtoll(*p, &end, 10);
    bool whole = end - *p <= 18;
    *p = end;
    return whole;
}

static bool cursor_read(const char *text, bool timed_view, struct place *c)
{
    *c = (struct place){.begun = text && *text};
    if (!c->begun)
        return true;
    if (!timed_view)
        return *text++ == 'n' && number(&text, &c->id) && !*text;
    c->timed = *text != '-';
    if (!c->timed)
        text++;
    else if (!number(&text, &c->time))
        return false;
    return *text++ == '.' && number(&text, &c->id) && !*text;
}

/* The rows of the table that lie behind the cursor, through the index of their time. */
static void source_text(struct text *sql, enum query_view v, const struct place *c)
{
    const char *time = sources[v].time, *table = sources[v].table;
    bool spans = sources[v].span, always = v == VIEW_FAILURES || v == VIEW_ATTEMPTS;
    text_put(sql, "(SELECT id AS page_row, ");
    text_put(sql, time);
    text_put(sql, " AS page_time");
    text_put(sql, spans ? ", last_us AS page_end FROM " : " FROM ");
    text_put(sql, table);
    if (c->begun && !c->timed) {
        text_put(sql, " WHERE page_time IS NULL AND id < :page_id");
    } else if (c->begun) {
        text_put(sql, " WHERE (page_time <= :page_time AND (page_time < :page_time OR id < "
                      ":page_id))");
        /* the plain range alone goes through the index */
        text_put(sql, always ? "" : " OR page_time IS NULL");
    }
    text_put(sql, ")");
}

static void page_text(struct text *sql, enum query_view v, const struct query_filter *f,
                      const struct place *c)
{
    struct view_sql conditions = statements_view[v];
    bool any = true;
    if (sources[v].span)
        conditions.span = sources[v].span;
    if (sources[v].view)
        conditions.name = sources[v].view;
    text_put(sql, "SELECT ");
    text_put(sql, conditions.name);
    text_put(sql, ".* FROM ");
    source_text(sql, v, c);
    text_put(sql, " CROSS JOIN ");
    text_put(sql, conditions.name);
    text_put(sql, " WHERE id = page_row");
    query_conditions(sql, &conditions, f, &any);
    text_put(sql, " ORDER BY page_time DESC, page_row DESC LIMIT :limit");
    text_raw(sql, "", 1);
}

static void plain_text(struct text *sql, enum query_view v, const struct query_filter *f)
{
    bool any = false;
    text_put(sql, "SELECT * FROM ");
    text_put(sql, statements_view[v].name);
    query_conditions(sql, &statements_view[v], f, &any);
    if (statements_view[v].order) {
        text_put(sql, " ORDER BY ");
        text_put(sql, statements_view[v].order);
        text_put(sql, v == VIEW_RUNS || v == VIEW_HEALTH || v == VIEW_DIAGNOSTICS ? " DESC" : "");
    }
    text_put(sql, " LIMIT :limit OFFSET :page_id");
    text_raw(sql, "", 1);
}

struct rows *page_view(struct query_db *q, enum query_view v, const struct query_filter *f,
                       const char *cursor, bool *bad)
{
    struct place c;
    struct text sql = {0};
    struct query_filter limited = *f;
    *bad = !cursor_read(cursor, sources[v].table, &c);
    if (*bad)
        return NULL;
    if (limited.limit <= 0)
        limited.limit = INT64_MAX;
    if (sources[v].table)
        page_text(&sql, v, &limited, &c);
    else
        plain_text(&sql, v, &limited);
    struct rows *r = query_rows(q, sql.failed ? NULL : sql.p);
    text_free(&sql);
    if (!r)
        return NULL;
    query_bind(r, &limited);
    query_bind_int(r, ":page_time", c.time);
    query_bind_int(r, ":page_id", c.id);
    return r;
}

/* "YYYY-MM-DDTHH:MM:SS.ffffffZ", as our own views write it, in microseconds. */
static bool micros(const char *text, int64_t *out)
{
    struct tm tm = {0};
    int part = 0;
    if (!text || sscanf(text, "%d-%d-%dT%d:%d:%d.%6dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                        &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &part) != 7)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    *out = (int64_t)timegm(&tm) * 1000000 + part;
    return *out >= 0;
}

char *page_cursor(struct rows *r, enum query_view v, const char *cursor, int64_t n,
                  char out[PAGE_CURSOR])
{
    struct place c;
    int64_t time;
    if (!sources[v].table) {
        cursor_read(cursor, false, &c);
        snprintf(out, PAGE_CURSOR, "n%" PRId64, c.id + n);
        return out;
    }
    int64_t id = rows_int(r, rows_find(r, "id"));
    if (micros(rows_text(r, rows_find(r, sources[v].column)), &time))
        snprintf(out, PAGE_CURSOR, "%" PRId64 ".%" PRId64, time, id);
    else
        snprintf(out, PAGE_CURSOR, "-.%" PRId64, id);
    return out;
}
