/*
 * Exit codes, a contract: sysexits numbers where they fit.
 */
#ifndef EW_CLI_EXITS_H
#define EW_CLI_EXITS_H

enum {
    EXIT_DONE = 0,
    EXIT_FOUND = 1, /* --exit-code was given and there are failures */
    EXIT_USAGE = 64,
    EXIT_BAD_INPUT = 65,   /* damaged, empty, or of an unknown kind */
    EXIT_NO_INPUT = 66,    /* cannot be opened, or no such ID */
    EXIT_UNAVAILABLE = 69, /* interface or service */
    EXIT_NO_OUTPUT = 73,   /* cannot be created or written */
    EXIT_DATABASE = 74,
    EXIT_PERMISSION = 77,
    EXIT_CONFIG = 78, /* bad or missing configuration or key file */
};

#endif
