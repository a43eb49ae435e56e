/*
 * The inside of calls, shared by calls.c (dialogs and their life) and offer.c (what their messages
 * carry: SDP and diagnostics).
 */
#ifndef EW_FLOWS_CALLS_STATE_H
#define EW_FLOWS_CALLS_STATE_H

#include "flows/arena.h"
#include "flows/multimap.h"
#include "flows/session.h"
#include "flows/wire/sdp.h"

enum { CALL_TEXT_MAX = 512 };

enum call_news {
    NEWS_NONE,
    NEWS_STATUS, /* only its status or times */
    NEWS_FACTS,  /* media, candidates or diagnostics */
};

struct call {
    struct fact_call fact;
    struct arena arena;
    struct call *next, *prev;         /* by age */
    struct call *due_next, *due_prev; /* ended ones, by the time they ended */
    bool queued;
    tick_t leapt;              /* by so much the clock was set since it began, or since it ended */
    uint32_t tag;              /* in by_id */
    uint64_t caller_tag;       /* hash, 0 = unknown */
    uint64_t body[CALL_SIDES]; /* hash of the last SDP of a side: retransmissions cost no parsing */
    uint32_t body_candidates[CALL_SIDES];
    uint32_t invite_cseq;
    unsigned media_room;
    bool invited; /* the INVITE itself was seen */
    bool offered, offerer_is_caller;
    uint8_t news; /* enum call_news: what the joiner does not know yet */
    bool emitted;
};

struct calls {
    struct joiner *joiner;
    const struct engine_out *out;
    bool interim;
    uint64_t seed;
    struct multimap by_id;
    struct arena_pool pool;
    struct call *oldest, *newest;
    struct call *first_due, *last_due;
    uint32_t n;
    int64_t last_id;
    tick_t swept;
    struct sdp sdp; /* parser's output: too large for the stack */
    struct calls_counts counts;
};

/* calls.c */
uint64_t calls_hash(uint64_t h, struct slice s);
/* A copy in the call's arena; NULL of nothing, or without memory. */
const char *calls_text(struct call *k, struct slice s);

/* offer.c: SDP and diagnostics of a message into the call's record, and into k->news. */
void offer_body(struct calls *c, struct call *k, const struct call_message *m, tick_t time);
void offer_diags(struct call *k, const struct call_message *m, tick_t time);

#endif
