/*
 * A hash multimap from 64-bit keys to tagged pointers: the indexes of the joiner. Keys are hashes
 * of endpoints; the caller verifies the real endpoint. Grows by doubling, never shrinks; its cap is
 * given.
 *
 * A large map is a cache miss per step, so whoever has many keys or handles at hand asks for their
 * memory first and uses it afterwards (multimap_prefetch, multimap_remove_all).
 */
#ifndef EW_FLOWS_MULTIMAP_H
#define EW_FLOWS_MULTIMAP_H

#include <stddef.h>
#include <stdint.h>

struct multimap_node {
    uint64_t key;
    void *owner;
    uint32_t next; /* in its bucket or the free list; 0 = end */
    uint32_t prev; /* in its bucket; 0 = first */
    uint8_t kind, medium, side;
    uint16_t port; /* for the owner's use; 0 at first */
};

struct multimap {
    uint32_t *heads;
    struct multimap_node *nodes; /* node 0 is never used */
    uint32_t bits, used, room, cap, free;
    uint64_t refused; /* adds beyond cap or memory */
};

/* 0 or -1 (memory). cap: most nodes ever held. */
int multimap_init(struct multimap *m, uint32_t cap);
void multimap_clear(struct multimap *m);

/* Handle of the new node, 0 when full. Nodes move when the map grows: keep handles, not pointers.
 */
uint32_t multimap_add(struct multimap *m, uint64_t key, void *owner, uint8_t kind, uint8_t medium,
                      uint8_t side);
void multimap_remove(struct multimap *m, uint32_t handle);
/* Removes n handles at once (0 among them is fine), without waiting for memory one by one. */
void multimap_remove_all(struct multimap *m, const uint32_t *handles, unsigned n);
/* Their nodes will be looked at soon: so that the owner can, before it removes them. */
void multimap_prefetch_nodes(const struct multimap *m, const uint32_t *handles, unsigned n);

/* Where the key's chain begins. */
static inline uint32_t *multimap_head(const struct multimap *m, uint64_t key)
{
    return &m->heads[key >> (64 - m->bits)];
}

/* The key will be looked for or added soon. */
static inline void multimap_prefetch(const struct multimap *m, uint64_t key)
{
    __builtin_prefetch(multimap_head(m, key));
}

static inline uint32_t multimap_skip(const struct multimap *m, uint32_t h, uint64_t key)
{
    while (h && m->nodes[h].key != key)
        h = m->nodes[h].next;
    return h;
}

/* Walk of all nodes with key, newest first: h = multimap_first(..); h; h = multimap_next(..) */
static inline uint32_t multimap_first(const struct multimap *m, uint64_t key)
{
    return multimap_skip(m, *multimap_head(m, key), key);
}

static inline uint32_t multimap_next(const struct multimap *m, uint32_t h)
{
    return multimap_skip(m, m->nodes[h].next, m->nodes[h].key);
}

#endif
