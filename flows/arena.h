/*
 * One arena per session: memory in chunks out of a shared free list, given back in one call.
 * Nothing in it is freed alone.
 */
#ifndef EW_FLOWS_ARENA_H
#define EW_FLOWS_ARENA_H

#include "capture/bytes.h"
#include "flows/pool.h"

struct arena_chunk;

/* The chunks that arenas share. cap_bytes bounds what all of them hold together. */
struct arena_pool {
    struct pool chunks;
    size_t held, cap_bytes;
    uint64_t refused;
};

struct arena {
    struct arena_pool *pool;
    struct arena_chunk *first; /* newest */
    size_t left;               /* bytes free in the newest chunk */
};

void arena_pool_init(struct arena_pool *p, size_t cap_bytes);
void arena_pool_clear(struct arena_pool *p);

void arena_init(struct arena *a, struct arena_pool *p);
/* Aligned to 8, zeroed. NULL beyond the cap. */
void *arena_get(struct arena *a, size_t n);
/* NUL-terminated copy; folding white space becomes one space, other control characters '?'.
 * "" for an empty slice; NULL beyond the cap. At most max bytes are kept. */
char *arena_text(struct arena *a, struct slice s, size_t max);
void arena_free(struct arena *a);
/* All of it will be read soon: an object that waited for a minute is in no cache any more. */
void arena_prefetch(const struct arena *a);

#endif
