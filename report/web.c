/* What pages and API have in common. */
#include "report/web.h"

#include "flows/verdict.h"
#include "report/clock.h"
#include "report/html.h"
#include "report/json.h"
#include "report/row.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define HOUR (3600 * TICK_S)
#define WITHIN (300 * TICK_S)
enum { SUMS_MS_FACTOR = 4 };

/* ---- what is asked ---- */

const char *web_arg(const struct web *w, const char *name)
{
    const char *value = http_arg(w->request, name);
    return value && *value ? value : NULL;
}

int64_t web_number(const char *text, const char *end)
{
    char *rest;
    if (*text < '1' || *text > '9')
        return -1;
    long long n = strtoll(text, &rest, 10);
    return rest - text <= 18 && (end ? rest == end : !*rest) ? n : -1;
}

int web_fail(struct web *w, int status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(w->why, sizeof w->why, fmt, args);
    va_end(args);
    return status;
}

int web_database_failed(struct web *w)
{
    if (query_expired(w->db))
        return web_fail(
            w, 504,
            "The question took too long. A shorter period, or fewer conditions on text, "
            "is quicker; edgewatch serve --query-seconds N has more patience.");
    const char *why = query_error(w->db);
    return web_fail(w, 503, "%s", why && *why ? why : "The database cannot be read.");
}

/* A time of the request; *t stays if it is not given. */
static int time_arg(struct web *w, const char *name, bool end, tick_t *t)
{
    const char *text = web_arg(w, name);
    tick_t from, to;
    if (!text)
        return 0;
    if (w->o->when(text, &from, &to) != 0)
        return web_fail(w, 400,
                        "%s: \"%.60s\" is not a time. Try 2026-01-31, 2026-01-31 10:43, 10:43 or "
                        "2h ago.",
                        name, text);
    *t = end ? to : from;
    return 0;
}

/* "5m", "90s", "2h", "1d". */
static int within_arg(struct web *w, tick_t *span)
{
    static const struct {
        char unit;
        tick_t ticks;
    } units[] = {{'s', TICK_S}, {'m', 60 * TICK_S}, {'h', HOUR}, {'d', 24 * HOUR}};
    const char *text = web_arg(w, "within");
    *span = WITHIN;
    if (!text)
        return 0;
    size_t n = strlen(text);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        int64_t count = web_number(text, text + n - 1);
        if (text[n - 1] == units[i].unit && count > 0 && count < 100000) {
            *span = count * units[i].ticks;
            return 0;
        }
    }
    return web_fail(w, 400, "within: \"%.60s\" is not a span such as 90s, 5m or 2h", text);
}

static int period_args(struct web *w, tick_t *since, tick_t *until)
{
    tick_t around = TICK_NONE, within;
    int status;
    *since = *until = TICK_NONE;
    if ((status = within_arg(w, &within)) || (status = time_arg(w, "around", false, &around)))
        return status;
    if (around != TICK_NONE) {
        *since = around - within;
        *until = around + within;
    }
    if ((status = time_arg(w, "since", false, since)) ||
        (status = time_arg(w, "until", true, until)))
        return status;
    if (*since != TICK_NONE && *until != TICK_NONE && *since > *until)
        return web_fail(w, 400, "The period ends before it begins.");
    return 0;
}

static int limit_arg(struct web *w, int64_t usual, int64_t most, int64_t *limit)
{
    const char *text = web_arg(w, "limit");
    *limit = text ? web_number(text, NULL) : usual;
    if (*limit < 0)
        return web_fail(w, 400, "limit: \"%.60s\" is not a number of rows", text);
    if (*limit > most)
        *limit = most;
    return 0;
}

/* Is it of the form? Then into *at. */
static int word_arg(struct web *w, const char *name, bool (*good)(const char *), const char *what,
                    const char **at)
{
    *at = web_arg(w, name);
    if (!*at || good(*at))
        return 0;
    return web_fail(w, 400, "%s: \"%.60s\" is not %s", name, *at, what);
}

static bool is_addr(const char *text)
{
    struct addr a;
    return addr_parse(slice_str(text), &a);
}

static bool is_verdict(const char *text)
{
    return verdict_by_name(text) != VERDICTS;
}

static bool is_grade(const char *text)
{
    return strchr("ABC", *text) && !text[1];
}

static bool is_code(const char *text)
{
    for (; *text; text++)
        if (!islower((unsigned char)*text) && !isdigit((unsigned char)*text) && *text != '-')
            return false;
    return true;
}

int web_filter(struct web *w, int64_t usual, int64_t most, struct query_filter *f)
{
    int status;
    const char *all = web_arg(w, "all");
    *f = (struct query_filter){.user = web_arg(w, "user"),
                               .call = web_arg(w, "call"),
                               .partner = web_arg(w, "partner"),
                               .with_info = all && strcmp(all, "0") != 0};
    if ((status = period_args(w, &f->since, &f->until)) ||
        (status = limit_arg(w, usual, most, &f->limit)) ||
        (status = word_arg(w, "addr", is_addr, "an IP address", &f->addr)) ||
        (status = word_arg(w, "verdict", is_verdict, "a verdict", &f->verdict)) ||
        (status = word_arg(w, "grade", is_grade, "A, B or C", &f->grade)) ||
        (status = word_arg(w, "finding", is_code, "the code of a finding", &f->finding)))
        return status;
    return 0;
}

/* The time of the last packet; TICK_NONE without any. -1 on error. */
static int last_packet(struct web *w, tick_t *last)
{
    struct rows *r = query_sum(w->db, SUM_LAST, TICK_NONE, TICK_NONE);
    int got = r ? rows_next(r) : -1;
    *last = got == 1 ? row_tick(r, "last") : TICK_NONE;
    rows_close(r);
    return got < 0 ? -1 : 0;
}

