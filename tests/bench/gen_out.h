/*
 * A capture file written as it is invented, in time order, with the defects real captures have
 * (loss, duplicates, reordering), and TCP flows that keep their own sequence numbers.
 */
#ifndef EW_BENCH_GEN_OUT_H
#define EW_BENCH_GEN_OUT_H

#include "pcaps/make/buf.h"
#include "pcaps/make/packet.h"

#define GEN_MS(n) ((int64_t)(n)*1000)
#define GEN_S(n) ((int64_t)(n)*1000000)

enum { OUT_LATE_MAX = 4 };

struct late {
    int positions; /* packets that overtake this one; 0 = free */
    size_t n;
    uint8_t bytes[PACKET_MAX];
};

struct out {
    FILE *file;
    int64_t now; /* microseconds since 1970; never goes back */
    uint64_t random;
    double lost, doubled, reordered; /* probability per packet */
    uint64_t packets, bytes, flows;
    struct late late[OUT_LATE_MAX];
    uint8_t frame[PACKET_MAX];
};

/* Side 0 is the one that connects. */
struct flow {
    struct endpoint4 end[2];
    uint32_t seq[2];
    uint16_t ip_id[2];
    uint8_t ttl[2];
};

int out_open(struct out *o, const char *path, int64_t start, uint64_t seed);
int out_close(struct out *o);

/* Moves the clock forward; a time already past changes nothing. */
void out_at(struct out *o, int64_t when);

void flow_start(struct out *o, struct flow *f, struct endpoint4 from, struct endpoint4 to);
void flow_tcp(struct out *o, struct flow *f, int side, uint8_t flags, const void *data, size_t n);
void flow_syn(struct out *o, struct flow *f, bool last_try); /* does not count in seq */
void flow_syn_ack(struct out *o, struct flow *f);
void flow_established(struct out *o, struct flow *f); /* the third packet */
void flow_refuse(struct out *o, struct flow *f);
void flow_data(struct out *o, struct flow *f, int side, const void *data, size_t n); /* by MSS */
void flow_fin(struct out *o, struct flow *f, int side);
void flow_prohibited(struct out *o, struct flow *f,
                     uint32_t router); /* ICMP 3/13, quotes the SYN */
void flow_udp(struct out *o, struct flow *f, int side, const void *data, size_t n);

#endif
