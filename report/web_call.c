/* One call: what was negotiated, what its endpoints said, what failed of it. */
#include "report/web.h"

#include "report/field.h"
#include "report/html.h"
#include "report/json.h"

#include <inttypes.h>
#include <string.h>

enum { CALL_ROWS = 500 };

static void fact(FILE *out, const char *name, const char *value)
{
    if (!*value)
        return;
    html_element(out, "dt", NULL, name);
    fputs("<dd>", out);
    html_wire(out, value, 300);
    fputs("</dd>\n", out);
}

static void moment(FILE *out, const char *name, const json_t *c, const char *column)
{
    if (field_tick(c, column) == TICK_NONE)
        return;
    html_element(out, "dt", NULL, name);
    fputs("<dd>", out);
    web_time(out, field_tick(c, column));
    fputs("</dd>\n", out);
}

static void put_facts(FILE *out, const json_t *c)
{
    char status[32] = "";
    if (field_int(c, "status", 0))
        snprintf(status, sizeof status, "%" PRId64, field_int(c, "status", 0));
    fputs("<dl class=\"facts\">\n", out);
    fact(out, "caller", field_user(c, "caller", ""));
    fact(out, "callee", field_user(c, "callee", ""));
    fact(out, "Call-ID", field_text(c, "call_id"));
    moment(out, "started", c, "started");
    moment(out, "answered", c, "answered");
    moment(out, "ended", c, "ended");
    fact(out, "status", status);
    fact(out, "outcome", field_text(c, "outcome"));
    fact(out, "media", field_text(c, "media"));
    fact(out, "offer's relay", field_text(c, "offer_relay"));
    fact(out, "answer's relay", field_text(c, "answer_relay"));
    fact(out, "known from", field_text(c, "origin"));
    fputs("</dl>\n", out);
}

typedef void put_row(FILE *out, const json_t *row);

static void cell(FILE *out, const char *class, const char *text, size_t most)
{
    fprintf(out, "<td%s%s%s>", class ? " class=\"" : "", class ? class : "", class ? "\"" : "");
    html_wire(out, *text ? text : "-", most);
    fputs("</td>", out);
}

static void candidate_row(FILE *out, const json_t *k)
{
    char at[400], base[400], number[32];
    cell(out, NULL, field_text(k, "side"), 0);
    cell(out, NULL, field_text(k, "medium"), 40);
    cell(out, NULL, *field_text(k, "type") ? field_text(k, "type") : field_text(k, "dialect"), 0);
    cell(out, NULL, field_text(k, "transport"), 0);
    cell(out, "mono", field_endpoint(k, "addr", "port", at, sizeof at), 60);
    cell(out, "mono", field_endpoint(k, "rel_addr", "rel_port", base, sizeof base), 60);
    snprintf(number, sizeof number, "%" PRId64, field_int(k, "component", 0));
    cell(out, "n", number, 0);
}

static void diagnostic_row(FILE *out, const json_t *d)
{
    char number[32], hex[32] = "";
    fputs("<td class=\"t\">", out);
    web_time(out, field_tick(d, "seen"));
    fputs("</td>", out);
    snprintf(number, sizeof number, "%" PRId64, field_int(d, "code", 0));
    cell(out, "n", number, 0);
    cell(out, NULL, field_text(d, "debug_side"), 0);
    cell(out, NULL, field_text(d, "reason"), 120);
    if (json_is_integer(json_object_get(d, "icewarn")))
        snprintf(hex, sizeof hex, "0x%" PRIx64, (uint64_t)field_int(d, "icewarn", 0));
    cell(out, "mono", hex, 0);
    cell(out, NULL, field_text(d, "icewarn_text"), 4000); /* our own words, all of them */
}

static void failure_row(FILE *out, const json_t *x)
{
    char to[400];
    fprintf(out, "<th scope=\"row\"><a href=\"/failures/%" PRId64 "\">%" PRId64 "</a></th>",
            field_int(x, "id", 0), field_int(x, "id", 0));
    cell(out, NULL, field_text(x, "verdict"), 0);
    cell(out, NULL, field_text(x, "leg"), 0);
    cell(out, "mono", field_endpoint(x, "dst_addr", "dst_port", to, sizeof to), 0);
    cell(out, NULL, field_text(x, "severity"), 0);
    cell(out, NULL, field_text(x, "finding"), 0);
}

static int put_rows(struct web *w, enum query_view v, const char *call, const char *heading,
                    const char *const *heads, put_row *row)
{
    struct query_filter f = {.since = TICK_NONE,
                             .until = TICK_NONE,
                             .call = call,
                             .with_info = true,
                             .limit = CALL_ROWS};
    struct rows *r = query_view(w->db, v, &f);
    int got, n = 0;
    if (!r)
        return web_database_failed(w);
    while ((got = rows_next(r)) == 1) {
        json_t *o = json_row(r);
        if (n++ == 0) {
            html_element(w->out, "h2", NULL, heading);
            html_table_begin(w->out, heading, heads);
        }
        fputs("<tr>", w->out);
        row(w->out, o);
        fputs("</tr>\n", w->out);
        json_decref(o);
    }
    rows_close(r);
    if (n)
        html_table_end(w->out);
    return got < 0 ? web_database_failed(w) : 200;
}

static int put_page(struct web *w, const json_t *c)
{
    static const char *const failures[] = {"ID",       "Verdict", "Leg", "To",
                                           "Severity", "Finding", NULL};
    static const char *const diagnostics[] = {"Seen",    ">Code",          "Side", "Reason",
                                              "ICEWarn", "In plain words", NULL};
    static const char *const candidates[] = {"Side",    "Medium", "Type",       "Transport",
                                             "Address", "Base",   ">Component", NULL};
    const char *call = field_text(c, "call_id");
    int status;
    web_begin(w, "/calls", "Call");
    put_facts(w->out, c);
    if ((status = put_rows(w, VIEW_FAILURES, call, "What failed of it", failures, failure_row)) !=
            200 ||
        (status = put_rows(w, VIEW_DIAGNOSTICS, call, "What its endpoints said", diagnostics,
                           diagnostic_row)) != 200 ||
        (status = put_rows(w, VIEW_CANDIDATES, call, "Candidates", candidates, candidate_row)) !=
            200)
        return status;
    web_end(w);
    return 200;
}

int web_call(struct web *w)
{
    struct query_filter f = {.since = TICK_NONE, .until = TICK_NONE};
    f.id = web_number(w->rest, NULL);
    if (f.id < 0)
        return web_fail(w, 404, "There is no call %.40s.", w->rest);
    struct rows *r = query_view(w->db, VIEW_CALLS, &f);
    int got = r ? rows_next(r) : -1;
    json_t *c = got == 1 ? json_row(r) : NULL;
    rows_close(r);
    if (got < 0)
        return web_database_failed(w);
    if (!c)
        return web_fail(w, 404, "There is no call %.40s.", w->rest);
    int status = put_page(w, c);
    json_decref(c);
    return status;
}
