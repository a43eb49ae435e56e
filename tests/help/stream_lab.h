/*
 * TCP flows made by hand for the feeder's tests, and a reader that writes down what it is given.
 */
#ifndef EW_TESTS_HELP_STREAM_LAB_H
#define EW_TESTS_HELP_STREAM_LAB_H

#include "flows/feeder.h"

enum { LAB_GAPS = 64 };

/* What a reader got of one stream. */
struct lab_seen {
    uint8_t *bytes[2]; /* consumed, by side, gaps left out */
    size_t n[2], room[2];
    struct {
        enum stream_side side;
        size_t at; /* bytes of the side consumed before it */
        uint32_t missing;
    } gap[LAB_GAPS];
    unsigned gaps;
    unsigned begun, over, closed; /* streams */
    bool from_start;
    unsigned calls; /* of data() */
    size_t largest; /* avail seen */
};

/* Consumes whole units: lines up to and with '\n', or everything if lines is false. */
struct lab_reader {
    struct lab_seen seen;
    bool lines;
    const char *release_on; /* a unit that begins so ends the interest */
};

struct stream_reader lab_stream_reader(struct lab_reader *r);
void lab_reader_free(struct lab_reader *r);

/* A flow with its handshake seen; ISNs given. */
struct flow lab_flow(uint32_t client_isn, uint32_t server_isn);
/* One whose beginning was not captured. */
struct flow lab_midstream(void);

/* Deterministic random numbers (xorshift64*); the seed must not be 0. */
uint64_t lab_random(uint64_t *state);

/* Builds and feeds a segment: offsets count from the first byte of each side (ISN + 1). */
struct lab_conn {
    struct feeder *feeder;
    struct flow *flow;
    uint32_t client, server; /* sequence numbers of the first bytes */
    tick_t now;
};
struct lab_conn lab_connect(struct feeder *f, struct flow *flow, uint32_t client_isn,
                            uint32_t server_isn);
void lab_send(struct lab_conn *c, enum stream_side from, uint32_t at, struct slice data,
              uint32_t acks);
void lab_text(struct lab_conn *c, enum stream_side from, uint32_t at, const char *text);
void lab_ack(struct lab_conn *c, enum stream_side from, uint32_t acks);
/* FIN, RST and the like; at and acks as above. */
void lab_flags(struct lab_conn *c, enum stream_side from, uint8_t flags, uint32_t at,
               uint32_t acks);

#endif
