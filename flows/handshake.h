/*
 * One TCP connection attempt as a pure transition function (P§7.1, P§7.3): packets, ICMP errors and
 * silence go in; state, what to wait for and in the end a verdict come out. No table, no clock.
 *
 *            SYN                SYN-ACK (ack right)      ACK, or data      bytes both ways
 *   (none) ------> ASKED ----------------------> ANSWERED ------> OPEN ----------------> LIVE
 *                  | RST  ICMP  silence          | RST  silence   | RST  FIN  silence    | RST FIN
 * idle v                             v                v                      v refused unreachable
 * half-open        reset-after-open         connected timeout single-syn          retry-conflict
 * open-no-check
 *
 * An RST decides nothing by itself: the verdict falls when the wait after it is over, because
 * Windows repeats a refused SYN with the same ISN half a second later, and because an RST may be
 * forged.
 */
#ifndef EW_FLOWS_HANDSHAKE_H
#define EW_FLOWS_HANDSHAKE_H

#include "capture/endpoint.h"
#include "capture/tick.h"
#include "flows/verdict.h"

enum handshake_state {
    HS_ASKED,     /* SYNs of the client, no acceptable SYN-ACK */
    HS_ANSWERED,  /* SYN-ACK seen, not acknowledged */
    HS_OPEN,      /* handshake done, bytes not yet both ways */
    HS_LIVE,      /* bytes both ways: connected */
    HS_DECIDED,   /* verdict given: of the attempt's late packets only a SYN-ACK counts */
    HS_MIDSTREAM, /* older than the capture, or only one direction visible: no attempt */
};

/* What the attempt waits for; each has one fixed time (handshake_wait_time). */
enum handshake_wait {
    WAIT_ANSWER,     /* after the last SYN */
    WAIT_AFTER_RST,  /* a retry may come */
    WAIT_AFTER_ICMP, /* likewise */
    WAIT_ACK,        /* after the last SYN-ACK */
    WAIT_BYTES,      /* open: since the last packet with payload */
    WAIT_CLOSED,     /* FIN both ways or RST: stragglers */
    WAIT_LINGER,     /* decided: swallows late retries */
    WAIT_IDLE,       /* connected: looked at once per this time, over after FLOW_IDLE of silence */
    WAIT_IDLE_MID,   /* likewise, HS_MIDSTREAM */
    WAITS
};

enum {
    HS_CLIENT_ACKED = 1 << 0, /* acknowledged the server's ISN */
    HS_SERVER_ACKED = 1 << 1, /* acknowledged the client's ISN */
    HS_PEER_KNOWN = 1 << 2,   /* server_isn is set */
    HS_CLIENT_HEARD = 1 << 3, /* the client acknowledges what this capture does not show */
    HS_SERVER_SPOKE = 1 << 4, /* a packet of the server was seen */
    HS_BAD_SYNACK = 1 << 5,   /* SYN-ACK that acknowledges something else */
    HS_CLIENT_RST = 1 << 6,
    HS_SERVER_RST = 1 << 7,
    HS_CLIENT_FIN = 1 << 8,
    HS_SERVER_FIN = 1 << 9,
    HS_ICMP = 1 << 10,     /* icmp_from, icmp_code are set */
    HS_NO_CHECK = 1 << 11, /* open-no-check was reported, provisionally */
    HS_ONE_WAY = 1 << 12,  /* midstream: counted as one-way */
    HS_TOLD = 1 << 13,     /* was decided as failed, then answered: only a connection is news */
};

struct handshake {
    union {
        uint64_t bytes[2];     /* OPEN and later: payload seen of client, of server */
        struct addr icmp_from; /* before, with HS_ICMP */
    };
    tick_t first; /* first SYN, or SYN-ACK if that came first */
    uint32_t client_isn, server_isn;
    uint32_t other_isn; /* of the newest SYN-ACK: a server may restart its half */
    uint32_t next[2];   /* highest sequence number seen + 1; before OPEN, next[0] is the time
                           between the last two SYNs in ms, next[1] what the client
                           acknowledged (HS_CLIENT_HEARD) */
    uint16_t syns, synacks, rsts; /* midstream: packets of client, of server, until 255 */
    uint16_t flags;               /* HS_* */
    uint8_t state : 4, wait : 4;
    uint8_t peek_out : 4, peek_in : 4; /* enum peek */
    uint8_t icmp_code;                 /* of type 3 (IPv4) or 1 (IPv6) */
};

enum handshake_what {
    HS_SEGMENT,  /* a TCP packet; flags tell which */
    HS_UNREACH,  /* ICMP destination unreachable that quotes the SYN */
    HS_DEADLINE, /* the wait is over and nothing came */
    HS_END,      /* the capture ends */
    HS_REPLACED, /* the ports now carry another connection, or the entry is needed */
};

struct handshake_event {
    tick_t time;
    tick_t asked;      /* of the last SYN before this event */
    tick_t idle;       /* DEADLINE, END, REPLACED: since the last packet of the flow */
    uint32_t seq, ack; /* SEGMENT; UNREACH: seq as quoted */
    uint32_t len;      /* payload by the IP header */
    const struct addr *icmp_from;
    uint8_t icmp_code;
    uint8_t what;  /* enum handshake_what */
    uint8_t flags; /* TCP_* */
    uint8_t peek;  /* enum peek of the payload; PEEK_NOTHING without one */
    bool from_client;
};

enum handshake_report {
    HS_QUIET,
    HS_PROVISIONAL, /* verdict holds, but may change, and bytes will */
    HS_FINAL,
};

struct handshake_result {
    uint8_t report;  /* enum handshake_report */
    uint8_t verdict; /* with a report; VERDICT_PENDING otherwise */
    bool rearm;      /* the wait begins anew at this event */
    bool asks;       /* this packet is a SYN of the attempt */
    bool answers;    /* first answer to it */
    bool part;       /* belongs to the handshake: evidence */
    bool opens;      /* the handshake is complete with this packet */
    bool over;       /* nothing more to expect: the entry can go */
};

/* A SYN that begins an attempt. */
void handshake_begin(struct handshake *h, tick_t time, uint32_t isn);
/* An attempt whose SYN was not captured (yet), from its SYN-ACK; then step with that packet. */
void handshake_adopt(struct handshake *h, tick_t time, uint32_t synack_ack);
/* A connection older than the capture. */
void handshake_midstream(struct handshake *h, tick_t time);

struct handshake_result handshake_step(struct handshake *h, const struct handshake_event *e);

/* The bytes of one segment of an open connection: what step does for it and nothing else. */
void handshake_bytes(struct handshake *h, bool from_client, uint32_t seq, uint32_t len);

/* Does the segment lie near what this connection expects? Tells connections on the same ports
 * apart. */
bool handshake_fits(const struct handshake *h, const struct handshake_event *e);

tick_t handshake_wait_time(enum handshake_wait w);

static inline bool handshake_embryonic(const struct handshake *h)
{
    return h->state == HS_ASKED || h->state == HS_ANSWERED;
}

static inline bool handshake_open(const struct handshake *h)
{
    return h->state == HS_OPEN || h->state == HS_LIVE;
}

#endif
