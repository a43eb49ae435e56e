/* The overview: the last day in figures and charts, and what came last. */
#include "report/web.h"

#include "report/charts.h"
#include "report/field.h"
#include "report/html.h"
#include "report/summary.h"
#include "report/summary_sections.h"
#include "report/web_form.h"

#include <inttypes.h>
#include <string.h>

enum { TOP = 8 };

static void tile(FILE *out, int64_t n, const char *word, const char *link)
{
    fprintf(out, "<li><b>%s%s%s%" PRId64 "%s</b> <span>%s</span></li>\n", link ? "<a href=\"" : "",
            link ? link : "", link ? "\">" : "", n, link ? "</a>" : "", word);
}

static void put_tiles(struct web *w, const json_t *s)
{
    const json_t *t = json_object_get(s, "totals");
    fputs("<ul class=\"tiles\">\n", w->out);
    tile(w->out, field_int(t, "failures", 0), "failures", "/failures");
    tile(w->out, field_int(t, "failed_calls", 0), "calls with a failure", NULL);
    tile(w->out, field_int(t, "calls", 0), "calls", "/calls");
    tile(w->out, (int64_t)json_array_size(json_object_get(s, "by_partner")), "partners that fail",
         "/partners");
    if (summary_has_before(s)) /* else nothing can be called new */
        tile(w->out, (int64_t)json_array_size(json_object_get(s, "new_partners")), "of them new",
             NULL);
    fputs("</ul>\n", w->out);
}

/* ---- tables ---- */

static void put_partners(struct web *w, const json_t *s)
{
    static const char *const heads[] = {"Partner", ">Failures", ">Attempts", "Share", NULL};
    const json_t *list = json_object_get(s, "by_partner");
    size_t k;
    json_t *p;
    if (json_array_size(list) == 0)
        return;
    fputs("<section class=\"panel\">\n<h2>Partners</h2>\n", w->out);
    html_table_begin(w->out, "Far ends with the most failures", heads);
    json_array_foreach(list, k, p)
    {
        int64_t attempts = field_int(p, "attempts", 0);
        if (k == TOP)
            break;
        fputs("<tr><th scope=\"row\" class=\"mono\"><a href=\"/failures?partner=", w->out);
        web_encode(w->out, field_text(p, "partner"));
        fputs("\">", w->out);
        html_wire(w->out, field_text(p, "partner"), 45);
        fprintf(w->out, "</a></th><td class=\"n\">%" PRId64 "</td><td class=\"n\">",
                field_int(p, "failures", 0));
        fprintf(w->out, attempts ? "%" PRId64 "</td><td>" : "-</td><td>", attempts);
        chart_bar(w->out, attempts - field_int(p, "connected", 0), attempts);
        fputs("</td></tr>\n", w->out);
    }
    html_table_end(w->out);
    html_element(w->out, "p", "note", SECTION_PARTNER_ATTEMPTS);
    fputs("<p class=\"note\"><a href=\"/partners\">All partners</a></p>\n</section>\n", w->out);
}

static void put_words(struct web *w, const json_t *list, const char *key, const char *heading)
{
    const char *const heads[] = {heading, ">Failures", NULL};
    size_t k;
    json_t *x;
    if (json_array_size(list) == 0)
        return;
    fprintf(w->out, "<section class=\"panel\">\n<h2>%ss</h2>\n", heading);
    html_table_begin(w->out, "Failures by what it is", heads);
    json_array_foreach(list, k, x)
    {
        fprintf(w->out, "<tr><th scope=\"row\"><a href=\"/failures?%s=", key);
        web_encode(w->out, field_text(x, key[0] == 'f' ? "code" : key));
        fputs("\">", w->out);
        html_text(w->out, field_text(x, key[0] == 'f' ? "code" : key));
        fprintf(w->out, "</a></th><td class=\"n\">%" PRId64 "</td></tr>\n",
                field_int(x, "failures", 0));
    }
    html_table_end(w->out);
    fputs("</section>\n", w->out);
}

int web_overview(struct web *w)
{
    tick_t since, until;
    bool old;
    int status = web_period(w, &since, &until, &old);
    if (status)
        return status;
    json_t *s = summary_load(w->db, since, until);
    if (!s)
        return web_database_failed(w);
    web_begin(w, "/", "Overview");
    form_spans(w, "/");
    form_covered(w, since, until, old);
    html_element(w->out, "p", "lead", field_text(s, "sentence"));
    html_element(w->out, "p", NULL, field_text(s, "details"));
    put_tiles(w, s);
    summary_html_figures(s, w->out);
    fputs("<div class=\"columns\">\n", w->out);
    put_partners(w, s);
    put_words(w, json_object_get(s, "by_verdict"), "verdict", "Verdict");
    put_words(w, json_object_get(s, "findings"), "finding", "Finding");
    fputs("</div>\n", w->out);
    web_end(w);
    json_decref(s);
    return 200;
}
