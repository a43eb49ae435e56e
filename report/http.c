/* The server, through libmicrohttpd. */
#include "report/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Stacks of threads: a page is written into memory, tables of a story lie on the heap. */
enum { STACK = 512 * 1024, URL = 96, BACKLOG = 128, TARGET = 4096 };

struct http_body {
    atomic_int users;
    size_t n;
    char *text;
};

struct http_server {
    struct http_options o;
    int fd;
    struct MHD_Daemon *daemon;
    char url[URL];
};

/* ---- bodies ---- */

struct http_body *http_body_new(char *text, size_t n)
{
    struct http_body *b = text ? malloc(sizeof *b) : NULL;
    if (!b) {
        free(text);
        return NULL;
    }
    *b = (struct http_body){.n = n, .text = text};
    atomic_init(&b->users, 1);
    return b;
}

struct http_body *http_body_keep(struct http_body *b)
{
    atomic_fetch_add(&b->users, 1);
    return b;
}

void http_body_drop(struct http_body *b)
{
    if (!b || atomic_fetch_sub(&b->users, 1) != 1)
        return;
    free(b->text);
    free(b);
}

size_t http_body_size(const struct http_body *b)
{
    return b->n;
}

static void body_dropped(void *b)
{
    http_body_drop(b);
}

/* ---- requests ---- */

const char *http_arg(const struct http_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *http_header(const struct http_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

struct each_arg {
    http_each *each;
    void *ctx;
};

static enum MHD_Result one_arg(void *cls, enum MHD_ValueKind kind, const char *name,
                               const char *value)
{
    const struct each_arg *e = cls;
    (void)kind;
    e->each(e->ctx, name, value ? value : "");
    return MHD_YES;
}

void http_args(const struct http_request *r, http_each *each, void *ctx)
{
    struct each_arg e = {each, ctx};
    MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, one_arg, &e);
}

bool http_password(const struct http_request *r, char *out, size_t room)
{
    char *password = NULL, *user = MHD_basic_auth_get_username_password(r->connection, &password);
    bool any = password && strlen(password) < room;
    if (any)
        strcpy(out, password);
    MHD_free(password);
    MHD_free(user);
    return any;
}

static void peer_of(struct MHD_Connection *c, char out[HTTP_PEER])
{
    const union MHD_ConnectionInfo *i =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *a = i ? i->client_addr : NULL;
    snprintf(out, HTTP_PEER, "?");
    if (a && a->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, out,
                  HTTP_PEER);
    else if (a && a->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, out,
                  HTTP_PEER);
}

/* ---- replies ---- */

void http_reply_header(struct http_reply *r, const char *name, const char *fmt, ...)
{
    va_list args;
    if (r->n_headers == HTTP_HEADERS)
        return;
    r->headers[r->n_headers].name = name;
    va_start(args, fmt);
    vsnprintf(r->headers[r->n_headers].value, sizeof r->headers[0].value, fmt, args);
    va_end(args);
    r->n_headers++;
}

static enum MHD_Result send_reply(const struct http_server *s, struct MHD_Connection *c,
                                  const struct http_reply *reply)
{
    struct http_body *b = reply->body;
    struct MHD_Response *r =
        b ? MHD_create_response_from_buffer_with_free_callback_cls(b->n, b->text, body_dropped, b)
          : NULL;
    if (!r) {
        http_body_drop(b);
        return MHD_NO; /* no memory: the connection closes */
    }
    for (const char *const *h = s->o.headers; h && h[0]; h += 2)
        MHD_add_response_header(r, h[0], h[1]);
    for (unsigned i = 0; i < reply->n_headers; i++)
        MHD_add_response_header(r, reply->headers[i].name, reply->headers[i].value);
    enum MHD_Result sent = MHD_queue_response(c, (unsigned)reply->status, r);
    MHD_destroy_response(r);
    return sent;
}

/* Called first with the head alone: a body is refused by answering before it is read. */
static enum MHD_Result answer(void *cls, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_n, void **req)
{
    const struct http_server *s = cls;
    struct http_request request = {
        .method = method, .path = url, .target = *req ? *req : "", .connection = c};
    struct http_reply reply = {.status = 500};
    (void)version, (void)upload, (void)upload_n;
    peer_of(c, request.peer);
    s->o.handler(s->o.ctx, &request, &reply);
    return send_reply(s, c, &reply);
}

static void *keep_target(void *cls, const char *uri, struct MHD_Connection *c)
{
    (void)cls, (void)c;
    return strndup(uri, TARGET);
}

static void request_done(void *cls, struct MHD_Connection *c, void **req,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls, (void)c, (void)code;
    free(*req);
    *req = NULL;
}

/* MHD's own complaints (a peer that hangs up, a bad TLS hello) are nobody's news. */
static void __attribute__((format(printf, 2, 0)))
say_nothing(void *cls, const char *fmt, va_list args)
{
    (void)cls, (void)fmt, (void)args;
}

/* ---- where ---- */

bool http_listen_parse(const char *text, char addr[HTTP_PEER], uint16_t *port)
{
    const char *colon = strrchr(text, ':'), *end = colon;
    char *rest;
    if (!colon || colon[1] < '0' || colon[1] > '9')
        return false;
    unsigned long n = strtoul(colon + 1, &rest, 10);
    if (*rest || n > 65535)
        return false;
    if (*text == '[') {
        text++;
        if (--end <= text || *end != ']')
            return false;
    }
    size_t length = (size_t)(end - text);
    unsigned char bytes[16];
    if (length == 0 || length >= HTTP_PEER)
        return false;
    memcpy(addr, text, length);
    addr[length] = 0;
    *port = (uint16_t)n;
    return inet_pton(strchr(addr, ':') ? AF_INET6 : AF_INET, addr, bytes) == 1;
}

bool http_is_loopback(const char *addr)
{
    return strncmp(addr, "127.", 4) == 0 || strcmp(addr, "::1") == 0;
}

static socklen_t address(const char *addr, uint16_t port, struct sockaddr_storage *out)
{
    *out = (struct sockaddr_storage){0};
    if (strchr(addr, ':')) {
        struct sockaddr_in6 *a = (void *)out;
        a->sin6_family = AF_INET6;
        a->sin6_port = htons(port);
        inet_pton(AF_INET6, addr, &a->sin6_addr);
        return sizeof *a;
    }
    struct sockaddr_in *a = (void *)out;
    a->sin_family = AF_INET;
    a->sin_port = htons(port);
    inet_pton(AF_INET, addr, &a->sin_addr);
    return sizeof *a;
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    if (getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        return 0;
    return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&a)->sin6_port
                                         : ((struct sockaddr_in *)(void *)&a)->sin_port);
}

