/*
 * Packet time for people: the local zone, its name, and texts of the database turned back into
 * ticks. Rows stay UTC; only pictures for the eye use the zone, and say so.
 */
#ifndef EW_REPORT_CLOCK_H
#define EW_REPORT_CLOCK_H

#include "capture/tick.h"

#include <stdbool.h>

enum { CLOCK_ZONE = 64, CLOCK_SPAN = 32 };

/* "Europe/Berlin", else the abbreviation that the C library knows ("CET"). Returns out. */
char *clock_zone(char out[CLOCK_ZONE]);
/* "+01:00", what the local zone was ahead of UTC at t. Returns out. */
char *clock_offset(tick_t t, char out[CLOCK_ZONE]);

/* "2012-12-10 10:43:59" in local time, and with milliseconds. "" for TICK_NONE. */
char *clock_stamp(tick_t t, char out[TICK_TEXT]);
char *clock_stamp_ms(tick_t t, char out[TICK_TEXT]);
/* "10:43:59.456" in local time. */
char *clock_time(tick_t t, char out[TICK_TEXT]);
/* "2012-12-10" in local time. */
char *clock_day(tick_t t, char out[TICK_TEXT]);

/* "43 ms", "3.716 s", "2 min 05 s", "3 h 12 min". Negative spans get a minus. */
char *clock_span(tick_t span, char out[CLOCK_SPAN]);

/* Reads "YYYY-MM-DDTHH:MM:SS[.f]Z", the form of every time in the database. TICK_NONE for NULL and
 * anything else. */
tick_t clock_of_row(const char *text);

#endif
