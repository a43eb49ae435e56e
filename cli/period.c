/* A span of packet time from options. */
#include "cli/period.h"

#include "capture/log.h"
#include "cli/exits.h"
#include "cli/when.h"

#define WITHIN_DEFAULT (300 * TICK_S)

int period_read(const struct settings *s, tick_t now, tick_t *since, tick_t *until)
{
    struct when w;
    bool local = false;
    tick_t within = WITHIN_DEFAULT, stated = now;
    *since = *until = TICK_NONE;
    if (s->within && when_span(s->within, &within) != 0)
        return EXIT_USAGE;
    if (s->around && when_parse(s->around, now, &w) == 0) {
        *since = w.from - within;
        *until = w.to + within;
        local |= w.local;
        stated = w.from;
    }
    if (s->since && when_parse(s->since, now, &w) == 0) {
        *since = w.from;
        local |= w.local;
        stated = w.from;
    }
    if (s->until && when_parse(s->until, now, &w) == 0) {
        *until = w.to;
        local |= w.local;
        stated = w.from;
    }
    if (local)
        when_state_zone(stated);
    if (*since != TICK_NONE && *until != TICK_NONE && *since > *until) {
        log_error("the period ends before it begins (--since %s)", s->since ? s->since : "");
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}
