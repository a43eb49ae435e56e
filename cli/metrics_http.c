/* The server that hands out metrics: one thread, GET /metrics, nothing else. */
#include "cli/metrics.h"

#include "capture/feed.h"
#include "capture/patience.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* SLOW_MS: from the connect, or the last answer, to the next. All places taken by connections that
 * drip delay a scrape by no more than that. */
enum { CONNECTIONS = 8, SILENT_S = 10, SLOW_MS = 4000, HEAD_MAX = 16 << 10 };

struct metrics {
    int fd; /* until the server has it */
    struct MHD_Daemon *daemon;
    pthread_mutex_t lock;
    char *text;
    struct patience patience;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct metrics *metrics_open(const char *listen, char *why, size_t room)
{
    struct metrics *m = calloc(1, sizeof *m);
    struct endpoint at;
    if (!m || !feed_listen_parse(listen, &at)) {
        snprintf(why, room, "metrics %s: %s", listen, m ? "is no ADDR:PORT" : "no memory");
        free(m);
        return NULL;
    }
    pthread_mutex_init(&m->lock, NULL);
    patience_begin(&m->patience, SLOW_MS);
    m->fd = feed_listen(&at);
    if (m->fd >= 0)
        return m;
    snprintf(why, room, "metrics %s: %s", listen, strerror(errno));
    metrics_close(m);
    return NULL;
}

static struct MHD_Response *response_of(struct metrics *m, const char *method, const char *url,
                                        unsigned *status)
{
    static char none[] = "";
    char *text = NULL;
    bool get =
        strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    if (get && strcmp(url, "/metrics") == 0) {
        pthread_mutex_lock(&m->lock);
        text = m->text ? strdup(m->text) : NULL;
        pthread_mutex_unlock(&m->lock);
        *status = text ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
    } else {
        *status = get ? MHD_HTTP_NOT_FOUND : MHD_HTTP_METHOD_NOT_ALLOWED;
    }
    struct MHD_Response *r =
        text ? MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE)
             : MHD_create_response_from_buffer(0, none, MHD_RESPMEM_PERSISTENT);
    if (r)
        MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE,
                                "text/plain; version=0.0.4; charset=utf-8");
    return r;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *piece,
                                  size_t *n, void **state)
{
    unsigned status;
    (void)version, (void)piece, (void)state;
    if (*n) { /* a body that nobody asked for */
        *n = 0;
        return MHD_NO;
    }
    struct MHD_Response *r = response_of(arg, method, url, &status);
    if (!r)
        return MHD_NO;
    enum MHD_Result result = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return result;
}

/* Its place goes into the connection's own context, counted from 1. */
static void on_connection(void *arg, struct MHD_Connection *c, void **own,
                          enum MHD_ConnectionNotificationCode what)
{
    struct metrics *m = arg;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (what == MHD_CONNECTION_NOTIFY_CLOSED)
        patience_closed(&m->patience, (int)(intptr_t)*own - 1);
    else if (info)
        *own = (void *)(intptr_t)(patience_connected(&m->patience, info->connect_fd, now_ms()) + 1);
}

static void on_answered(void *arg, struct MHD_Connection *c, void **state,
                        enum MHD_RequestTerminationCode why)
{
    struct metrics *m = arg;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    (void)state, (void)why;
    if (info)
        patience_answered(&m->patience, (int)(intptr_t)info->socket_context - 1, now_ms());
}

/* Signals are the main thread's: the server's is started with all of them blocked. */
int metrics_start(struct metrics *m)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    m->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL, 0, NULL, NULL, on_request, m,
        MHD_OPTION_LISTEN_SOCKET, m->fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, m, MHD_OPTION_NOTIFY_COMPLETED, on_answered, m,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEAD_MAX, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!m->daemon)
        return -1;
    m->fd = -1;
    return 0;
}

void metrics_set(struct metrics *m, const struct metrics_view *v)
{
    patience_cut(&m->patience, now_ms());
    char *text = metrics_text(v);
    if (!text) /* the old one says what it said */
        return;
    pthread_mutex_lock(&m->lock);
    char *old = m->text;
    m->text = text;
    pthread_mutex_unlock(&m->lock);
    free(old);
}

void metrics_close(struct metrics *m)
{
    if (!m)
        return;
    if (m->daemon)
        MHD_stop_daemon(m->daemon);
    if (m->fd >= 0)
        close(m->fd);
    patience_end(&m->patience);
    pthread_mutex_destroy(&m->lock);
    free(m->text);
    free(m);
}
