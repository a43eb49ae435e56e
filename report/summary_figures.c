/* The charts of a summary: its rows as numbers for charts.h. */
#include "report/charts.h"
#include "report/clock.h"
#include "report/field.h"
#include "report/html.h"
#include "report/summary.h"
#include "report/summary_sections.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOUR (3600 * TICK_S)
#define DAY (24 * HOUR)

/* What the charts are drawn from; arrays of ours. */
struct figures {
    struct chart_time time;
    struct chart_band *blind;
    struct chart_step *steps;
    size_t n_steps;
};

static struct chart_band *bands_of(const json_t *list, size_t *n)
{
    size_t k;
    json_t *row;
    struct chart_band *bands = calloc(json_array_size(list) + 1, sizeof *bands);
    *n = 0;
    json_array_foreach(list, k, row)
    {
        if (bands)
            bands[(*n)++] =
                (struct chart_band){field_tick(row, "from_time"), field_tick(row, "to_time"),
                                    field_int(row, "lost", 0)};
    }
    return bands;
}

static tick_t day_begins(const char *day)
{
    struct tm tm = {.tm_isdst = -1};
    if (!strptime(day, "%Y-%m-%d", &tm))
        return TICK_NONE;
    return (tick_t)mktime(&tm) * TICK_S;
}

/* Hours, or days where hours would be too thin to see. */
static void load_steps(const json_t *s, struct figures *f)
{
    bool days = summary_to(s) - summary_from(s) > 16 * DAY && f->time.to - f->time.from > 16 * DAY;
    const json_t *list = json_object_get(s, days ? "by_day" : "by_hour");
    size_t k;
    json_t *row;
    f->steps = calloc(json_array_size(list) + 1, sizeof *f->steps);
    json_array_foreach(list, k, row)
    {
        tick_t at = days ? day_begins(field_text(row, "day")) : field_tick(row, "hour");
        int64_t attempts = field_int(row, "attempts", 0);
        if (f->steps && at != TICK_NONE)
            f->steps[f->n_steps++] = (struct chart_step){
                at, days ? DAY : HOUR, field_int(row, "failures", 0), attempts ? attempts : -1,
                attempts - field_int(row, "connected", 0)};
    }
}

/* A period that is open or much longer than what is known begins and ends with what is known. */
static void find_span(const json_t *s, struct figures *f)
{
    const json_t *hours = json_object_get(s, "by_hour"), *row;
    size_t k, n = json_array_size(hours);
    tick_t first = field_tick(json_array_get(hours, 0), "hour"), last = first;
    f->time.from = summary_from(s);
    f->time.to = summary_to(s);
    for (k = 0; k < n; k++) {
        row = json_array_get(hours, k);
        last = field_tick(row, "hour") > last ? field_tick(row, "hour") : last;
    }
    if (n && (f->time.to - f->time.from) > 2 * (last + HOUR - first) + 4 * DAY) {
        f->time.from = first;
        f->time.to = last + HOUR;
    }
}

static struct figures load(const json_t *s)
{
    struct figures f = {.n_steps = 0};
    find_span(s, &f);
    f.blind = bands_of(json_object_get(s, "blind"), &f.time.n_blind);
    f.time.blind = f.blind;
    load_steps(s, &f);
    return f;
}

/* ---- heat map ---- */

enum { MOST_RANGES = 5, MOST_PARTNERS = 12 };

struct heat {
    const char *partners[MOST_PARTNERS];
    char ranges[MOST_RANGES][SECTION_CELL];
    const char *range_names[MOST_RANGES];
    size_t n_partners, n_ranges;
    struct chart_cell cells[MOST_PARTNERS * MOST_RANGES];
};

static void range_name(const json_t *row, char out[SECTION_CELL])
{
    static const struct section_column ports = {"port_from", "", CELL_RANGE, false};
    section_cell(NULL, row, &ports, out);
    bool udp = strcmp(field_text(row, "transport"), "UDP") == 0;
    snprintf(out + strlen(out), 8, "%s", udp ? " UDP" : "");
}

/* The ranges that were tried most stand in by_port_range in that order of failures. */
static void load_ranges(const json_t *s, struct heat *h)
{
    size_t k;
    json_t *row;
    json_array_foreach(json_object_get(s, "by_port_range"), k, row)
    {
        if (h->n_ranges == MOST_RANGES || !json_is_integer(json_object_get(row, "port_from")))
            continue;
        range_name(row, h->ranges[h->n_ranges]);
        h->range_names[h->n_ranges] = h->ranges[h->n_ranges];
        h->n_ranges++;
    }
}

