/*
 * Records of one size: taken and given back one by one, in blocks of huge pages, so that a walk
 * over thousands of them costs no TLB misses and malloc has nothing to search.
 */
#ifndef EW_FLOWS_POOL_H
#define EW_FLOWS_POOL_H

#include <stddef.h>

struct pool {
    void *spare;  /* given back; each begins with the next */
    void *blocks; /* each begins with the next */
    char *fresh;  /* never used yet, of the newest block */
    size_t left;  /* bytes behind fresh */
    size_t size;  /* of a record */
};

/* size: of a record, at most 64 kB. Allocates nothing. */
void pool_init(struct pool *p, size_t size);
/* All records are gone; p is as after pool_init(). */
void pool_clear(struct pool *p);

/* A record aligned to 16, with whatever content; NULL without memory. */
void *pool_take(struct pool *p);
void pool_give(struct pool *p, void *record);

#endif
