/* A sweep over the ends of intervals. */
#include "flows/skew.h"

#include <stdlib.h>

#define HOUR_US (INT64_C(3600) * 1000000)
#define NARROW_US (INT64_C(60) * 1000000)

struct event {
    int64_t at;
    uint32_t group;
    bool closes;
};

/* By place; what begins at a place comes before what ends there: both hold in it. */
static int event_order(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->closes - y->closes;
}

static int64_t distance(const struct skew *s)
{
    return s->low > 0 ? s->low : s->high < 0 ? -s->high : 0;
}

/* Fills events; returns how many. */
static size_t list_events(const struct skew_bound *b, size_t n, struct event *out, uint32_t *groups)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t low = b[i].low > -SKEW_LIMIT_US ? b[i].low : -SKEW_LIMIT_US;
        int64_t high = b[i].high < SKEW_LIMIT_US ? b[i].high : SKEW_LIMIT_US;
        if (low > high)
            continue;
        out[k++] = (struct event){low, b[i].group, false};
        out[k++] = (struct event){high, b[i].group, true};
        if (b[i].group >= *groups)
            *groups = b[i].group + 1;
    }
    return k;
}

static void sweep(const struct event *e, size_t n, uint32_t *active, struct skew *best)
{
    uint32_t total = 0;
    struct skew here = {0};
    bool rising = false;
    for (size_t i = 0; i < n; i++) {
        if (!e[i].closes) {
            if (active[e[i].group]++)
                continue;
            total++;
            here = (struct skew){true, e[i].at, e[i].at, total};
            rising = true;
            continue;
        }
        if (--active[e[i].group])
            continue;
        here.high = e[i].at;
        bool better = here.agreed > best->agreed ||
                      (here.agreed == best->agreed && distance(&here) < distance(best));
        if (rising && better)
            *best = here;
        rising = false;
        total--;
    }
}

int skew_solve(const struct skew_bound *bounds, size_t n, struct skew *out)
{
    uint32_t groups = 0;
    *out = (struct skew){0};
    if (!n)
        return 0;
    struct event *events = calloc(n * 2, sizeof *events);
    size_t k = events ? list_events(bounds, n, events, &groups) : 0;
    uint32_t *active = events ? calloc((size_t)groups + 1, sizeof *active) : NULL;
    if (active) {
        qsort(events, k, sizeof *events, event_order);
        sweep(events, k, active, out);
    }
    int result = active ? 0 : -1;
    free(active);
    free(events);
    return result;
}

struct skew skew_both(const struct skew *older, const struct skew *newer)
{
    if (!older->known || !newer->known)
        return older->known ? *older : *newer;
    struct skew both = {
        .known = true,
        .low = older->low > newer->low ? older->low : newer->low,
        .high = older->high < newer->high ? older->high : newer->high,
        .agreed = older->agreed > newer->agreed ? older->agreed : newer->agreed,
    };
    if (both.low <= both.high)
        return both;
    return newer->agreed > older->agreed ? *newer : *older;
}

int64_t skew_point(const struct skew *s)
{
    if (s->low <= -SKEW_LIMIT_US)
        return s->high;
    return s->high - s->low <= NARROW_US ? s->low + (s->high - s->low) / 2 : s->low;
}

int skew_zone_h(const struct skew *s)
{
    int64_t p = skew_point(s), half = p < 0 ? -HOUR_US / 2 : HOUR_US / 2;
    return (int)(-(p + half) / HOUR_US);
}
