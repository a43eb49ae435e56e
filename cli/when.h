/*
 * Times as people write them (design §9): ISO 8601 with or without zone, HH:MM, "2h ago",
 * "yesterday", "now". Without a zone they are local, and the caller must say so (when_state_zone).
 */
#ifndef EW_CLI_WHEN_H
#define EW_CLI_WHEN_H

#include "capture/tick.h"

#include <stdbool.h>

struct when {
    tick_t from, to;  /* a date is a whole day; everything else has from = to */
    bool local;       /* the local zone was assumed */
    bool day_assumed; /* only a time of day was given */
};

/* now: what relative times count from. HH:MM is today, or yesterday if today's lies ahead. 0, or -1
 * (not a time; *out unchanged). */
int when_parse(const char *text, tick_t now, struct when *out);

/* "90s", "5m", "2h", "3d", a bare number of minutes. 0 or -1. */
int when_span(const char *text, tick_t *out);

/* "18:00-08:00", seconds after local midnight. */
struct night {
    int from, to;
};
int when_night(const char *text, struct night *out);
/* The night that ended last before now, or that goes on at now. */
void when_last_night(const struct night *n, tick_t now, tick_t *from, tick_t *to);

tick_t when_now(void);

/* "times read as Europe/Berlin (+01:00), 10:43 as of 2026-01-31" on stderr: the zone and what it
 * was at w, and the day if that was assumed, too. */
void when_state_zone(const struct when *w);

#endif
