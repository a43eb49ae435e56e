/*
 * A tracker under test: packets made by hand, and every report written down.
 */
#ifndef EW_TESTS_HELP_TRACKER_LAB_H
#define EW_TESTS_HELP_TRACKER_LAB_H

#include "flows/limits.h"
#include "flows/tracker.h"

enum { LAB_REPORTS = 4096, LAB_SYN = TCP_SYN, LAB_SYNACK = TCP_SYN | TCP_ACK };

struct tracker_lab {
    struct tracker *tracker;
    struct attempt report[LAB_REPORTS]; /* in order; beyond the room only counted */
    bool final[LAB_REPORTS];
    unsigned proofs[LAB_REPORTS]; /* how many packets of evidence there were */
    unsigned reports, flows_over;
    unsigned by_verdict[VERDICTS];     /* final ones */
    const struct addr *wanted;         /* endpoints with this address are wanted; NULL = none */
    unsigned strangers;                /* with wanted set: reports of others, which are not kept */
    bool late;                         /* whether an attempt is wanted is answered later */
    uint64_t answers[LIMIT_QUESTIONS]; /* late: id << 1 | wanted */
    uint64_t fetched;                  /* late: id of the last answer that was asked for */
};

/* seconds, from the lab's beginning of time */
tick_t lab_at(double seconds);

void tracker_lab_open(struct tracker_lab *l, uint32_t flows, uint32_t checks);
/* The same with answers that come late. */
void tracker_lab_open_late(struct tracker_lab *l, uint32_t flows, uint32_t checks);
void tracker_lab_close(struct tracker_lab *l);

/* "10.0.0.1:5000"; aborts on anything else */
struct endpoint lab_end(const char *text);

/* A TCP packet without payload bytes in memory: len is by the IP header. */
struct packet lab_tcp(double at, const char *src, const char *dst, uint8_t flags, uint32_t seq,
                      uint32_t ack, uint32_t len);
/* The same, given to the tracker. */
struct flow_ref lab_segment(struct tracker_lab *l, double at, const char *src, const char *dst,
                            uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len);
/* With a real payload. */
struct flow_ref lab_payload(struct tracker_lab *l, double at, const char *src, const char *dst,
                            uint32_t seq, uint32_t ack, struct slice payload);
/* SYN, SYN-ACK and ACK of src at ISN 100, dst at ISN 900, within 20 ms. */
void lab_handshake(struct tracker_lab *l, double at, const char *src, const char *dst);
/* An ICMP error from a router that quotes a packet of src. */
void lab_icmp(struct tracker_lab *l, double at, const char *router, uint8_t type, uint8_t code,
              uint8_t proto, const char *src, const char *dst, uint32_t seq);
/* A STUN message over UDP; id tells transactions apart. */
void lab_stun(struct tracker_lab *l, double at, const char *src, const char *dst, uint16_t type,
              uint8_t id);

/* Ends the capture; then the only final report, or the last one. Fails the test without one. */
void lab_finish(struct tracker_lab *l, double at);
const struct attempt *lab_last(const struct tracker_lab *l);

#endif
