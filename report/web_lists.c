/* Lists: failures, calls, partners, health, with their filters in the address. */
#include "report/web.h"

#include "flows/findings.h"
#include "flows/verdict.h"
#include "report/clock.h"
#include "report/csv.h"
#include "report/html.h"
#include "report/row.h"
#include "report/summary_sections.h"
#include "report/web_form.h"
#include "storage/page.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MOST = 36, CSV_ROWS = 10000 };

/* ---- cells ---- */

static void wire_cell(FILE *out, struct rows *r, const char *name, size_t most)
{
    char *text = row_copy(r, name);
    fputs("<td>", out);
    if (text)
        html_wire(out, text, most);
    else
        fputc('-', out);
    fputs("</td>", out);
    free(text);
}

static void put_user(FILE *out, struct rows *r, const char *name)
{
    char *uri = row_copy(r, name);
    const char *user = uri ? uri : "";
    user += strncasecmp(user, "sip:", 4) == 0 ? 4 : strncasecmp(user, "sips:", 5) == 0 ? 5 : 0;
    if (*user)
        html_wire(out, user, NAME_MOST);
    else
        fputc('?', out);
    free(uri);
}

static void who_cell(FILE *out, struct rows *r)
{
    fputs("<td>", out);
    if (row_null(r, "caller") && row_null(r, "callee")) {
        fputs("-</td>", out);
        return;
    }
    put_user(out, r, "caller");
    fputs(" <span aria-hidden=\"true\">→</span><span class=\"hidden\"> to </span> ", out);
    put_user(out, r, "callee");
    fputs("</td>", out);
}

static void endpoint_cell(FILE *out, struct rows *r, const char *addr, const char *port)
{
    char text[128];
    row_endpoint(r, addr, port, text, sizeof text);
    fputs("<td class=\"mono\">", out);
    html_text(out, *text ? text : "-");
    fputs("</td>", out);
}

static void count_cell(FILE *out, struct rows *r, const char *name)
{
    if (row_null(r, name))
        fputs("<td class=\"n\">-</td>", out);
    else
        fprintf(out, "<td class=\"n\">%" PRId64 "</td>", row_int(r, name, 0));
}

static void time_cell(FILE *out, struct rows *r, const char *name)
{
    fputs("<td class=\"t\">", out);
    web_time(out, row_tick(r, name));
    fputs("</td>", out);
}

static void word_cell(FILE *out, struct rows *r, const char *name)
{
    char text[96];
    row_text(r, name, text, sizeof text);
    html_element(out, "td", NULL, *text ? text : "-");
}

/* ---- pages of rows ---- */

typedef void put_row(FILE *out, struct rows *r);

struct list {
    enum query_view view;
    const char *path, *class, *caption, *none;
    const char *const *heads;
    put_row *row;
};

static void put_older(struct web *w, const struct list *l, const char *next)
{
    fputs("<p class=\"pager\">", w->out);
    if (web_arg(w, "cursor")) {
        fputs("<a href=\"", w->out);
        web_link(w, l->path, "cursor", NULL);
        fputs("\">Newest</a> ", w->out);
    }
    if (*next) {
        fputs("<a rel=\"next\" href=\"", w->out);
        web_link(w, l->path, "cursor", next);
        fputs("\">Older</a>", w->out);
    }
    fputs("</p>\n", w->out);
}

/* The rows of one page; one more is asked for, to know whether there is an older one. */
static int put_list(struct web *w, const struct list *l, struct query_filter f)
{
    char next[PAGE_CURSOR] = "", cursor[PAGE_CURSOR];
    const char *from = web_arg(w, "cursor");
    bool bad;
    int64_t most = f.limit++, n = 0;
    struct rows *r = page_view(w->db, l->view, &f, from, &bad);
    int got = 0;
    if (!r)
        return bad ? web_fail(w, 400, "cursor: this page does not exist") : web_database_failed(w);
    while ((got = rows_next(r)) == 1 && n < most) {
        if (n++ == 0) {
            fprintf(w->out, "<div class=\"list %s\">\n", l->class);
            html_table_begin(w->out, l->caption, l->heads);
        }
        fputs("<tr>", w->out);
        l->row(w->out, r);
        fputs("</tr>\n", w->out);
        page_cursor(r, l->view, from, n, cursor);
    }
    if (got == 1)
        strcpy(next, cursor);
    rows_close(r);
    if (got < 0)
        return web_database_failed(w);
    if (n) {
        html_table_end(w->out);
        fputs("</div>\n", w->out);
    } else {
        html_element(w->out, "p", "panel", l->none);
        fputc('\n', w->out);
    }
    put_older(w, l, next);
    return 200;
}

/* path: of the page, "/failures" */
static void put_other_forms(struct web *w, const char *path)
{
    char other[64];
    fputs("<p class=\"note\">The same as <a href=\"", w->out);
    snprintf(other, sizeof other, "%s.csv", path);
    web_link(w, other, "cursor", NULL);
    fputs("\">CSV</a> or <a href=\"", w->out);
    snprintf(other, sizeof other, "/api%s", path);
    web_link(w, other, "cursor", NULL);
    fputs("\">JSON</a>.</p>\n", w->out);
}

