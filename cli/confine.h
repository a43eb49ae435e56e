/*
 * The sandbox of a command: which folders and system calls its settings need.
 */
#ifndef EW_CLI_CONFINE_H
#define EW_CLI_CONFINE_H

#include "cli/options.h"

/* Locks the process in: files and interfaces are open, keys are read, no thread runs yet, and
 * nothing of a packet has been looked at. live: as monitor needs it. An exit code, after a message
 * if it is not EXIT_DONE. */
int confine(const struct settings *s, bool live);

#endif
