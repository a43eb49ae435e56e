/*
 * Pages that were just made, for those who ask for the same. A page serves as long as the database
 * has not changed, or for a second, or for ten times as long as it took to make: a page that costs
 * half a second is made every five seconds, however many watch. Who comes while one is being made
 * gets the one before, or waits if there is none. A question that took too long is answered so to
 * all for as long as it took.
 */
#ifndef EW_REPORT_CACHE_H
#define EW_REPORT_CACHE_H

#include "report/http.h"

enum {
    CACHE_PAGES = 128,              /* oldest out first */
    CACHE_BYTES = 16 * 1024 * 1024, /* of all pages together */
    CACHE_LARGEST = 1024 * 1024,    /* a larger one is not kept */
    CACHE_LONGEST_S = 60,           /* also of an unchanged database: pages tell "today" */
    CACHE_KEY = 1024,               /* longer ones are not kept */
};

struct cache;

struct cached {
    int status;
    struct http_body *body;
    struct {
        const char *type;     /* literal */
        char disposition[64]; /* "" = none */
    } head;
};

struct cache *cache_new(void);
void cache_free(struct cache *c);

/* True: *out is the page, its body kept for the caller. False: the caller makes it and must call
 * cache_put() with the same key. version: of the database. */
bool cache_get(struct cache *c, const char *key, int64_t version, struct cached *out);
/* The page that was made (its body stays the caller's), or NULL if it is not for keeping: then
 * those who wait make their own. */
void cache_put(struct cache *c, const char *key, int64_t version, const struct cached *page);

#endif
