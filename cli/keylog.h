/*
 * A key log on disk: a file that grows and may be rotated, or a named pipe.
 */
#ifndef EW_CLI_KEYLOG_H
#define EW_CLI_KEYLOG_H

#include <stdbool.h>
#include <sys/types.h>

#include "flows/tls_keys.h"

enum { KEYLOG_BUFFER = 64 << 10 /* read at once */ };

struct keylog_file {
    const char *path; /* lent */
    int fd;           /* -1 = none */
    int source;       /* tls_keys_source() */
    off_t at;         /* regular file: read up to here */
    dev_t dev;
    ino_t ino;
    bool pipe, ended;
    int told; /* errno that was complained about, 0 = none */
};

/* Opens it and takes what is there. live: it is followed, and a named pipe is not waited for.
 * buffer: KEYLOG_BUFFER bytes that are locked. EXIT_DONE, or EXIT_CONFIG after a message: it can't
 * be read, or has lines and none that a key log may have. */
int keylog_open(struct tls_keys *keys, const char *path, bool live, char *buffer,
                struct keylog_file *g);
/* Takes what has come since; a file that was renamed or removed and made anew, or cut short, is
 * read from its beginning, like tail -F does. */
void keylog_follow(struct tls_keys *keys, struct keylog_file *g, char *buffer);
void keylog_close(struct keylog_file *g);

/* "server.key" of "/etc/keys/server.key" */
const char *key_name(const char *path);
/* Says why a key or key log cannot be used; EXIT_CONFIG. */
int key_refused(const char *path, const char *why);

#endif
