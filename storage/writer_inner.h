/*
 * Shared by writer.c (the thread, the life of a run) and writer_put.c (the engine's side of the
 * queue); nobody else includes it.
 */
#ifndef EW_STORAGE_WRITER_INNER_H
#define EW_STORAGE_WRITER_INNER_H

#include "storage/queue.h"
#include "storage/retention.h"
#include "storage/store.h"
#include "storage/writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

struct writer {
    /* the engine's thread */
    struct queue *queue;
    struct block *current;
    size_t want;           /* room of the next block */
    tick_t shipped;        /* packet time of the last shipment */
    _Atomic uint64_t lost; /* written by who puts, read by who looks on */
    uint64_t lost_told;
    bool live;
    struct privacy *privacy; /* NULL: nothing is hidden */
    struct joiner_veil veil;
    /* the writer's thread, and the engine's again after it has ended */
    struct store store;
    pthread_t thread;
    bool open;        /* a transaction is */
    unsigned records; /* in it */
    struct timespec begun;
    tick_t hour;                    /* live: of the last findings across failures */
    struct block *held, **held_end; /* live: what the open transaction consists of */
    size_t held_bytes;
    struct retention retention;
    struct timespec looked; /* for indexes that are due */
    int grown_ms;           /* not before that long afterwards */
    int64_t log_bytes;
    struct log_result *log; /* of an import, else NULL */
    struct failures_found *found;
    /* both */
    atomic_bool failed; /* store.db.why is final */
    atomic_bool waits;
    pthread_mutex_t told; /* over waits_why */
    char waits_why[DB_WHY];
};

#endif
