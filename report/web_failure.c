/* One failure: the story, its packets as a file, all of it as JSON. One call. */
#include "report/web.h"

#include "report/clock.h"
#include "report/export.h"
#include "report/field.h"
#include "report/html.h"
#include "report/json.h"
#include "report/story.h"

#include <inttypes.h>
#include <string.h>

/* ---- downloads ---- */

static int put_packets(struct web *w, int64_t id)
{
    w->type = "application/x-pcapng";
    snprintf(w->disposition, sizeof w->disposition, "failure-%" PRId64 ".pcapng", id);
    return export_packets(w->db, id, w->out) < 0 ? web_database_failed(w) : 200;
}

static int put_json(struct web *w, const struct story_facts *f, int64_t id)
{
    json_t *all = story_json(f);
    if (!all)
        return web_fail(w, 503, "Out of memory.");
    w->type = "application/json; charset=utf-8";
    snprintf(w->disposition, sizeof w->disposition, "failure-%" PRId64 ".json", id);
    json_write(all, JSON_INDENT(2) | JSON_REAL_PRECISION(10), w->out);
    fputc('\n', w->out);
    json_decref(all);
    return 200;
}

/* ---- the page ---- */

static void put_packet(FILE *out, const struct evidence_packet *p)
{
    char src[ENDPOINT_TEXT], dst[ENDPOINT_TEXT], time[TICK_TEXT], exact[TICK_TEXT];
    fprintf(out, "<tr><td class=\"t\"><time datetime=\"%s\">%s</time></td>",
            tick_text(p->time, exact), clock_time(p->time, time));
    if (p->readable) {
        endpoint_text(&p->src, src);
        endpoint_text(&p->dst, dst);
    }
    html_element(out, "td", "mono", p->readable ? src : "-");
    html_element(out, "td", "mono", p->readable ? dst : "-");
    html_element(out, "td", NULL, p->readable ? p->label : "not readable");
    fprintf(out, "<td class=\"n\">%u</td></tr>\n", p->ttl);
}

static void put_packet_list(struct web *w, const struct story_facts *f, int64_t id)
{
    static const char *const heads[] = {"Time", "From", "To", "What", ">TTL", NULL};
    if (f->n_packets == 0)
        return;
    fputs("<h2 id=\"packets\">Packets</h2>\n<div class=\"list packets\">\n", w->out);
    html_table_begin(w->out, "The packets that prove it", heads);
    for (size_t i = 0; i < f->n_packets; i++)
        put_packet(w->out, &f->packets[i]);
    html_table_end(w->out);
    fprintf(w->out,
            "</div>\n<p><a class=\"button\" href=\"/failures/%" PRId64
            ".pcapng\" download>Packets as pcapng, for Wireshark</a></p>\n",
            id);
}

static void put_page(struct web *w, const struct story_facts *f, int64_t id)
{
    char title[64];
    snprintf(title, sizeof title, "Failure %" PRId64, id);
    web_top(w, "/failures", title);
    fprintf(w->out,
            "<p class=\"downloads\"><a href=\"/failures/%" PRId64 ".json\" download>JSON</a> <a "
            "href=\"/failures/%" PRId64 ".pcapng\" download>pcapng</a></p>\n",
            id, id);
    story_html_body(f, w->out, "edgewatch");
    put_packet_list(w, f, id);
    web_end(w);
}

int web_failure(struct web *w)
{
    struct story_facts f;
    const char *dot = strchr(w->rest, '.'), *form = dot ? dot + 1 : "html";
    int64_t id = web_number(w->rest, dot);
    bool known =
        strcmp(form, "html") == 0 || strcmp(form, "json") == 0 || strcmp(form, "pcapng") == 0;
    switch (id < 0 || !known ? STORY_NO_ID : story_load(w->db, id, &f)) {
    case STORY_NO_ID:
        return web_fail(w, 404, "There is no failure %.40s.", w->rest);
    case STORY_DB_FAILED:
        return web_database_failed(w);
    case STORY_OK:
        break;
    }
    int status = 200;
    if (*form == 'p')
        status = put_packets(w, id);
    else if (*form == 'j')
        status = put_json(w, &f, id);
    else
        put_page(w, &f, id);
    story_unload(&f);
    return status;
}
