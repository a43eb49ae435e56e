/*
 * From the half of the engine that reads packets to the half that joins: attempts, SIP and TURN
 * messages, and the time, in the order in which they were seen. With a thread the second half works
 * at its own pace, and whoever reads packets goes on meanwhile; without one, each call is handled
 * at once. What comes out is the same.
 *
 *   tracker, proto -> handover -> calls, allocations, joiner, rows
 *
 * Two questions go the other way, who is wanted (tracker.h) and who is a relay. They are asked in
 * order like all else, and their answers fetched later. Whoever reads and wants to look at the
 * second half's objects, or call its hooks, settles first.
 */
#ifndef EW_FLOWS_HANDOVER_H
#define EW_FLOWS_HANDOVER_H

#include "flows/session.h"
#include "flows/tracker.h"

struct handover;

/* The second half. Lent; calls, allocations and joiner may be NULL if nothing for them comes. */
struct handover_to {
    struct calls *calls;
    struct allocations *allocations;
    struct joiner *joiner;
    const struct engine_out *out; /* signaling, trouble and TLS connections; NULL = nowhere */
    void *arg;
    /* An attempt with its evidence, as tracker_hooks.attempt; now: packet time. All lent. */
    void (*attempt)(void *arg, const struct attempt *a, bool final, const struct evidence *ev,
                    unsigned n_ev, tick_t now);
    void (*advance)(void *arg, tick_t now);
};

/* thread: false, or no thread to be had: handled at once. NULL without memory. */
struct handover *handover_new(const struct handover_to *to, bool thread);
/* Settles. */
void handover_free(struct handover *h);

void handover_sip(struct handover *h, const struct sip_msg *m, const struct message_at *at);
void handover_turn(struct handover *h, const struct stun_msg *m, const struct message_at *at);
void handover_channel(struct handover *h, uint16_t channel, const struct message_at *at);
/* A control connection is over: allocations_closed_at(). */
void handover_closed(struct handover *h, const struct allocation_ref *ref,
                     const struct endpoint *client, const struct endpoint *server, tick_t when);
void handover_trouble(struct handover *h, const struct relay_trouble *t);
void handover_signaling(struct handover *h, uint16_t port);
/* What is known of a conversation's TLS connection: told again, it replaces what was told before.
 * Its id is set here; of new ones there are LIMIT_TLS_ROWS a minute of packet time. */
struct tls_news {
    const struct fact_tls *t;
    uint32_t conversation;        /* as handover_ref() */
    bool fresh;                   /* nothing was told of it before */
    tick_t time;                  /* packet time */
    const struct endpoint *relay; /* only if that is a relay's or an Edge's; NULL: in any case */
};
void handover_tls(struct handover *h, const struct tls_news *n);
void handover_attempt(struct handover *h, const struct attempt *a, bool final,
                      const struct evidence *ev, unsigned n_ev, tick_t now);
void handover_advance(struct handover *h, tick_t now);

/* Where the n-th conversation's allocation is remembered; NULL beyond those that have a place. The
 * place is the second half's: never looked at here. */
struct allocation_ref *handover_ref(struct handover *h, uint32_t n);

/* tracker_hooks.ask and answer. */
enum wanted handover_ask(struct handover *h, uint64_t id, const struct endpoint *src,
                         const struct endpoint *dst);
bool handover_answer(struct handover *h, uint64_t id);

/* Is it a relay server or at a relay's or Edge's address, as far as is known by now? The answer to
 * the question of that number, which is one more than that of the one before. */
uint64_t handover_ask_server(struct handover *h, const struct endpoint *e);
bool handover_server(struct handover *h, uint64_t question);
uint64_t handover_newest(const struct handover *h);

/* A group of packets is through: what they brought may be worked on. idle: nothing more comes at
 * the moment. */
void handover_group_over(struct handover *h, bool idle);
/* Waits until all is handled: until the next call of the above, the second half is the caller's. */
void handover_settle(struct handover *h);
/* Settles; what comes from now on is handled at once. */
void handover_finish(struct handover *h);

/* Messages of no interest to calls and allocations, which are not handed over; times the second
 * half's thread had no memory; rows of TLS connections beyond their rate. */
struct handover_counts {
    uint64_t sip_messages, stun_messages;
    uint64_t refused, tls_refused;
};
/* After settling. */
void handover_counts(const struct handover *h, struct handover_counts *out);

#endif
