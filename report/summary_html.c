/* A summary as a page of HTML: one file, no script, nothing from outside. */
#include "report/charts.h"
#include "report/clock.h"
#include "report/field.h"
#include "report/html.h"
#include "report/summary.h"
#include "report/summary_sections.h"
#include "report/ticket.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

enum { PRINTED_FINDINGS = 2, NAME = 80 };

/* "BY PORT RANGE" as "By port range" */
static void lower(const char *title, char out[NAME])
{
    size_t n = 0;
    for (; title[n] && title[n] != ':' && n < NAME - 1; n++)
        out[n] = (char)(n ? tolower((unsigned char)title[n]) : title[n]);
    out[n] = 0;
    if (strncmp(out, "By edge", 7) == 0)
        out[3] = 'E';
}

/* ---- tables ---- */

static bool screen_only(const struct section_column *c)
{
    return c->wide || c->kind == CELL_BARS;
}

static void put_heads(const struct section *s, FILE *out)
{
    static const char *const changes[] = {"new_partners", "ended_partners"};
    char names[SECTION_COLUMNS][NAME + 2], caption[NAME + 2];
    const char *heads[SECTION_COLUMNS + 1];
    size_t n = 0;
    for (; n < SECTION_COLUMNS && s->columns[n].name; n++) {
        size_t at = 0;
        if (screen_only(&s->columns[n]))
            names[n][at++] = '~';
        if (section_number(s->columns[n].kind))
            names[n][at++] = '>';
        lower(*s->columns[n].title ? s->columns[n].title : "Of the most", names[n] + at);
        heads[n] = names[n];
    }
    heads[n] = NULL;
    bool change = strcmp(s->key, changes[0]) == 0 || strcmp(s->key, changes[1]) == 0;
    caption[0] = '-';
    lower(s->title, caption + 1);
    html_table_begin(out, s->note ? s->note : change ? strchr(s->title, ':') + 2 : caption, heads);
}

static int64_t most_failures(const json_t *list)
{
    int64_t most = 0;
    size_t k;
    json_t *row;
    json_array_foreach(list, k, row)
    {
        int64_t n = field_int(row, "failures", 0);
        most = n > most ? n : most;
    }
    return most;
}

static void put_cell(const json_t *list, const json_t *row, const struct section_column *c,
                     bool first, FILE *out)
{
    char text[SECTION_CELL];
    section_cell(list, row, c, text);
    const char *class = section_number(c->kind)                         ? "n"
                        : c->kind == CELL_STAMP || c->kind == CELL_HOUR ? "t"
                                                                        : "";
    fputs(first ? "<th scope=\"row\"" : "<td", out);
    if (*class || screen_only(c))
        fprintf(out, " class=\"%s%s\"", class, screen_only(c) ? " screen" : "");
    fputc('>', out);
    if (c->kind == CELL_BARS)
        chart_bar(out, field_int(row, "failures", 0), most_failures(list));
    else if (*text)
        html_wire(out, text, first ? 36 : 60);
    else
        fputs("\u2013", out);
    if (c->kind == CELL_SHARE && *text)
        chart_bar(out, field_int(row, "attempts", 0) - field_int(row, "connected", 0),
                  field_int(row, "attempts", 0));
    fputs(first ? "</th>" : "</td>", out);
}

static void put_rest(const json_t *s, const struct section *section, size_t put, const char *where,
                     FILE *out)
{
    char rest[SECTION_CELL];
    size_t columns = 0;
    for (size_t i = 0; i < SECTION_COLUMNS && section->columns[i].name; i++)
        columns += strcmp(where, "paper") != 0 || !screen_only(&section->columns[i]);
    if (!section_rest(s, section, put, rest))
        return;
    fprintf(out, "<tr class=\"rest %s\"><td colspan=\"%zu\">", where, columns);
    html_text(out, rest);
    fputs("</td></tr>\n", out);
}

static bool is_engine(const struct section *s, const json_t *row)
{
    return s == &section_health && json_is_null(json_object_get(row, "interface"));
}

