/* Key files: read once, key logs again and again. */
#include "cli/keys.h"

#include "capture/log.h"
#include "cli/exits.h"
#include "cli/keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum {
    KEY_BYTES = 256 << 10, /* of a key file; a PKCS#12 with a long chain has 20 kB */
    NAME = 96,
    PHRASE = 1024,
    EMBEDDED = 32,
};

struct keys {
    struct tls_keys *tls;
    const char *passphrase; /* how to get it */
    struct keylog_file *logs;
    unsigned n_logs;
    int embedded[EMBEDDED]; /* source numbers of the captures' own + 1, by file; 0 = none yet */
    char *buffer;           /* KEYLOG_BUFFER, in the secure heap */
    bool live;
};

struct tls_keys *keys_tls(struct keys *k)
{
    return k ? k->tls : NULL;
}

/* ---- private keys ---- */

static int line_of(const char *path, char *out, int room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        log_error("%s: %s", path, strerror(errno));
        return -1;
    }
    ssize_t n = read(fd, out, (size_t)room);
    close(fd);
    int length = 0;
    while (length < n && out[length] != '\n' && out[length] != '\r')
        length++;
    return n < 0 ? -1 : length;
}

static int ask_terminal(const char *file, char *out, int room)
{
    struct termios old, quiet;
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || tcgetattr(fd, &old) != 0) {
        log_error("%s: there is no terminal to ask for its passphrase", file);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    quiet = old;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    /* before the question: what is typed as soon as it stands there is neither shown nor thrown
     * away */
    tcsetattr(fd, TCSAFLUSH, &quiet);
    dprintf(fd, "passphrase of %s: ", file);
    ssize_t n = read(fd, out, (size_t)room);
    tcsetattr(fd, TCSAFLUSH, &old);
    dprintf(fd, "\n");
    close(fd);
    while (n > 0 && (out[n - 1] == '\n' || out[n - 1] == '\r'))
        n--;
    return (int)n;
}

static int on_passphrase(void *arg, const char *file, char *out, int room)
{
    const struct keys *k = arg;
    const char *how = k->passphrase, *value;
    if (!how)
        return -1;
    if (strncmp(how, "file:", 5) == 0)
        return line_of(how + 5, out, room);
    if (strcmp(how, "ask") == 0)
        return ask_terminal(file, out, room);
    value = getenv(how + 4); /* env: */
    if (!value || strlen(value) > (size_t)room)
        return -1;
    memcpy(out, value, strlen(value));
    return (int)strlen(value);
}

static int read_file(const char *path, char *out, size_t room, size_t *n)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return key_refused(path, strerror(errno));
    if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
        close(fd);
        return key_refused(path, "is not a file");
    }
    ssize_t got;
    *n = 0;
    while (*n < room && (got = read(fd, out + *n, room - *n)) > 0)
        *n += (size_t)got;
    close(fd);
    return *n == room ? key_refused(path, "is too long for a private key") : EXIT_DONE;
}

static int add_key(struct keys *k, const char *path, char *buffer)
{
    const char *why = "no memory";
    char name[NAME];
    size_t n;
    int code = read_file(path, buffer, KEY_BYTES, &n);
    if (code != EXIT_DONE)
        return code;
    struct tls_private *key = tls_private_read(slice_of(buffer, n), path, on_passphrase, k, &why);
    tls_wipe(buffer, n);
    if (!key)
        return key_refused(path, why);
    if (!tls_private_is_rsa(key))
        log_warn("%s: is no RSA key: no TLS connection can be read with it, only recognised", path);
    snprintf(name, sizeof name, "key %s", key_name(path));
    if (tls_keys_add(k->tls, key, name) == 0)
        return EXIT_DONE;
    tls_private_free(key);
    return key_refused(path, "is one key too many");
}

static int add_keys(struct keys *k, const struct text_list *files)
{
    int code = EXIT_DONE;
    char *buffer = files->n ? tls_secret_new(KEY_BYTES) : NULL;
    if (files->n && !buffer)
        return key_refused(files->items[0], "no memory that can be locked");
    for (unsigned i = 0; i < files->n && code == EXIT_DONE; i++)
        code = add_key(k, files->items[i], buffer);
    if (buffer)
        tls_secret_free(buffer, KEY_BYTES);
    return code;
}

