/*
 * The charts of a period, as pictures of plain numbers (no database, no JSON), so that a page may
 * take them from wherever it has the numbers. Each is one figure (svg.h); the table of the same
 * numbers is left to the caller and is their text alternative. Times are packet time, written in
 * the local zone.
 */
#ifndef EW_REPORT_CHARTS_H
#define EW_REPORT_CHARTS_H

#include "capture/tick.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A blind window: packets were lost in it. */
struct chart_band {
    tick_t from, to;
    int64_t lost;
};

/* The axis of time, and what was blind on it. */
struct chart_time {
    tick_t from, to;
    const struct chart_band *blind;
    size_t n_blind;
};

/* One step of time. attempts < 0: not known (no relay known in it). */
struct chart_step {
    tick_t at, length;
    int64_t failures;         /* connections that failed */
    int64_t attempts, failed; /* of the relays' attempts */
};

/* Failures per step as bars, over the share of the relays' attempts that failed, over the blind
 * windows. */
void chart_hours(FILE *out, const char *id, const struct chart_time *t,
                 const struct chart_step *steps, size_t n);

struct chart_cell {
    int64_t attempts, failed; /* attempts 0: nothing was tried */
};

/* Rows by columns: how many of the attempts failed, in words and shade. cells: row by row. */
void chart_heat(FILE *out, const char *id, const char *const *row_names, size_t rows,
                const char *const *column_names, size_t columns, const struct chart_cell *cells);

/* One step: connections of the Edge that were open at most, and what became of new ones. */
struct chart_flows {
    tick_t at, length;
    int64_t open, timeouts, connected;
};

/* Open connections as a curve, over timeouts as bars: do they set in at a plateau? */
void chart_table_limit(FILE *out, const char *id, const char *edge, const struct chart_time *t,
                       const struct chart_flows *steps, size_t n);

/* The shade of a share: 0 for none, 5 for all. The class is "heatN". */
unsigned chart_shade(const struct chart_cell *c);

/* A small bar of n of all, for a cell of a table; nothing where all is 0. */
void chart_bar(FILE *out, int64_t n, int64_t all);

#endif
