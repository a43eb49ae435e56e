/* See belt.h. Sleeping is done on bells (capture/ring.h). */
#include "flows/belt.h"

#include <assert.h>
#include <stdlib.h>

#include "capture/ring.h"
#include "flows/pages.h"

enum {
    UNIT = 16,        /* items begin at multiples of it */
    SIZE = 2 << 20,   /* bytes: it stays in a cache that both threads share */
    ITEMS = 1 << 14,  /* at most on the belt */
    WORTH = 64 << 10, /* bytes that wait before a sleeping taker is woken */
    RING = 512,       /* items handled between two rings for a putter that waits */
    REST = 64,        /* items handled between two times that the putter is told of it */
    WAIT_MS = 1000,
};

_Static_assert(SIZE >= 4 * BELT_ITEM_MOST, "an item and what is left free for it always fit");

struct belt {
    /* the putter's: items claimed, sent, known to be done; units claimed, and those rung for */
    _Alignas(64) uint64_t head, told, seen;
    uint32_t units, woken;
    uint8_t *bytes;
    uint32_t *place; /* by item: units claimed before it since the beginning, modulo 2^32 */
    _Alignas(64) _Atomic uint64_t sent;
    _Alignas(64) _Atomic uint64_t done;
    uint64_t mine, rung; /* the taker's: done, or a little farther; rung for */
    _Atomic bool closed;
    struct bell work, way;
};

struct belt *belt_new(void)
{
    struct belt *b = aligned_alloc(64, sizeof *b);
    if (!b)
        return NULL;
    *b = (struct belt){.head = 0};
    b->bytes = pages_reserve(SIZE + ITEMS * sizeof *b->place);
    if (!b->bytes) {
        free(b);
        return NULL;
    }
    b->place = (uint32_t *)(void *)(b->bytes + SIZE);
    return b;
}

void belt_free(struct belt *b)
{
    if (b)
        pages_release(b->bytes, SIZE + ITEMS * sizeof *b->place);
    free(b);
}

/* ---- putter ---- */

static void send_all(struct belt *b)
{
    if (b->told == b->head)
        return;
    b->told = b->head;
    atomic_store_explicit(&b->sent, b->head, memory_order_release);
}

void belt_send(struct belt *b)
{
    send_all(b);
    if (b->units - b->woken >= WORTH / UNIT)
        belt_flush(b);
}

void belt_flush(struct belt *b)
{
    send_all(b);
    if (b->woken == b->units)
        return;
    b->woken = b->units;
    bell_ring(&b->work);
}

/* Units on the belt, as far as is known. */
static uint32_t held(const struct belt *b)
{
    return b->seen == b->head ? 0 : b->units - b->place[b->seen % ITEMS];
}

/* Until at most so many units and items are on the belt. */
static void await_taker(struct belt *b, uint32_t units, uint64_t items)
{
    for (;;) {
        uint32_t rung = bell_now(&b->way);
        b->seen = atomic_load(&b->done);
        if (held(b) <= units && b->head - b->seen <= items)
            return;
        belt_flush(b);
        bell_wait(&b->way, rung, WAIT_MS);
    }
}

struct belt_item *belt_claim(struct belt *b, size_t bytes, uint32_t kind)
{
    assert(bytes <= BELT_ITEM_MOST);
    const uint32_t all = SIZE / UNIT, need = (uint32_t)((bytes + UNIT - 1) / UNIT);
    const uint32_t left = all - b->units % all, skip = left < need ? left : 0;
    if (held(b) + skip + need > all || b->head - b->seen == ITEMS) {
        b->seen = atomic_load_explicit(&b->done, memory_order_acquire);
        if (held(b) + skip + need > all || b->head - b->seen == ITEMS)
            await_taker(b, all / 2, ITEMS / 2);
    }
    b->place[b->head++ % ITEMS] = b->units + skip;
    struct belt_item *i =
        (struct belt_item *)(void *)(b->bytes + (size_t)((b->units + skip) % all) * UNIT);
    b->units += skip + need;
    *i = (struct belt_item){need * UNIT, kind};
    return i;
}

void belt_settle(struct belt *b)
{
    b->seen = atomic_load_explicit(&b->done, memory_order_acquire);
    if (b->seen != b->head)
        await_taker(b, 0, 0);
}

void belt_halve(struct belt *b)
{
    b->seen = atomic_load_explicit(&b->done, memory_order_acquire);
    await_taker(b, SIZE / UNIT, (b->head - b->seen) / 2);
}

void belt_close(struct belt *b)
{
    belt_flush(b);
    atomic_store(&b->closed, true);
    bell_ring(&b->work);
}

/* ---- taker ---- */

/* A putter that waits is woken for some progress, not for every few items. */
static void tell_done(struct belt *b)
{
    if (b->mine == atomic_load_explicit(&b->done, memory_order_relaxed))
        return;
    atomic_store(&b->done, b->mine);
    if (b->mine - b->rung < RING && b->mine != atomic_load(&b->sent))
        return;
    b->rung = b->mine;
    bell_ring(&b->way);
}

bool belt_await(struct belt *b, uint64_t *from, uint64_t *to)
{
    for (;;) {
        uint32_t seen = bell_now(&b->work);
        bool closed = atomic_load(&b->closed);
        *from = b->mine;
        *to = atomic_load_explicit(&b->sent, memory_order_acquire);
        if (*from != *to)
            return true;
        tell_done(b);
        if (closed)
            return false;
        bell_wait(&b->work, seen, WAIT_MS);
    }
}

struct belt_item *belt_at(const struct belt *b, uint64_t n)
{
    const uint32_t at = b->place[n % ITEMS] % (SIZE / UNIT);
    return (struct belt_item *)(void *)(b->bytes + (size_t)at * UNIT);
}

void belt_done(struct belt *b, uint64_t n)
{
    b->mine = n;
    if (n - atomic_load_explicit(&b->done, memory_order_relaxed) >= REST)
        tell_done(b);
}
