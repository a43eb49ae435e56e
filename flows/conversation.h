/*
 * One stream under reading, shared by proto.c (recognition), proto_sip.c (SIP), proto_relay.c
 * (relay control) and proto_tls.c (TLS).
 */
#ifndef EW_FLOWS_CONVERSATION_H
#define EW_FLOWS_CONVERSATION_H

#include "flows/proto.h"
#include "flows/tls_link.h"
#include "flows/wire/sip.h"

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
    uint32_t searched; /* bytes looked through without finding a message */
    uint32_t media;    /* bytes since the last control message */
    uint32_t enough;   /* SIP: unread bytes without which the next message cannot be complete */
    bool refused;      /* its first bytes were nothing we know */
    bool greeted;      /* pseudo-TLS hello or answer, HTTP upgrade done */
    bool lost;         /* bytes are missing: look for the next message */
};

/* What every segment needs fills the first cache line. */
struct conversation {
    _Alignas(64) uint8_t kind;
    bool troubled;     /* the relay trouble was told */
    bool inside;       /* what a TLS connection carries */
    bool closed;       /* compressed (MS-SIPCOMP), and not read any more */
    uint32_t messages; /* SIP */
    struct half half[2];
    uint32_t number;      /* among all, and for ever: handover_ref() */
    struct tls_talk *tls; /* STREAM_TLS (proto_tls.c) */
    tick_t first;
    struct conversation *next; /* free list */
    uint8_t *text;             /* WebSocket: message being put together */
    size_t text_used;
    struct sipcomp *compression; /* of a STREAM_SIPCOMP */
};

/* The newest SIP head whose body was not there yet: it is not read again when more comes. */
struct sip_begun {
    const struct half *half; /* NULL: none; holds as long as that side waits (half.enough) */
    struct sip_msg head[2];  /* that one, and room for the message being read */
    uint8_t waiting;         /* which is which */
};

struct proto {
    struct proto_config config;
    struct sip_begun begun;
    struct tls_reader tls;
    struct tls_talk *talks; /* TLS connections under reading, newest first */
    uint32_t n_talks;
    tick_t looked; /* at all talks */
    uint64_t keys_version;
    struct stream_reader reader;
    struct conversation *spare;
    struct conversation_block *blocks;
    struct proto_counts counts;
};

void conversation_at(struct proto *p, const struct stream *s, enum stream_side side,
                     struct message_at *at);
struct conversation *conversation_new(struct proto *p);
void conversation_free(struct proto *p, struct conversation *c);
/* proto.c: bytes of a stream, or of what a TLS stream carries. */
struct stream_take conversation_data(struct proto *p, struct stream *s, struct conversation *c,
                                     enum stream_side side, struct slice avail);
void conversation_gap(struct conversation *c, enum stream_side side);
/* proto.c: what it is has been found out: enum stream_kind. Counts it. */
void conversation_is(struct proto *p, struct stream *s, struct conversation *c, int kind);
bool conversation_listed(const uint16_t *ports, unsigned n, const struct flow *f);

/* proto_sip.c: take what can be taken from the front of avail */
struct stream_take sip_data(struct proto *p, struct stream *s, struct conversation *c,
                            enum stream_side side, struct slice avail);
struct stream_take sipcomp_data(struct proto *p, struct stream *s, struct conversation *c,
                                enum stream_side side, struct slice avail);
struct stream_take websocket_data(struct proto *p, struct stream *s, struct conversation *c,
                                  enum stream_side side, struct slice avail);

/* proto_relay.c: the connection failed above TCP; told once. */
void relay_tell(struct proto *p, struct stream *s, struct conversation *c,
                const struct relay_trouble *what);

/* proto_relay.c: take what can be taken from the front of avail */
struct stream_take relay_ms_turn(struct proto *p, struct stream *s, struct conversation *c,
                                 enum stream_side side, struct slice avail);
struct stream_take relay_turn(struct proto *p, struct stream *s, struct conversation *c,
                              enum stream_side side, struct slice avail);
struct stream_take relay_ice(struct proto *p, struct stream *s, struct conversation *c,
                             enum stream_side side, struct slice avail);
/* The stream ended: an unanswered hello is a failure too. */
void relay_over(struct proto *p, struct stream *s, struct conversation *c, bool closed);

/* proto_tls.c */
bool tls_begin(struct proto *p); /* false: no memory */
void tls_end(struct proto *p);
struct stream_take tls_data(struct proto *p, struct stream *s, struct conversation *c,
                            enum stream_side side, struct slice avail);
/* A row for a connection without TLS whose SIP is compressed and can't be read on. */
void tls_tell_compressed(struct proto *p, const struct stream *s, const struct conversation *c);
void tls_gap(struct proto *p, struct conversation *c, enum stream_side side, uint32_t missing);
void tls_over(struct proto *p, struct conversation *c, bool closed);

#endif
