/*
 * The door to libmicrohttpd: a server for GET and HEAD that answers from memory. It knows nothing
 * of what it serves.
 *
 * A thread per connection, so that one slow answer keeps nobody else waiting; connections, the size
 * of a request and the time it may take to arrive are bounded.
 */
#ifndef EW_REPORT_HTTP_H
#define EW_REPORT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_CONNECTIONS = 256,   /* at once; more wait in the kernel's queue */
    HTTP_REQUEST = 16 * 1024, /* bytes of a request's head (and of what MHD keeps beside it) */
    HTTP_IDLE_S = 15,         /* without a byte */
    HTTP_HEADERS = 6,
    HTTP_PEER = 64,
};

/* Bytes that a reply and a cache share. The last http_body_drop() frees them. */
struct http_body;
/* Takes text over (malloc). NULL without memory, and text is freed. */
struct http_body *http_body_new(char *text, size_t n);
struct http_body *http_body_keep(struct http_body *b);
void http_body_drop(struct http_body *b); /* NULL is fine */
size_t http_body_size(const struct http_body *b);

/* Lent for the call of the handler. */
struct http_request {
    const char *method; /* "GET", or what else somebody tried */
    const char *path;   /* decoded, without the query */
    const char *target; /* path and query as they came */
    char peer[HTTP_PEER];
    void *connection;
};
/* The query's parameter, decoded; NULL if there is none. The first, if there are several. */
const char *http_arg(const struct http_request *r, const char *name);
const char *http_header(const struct http_request *r, const char *name);
/* Goes through the query's parameters. */
typedef void http_each(void *ctx, const char *name, const char *value);
void http_args(const struct http_request *r, http_each *each, void *ctx);
/* The password of basic authentication into out; false if there is none. */
bool http_password(const struct http_request *r, char *out, size_t room);

struct http_reply {
    int status;
    struct http_body *body; /* given to the server */
    struct {
        const char *name;
        char value[512];
    } headers[HTTP_HEADERS];
    unsigned n_headers;
};
__attribute__((format(printf, 3, 4))) void http_reply_header(struct http_reply *r, const char *name,
                                                             const char *fmt, ...);

/* Called by many threads at once. */
typedef void http_handler(void *ctx, const struct http_request *request, struct http_reply *reply);

struct http_options {
    const char *listen;     /* "127.0.0.1:8080", "[::1]:0" */
    const char *cert, *key; /* PEM texts; NULL: no TLS */
    /* headers of every reply: name, value, ..., NULL */
    const char *const *headers;
    http_handler *handler;
    void *ctx;
};

/* Reads "ADDR:PORT" or "[ADDR]:PORT". False if it is none. */
bool http_listen_parse(const char *text, char addr[HTTP_PEER], uint16_t *port);
/* Is the address of that text one of this machine only? */
bool http_is_loopback(const char *addr);

/* Binds; http_run() then answers. Two steps, so that root can be given up in between. NULL with a
 * reason; *denied: no permission for the port. */
struct http_server *http_bind(const struct http_options *o, bool *denied, char *why, size_t room);
/* 0, or -1 with a reason. Returns at once; threads of its own answer. */
int http_run(struct http_server *s, char *why, size_t room);
/* "http://127.0.0.1:8080/" */
const char *http_url(const struct http_server *s);
void http_stop(struct http_server *s); /* NULL is fine */

#endif
