/*
 * A bounded queue of blocks from one producer to one consumer. Memory is capped over all blocks:
 * being filled, waiting, being read, and spare.
 */
#ifndef EW_STORAGE_QUEUE_H
#define EW_STORAGE_QUEUE_H

#include "storage/record.h"

enum { QUEUE_BLOCK = 256 << 10 }; /* usual room; a record that needs more gets a block of its own */
enum {
    QUEUE_BYTES = 16 << 20,      /* of a capture file: it waits */
    QUEUE_LIVE_BYTES = 64 << 20, /* live: what has to wait while the disk is full */
};

struct queue;

/* At most that many bytes. NULL without memory. */
struct queue *queue_new(size_t bytes);
void queue_free(struct queue *q);

/* Producer. An empty block of at least room bytes; when the cap is reached: waits, or NULL. Also
 * NULL without memory or if room alone is beyond the cap. */
struct block *queue_get(struct queue *q, size_t room, bool wait);
/* Hands a block over to the consumer. */
void queue_ship(struct queue *q, struct block *b);
/* Nothing more will come. */
void queue_close(struct queue *q);
/* Is the consumer waiting for work? A hint. */
bool queue_idle(struct queue *q);

enum queue_took { QUEUE_BLOCK_TAKEN, QUEUE_TIMEOUT, QUEUE_CLOSED };
/* Consumer. Waits at most ms (below 0: for ever). */
enum queue_took queue_take(struct queue *q, int ms, struct block **out);
/* Waits ms, less if the queue is closed. Is it? */
bool queue_pause(struct queue *q, int ms);
/* Gives a block back (also the producer's, unused). */
void queue_done(struct queue *q, struct block *b);

#endif
