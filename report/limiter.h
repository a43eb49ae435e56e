/*
 * How often one address may ask what has to be looked up, and try a token. A bucket of tries per
 * address, filled with time; the address not seen for longest makes room for a new one.
 */
#ifndef EW_REPORT_LIMITER_H
#define EW_REPORT_LIMITER_H

#include <stdbool.h>

enum {
    LIMITER_PEERS = 512,
    LIMITER_ASK_PER_S = 30, /* pages out of the cache do not count */
    LIMITER_ASK_BURST = 120,
    LIMITER_TRY_PER_MIN = 10, /* wrong tokens */
    LIMITER_TRY_BURST = 10,
};

struct limiter;

struct limiter *limiter_new(void);
void limiter_free(struct limiter *l);

/* Takes one from the bucket. False: it is empty. */
bool limiter_may_ask(struct limiter *l, const char *peer);
/* Is there a try left, and: one was wrong. */
bool limiter_may_try(struct limiter *l, const char *peer);
void limiter_tried(struct limiter *l, const char *peer);

#endif
