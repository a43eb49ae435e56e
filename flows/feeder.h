/*
 * Feeds TCP payload to readers, and makes libnids sufficient for the hard part (design §3,
 * docs/DESIGN.md): never a raw packet, never a SYN, own private copies, IPv6 as 240.0.0.0/4,
 * made-up handshakes, clamped acknowledgments, healed holes, sweeps.
 *
 * A segment in order is read from the packet itself; what the reader leaves of it, the front of a
 * message, is collected until the rest has come. What arrives out of order, or behind a hole, goes
 * through libnids (reassembly.c).
 */
#ifndef EW_FLOWS_FEEDER_H
#define EW_FLOWS_FEEDER_H

#include "flows/streams.h"

struct feeder;

struct feeder_counts {
    uint64_t direct_segments;    /* read in order from the packet itself */
    uint64_t collected_segments; /* in order too, the rest of a message that began before */
    uint64_t nids_segments;      /* through libnids */
    uint64_t streams;
    uint64_t adopted;         /* of these, begun without sight of their start */
    uint64_t released;        /* the reader wanted no more */
    uint64_t swept;           /* places in libnids taken back after STREAM_IDLE */
    uint64_t evicted;         /* streams, or places in libnids, that made room for newer ones */
    uint64_t gaps, gap_bytes; /* told to the reader; bytes where their number is known */
    uint64_t reopened;        /* gone on far away from where the stream stood */
    uint64_t nids_warnings;   /* libnids' own complaints (its syslog hook) */
    uint64_t no_memory; /* what a stream held was lost for lack of memory, here or in libnids */
    uint64_t snapped_segments; /* cut by the capture: what is missing is told as a gap */
    uint64_t retransmitted;    /* segments wholly seen before */
};

/* One at a time in a process: libnids has global state. Sizes 0 = limits.h; libnids' own table is
 * sized by the first one. The reader must not call the feeder. NULL on failure, with *why set. */
struct feeder *feeder_new(uint32_t streams, uint32_t nids_streams,
                          const struct stream_reader *reader, const char **why);
/* Ends every stream (reader->over) and frees. */
void feeder_free(struct feeder *f);

/* One TCP packet and where it belongs. Fast for WATCH_IGNORE flows and pure ACKs. A stream begins
 * with the first payload of its flow. It ends when both sides' FIN, or a RST, was reached: the flow
 * is WATCH_IGNORE from then on, until the ports are used anew (ref->fresh). */
void feeder_tcp(struct feeder *f, const struct flow_ref *ref, const struct packet *p);

/* Asks early for the memory that feeder_tcp() will need for this flow. Changes nothing. */
void feeder_hint(const struct feeder *f, const struct flow *flow);
/* And what the reader keeps of it: once the memory that feeder_hint() asked for has come. */
void feeder_hint_reader(const struct feeder *f, const struct flow *flow);

/* The tracker gives up the flow's entry, or its ports were reused (hooks.flow_over). */
void feeder_flow_over(struct feeder *f, struct flow *flow);

/* Heals holes whose time has come; idle streams leave libnids, and stay with their reader. */
void feeder_advance(struct feeder *f, tick_t now);

/* End of capture: pending holes are healed, remaining bytes delivered, streams ended. */
void feeder_finish(struct feeder *f, tick_t now);

void feeder_counts(const struct feeder *f, struct feeder_counts *out);

#endif
