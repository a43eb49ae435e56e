/*
 * HEP3 around a SIP message, as an agent beside a front end sends it to its collector. Written from
 * the format's description, chunk by chunk, apart from the parser that reads it.
 */
#ifndef EW_PCAPS_HEP_H
#define EW_PCAPS_HEP_H

#include "pcaps/make/buf.h"
#include "pcaps/make/packet.h"

struct hep_of {
    struct endpoint4 from, to; /* of the message inside, over TCP */
    int64_t at;                /* the agent's clock, microseconds since 1970 */
    uint32_t agent;
};

void hep_write(struct buf *b, const struct hep_of *h, const struct buf *message);

#endif
