/* Chained hash with handles; see multimap.h. */
#include "flows/multimap.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BITS = 8 };

static uint32_t *head_of(const struct multimap *m, uint64_t key)
{
    return &m->heads[key >> (64 - m->bits)];
}

int multimap_init(struct multimap *m, uint32_t cap)
{
    memset(m, 0, sizeof *m);
    m->bits = FIRST_BITS;
    m->room = 1u << FIRST_BITS;
    m->used = 1;
    m->cap = cap;
    m->heads = calloc(m->room, sizeof *m->heads);
    m->nodes = calloc(m->room, sizeof *m->nodes);
    if (m->heads && m->nodes)
        return 0;
    multimap_clear(m);
    return -1;
}

void multimap_clear(struct multimap *m)
{
    free(m->heads);
    free(m->nodes);
    memset(m, 0, sizeof *m);
}

static void relink(struct multimap *m)
{
    for (uint32_t i = 1; i < m->used; i++) {
        struct multimap_node *n = &m->nodes[i];
        if (!n->owner)
            continue;
        uint32_t *head = head_of(m, n->key);
        n->next = *head;
        *head = i;
    }
}

/* Only called with an empty free list: every node below used is live. */
static int grow(struct multimap *m)
{
    if (m->room > UINT32_MAX / 2 || m->room > m->cap)
        return -1;
    struct multimap_node *nodes = realloc(m->nodes, 2ull * m->room * sizeof *nodes);
    if (!nodes)
        return -1;
    m->nodes = nodes;
    uint32_t *heads = calloc(2ull * m->room, sizeof *heads);
    if (!heads)
        return -1;
    free(m->heads);
    m->heads = heads;
    m->room *= 2;
    m->bits++;
    relink(m);
    return 0;
}

uint32_t multimap_add(struct multimap *m, uint64_t key, void *owner, uint8_t kind, uint8_t medium,
                      uint8_t side)
{
    uint32_t h = m->free;
    if (!h && m->used == m->room && grow(m) != 0) {
        m->refused++;
        return 0;
    }
    if (h)
        m->free = m->nodes[h].next;
    else
        h = m->used++;
    uint32_t *head = head_of(m, key);
    m->nodes[h] = (struct multimap_node){key, owner, *head, kind, medium, side};
    *head = h;
    return h;
}

void multimap_remove(struct multimap *m, uint32_t h)
{
    if (!h || !m->nodes[h].owner)
        return;
    uint32_t *at = head_of(m, m->nodes[h].key);
    while (*at != h)
        at = &m->nodes[*at].next;
    *at = m->nodes[h].next;
    m->nodes[h].owner = NULL;
    m->nodes[h].next = m->free;
    m->free = h;
}

static uint32_t skip_to(const struct multimap *m, uint32_t h, uint64_t key)
{
    while (h && m->nodes[h].key != key)
        h = m->nodes[h].next;
    return h;
}

uint32_t multimap_first(const struct multimap *m, uint64_t key)
{
    return skip_to(m, *head_of(m, key), key);
}

uint32_t multimap_next(const struct multimap *m, uint32_t h)
{
    return skip_to(m, m->nodes[h].next, m->nodes[h].key);
}
