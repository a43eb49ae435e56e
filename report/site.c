/* Who may ask, and which page answers. */
#include "report/site.h"

#include "report/cache.h"
#include "report/handles.h"
#include "report/html.h"
#include "report/limiter.h"
#include "report/web.h"

#include <stdlib.h>
#include <string.h>

/* Nothing but what comes from here, no frames around it, no forms to elsewhere. */
const char *const site_headers[] = {
    "Content-Security-Policy",
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options",
    "nosniff",
    "Referrer-Policy",
    "no-referrer",
    "X-Frame-Options",
    "DENY",
    "Cross-Origin-Opener-Policy",
    "same-origin",
    "Cross-Origin-Resource-Policy",
    "same-origin",
    "Permissions-Policy",
    "camera=(), geolocation=(), microphone=()",
    NULL,
};

__asm__(".section .rodata\n"
        ".global site_script_text\n"
        "site_script_text:\n"
        ".incbin \"report/site.js\"\n"
        ".byte 0\n"
        ".global site_style_text\n"
        "site_style_text:\n"
        ".incbin \"report/site.css\"\n"
        ".byte 0\n"
        ".previous\n");
extern const char site_script_text[], site_style_text[];

struct site {
    const struct site_options *o;
    struct cache *cache;
    struct handles *handles;
    struct limiter *limiter;
};

struct site *site_new(const struct site_options *o)
{
    struct site *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    *s = (struct site){o, cache_new(), handles_new(o->db, o->query_ms), limiter_new()};
    if (s->cache && s->handles && s->limiter)
        return s;
    site_free(s);
    return NULL;
}

void site_free(struct site *s)
{
    if (!s)
        return;
    cache_free(s->cache);
    handles_free(s->handles);
    limiter_free(s->limiter);
    free(s);
}

/* ---- routes ---- */

#define HTML "text/html; charset=utf-8"
#define CSV "text/csv; charset=utf-8; header=present"
#define JSON "application/json; charset=utf-8"

static const struct route {
    const char *path; /* ends with '/': what follows is for the answer */
    web_fn *answer;
    const char *type;
    bool no_db;
} routes[] = {
    {"/", web_overview, HTML, false},
    {"/failures", web_failures, HTML, false},
    {"/failures/", web_failure, HTML, false},
    {"/failures.csv", web_csv, CSV, false},
    {"/calls", web_calls, HTML, false},
    {"/calls.csv", web_csv, CSV, false},
    {"/calls/", web_call, HTML, false},
    {"/partners", web_partners, HTML, false},
    {"/health", web_health, HTML, false},
    {"/decode", web_decode, HTML, true},
    {"/api/openapi.json", web_api_description, JSON, true},
    {"/api/decode", web_api_decode, JSON, true},
    {"/api/summary", web_api_summary, JSON, false},
    {"/api/partners", web_api_partners, JSON, false},
    {"/api/failures/", web_api_failure, JSON, false},
    {"/api/", web_api_list, JSON, false},
};

static const struct route *find(const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        size_t n = strlen(routes[i].path);
        bool more = n > 1 && routes[i].path[n - 1] == '/';
        if (more ? strncmp(routes[i].path, path, n) == 0 && path[n]
                 : strcmp(routes[i].path, path) == 0)
            return &routes[i];
    }
    return NULL;
}

/* ---- who may ask ---- */

static bool is_host(const char *host, size_t n, const char *name)
{
    return strlen(name) == n && strncasecmp(host, name, n) == 0;
}

/* A page elsewhere may make its own name point here and read what it gets, unless we insist on
 * ours: DNS rebinding. */
static bool host_is_ours(const struct site_options *o, const char *host)
{
    static const char *const ours[] = {"localhost", "127.0.0.1", "[::1]"};
    const char *colon = host && *host != '[' ? strchr(host, ':') : host ? strstr(host, "]:") : NULL;
    size_t n = !host ? 0 : colon ? (size_t)(colon - host) + (*host == '[') : strlen(host);
    if (o->any_host)
        return true;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (n && is_host(host, n, ours[i]))
            return true;
    for (unsigned i = 0; i < o->n_hosts; i++)
        if (n && is_host(host, n, o->hosts[i]))
            return true;
    return false;
}

/* In a time that tells nothing about where they differ. */
static bool same_text(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    unsigned differ = n != m;
    for (size_t i = 0; i < n; i++)
        differ |= (unsigned char)a[i] ^ (unsigned char)b[m ? i % m : 0];
    return differ == 0;
}

static bool has_token(const struct site_options *o, const struct http_request *r)
{
    char password[512];
    const char *header = http_header(r, "Authorization");
    if (!o->token)
        return true;
    if (header && strncasecmp(header, "Bearer ", 7) == 0)
        return same_text(o->token, header + 7 + strspn(header + 7, " "));
    return http_password(r, password, sizeof password) && same_text(o->token, password);
}

/* 0, or the status of the refusal. */
static int admit(struct site *s, const struct http_request *r, struct web *w,
                 struct http_reply *reply)
{
    if (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0) {
        http_reply_header(reply, "Allow", "GET, HEAD");
        return web_fail(w, 405, "Nothing can be changed here: GET and HEAD only.");
    }
    if (!host_is_ours(s->o, http_header(r, "Host")))
        return web_fail(w, 421,
                        "This server answers to localhost and 127.0.0.1 only; edgewatch serve "
                        "--host NAME adds a name.");
    if (s->o->token && !limiter_may_try(s->limiter, r->peer))
        return web_fail(w, 429, "Too many wrong tokens from this address; wait a minute.");
    if (has_token(s->o, r))
        return 0;
    if (http_header(r, "Authorization"))
        limiter_tried(s->limiter, r->peer);
    http_reply_header(reply, "WWW-Authenticate", "Basic realm=\"edgewatch\", charset=\"UTF-8\"");
    return web_fail(w, 401, "Give the token as the password, or as Authorization: Bearer.");
}

