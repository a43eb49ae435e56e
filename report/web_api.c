/* The API: the views as JSON, with the contract's column names. openapi.json describes it. */
#include "report/web.h"

#include "report/json.h"
#include "report/story_facts.h"
#include "report/summary.h"
#include "storage/page.h"

#include <stdlib.h>
#include <string.h>

__asm__(".section .rodata\n"
        ".global web_api_text\n"
        "web_api_text:\n"
        ".incbin \"report/openapi.json\"\n"
        ".byte 0\n"
        ".previous\n");
extern const char web_api_text[];

int web_api_description(struct web *w)
{
    fputs(web_api_text, w->out);
    return 200;
}

static int put(struct web *w, json_t *o)
{
    if (!o)
        return web_fail(w, 503, "Out of memory.");
    json_write(o, JSON_COMPACT | JSON_REAL_PRECISION(10), w->out);
    fputc('\n', w->out);
    json_decref(o);
    return 200;
}

static bool view_by_name(const char *name, enum query_view *out)
{
    for (int v = 0; v < VIEWS; v++)
        if (strcmp(query_view_name((enum query_view)v), name) == 0) {
            *out = (enum query_view)v;
            return true;
        }
    return false;
}

static int number_arg(struct web *w, const char *name, int64_t *out)
{
    const char *text = web_arg(w, name);
    *out = text ? web_number(text, NULL) : 0;
    return *out < 0 ? web_fail(w, 400, "%s: \"%.60s\" is not an id", name, text) : 0;
}

/* Rows up to most, and the cursor behind them if there are more. */
static int put_rows(struct web *w, enum query_view v, struct rows *r, int64_t most)
{
    const char *from = web_arg(w, "cursor");
    char next[PAGE_CURSOR] = "";
    int64_t n = 0;
    int got;
    fputs("{\"rows\":[", w->out);
    while ((got = rows_next(r)) == 1 && n < most) {
        json_t *row = json_row(r);
        if (!row)
            return web_fail(w, 503, "Out of memory.");
        fputs(n ? ",\n" : "\n", w->out);
        json_write(row, JSON_COMPACT | JSON_REAL_PRECISION(10), w->out);
        json_decref(row);
        page_cursor(r, v, from, ++n, next);
    }
    if (got < 0)
        return web_database_failed(w);
    fprintf(w->out, "%s],\"next\":%s%s%s}\n", n ? "\n" : "", got ? "\"" : "", got ? next : "null",
            got ? "\"" : "");
    return 200;
}

int web_api_list(struct web *w)
{
    struct query_filter f;
    enum query_view v;
    bool bad;
    if (!view_by_name(w->rest, &v))
        return web_fail(w, 404, "There is no list of that name; /api/openapi.json has them all.");
    int status = web_filter(w, 100, WEB_MOST_ROWS, &f);
    if (status || (status = number_arg(w, "failure", &f.failure_id)) ||
        (status = number_arg(w, "id", &f.id)))
        return status;
    int64_t most = f.limit++;
    struct rows *r = page_view(w->db, v, &f, web_arg(w, "cursor"), &bad);
    if (!r)
        return bad ? web_fail(w, 400, "cursor: none that this list has given")
                   : web_database_failed(w);
    status = put_rows(w, v, r, most);
    rows_close(r);
    return status;
}

int web_api_failure(struct web *w)
{
    struct story_facts facts;
    int64_t id = web_number(w->rest, NULL);
    switch (id < 0 ? STORY_NO_ID : story_load(w->db, id, &facts)) {
    case STORY_NO_ID:
        return web_fail(w, 404, "There is no failure %.40s.", w->rest);
    case STORY_DB_FAILED:
        return web_database_failed(w);
    case STORY_OK:
        break;
    }
    int status = put(w, story_json(&facts));
    story_unload(&facts);
    return status;
}

int web_api_summary(struct web *w)
{
    tick_t since, until;
    bool old;
    int status = web_period(w, &since, &until, &old);
    if (status)
        return status;
    json_t *all = summary_load(w->db, since, until);
    return all ? put(w, all) : web_database_failed(w);
}

int web_api_partners(struct web *w)
{
    tick_t since, until;
    char from[TICK_TEXT], to[TICK_TEXT];
    bool old;
    int status = web_period(w, &since, &until, &old);
    if (status)
        return status;
    struct rows *r = query_sum(w->db, SUM_BY_PARTNER, since, until);
    if (!r)
        return web_database_failed(w);
    fprintf(w->out, "{\"from\":\"%s\",\"to\":\"%s\",\"rows\":", tick_text(since, from),
            tick_text(until, to));
    int64_t n = json_rows(r, w->out, false);
    fputs("}\n", w->out);
    rows_close(r);
    return n < 0 ? web_database_failed(w) : 200;
}
