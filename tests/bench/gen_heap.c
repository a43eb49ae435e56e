/* The event heap. */
#include "tests/bench/gen_heap.h"

#include <stdlib.h>

static bool earlier(const struct event *a, const struct event *b)
{
    return a->when != b->when ? a->when < b->when : a->order < b->order;
}

void heap_push(struct heap *h, int64_t when, uint32_t kind, uint32_t actor)
{
    if (h->n == h->room) {
        h->room = h->room ? 2 * h->room : 1024;
        h->events = realloc(h->events, h->room * sizeof *h->events);
        if (!h->events)
            abort();
    }
    struct event e = {when, h->pushed++, actor, kind};
    size_t i = h->n++;
    for (; i && earlier(&e, &h->events[(i - 1) / 2]); i = (i - 1) / 2)
        h->events[i] = h->events[(i - 1) / 2];
    h->events[i] = e;
}

bool heap_pop(struct heap *h, struct event *out)
{
    if (!h->n)
        return false;
    *out = h->events[0];
    struct event last = h->events[--h->n];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < h->n; i = child) {
        if (child + 1 < h->n && earlier(&h->events[child + 1], &h->events[child]))
            child++;
        if (!earlier(&h->events[child], &last))
            break;
        h->events[i] = h->events[child];
    }
    h->events[i] = last;
    return true;
}

void heap_free(struct heap *h)
{
    free(h->events);
    *h = (struct heap){0};
}
