/*
 * What the packets show of one attempt (design §6, P§7.3), and the flat records that leave the
 * engine.
 */
#ifndef EW_FLOWS_VERDICT_H
#define EW_FLOWS_VERDICT_H

#include "capture/endpoint.h"
#include "capture/tick.h"

enum verdict {
    VERDICT_CONNECTED,
    VERDICT_REFUSED,
    VERDICT_TIMEOUT,
    VERDICT_SINGLE_SYN,
    VERDICT_UNREACHABLE,
    VERDICT_HALF_OPEN,
    VERDICT_RETRY_CONFLICT,
    VERDICT_RESET_AFTER_OPEN,
    VERDICT_OPEN_NO_CHECK,
    VERDICT_PSEUDOTLS_FAIL,
    VERDICT_TLS_FAIL,
    VERDICT_ALLOC_FAIL,
    VERDICT_NOT_TRIED,
    VERDICT_UNSEEN,
    VERDICTS,
    VERDICT_PENDING = VERDICTS /* not decided yet; never stored */
};

enum leg { LEG_CLIENT_RELAY, LEG_RELAY_PEER, LEG_DIRECT, LEG_SIGNALING };
enum quality { QUALITY_GOOD, QUALITY_ONE_WAY, QUALITY_LOSSY };

const char *verdict_name(enum verdict v); /* "connected" ... as in the database */
/* Verdict by its name, VERDICTS if there is none. */
enum verdict verdict_by_name(const char *name);
const char *leg_name(enum leg l);         /* "client-relay" "relay-peer" "direct" "signaling" */
const char *quality_name(enum quality q); /* "good" "one-way" "lossy" */

/* What the first payload of a direction looked like (tracker peeks, once per direction). */
enum peek {
    PEEK_NOTHING, /* no payload seen */
    PEEK_OTHER,
    PEEK_CHECK_REQUEST, /* STUN Binding request, RFC 4571 framed or bare */
    PEEK_CHECK_OK,
    PEEK_CHECK_ERROR,
    PEEK_TLS,
};

/* One connect: source, destination, ISN (TCP), or a run of STUN checks from source to destination
 * (UDP: isn is the first 32 random bits of the first transaction id). */
struct attempt {
    uint64_t id;               /* run-unique, in order of first packet */
    struct endpoint src, dst;  /* as on the wire; src is who asked */
    uint8_t proto;             /* PROTO_TCP or PROTO_UDP */
    uint8_t verdict;           /* enum verdict */
    uint8_t quality;           /* enum quality */
    uint8_t peek_out, peek_in; /* enum peek: first payload of src, of dst */
    bool again;                /* reported before, with final false: count it once */
    bool wanted;               /* src or dst is a known relay or configured Edge (tracker_hooks) */
    bool asking;               /* the answer to that is not there yet */
    uint32_t isn;
    uint32_t syns, synacks, rsts; /* UDP: requests, answers, 0 */
    tick_t first, last;           /* requests and their answers */
    int64_t rtt_us;               /* first answer after its request; -1 = none */
    int16_t answer_ttl;           /* of the first SYN-ACK, RST or STUN answer; -1 = none */
    int32_t answer_ipid;          /* -1 = none or IPv6 */
    int16_t icmp_type, icmp_code; /* -1 = none */
    struct addr icmp_from;
    uint64_t bytes_out, bytes_in; /* payload bytes by the IP header */
    uint32_t concurrency; /* TCP: connections src had open when it asked; 0 = none, unknown */
    uint32_t evidence;    /* tracker_evidence() handle, 0 = none */
};

enum { ATTEMPT_MAX_EVIDENCE = 12 };

#endif
