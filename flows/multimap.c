/* Chained hash with handles; see multimap.h. */
#include "flows/multimap.h"

#include <stdlib.h>
#include <string.h>

#include "flows/pages.h"
#include "flows/memory.h"

/* Two heads per node: most chains hold one node, and a step along a chain costs a cache miss. */
enum { FIRST_BITS = 9, FIRST_ROOM = 1 << (FIRST_BITS - 1), HUGE_FROM = 2 << 20 };

/* Zeroed; in huge pages where they pay: a step through a map of 20 MB costs a TLB miss besides the
 * cache miss otherwise. */
static void *table_new(uint64_t bytes)
{
    return bytes < HUGE_FROM ? calloc(1, bytes) : pages_reserve(bytes);
}

static void table_free(void *p, uint64_t bytes)
{
    if (bytes < HUGE_FROM)
        free(p);
    else
        pages_release(p, bytes);
}

static uint64_t heads_bytes(const struct multimap *m)
{
    return (uint64_t)sizeof *m->heads << m->bits;
}

static uint64_t nodes_bytes(const struct multimap *m)
{
    return (uint64_t)m->room * sizeof *m->nodes;
}

int multimap_init(struct multimap *m, uint32_t cap)
{
    memset(m, 0, sizeof *m);
    m->bits = FIRST_BITS;
    m->room = FIRST_ROOM;
    m->used = 1;
    m->cap = cap;
    m->heads = table_new(heads_bytes(m));
    m->nodes = table_new(nodes_bytes(m));
    if (m->heads && m->nodes)
        return 0;
    multimap_clear(m);
    return -1;
}

void multimap_clear(struct multimap *m)
{
    table_free(m->heads, heads_bytes(m));
    table_free(m->nodes, nodes_bytes(m));
    memset(m, 0, sizeof *m);
}

static void link_first(struct multimap *m, uint32_t h)
{
    uint32_t *head = multimap_head(m, m->nodes[h].key);
    m->nodes[h].next = *head;
    m->nodes[h].prev = 0;
    if (*head)
        m->nodes[*head].prev = h;
    *head = h;
}

/* Only called with an empty free list: every node below used is live. */
static int grow(struct multimap *m)
{
    struct multimap big = *m;
    if (m->room > UINT32_MAX / 2 || m->room > m->cap)
        return -1;
    big.room *= 2;
    big.bits++;
    big.heads = table_new(heads_bytes(&big));
    big.nodes = table_new(nodes_bytes(&big));
    if (!big.heads || !big.nodes) {
        table_free(big.heads, heads_bytes(&big));
        table_free(big.nodes, nodes_bytes(&big));
        return -1;
    }
    memcpy(big.nodes, m->nodes, nodes_bytes(m));
    for (uint32_t i = 1; i < big.used; i++)
        link_first(&big, i);
    table_free(m->heads, heads_bytes(m));
    table_free(m->nodes, nodes_bytes(m));
    *m = big;
    return 0;
}

uint32_t multimap_add(struct multimap *m, uint64_t key, void *owner, uint8_t kind, uint8_t medium,
                      uint8_t side)
{
    uint32_t h = m->free;
    if (!h && m->used == m->room && grow(m) != 0) {
        m->refused++;
        (void)memory_got(NULL);
        return 0;
    }
    if (h)
        m->free = m->nodes[h].next;
    else
        h = m->used++;
    m->nodes[h] = (struct multimap_node){key, owner, 0, 0, kind, medium, side, 0};
    link_first(m, h);
    return h;
}

void multimap_remove(struct multimap *m, uint32_t h)
{
    struct multimap_node *n = &m->nodes[h];
    if (!h || !n->owner)
        return;
    if (n->prev)
        m->nodes[n->prev].next = n->next;
    else
        *multimap_head(m, n->key) = n->next;
    if (n->next)
        m->nodes[n->next].prev = n->prev;
    n->owner = NULL;
    n->next = m->free;
    m->free = h;
}

void multimap_prefetch_nodes(const struct multimap *m, const uint32_t *handles, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        __builtin_prefetch(&m->nodes[handles[i]], 1);
}

void multimap_remove_all(struct multimap *m, const uint32_t *handles, unsigned n)
{
    multimap_prefetch_nodes(m, handles, n);
    for (unsigned i = 0; i < n; i++) {
        const struct multimap_node *k = &m->nodes[handles[i]];
        if (k->next)
            __builtin_prefetch(&m->nodes[k->next], 1);
        __builtin_prefetch(k->prev ? (void *)&m->nodes[k->prev] : (void *)multimap_head(m, k->key),
                           1);
    }
    for (unsigned i = 0; i < n; i++)
        multimap_remove(m, handles[i]);
}