/* The socket, or -1 with errno. */
static int open_socket(const char *addr, uint16_t port)
{
    struct sockaddr_storage a;
    socklen_t n = address(addr, port, &a);
    int on = 1, fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (a.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&a, n) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int failed = errno;
    close(fd);
    errno = failed;
    return -1;
}

struct http_server *http_bind(const struct http_options *o, bool *denied, char *why, size_t room)
{
    char addr[HTTP_PEER];
    uint16_t port;
    *denied = false;
    if (!http_listen_parse(o->listen, addr, &port)) {
        snprintf(why, room, "%s: is not ADDR:PORT", o->listen);
        return NULL;
    }
    struct http_server *s = calloc(1, sizeof *s);
    int fd = s ? open_socket(addr, port) : -1;
    if (fd < 0) {
        *denied = s && errno == EACCES;
        snprintf(why, room, "%s: %s", o->listen, s ? strerror(errno) : "out of memory");
        free(s);
        return NULL;
    }
    s->o = *o;
    s->fd = fd;
    snprintf(s->url, sizeof s->url, strchr(addr, ':') ? "%s://[%s]:%u/" : "%s://%s:%u/",
             o->cert ? "https" : "http", addr, bound_port(fd));
    return s;
}

const char *http_url(const struct http_server *s)
{
    return s->url;
}

int http_run(struct http_server *s, char *why, size_t room)
{
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
                     MHD_USE_POLL | MHD_USE_ERROR_LOG | (s->o.cert ? MHD_USE_TLS : 0);
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)s->o.cert},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)s->o.key},
        {MHD_OPTION_END, 0, NULL},
    };
    s->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, answer, s, MHD_OPTION_EXTERNAL_LOGGER, say_nothing, NULL,
        MHD_OPTION_LISTEN_SOCKET, s->fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HTTP_REQUEST, MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK,
        MHD_OPTION_URI_LOG_CALLBACK, keep_target, NULL, MHD_OPTION_NOTIFY_COMPLETED, request_done,
        NULL, MHD_OPTION_ARRAY, s->o.cert ? tls : tls + 2, MHD_OPTION_END);
    if (s->daemon)
        return 0;
    snprintf(why, room, "%s: the server does not start%s", s->url,
             s->o.cert ? "; do the certificate and its key belong together?" : "");
    return -1;
}

void http_stop(struct http_server *s)
{
    if (!s)
        return;
    if (s->daemon)
        MHD_stop_daemon(s->daemon); /* closes the socket, too */
    else
        close(s->fd);
    free(s);
}
