/* The picture: title, failures, partners, health, keys; or a story. */
#include "cli/top.h"

#include "cli/screen.h"
#include "report/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WIDE = 118, KEYS_ROW = 1, ENDPOINT = 21 };

/* Title, a heading above each list, keys: the rest is shared. Health gets what it has, up to four
 * rows; partners a quarter; failures all else. */
void top_share(const struct top *t, int rows, int *failures, int *partners, int *health)
{
    int room = rows - 5;
    *health = t->n_interfaces < 4 ? (t->n_interfaces ? t->n_interfaces : 1) : 4;
    *partners = room / 4;
    if (room < 8) { /* a tiny screen: failures only */
        *health = *partners = 0;
        room = rows - 3;
    }
    *failures = room - *partners - *health;
    if (*failures < 1)
        *failures = 1;
}

static void draw_title(const struct top *t, int columns, tick_t now)
{
    char time[TICK_TEXT], zone[CLOCK_ZONE], clock[TICK_TEXT + CLOCK_ZONE];
    snprintf(clock, sizeof clock, " %s %s ", clock_stamp(now, time) + 11, clock_zone(zone));
    screen_format(0, 0, columns, SCREEN_BAR, " edgewatch  %" PRId64 " failure%s in a day%s%s%s",
                  t->day_failures, t->day_failures == 1 ? "" : "s",
                  !t->old          ? ""
                  : columns < WIDE ? " (old)"
                                   : ", which ended with the last packets",
                  *t->partner ? "  partner " : "", t->partner);
    if (columns >= 76)
        screen_put(0, columns - (int)strlen(clock), (int)strlen(clock), SCREEN_BAR, clock);
}

static void draw_keys(const struct top *t, int rows, int columns)
{
    if (*t->why)
        screen_format(rows - 1, 0, columns, SCREEN_BAD, " %s", t->why);
    else if (t->story)
        screen_put(rows - 1, 0, columns, SCREEN_BAR,
                   " Up Down PgUp PgDn  move   Esc  back   q  quit");
    else
        screen_format(rows - 1, 0, columns, SCREEN_BAR,
                      " Up Down  move   Enter  %s   Tab  %s   i  info%s%s   q  quit",
                      t->in_partners ? "its failures" : "story",
                      t->in_partners ? "failures" : "partners", t->with_info ? " off" : "",
                      *t->partner ? "   Esc  all" : "");
}

/* "12-10 10:43:59" */
static void moment(tick_t t, char out[TICK_TEXT])
{
    char stamp[TICK_TEXT];
    clock_stamp(t, stamp);
    snprintf(out, TICK_TEXT, "%s", strlen(stamp) > 5 ? stamp + 5 : "-");
}

/* Where the columns of failures begin. who 0: no room for it. */
struct picture {
    int when, verdict, to, who, finding;
};

static struct picture picture_of(int columns)
{
    if (columns < WIDE)
        return (struct picture){8, 20, 37, 0, 59}; /* without seconds */
    return (struct picture){8, 24, 42, 64, columns - 27};
}

static void draw_failure(const struct top_failure *f, int row, int columns, bool on)
{
    const struct picture at = picture_of(columns);
    char when[TICK_TEXT];
    enum screen_look plain = on         ? SCREEN_SELECTED
                             : f->info  ? SCREEN_QUIET
                             : f->fresh ? SCREEN_STRONG
                                        : SCREEN_PLAIN;
    moment(f->first, when);
    if (!at.who && strlen(when) > 11)
        when[11] = 0;
    screen_put(row, 0, columns, plain, on ? ">" : f->fresh ? "*" : "");
    screen_format(row, 1, -6, plain, "%" PRId64, f->id);
    screen_put(row, at.when, at.verdict - at.when - 1, plain, when);
    screen_put(row, at.verdict, at.to - at.verdict - 1, on || f->info ? plain : SCREEN_BAD,
               f->verdict);
    screen_put(row, at.to, ENDPOINT, plain, *f->to ? f->to : "-");
    if (at.who)
        screen_put(row, at.who, at.finding - at.who - 1, plain, f->who);
    screen_put(row, at.finding, columns - at.finding, plain, f->finding);
}

static void heading(int row, int columns, const char *text, bool on)
{
    screen_put(row, 0, columns, on ? SCREEN_STRONG : SCREEN_QUIET, text);
}

