/*
 * What a monitor tells while it runs, beside its database: figures (metrics.h), and failures to the
 * journal and to a command (teller.h, runner.h). Zeroed: nothing is told.
 */
#ifndef EW_CLI_OUTLETS_H
#define EW_CLI_OUTLETS_H

#include "cli/metrics.h"
#include "cli/runner.h"
#include "cli/teller.h"

struct outlets {
    struct metrics *metrics;
    struct runner *runner;
    struct teller *teller;
    bool journal;
    int64_t shown; /* monotonic ms of the last figures */
};

/* With the rights that are there at the start: the socket. An exit code, after its message. */
int outlets_open(struct outlets *o, const struct settings *s);
/* First of all, before there are keys: the process that runs commands. An exit code. */
int outlets_fork(struct outlets *o, const struct settings *s);
/* As the ordinary account, before the sandbox: is there a journal? */
void outlets_find(struct outlets *o);
/* The run has begun in the database: the threads. What cannot be begun is told and left out. */
void outlets_begin(struct outlets *o, const struct settings *s, const struct writer *w);
/* New figures, once a second at most unless `last`. */
void outlets_show(struct outlets *o, struct metrics_view *v, bool last);
/* The run's last rows are written. */
void outlets_end(struct outlets *o);
void outlets_close(struct outlets *o);

#endif
