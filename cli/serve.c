/* serve: the database as pages and as an API, until SIGINT or SIGTERM. Runs as an ordinary user;
 * what root may need (a low port, a key) is done before it is given up. */
#include "cli/opened.h"
#include "cli/when.h"

#include "capture/log.h"
#include "capture/privs.h"
#include "report/site.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LISTEN_DEFAULT "127.0.0.1:8080"

enum { QUERY_S_DEFAULT = 5, TOKEN_LEAST = 16, FILE_MOST = 256 * 1024 };

#ifndef EW_VERSION
#define EW_VERSION "unknown"
#endif

static int when(const char *text, tick_t *from, tick_t *to)
{
    struct when w;
    if (when_parse(text, when_now(), &w) != 0)
        return -1;
    *from = w.from;
    *to = w.to > w.from ? w.to - TICK_US : w.to; /* a day ends before the next */
    return 0;
}

/* A small file as text; NULL after a message. */
static char *read_file(const char *what, const char *path)
{
    FILE *in = fopen(path, "r");
    char *text = in ? calloc(1, FILE_MOST + 1) : NULL;
    if (!text) {
        log_error("%s %s: %s", what, path, strerror(errno));
        if (in)
            fclose(in);
        return NULL;
    }
    size_t n = fread(text, 1, FILE_MOST, in);
    bool bad = ferror(in) || n == 0 || strlen(text) != n;
    fclose(in);
    if (!bad)
        return text;
    log_error("%s %s: %s", what, path, n ? "cannot be read" : "is empty");
    explicit_bzero(text, FILE_MOST);
    free(text);
    return NULL;
}

static char *read_token(const char *path)
{
    char *token = read_file("token", path);
    if (!token)
        return NULL;
    token[strcspn(token, "\r\n")] = 0;
    if (strlen(token) >= TOKEN_LEAST && strlen(token) < 500 && !strpbrk(token, " \t:"))
        return token;
    log_error("token %s: the first line is no word of %d to 500 characters; openssl rand -hex 24 "
              "makes one",
              path, TOKEN_LEAST);
    free(token);
    return NULL;
}

struct secrets {
    char *cert, *key, *token;
};

static void wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

static void secrets_free(struct secrets *x)
{
    wipe(x->cert);
    wipe(x->key);
    wipe(x->token);
}

static bool marked(const char *what, const char *path, const char *text, const char *mark)
{
    if (strstr(text, "-----BEGIN ") && strstr(text, mark))
        return true;
    log_error("%s %s: is not PEM with %s", what, path, mark);
    return false;
}

/* 0, or an exit code after a message. */
static int secrets_read(const struct settings *s, struct secrets *x)
{
    *x = (struct secrets){NULL, NULL, NULL};
    if ((s->cert != NULL) != (s->key != NULL)) {
        log_error("serve: --cert and --key belong together");
        return EXIT_USAGE;
    }
    if ((s->cert && !(x->cert = read_file("cert", s->cert))) ||
        (s->key && !(x->key = read_file("key", s->key))) ||
        (s->token_file && !(x->token = read_token(s->token_file))))
        return EXIT_CONFIG;
    if (s->cert && (!marked("cert", s->cert, x->cert, "CERTIFICATE") ||
                    !marked("key", s->key, x->key, "PRIVATE KEY")))
        return EXIT_CONFIG;
    return EXIT_DONE;
}

/* Others than this machine are let in only over TLS and with a token. */
static int check_open(const char *listen, const struct secrets *x)
{
    char addr[HTTP_PEER];
    uint16_t port;
    if (!http_listen_parse(listen, addr, &port)) {
        log_error("serve: --listen %s is not ADDR:PORT or [ADDR]:PORT", listen);
        return EXIT_USAGE;
    }
    if (http_is_loopback(addr) || (x->cert && x->token))
        return EXIT_DONE;
    log_error("serve: %s can be reached from other machines: this needs --cert, --key and "
              "--token-file",
              listen);
    return EXIT_CONFIG;
}

/* Told at once, though the pages tell it as well: the database may come later. */
static void look_at_database(const struct settings *s)
{
    char why[512];
    struct query_db *db;
    if (query_open(s->db, &db, why, sizeof why) == DB_OK)
        query_close(db);
    else
        log_warn("%s; the pages say so until it is there", why);
}

static int wait_for_end(struct http_server *server, const sigset_t *ends)
{
    char why[256];
    int got;
    if (http_run(server, why, sizeof why) != 0) {
        log_error("%s", why);
        return EXIT_UNAVAILABLE;
    }
    log_info("%s  (Ctrl-C ends)", http_url(server));
    while (sigwait(ends, &got) == EINTR)
        ;
    return EXIT_DONE;
}

static int answer(const struct settings *s, const char *listen, const struct secrets *x,
                  struct site *site)
{
    char why[256], denied_why[PRIVS_TEXT];
    bool denied;
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL); /* threads inherit it: the signal comes to us */
    signal(SIGPIPE, SIG_IGN);
    struct http_server *server = http_bind(&(struct http_options){.listen = listen,
                                                                  .cert = x->cert,
                                                                  .key = x->key,
                                                                  .headers = site_headers,
                                                                  .handler = site_answer,
                                                                  .ctx = site},
                                           &denied, why, sizeof why);
    if (!server) {
        log_error("%s", why);
        return denied ? EXIT_PERMISSION : EXIT_UNAVAILABLE;
    }
    int code = EXIT_PERMISSION;
    if (privs_drop(s->serve_account, denied_why) != 0) {
        log_error("%s", denied_why);
    } else {
        look_at_database(s);
        code = wait_for_end(server, &ends);
    }
    http_stop(server);
    return code;
}

int serve_run(const struct command *self, const struct settings *s, int argc, char **argv)
{
    (void)self, (void)argc, (void)argv;
    /* Each connection has a thread, and any of them may make a page: what it took goes back to the
     * system, instead of staying with each thread's part of the heap. Fixed, else glibc raises it.
     */
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_ARENA_MAX, 2);
    const char *listen = s->listen ? s->listen : LISTEN_DEFAULT;
    struct secrets x;
    int code = secrets_read(s, &x);
    if (code == EXIT_DONE)
        code = check_open(listen, &x);
    if (code == EXIT_DONE) {
        char addr[HTTP_PEER];
        uint16_t port;
        http_listen_parse(listen, addr, &port);
        struct site_options o = {
            .db = s->db,
            .token = x.token,
            .hosts = s->host.items,
            .n_hosts = s->host.n,
            .any_host = !http_is_loopback(addr),
            .query_ms = (s->query_seconds ? s->query_seconds : QUERY_S_DEFAULT) * 1000,
            .version = EW_VERSION,
            .when = when,
        };
        struct site *site = site_new(&o);
        if (site)
            code = answer(s, listen, &x, site);
        else
            log_error("out of memory"), code = EXIT_UNAVAILABLE;
        site_free(site);
    }
    secrets_free(&x);
    return code;
}
