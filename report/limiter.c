/* Token buckets. */
#include "report/limiter.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PEER = 64 };

struct bucket {
    char peer[PEER];
    double asks, tries;
    int64_t seen_ms;
};

struct limiter {
    pthread_mutex_t lock;
    struct bucket all[LIMITER_PEERS];
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct limiter *limiter_new(void)
{
    struct limiter *l = calloc(1, sizeof *l);
    if (l)
        pthread_mutex_init(&l->lock, NULL);
    return l;
}

void limiter_free(struct limiter *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static double filled(double have, double more, double most)
{
    return have + more < most ? have + more : most;
}

/* Under the lock: the peer's bucket, filled up to now. */
static struct bucket *bucket_of(struct limiter *l, const char *peer)
{
    struct bucket *b = NULL, *oldest = &l->all[0];
    int64_t now = now_ms();
    for (unsigned i = 0; i < LIMITER_PEERS && !b; i++) {
        if (strcmp(l->all[i].peer, peer) == 0)
            b = &l->all[i];
        else if (l->all[i].seen_ms < oldest->seen_ms)
            oldest = &l->all[i];
    }
    if (!b) {
        b = oldest;
        *b = (struct bucket){.asks = LIMITER_ASK_BURST, .tries = LIMITER_TRY_BURST, .seen_ms = now};
        snprintf(b->peer, PEER, "%s", peer);
    }
    double s = (double)(now - b->seen_ms) / 1000;
    b->asks = filled(b->asks, s * LIMITER_ASK_PER_S, LIMITER_ASK_BURST);
    b->tries = filled(b->tries, s * LIMITER_TRY_PER_MIN / 60, LIMITER_TRY_BURST);
    b->seen_ms = now;
    return b;
}

bool limiter_may_ask(struct limiter *l, const char *peer)
{
    pthread_mutex_lock(&l->lock);
    struct bucket *b = bucket_of(l, peer);
    bool may = b->asks >= 1;
    b->asks -= may;
    pthread_mutex_unlock(&l->lock);
    return may;
}

bool limiter_may_try(struct limiter *l, const char *peer)
{
    pthread_mutex_lock(&l->lock);
    bool may = bucket_of(l, peer)->tries >= 1;
    pthread_mutex_unlock(&l->lock);
    return may;
}

void limiter_tried(struct limiter *l, const char *peer)
{
    pthread_mutex_lock(&l->lock);
    struct bucket *b = bucket_of(l, peer);
    b->tries -= b->tries >= 1;
    pthread_mutex_unlock(&l->lock);
}