/* Of failures or calls, what the filter lets through, newest first. */
int web_csv(struct web *w)
{
    struct query_filter f;
    bool calls = w->request->path[1] == 'c', bad;
    int status = web_filter(w, CSV_ROWS, CSV_ROWS, &f);
    if (status)
        return status;
    struct rows *r = page_view(w->db, calls ? VIEW_CALLS : VIEW_FAILURES, &f, NULL, &bad);
    if (!r)
        return web_database_failed(w);
    int64_t n = csv_rows(r, w->out);
    rows_close(r);
    snprintf(w->disposition, sizeof w->disposition, calls ? "calls.csv" : "failures.csv");
    return n < 0 ? web_database_failed(w) : 200;
}

/* ---- failures ---- */

static void failure_row(FILE *out, struct rows *r)
{
    int64_t id = row_int(r, "id", 0);
    char verdict[64], severity[16];
    bool info = strcmp(row_text(r, "severity", severity, sizeof severity), "info") == 0;
    row_text(r, "verdict", verdict, sizeof verdict);
    fprintf(out, "<th scope=\"row\"><a href=\"/failures/%" PRId64 "\">%" PRId64 "</a></th>", id,
            id);
    time_cell(out, r, "first_seen");
    fprintf(out, "<td><span class=\"tag %s\">", info ? "quiet" : "bad");
    html_text(out, verdict);
    fprintf(out, "</span>%s</td>", info ? " <span class=\"quiet\">info</span>" : "");
    word_cell(out, r, "leg");
    who_cell(out, r);
    endpoint_cell(out, r, "src_addr", "src_port");
    endpoint_cell(out, r, "dst_addr", "dst_port");
    count_cell(out, r, "syns");
    word_cell(out, r, "grade");
    word_cell(out, r, "finding");
}

int web_failures(struct web *w)
{
    static const char *const heads[] = {"ID", "When",  "Verdict", "Leg",     "Who", "From",
                                        "To", ">SYNs", "Grade",   "Finding", NULL};
    static const struct list list = {VIEW_FAILURES,
                                     "/failures",
                                     "failures",
                                     "Failed connections, newest first",
                                     "No failures here. With \"also info\", failed pairs beside a "
                                     "working one are listed, too.",
                                     heads,
                                     failure_row};
    struct query_filter f;
    int status = web_filter(w, WEB_ROWS, 500, &f);
    if (status)
        return status;
    web_begin(w, "/failures", "Failures");
    form_failures(w);
    status = put_list(w, &list, f);
    put_other_forms(w, "/failures");
    web_end(w);
    return status;
}

/* ---- calls ---- */

static void call_row(FILE *out, struct rows *r)
{
    int64_t id = row_int(r, "id", 0);
    char outcome[32], span[CLOCK_SPAN] = "-";
    tick_t answered = row_tick(r, "answered"), ended = row_tick(r, "ended");
    row_text(r, "outcome", outcome, sizeof outcome);
    if (answered != TICK_NONE && ended != TICK_NONE)
        clock_span(ended - answered, span);
    fprintf(out, "<th scope=\"row\"><a href=\"/calls/%" PRId64 "\">%" PRId64 "</a></th>", id, id);
    time_cell(out, r, "started");
    who_cell(out, r);
    wire_cell(out, r, "media", 40);
    count_cell(out, r, "status");
    fprintf(out, "<td><span class=\"tag %s\">",
            strcmp(outcome, "failed") == 0      ? "bad"
            : strcmp(outcome, "connected") == 0 ? "ok"
                                                : "quiet");
    html_text(out, outcome);
    fprintf(out, "</span></td><td class=\"n\">%s</td>", span);
    word_cell(out, r, "offer_relay");
    word_cell(out, r, "answer_relay");
}

int web_calls(struct web *w)
{
    static const char *const heads[] = {"ID",           "Started", "Who",     "Media",
                                        ">Status",      "Outcome", ">Lasted", "Offer relay",
                                        "Answer relay", NULL};
    static const struct list list = {VIEW_CALLS,
                                     "/calls",
                                     "calls",
                                     "Calls, newest first",
                                     "No calls here. Only calls whose signaling is readable are "
                                     "listed.",
                                     heads,
                                     call_row};
    struct query_filter f;
    int status = web_filter(w, WEB_ROWS, 500, &f);
    if (status)
        return status;
    web_begin(w, "/calls", "Calls");
    form_calls(w);
    status = put_list(w, &list, f);
    put_other_forms(w, "/calls");
    web_end(w);
    return status;
}

/* ---- partners ---- */

