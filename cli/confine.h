/*
 * The sandbox of a command: which folders and system calls its settings need.
 */
#ifndef EW_CLI_CONFINE_H
#define EW_CLI_CONFINE_H

#include "cli/options.h"

#include <stdbool.h>

struct confinement {
    bool live;           /* interfaces come back, the configuration is read again */
    char *const *inputs; /* n_inputs files that are yet to be opened */
    int n_inputs;
    const char *scratch; /* a folder of its own in place of the database's, removed at the end; NULL
                            = none */
};

/* Locks the process in: interfaces are open, keys are read, no thread runs yet, and nothing of a
 * packet or log has been looked at. An exit code, after a message if it is not EXIT_DONE. */
int confine(const struct settings *s, const struct confinement *c);

#endif
