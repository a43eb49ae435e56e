/* Packet time in the local zone, and spans in words. */
#include "report/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Seconds, rounded down also before 1970. */
static time_t seconds_of(tick_t t)
{
    return (time_t)(t / TICK_S - (t % TICK_S < 0));
}

static unsigned millis_of(tick_t t)
{
    return (unsigned)((t - (tick_t)seconds_of(t) * TICK_S) / TICK_MS);
}

char *clock_zone(char out[CLOCK_ZONE])
{
    const char *tz = getenv("TZ");
    if (tz && *tz && strlen(tz) < CLOCK_ZONE - 1) {
        snprintf(out, CLOCK_ZONE, "%s", *tz == ':' ? tz + 1 : tz);
        return out;
    }
    char link[256];
    ssize_t n = tz ? -1 : readlink("/etc/localtime", link, sizeof link - 1);
    link[n > 0 ? n : 0] = 0;
    const char *name = strstr(link, "zoneinfo/");
    if (name && strlen(name) < CLOCK_ZONE) {
        snprintf(out, CLOCK_ZONE, "%s", name + strlen("zoneinfo/"));
        return out;
    }
    time_t now = time(NULL);
    struct tm tm;
    snprintf(out, CLOCK_ZONE, "%s", localtime_r(&now, &tm) ? tm.tm_zone : "UTC");
    return out;
}

char *clock_offset(tick_t t, char out[CLOCK_ZONE])
{
    time_t s = seconds_of(t);
    struct tm tm;
    long east = localtime_r(&s, &tm) ? tm.tm_gmtoff : 0, size = labs(east);
    snprintf(out, CLOCK_ZONE, "%c%02ld:%02ld", east < 0 ? '-' : '+', size / 3600, size % 3600 / 60);
    return out;
}

static char *local(tick_t t, const char *form, bool millis, char out[TICK_TEXT])
{
    out[0] = 0;
    time_t s = seconds_of(t);
    struct tm tm;
    if (t == TICK_NONE || !localtime_r(&s, &tm))
        return out;
    size_t n = strftime(out, TICK_TEXT, form, &tm);
    if (millis)
        snprintf(out + n, TICK_TEXT - n, ".%03u", millis_of(t));
    return out;
}

char *clock_stamp(tick_t t, char out[TICK_TEXT])
{
    return local(t, "%Y-%m-%d %H:%M:%S", false, out);
}

char *clock_stamp_ms(tick_t t, char out[TICK_TEXT])
{
    return local(t, "%Y-%m-%d %H:%M:%S", true, out);
}

char *clock_time(tick_t t, char out[TICK_TEXT])
{
    return local(t, "%H:%M:%S", true, out);
}

char *clock_day(tick_t t, char out[TICK_TEXT])
{
    return local(t, "%Y-%m-%d", false, out);
}

char *clock_span(tick_t span, char out[CLOCK_SPAN])
{
    const char *sign = span < 0 ? "-" : "";
    int64_t ms = ((span < 0 ? -span : span) + TICK_MS / 2) / TICK_MS, s = ms / 1000;
    if (s < 1)
        snprintf(out, CLOCK_SPAN, "%s%" PRId64 " ms", sign, ms);
    else if (s < 60)
        snprintf(out, CLOCK_SPAN, "%s%" PRId64 ".%03" PRId64 " s", sign, s, ms % 1000);
    else if (s < 3600)
        snprintf(out, CLOCK_SPAN, "%s%" PRId64 " min %02" PRId64 " s", sign, s / 60, s % 60);
    else
        snprintf(out, CLOCK_SPAN, "%s%" PRId64 " h %02" PRId64 " min", sign, s / 3600,
                 s % 3600 / 60);
    return out;
}

tick_t clock_of_row(const char *text)
{
    struct tm tm = {0};
    const char *p = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    if (!p)
        return TICK_NONE;
    tick_t part = 0;
    if (*p == '.') {
        tick_t unit = TICK_S / 10;
        for (p++; *p >= '0' && *p <= '9'; p++, unit /= 10)
            part += (*p - '0') * unit;
    }
    return strcmp(p, "Z") == 0 ? (tick_t)timegm(&tm) * TICK_S + part : TICK_NONE;
}
