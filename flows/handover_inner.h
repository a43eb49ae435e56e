/*
 * The inside of the handover, shared by handover.c (life, and what the first half puts on the belt)
 * and handover_work.c (what the second half makes of it).
 */
#ifndef EW_FLOWS_HANDOVER_INNER_H
#define EW_FLOWS_HANDOVER_INNER_H

#include "flows/handover.h"

#include <pthread.h>
#include <stdatomic.h>

#include "flows/allowance.h"
#include "flows/belt.h"
#include "flows/limits.h"

enum { REFS = LIMIT_STREAMS * 2 }; /* conversations, and those inside of TLS */

/* What the second half remembers of a conversation. */
struct place {
    struct allocation_ref allocation;
    int64_t tls_row; /* 0 = none */
};

/* By question: its number and the answer, number << 1 | yes. */
struct answers {
    _Atomic uint64_t at[LIMIT_QUESTIONS];
};

struct handover {
    struct handover_to to;
    struct place *places; /* REFS */
    struct belt *belt;    /* NULL: all is handled at once */
    pthread_t thread;
    struct handover_counts passed; /* the first half's */
    uint64_t refused;              /* the thread's */
    struct answers wanted, servers;
    uint64_t servers_asked;
    struct allowance tls_allowed;
    int64_t tls_rows;
    uint64_t tls_refused;
};

/* ---- what lies on the belt ---- */

enum item_kind {
    ITEM_SIP,
    ITEM_TURN,
    ITEM_CHANNEL,
    ITEM_CLOSED,
    ITEM_TROUBLE,
    ITEM_SIGNALING,
    ITEM_TLS,
    ITEM_ATTEMPT,
    ITEM_WANTED,
    ITEM_SERVER,
    ITEM_TIME,
};

struct item_sip {
    struct belt_item item;
    struct message_at at;
    struct call_message m; /* its slices lie in text */
    uint8_t text[];
};

struct item_turn {
    struct belt_item item;
    struct message_at at;
    struct stun_msg m; /* of its slices, those that are of use: in text */
    uint8_t text[];
};

struct item_channel {
    struct belt_item item;
    struct message_at at;
    uint16_t channel;
};

struct item_closed {
    struct belt_item item;
    const struct allocation_ref *ref;
    struct endpoint client, server;
    tick_t when;
};

struct item_trouble {
    struct belt_item item;
    struct relay_trouble t;
};

struct item_signaling {
    struct belt_item item;
    uint16_t port;
};

struct item_tls {
    struct belt_item item;
    struct tls_news news; /* of t and relay below */
    struct fact_tls t;    /* its texts lie in text */
    struct endpoint relay;
    char text[];
};

struct item_attempt {
    struct belt_item item;
    struct joiner_hint hint; /* none until it is looked for */
    struct attempt a;
    tick_t now;
    bool final;
    unsigned n;
    struct evidence list[]; /* n, then their bytes */
};

struct item_question {
    struct belt_item item;
    uint64_t id;
    struct endpoint src, dst;
};

struct item_time {
    struct belt_item item;
    tick_t now;
};

/* ---- handover_work.c ---- */

/* Handles an item, of which nothing is kept. */
void handover_handle(struct handover *h, struct belt_item *item);
/* The same of what has no item where there is no belt. */
void handover_handle_tls(struct handover *h, const struct tls_news *n);
/* The thread's main function; its argument is the handover. */
void *handover_thread(void *arg);
bool handover_is_server(const struct handover *h, const struct endpoint *e);
void handover_set_answer(struct answers *a, uint64_t id, bool yes);

static inline bool handover_answer_of(const struct answers *a, uint64_t id)
{
    return atomic_load_explicit(&a->at[id % LIMIT_QUESTIONS], memory_order_relaxed) & 1;
}

#endif
