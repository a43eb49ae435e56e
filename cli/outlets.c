/* The outlets of a monitor, opened and closed together. */
#include "cli/outlets.h"

#include "capture/log.h"
#include "cli/exits.h"
#include "cli/journal.h"

#include <string.h>
#include <time.h>

enum { WHY = 512, EVERY_MS = 1000 };

int outlets_open(struct outlets *o, const struct settings *s)
{
    char why[WHY];
    if (s->metrics && !(o->metrics = metrics_open(s->metrics, why, sizeof why))) {
        log_error("%s", why);
        return EXIT_UNAVAILABLE;
    }
    return EXIT_DONE;
}

int outlets_fork(struct outlets *o, const struct settings *s)
{
    char why[WHY];
    const char *how = s->tls_passphrase;
    struct runner_config c = {.command = s->on_failure,
                              .drop = true,
                              .account = s->account,
                              .secret = how && strncmp(how, "env:", 4) == 0 ? how + 4 : NULL};
    if (s->on_failure && !(o->runner = runner_new(&c, why, sizeof why))) {
        log_error("on-failure: %s", why);
        return EXIT_UNAVAILABLE;
    }
    return EXIT_DONE;
}

void outlets_find(struct outlets *o)
{
    o->journal = journal_here();
}

void outlets_begin(struct outlets *o, const struct settings *s, const struct writer *w)
{
    char why[WHY];
    if (o->metrics && metrics_start(o->metrics) != 0)
        log_error("metrics %s: cannot start; going on without", s->metrics);
    if (!o->runner && !o->journal)
        return;
    o->teller = teller_new(s->db, writer_run(w), o->runner, o->journal, why, sizeof why);
    if (!o->teller)
        log_error("failures cannot be told: %s; going on without", why);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void outlets_show(struct outlets *o, struct metrics_view *v, bool last)
{
    struct teller_counts c = {0};
    int64_t now = now_ms();
    if (!o->metrics || (!last && o->shown && now - o->shown < EVERY_MS))
        return;
    o->shown = now;
    if (o->teller)
        teller_counts(o->teller, &c);
    v->notices_told = c.told;
    v->notices_limited = c.limited;
    v->notices_lost = c.lost;
    metrics_set(o->metrics, v);
}

void outlets_end(struct outlets *o)
{
    teller_free(o->teller);
    o->teller = NULL;
}

void outlets_close(struct outlets *o)
{
    outlets_end(o);
    metrics_close(o->metrics);
    runner_free(o->runner);
    *o = (struct outlets){0};
}
