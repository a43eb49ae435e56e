/*
 * SDN messages by HTTP POST, to any path, as the SDN Manager of Skype for Business sends them; with
 * TLS and a token if wanted. One request is one frame, whatever number of messages it holds; what
 * they say is the engine's business (flows/feeds.c).
 *
 * libmicrohttpd parses HTTP, inside this source's thread. Requests are bounded in size, number and
 * patience.
 */
#include "capture/feed_inner.h"
#include "capture/patience.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SDN_PER_SENDER = 16,
    SDN_SILENT_S = 15,
    SDN_HEAD_MAX = 32 << 10,
    SDN_FILE_MAX = 64 << 10,
    SDN_TOKEN_MIN = 8,
    SDN_PIECE = 4096,
};

struct sdn {
    struct MHD_Daemon *daemon;
    struct feed *feed;
    char *token; /* NULL = none asked for */
    struct patience patience;
};

_Static_assert((int)PATIENCE_CONNECTIONS >= (int)FEED_CONNECTIONS, "each is watched");

/* A request under way. */
struct request {
    int64_t begun;
    size_t n, room;
    uint8_t *body;
    unsigned refused; /* its status, 0 = fine so far */
};

/* ---- requests ---- */

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (!r)
        return MHD_NO;
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, MHD_HTTP_METHOD_POST);
    if (status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    enum MHD_Result result = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return result;
}

/* Takes as long for a wrong token as for the right one. */
static bool same_token(const char *got, const char *want)
{
    size_t n = strlen(want);
    unsigned char differs = strlen(got) != n;
    for (size_t i = 0; i < n && *got; i++, got += got[1] != 0)
        differs |= (unsigned char)(*got ^ want[i]);
    return !differs && n;
}

static bool allowed(const struct sdn *h, struct MHD_Connection *c)
{
    static const char bearer[] = "Bearer ";
    const char *head =
        MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    const char *query = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "token");
    if (!h->token)
        return true;
    if (head && strncasecmp(head, bearer, sizeof bearer - 1) == 0)
        return same_token(head + sizeof bearer - 1, h->token);
    return query && same_token(query, h->token);
}

static enum MHD_Result request_begin(const struct sdn *h, struct MHD_Connection *c,
                                     const char *method, void **state)
{
    struct request *r = calloc(1, sizeof *r);
    if (!r)
        return MHD_NO;
    r->begun = feed_clock_ms();
    if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
        r->refused = MHD_HTTP_METHOD_NOT_ALLOWED;
    else if (!allowed(h, c))
        r->refused = MHD_HTTP_UNAUTHORIZED;
    *state = r;
    return MHD_YES;
}

static void request_grow(struct request *r, const char *piece, size_t n)
{
    if (r->n + n > FEED_MESSAGE_MAX) {
        r->refused = MHD_HTTP_CONTENT_TOO_LARGE;
        return;
    }
    while (r->n + n > r->room) {
        size_t room = r->room ? r->room * 2 : SDN_PIECE;
        uint8_t *more = realloc(r->body, room);
        if (!more) {
            r->refused = MHD_HTTP_SERVICE_UNAVAILABLE;
            return;
        }
        r->body = more;
        r->room = room;
    }
    memcpy(r->body + r->n, piece, n);
    r->n += n;
}

static enum MHD_Result request_end(struct sdn *h, struct MHD_Connection *c, struct request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct sockaddr_storage from = {0};
    if (info && info->client_addr)
        memcpy(&from, info->client_addr,
               info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                        : sizeof(struct sockaddr_in));
    struct endpoint sender = feed_sender(&from);
    if (r->refused)
        feed_garbage(h->feed);
    else if (!feed_put(h->feed, &sender, slice_of(r->body, r->n)))
        r->refused = MHD_HTTP_SERVICE_UNAVAILABLE;
    return answer(c, r->refused ? r->refused : MHD_HTTP_OK);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *piece,
                                  size_t *n, void **state)
{
    struct sdn *h = arg;
    struct request *r = *state;
    (void)url, (void)version;
    if (!r)
        return request_begin(h, c, method, state);
    if (feed_clock_ms() - r->begun > FEED_SLOW_S * 1000) {
        return MHD_NO; /* a drop at a time keeps the inactivity timeout away */
    }
    if (*n == 0)
        return request_end(h, c, r);
    if (!r->refused)
        request_grow(r, piece, *n);
    *n = 0;
    return MHD_YES;
}

static void on_over(void *arg, struct MHD_Connection *c, void **state,
                    enum MHD_RequestTerminationCode why)
{
    struct sdn *h = arg;
    struct request *r = *state;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info)
        patience_answered(&h->patience, (int)(intptr_t)info->socket_context - 1, feed_clock_ms());
    if (!r)
        return;
    if (why != MHD_REQUEST_TERMINATED_COMPLETED_OK && why != MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN)
        feed_garbage(h->feed); /* too slow, or gone in the middle */
    free(r->body);
    free(r);
    *state = NULL;
}