/* On paper the table is cut after fewer rows. */
static void put_section(const json_t *s, const struct section *section, size_t most, size_t paper,
                        FILE *out)
{
    const json_t *list = json_object_get(s, section->key);
    size_t k = 0;
    char title[NAME];
    if (json_array_size(list) == 0)
        return;
    lower(section->title, title);
    fputs("<section>\n", out);
    html_element(out, "h3", NULL, title);
    fputc('\n', out);
    put_heads(section, out);
    for (; k < json_array_size(list) && k < most; k++) {
        const json_t *row = json_array_get(list, k);
        if (is_engine(section, row))
            continue;
        fputs(k < paper ? "<tr>" : "<tr class=\"screen\">", out);
        for (unsigned i = 0; i < SECTION_COLUMNS && section->columns[i].name; i++)
            put_cell(list, row, &section->columns[i], i == 0, out);
        fputs("</tr>\n", out);
    }
    put_rest(s, section, k, "screen", out);
    put_rest(s, section, k < paper ? k : paper, "paper", out);
    html_table_end(out);
    fputs("</section>\n", out);
}

void summary_html_tables(const json_t *s, FILE *out)
{
    bool fresh = summary_has_before(s) && json_array_size(json_object_get(s, "new_partners"));
    bool over = json_array_size(json_object_get(s, "ended_partners")) > 0;
    if (fresh || over) {
        fputs("<h2>What changed</h2>\n<div class=\"columns\">\n", out);
        if (fresh)
            put_section(s, &sections_changes[0], 10, 5, out);
        put_section(s, &sections_changes[1], 10, 5, out);
        fputs("</div>\n", out);
    }
    if (json_array_size(json_object_get(s, "by_leg")) == 0)
        return;
    fputs("<h2>Where it failed</h2>\n<p class=\"quiet\">Failures are connections that failed. "
          "Attempts, failed and share are what the relays tried in the hours of the period."
          "</p>\n",
          out);
    put_section(s, &sections_by[0], SECTION_TOP, 10, out);
    fputs("<div class=\"columns\">\n", out);
    for (size_t i = 1; i < sizeof sections_by / sizeof *sections_by; i++)
        put_section(s, &sections_by[i], 15, 6, out);
    put_section(s, section_of_time(s), 60, 24, out);
    fputs("</div>\n", out);
}

/* ---- findings ---- */

static void put_reasons(const json_t *row, const char *key, const char *lead, FILE *out)
{
    const json_t *list = json_object_get(json_object_get(row, "evidence"), key);
    size_t k;
    json_t *reason;
    if (json_array_size(list) == 0)
        return;
    html_element(out, "dt", NULL, lead);
    fputs("<dd><ul>", out);
    json_array_foreach(list, k, reason)
    {
        html_element(out, "li", NULL, json_string_value(reason));
    }
    fputs("</ul></dd>\n", out);
}

/* The words that can be pasted: the period, what was seen, the question, the rule. */
static void put_ticket(const json_t *s, const json_t *row, FILE *out)
{
    char from[TICK_TEXT], to[TICK_TEXT];
    const struct ticket *t = ticket_for(field_text(row, "code"));
    fputs("<div class=\"ticket\"><p>For the ticket", out);
    if (t)
        html_format(out, ", to: %s", t->whom);
    fputs("</p>\n<p>", out);
    html_format(out, "%.16s to %.16s %s (UTC%s): %s ", clock_stamp(summary_from(s), from),
                clock_stamp(summary_to(s), to), field_text(s, "zone"), field_text(s, "utc_offset"),
                field_text(s, "sentence"));
    html_text(out, field_text(row, "advice"));
    fputs("</p>\n", out);
    if (t) {
        fputs("<p><span class=\"strong\">To check:</span> ", out);
        html_text(out, t->check);
        fputs("</p>\n", out);
    }
    fputs("</div>\n", out);
}

