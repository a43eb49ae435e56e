/*
 * One answer on its way: what the request asks, the handle to ask the database with, the stream to
 * write on. What pages and API have in common is here; the pages are in web_*.c.
 */
#ifndef EW_REPORT_WEB_H
#define EW_REPORT_WEB_H

#include "report/site.h"

#include <stdio.h>

enum { WEB_WHY = 600, WEB_ROWS = 50, WEB_MOST_ROWS = 1000 };

struct web {
    const struct site_options *o;
    const struct http_request *request;
    struct query_db *db; /* NULL for answers that need none */
    FILE *out;
    const char *rest;     /* of the path, behind the route: "17.json" */
    const char *type;     /* literal; set by the route, changed by the answer if it must */
    char disposition[64]; /* file name of a download, "" = none */
    char why[WEB_WHY];    /* what went wrong, for a status of 400 and above */
};

/* Writes the answer and gives the status. Above 399 what was written is thrown away and w->why
 * told. */
typedef int web_fn(struct web *w);

web_fn web_overview, web_failures, web_failure, web_calls, web_call, web_partners, web_health,
    web_decode, web_csv;
web_fn web_api_list, web_api_failure, web_api_partners, web_api_summary, web_api_decode,
    web_api_description;

/* ---- what is asked ---- */

/* The parameter; NULL if it is missing or empty. */
const char *web_arg(const struct web *w, const char *name);
/* A number above 0 at text, up to end (NULL: the end of text); -1 for anything else. */
int64_t web_number(const char *text, const char *end);
/* since, until, around, within, user, call, partner, addr, verdict, finding, grade, all=1 and limit
 * (usual if it is not given, at most most). 0, or a status with w->why. */
int web_filter(struct web *w, int64_t usual, int64_t most, struct query_filter *f);
/* since and until, or the last hours, 24 by default, counted from now or, if the newest packets are
 * older, from them (*old). 0, or a status with w->why. */
int web_period(struct web *w, tick_t *since, tick_t *until, bool *old);

/* status, with a reason. */
__attribute__((format(printf, 3, 4))) int web_fail(struct web *w, int status, const char *fmt, ...);
/* What became of a question: 504 too long, 503 otherwise. */
int web_database_failed(struct web *w);

/* ---- what is written ---- */

/* From the doctype to the heading. here: the entry of the navigation that is on ("failures"). */
void web_begin(struct web *w, const char *here, const char *title);
/* The same without the heading, for what brings its own. */
void web_top(struct web *w, const char *here, const char *title);
void web_end(struct web *w);
/* A whole page, or a JSON object, that tells what went wrong. */
void web_error(struct web *w, int status, bool api);

/* The request's parameters as "path?a=b&amp;c=d", without `name` and `cursor`; with name=value if
 * value is not NULL. */
void web_link(struct web *w, const char *path, const char *name, const char *value);
/* Percent-encoded, for a part of an address. */
void web_encode(FILE *out, const char *text);
/* Text in lines, as for a terminal. */
void web_pre(FILE *out, char *text);
/* An element <time>: local for the eye, UTC for machines; "-" for TICK_NONE. */
void web_time(FILE *out, tick_t t);

#endif
