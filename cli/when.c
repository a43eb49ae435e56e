/* Reading times. */
#include "cli/when.h"

#include "capture/log.h"
#include "report/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY_S 86400

tick_t when_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (tick_t)ts.tv_sec * TICK_S + ts.tv_nsec;
}

/* Local time to a tick; -1 for a date that does not exist (2026-02-30). */
static int local_tick(struct tm tm, tick_t *out)
{
    struct tm asked = tm;
    tm.tm_isdst = -1;
    time_t t = mktime(&tm);
    bool moved = tm.tm_mday != asked.tm_mday || tm.tm_mon != asked.tm_mon;
    if (t == (time_t)-1 || moved)
        return -1;
    *out = (tick_t)t * TICK_S;
    return 0;
}

/* Local midnight `days` away from the day of now. */
static tick_t midnight(tick_t now, int days)
{
    time_t t = (time_t)(now / TICK_S);
    struct tm tm;
    localtime_r(&t, &tm);
    tm.tm_mday += days;
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_isdst = -1;
    return (tick_t)mktime(&tm) * TICK_S;
}

/* Exactly `digits` digits at *p; moves on. */
static bool number(const char **p, int digits, int *out)
{
    int n = 0;
    for (int i = 0; i < digits; i++, (*p)++) {
        if (!isdigit((unsigned char)**p))
            return false;
        n = 10 * n + (**p - '0');
    }
    *out = n;
    return true;
}

static bool skip(const char **p, char c)
{
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

/* HH:MM[:SS[.fraction]], basic: without the colons */
static bool clock_part(const char **p, bool basic, struct tm *tm, tick_t *fraction)
{
    *fraction = 0;
    if (!number(p, 2, &tm->tm_hour) || !(basic || skip(p, ':')) || !number(p, 2, &tm->tm_min))
        return false;
    if ((basic ? isdigit((unsigned char)**p) : skip(p, ':')) && !number(p, 2, &tm->tm_sec))
        return false;
    if ((**p == '.' || **p == ',') && isdigit((unsigned char)(*p)[1]))
        for (tick_t unit = TICK_S / 10; isdigit((unsigned char)*++*p); unit /= 10)
            *fraction += (**p - '0') * unit;
    return tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 60;
}

/* Z, UTC, +HH:MM, +HHMM, +HH at the end of the text. *east in seconds. */
static bool zone_part(const char *p, long *east)
{
    if (((*p == 'Z' || *p == 'z') && !p[1]) || strcmp(p, "UTC") == 0) {
        *east = 0;
        return true;
    }
    int sign = *p == '-' ? -1 : 1, hours, minutes = 0;
    if (*p != '+' && *p != '-')
        return false;
    p++;
    if (!number(&p, 2, &hours))
        return false;
    if (*p && (skip(&p, ':'), !number(&p, 2, &minutes)))
        return false;
    *east = sign * (hours * 3600L + minutes * 60L);
    return !*p && hours <= 14 && minutes <= 59;
}

/* A time of day somewhere else: the last one there. */
static int clock_east(const struct tm *clock, long east, tick_t fraction, tick_t now,
                      struct when *out)
{
    time_t there = (time_t)(now / TICK_S) + east;
    struct tm tm;
    gmtime_r(&there, &tm);
    tm.tm_hour = clock->tm_hour;
    tm.tm_min = clock->tm_min;
    tm.tm_sec = clock->tm_sec;
    tick_t at = ((tick_t)timegm(&tm) - east) * TICK_S;
    if (at > now)
        at -= DAY_S * TICK_S;
    *out = (struct when){at + fraction, at + fraction, false, true};
    return 0;
}

static int parse_clock(const char *p, tick_t now, struct when *out)
{
    time_t t = (time_t)(now / TICK_S);
    struct tm tm;
    tick_t fraction, at;
    long east;
    localtime_r(&t, &tm);
    tm.tm_sec = 0;
    if (!clock_part(&p, false, &tm, &fraction))
        return -1;
    if (*p)
        return zone_part(p + (*p == ' '), &east) ? clock_east(&tm, east, fraction, now, out) : -1;
    if (local_tick(tm, &at) != 0)
        return -1;
    if (at > now) {
        tm.tm_mday--;
        tm.tm_isdst = -1;
        at = (tick_t)mktime(&tm) * TICK_S;
    }
    *out = (struct when){at + fraction, at + fraction, true, true};
    return 0;
}

static int whole_day(struct tm tm, struct when *out)
{
    tick_t from;
    if (local_tick(tm, &from) != 0)
        return -1;
    *out = (struct when){from, midnight(from, 1), true, false};
    return 0;
}

/* YYYY-MM-DD, and what ISO 8601 calls the basic form: YYYYMMDD */
static bool date_part(const char **p, bool *basic, struct tm *tm)
{
    if (!number(p, 4, &tm->tm_year))
        return false;
    *basic = **p != '-';
    return (*basic || skip(p, '-')) && number(p, 2, &tm->tm_mon) && (*basic || skip(p, '-')) &&
           number(p, 2, &tm->tm_mday);
}

static int parse_iso(const char *p, struct when *out)
{
    bool basic;
    struct tm tm = {0};
    tick_t fraction, at;
    long east;
    if (!date_part(&p, &basic, &tm))
        return -1;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    if (!*p)
        return whole_day(tm, out);
    if (*p != 'T' && *p != 't' && *p != ' ')
        return -1;
    p++;
    if (!clock_part(&p, basic, &tm, &fraction))
        return -1;
    if (!*p) {
        if (local_tick(tm, &at) != 0)
            return -1;
        *out = (struct when){at + fraction, at + fraction, true, false};
        return 0;
    }
    if (!zone_part(p + (*p == ' '), &east))
        return -1;
    struct tm asked = tm;
    time_t utc = timegm(&tm);
    if (tm.tm_mday != asked.tm_mday || tm.tm_mon != asked.tm_mon)
        return -1;
    at = ((tick_t)utc - east) * TICK_S + fraction;
    *out = (struct when){at, at, false, false};
    return 0;
}

int when_span(const char *text, tick_t *out)
{
    static const struct {
        const char *unit;
        tick_t span;
    } units[] = {{"s", TICK_S},
                 {"sec", TICK_S},
                 {"m", 60 * TICK_S},
                 {"min", 60 * TICK_S},
                 {"h", 3600 * TICK_S},
                 {"hours", 3600 * TICK_S},
                 {"hour", 3600 * TICK_S},
                 {"d", DAY_S * TICK_S},
                 {"days", DAY_S * TICK_S},
                 {"day", DAY_S * TICK_S},
                 {"minutes", 60 * TICK_S},
                 {"", 60 * TICK_S},
                 {"minute", 60 * TICK_S},
                 {"w", 7 * DAY_S * TICK_S},
                 {"week", 7 * DAY_S * TICK_S},
                 {"weeks", 7 * DAY_S * TICK_S}};
    char *end;
    long n = strtol(text, &end, 10);
    if (!isdigit((unsigned char)*text) || n > 1000000)
        return -1;
    end += *end == ' ';
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].unit) == 0) {
            *out = n * units[i].span;
            return 0;
        }
    return -1;
}

