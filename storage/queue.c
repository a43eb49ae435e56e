/* The queue between the engine's thread and the writer's. */
#include "storage/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled, freed;
    struct block *first, *last; /* waiting, oldest first */
    struct block *spare;        /* of the usual size */
    size_t most, held;          /* bytes of all blocks but the spare ones */
    size_t idle_bytes;          /* of the spare ones */
    bool closed, idle;
};

struct queue *queue_new(size_t bytes)
{
    struct queue *q = calloc(1, sizeof *q);
    pthread_condattr_t attr;
    if (!q)
        return NULL;
    q->most = bytes;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->filled, &attr);
    pthread_cond_init(&q->freed, &attr);
    pthread_condattr_destroy(&attr);
    return q;
}

static void free_list(struct block *b)
{
    while (b) {
        struct block *next = b->next;
        free(b);
        b = next;
    }
}

void queue_free(struct queue *q)
{
    if (!q)
        return;
    free_list(q->first);
    free_list(q->spare);
    pthread_cond_destroy(&q->filled);
    pthread_cond_destroy(&q->freed);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

struct block *queue_get(struct queue *q, size_t room, bool wait)
{
    struct block *b = NULL;
    if (room > q->most)
        return NULL;
    pthread_mutex_lock(&q->lock);
    while (wait && q->held + room > q->most)
        pthread_cond_wait(&q->freed, &q->lock);
    bool fits = q->held + room <= q->most;
    if (fits && room == QUEUE_BLOCK && q->spare) {
        b = q->spare;
        q->spare = b->next;
        q->idle_bytes -= room;
        b->next = NULL;
        b->used = 0;
    } else if (fits) {
        b = block_new(room);
    }
    if (b)
        q->held += room;
    pthread_mutex_unlock(&q->lock);
    return b;
}

void queue_ship(struct queue *q, struct block *b)
{
    pthread_mutex_lock(&q->lock);
    if (q->last)
        q->last->next = b;
    else
        q->first = b;
    q->last = b;
    q->idle = false;
    pthread_cond_signal(&q->filled);
    pthread_mutex_unlock(&q->lock);
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_signal(&q->filled);
    pthread_mutex_unlock(&q->lock);
}

bool queue_idle(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    bool idle = q->idle;
    pthread_mutex_unlock(&q->lock);
    return idle;
}

/* False on timeout. */
static bool wait_filled(struct queue *q, int ms, const struct timespec *until)
{
    q->idle = true;
    if (ms < 0)
        return pthread_cond_wait(&q->filled, &q->lock) == 0;
    return pthread_cond_timedwait(&q->filled, &q->lock, until) == 0;
}

static struct timespec in_ms(int ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t ns = t.tv_nsec + (int64_t)(ms > 0 ? ms : 0) * TICK_MS;
    t.tv_sec += ns / TICK_S;
    t.tv_nsec = ns % TICK_S;
    return t;
}

enum queue_took queue_take(struct queue *q, int ms, struct block **out)
{
    struct timespec until = in_ms(ms);
    enum queue_took took = QUEUE_BLOCK_TAKEN;
    pthread_mutex_lock(&q->lock);
    while (!q->first && !q->closed && took == QUEUE_BLOCK_TAKEN) {
        if (!wait_filled(q, ms, &until))
            took = QUEUE_TIMEOUT;
    }
    *out = q->first;
    if (q->first) {
        took = QUEUE_BLOCK_TAKEN;
        q->first = q->first->next;
        if (!q->first)
            q->last = NULL;
        (*out)->next = NULL;
    } else if (q->closed) {
        took = QUEUE_CLOSED;
    }
    pthread_mutex_unlock(&q->lock);
    return took;
}

bool queue_pause(struct queue *q, int ms)
{
    struct timespec until = in_ms(ms);
    pthread_mutex_lock(&q->lock);
    while (!q->closed && pthread_cond_timedwait(&q->filled, &q->lock, &until) == 0)
        ; /* more work has come: not now */
    bool closed = q->closed;
    pthread_mutex_unlock(&q->lock);
    return closed;
}

void queue_done(struct queue *q, struct block *b)
{
    pthread_mutex_lock(&q->lock);
    q->held -= b->room;
    if (b->room == QUEUE_BLOCK && q->idle_bytes < QUEUE_BYTES) {
        q->idle_bytes += b->room;
        b->next = q->spare;
        q->spare = b;
    } else {
        free(b);
    }
    pthread_cond_signal(&q->freed);
    pthread_mutex_unlock(&q->lock);
}
