/* The ladder as a picture: lanes with their hosts on top, arrows with what they carry, times and
 * deltas on the left. Kinds of arrows differ in dash and weight, not only in colour. */
#include "report/ladder.h"

#include "report/clock.h"
#include "report/svg.h"

#include <stdlib.h>
#include <string.h>

enum { LEFT = 212, WIDE = 980, EDGE = 84, ROW = 27, TOP = 92, GAP_ROW = 13 };

#define LONG_WAIT (2 * TICK_S) /* told apart by more room: a reader sees that time passes */

static const char *const arrow_class[] = {[LADDER_HANDSHAKE] = "arrow",
                                          [LADDER_BAD] = "arrow bad",
                                          [LADDER_RELAY] = "arrow relay",
                                          [LADDER_SIGNALING] = "arrow signaling"};
static const char *const tip_class[] = {[LADDER_HANDSHAKE] = "tip",
                                        [LADDER_BAD] = "tip bad",
                                        [LADDER_RELAY] = "tip relay",
                                        [LADDER_SIGNALING] = "tip signaling"};

static double lane_x(const struct ladder *l, int lane)
{
    double span = WIDE - LEFT - 2 * EDGE;
    return l->lanes > 1 ? LEFT + EDGE + span * lane / (l->lanes - 1) : LEFT + EDGE;
}

/* What stands above before this event: room where time passes. */
static double gap_before(const struct ladder *l, size_t i)
{
    return i && l->events[i].at - l->events[i - 1].at >= LONG_WAIT ? GAP_ROW : 0;
}

static void put_lane(const struct svg *s, const struct ladder *l, unsigned lane, double bottom)
{
    double x = lane_x(l, (int)lane), room = l->lanes > 1 ? lane_x(l, 1) - lane_x(l, 0) : WIDE;
    size_t most = (size_t)(room / 7);
    svg_rect(s, "host", x - 80, 10, 160, 64, NULL);
    for (unsigned h = 0; h < LADDER_HEADS; h++)
        svg_label(s, h ? "middle dim" : "middle head", x, 28 + 18.0 * h, l->head[lane][h],
                  most > 24 ? 24 : most);
    svg_line(s, "lane", x, 74, x, bottom);
}

static void put_time(const struct svg *s, const struct ladder *l, size_t i, double y)
{
    char clock[TICK_TEXT], span[CLOCK_SPAN];
    svg_text(s, "end", 96, y + 4, "%s", clock_time(l->events[i].at, clock));
    if (i)
        svg_text(s, "end dim", 186, y + 4, "+%s",
                 clock_span(l->events[i].at - l->events[i - 1].at, span));
}

/* Characters of UTF-8, for the plate behind a text. */
static double text_wide(const char *text)
{
    double n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n * 7.1 + 12;
}

static void put_arrow(const struct svg *s, const struct ladder *l, const struct ladder_event *e,
                      double y)
{
    double from = lane_x(l, e->from), to = lane_x(l, e->to), wide = text_wide(e->label);
    int dx = to > from ? 1 : -1;
    svg_line(s, arrow_class[e->kind], from + dx * 2, y, to - dx * 9, y);
    svg_head(s, tip_class[e->kind], to - dx, y, dx);
    double middle = (from + to) / 2, room = (to - from) * dx - 30;
    /* a lane in the middle of a long arrow would run through the text */
    svg_rect(s, "plate", middle - (wide < room ? wide : room) / 2, y - 8, wide < room ? wide : room,
             16, NULL);
    svg_label(s, e->kind == LADDER_BAD ? "middle badly" : "middle", middle, y + 4, e->label,
              (size_t)(room / 6.4));
}

static void put_remark(const struct svg *s, const struct ladder *l, const struct ladder_event *e,
                       double y)
{
    double x = lane_x(l, e->from), wide = text_wide(e->label);
    if (x + 8 + wide > WIDE)
        x = WIDE - wide - 8;
    svg_rect(s, "plate", x + 5, y - 8, wide, 16, NULL);
    svg_label(s, e->kind == LADDER_BAD ? "badly" : "start", x + 10, y + 4, e->label, 60);
}

/* Every event in words: the picture's text alternative. */
static char *describe(const struct ladder *l, size_t n)
{
    char *text = NULL, clock[TICK_TEXT];
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        const struct ladder_event *e = &l->events[i];
        const char *from = l->head[e->from][0], *to = l->head[e->to][0];
        if (e->from == e->to)
            fprintf(out, "%s %s. ", clock_time(e->at, clock), e->label);
        else
            fprintf(out, "%s %s to %s: %s. ", clock_time(e->at, clock), from, to, e->label);
    }
    fclose(out);
    return text;
}

void ladder_svg(struct ladder *l, FILE *out, const char *id, size_t max)
{
    ladder_sort(l);
    size_t n = l->n < max ? l->n : max;
    double height = TOP + 20;
    char more[64];
    for (size_t i = 0; i < n; i++)
        height += ROW + gap_before(l, i);
    char *words = describe(l, n);
    struct svg s =
        svg_begin(out, id, WIDE, height, "Who sent what to whom, in order of time", words);
    for (unsigned lane = 0; lane < l->lanes; lane++)
        put_lane(&s, l, lane, height - 8);
    double y = TOP + 14;
    for (size_t i = 0; i < n; i++) {
        y += gap_before(l, i);
        put_time(&s, l, i, y);
        if (l->events[i].from == l->events[i].to)
            put_remark(&s, l, &l->events[i], y);
        else
            put_arrow(&s, l, &l->events[i], y);
        y += ROW;
    }
    snprintf(more, sizeof more, "and %zu more", l->n - n);
    svg_end(&s, l->n > n ? more : NULL);
    free(words);
}
