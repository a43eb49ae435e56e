/*
 * In-order byte streams out of TCP flows, as their readers see them.
 *
 * The feeder (feeder.h) decides per flow and segment. While a flow's segments arrive in order and
 * hold whole messages, the reader gets them straight from the packet; a message that spans segments
 * is collected (rest.h). As soon as something is missing or reordered, the flow goes through
 * libnids (streams_nids.c), each direction for itself, and reads from the packets again once
 * nothing is left waiting.
 */
#ifndef EW_FLOWS_STREAMS_H
#define EW_FLOWS_STREAMS_H

#include "capture/frame.h"
#include "flows/tracker.h"

enum stream_side { SIDE_CLIENT, SIDE_SERVER }; /* who sent the bytes */

/* What the reader tells after looking at bytes. */
struct stream_take {
    size_t used; /* bytes consumed from the front of avail; the rest comes again with more behind */
    bool release; /* the flow is not, or no longer, worth reading: free everything */
};

/* A stream as given to the reader. user belongs to the reader; set up at first data, and handed
 * back in over(). */
struct stream {
    const struct flow *flow;
    void *user;
    tick_t time; /* of the packet that brought the newest bytes, or closed the stream */
    uint16_t iface;
    bool from_start; /* the handshake was seen: offset 0 is the first byte of the connection */
};

struct stream_reader {
    void *arg;
    /* avail is contiguous, starting at the first unconsumed byte of this side. */
    struct stream_take (*data)(void *arg, struct stream *s, enum stream_side side,
                               struct slice avail);
    /* bytes are missing at this point of this side (0 = unknown how many); unconsumed bytes before
     * the gap are gone. Resynchronise. */
    void (*gap)(void *arg, struct stream *s, enum stream_side side, uint32_t missing);
    /* No more data: closed, reset, released, evicted. Frees user. closed: FIN or RST was seen. */
    void (*over)(void *arg, struct stream *s, bool closed);
};

#endif
