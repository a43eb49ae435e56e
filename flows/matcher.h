/*
 * Ties attempts to what was negotiated (design §7, P§9). Pure: no state, no clock, no order: every
 * function looks only at its arguments.
 */
#ifndef EW_FLOWS_MATCHER_H
#define EW_FLOWS_MATCHER_H

#include "flows/facts.h"
#include "capture/frame.h"
#include "flows/verdict.h"

/* Join keys, strongest first: the bit order is the order in failures.matched_by. */
enum match_key {
    KEY_RELAY_ADDRESS = 1 << 0, /* SYN source or destination = allocated relay address */
    KEY_ALIAS = 1 << 1,         /* ... through the alias map, or same port with agreeing far end */
    KEY_SEND_DESTINATION = 1 << 2, /* far end = DESTINATION of a Send through that relay */
    KEY_CANDIDATE = 1 << 3,        /* an end is a candidate of the call */
    KEY_DEFAULT_ADDRESS = 1 << 4,  /* an end is the c=/m= address of the call */
    KEY_RPORT = 1 << 5, /* rport of the relay candidate = client's port on its relay connection */
    KEY_UFRAG = 1 << 6, /* ufrags of a nested or direct check = the call's */
    KEY_CONNECTION_ID = 1 << 7,
    KEY_TURN_CALL_ID = 1 << 8, /* Call-ID inside TURN = the call's */
    KEY_MEDIA_DEBUG = 1 << 9,  /* LocalMR/RemoteMR name the pair, or ICEWarn its failure */
    MATCH_KEYS = 10
};

/* "relay-address,alias,..." into out (room for 160). */
char *match_keys_text(unsigned keys, char out[160]);

enum confidence { CONFIDENCE_UNMATCHED, CONFIDENCE_PROBABLE, CONFIDENCE_CONFIRMED };
const char *confidence_name(enum confidence c);

/* Two agreeing keys = confirmed, one = probable (alias alone is none). both_ends: the call named
 * both ends, one on each side, which is as good as two keys. */
enum confidence match_confidence(unsigned keys, bool both_ends);

/* The question: two ends of a pair, seen at a time, held against one call's medium and the
 * allocations that own the ends. end[0] is who asked (SYN or check). */
struct match_end {
    struct endpoint wire; /* as captured */
    struct endpoint pub;  /* through the alias map; = wire without one */
    bool aliased;
    const struct fact_allocation *allocation; /* whose relay port this end is, or NULL */
};
struct match_question {
    struct match_end end[2];
    uint8_t proto;
    const struct fact_call *call; /* or NULL */
    unsigned medium;              /* index in call->media */
    bool any_edge[2];             /* the end's address is a known relay's or Edge's */
};
struct match_answer {
    unsigned keys; /* enum match_key */
    int near;      /* which end is on our side: 0 or 1 */
    int side[2];   /* enum call_side of each end, -1 unknown */
    const struct fact_candidate *candidate[2];
    bool preset[2];               /* the end is the c=/m= address of its side */
    bool both_ends;               /* the call named both, one on each side */
    const struct fact_send *send; /* through the near end's relay to the far end, or NULL */
};

/* Judges one question. Never rejects for a "passive" source candidate (P§2.6). */
void match_judge(const struct match_question *q, struct match_answer *out);

/* What the header says, taken apart: into *room, unless that was done before. NULL if it can't be.
 */
const struct ms_diag *match_said(const struct fact_diag *d, struct ms_diag *room);

/* Did the scope live at t? Ports are reused, so a match counts only then. slack: of how far t may
 * lie before the start (signaling seen late, clocks of two spans apart). */
bool match_call_alive(const struct fact_call *c, tick_t t, tick_t slack);
bool match_allocation_alive(const struct fact_allocation *a, tick_t t, tick_t slack);

/* Is the relay port ep one of the allocation's? */
bool match_owns(const struct fact_allocation *a, const struct endpoint *ep);

/* A failure: the row of the contract (design §8), flat, texts lent. */
struct failure {
    int64_t id; /* run-unique, from 1 */
    uint64_t event_id;
    tick_t first, last;
    uint8_t leg, proto, verdict, quality;
    bool info;                /* severity 'info' */
    struct endpoint src, dst; /* as on the wire */
    struct addr src_public;   /* alias of src.addr; none = same or unknown */
    struct addr dst_public;
    uint32_t attempts, syns, rsts;
    int64_t rtt_us; /* -1 = none */
    int16_t icmp_type, icmp_code;
    struct addr icmp_from;
    char grade; /* 'A' 'B' 'C' */
    unsigned keys;
    uint8_t confidence;
    const char *call_id, *caller, *callee, *medium; /* NULL = unknown */
    char local_candidate[80], remote_candidate[80]; /* "" = unknown */
    struct endpoint client;                         /* none = unknown */
    int64_t call_row, allocation_row;               /* fact ids, 0 = none */
    uint64_t attempt;        /* the attempt that the verdict is taken from, 0 = none */
    uint16_t error_code;     /* alloc-fail: last TURN error */
    const char *finding;     /* code of the likeliest finding, NULL = none */
    const char *explanation; /* plain sentences */
    const char *advice;
    const char *partner; /* the far end by its certificate, NULL = unknown */
};

#endif