/* ---- making an answer ---- */

static bool is_api(const struct http_request *r)
{
    return strncmp(r->path, "/api/", 5) == 0;
}

/* What went wrong, as a page or as JSON. */
static void refuse(struct web *w, int status, struct http_reply *reply)
{
    char *text = NULL;
    size_t n = 0;
    bool api = is_api(w->request);
    w->out = open_memstream(&text, &n);
    if (!w->out)
        return;
    web_error(w, status, api);
    fclose(w->out);
    reply->status = status;
    reply->body = http_body_new(text, n);
    http_reply_header(reply, "Content-Type", "%s", api ? JSON : HTML);
    http_reply_header(reply, "Cache-Control", "no-store");
    if (status == 429 || status == 503)
        http_reply_header(reply, "Retry-After", "5");
}

static void send_page(const struct cached *page, struct http_reply *reply)
{
    reply->status = page->status;
    reply->body = page->body;
    http_reply_header(reply, "Content-Type", "%s", page->head.type);
    http_reply_header(reply, "Cache-Control", "private, no-cache");
    if (*page->head.disposition)
        http_reply_header(reply, "Content-Disposition", "attachment; filename=\"%s\"",
                          page->head.disposition);
}

/* One text behind another. */
static void send_fixed(const char *text, const char *more, const char *type,
                       struct http_reply *reply)
{
    size_t n = strlen(text) + strlen(more);
    char *both = malloc(n + 1);
    if (both)
        stpcpy(stpcpy(both, text), more);
    reply->status = 200;
    reply->body = http_body_new(both, n);
    http_reply_header(reply, "Content-Type", "%s", type);
    http_reply_header(reply, "Cache-Control", "private, max-age=300");
}

/* Two ends, and a gap between. */
static const char icon[] =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\"><rect width=\"32\" "
    "height=\"32\" "
    "rx=\"7\" fill=\"#0a66a8\"/><path d=\"M4 16h8m8 0h8\" stroke=\"#fff\" "
    "stroke-width=\"3\"/><path "
    "d=\"m13 12 6 8m0-8-6 8\" stroke=\"#fbd9b8\" stroke-width=\"3\"/></svg>\n";

static bool send_asset(const char *path, struct http_reply *reply)
{
    size_t n;
    if (strcmp(path, "/style.css") == 0)
        send_fixed(html_style(&n), site_style_text, "text/css; charset=utf-8", reply);
    else if (strcmp(path, "/site.js") == 0)
        send_fixed(site_script_text, "", "text/javascript; charset=utf-8", reply);
    else if (strcmp(path, "/favicon.ico") == 0)
        send_fixed(icon, "", "image/svg+xml", reply);
    else
        return false;
    return true;
}

/* The answer into *page, or the status of what went wrong. */
static int write_answer(struct web *w, const struct route *route, struct cached *page)
{
    char *text = NULL;
    size_t n = 0;
    w->rest = w->request->path + strlen(route->path);
    w->type = route->type;
    w->out = open_memstream(&text, &n);
    if (!w->out)
        return web_fail(w, 503, "Out of memory.");
    int status = route->answer(w);
    bool bad = ferror(w->out);
    if (fclose(w->out) != 0 || bad)
        status = web_fail(w, 503, "Out of memory.");
    if (status > 399) {
        free(text);
        return status;
    }
    *page = (struct cached){.status = status, .body = http_body_new(text, n), .head.type = w->type};
    memcpy(page->head.disposition, w->disposition, sizeof page->head.disposition);
    return page->body ? 0 : web_fail(w, 503, "Out of memory.");
}

static int make(struct site *s, struct web *w, const struct route *route, struct cached *page)
{
    bool busy = false;
    if (!limiter_may_ask(s->limiter, w->request->peer))
        return web_fail(w, 429, "Too many questions from this address; slower, please.");
    if (route->no_db)
        return write_answer(w, route, page);
    w->db = handles_take(s->handles, &busy, w->why);
    if (!w->db)
        return 503;
    int status = write_answer(w, route, page);
    handles_give(s->handles, w->db);
    return status;
}

/* Out of the cache, or made now. */
static void answer(struct site *s, struct web *w, const struct route *route,
                   struct http_reply *reply)
{
    const char *key = w->request->target;
    int64_t version = route->no_db ? 0 : handles_version(s->handles);
    struct cached page;
    if (cache_get(s->cache, key, version, &page)) {
        send_page(&page, reply);
        return;
    }
    int status = make(s, w, route, &page);
    if (status) {
        refuse(w, status, reply);
        page = (struct cached){.status = status, .body = reply->body};
        page.head.type = is_api(w->request) ? JSON : HTML;
    } else {
        send_page(&page, reply);
    }
    bool keep = reply->body && (status == 0 || status == 504);
    cache_put(s->cache, key, version, keep ? &page : NULL);
}

void site_answer(void *ctx, const struct http_request *request, struct http_reply *reply)
{
    struct site *s = ctx;
    struct web w = {.o = s->o, .request = request};
    int status = admit(s, request, &w, reply);
    if (status == 0 && send_asset(request->path, reply))
        return;
    const struct route *route = status ? NULL : find(request->path);
    if (route)
        answer(s, &w, route, reply);
    else
        refuse(&w, status ? status : web_fail(&w, 404, "There is no such page."), reply);
}
