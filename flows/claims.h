/*
 * What a client's ICEWarn claims (P§3.4), held against what the packets show of the same thing: a
 * table, one row per bit that packets can confirm or contradict. Pure. Bits that are not in it
 * (policy, proxies, the client's memory ...) leave no trace on the wire.
 */
#ifndef EW_FLOWS_CLAIMS_H
#define EW_FLOWS_CLAIMS_H

#include "flows/verdict.h"

#include <stdbool.h>

/* The wire's side: the pair or leg that failed, and the relay allocation of the client that claims,
 * if one was seen. */
struct claim_wire {
    uint8_t leg, verdict;
    bool tcp;            /* of the pair or leg */
    uint16_t error_code; /* of an alloc-fail */
    bool asked;          /* the client asked a relay for a port; what follows is of that */
    bool granted, relay_tcp, ms;
    unsigned sends, answered; /* peers that it asked for, and that were heard through it */
};

enum claim_says {
    CLAIM_UNKNOWN, /* the packets cannot tell */
    CLAIM_AGREES,  /* what the bit says failed did fail on the wire */
    CLAIM_DENIES,  /* it worked on the wire */
};

/* A bit that is set. words: what the wire shows of it, a literal; NULL for CLAIM_UNKNOWN. */
enum claim_says claim_set(uint32_t bit, const struct claim_wire *w, const char **words);

/* What the wire shows to have failed although none of the bits for it is set in warn, a literal;
 * NULL: nothing. */
const char *claim_missing(uint32_t warn, const struct claim_wire *w);

/* The first bit of warn that the wire denies; 0: none. */
uint32_t claim_denied(uint32_t warn, const struct claim_wire *w, const char **words);

/* The bit of ICEWarn that says the same as a finding of that code; 0: none does. */
uint32_t claim_of_finding(const char *code);

#endif
