/*
 * The pages of `serve` and their addresses: who may ask, what is asked, which page answers. Nothing
 * can be written through it: GET and HEAD only, a read-only database. Without script everything
 * works; what there is of it comes from a file of its own.
 */
#ifndef EW_REPORT_SITE_H
#define EW_REPORT_SITE_H

#include "report/http.h"
#include "storage/query.h"

struct site_options {
    const char *db;           /* path */
    const char *token;        /* NULL: none is asked for */
    const char *const *hosts; /* names besides the loopback ones, n_hosts */
    unsigned n_hosts;
    bool any_host;    /* the token keeps strangers out, whatever name they use */
    int64_t query_ms; /* of one answer */
    const char *version;
    /* Times as people write them (cli/when.h): 0 or -1. */
    int (*when)(const char *text, tick_t *from, tick_t *to);
};

struct site;

/* o is lent. NULL without memory. */
struct site *site_new(const struct site_options *o);
void site_free(struct site *s);

/* An http_handler; ctx is the site. */
void site_answer(void *ctx, const struct http_request *request, struct http_reply *reply);

/* Name, value, ..., NULL: for every reply. */
extern const char *const site_headers[];

#endif
