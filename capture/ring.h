/*
 * A bounded ring of batches between one producer and one consumer thread.
 *
 *   producer: ring_claim -> fill the batch -> ring_publish ... ring_close
 *   consumer: ring_peek  -> use the batch  -> ring_release
 *
 * Both sides touch shared memory once per batch, and their fields lie on separate cache lines. A
 * consumer of several rings sleeps on one bell, which every ring_publish and ring_close rings.
 */
#ifndef EW_CAPTURE_RING_H
#define EW_CAPTURE_RING_H

#include "capture/batch.h"

#include <stdatomic.h>
#include <stdbool.h>

/* Lets a thread sleep until something happened. A waiter reads bell_now(), looks whether there is
 * work, and if not calls bell_wait() with the number it read: nothing rung in between is lost. */
struct bell {
    _Alignas(64) _Atomic uint32_t rung;
    _Atomic uint32_t sleepers;
};

uint32_t bell_now(struct bell *b);
/* Returns after a ring, after wait_ms, or for no reason. */
void bell_wait(struct bell *b, uint32_t seen, int wait_ms);
/* Safe in a signal handler. */
void bell_ring(struct bell *b);

struct ring;

struct ring_shape {
    unsigned batches;
    size_t bytes;   /* per batch */
    size_t packets; /* per batch */
};

/* NULL: out of memory. consumer must outlive the ring. */
struct ring *ring_new(const struct ring_shape *shape, struct bell *consumer);
void ring_free(struct ring *r);

/* Producer. The batch to fill next, its counts, at and end zeroed at the first claim after a
 * publish; NULL while the ring is full. The same batch is returned until it is published. */
struct batch *ring_claim(struct ring *r);
void ring_publish(struct ring *r);
/* Nothing more will come. */
void ring_close(struct ring *r);
/* True if the consumer holds or awaits nothing else: a partly filled batch is worth publishing. */
bool ring_idle(const struct ring *r);
/* Sleeps until half of the ring may be free, at most wait_ms: to be woken for each batch costs more
 * than what is won by it. */
void ring_wait_room(struct ring *r, int wait_ms);

/* Consumer. The oldest published batch, the same one until it is released; NULL if there is none.
 */
const struct batch *ring_peek(struct ring *r);
void ring_release(struct ring *r);
/* True once the ring is closed and its last batch released. */
bool ring_ended(struct ring *r);
/* Wakes a producer that sleeps in ring_wait_room(). Safe in a signal handler. */
void ring_wake(struct ring *r);

#endif
