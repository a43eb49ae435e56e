/*
 * Health rows: per interface and for the engine, what was seen and lost in each minute of packet
 * time, in each ten seconds where something was lost (view health), and the moments in which the
 * sensor was blind; what happened to interfaces and clocks.
 */
#ifndef EW_CLI_MINUTES_H
#define EW_CLI_MINUTES_H

#include "capture/source.h"
#include "flows/pipeline.h"
#include "storage/writer.h"

struct minutes;

/* NULL without memory. All three are lent for its life. */
struct minutes *minutes_new(struct sources *s, struct pipeline *p, struct writer *w);
void minutes_free(struct minutes *m);

/* Packet time is now. Cheap: looks further only when a second has passed. Tells the pipeline where
 * packets were dropped; writes rows when a minute is full. */
void minutes_tick(struct minutes *m, tick_t now);
/* Packet time leaps from one time to another: the rows of the time before end there. */
void minutes_leap(struct minutes *m, tick_t from, tick_t to);
/* The last, unfinished minute. */
void minutes_end(struct minutes *m);

#endif
