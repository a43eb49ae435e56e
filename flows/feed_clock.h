/*
 * The clock of somebody who sends us messages with times of their own.
 *
 * A message said to be of time t cannot have arrived before t. So the smallest (arrival - t) of an
 * agent bounds how far its clock can be behind ours; it is that far behind, give or take the
 * quickest message's way. Two terms of FEED_CLOCK_TERM are remembered, so that a clock that is set
 * right is believed again soon.
 *
 *   within FEED_CLOCK_SLACK    its times are used as they are
 *   farther off                its times are moved by that difference, so that distances between
 *                              its own messages stay as it measured them
 *   from the future            a clock that seemed right is not moved by one message (anybody can
 *                              send a datagram), but by FEED_CLOCK_AGREE that agree, in a row
 *   long gone                  older than FEED_CLOCK_OLDEST: of its arrival
 *   and never after arrival: what has arrived has happened
 *
 * The engine's own time is that of arrival, so a wrong clock of an agent moves no deadline.
 */
#ifndef EW_FLOWS_FEED_CLOCK_H
#define EW_FLOWS_FEED_CLOCK_H

#include <stdbool.h>

#include "capture/tick.h"

#define FEED_CLOCK_SLACK (2 * TICK_S) /* less than MATCH_SLACK */
#define FEED_CLOCK_TERM (60 * TICK_S)
#define FEED_CLOCK_OLDEST (24 * 3600 * TICK_S) /* no spool is older */
enum { FEED_CLOCK_AGREE = 8 };                 /* messages in a row that set a clock ahead */

/* Zero with `least` and `all` TICK_NONE before the first message: feed_clock_new(). */
struct feed_clock {
    tick_t term;    /* arrival at which the present term began */
    tick_t least;   /* smallest arrival - said in this term */
    tick_t before;  /* ... in the term before, TICK_NONE = there was none */
    tick_t all;     /* ... ever: how far behind the clock is at most */
    tick_t rumour;  /* that of the latest messages that claim to be from the future */
    unsigned agree; /* so many of them in a row */
};

struct feed_clock feed_clock_new(void);

/* When a message happened by our clock. said: by theirs, TICK_NONE = not told. */
tick_t feed_clock_time(struct feed_clock *c, tick_t said, tick_t arrival);

#endif
