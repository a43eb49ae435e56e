/*
 * Telling others of failures: one structured line each to the journal, a command (runner.h).
 *
 * A thread of its own reads the database as any reader does, once a second, so that what is told is
 * the row of view `failures`, with its id; what the writer keeps to itself (privacy) stays so. A
 * failure is told once, when it has stood for TELLER_SETTLE_S; what was taken back by then is not
 * told. One that is mere information is looked at again for a while, for it may become more.
 */
#ifndef EW_CLI_TELLER_H
#define EW_CLI_TELLER_H

#include "cli/runner.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TELLER_SETTLE_S = 5,
    TELLER_AGAIN_S = 30, /* and so often, for what is no failure yet */
    TELLER_TRIES = 20,
    TELLER_WATCHED = 4096, /* beyond it the oldest that is no failure is forgotten */
};

struct teller;

struct teller_counts {
    uint64_t told;    /* failures told at least one of the two */
    uint64_t limited; /* the command was not run: over its rate */
    uint64_t lost;    /* the command was not run: it has too much to do */
};

/* Starts the thread. runner: lent, NULL = no command. run: whose failures. NULL with a message in
 * why. */
struct teller *teller_new(const char *db, int64_t run, struct runner *runner, bool journal,
                          char *why, size_t room);
void teller_counts(const struct teller *t, struct teller_counts *out);
/* The run's last rows are written: tells what is left, and ends the thread. */
void teller_free(struct teller *t);

#endif
