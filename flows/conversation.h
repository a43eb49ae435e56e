/*
 * One stream under reading, shared by proto.c (recognition, SIP) and proto_relay.c (relay control).
 */
#ifndef EW_FLOWS_CONVERSATION_H
#define EW_FLOWS_CONVERSATION_H

#include "flows/proto.h"

enum stream_kind {
    STREAM_UNDECIDED,
    STREAM_SIP,
    STREAM_WEBSOCKET,
    STREAM_MS_TURN, /* pseudo-TLS, then TURN framing */
    STREAM_TURN,    /* RFC 8656 over TCP */
    STREAM_ICE,     /* RFC 4571: checks, then media */
    STREAM_TLS,
    STREAM_SIPCOMP, /* SIP behind compression headers, from NEGOTIATE on */
};

/* Per side. */
struct half {
    bool refused;      /* its first bytes were nothing we know */
    bool greeted;      /* pseudo-TLS hello or answer, HTTP upgrade done */
    bool lost;         /* bytes are missing: look for the next message */
    uint32_t searched; /* bytes looked through without finding a message */
    uint32_t media;    /* bytes since the last control message */
    size_t enough;     /* SIP: unread bytes without which the next message cannot be complete */
};

struct conversation {
    struct conversation *next; /* free list */
    uint8_t kind;
    bool troubled; /* the relay trouble was told */
    tick_t first;
    struct half half[2];
    struct allocation_ref allocation;
    uint8_t *text; /* WebSocket: message being put together */
    size_t text_used;
    struct sipcomp *compression; /* of a STREAM_SIPCOMP */
};

struct proto {
    struct proto_config config;
    struct stream_reader reader;
    struct conversation *spare;
    struct conversation_block *blocks;
    struct proto_counts counts;
};

void conversation_at(const struct stream *s, enum stream_side side, struct message_at *at);

/* proto_relay.c: take what can be taken from the front of avail */
struct stream_take relay_ms_turn(struct proto *p, struct stream *s, struct conversation *c,
                                 enum stream_side side, struct slice avail);
struct stream_take relay_turn(struct proto *p, struct stream *s, struct conversation *c,
                              enum stream_side side, struct slice avail);
struct stream_take relay_ice(struct proto *p, struct stream *s, struct conversation *c,
                             enum stream_side side, struct slice avail);
struct stream_take relay_tls(struct proto *p, struct stream *s, struct conversation *c,
                             enum stream_side side, struct slice avail);
/* The stream ended: an unanswered hello is a failure too. */
void relay_over(struct proto *p, struct stream *s, struct conversation *c, bool closed);

#endif
