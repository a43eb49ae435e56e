/*
 * A belt between two threads: what one puts on it, the other takes off in the same order. Items are
 * of any size up to a quarter of the belt, and lie in its memory from the claim to the end of their
 * handling: nothing is allocated or copied on the way. Where each begins stands in a list apart, so
 * that the taker can ask for the memory of those that are still to come.
 *
 *   putter: belt_claim -> fill the item ... belt_send or belt_flush
 *   taker:  belt_await -> belt_at ... -> belt_done
 *
 * Shared memory is touched once per send, and a sleeper is woken only for a good deal of work or by
 * belt_flush(): waking costs more than many an item.
 */
#ifndef EW_FLOWS_BELT_H
#define EW_FLOWS_BELT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every item begins with it. */
struct belt_item {
    _Alignas(16) uint32_t size; /* in bytes, with this and what fills it up; set by belt_claim() */
    uint32_t kind;              /* the putter's */
};
enum { BELT_ITEM_MOST = 256 << 10 };

struct belt;

/* NULL without memory. */
struct belt *belt_new(void);
void belt_free(struct belt *b);

/* ---- putter ---- */

/* Room for an item of so many bytes (at most BELT_ITEM_MOST), not zeroed; waits while the belt is
 * full. It is on the belt with the next send or flush. */
struct belt_item *belt_claim(struct belt *b, size_t bytes, uint32_t kind);
/* The taker may have all that was claimed so far. */
void belt_send(struct belt *b);
/* The same, and it is woken if it sleeps. */
void belt_flush(struct belt *b);
/* Waits until all that was claimed is done, and what the taker wrote is seen here. */
void belt_settle(struct belt *b);
/* Waits until half of what was claimed and not done is done. */
void belt_halve(struct belt *b);
/* Nothing more will come: belt_await() returns false once all is done. */
void belt_close(struct belt *b);

/* ---- taker ---- */

/* Waits for items. False: the belt is closed and empty. Those numbered *from to *to - 1 are there
 * to be handled; the very first is 0. */
bool belt_await(struct belt *b, uint64_t *from, uint64_t *to);
struct belt_item *belt_at(const struct belt *b, uint64_t n);
/* Those before n are handled: their memory may be used again. */
void belt_done(struct belt *b, uint64_t n);

#endif