static void put_finding(const json_t *s, const json_t *row, bool printed, FILE *out)
{
    int64_t n = field_int(row, "failures", 0);
    fprintf(out, "<article class=\"panel finding%s\">\n<h3>", printed ? "" : " screen");
    html_text(out, field_text(row, "code"));
    fputs(" <span class=\"tag\">", out);
    html_text(out, field_text(row, "confidence"));
    fputs("</span></h3>\n<p class=\"quiet\">", out);
    if (n)
        html_format(
            out, "%" PRId64 " failure%s, for example %" PRId64 " (edgewatch show %" PRId64 ")", n,
            n == 1 ? "" : "s", field_int(row, "example", 0), field_int(row, "example", 0));
    else
        fputs("drawn from many failures together", out);
    fputs("</p>\n<dl>\n", out);
    put_reasons(row, "for", "speaks for it", out);
    put_reasons(row, "against", "speaks against it", out);
    put_reasons(row, "settle", "would settle it", out);
    fputs("</dl>\n", out);
    put_ticket(s, row, out);
    fputs("</article>\n", out);
}

/* On paper the others are named only. */
static void put_others(const json_t *list, FILE *out)
{
    if (json_array_size(list) <= PRINTED_FINDINGS)
        return;
    fputs("<span class=\"paper\"> Here the first; on the page in full: ", out);
    for (size_t k = PRINTED_FINDINGS; k < json_array_size(list); k++) {
        const json_t *row = json_array_get(list, k);
        html_format(out, "%s%s (%s)", k > PRINTED_FINDINGS ? ", " : "", field_text(row, "code"),
                    field_text(row, "confidence"));
    }
    fputs(".</span>", out);
}

void summary_html_findings(const json_t *s, FILE *out)
{
    const json_t *list = json_object_get(s, "findings");
    size_t k, n = json_array_size(list);
    json_t *row;
    if (n == 0)
        return;
    fputs("<h2>What it may be</h2>\n<p class=\"quiet\">Hypotheses, none of them proven, each with "
          "what would settle it.",
          out);
    put_others(list, out);
    fputs("</p>\n<div class=\"columns\">\n", out);
    json_array_foreach(list, k, row)
    {
        put_finding(s, row, k < PRINTED_FINDINGS, out);
    }
    fputs("</div>\n", out);
}

/* ---- the sensor ---- */

static void put_blind(const json_t *s, FILE *out)
{
    static const char *const heads[] = {"From", "To", ">Packets lost", NULL};
    const json_t *list = json_object_get(s, "blind");
    size_t k;
    json_t *row;
    char from[TICK_TEXT], to[TICK_TEXT];
    if (json_array_size(list) == 0)
        return;
    fputs("<section>\n<h3>Blind windows</h3>\n", out);
    html_table_begin(out, "Times in which the sensor lost packets", heads);
    json_array_foreach(list, k, row)
    {
        if (k == 12)
            break;
        fputs("<tr><td class=\"t\">", out);
        html_text(out, clock_stamp(field_tick(row, "from_time"), from));
        fputs("</td><td class=\"t\">", out);
        html_text(out, clock_stamp(field_tick(row, "to_time"), to));
        fprintf(out, "</td><td class=\"n\">%" PRId64 "</td></tr>\n", field_int(row, "lost", 0));
    }
    if (json_array_size(list) > 12)
        fprintf(out, "<tr class=\"rest\"><td colspan=\"3\">... and %zu more</td></tr>\n",
                json_array_size(list) - 12);
    html_table_end(out);
    fputs("</section>\n", out);
}

void summary_html_health(const json_t *s, FILE *out)
{
    char text[SECTION_CELL];
    bool some = false;
    fputs("<h2>The sensor</h2>\n<div class=\"columns\">\n", out);
    put_section(s, &section_health, 40, 6, out);
    put_blind(s, out);
    fputs("</div>\n<p class=\"quiet\">", out);
    for (size_t i = 0; section_engine(s, i, text); i++)
        if (*text) {
            fputs(some ? ", " : "", out);
            html_text(out, text);
            some = true;
        }
    if (!summary_saw_packets(s))
        fputs("No interface was heard in this time.", out);
    else
        fputs(some ? "." : "Nothing was lost or left out behind the interfaces.", out);
    fputs("</p>\n", out);
}