static void draw_failures(struct top *t, int row, int n, int columns)
{
    const struct picture at = picture_of(columns);
    enum screen_look look = t->in_partners ? SCREEN_QUIET : SCREEN_STRONG;
    bool on = !t->in_partners;
    heading(row, columns, "     ID", on);
    screen_put(row, at.when, columns, look, "WHEN");
    screen_put(row, at.verdict, columns, look, "VERDICT");
    screen_put(row, at.to, columns, look, "TO");
    if (at.who)
        screen_put(row, at.who, columns, look, "WHO");
    screen_put(row, at.finding, columns, look, "FINDING");
    if (t->at_failure < t->from_failure)
        t->from_failure = t->at_failure;
    if (t->at_failure >= t->from_failure + n)
        t->from_failure = t->at_failure - n + 1;
    for (int i = 0; i < n && t->from_failure + i < t->n_failures; i++)
        draw_failure(&t->failures[t->from_failure + i], row + 1 + i, columns,
                     on && t->from_failure + i == t->at_failure);
    if (t->n_failures == 0)
        screen_put(row + 1, 2, columns, SCREEN_QUIET,
                   t->with_info ? "No failures yet." : "No failures yet (i: also information).");
}

static void draw_partner(const struct top_partner *p, int row, int columns, bool on)
{
    char last[TICK_TEXT], share[16] = "-";
    enum screen_look look = on ? SCREEN_SELECTED : SCREEN_PLAIN;
    if (p->attempts)
        snprintf(share, sizeof share, "%.0f %%",
                 100.0 * (double)(p->attempts - p->connected) / (double)p->attempts);
    moment(p->last, last);
    screen_put(row, 0, columns, look, on ? ">" : "");
    screen_put(row, 1, 22, look, p->partner);
    screen_format(row, 23, -9, look, "%" PRId64, p->failures);
    screen_format(row, 33, -9, look, "%" PRId64, p->attempts);
    screen_put(row, 43, -6, look, share);
    screen_put(row, 51, 14, look, last);
    screen_put(row, 67, columns - 67, look, p->users);
}

static void draw_partners(struct top *t, int row, int n, int columns)
{
    heading(row, columns,
            " PARTNER                FAILURES  ATTEMPTS FAILED  LAST            USERS",
            t->in_partners);
    if (t->at_partner < t->from_partner)
        t->from_partner = t->at_partner;
    if (t->at_partner >= t->from_partner + n)
        t->from_partner = t->at_partner - n + 1;
    for (int i = 0; i < n && t->from_partner + i < t->n_partners; i++)
        draw_partner(&t->partners[t->from_partner + i], row + 1 + i, columns,
                     t->in_partners && t->from_partner + i == t->at_partner);
    if (t->n_partners == 0)
        screen_put(row + 1, 2, columns, SCREEN_QUIET, "None failed.");
}

static void draw_health(const struct top *t, int row, int n, int columns)
{
    heading(row, columns, " SENSOR                  PACKETS   DROPPED      GAPS      LOST  LAST",
            false);
    for (int i = 0; i < n && i < t->n_interfaces; i++) {
        const struct top_interface *h = &t->interfaces[i];
        char last[TICK_TEXT];
        bool blind = h->drops || h->lost;
        moment(h->last, last);
        screen_put(row + 1 + i, 1, 21, SCREEN_PLAIN, *h->name ? h->name : "(engine)");
        screen_format(row + 1 + i, 22, -10, SCREEN_PLAIN, "%" PRId64, h->packets);
        screen_format(row + 1 + i, 32, -10, h->drops ? SCREEN_BAD : SCREEN_PLAIN, "%" PRId64,
                      h->drops);
        screen_format(row + 1 + i, 42, -10, SCREEN_PLAIN, "%" PRId64, h->gaps);
        screen_format(row + 1 + i, 52, -10, h->lost ? SCREEN_BAD : SCREEN_PLAIN, "%" PRId64,
                      h->lost);
        screen_put(row + 1 + i, 64, 15, blind ? SCREEN_BAD : SCREEN_PLAIN, last);
    }
    if (t->n_interfaces == 0)
        screen_put(row + 1, 2, columns, SCREEN_BAD, "No packets in the last hour.");
}

static void draw_story(const struct top *t, int rows, int columns)
{
    for (int i = 0; i < rows - 1 - KEYS_ROW && t->from_line + i < t->n_lines; i++) {
        const char *line = t->lines[t->from_line + i];
        bool head = *line && *line != ' ';
        screen_put(i, 0, columns, head ? SCREEN_STRONG : SCREEN_PLAIN, line);
    }
    int below = t->n_lines - t->from_line - (rows - 1 - KEYS_ROW);
    if (below > 0)
        screen_format(rows - 2, 0, columns, SCREEN_QUIET, "-- %d more line%s --", below,
                      below == 1 ? "" : "s");
}

void top_draw(struct top *t, tick_t now)
{
    int rows, columns, failures, partners, health;
    screen_size(&rows, &columns);
    screen_clear();
    if (t->story) {
        draw_story(t, rows, columns);
    } else {
        top_share(t, rows, &failures, &partners, &health);
        draw_title(t, columns, now);
        draw_failures(t, 1, failures, columns);
        if (partners) {
            draw_partners(t, 2 + failures, partners, columns);
            draw_health(t, 3 + failures + partners, health, columns);
        }
    }
    draw_keys(t, rows, columns);
    screen_show();
}
