/*
 * Microsoft Point-to-Point Compression (RFC 2118) with its 8192-byte history, which MS-SIPCOMP
 * calls LZ77-8K. Bits come most significant first:
 *
 *   literal   below 0x80: 0 + 7 bits        from 0x80: 10 + 7 bits
 *   offset    below 64: 1111 + 6 bits       below 320: 1110 + 8 bits (less 64)
 *             below 8192: 110 + 13 bits (less 320)
 *   length    3: 0    4-7: 10 + 2 bits    8-15: 110 + 3 bits    ...    4096-8191: 11 ones, 0, 12
 * bits
 */
#ifndef EW_FLOWS_WIRE_MPPC_H
#define EW_FLOWS_WIRE_MPPC_H

#include "flows/wire/wire.h"

enum { MPPC_HISTORY = 8192 };

/* The newest bytes that both ends have; all zero = none. */
struct mppc {
    uint8_t history[MPPC_HISTORY];
    uint64_t seen; /* bytes in all */
};

/* Decodes one packet's data and adds what comes out to the history. *n: bytes written. BAD: a copy
 * from before the history's beginning, a token that is cut, more than room (the history is then of
 * no use any more). */
enum wire_result mppc_decode(struct mppc *m, struct slice in, uint8_t *out, size_t room, size_t *n,
                             struct wire_fault *fault);

#endif
