/* What the sensor knows of an address: four-way sets, the least useful entry gives way. */
#include "flows/hosts.h"

#include <stdlib.h>

enum {
    WAYS = 4,
    CACHE_LINE = 64,
    LATE = 60 /* minutes; farther back, the clock was set or a new capture began */
};

/* Two to a cache line: each new connection looks at both of its ends. */
struct host {
    struct addr addr;
    int32_t minute;   /* of count */
    uint32_t touched; /* hosts.clock at the last use */
    uint32_t open;    /* connections */
    uint16_t count;
    bool used : 1, heard : 1, one_way : 1;
};
_Static_assert(sizeof(struct host) * 2 == CACHE_LINE, "a set is two lines");

struct hosts {
    struct host *host;
    uint32_t mask; /* sets - 1 */
    uint32_t clock;
    uint64_t seed;
};

struct hosts *hosts_new(uint32_t entries, uint64_t seed)
{
    uint32_t sets = 1;
    while (sets * WAYS < entries)
        sets *= 2;
    struct hosts *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    size_t bytes = (size_t)sets * WAYS * sizeof *h->host;
    h->host = aligned_alloc(CACHE_LINE, bytes);
    if (!h->host) {
        free(h);
        return NULL;
    }
    memset(h->host, 0, bytes);
    h->mask = sets - 1;
    h->seed = seed;
    return h;
}

void hosts_free(struct hosts *h)
{
    if (h)
        free(h->host);
    free(h);
}

static struct host *set_of(const struct hosts *h, const struct addr *a)
{
    struct endpoint e = {.addr = *a};
    return h->host + (size_t)(endpoint_hash(&e, h->seed) & h->mask) * WAYS;
}

static struct host *find(const struct hosts *h, const struct addr *a)
{
    struct host *set = set_of(h, a);
    for (unsigned i = 0; i < WAYS; i++)
        if (set[i].used && addr_eq(&set[i].addr, a))
            return set + i;
    return NULL;
}

/* What is lost least by forgetting it: unused, then mere rates, then the longest untouched. */
static uint64_t worth(const struct hosts *h, const struct host *e)
{
    if (!e->used)
        return 0;
    uint64_t known = e->heard || e->one_way || e->open ? 2 : 1;
    return known << 32 | (UINT32_MAX - (h->clock - e->touched));
}

static struct host *get(struct hosts *h, const struct addr *a)
{
    struct host *e = find(h, a);
    h->clock++;
    if (!e) {
        e = set_of(h, a);
        struct host *set = e;
        for (unsigned i = 1; i < WAYS; i++)
            if (worth(h, set + i) < worth(h, e))
                e = set + i;
        *e = (struct host){.addr = *a, .used = true};
    }
    e->touched = h->clock;
    return e;
}

void hosts_heard(struct hosts *h, const struct addr *a)
{
    get(h, a)->heard = true;
}

void hosts_one_way(struct hosts *h, const struct addr *a)
{
    get(h, a)->one_way = true;
}

bool hosts_is_one_way(const struct hosts *h, const struct addr *a)
{
    const struct host *e = find(h, a);
    return e && e->one_way && !e->heard;
}

void hosts_opened(struct hosts *h, const struct addr *a)
{
    get(h, a)->open++;
}

void hosts_closed(struct hosts *h, const struct addr *a)
{
    struct host *e = find(h, a);
    if (e && e->open) /* else it was forgotten in between */
        e->open--;
}

uint32_t hosts_open(const struct hosts *h, const struct addr *a)
{
    const struct host *e = find(h, a);
    return e ? e->open : 0;
}

bool hosts_within_rate(struct hosts *h, const struct addr *a, tick_t now, unsigned limit)
{
    struct host *e = get(h, a);
    int32_t minute = (int32_t)(now / (60 * TICK_S)); /* of 64-bit nanoseconds: it fits */
    if (minute > e->minute || minute + LATE < e->minute) {
        e->minute = minute;
        e->count = 0;
    }
    if (e->count >= limit)
        return false;
    e->count++;
    return true;
}
