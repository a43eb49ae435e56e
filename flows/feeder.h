/*
 * Feeds TCP payload to readers, and makes libnids sufficient for the hard part (design §3,
 * docs/DESIGN.md): never a raw packet, never a SYN, own private copies, IPv6 as 240.0.0.0/4,
 * made-up handshakes, clamped acknowledgments, healed holes, sweeps.
 */
#ifndef EW_FLOWS_FEEDER_H
#define EW_FLOWS_FEEDER_H

#include "flows/streams.h"

struct feeder;

struct feeder_counts {
    uint64_t direct_segments; /* read in order without libnids */
    uint64_t nids_segments;   /* through libnids */
    uint64_t streams, adopted, released, swept, evicted;
    uint64_t gaps, gap_bytes;
    uint64_t reopened;        /* closed and adopted anew beyond a hole too large to fill */
    uint64_t nids_warnings;   /* libnids' own complaints (its syslog hook) */
    uint64_t v6_map_full, snapped_segments;
    uint64_t retransmitted;   /* segments wholly seen before */
};

/* Once per process at a time: libnids has global state. Sizes 0 = limits.h. NULL on failure, with
 * *why set. */
struct feeder *feeder_new(uint32_t streams, uint32_t nids_streams,
                          const struct stream_reader *reader, const char **why);
/* Ends every stream (reader->over) and frees. */
void feeder_free(struct feeder *f);

/* One TCP packet and where it belongs. Fast for WATCH_IGNORE flows and pure ACKs. */
void feeder_tcp(struct feeder *f, const struct flow_ref *ref, const struct packet *p);

/* The tracker gives up the flow's entry, or its ports were reused (hooks.flow_over). */
void feeder_flow_over(struct feeder *f, struct flow *flow);

/* Heals holes whose time has come, sweeps idle streams. */
void feeder_advance(struct feeder *f, tick_t now);

/* End of capture: pending holes are healed, remaining bytes delivered, streams ended. */
void feeder_finish(struct feeder *f, tick_t now);

void feeder_counts(const struct feeder *f, struct feeder_counts *out);

#endif
