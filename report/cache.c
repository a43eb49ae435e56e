/* A list of pages under one lock; making them happens outside of it. */
#include "report/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MS_TTL = 1000, TTL_PER_COST = 10, MS_WAIT = 30000 };

struct slot {
    char key[CACHE_KEY]; /* "" = free */
    struct cached page;  /* body NULL: not made yet */
    int64_t version, made_ms, cost_ms, begun_ms, used;
    bool making;
};

struct cache {
    pthread_mutex_t lock;
    pthread_cond_t made;
    int64_t uses;
    size_t bytes;
    struct slot slots[CACHE_PAGES];
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct cache *cache_new(void)
{
    struct cache *c = calloc(1, sizeof *c);
    pthread_condattr_t attr;
    if (!c)
        return NULL;
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&c->made, &attr);
    pthread_condattr_destroy(&attr);
    return c;
}

static void empty(struct cache *c, struct slot *s)
{
    if (s->page.body)
        c->bytes -= http_body_size(s->page.body);
    http_body_drop(s->page.body);
    *s = (struct slot){.key = ""};
}

void cache_free(struct cache *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < CACHE_PAGES; i++)
        empty(c, &c->slots[i]);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->made);
    free(c);
}

static struct slot *find(struct cache *c, const char *key)
{
    for (unsigned i = 0; i < CACHE_PAGES; i++)
        if (*c->slots[i].key && strcmp(c->slots[i].key, key) == 0)
            return &c->slots[i];
    return NULL;
}

/* Free, or the one unused for longest that nobody is making. NULL: all are being made. */
static struct slot *oldest(struct cache *c)
{
    struct slot *best = NULL;
    for (unsigned i = 0; i < CACHE_PAGES; i++) {
        struct slot *s = &c->slots[i];
        if (!s->making && (!best || s->used < best->used))
            best = s;
    }
    return best;
}

static bool fresh(const struct slot *s, int64_t version, int64_t now)
{
    int64_t age = now - s->made_ms;
    int64_t ttl = s->cost_ms * TTL_PER_COST > MS_TTL ? s->cost_ms * TTL_PER_COST : MS_TTL;
    if (s->page.status >= 400) /* as long as it took to find out */
        return s->page.body && age < s->cost_ms;
    if (!s->page.body || age >= CACHE_LONGEST_S * 1000)
        return false;
    return s->version == version || age < ttl;
}

static bool give(struct cache *c, struct slot *s, struct cached *out)
{
    s->used = ++c->uses;
    *out = s->page;
    http_body_keep(out->body);
    return true;
}

static void wait_for_it(struct cache *c)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += MS_WAIT / 1000;
    pthread_cond_timedwait(&c->made, &c->lock, &until);
}

static bool get_locked(struct cache *c, const char *key, int64_t version, struct cached *out)
{
    struct slot *s;
    while ((s = find(c, key))) {
        if (s->page.body && (s->making || fresh(s, version, now_ms())))
            return give(c, s, out);
        if (!s->making)
            break;
        wait_for_it(c);
    }
    if (!s && (s = oldest(c))) {
        empty(c, s);
        strcpy(s->key, key);
    }
    if (s) {
        s->making = true;
        s->used = ++c->uses;
        s->begun_ms = now_ms();
    }
    return false;
}

bool cache_get(struct cache *c, const char *key, int64_t version, struct cached *out)
{
    if (strlen(key) >= CACHE_KEY)
        return false;
    pthread_mutex_lock(&c->lock);
    bool got = get_locked(c, key, version, out);
    pthread_mutex_unlock(&c->lock);
    return got;
}

/* Room for n bytes more; others than s go. */
static void make_room(struct cache *c, const struct slot *keep, size_t n)
{
    while (c->bytes + n > CACHE_BYTES) {
        struct slot *worst = NULL;
        for (unsigned i = 0; i < CACHE_PAGES; i++) {
            struct slot *s = &c->slots[i];
            if (s != keep && !s->making && s->page.body && (!worst || s->used < worst->used))
                worst = s;
        }
        if (!worst)
            return;
        empty(c, worst);
    }
}

static void put_locked(struct cache *c, const char *key, int64_t version, const struct cached *page)
{
    struct slot *s = find(c, key);
    if (!s || !s->making)
        return;
    int64_t begun = s->begun_ms, used = s->used;
    size_t n = page ? http_body_size(page->body) : 0;
    empty(c, s);
    if (!page || n > CACHE_LARGEST)
        return;
    make_room(c, s, n);
    strcpy(s->key, key);
    s->page = *page;
    http_body_keep(s->page.body);
    c->bytes += n;
    s->version = version;
    s->made_ms = now_ms();
    s->cost_ms = s->made_ms - begun;
    s->used = used;
}

void cache_put(struct cache *c, const char *key, int64_t version, const struct cached *page)
{
    if (strlen(key) >= CACHE_KEY)
        return;
    pthread_mutex_lock(&c->lock);
    put_locked(c, key, version, page);
    pthread_cond_broadcast(&c->made);
    pthread_mutex_unlock(&c->lock);
}
