/*
 * The packets kept for a failure, decoded as far as a story needs.
 */
#ifndef EW_REPORT_EVIDENCE_H
#define EW_REPORT_EVIDENCE_H

#include "capture/frame.h"
#include "storage/query.h"

enum { EVIDENCE_LABEL = 40 };

struct evidence_packet {
    tick_t time;
    int64_t attempt;
    bool readable; /* what follows is set */
    struct endpoint src, dst;
    uint8_t proto, flags, ttl;
    bool icmp; /* an ICMP error; src is who sent it */
    uint8_t icmp_type, icmp_code;
    uint32_t seq;
    int ip_id;                  /* -1 = IPv6 */
    char label[EVIDENCE_LABEL]; /* "SYN", "RST, ACK", "ICMP 3/13", "STUN request" */
};

/* The packets of failure id in order of time. *out is freed with free(). Returns how many, -1 if
 * the database fails or memory is short. */
int64_t evidence_load(struct query_db *db, int64_t failure, struct evidence_packet **out);

#endif