/* ---- key logs ---- */

static int open_logs(struct keys *k, const struct text_list *files)
{
    int code = EXIT_DONE;
    k->logs = calloc(files->n + 1, sizeof *k->logs);
    k->buffer = tls_secret_new(KEYLOG_BUFFER);
    if (!k->logs || !k->buffer)
        return key_refused(files->n ? files->items[0] : "key logs", "no memory");
    bool open_end = k->live && files->n;
    for (; k->n_logs < files->n && code == EXIT_DONE; k->n_logs++) {
        code =
            keylog_open(k->tls, files->items[k->n_logs], k->live, k->buffer, &k->logs[k->n_logs]);
        open_end |= k->logs[k->n_logs].pipe && !k->logs[k->n_logs].ended;
    }
    tls_keys_set_growing(k->tls, open_end);
    return code;
}

void keys_follow(struct keys *k)
{
    if (!k || !tls_keys_growing(k->tls))
        return;
    bool open_end = k->live;
    for (unsigned i = 0; i < k->n_logs; i++) {
        struct keylog_file *g = &k->logs[i];
        if (k->live || (g->pipe && !g->ended))
            keylog_follow(k->tls, g, k->buffer);
        open_end |= g->pipe && !g->ended;
    }
    tls_keys_set_growing(k->tls, open_end);
}

static void on_secrets(void *arg, unsigned source, const char *name, struct slice piece, bool last)
{
    struct keys *k = arg;
    int *number = &k->embedded[source < EMBEDDED ? source : EMBEDDED - 1];
    if (!*number) {
        char text[NAME];
        snprintf(text, sizeof text, "key log in %s", key_name(name));
        *number = tls_keys_source(k->tls, text) + 1;
        keys_protect(k);
    }
    tls_keys_log(k->tls, *number - 1, piece, last);
}

void keys_fetch(struct keys *k, struct sources *s)
{
    if (k)
        sources_secrets(s, on_secrets, k);
}

/* ---- all ---- */

void keys_protect(const struct keys *k)
{
    struct rlimit none = {0, 0};
    if (!k || tls_keys_empty(k->tls))
        return;
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &none);
}

static void say(const struct keys *k)
{
    struct tls_keys_counts c;
    tls_keys_counts(k->tls, &c);
    if (tls_keys_empty(k->tls))
        return;
    if (c.unlocked)
        log_warn("keys could not all be locked into memory (ulimit -l): they may be swapped out");
    if (k->n_logs && !c.secrets && !tls_keys_growing(k->tls))
        log_warn("%s: no secret in %s", k->logs[0].path,
                 k->n_logs > 1 ? "this and the other key logs" : "it");
    if (c.bad_lines)
        log_warn("key logs: %llu damaged line%s passed over", (unsigned long long)c.bad_lines,
                 c.bad_lines == 1 ? "" : "s");
}

/* Programs that are started later (--on-failure) are not to find it. */
static void forget_passphrase(const char *how)
{
    if (!how || strncmp(how, "env:", 4) != 0)
        return;
    char *value = getenv(how + 4);
    if (value)
        explicit_bzero(value, strlen(value));
    (void)unsetenv(how + 4);
}

int keys_open(const struct settings *s, bool live, struct keys **out)
{
    struct keys *k = calloc(1, sizeof *k);
    if (k)
        k->tls = tls_keys_new();
    if (!k || !k->tls) {
        free(k);
        log_error("no memory");
        return EXIT_UNAVAILABLE;
    }
    k->passphrase = s->tls_passphrase;
    k->live = live;
    int code = add_keys(k, &s->tls_key);
    forget_passphrase(k->passphrase);
    if (code == EXIT_DONE)
        code = open_logs(k, &s->keylog);
    if (code != EXIT_DONE) {
        keys_close(k);
        return code;
    }
    keys_protect(k);
    say(k);
    *out = k;
    return EXIT_DONE;
}

void keys_close(struct keys *k)
{
    if (!k)
        return;
    for (unsigned i = 0; i < k->n_logs; i++)
        keylog_close(&k->logs[i]);
    if (k->buffer)
        tls_secret_free(k->buffer, KEYLOG_BUFFER);
    free(k->logs);
    tls_keys_free(k->tls);
    free(k);
}
