/*
 * Packet time: nanoseconds since 1970-01-01 UTC. The only clock of capture/ and flows/.
 */
#ifndef EW_CAPTURE_TICK_H
#define EW_CAPTURE_TICK_H

#include <stddef.h>
#include <stdint.h>

typedef int64_t tick_t;

#define TICK_US INT64_C(1000)
#define TICK_MS INT64_C(1000000)
#define TICK_S INT64_C(1000000000)
#define TICK_NONE INT64_MIN /* "not known" in every tick field */

enum { TICK_TEXT = 48 }; /* room for any formatted tick, NUL included */

/* Writes YYYY-MM-DDTHH:MM:SS.ffffffZ (UTC, microseconds, cut not rounded) and returns out.
 * Years outside 0000-9999 and TICK_NONE give "". */
char *tick_text(tick_t t, char out[TICK_TEXT]);

/* Writes HH:MM:SS.mmm (UTC) for ladders and returns out. */
char *tick_clock(tick_t t, char out[TICK_TEXT]);

#endif
