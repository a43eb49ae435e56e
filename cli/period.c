/* A span of packet time from options. */
#include "cli/period.h"

#include "capture/log.h"
#include "cli/exits.h"
#include "cli/when.h"

#define WITHIN_DEFAULT (300 * TICK_S)

/* Of several local times the last one is told, one without a day before all. */
static void assume(struct when *stated, const struct when *w)
{
    if ((w->local || w->day_assumed) && (w->day_assumed || !stated->day_assumed))
        *stated = *w;
}

int period_read(const struct settings *s, tick_t now, tick_t *since, tick_t *until)
{
    struct when w, stated = {.local = false};
    tick_t within = WITHIN_DEFAULT;
    *since = *until = TICK_NONE;
    if (s->within && !s->around) {
        log_error("--within needs --around");
        return EXIT_USAGE;
    }
    if (s->within && when_span(s->within, &within) != 0)
        return EXIT_USAGE;
    if (s->around && when_parse(s->around, now, &w) == 0) {
        *since = w.from - within;
        *until = w.to + within;
        assume(&stated, &w);
    }
    if (s->since && when_parse(s->since, now, &w) == 0) {
        *since = w.from;
        assume(&stated, &w);
    }
    if (s->until && when_parse(s->until, now, &w) == 0) {
        *until = w.to;
        assume(&stated, &w);
    }
    if (stated.local || stated.day_assumed)
        when_state_zone(&stated);
    if (*since != TICK_NONE && *until != TICK_NONE && *since > *until) {
        log_error("the period ends before it begins (--since %s)", s->since ? s->since : "");
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}
