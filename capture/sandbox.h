/*
 * What remains possible once everything is open: a list of system calls (seccomp) and of folders
 * (Landlock). Whoever takes over the process through a packet finds a process that can write its
 * database, and little else.
 */
#ifndef EW_CAPTURE_SANDBOX_H
#define EW_CAPTURE_SANDBOX_H

#include <stdbool.h>

enum { SANDBOX_TEXT = 200, SANDBOX_PATHS = 32 };

struct sandbox {
    const char *own[SANDBOX_PATHS];      /* folders whose files may be read, made, changed, removed;
                                            real paths; NULL ends the list, as below */
    const char *readable[SANDBOX_PATHS]; /* files and folders that may be read */
    char *const *inputs;                 /* n_inputs further files that may be read */
    int n_inputs;
    const char *swept; /* folder out of which an empty folder may be removed, NULL = none */
    bool interfaces;   /* packet sockets may still be opened */
    bool network;      /* Internet sockets may still be opened */
    bool programs;     /* programs may still be started: everything on the machine
                          may then be read and run, as the account's rights allow */
};

enum sandbox_result {
    SANDBOX_WHOLE,       /* both are in force, and were tried */
    SANDBOX_NO_LANDLOCK, /* this kernel has none, the system call filter is in force */
    SANDBOX_FAILED = -1, /* reason in why; the process must not go on */
};

/* Locks the calling thread in, and all threads that it starts from now on: call it before any. It
 * cannot be undone. Paths that do not exist are left out. Then tries what must fail: reading
 * /etc/passwd, a packet socket, a program. */
enum sandbox_result sandbox_enter(const struct sandbox *s, char why[SANDBOX_TEXT]);

#endif
