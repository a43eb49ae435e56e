/* sd_notify(3), sd_watchdog_enabled(3). */
#include "cli/notify.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>
#include <time.h>

enum { KEEP = 0 }; /* the environment stays as it is */
#define LEAST_US 500000u

static uint64_t monotonic_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

void notify_ready(const char *status)
{
    (void)sd_notifyf(KEEP, "READY=1\nSTATUS=%s", status);
}

void notify_reloading(void)
{
    (void)sd_notifyf(KEEP, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, monotonic_us());
}

void notify_stopping(void)
{
    (void)sd_notify(KEEP, "STOPPING=1");
}

void notify_alive(struct notify *n)
{
    uint64_t period, now = monotonic_us();
    if (now - n->told_us < LEAST_US || sd_watchdog_enabled(KEEP, &period) <= 0 ||
        now - n->told_us < period / 2)
        return;
    n->told_us = now;
    (void)sd_notify(KEEP, "WATCHDOG=1");
}
