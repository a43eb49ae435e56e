/* Bars over time, curves over time, and a heat map. */
#include "report/charts.h"

#include "report/clock.h"
#include "report/svg.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#define HOUR (3600 * TICK_S)
#define DAY (24 * HOUR)

enum { LEFT = 52, RIGHT = 12, WIDE = 720, TIP = 240 };

/* A panel of the picture: y from top to bottom, values from 0 to most. */
struct panel {
    double top, height;
    int64_t most;
};

static double x_of(const struct chart_time *t, tick_t at)
{
    double span = (double)(t->to - t->from), wide = WIDE - LEFT - RIGHT;
    at = at < t->from ? t->from : at > t->to ? t->to : at;
    return LEFT + (span > 0 ? (double)(at - t->from) / span * wide : 0);
}

static double y_of(const struct panel *p, int64_t v)
{
    v = v > p->most ? p->most : v;
    return p->top + p->height - p->height * (double)v / (double)(p->most ? p->most : 1);
}

/* The next of 1, 2, 4, 6, 8, 10, 20, 30, 40, 60, 80, 100, ... */
static int64_t rounded_up(int64_t n)
{
    static const int64_t steps[] = {1, 2, 3, 4, 6, 8};
    for (int64_t unit = 1; unit < INT64_MAX / 100; unit *= 10)
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
            if (unit * steps[i] >= n && (unit > 1 || steps[i] != 3))
                return unit * steps[i];
    return n;
}

static void short_number(int64_t n, char out[24])
{
    if (n >= 10000000)
        snprintf(out, 24, "%" PRId64 "M", n / 1000000);
    else if (n >= 10000)
        snprintf(out, 24, "%" PRId64 "k", n / 1000);
    else
        snprintf(out, 24, "%" PRId64, n);
}

/* ---- the axes ---- */

/* How far apart the labels of the axis are, so that there are at most a dozen. */
static tick_t step_of(const struct chart_time *t)
{
    static const tick_t steps[] = {60 * TICK_S, 300 * TICK_S, 900 * TICK_S, HOUR,     2 * HOUR,
                                   3 * HOUR,    6 * HOUR,     12 * HOUR,    DAY,      2 * DAY,
                                   7 * DAY,     28 * DAY,     84 * DAY,     364 * DAY};
    size_t last = sizeof steps / sizeof *steps - 1, i = 0;
    while (i < last && (t->to - t->from) / steps[i] > 12)
        i++;
    return steps[i];
}

/* The zone's distance from UTC, so that labels stand at whole local hours and days. */
static tick_t zone_of(tick_t at)
{
    char text[CLOCK_ZONE];
    int hours = 0, minutes = 0;
    clock_offset(at, text);
    sscanf(text + 1, "%d:%d", &hours, &minutes);
    tick_t size = hours * HOUR + minutes * 60 * TICK_S;
    return *text == '-' ? -size : size;
}

static void put_tick(const struct svg *s, const struct chart_time *t, tick_t at, tick_t step,
                     double top, double bottom)
{
    char stamp[TICK_TEXT];
    clock_stamp(at, stamp);
    double x = x_of(t, at);
    bool midnight = strncmp(stamp + 11, "00:00", 5) == 0;
    svg_line(s, "grid", x, top, x, bottom);
    if (midnight || step >= DAY)
        svg_text(s, "middle head", x, bottom + 16, "%.5s", stamp + 5);
    else
        svg_text(s, x > WIDE - 2 * RIGHT ? "end dim" : "middle dim",
                 x > WIDE - 2 * RIGHT ? WIDE - 2 : x, bottom + 16, "%.5s", stamp + 11);
}

static void time_axis(const struct svg *s, const struct chart_time *t, double top, double bottom)
{
    tick_t step = step_of(t), zone = zone_of(t->from);
    tick_t at = (t->from + zone) / step * step - zone;
    for (int i = 0; at <= t->to && i < 400; at += step, i++)
        if (at >= t->from)
            put_tick(s, t, at, step, top, bottom);
    svg_line(s, "axis", LEFT, bottom, WIDE - RIGHT, bottom);
}

