/*
 * How far a log's clock lies behind the capture's, out of what must have come before what (P§8.4).
 *
 * Each thing that both the log and the packets know of bounds the difference
 * D = capture time - log time. Ports are reused, so one thing in the log may fit several in the
 * packets: these are alternatives, and the difference that satisfies the most things wins; of
 * several, the one nearest to none. Whole hours of it are the log's zone. Pure.
 */
#ifndef EW_FLOWS_SKEW_H
#define EW_FLOWS_SKEW_H

#include "capture/tick.h"

#include <stdbool.h>

/* How far apart the clocks may be: all zones, and an hour of summer time. Microseconds. */
#define SKEW_LIMIT_US (INT64_C(15) * 3600 * 1000000)

/* low <= D <= high, us. Where one side is open it is the limit. group: alternatives share one. */
struct skew_bound {
    int64_t low, high;
    uint32_t group;
};

struct skew {
    bool known;
    int64_t low, high; /* us; the limit (either sign) where open */
    uint32_t agreed;   /* groups that it satisfies */
};

/* 0, or -1 without memory. No bounds, or only ones outside the limit: not known. */
int skew_solve(const struct skew_bound *bounds, size_t n, struct skew *out);

/* Two answers about one log, found at different times: what both allow; if nothing, the one that
 * more agreed on, the older one if as many. */
struct skew skew_both(const struct skew *older, const struct skew *newer);

/* The difference to correct times by, us. Narrow intervals: the middle. Else the low end, because a
 * relay port is asked for right before it is named, or the end that there is. */
int64_t skew_point(const struct skew *s);
/* The log's zone in whole hours east of UTC: the difference without it is least. */
int skew_zone_h(const struct skew *s);

#endif
