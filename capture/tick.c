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

char *tick_text(tick_t t, char out[TICK_TEXT])
{
    struct tm tm;
    long ns;
    out[0] = 0;
    if (split(t, &tm, &ns) == 0)
        snprintf(out, TICK_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ",
                 (tm.tm_year + 1900) % 10000, tm.tm_mon % 12 + 1, tm.tm_mday % 32, tm.tm_hour % 24,
                 tm.tm_min % 60, tm.tm_sec % 61, ns / 1000 % 1000000);
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