static void value_axis(const struct svg *s, const struct panel *p, const char *name,
                       const char *unit)
{
    char text[24];
    svg_rect(s, "plate", LEFT, p->top - 21, 7.4 * (double)strlen(name), 17, NULL);
    svg_text(s, "head", LEFT, p->top - 8, "%s", name);
    for (int i = 0; i <= 2; i++) {
        if (i == 1 && p->most < 2)
            continue;
        int64_t v = p->most * i / 2;
        short_number(v, text);
        svg_line(s, i ? "grid" : "axis", LEFT, y_of(p, v), WIDE - RIGHT, y_of(p, v));
        svg_text(s, "end dim", LEFT - 6, y_of(p, v) + 4, "%s%s", text, unit);
    }
}

static void put_blind(const struct svg *s, const struct chart_time *t, double top, double bottom)
{
    for (size_t i = 0; i < t->n_blind; i++) {
        const struct chart_band *b = &t->blind[i];
        char from[TICK_TEXT], to[TICK_TEXT], tip[TIP];
        if (b->to < t->from || b->from > t->to)
            continue;
        double x = x_of(t, b->from), wide = x_of(t, b->to) - x;
        snprintf(tip, sizeof tip, "blind from %s to %s: %" PRId64 " packets lost",
                 clock_stamp(b->from, from), clock_stamp(b->to, to), b->lost);
        svg_pattern(s, "blind", x, top, wide < 2 ? 2 : wide, bottom - top, tip);
    }
}

/* And over the bars, which would hide it: the bars show through, and keep their tips. */
static void put_veil(const struct svg *s, const struct chart_time *t, double top, double bottom)
{
    for (size_t i = 0; i < t->n_blind; i++) {
        const struct chart_band *b = &t->blind[i];
        double x = x_of(t, b->from), wide = x_of(t, b->to) - x;
        if (b->to >= t->from && b->from <= t->to)
            svg_veil(s, "blind", x, top, wide < 2 ? 2 : wide, bottom - top);
    }
}

/* One bar from the panel's floor; at least a pixel where there is something. */
static void put_bar(const struct svg *s, const struct chart_time *t, const struct panel *p,
                    const char *kind, tick_t at, tick_t length, int64_t v, const char *tip)
{
    double x = x_of(t, at), wide = x_of(t, at + length) - x, y = y_of(p, v);
    double tall = p->top + p->height - y;
    if (v <= 0)
        return;
    if (tall < 1.5) {
        y -= 1.5 - tall;
        tall = 1.5;
    }
    double gap = wide > 6 ? 1 : 0;
    wide = wide - 2 * gap < 1 ? 1 : wide - 2 * gap;
    if (strcmp(kind, "share") == 0)
        svg_pattern(s, kind, x + gap, y, wide, tall, tip);
    else
        svg_rect(s, kind, x + gap, y, wide, tall, tip);
}

/* ---- failures per hour ---- */

static int64_t percent(int64_t n, int64_t all)
{
    return all > 0 ? (int64_t)((double)n * 100 / (double)all + .5) : 0;
}

static void hours_text(const struct chart_time *t, const struct chart_step *h, size_t n, char *out,
                       size_t room)
{
    int64_t all = 0, most = -1;
    char at[TICK_TEXT] = "";
    for (size_t i = 0; i < n; i++) {
        all += h[i].failures;
        if (h[i].failures > most) {
            most = h[i].failures;
            clock_stamp(h[i].at, at);
        }
    }
    snprintf(out, room,
             "%" PRId64 " failures in all, most of them, %" PRId64 ", in the step from %.16s; %zu "
             "blind windows. The table below has the numbers.",
             all, most < 0 ? 0 : most, at, t->n_blind);
}

static void put_hour(const struct svg *s, const struct chart_time *t, const struct panel *count,
                     const struct panel *share, const struct chart_step *h)
{
    char at[TICK_TEXT], tip[TIP];
    clock_stamp(h->at, at);
    snprintf(tip, sizeof tip, "%.16s: %" PRId64 " failures", at, h->failures);
    put_bar(s, t, count, "fails", h->at, h->length, h->failures, tip);
    if (h->attempts <= 0)
        return;
    snprintf(tip, sizeof tip, "%.16s: %" PRId64 " of %" PRId64 " attempts failed, %" PRId64 " %%",
             at, h->failed, h->attempts, percent(h->failed, h->attempts));
    put_bar(s, t, share, "share", h->at, h->length, percent(h->failed, h->attempts), tip);
}

