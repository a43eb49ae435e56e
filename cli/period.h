/*
 * --since, --until, --around, --within as a span of packet time.
 */
#ifndef EW_CLI_PERIOD_H
#define EW_CLI_PERIOD_H

#include "capture/tick.h"
#include "cli/options.h"

/* Sides that are not given stay TICK_NONE. Says on stderr which zone was assumed, if one was. 0, or
 * EXIT_USAGE after a message (since after until). */
int period_read(const struct settings *s, tick_t now, tick_t *since, tick_t *until);

#endif
