/* Chained hash with handles; see chains.h. */
#include "flows/chains.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "flows/memory.h"
#include "flows/pages.h"

/* Two heads per node: most chains hold one key, and a step along a chain costs a cache miss. */
enum { FIRST_BITS = 9, FIRST_ROOM = 1 << (FIRST_BITS - 1) };

static uint64_t heads_bytes(const struct chains *c)
{
    return (uint64_t)sizeof *c->heads << c->bits;
}

static uint64_t nodes_bytes(const struct chains *c)
{
    return (uint64_t)c->room * sizeof *c->nodes;
}

/* Tables for the bits and the room that c has. */
static bool tables_new(struct chains *c)
{
    c->heads = pages_table(heads_bytes(c));
    c->nodes = pages_table(nodes_bytes(c));
    return c->heads && c->nodes;
}

void chains_clear(struct chains *c)
{
    pages_table_free(c->heads, heads_bytes(c));
    pages_table_free(c->nodes, nodes_bytes(c));
    *c = (struct chains){.heads = NULL};
}

int chains_init(struct chains *c, uint32_t cap)
{
    *c = (struct chains){.bits = FIRST_BITS, .room = FIRST_ROOM, .used = 1, .cap = cap};
    if (tables_new(c))
        return 0;
    chains_clear(c);
    return -1;
}

static void link_first(struct chains *c, uint32_t h)
{
    uint32_t *head = chains_head(c, c->nodes[h].key);
    c->nodes[h].next = *head;
    c->nodes[h].prev = 0;
    if (*head)
        c->nodes[*head].prev = h;
    *head = h;
}

/* Goes over bucket by bucket and from each chain's end, so that those of one key keep their order.
 */
static bool grow(struct chains *c)
{
    struct chains big = *c;
    big.room *= 2;
    big.bits++;
    if (!tables_new(&big)) {
        chains_clear(&big);
        return false;
    }
    memcpy(big.nodes, c->nodes, nodes_bytes(c));
    for (uint64_t b = 0; b < UINT64_C(1) << c->bits; b++) {
        uint32_t end = c->heads[b];
        while (end && c->nodes[end].next)
            end = c->nodes[end].next;
        for (; end; end = c->nodes[end].prev)
            link_first(&big, end);
    }
    struct chains small = *c;
    *c = big;
    chains_clear(&small);
    return true;
}

uint32_t chains_add(struct chains *c, uint64_t key, void *owner, uint8_t kind, uint8_t side)
{
    uint32_t h = c->spare;
    if (c->n >= c->cap || (!h && c->used == c->room && !grow(c))) {
        c->refused++;
        (void)memory_got(NULL);
        return 0;
    }
    if (h)
        c->spare = c->nodes[h].next;
    else
        h = c->used++;
    c->nodes[h] = (struct chain_node){key, owner, 0, 0, kind, side};
    link_first(c, h);
    c->n++;
    return h;
}

void chains_remove(struct chains *c, uint32_t h)
{
    struct chain_node *n = &c->nodes[h];
    if (!h || !n->owner)
        return;
    if (n->prev)
        c->nodes[n->prev].next = n->next;
    else
        *chains_head(c, n->key) = n->next;
    if (n->next)
        c->nodes[n->next].prev = n->prev;
    n->owner = NULL;
    n->next = c->spare;
    c->spare = h;
    c->n--;
}
