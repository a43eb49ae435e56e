/*
 * Figures for Prometheus, over HTTP: `monitor --metrics [ADDR:]PORT`, path /metrics.
 *
 * The engine's thread writes the whole text once a second at most; the server's thread hands out
 * the last one. Labels are interfaces (as in health), verdicts and severities: their number is
 * bounded. The counters are the very ones that health rows are made of, so that what a minute's
 * rows add up to is what the counter grew by.
 */
#ifndef EW_CLI_METRICS_H
#define EW_CLI_METRICS_H

#include "capture/source.h"
#include "cli/tally.h"
#include "storage/writer.h"

struct metrics;

/* Opens the socket: nothing is answered before metrics_start(). NULL with a message in why. */
struct metrics *metrics_open(const char *listen, char *why, size_t room);
/* Starts the server's thread. 0 or -1. */
int metrics_start(struct metrics *m);
void metrics_close(struct metrics *m);

/* What the engine has counted so far; everything is lent. */
struct metrics_view {
    const char *sensor;
    struct sources *sources;
    struct pipeline *pipeline;
    const struct writer *writer;
    const struct tally *tally;
    uint64_t notices_told, notices_limited, notices_lost;
    bool database_waits;
};

/* Replaces the text that is handed out. */
void metrics_set(struct metrics *m, const struct metrics_view *v);
/* The text itself, to be freed; NULL without memory. */
char *metrics_text(const struct metrics_view *v);

#endif
