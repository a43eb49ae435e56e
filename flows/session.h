/*
 * What was negotiated: calls out of SIP messages (calls.c, offer.c), relay allocations out of TURN
 * messages (allocations.c, allocation_life.c). Both fill facts.h records, tell the joiner at once,
 * and hand the finished record to engine_out when it is over. A decrypted, logged or fed message
 * enters through the same two doors as one from the wire.
 */
#ifndef EW_FLOWS_SESSION_H
#define EW_FLOWS_SESSION_H

#include "flows/joiner.h"
#include "flows/pipeline.h"
#include "flows/wire/sip.h"
#include "flows/wire/stun.h"

struct allocation;

/* Where the allocation of a connection was found, so that its next message need not look it up by
 * the 5-tuple. Zeroed at first; it may outlive the allocation. */
struct allocation_ref {
    struct allocation *at;
    int64_t id;
};

/* Where a message was seen. */
struct message_at {
    tick_t time;
    struct endpoint src, dst;
    uint8_t proto;              /* PROTO_TCP or PROTO_UDP */
    const char *origin;         /* "wire" or a log's or feed's name */
    bool both_ways;             /* TCP: the server's side of the connection was seen answering */
    struct allocation_ref *ref; /* of the connection; NULL: none is kept */
};

/* ---- calls ---- */

struct calls;
struct calls_counts {
    uint64_t sip_messages, sdp_bodies, sdp_candidates, calls, evicted, bad_sdp;
    uint64_t dropped; /* candidates and media beyond the caps of a call */
};

/* interim: a call that has been going on for minutes gets a row before it ends. */
struct calls *calls_new(struct joiner *j, const struct engine_out *out, bool interim,
                        uint64_t seed);
void calls_free(struct calls *c);
void calls_sip(struct calls *c, const struct sip_msg *m, const struct message_at *at);
/* The same in two steps, of which the first may be done by another thread. What calls read of a SIP
 * message, a fraction of it: */
struct call_message {
    uint64_t call, content; /* keys of the Call-ID and the body; call is 0 of what is of no concern:
                               nothing else is set then */
    struct slice call_id;
    struct slice from, to; /* whole header values; empty where they don't name the call's parties */
    struct slice from_tag, to_tag;
    struct slice conversation_id, content_type, body;
    uint32_t cseq;
    uint16_t status;
    uint8_t method; /* enum sip_method */
    bool request;
    unsigned n_diag;
    struct sip_header_ref diag[SIP_MAX_DIAG];
};
/* Its slices are m's. */
void calls_message(const struct calls *c, const struct sip_msg *m, struct call_message *out);
void calls_take(struct calls *c, const struct call_message *m, const struct message_at *at);
/* For messages that are known ahead: steps that ask early for the memory that calls_take() will
 * need, each of use some messages after the one before. */
void calls_hint(const struct calls *c, const struct call_message *m);
void calls_hint_call(const struct calls *c, const struct call_message *m);
void calls_hint_media(const struct calls *c, const struct call_message *m);
/* Runs what is due at packet time now: endings, interim rows of long calls. */
void calls_advance(struct calls *c, tick_t now);
/* Time begins anew, as in a log that was put together of several: what has ended is over, the rest
 * goes on. */
void calls_anew(struct calls *c, tick_t now);
/* The clock that stamps packets was set: who waited for a minute then, has waited for a minute. */
void calls_leap(struct calls *c, tick_t from, tick_t to);
/* End of input: every call is judged and emitted. */
void calls_finish(struct calls *c);
void calls_counts(const struct calls *c, struct calls_counts *out);

/* ---- allocations ---- */

struct allocations;
struct allocations_counts {
    uint64_t stun_messages, allocations, evicted;
};

struct allocations *allocations_new(struct joiner *j, const struct engine_out *out, bool interim,
                                    uint64_t seed);
void allocations_free(struct allocations *a);
/* Is it of interest to allocations_turn() beyond being counted? */
bool allocations_concerned(const struct stun_msg *m);
/* Any STUN/TURN message between a client and a server, UDP or TCP; nested ones not included. */
void allocations_turn(struct allocations *a, const struct stun_msg *m, const struct message_at *at);
/* As calls_hint() and calls_hint_call(). */
void allocations_hint(const struct allocations *a, const struct stun_msg *m,
                      const struct message_at *at);
void allocations_hint_scope(const struct allocation_ref *ref);
/* ChannelData (RFC 8656): counts as data to or from the bound peer. */
void allocations_channel(struct allocations *a, uint16_t channel, const struct message_at *at);
/* Is there a live allocation of this client at this server? */
bool allocations_known(const struct allocations *a, const struct message_at *at);
/* The control connection closed or was reset: the relay port is gone (P§1.3). */
void allocations_closed(struct allocations *a, const struct endpoint *client,
                        const struct endpoint *server, tick_t when);
/* The same with what its messages left in ref. */
void allocations_closed_at(struct allocations *a, const struct allocation_ref *ref,
                           const struct endpoint *client, const struct endpoint *server,
                           tick_t when);
void allocations_advance(struct allocations *a, tick_t now);
/* As calls_leap(). */
void allocations_leap(struct allocations *a, tick_t from, tick_t to);
void allocations_finish(struct allocations *a, tick_t now);
void allocations_counts(const struct allocations *a, struct allocations_counts *out);

#endif
