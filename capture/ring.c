/*
 * Single-producer single-consumer ring of batches; sleeping is done on futexes, and a futex call is
 * made only if the other side really sleeps.
 */
#include "capture/ring.h"

#include <linux/futex.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { HUGE = 2 << 20 };

struct ring {
    /* written by the producer */
    _Alignas(64) _Atomic uint64_t published;
    _Atomic bool closed;
    bool claimed;
    /* written by the consumer */
    _Alignas(64) _Atomic uint64_t released;
    /* written once, or only when somebody sleeps */
    struct bell room;
    _Alignas(64) struct bell *consumer;
    struct batch *batches;
    uint32_t n;
    uint8_t *memory;
    size_t memory_size;
};

uint32_t bell_now(struct bell *b)
{
    return atomic_load(&b->rung);
}

void bell_wait(struct bell *b, uint32_t seen, int wait_ms)
{
    struct timespec t = {wait_ms / 1000, wait_ms % 1000 * 1000000L};
    atomic_fetch_add(&b->sleepers, 1);
    syscall(SYS_futex, &b->rung, FUTEX_WAIT_PRIVATE, seen, &t, NULL, 0);
    atomic_fetch_sub(&b->sleepers, 1);
}

/* Both accesses are sequentially consistent: either the ringer sees the sleeper, or the sleeper's
 * FUTEX_WAIT sees the new number and returns at once. */
void bell_ring(struct bell *b)
{
    atomic_fetch_add(&b->rung, 1);
    if (atomic_load(&b->sleepers))
        syscall(SYS_futex, &b->rung, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

/* One mapping for all: first the bytes, in huge pages where the kernel has them, then the lists of
 * packets, whose untouched pages (descriptors for the worst case) cost nothing. */
static int ring_map(struct ring *r, const struct ring_shape *shape)
{
    size_t bytes = round_up(shape->bytes, 4096);
    size_t packets = round_up(shape->packets * sizeof(struct batch_packet), 4096);
    size_t list = packets + round_up(shape->packets * sizeof(struct decoded), 4096);
    size_t all_bytes = round_up(shape->batches * bytes, HUGE);
    r->memory_size = HUGE + all_bytes + shape->batches * list;
    r->memory =
        mmap(NULL, r->memory_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (r->memory == MAP_FAILED)
        return -1;
    uint8_t *at = r->memory + (HUGE - (uintptr_t)r->memory % HUGE) % HUGE, *lists = at + all_bytes;
    (void)madvise(at, all_bytes, MADV_HUGEPAGE); /* a wish: it works without */
    for (unsigned i = 0; i < shape->batches; i++)
        r->batches[i] =
            (struct batch){.bytes = at + i * bytes,
                           .size = shape->bytes,
                           .packets = (struct batch_packet *)(void *)(lists + i * list),
                           .decoded = (struct decoded *)(void *)(lists + i * list + packets),
                           .room = shape->packets};
    return 0;
}

struct ring *ring_new(const struct ring_shape *shape, struct bell *consumer)
{
    struct ring *r = aligned_alloc(64, sizeof *r);
    if (!r)
        return NULL;
    *r = (struct ring){.n = shape->batches, .consumer = consumer};
    r->batches = calloc(shape->batches, sizeof *r->batches);
    if (!r->batches || ring_map(r, shape) != 0) {
        free(r->batches);
        free(r);
        return NULL;
    }
    return r;
}

void ring_free(struct ring *r)
{
    if (!r)
        return;
    munmap(r->memory, r->memory_size);
    free(r->batches);
    free(r);
}

static uint64_t ring_next(const struct ring *r)
{
    return atomic_load_explicit(&r->published, memory_order_relaxed);
}

struct batch *ring_claim(struct ring *r)
{
    uint64_t next = ring_next(r);
    struct batch *b = &r->batches[next % r->n];
    if (r->claimed)
        return b;
    if (next - atomic_load_explicit(&r->released, memory_order_acquire) >= r->n)
        return NULL;
    b->count = b->n_decoded = b->at = b->end = 0;
    r->claimed = true;
    return b;
}

void ring_publish(struct ring *r)
{
    r->claimed = false;
    atomic_store_explicit(&r->published, ring_next(r) + 1, memory_order_release);
    bell_ring(r->consumer);
}

void ring_close(struct ring *r)
{
    atomic_store(&r->closed, true);
    bell_ring(r->consumer);
}

bool ring_idle(const struct ring *r)
{
    return ring_next(r) == atomic_load_explicit(&r->released, memory_order_acquire);
}

void ring_wait_room(struct ring *r, int wait_ms)
{
    uint32_t seen = bell_now(&r->room);
    if (!ring_claim(r))
        bell_wait(&r->room, seen, wait_ms);
}

const struct batch *ring_peek(struct ring *r)
{
    uint64_t mine = atomic_load_explicit(&r->released, memory_order_relaxed);
    if (mine == atomic_load_explicit(&r->published, memory_order_acquire))
        return NULL;
    return &r->batches[mine % r->n];
}

void ring_release(struct ring *r)
{
    uint64_t mine = atomic_load_explicit(&r->released, memory_order_relaxed);
    atomic_store(&r->released, mine + 1);
    if (atomic_load(&r->published) - (mine + 1) <= r->n / 2)
        bell_ring(&r->room);
}

/* closed is read first: what was published before the close is then visible to ring_peek() */
bool ring_ended(struct ring *r)
{
    return atomic_load(&r->closed) && !ring_peek(r);
}

void ring_wake(struct ring *r)
{
    bell_ring(&r->room);
}