void chart_hours(FILE *out, const char *id, const struct chart_time *t,
                 const struct chart_step *steps, size_t n)
{
    char description[256];
    struct panel count = {30, 110, 1}, share = {180, 62, 100};
    for (size_t i = 0; i < n; i++)
        count.most = steps[i].failures > count.most ? steps[i].failures : count.most;
    count.most = rounded_up(count.most);
    hours_text(t, steps, n, description, sizeof description);
    struct svg s = svg_begin(out, id, WIDE, 270, "Failures over time", description);
    double bottom = share.top + share.height;
    put_blind(&s, t, count.top, bottom);
    time_axis(&s, t, count.top, bottom);
    value_axis(&s, &count, "connections that failed", "");
    value_axis(&s, &share, "share of the relays\u2019 attempts that failed", " %");
    for (size_t i = 0; i < n; i++)
        put_hour(&s, t, &count, &share, &steps[i]);
    put_veil(&s, t, count.top, bottom);
    svg_end(&s, t->n_blind ? "Hatched from top to bottom: the sensor lost packets, so that less is "
                             "known there."
                           : NULL);
}

/* ---- connections against timeouts ---- */

static void put_curve(const struct svg *s, const struct chart_time *t, const struct panel *p,
                      const struct chart_flows *f, size_t n, bool area)
{
    bool begun = false;
    double x = 0, floor = p->top + p->height;
    svg_path_begin(s, area ? "area" : "curve");
    for (size_t i = 0; i < n; i++) {
        if (f[i].open < 0)
            continue;
        x = x_of(t, f[i].at + f[i].length / 2);
        if (area && !begun)
            svg_path_to(s, 'M', x, floor);
        svg_path_to(s, begun || area ? 'L' : 'M', x, y_of(p, f[i].open));
        begun = true;
    }
    if (!begun)
        svg_path_to(s, 'M', LEFT, floor);
    else if (area)
        svg_path_to(s, 'L', x, floor);
    svg_path_end(s);
}

static void limit_text(const struct chart_flows *f, size_t n, const char *edge, char *out,
                       size_t room)
{
    int64_t timeouts = 0, least = INT64_MAX, most = 0;
    for (size_t i = 0; i < n; i++) {
        timeouts += f[i].timeouts;
        if (f[i].timeouts && f[i].open >= 0) {
            least = f[i].open < least ? f[i].open : least;
            most = f[i].open > most ? f[i].open : most;
        }
    }
    snprintf(out, room,
             "Edge %.60s: %" PRId64 " connects timed out while between %" PRId64 " and %" PRId64
             " of its connections were open.",
             edge, timeouts, least == INT64_MAX ? 0 : least, most);
}

void chart_table_limit(FILE *out, const char *id, const char *edge, const struct chart_time *t,
                       const struct chart_flows *steps, size_t n)
{
    char description[256], tip[TIP], at[TICK_TEXT];
    struct panel open = {30, 110, 1}, lost = {180, 62, 1};
    for (size_t i = 0; i < n; i++) {
        open.most = steps[i].open > open.most ? steps[i].open : open.most;
        lost.most = steps[i].timeouts > lost.most ? steps[i].timeouts : lost.most;
    }
    open.most = rounded_up(open.most);
    lost.most = rounded_up(lost.most);
    limit_text(steps, n, edge, description, sizeof description);
    struct svg s = svg_begin(out, id, WIDE, 270, "Open connections and timeouts", description);
    double bottom = lost.top + lost.height;
    put_blind(&s, t, open.top, bottom);
    time_axis(&s, t, open.top, bottom);
    value_axis(&s, &open, "connections of the Edge that were open when it asked for one more", "");
    value_axis(&s, &lost, "connects that timed out", "");
    put_curve(&s, t, &open, steps, n, true);
    put_curve(&s, t, &open, steps, n, false);
    for (size_t i = 0; i < n; i++) {
        snprintf(
            tip, sizeof tip, "%s: %" PRId64 " timed out, %" PRId64 " connected, %" PRId64 " open",
            clock_stamp(steps[i].at, at), steps[i].timeouts, steps[i].connected, steps[i].open);
        put_bar(&s, t, &lost, "fails", steps[i].at, steps[i].length, steps[i].timeouts, tip);
    }
    put_veil(&s, t, open.top, bottom);
    svg_end(&s, description);
}

/* ---- heat map ---- */

enum { HEAT_NAME = 208, HEAT_ROW = 26, HEAT_TOP = 46 };

