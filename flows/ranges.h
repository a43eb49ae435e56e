/*
 * Which pieces of a byte stream wait behind a hole: a short sorted list of ranges of TCP sequence
 * numbers, none touching another. libnids holds the bytes but does not tell where they are.
 *
 * All numbers of a set lie within 2^31 of each other, so that the order survives the wrap.
 */
#ifndef EW_FLOWS_RANGES_H
#define EW_FLOWS_RANGES_H

#include <stdbool.h>
#include <stdint.h>

enum { RANGES_MAX = 16 };

struct range {
    uint32_t from, to; /* to is the first number behind it */
};

struct ranges {
    uint32_t n;
    struct range r[RANGES_MAX];
};

/* How far a lies ahead of b in sequence space. */
static inline int32_t seq_diff(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

/* Adds [from, to), joining what it touches. False, nothing changed: it would be one too many. */
bool ranges_add(struct ranges *s, uint32_t from, uint32_t to);

/* The first part of [from, to) that is not there: moves *from and *to. False: all is there. */
bool ranges_missing(const struct ranges *s, uint32_t *from, uint32_t *to);

/* Forgets everything before upto. */
void ranges_drop(struct ranges *s, uint32_t upto);

#endif
