/*
 * The synthetic packets that libnids gets to see: 20 bytes of IPv4, 20 bytes of TCP, 4 more of
 * options in a SYN. Nothing of the captured headers gets through: no real address, no option, no
 * window, no checksum.
 *
 * A stream's number is its address: number n talks from 240.0.0.0 + n, always to the same server
 * and ports. That serves IPv4 and IPv6 alike, with a map that can't grow beyond the streams
 * themselves; and the addresses that libnids stumbles over (0/8, 127/8, multicast) never reach it.
 */
#ifndef EW_FLOWS_SYNTH_H
#define EW_FLOWS_SYNTH_H

#include "capture/bytes.h"

#define SYNTH_CLIENT UINT32_C(0xf0000000) /* 240.0.0.0; the stream's number is added */
#define SYNTH_SERVER UINT32_C(0xfffffffe) /* 255.255.255.254 */

enum {
    SYNTH_HEADERS = 40,
    SYNTH_HEADERS_MAX = 44, /* of a SYN: with window scale */
    SYNTH_CLIENT_PORT = 1024,
    SYNTH_SERVER_PORT = 1025,
    SYNTH_STREAMS_MAX = 0x0ffffffd, /* the numbers below the server's address */
};

struct synth {
    uint32_t stream; /* 1 to SYNTH_STREAMS_MAX */
    bool from_client;
    uint8_t flags; /* TCP_*; with TCP_SYN the window scale 14 is announced */
    uint32_t seq, ack;
};

/* Writes the headers of a segment with n bytes of payload and returns their length. The whole must
 * stay below 64 KiB. */
size_t synth_headers(const struct synth *s, size_t n, uint8_t out[SYNTH_HEADERS_MAX]);

#endif