static int parse_ago(const char *text, tick_t now, struct when *out)
{
    char span[32];
    size_t n = strlen(text);
    tick_t back;
    if (n < 5 || n >= sizeof span || strcmp(text + n - 4, " ago") != 0)
        return -1;
    snprintf(span, sizeof span, "%.*s", (int)n - 4, text);
    if (when_span(span, &back) != 0)
        return -1;
    *out = (struct when){now - back, now - back, false, false};
    return 0;
}

int when_parse(const char *text, tick_t now, struct when *out)
{
    if (strcmp(text, "now") == 0) {
        *out = (struct when){now, now, false, false};
        return 0;
    }
    bool yesterday = strcmp(text, "yesterday") == 0;
    if (yesterday || strcmp(text, "today") == 0) {
        *out = (struct when){midnight(now, -yesterday), midnight(now, 1 - yesterday), true, false};
        return 0;
    }
    if (parse_ago(text, now, out) == 0 || parse_iso(text, out) == 0)
        return 0;
    return parse_clock(text, now, out);
}

int when_night(const char *text, struct night *out)
{
    int hour[2], minute[2];
    if (!number(&text, 2, &hour[0]) || !skip(&text, ':') || !number(&text, 2, &minute[0]) ||
        !skip(&text, '-') || !number(&text, 2, &hour[1]) || !skip(&text, ':') ||
        !number(&text, 2, &minute[1]) || *text)
        return -1;
    for (int i = 0; i < 2; i++)
        if (hour[i] > 23 || minute[i] > 59)
            return -1;
    *out = (struct night){hour[0] * 3600 + minute[0] * 60, hour[1] * 3600 + minute[1] * 60};
    return 0;
}

void when_last_night(const struct night *n, tick_t now, tick_t *from, tick_t *to)
{
    int over = n->from >= n->to; /* midnight lies between */
    for (int back = 0; back <= 2; back++) {
        *from = midnight(now, -back) + n->from * TICK_S;
        *to = midnight(now, over - back) + n->to * TICK_S;
        if (*from <= now)
            break;
    }
    if (*to > now)
        *to = now;
}

void when_state_zone(const struct when *w)
{
    char zone[CLOCK_ZONE], offset[CLOCK_ZONE], time[TICK_TEXT], day[TICK_TEXT];
    clock_zone(zone);
    clock_offset(w->from, offset);
    if (w->day_assumed)
        log_info("times read as %s (%s), %.5s as of %s", zone, offset, clock_time(w->from, time),
                 clock_day(w->from, day));
    else
        log_info("times read as %s (%s)", zone, offset);
}
