/*
 * What all generated files share: the options, the output, the event queue and the ground truth.
 *
 * Ground truth is a TSV file. One line per relay-peer connection attempt:
 *   attempt <TAB> src <TAB> dst <TAB> isn <TAB> verdict <TAB> call-id <TAB> pair
 * where pair is `failed` if no attempt of that pair connected, else `connected`; then lines
 *   total <TAB> name <TAB> number
 */
#ifndef EW_BENCH_GEN_H
#define EW_BENCH_GEN_H

#include "tests/bench/gen_heap.h"
#include "tests/bench/gen_out.h"

struct gen_options {
    uint32_t calls;
    uint64_t seed;
    uint32_t media;      /* packets on each media leg of a connected call */
    uint32_t media_size; /* bytes in one, on average */
    bool signaling_only;
    bool rtp_noise;
    bool only_refused;     /* every call fails by refusal */
    uint32_t scan;         /* SYNs of a port scan beside the calls */
    uint32_t scan_servers; /* one in so many goes to port 443 of a relay server; 0 = none */
    uint32_t scan_gap_us;  /* between two of them */
    uint32_t pause_s;      /* from the start to the first call */
    uint32_t seconds;      /* no call begins after this many; 0 = no such end */
    double rate;           /* calls per second */
    double midstream;      /* share of the trunks that are older than the capture */
};

struct gen {
    struct gen_options opt;
    struct out out;
    struct heap heap;
    FILE *truth; /* or NULL */
    uint64_t random;
};

/* kinds of file; each writes everything and returns 0 or -1 */
int gen_calls(struct gen *g);
int gen_conversations(struct gen *g);

void truth_total(struct gen *g, const char *name, uint64_t n);

#endif