int web_period(struct web *w, tick_t *since, tick_t *until, bool *old)
{
    const char *text = web_arg(w, "hours");
    int64_t hours = text ? web_number(text, NULL) : 24;
    tick_t now, last;
    int status = period_args(w, since, until);
    *old = false;
    query_limit(w->db, SUMS_MS_FACTOR * w->o->query_ms); /* sums go through all of a period */
    if (status)
        return status;
    if (hours < 1 || hours > 24 * 366)
        return web_fail(w, 400, "hours: \"%.60s\" is not a number of hours up to a year", text);
    if (w->o->when("now", &now, &now) != 0)
        now = 0;
    if (*until == TICK_NONE) {
        if (last_packet(w, &last) != 0)
            return web_database_failed(w);
        *old = *since == TICK_NONE && last != TICK_NONE && last < now - HOUR;
        *until = *old ? last : now;
    }
    if (*since == TICK_NONE)
        *since = *until - hours * HOUR;
    return 0;
}

/* ---- what is written ---- */

static const struct {
    const char *path, *word;
} entries[] = {
    {"/", "Overview"},         {"/failures", "Failures"}, {"/calls", "Calls"},
    {"/partners", "Partners"}, {"/health", "Health"},     {"/decode", "Decode"},
};

void web_top(struct web *w, const char *here, const char *title)
{
    char whole[256], zone[CLOCK_ZONE];
    snprintf(whole, sizeof whole, "%s · edgewatch", title);
    html_page_begin(w->out, whole, "/style.css");
    fputs("<a class=\"skip\" href=\"#main\">To the content</a>\n<header class=\"site\">\n"
          "<nav aria-label=\"Pages\">\n<ul>\n",
          w->out);
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        fprintf(w->out, "<li><a href=\"%s\"%s>%s</a></li>\n", entries[i].path,
                strcmp(entries[i].path, here) == 0 ? " aria-current=\"page\"" : "",
                entries[i].word);
    fputs("</ul>\n</nav>\n<p class=\"zone\">Times are ", w->out);
    html_text(w->out, clock_zone(zone));
    fputs("</p>\n</header>\n<main id=\"main\" tabindex=\"-1\">\n", w->out);
}

void web_begin(struct web *w, const char *here, const char *title)
{
    web_top(w, here, title);
    html_element(w->out, "h1", NULL, title);
    fputc('\n', w->out);
}

void web_end(struct web *w)
{
    fputs("</main>\n<footer class=\"site\"><p>edgewatch ", w->out);
    html_text(w->out, w->o->version);
    fputs(" · read-only · <a href=\"/api/openapi.json\">API</a></p></footer>\n"
          "<script src=\"/site.js\" defer></script>\n",
          w->out);
    html_page_end(w->out);
}

static const char *status_words(int status)
{
    switch (status) {
    case 400:
        return "Not understood";
    case 401:
        return "A token is needed";
    case 403:
    case 421:
        return "Not for this address";
    case 404:
        return "Not found";
    case 405:
        return "Read only";
    case 429:
        return "Too many questions";
    case 503:
        return "The database cannot be read";
    case 504:
        return "Took too long";
    default:
        return "Something went wrong";
    }
}

void web_error(struct web *w, int status, bool api)
{
    if (api) {
        json_t *o = json_pack("{s:i, s:s, s:o}", "status", status, "error", status_words(status),
                              "reason", json_safe(w->why));
        json_write(o, JSON_COMPACT, w->out);
        fputc('\n', w->out);
        json_decref(o);
        return;
    }
    web_begin(w, "", status_words(status));
    html_element(w->out, "p", "problem", w->why);
    if (status == 400)
        fputs("\n<p><a href=\"/failures\">All failures</a></p>", w->out);
    else if (status == 503)
        fputs(
            "\n<p>This page is tried again when it is loaded anew. <code>edgewatch monitor</code> "
            "and <code>edgewatch read</code> make a database.</p>",
            w->out);
    fputc('\n', w->out);
    web_end(w);
}

void web_encode(FILE *out, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (isalnum(*p) || strchr("-._~", *p))
            fputc(*p, out);
        else
            fprintf(out, "%%%02X", *p);
}

struct link_to {
    FILE *out;
    const char *without;
    unsigned n;
};

static void put_parameter(struct link_to *l, const char *name, const char *value)
{
    fputs(l->n++ ? "&amp;" : "?", l->out);
    web_encode(l->out, name);
    fputc('=', l->out);
    web_encode(l->out, value);
}

static void other_parameter(void *ctx, const char *name, const char *value)
{
    struct link_to *l = ctx;
    if (*value && strcmp(name, l->without) != 0 && strcmp(name, "cursor") != 0)
        put_parameter(l, name, value);
}

void web_link(struct web *w, const char *path, const char *name, const char *value)
{
    struct link_to l = {w->out, name, 0};
    fputs(path, w->out);
    http_args(w->request, other_parameter, &l);
    if (value)
        put_parameter(&l, name, value);
}

void web_pre(FILE *out, char *text)
{
    fputs("<pre class=\"story\" tabindex=\"0\">", out);
    for (char *line = text, *end; *line; line = end) {
        end = strchrnul(line, '\n');
        bool more = *end;
        *end = 0;
        html_text(out, line);
        if (more) {
            fputc('\n', out);
            end++;
        }
    }
    fputs("</pre>\n", out);
}

void web_time(FILE *out, tick_t t)
{
    char exact[TICK_TEXT], shown[TICK_TEXT];
    if (t == TICK_NONE) {
        fputc('-', out);
        return;
    }
    fprintf(out, "<time datetime=\"%s\">%s</time>", tick_text(t, exact), clock_stamp(t, shown));
}
