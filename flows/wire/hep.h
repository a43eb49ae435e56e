/*
 * HEP, the encapsulation in which SIP servers and capture agents send copies of what they see to a
 * collector (Homer Encapsulation Protocol).
 *
 *   HEP3:  "HEP3" | total length, 16 bit | chunk | chunk ...
 *          chunk: vendor, 16 bit | type, 16 bit | length with these 6 bytes, 16 bit | value
 *   HEP1:  version 1 | header length | family | protocol | ports | addresses | payload
 *   HEP2:  the same with version 2, and before the payload: seconds, microseconds (both
 *          little-endian), capture id, 2 bytes of padding. The header length leaves these out.
 *
 * Of the chunks only those of vendor 0 are known; others are stepped over. The last one of a kind
 * counts. The authentication key is never handed out.
 */
#ifndef EW_FLOWS_WIRE_HEP_H
#define EW_FLOWS_WIRE_HEP_H

#include "flows/wire/wire.h"

enum { HEP_MAX = 65535, HEP_SIP = 1 };

struct hep_msg {
    uint8_t version;          /* 1, 2, 3 */
    struct endpoint src, dst; /* of the packet inside; none where not told */
    uint8_t ip_proto;         /* 17 UDP, 6 TCP; Kamailio says 22 for TLS; 0 = not told */
    bool has_time;
    uint32_t seconds, micros; /* the sender's clock, since 1970 */
    uint8_t type;             /* HEP_SIP or another protocol; HEP1 and HEP2 carry SIP only */
    uint32_t agent;           /* capture id, 0 = not told */
    bool compressed;          /* the payload is deflated: payload is empty then */
    struct slice payload;     /* the message inside */
    size_t size;              /* bytes from the front of the input */
};

/* Parses one message at the front of in. stream: HEP3 only, MORE until the declared length is
 * there; fault->offset is then the least size that can do better. datagram: the message ends with
 * the slice; MORE never comes. BAD: no HEP, lengths that contradict each other, a source and a
 * destination of different families, microseconds over 999,999. */
enum wire_result hep_parse(struct slice in, bool datagram, struct hep_msg *out,
                           struct wire_fault *fault);

/* Does a datagram begin like HEP of any version? */
bool hep_looks_like(struct slice in);

#endif
