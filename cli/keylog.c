/* Key logs, again and again. */
#include "cli/keylog.h"

#include "capture/log.h"
#include "cli/exits.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NAME = 96,
    FIRST_MS = 10000, /* how long a named pipe may keep us waiting for its writer */
    REST_MS = 2000,   /* ... and for more of what it writes, while captures are read */
};

const char *key_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

int key_refused(const char *path, const char *why)
{
    log_error("%s: %s", path, why);
    return EXIT_CONFIG;
}

/* ---- reading ---- */

static void complain(struct keylog_file *g, int code)
{
    if (code && code != g->told)
        log_warn("%s: %s", g->path, strerror(code));
    g->told = code;
}

/* Everything that is there by now. */
static void take(struct tls_keys *keys, struct keylog_file *g, char *buffer)
{
    ssize_t n;
    struct stat st;
    if (!g->pipe && fstat(g->fd, &st) == 0 && st.st_size < g->at) { /* cut short, begun anew */
        tls_keys_log(keys, g->source, slice_of(NULL, 0), true);
        g->at = lseek(g->fd, 0, SEEK_SET);
    }
    while ((n = read(g->fd, buffer, KEYLOG_BUFFER)) > 0) {
        tls_keys_log(keys, g->source, slice_of(buffer, (size_t)n), false);
        tls_wipe(buffer, (size_t)n);
        g->at += n;
    }
    g->ended = g->pipe && n == 0;
}

/* A pipe beside captures: its writer may need a moment, and may stay. */
static void take_pipe(struct tls_keys *keys, struct keylog_file *g, char *buffer)
{
    int wait = FIRST_MS;
    struct pollfd p = {.fd = g->fd, .events = POLLIN};
    while (poll(&p, 1, wait) > 0) {
        take(keys, g, buffer);
        if (!(p.revents & POLLIN) || g->ended)
            return;
        wait = REST_MS;
    }
}

/* ---- following ---- */

/* Is another file there under its name? */
static bool was_rotated(const struct keylog_file *g)
{
    struct stat st;
    return !g->pipe && stat(g->path, &st) == 0 && S_ISREG(st.st_mode) &&
           (st.st_dev != g->dev || st.st_ino != g->ino);
}

static void reopen(struct tls_keys *keys, struct keylog_file *g)
{
    struct stat st;
    int fd = open(g->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        complain(g, fd < 0 ? errno : EINVAL);
        if (fd >= 0)
            close(fd);
        return;
    }
    complain(g, 0);
    tls_keys_log(keys, g->source, slice_of(NULL, 0), true); /* the old one's last line */
    close(g->fd);
    g->fd = fd;
    g->at = 0;
    g->dev = st.st_dev;
    g->ino = st.st_ino;
}

void keylog_follow(struct tls_keys *keys, struct keylog_file *g, char *buffer)
{
    take(keys, g, buffer);
    if (!was_rotated(g))
        return;
    take(keys, g, buffer); /* what was written to the old one before it was put away */
    reopen(keys, g);
    take(keys, g, buffer);
}

/* ---- opening ---- */

static int open_file(struct tls_keys *keys, const char *path, struct keylog_file *g)
{
    struct stat st;
    char name[NAME];
    g->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (g->fd < 0)
        return key_refused(path, strerror(errno));
    if (fstat(g->fd, &st) != 0 || (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode)))
        return key_refused(path, "is not a file");
    g->pipe = S_ISFIFO(st.st_mode);
    g->dev = st.st_dev;
    g->ino = st.st_ino;
    snprintf(name, sizeof name, "key log %s", key_name(path));
    g->source = tls_keys_source(keys, name);
    return g->source < 0 ? key_refused(path, "is one key log too many") : EXIT_DONE;
}

int keylog_open(struct tls_keys *keys, const char *path, bool live, char *buffer,
                struct keylog_file *g)
{
    *g = (struct keylog_file){.path = path, .source = -1};
    int code = open_file(keys, path, g);
    if (code != EXIT_DONE)
        return code;
    if (g->pipe && !live)
        take_pipe(keys, g, buffer);
    else
        take(keys, g, buffer);
    if (!live && !g->pipe)
        tls_keys_log(keys, g->source, slice_of(NULL, 0), true);
    return tls_keys_is_foreign(keys, g->source)
               ? key_refused(path, "is not a key log: none of its lines is one of a key log")
               : EXIT_DONE;
}

void keylog_close(struct keylog_file *g)
{
    if (g->fd >= 0)
        close(g->fd);
    g->fd = -1;
}