static void partner_row(FILE *out, struct rows *r)
{
    char partner[96];
    int64_t attempts = row_int(r, "attempts", 0), connected = row_int(r, "connected", 0);
    row_text(r, "partner", partner, sizeof partner);
    fputs("<tr><th scope=\"row\" class=\"mono\"><a href=\"/failures?partner=", out);
    web_encode(out, partner);
    fputs("\">", out);
    html_text(out, partner);
    fputs("</a></th>", out);
    wire_cell(out, r, "users", 60);
    count_cell(out, r, "failures");
    count_cell(out, r, "calls");
    count_cell(out, r, "attempts");
    if (attempts)
        fprintf(out, "<td class=\"n\">%.0f %%</td>",
                100.0 * (double)(attempts - connected) / (double)attempts);
    else
        fputs("<td class=\"n\">-</td>", out);
    time_cell(out, r, "first_seen");
    time_cell(out, r, "last_seen");
    fputs("</tr>\n", out);
}

int web_partners(struct web *w)
{
    static const char *const heads[] = {"Partner", "Users' domains", ">Failures",
                                        ">Calls",  ">Attempts",      ">Failed share",
                                        "First",   "Last",           NULL};
    tick_t since, until;
    bool old;
    int got, status = web_period(w, &since, &until, &old);
    if (status)
        return status;
    web_begin(w, "/partners", "Partners");
    form_period(w, "/partners");
    form_covered(w, since, until, old);
    struct rows *r = query_sum(w->db, SUM_BY_PARTNER, since, until);
    if (!r)
        return web_database_failed(w);
    int64_t n = 0;
    while ((got = rows_next(r)) == 1 && n < WEB_MOST_ROWS) {
        if (n++ == 0) {
            fputs("<div class=\"list partners\">\n", w->out);
            html_table_begin(w->out, "Far ends that could not be reached, worst first", heads);
        }
        partner_row(w->out, r);
    }
    rows_close(r);
    if (got < 0)
        return web_database_failed(w);
    if (n) {
        html_table_end(w->out);
        fputs("</div>\n", w->out);
        html_element(w->out, "p", "note", SECTION_PARTNER_ATTEMPTS);
    } else {
        html_element(w->out, "p", "panel", "No partner failed in this period.");
    }
    web_end(w);
    return 200;
}

/* ---- health ---- */

static void put_health_row(FILE *out, struct rows *r)
{
    static const char *const counts[] = {"packets",       "kernel_drops",  "nic_drops",
                                         "ring_drops",    "decode_errors", "stream_gaps",
                                         "one_way_flows", "queue_lost"};
    char name[200];
    row_text(r, "interface", name, sizeof name);
    fputs("<tr><th scope=\"row\">", out);
    html_wire(out, *name ? name : "(engine)", 60);
    fputs("</th>", out);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        count_cell(out, r, counts[i]);
    int64_t blind = row_int(r, "blind_spans", 0);
    fprintf(out, "<td class=\"n%s\">%" PRId64 "</td>", blind ? " bad strong" : "", blind);
    time_cell(out, r, "to_time");
    fputs("</tr>\n", out);
}

static int put_interfaces(struct web *w, tick_t since, tick_t until)
{
    static const char *const heads[] = {
        "Interface", ">Packets",       ">Kernel drops", ">NIC drops",   ">Ring drops", ">Damaged",
        ">Gaps",     ">One-way flows", ">Rows lost",    ">Blind spans", "Last",        NULL};
    struct rows *r = query_sum(w->db, SUM_HEALTH, since, until);
    int got = 0;
    if (!r)
        return web_database_failed(w);
    html_table_begin(w->out, "What the sensor saw and lost, by interface", heads);
    while ((got = rows_next(r)) == 1)
        put_health_row(w->out, r);
    html_table_end(w->out);
    rows_close(r);
    return got < 0 ? web_database_failed(w) : 200;
}

static void run_row(FILE *out, struct rows *r)
{
    fputs("<tr>", out);
    count_cell(out, r, "id");
    wire_cell(out, r, "sensor", 40);
    word_cell(out, r, "command");
    wire_cell(out, r, "sources", 60);
    time_cell(out, r, "started");
    time_cell(out, r, "ended");
    wire_cell(out, r, "damaged", 80);
    fputs("</tr>\n", out);
}

static int put_runs(struct web *w)
{
    static const char *const heads[] = {">Run",    "Sensor", "Command", "Sources",
                                        "Started", "Ended",  "Damaged", NULL};
    struct query_filter f = {.since = TICK_NONE, .until = TICK_NONE, .limit = 20};
    bool bad;
    struct rows *r = page_view(w->db, VIEW_RUNS, &f, NULL, &bad);
    int got;
    if (!r)
        return web_database_failed(w);
    fputs("<h2>Runs</h2>\n", w->out);
    html_table_begin(w->out, "The last runs of the program, newest first", heads);
    while ((got = rows_next(r)) == 1)
        run_row(w->out, r);
    html_table_end(w->out);
    rows_close(r);
    return got < 0 ? web_database_failed(w) : 200;
}

int web_health(struct web *w)
{
    tick_t since, until;
    bool old;
    int status = web_period(w, &since, &until, &old);
    if (status)
        return status;
    web_begin(w, "/health", "Health");
    form_period(w, "/health");
    form_covered(w, since, until, old);
    if ((status = put_interfaces(w, since, until)) != 200 || (status = put_runs(w)) != 200)
        return status;
    web_end(w);
    return 200;
}