/* The head of a request can drip, too. Its place goes into the connection's own context, from 1. */
static void on_connection(void *arg, struct MHD_Connection *c, void **own,
                          enum MHD_ConnectionNotificationCode what)
{
    struct sdn *h = arg;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (what == MHD_CONNECTION_NOTIFY_CLOSED)
        patience_closed(&h->patience, (int)(intptr_t)*own - 1);
    else if (info)
        *own =
            (void *)(intptr_t)(patience_connected(&h->patience, info->connect_fd, feed_clock_ms()) +
                               1);
}

/* ---- the thread ---- */

static void sdn_run(struct source *src)
{
    struct feed *f = src->feed;
    struct sdn *h = f->own;
    h->feed = f;
    while (!sources_stopping(src->owner)) {
        MHD_run_wait(h->daemon, SOURCE_POLL_MS);
        patience_cut(&h->patience, feed_clock_ms());
        feed_flush(f);
    }
    MHD_run_wait(h->daemon, 0);
    feed_flush(f);
}

static void wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

static void sdn_free(void *own)
{
    struct sdn *h = own;
    if (h->daemon)
        MHD_stop_daemon(h->daemon);
    wipe(h->token);
    patience_end(&h->patience);
    free(h);
}

/* ---- opening ---- */

/* The text of a file of at most SDN_FILE_MAX bytes; NULL with errno. */
static char *read_file(const char *path)
{
    char *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size <= SDN_FILE_MAX)
        text = calloc(1, (size_t)st.st_size + 1);
    else
        errno = EINVAL;
    if (text && read(fd, text, (size_t)st.st_size) != st.st_size) {
        wipe(text);
        text = NULL;
    }
    close(fd);
    return text;
}

static enum source_error bad_file(struct sources *s, const char *path)
{
    return sources_fail(s, SOURCE_BAD_FILE, "%s: %s", path,
                        errno == EINVAL ? "is empty, too long or no file" : strerror(errno));
}

static enum source_error read_token(struct sources *s, const char *path, struct sdn *h)
{
    h->token = read_file(path);
    if (!h->token)
        return bad_file(s, path);
    h->token[strcspn(h->token, "\r\n")] = 0;
    if (strlen(h->token) < SDN_TOKEN_MIN)
        return sources_fail(s, SOURCE_BAD_FILE, "%s: a token has %d characters at least", path,
                            SDN_TOKEN_MIN);
    return SOURCE_OK;
}

static struct MHD_Daemon *open_daemon(struct sdn *h, int fd, char *cert, char *key)
{
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, cert},
                                   {MHD_OPTION_HTTPS_MEM_KEY, 0, key},
                                   {MHD_OPTION_END, 0, NULL}};
    return MHD_start_daemon(
        MHD_USE_EPOLL | (cert ? MHD_USE_TLS : 0U), 0, NULL, NULL, on_request, h,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_over, h,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)FEED_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)SDN_PER_SENDER,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SDN_SILENT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)SDN_HEAD_MAX, MHD_OPTION_ARRAY, cert ? tls : &tls[2], MHD_OPTION_END);
}

static enum source_error open_server(struct sources *s, const struct feed_sdn *how,
                                     const struct endpoint *at, struct sdn *h)
{
    enum source_error e = how->token ? read_token(s, how->token, h) : SOURCE_OK;
    char *cert = e == SOURCE_OK && how->cert ? read_file(how->cert) : NULL;
    if (e == SOURCE_OK && how->cert && !cert)
        e = bad_file(s, how->cert);
    char *key = cert ? read_file(how->key) : NULL;
    if (cert && !key)
        e = bad_file(s, how->key);
    int fd = e == SOURCE_OK ? feed_socket(SOCK_STREAM, at) : -1;
    if (e == SOURCE_OK && fd < 0)
        e = feed_not_opened(s, "sdn", how->listen);
    h->daemon = fd >= 0 ? open_daemon(h, fd, cert, key) : NULL;
    if (fd >= 0 && !h->daemon) {
        close(fd);
        e = cert ? sources_fail(s, SOURCE_BAD_FILE, "%s, %s: are no certificate and its key",
                                how->cert, how->key)
                 : sources_fail(s, SOURCE_NO_MEMORY, "sdn %s: cannot start", how->listen);
    }
    wipe(key);
    free(cert);
    return e;
}

enum source_error sources_add_sdn(struct sources *s, const struct feed_sdn *how)
{
    struct endpoint at;
    char place[ENDPOINT_TEXT];
    if (!feed_listen_parse(how->listen, &at))
        return sources_fail(s, SOURCE_NO_INTERFACE, "sdn %s: is no ADDR:PORT", how->listen);
    struct sdn *h = calloc(1, sizeof *h);
    if (!h)
        return sources_fail(s, SOURCE_NO_MEMORY, "sdn %s: out of memory", how->listen);
    patience_begin(&h->patience, FEED_SLOW_S * 1000);
    enum source_error e = open_server(s, how, &at, h);
    if (e != SOURCE_OK) {
        sdn_free(h);
        return e;
    }
    endpoint_text(&at, place);
    return feed_add(s, "sdn", addr_none(&at.addr) ? how->listen : place, LINKTYPE_FEED_SDN, sdn_run,
                    h, sdn_free)
               ? SOURCE_OK
               : SOURCE_NO_MEMORY;
}
