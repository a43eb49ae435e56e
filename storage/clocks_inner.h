/* What the two halves of clocks share: clocks.c (logs, their rows) and clocks_bounds.c (what the
 * packets say about one log's clock). */
#ifndef EW_STORAGE_CLOCKS_INNER_H
#define EW_STORAGE_CLOCKS_INNER_H

#include "flows/skew.h"
#include "storage/clocks.h"

/* A log, as far as its clock goes. us. */
struct log_clock {
    int64_t run, first, last; /* of its messages, by its own clock */
    bool known;
    int64_t shift;
    struct skew skew; /* as stored */
};

/* What packets in [first, last] (us) say about the clock of a log, from the log's calls near that
 * time: all within SKEW_LIMIT_US if it is not known, else within minutes. */
int clocks_bounds(struct store *s, const struct log_clock *l, int64_t first, int64_t last,
                  struct skew *out);

#endif
