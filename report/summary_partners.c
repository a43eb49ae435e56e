/* The part of a page that goes partner by partner. */
#include "report/clock.h"
#include "report/field.h"
#include "report/html.h"
#include "report/summary.h"
#include "report/summary_sections.h"

#include <inttypes.h>
#include <string.h>

static bool is_of(const json_t *row, const char *partner)
{
    return strcmp(field_text(row, "partner"), partner) == 0;
}

static void put_time(const json_t *row, const char *name, FILE *out)
{
    char text[TICK_TEXT];
    fputs("<td class=\"t\">", out);
    html_format(out, "%.16s", clock_stamp(field_tick(row, name), text));
    fputs("</td>", out);
}

static void put_details(const json_t *s, const char *partner, FILE *out)
{
    static const char *const heads[] = {"Verdict", "Edge",  "Leg",   "Proto",    ">Failures",
                                        ">Calls",  "Since", "Until", ">Example", NULL};
    static const char *const texts[] = {"verdict", "edge", "leg", "transport"};
    static const char *const counts[] = {"failures", "calls"};
    size_t k;
    json_t *row;
    html_table_begin(out, "What failed", heads);
    json_array_foreach(json_object_get(s, "partner_details"), k, row)
    {
        if (!is_of(row, partner))
            continue;
        fputs("<tr>", out);
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            html_element(out, "td", NULL, field_text(row, texts[i]));
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
            fprintf(out, "<td class=\"n\">%" PRId64 "</td>", field_int(row, counts[i], 0));
        put_time(row, "first_seen", out);
        put_time(row, "last_seen", out);
        fprintf(out, "<td class=\"n\">%" PRId64 "</td></tr>\n", field_int(row, "example", 0));
    }
    html_table_end(out);
}

static void put_suspects(const json_t *s, const char *partner, FILE *out)
{
    size_t k;
    json_t *row;
    bool some = false;
    json_array_foreach(json_object_get(s, "partner_findings"), k, row)
    {
        if (!is_of(row, partner))
            continue;
        fputs(some ? ", " : "<p>It may be: ", out);
        html_format(out, "%s (%s, %" PRId64 ")", field_text(row, "code"),
                    field_text(row, "confidence"), field_int(row, "failures", 0));
        some = true;
    }
    fputs(some ? ".</p>\n" : "", out);
}

void summary_html_partners(const json_t *s, FILE *out)
{
    const json_t *list = json_object_get(s, "by_partner");
    char rest[SECTION_CELL];
    size_t k = 0;
    for (; k < json_array_size(list) && k < SECTION_TOP; k++) {
        const json_t *row = json_array_get(list, k);
        const char *partner = field_text(row, "partner"), *users = field_text(row, "users");
        fputs("<section class=\"panel\">\n<h2>", out);
        html_wire(out, partner, 80);
        fputs("</h2>\n<p class=\"quiet\">", out);
        html_format(out,
                    "%s%s%" PRId64 " failures in %" PRId64 " calls; %" PRId64
                    " in the seven days before",
                    users, *users ? "; " : "", field_int(row, "failures", 0),
                    field_int(row, "calls", 0), field_int(row, "before", 0));
        if (json_is_integer(json_object_get(row, "attempts")))
            html_format(out,
                        "; %" PRId64 " of %" PRId64 " attempts to its network (/24, /48) failed",
                        field_int(row, "attempts", 0) - field_int(row, "connected", 0),
                        field_int(row, "attempts", 0));
        fputs(".</p>\n", out);
        put_details(s, partner, out);
        put_suspects(s, partner, out);
        fputs("</section>\n", out);
    }
    if (section_rest(s, &sections_by[0], k, rest))
        html_element(out, "p", "quiet", rest);
}
