/*
 * What systemd is told of a running monitor (sd_notify): ready, reloading, stopping, and that it is
 * alive, as often as the unit's WatchdogSec asks. Without systemd nothing happens.
 */
#ifndef EW_CLI_NOTIFY_H
#define EW_CLI_NOTIFY_H

#include <stdint.h>

struct notify {
    uint64_t told_us; /* monotonic time of the last word that it is alive */
};

/* Listening, or done with reloading. status: one line for systemctl status. */
void notify_ready(const char *status);
void notify_reloading(void);
void notify_stopping(void);
/* The caller's loop goes round. Cheap; tells systemd twice per watchdog period. */
void notify_alive(struct notify *n);

#endif