static void load_cells(const json_t *s, struct heat *h)
{
    char name[SECTION_CELL];
    size_t k;
    json_t *row;
    json_array_foreach(json_object_get(s, "partner_ports"), k, row)
    {
        const char *partner = field_text(row, "partner");
        if (h->n_partners == 0 || strcmp(h->partners[h->n_partners - 1], partner) != 0) {
            if (h->n_partners == MOST_PARTNERS)
                return;
            h->partners[h->n_partners++] = partner;
        }
        range_name(row, name);
        for (size_t i = 0; i < h->n_ranges; i++)
            if (strcmp(h->ranges[i], name) == 0)
                h->cells[(h->n_partners - 1) * h->n_ranges + i] = (struct chart_cell){
                    field_int(row, "attempts", 0),
                    field_int(row, "attempts", 0) - field_int(row, "connected", 0)};
    }
}

static void put_heat(const json_t *s, FILE *out)
{
    struct heat *h = calloc(1, sizeof *h);
    if (!h)
        return;
    load_ranges(s, h);
    load_cells(s, h);
    if (h->n_partners && h->n_ranges) {
        fputs("<section>\n<h2>Partners by port range</h2>\n<p class=\"quiet\">Attempts of the "
              "relays towards "
              "the networks of the partners that failed most; the numbers are the text of the "
              "picture.</p>\n",
              out);
        chart_heat(out, "heat", h->partners, h->n_partners, h->range_names, h->n_ranges, h->cells);
        fputs("</section>\n", out);
    }
    free(h);
}

/* ---- the table limit ---- */

/* The Edge that the finding names, else the first. */
static const char *limited_edge(const json_t *s)
{
    const json_t *list = json_object_get(s, "table_limit");
    size_t i, k;
    json_t *finding, *row;
    json_array_foreach(json_object_get(s, "findings"), i, finding)
    {
        if (strcmp(field_text(finding, "code"), "connection-table-limit") != 0)
            continue;
        json_array_foreach(list, k, row)
        {
            const char *edge = field_text(row, "edge"),
                       *at = strstr(field_text(finding, "advice"), edge);
            if (*edge && at &&
                !strchr(".:0123456789abcdef", at[strlen(edge)] ? at[strlen(edge)] : ' '))
                return edge;
        }
    }
    return field_text(json_array_get(list, 0), "edge");
}

static void put_limit(const json_t *s, const struct chart_time *whole, FILE *out)
{
    const json_t *list = json_object_get(s, "table_limit");
    const char *edge = limited_edge(s);
    struct chart_flows *steps = calloc(json_array_size(list) + 1, sizeof *steps);
    struct chart_time t = *whole;
    size_t n = 0, k;
    json_t *row;
    json_array_foreach(list, k, row)
    {
        if (steps && strcmp(field_text(row, "edge"), edge) == 0)
            steps[n++] = (struct chart_flows){
                field_tick(row, "at"), field_int(row, "length_us", 0) * TICK_US,
                field_int(row, "open", -1), field_int(row, "timeouts", 0),
                field_int(row, "connected", 0)};
    }
    if (n) {
        t.from = steps[0].at;
        t.to = steps[n - 1].at + steps[n - 1].length;
        fputs("<section>\n<h2>Is a connection table full?</h2>\n", out);
        chart_table_limit(out, "limit", edge, &t, steps, n);
        fputs("</section>\n", out);
    }
    free(steps);
}

/* ---- the whole ---- */

static void put_hours(const json_t *s, const struct figures *f, FILE *out)
{
    if (summary_failures(s) == 0 && f->time.n_blind == 0 && f->n_steps == 0)
        return;
    fputs("<section>\n<h2>Over time</h2>\n", out);
    chart_hours(out, "time", &f->time, f->steps, f->n_steps);
    fputs("</section>\n", out);
}

void summary_html_figures(const json_t *s, FILE *out)
{
    struct figures f = load(s);
    fputs("<div class=\"figures\">\n", out);
    put_hours(s, &f, out);
    put_heat(s, out);
    put_limit(s, &f.time, out);
    fputs("</div>\n", out);
    free(f.blind);
    free(f.steps);
}
