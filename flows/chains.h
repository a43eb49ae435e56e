/*
 * A hash multimap from 64-bit keys to tagged pointers whose keys may be shared by tens of thousands
 * of entries: everybody whose way to one server fails waits at that server's address. Adding and
 * taking out cost the same however many share a key, for which each entry is a node of its own,
 * linked both ways; where keys are nearly unique, multimap.h touches less memory.
 *
 * Keys are hashes with a secret seed; the caller verifies what it finds. Grows by doubling, never
 * shrinks; its cap is given.
 */
#ifndef EW_FLOWS_CHAINS_H
#define EW_FLOWS_CHAINS_H

#include <stddef.h>
#include <stdint.h>

struct chain_node {
    uint64_t key;
    void *owner;   /* NULL: the node is spare */
    uint32_t next; /* in its bucket or of the spare ones; 0 = end */
    uint32_t prev; /* in its bucket; 0 = first */
    uint8_t kind, side;
};

struct chains {
    uint32_t *heads;
    struct chain_node *nodes; /* node 0 is never used */
    uint32_t bits, used, room, n, cap, spare;
    uint64_t refused; /* adds beyond cap or memory */
};

/* 0 or -1 (memory). cap: most nodes held. */
int chains_init(struct chains *c, uint32_t cap);
void chains_clear(struct chains *c);

/* Handle of the new node, 0 when full. Nodes move when the map grows: keep handles, not pointers.
 */
uint32_t chains_add(struct chains *c, uint64_t key, void *owner, uint8_t kind, uint8_t side);
/* 0 is fine. */
void chains_remove(struct chains *c, uint32_t handle);

/* Where the key's chain begins. */
static inline uint32_t *chains_head(const struct chains *c, uint64_t key)
{
    return &c->heads[key >> (64 - c->bits)];
}

/* The key will be looked for or added soon. */
static inline void chains_prefetch(const struct chains *c, uint64_t key)
{
    __builtin_prefetch(chains_head(c, key));
}

/* The node will be taken out soon. */
static inline void chains_prefetch_node(const struct chains *c, uint32_t handle)
{
    __builtin_prefetch(&c->nodes[handle], 1);
}

static inline const struct chain_node *chains_skip(const struct chains *c, uint32_t h, uint64_t key)
{
    while (h && c->nodes[h].key != key)
        h = c->nodes[h].next;
    return h ? &c->nodes[h] : NULL;
}

/* Walk of all entries with key, newest first; nothing may be added meanwhile:
 * n = chains_first(..); n; n = chains_next(..) */
static inline const struct chain_node *chains_first(const struct chains *c, uint64_t key)
{
    return chains_skip(c, *chains_head(c, key), key);
}

static inline const struct chain_node *chains_next(const struct chains *c,
                                                   const struct chain_node *n)
{
    return chains_skip(c, n->next, n->key);
}

#endif
