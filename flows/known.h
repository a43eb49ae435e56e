/*
 * A small list of endpoints, kept until the end of the run, with a hash beside it: whether an
 * address is a known relay's is asked several times of each attempt, whether a server is known of
 * each connection.
 */
#ifndef EW_FLOWS_KNOWN_H
#define EW_FLOWS_KNOWN_H

#include "capture/endpoint.h"
#include "flows/limits.h"

enum { KNOWN_SLOTS = LIMIT_ALIASES * 4 };

/* Zeroed = empty. An address is an endpoint with port 0. */
struct known {
    unsigned n;
    uint16_t slot[KNOWN_SLOTS]; /* open addressing: 1 + index in list, 0 = free */
    struct endpoint list[LIMIT_ALIASES];
};

static inline unsigned known_home(const struct endpoint *e, uint64_t seed)
{
    return (unsigned)(endpoint_hash(e, seed) % KNOWN_SLOTS);
}

static inline bool known_has(const struct known *k, const struct endpoint *e, uint64_t seed)
{
    for (unsigned at = known_home(e, seed); k->slot[at]; at = (at + 1) % KNOWN_SLOTS)
        if (endpoint_eq(&k->list[k->slot[at] - 1], e))
            return true;
    return false;
}

/* False if it was there already, or the list is full. */
static inline bool known_add(struct known *k, const struct endpoint *e, uint64_t seed)
{
    if (k->n == LIMIT_ALIASES || known_has(k, e, seed))
        return false;
    unsigned at = known_home(e, seed);
    while (k->slot[at])
        at = (at + 1) % KNOWN_SLOTS;
    k->list[k->n++] = *e;
    k->slot[at] = (uint16_t)k->n;
    return true;
}

#endif
