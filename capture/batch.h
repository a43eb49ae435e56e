/*
 * A batch: one piece of memory with many frames in it and a list that says where each one lies.
 * Frames are handed from thread to thread by the batch, never one by one.
 *
 *   bytes:   | ... carried record | header frame | header frame | cut rec| free |
 *                                 ^ at (looked at so far)       ^ end    ^ size
 *   packets: [0] [1] ... [count-1]
 */
#ifndef EW_CAPTURE_BATCH_H
#define EW_CAPTURE_BATCH_H

#include "capture/frame.h"

#include <stdint.h>

enum { FRAME_MAX_BYTES = 262144 }; /* a longer frame is damage: no interface has such a MTU */

struct batch_packet {
    tick_t time;
    uint32_t offset; /* of the frame in bytes */
    uint32_t caplen;
    uint32_t len;
    uint16_t linktype;
    uint16_t iface;
};

struct batch {
    uint8_t *bytes;
    size_t size;    /* of bytes */
    size_t at, end; /* a file's parser: looked at up to, filled up to */
    struct batch_packet *packets;
    struct decoded
        *decoded; /* as many: the same packets' contents, if the source looks into them */
    size_t room;  /* of packets */
    size_t count;
    size_t n_decoded; /* of these: so many of the first ones were looked into */
};

#endif
