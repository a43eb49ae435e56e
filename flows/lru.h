/*
 * The numbers 1 to size, handed out, taken back, and kept in order of use; 0 = none. The owner
 * keeps its records in an array of size + 1 beside it.
 */
#ifndef EW_FLOWS_LRU_H
#define EW_FLOWS_LRU_H

#include <stdint.h>

struct lru_link {
    uint32_t prev, next; /* towards the newer, towards the older */
};

struct lru {
    struct lru_link *links; /* [0] is the head: its next is the newest, its prev the oldest */
    uint32_t size;
    uint32_t fresh; /* never handed out so far: this and above, so that memory is touched late */
    uint32_t free;  /* stack of numbers given back, through next */
    uint32_t live;
};

/* -1 without memory. */
int lru_init(struct lru *l, uint32_t size);
void lru_end(struct lru *l);

/* A number, the newest from now on; 0 when all are out. */
uint32_t lru_take(struct lru *l);
void lru_give(struct lru *l, uint32_t i);

/* i becomes the newest. */
void lru_touch(struct lru *l, uint32_t i);

/* The number longest not touched; 0 when none is out. */
uint32_t lru_oldest(const struct lru *l);

#endif
