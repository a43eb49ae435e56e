/*
 * So many a minute of packet time, and no more. What is told late (an attempt that waited for an
 * answer) counts in the minute under way: going back and forth between two must not refill either.
 */
#ifndef EW_FLOWS_ALLOWANCE_H
#define EW_FLOWS_ALLOWANCE_H

#include "capture/tick.h"

#include <stdbool.h>
#include <stdint.h>

struct allowance {
    tick_t minute;
    uint32_t taken;
};

enum { ALLOWANCE_LATE = 60 }; /* minutes; further back, the clock was set or a new capture began */

/* Takes one of `limit`; false if there is none left. */
static inline bool allowance_take(struct allowance *a, tick_t now, uint32_t limit)
{
    tick_t minute = now / (60 * TICK_S);
    if (minute > a->minute || minute + ALLOWANCE_LATE < a->minute)
        *a = (struct allowance){minute, 0};
    if (a->taken >= limit)
        return false;
    a->taken++;
    return true;
}

#endif
