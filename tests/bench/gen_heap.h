/* Events in time order: a binary heap. Equal times come out in the order they went in. */
#ifndef EW_BENCH_GEN_HEAP_H
#define EW_BENCH_GEN_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event {
    int64_t when;
    uint64_t order;
    uint32_t actor;
    uint32_t kind;
};

struct heap {
    struct event *events;
    size_t n, room;
    uint64_t pushed;
};

void heap_push(struct heap *h, int64_t when, uint32_t kind, uint32_t actor);
bool heap_pop(struct heap *h, struct event *out); /* false when empty */
void heap_free(struct heap *h);

#endif