/* ---- the page ---- */

static void put_tile(FILE *out, const char *words, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void put_tile(FILE *out, const char *words, const char *fmt, ...)
{
    va_list args;
    fputs("<li><b>", out);
    va_start(args, fmt);
    html_vformat(out, fmt, args);
    va_end(args);
    fputs("</b> <span>", out);
    html_text(out, words);
    fputs("</span></li>\n", out);
}

static void put_tiles(const json_t *s, FILE *out)
{
    const json_t *t = json_object_get(s, "totals");
    int64_t attempts = field_int(t, "attempts", 0),
            failed = attempts - field_int(t, "connected", 0);
    int64_t blind = summary_blind_s(s), calls = field_int(t, "failed_calls", 0);
    char span[CLOCK_SPAN];
    fputs("<ul class=\"tiles\">\n", out);
    put_tile(out, "connections failed", "%" PRId64, summary_failures(s));
    put_tile(out, "partners with failures", "%" PRId64, field_int(t, "partners", 0));
    if (calls && calls <= field_int(t, "calls", 0))
        put_tile(out, "calls with a failure", "%" PRId64 " of %" PRId64, calls,
                 field_int(t, "calls", 0));
    if (attempts)
        put_tile(out, "attempts of the relays failed", "%" PRId64 " of %" PRId64, failed, attempts);
    put_tile(out, "the sensor was blind", "%s", blind ? clock_span(blind * TICK_S, span) : "never");
    fputs("</ul>\n", out);
}

static void put_banners(const json_t *s, FILE *out)
{
    int64_t lossy = field_int(json_object_get(s, "totals"), "lossy", 0);
    int64_t blind = summary_blind_s(s), span = (summary_to(s) - summary_from(s)) / TICK_S;
    if (!summary_saw_packets(s))
        fputs("<p class=\"banner blind\">No packet was seen in this time: the sensor was off, its "
              "span port was dark, or the period is the wrong one. Silence here is not good "
              "news.</p>\n",
              out);
    else if (!summary_has_before(s) && summary_failures(s))
        fputs("<p class=\"banner calm\">First night: the sensor saw nothing in the seven days "
              "before, so nothing can be called new or over.</p>\n",
              out);
    if (blind && (blind * 10 >= span || lossy)) {
        fputs("<p class=\"banner blind\">", out);
        char lost[CLOCK_SPAN];
        html_format(out,
                    "The sensor lost packets for %s of the time; %" PRId64
                    " of the failures lie%s in it. What was not seen may have been missed.",
                    clock_span(blind * TICK_S, lost), lossy, lossy == 1 ? "s" : "");
        fputs("</p>\n", out);
    }
}

void summary_html(const json_t *s, FILE *out, const char *title, const char *called)
{
    char name[NAME + 64];
    snprintf(name, sizeof name, "edgewatch: %.*s", (int)strcspn(title, "("), title);
    html_page_begin(out, name, NULL);
    fputs("<main>\n<header>\n<p class=\"eyebrow\">edgewatch \u00b7 ", out);
    html_text(out, title);
    fputs("</p>\n<h1>", out);
    html_text(out, field_text(s, "sentence"));
    fputs("</h1>\n", out);
    if (*field_text(s, "details"))
        html_element(out, "p", "lead", field_text(s, "details"));
    put_banners(s, out);
    if (summary_saw_packets(s))
        put_tiles(s, out);
    fputs("</header>\n", out);
    summary_html_figures(s, out);
    if (json_object_get(s, "partner_details"))
        summary_html_partners(s, out);
    else {
        summary_html_findings(s, out);
        summary_html_tables(s, out);
    }
    summary_html_health(s, out);
    fputs("<footer>", out);
    html_format(out,
                "edgewatch " EW_VERSION
                ". Times in %s (UTC%s). One failure in full: %s show ID. The "
                "same figures: %s report --format json.",
                field_text(s, "zone"), field_text(s, "utc_offset"), called, called);
    fputs("</footer>\n</main>\n", out);
    html_page_end(out);
}