unsigned chart_shade(const struct chart_cell *c)
{
    if (c->attempts <= 0 || c->failed <= 0)
        return 0;
    if (c->failed >= c->attempts)
        return 5;
    double share = (double)c->failed / (double)c->attempts;
    return share < .1 ? 1 : share < .25 ? 2 : share < .5 ? 3 : 4;
}

static void put_cell(const struct svg *s, double x, double y, double wide, const char *row,
                     const char *column, const struct chart_cell *c)
{
    static const char *const shade[] = {"heat0", "heat1", "heat2", "heat3", "heat4", "heat5"};
    char tip[TIP];
    if (c->attempts <= 0) {
        svg_rect(s, "none", x, y, wide, HEAT_ROW - 3, NULL);
        return;
    }
    unsigned at = chart_shade(c);
    snprintf(tip, sizeof tip, "%.80s, %.60s: %" PRId64 " of %" PRId64 " attempts failed", row,
             column, c->failed, c->attempts);
    svg_rect(s, shade[at], x, y, wide, HEAT_ROW - 3, tip);
    if (at == 5)
        svg_pattern(s, "bad", x, y, wide, HEAT_ROW - 3, tip);
    svg_text(s, at == 5 ? "middle on5" : "middle", x + wide / 2, y + 16, "%" PRId64 " of %" PRId64,
             c->failed, c->attempts);
}

static void put_legend(const struct svg *s, double y)
{
    static const struct {
        const char *class, *words;
    } keys[] = {{"heat0", "none failed"}, {"heat1", "under 10 %"},    {"heat2", "under 25 %"},
                {"heat3", "under 50 %"},  {"heat4", "50 % and more"}, {"heat5", "all failed"}};
    double x = 8;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        svg_rect(s, keys[i].class, x, y, 16, 12, NULL);
        if (i == 5)
            svg_pattern(s, "bad", x, y, 16, 12, NULL);
        svg_text(s, "dim", x + 22, y + 10, "%s", keys[i].words);
        x += 40 + 6.2 * (double)strlen(keys[i].words);
    }
}

void chart_heat(FILE *out, const char *id, const char *const *row_names, size_t rows,
                const char *const *column_names, size_t columns, const struct chart_cell *cells)
{
    size_t all = 0;
    for (size_t i = 0; i < rows * columns; i++)
        all += chart_shade(&cells[i]) == 5;
    char description[200];
    snprintf(description, sizeof description,
             "%zu partners by %zu port ranges: how many attempts of the relays failed. In %zu of "
             "the combinations all failed.",
             rows, columns, all);
    double wide = (WIDE - HEAT_NAME - RIGHT) / (double)(columns ? columns : 1);
    wide = wide > 150 ? 150 : wide;
    struct svg s = svg_begin(out, id, WIDE, HEAT_TOP + HEAT_ROW * (double)rows + 34,
                             "Attempts that failed by partner and port range", description);
    svg_text(&s, "dim", 8, HEAT_TOP - 12, "partner, or its network");
    for (size_t c = 0; c < columns; c++)
        svg_label(&s, "middle head", HEAT_NAME + ((double)c + .5) * wide, HEAT_TOP - 12,
                  column_names[c], (size_t)(wide / 6.5));
    for (size_t r = 0; r < rows; r++) {
        double y = HEAT_TOP + HEAT_ROW * (double)r;
        svg_label(&s, "start", 8, y + 16, row_names[r], 30);
        for (size_t c = 0; c < columns; c++)
            put_cell(&s, HEAT_NAME + (double)c * wide, y, wide - 3, row_names[r], column_names[c],
                     &cells[r * columns + c]);
    }
    put_legend(&s, HEAT_TOP + HEAT_ROW * (double)rows + 12);
    svg_end(&s, NULL);
}

void chart_bar(FILE *out, int64_t n, int64_t all)
{
    if (all <= 0)
        return;
    int64_t wide = percent(n, all);
    fprintf(out,
            "<svg class=\"bar\" viewBox=\"0 0 100 12\" preserveAspectRatio=\"none\""
            " aria-hidden=\"true\"><rect class=\"heat0\" width=\"100\" height=\"12\"/>"
            "<rect class=\"fails\" width=\"%" PRId64 "\" height=\"12\"/></svg>",
            wide > 100 ? 100 : wide);
}
