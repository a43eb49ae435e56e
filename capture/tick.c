/* Packet time as text. */
#include "capture/tick.h"

#include <stdio.h>
#include <time.h>

static int split(tick_t t, struct tm *tm, long *ns)
{
    tick_t s = t / TICK_S, rest = t % TICK_S;
    if (rest < 0)
        rest += TICK_S, s--;
    time_t when = (time_t)s;
    if (t == TICK_NONE || !gmtime_r(&when, tm) || tm->tm_year < -1900 || tm->tm_year > 8099)
        return -1;
    *ns = (long)rest;
    return 0;
}

/* The number with its leading zeros, and what stands behind it. */
static char *put(char *out, long n, int digits, char behind)
{
    for (int i = digits - 1; i >= 0; i--, n /= 10)
        out[i] = (char)('0' + n % 10);
    out[digits] = behind;
    return out + digits + 1;
}

/* By hand: every failure says several times. */
char *tick_text(tick_t t, char out[TICK_TEXT])
{
    struct tm tm;
    long ns;
    char *p = out;
    *p = 0;
    if (split(t, &tm, &ns) != 0)
        return out;
    p = put(p, tm.tm_year + 1900, 4, '-');
    p = put(p, tm.tm_mon + 1, 2, '-');
    p = put(p, tm.tm_mday, 2, 'T');
    p = put(p, tm.tm_hour, 2, ':');
    p = put(p, tm.tm_min, 2, ':');
    p = put(p, tm.tm_sec, 2, '.');
    p = put(p, ns / 1000, 6, 'Z');
    *p = 0;
    return out;
}

char *tick_clock(tick_t t, char out[TICK_TEXT])
{
    struct tm tm;
    long ns;
    out[0] = 0;
    if (split(t, &tm, &ns) == 0)
        snprintf(out, TICK_TEXT, "%02d:%02d:%02d.%03ld", tm.tm_hour % 24, tm.tm_min % 60,
                 tm.tm_sec % 61, ns / 1000000 % 1000);
    return out;
}
