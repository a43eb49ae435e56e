/*
 * Findings: hypotheses with their evidence, what speaks against them, and what would settle them
 * (design §11, P§7.4). A table of rules, each a pure function. Facts stay in failures; a finding
 * never claims more than "likely" or "possible".
 */
#ifndef EW_FLOWS_FINDINGS_H
#define EW_FLOWS_FINDINGS_H

#include "flows/matcher.h"
#include "flows/pipeline.h"

/* Every code that a finding may have (design §11). */
#define FINDING_CODES                                                                            \
    "admin-prohibited, client-endpoint-filter, conflict-with-endpoint, connection-table-limit, " \
    "far-side-refuses, hairpin-missing, no-relay-on-peer, own-outbound-range-blocked, "          \
    "permission-race, private-relay-address, relay-auth-failed, relay-ports-exhausted, "         \
    "relay-quota, sensor-blind, signaling-tls-failed, silent-drop, tls-inspection-on-443"

enum { FINDING_TEXT = 1024, FINDING_ADVICE = 512, FINDINGS_MAX = 8 };

struct finding {
    const char *code;            /* "own-outbound-range-blocked" ... */
    bool likely;                 /* else possible */
    char evidence[FINDING_TEXT]; /* JSON object: {"for":[...],"against":[...],"settle":[...]} */
    char advice[FINDING_ADVICE]; /* what to check or ask for, with addresses and times to paste */
};

/* What a rule may look at besides the failure itself. Unknown = 0/NULL/TICK_NONE. */
struct failure_context {
    const struct fact_call *call;
    const struct fact_allocation *allocation; /* of the near side */
    const struct attempt *attempt;            /* the one the verdict is from */
    const struct fact_send *send;             /* for this pair */
    bool far_sent_first;                      /* the far side's own check or SYN was seen before */
    bool from_far;                  /* the attempt of the verdict came from the far side */
    int near_side;                  /* enum call_side of our end in call, -1 unknown */
    uint16_t relay_low, relay_high; /* --relay-ports, 0 = 50000-59999 */
    bool both_local;                /* both ends are relays of the same Edge */
    bool other_pair_connected;      /* same medium */
    int tls_instead;                /* enum tls_instead, -1 = n/a */
    const char *tls_detail;         /* who complained about what; NULL or "" = not known */
};

/* A client says by ICEWarn, after it happened, what the packets show of this failure: a bit that is
 * not normal in many networks and that agrees (claims.h). The other client may say it of a way
 * between relays. */
bool findings_endpoint_agrees(const struct failure *f, const struct failure_context *ctx);

/* Findings of one failure, likeliest first. Returns how many. */
unsigned findings_of_failure(const struct failure *f, const struct failure_context *ctx,
                             struct finding out[FINDINGS_MAX]);

/* Plain-language explanation of one failure, facts only (for failures.explanation). */
const char *finding_explain(const struct failure *f, const struct failure_context *ctx, char *out,
                            size_t room);

/* What findings across failures look at: one summary per failure or connected attempt of relays. On
 * the client-relay leg the peer is the client. */
struct window_row {
    tick_t first;
    struct addr edge; /* near relay address (public if known) */
    struct addr peer;
    uint16_t peer_port;
    uint8_t verdict, leg, proto;
    bool info;
    bool from_peer; /* the peer asked, not the Edge: rules on outbound ways pass over it */
    int16_t icmp_type, icmp_code; /* of an unreachable one */
    struct addr icmp_from;        /* none = unknown */
    uint16_t error_code;          /* of an alloc-fail */
    int64_t failure;              /* 0: a connected attempt */
    uint32_t concurrency;         /* connections of the asking end open then, 0 = unknown */
};
struct window_finding {
    struct finding finding;
    unsigned n_failures;
    int64_t failures[32]; /* examples, at most 32 */
};
/* rows in time order. capture_blind: share of the window that is blind, 0..1. Findings that are
 * likely come first, then those with more failures. Returns how many (0 if memory fails: nothing is
 * claimed). */
unsigned findings_of_window(const struct window_row *rows, size_t n, double capture_blind,
                            struct window_finding out[FINDINGS_MAX]);

#endif
