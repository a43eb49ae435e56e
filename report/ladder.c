/* The ladder picture, in characters that every terminal and mail program has. */
#include "report/ladder.h"

#include "report/clock.h"
#include "report/safe.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* indent 2, clock 12, blank, delta 11, two blanks */
enum { LADDER_LEFT = 28, LADDER_LINE = 160 };

void ladder_free(struct ladder *l)
{
    free(l->events);
    l->events = NULL;
    l->n = l->room = 0;
}

void ladder_add(struct ladder *l, tick_t at, int from, int to, const char *fmt, ...)
{
    if (at == TICK_NONE)
        return;
    if (l->n == l->room) {
        size_t room = l->room ? 2 * l->room : 16;
        struct ladder_event *more = realloc(l->events, room * sizeof *more);
        if (!more)
            return;
        l->events = more;
        l->room = room;
    }
    struct ladder_event *e = &l->events[l->n++];
    *e = (struct ladder_event){.at = at, .from = from, .to = to, .kind = l->kind};
    char text[LADDER_LABEL];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    safe_text(text, e->label, sizeof e->label);
}

/* Where lane i stands in the picture, which is `wide` columns. */
static unsigned lane_at(const struct ladder *l, int i, unsigned wide)
{
    return (unsigned)i * (wide - 1) / (l->lanes > 1 ? l->lanes - 1 : 1);
}

static void put_line(const struct prose *p, const char *left, char *line)
{
    size_t n = strlen(line);
    while (n && line[n - 1] == ' ')
        line[--n] = 0;
    fprintf(p->out, "%-*s%s\n", LADDER_LEFT, left, line);
}

/* One heading: left-aligned at the first lane, right-aligned at the last, else centred. Returns its
 * length, cut to room. */
static size_t put_head(const struct ladder *l, unsigned lane, unsigned h, unsigned wide,
                       size_t room, char *line)
{
    char head[LADDER_HEAD];
    safe_text(l->head[lane][h], head, sizeof head);
    size_t n = strlen(safe_ascii(head)); /* a character, a column */
    n = n > room ? room : n;
    size_t back = lane == 0 ? 0 : lane + 1 == l->lanes ? n - (n > 0) : n / 2;
    memcpy(line + lane_at(l, (int)lane, wide) - back, head, n);
    return n;
}

static void put_heads(const struct ladder *l, const struct prose *p, unsigned wide)
{
    for (unsigned h = 0; h < LADDER_HEADS; h++) {
        char line[LADDER_LINE];
        memset(line, ' ', wide);
        line[wide] = 0;
        size_t middle = 0, some = 0;
        for (unsigned i = 1; i + 1 < l->lanes; i++)
            middle = put_head(l, i, h, wide, wide / 3, line);
        for (unsigned i = 0; i<l->lanes; i += l->lanes> 1 ? l->lanes - 1 : 1)
            some += put_head(l, i, h, wide, (wide - middle) / 2 - 1, line);
        if (some + middle)
            put_line(p, "", line);
    }
}

/* An arrow from column a to column b with its label in the middle; a label too long for the arrow
 * shortens to what fits. */
static void draw_arrow(char *line, unsigned from, unsigned to, const char *label)
{
    unsigned a = from < to ? from : to, b = from < to ? to : from, inside = b - a - 1;
    memset(line + a + 1, '-', inside);
    line[from < to ? b - 1 : a + 1] = from < to ? '>' : '<';
    size_t n = strlen(label), most = inside > 4 ? inside - 4 : 0;
    n = n > most ? most : n;
    if (n == 0)
        return;
    size_t at = a + 1 + (inside - n - 2) / 2;
    line[at] = ' ';
    memcpy(line + at + 1, label, n);
    line[at + 1 + n] = ' ';
}

static void draw_remark(char *line, unsigned wide, unsigned at, const char *label)
{
    size_t n = strlen(label), from = at + 2;
    if (from + n > wide)
        from = n + 2 <= at ? at - 1 - n : 0;
    n = from + n > wide ? wide - from : n;
    memcpy(line + from, label, n);
}

static void put_event(const struct ladder *l, const struct prose *p, unsigned wide,
                      const struct ladder_event *e, tick_t before)
{
    char line[LADDER_LINE], left[64], clock[TICK_TEXT], span[CLOCK_SPAN], delta[CLOCK_SPAN + 1];
    char label[LADDER_LABEL];
    safe_ascii(safe_text(e->label, label, sizeof label));
    memset(line, ' ', wide);
    line[wide] = 0;
    for (unsigned i = 0; i < l->lanes; i++)
        line[lane_at(l, (int)i, wide)] = '|';
    if (e->from != e->to)
        draw_arrow(line, lane_at(l, e->from, wide), lane_at(l, e->to, wide), label);
    else
        draw_remark(line, wide, lane_at(l, e->from, wide), label);
    delta[0] = 0;
    if (before != TICK_NONE)
        snprintf(delta, sizeof delta, "+%s", clock_span(e->at - before, span));
    snprintf(left, sizeof left, "  %s %11s", clock_time(e->at, clock), delta);
    put_line(p, left, line);
}

/* By insertion: few events, nearly sorted, and equal times must keep their order. */
void ladder_sort(struct ladder *l)
{
    for (size_t i = 1; i < l->n; i++)
        for (size_t k = i; k && l->events[k - 1].at > l->events[k].at; k--) {
            struct ladder_event swap = l->events[k];
            l->events[k] = l->events[k - 1];
            l->events[k - 1] = swap;
        }
}

void ladder_print(struct ladder *l, const struct prose *p, size_t max)
{
    unsigned wide = p->width - LADDER_LEFT;
    if (wide >= LADDER_LINE)
        wide = LADDER_LINE - 1;
    ladder_sort(l);
    put_heads(l, p, wide);
    tick_t before = TICK_NONE;
    for (size_t i = 0; i < l->n && i < max; i++) {
        put_event(l, p, wide, &l->events[i], before);
        before = l->events[i].at;
    }
    if (l->n > max)
        prose_text(p, LADDER_LEFT, "... and %zu more", l->n - max);
}
