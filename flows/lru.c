/* Numbers in order of use: one doubly linked list through an array. */
#include "flows/lru.h"

#include <stdlib.h>

int lru_init(struct lru *l, uint32_t size)
{
    *l =
        (struct lru){.links = calloc((size_t)size + 1, sizeof *l->links), .size = size, .fresh = 1};
    return l->links ? 0 : -1;
}

void lru_end(struct lru *l)
{
    free(l->links);
    *l = (struct lru){0};
}

static void put_first(struct lru *l, uint32_t i)
{
    uint32_t newest = l->links[0].next;
    l->links[i] = (struct lru_link){.prev = 0, .next = newest};
    l->links[newest].prev = i;
    l->links[0].next = i;
}

static void unlink_number(struct lru *l, uint32_t i)
{
    struct lru_link at = l->links[i];
    l->links[at.prev].next = at.next;
    l->links[at.next].prev = at.prev;
}

uint32_t lru_take(struct lru *l)
{
    uint32_t i = l->free;
    if (i)
        l->free = l->links[i].next;
    else if (l->fresh <= l->size)
        i = l->fresh++;
    else
        return 0;
    put_first(l, i);
    l->live++;
    return i;
}

void lru_give(struct lru *l, uint32_t i)
{
    unlink_number(l, i);
    l->links[i].next = l->free;
    l->free = i;
    l->live--;
}

void lru_touch(struct lru *l, uint32_t i)
{
    unlink_number(l, i);
    put_first(l, i);
}

uint32_t lru_oldest(const struct lru *l)
{
    return l->links[0].prev;
}
