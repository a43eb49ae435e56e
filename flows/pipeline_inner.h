/*
 * Shared by pipeline.c (packets on their way in) and pipeline_rows.c (records on their way out);
 * nobody else includes it.
 */
#ifndef EW_FLOWS_PIPELINE_INNER_H
#define EW_FLOWS_PIPELINE_INNER_H

#include "capture/dedup.h"
#include "capture/defrag.h"
#include "flows/allowance.h"
#include "flows/feeder.h"
#include "flows/feeds.h"
#include "flows/handover.h"
#include "flows/joiner.h"
#include "flows/limits.h"
#include "flows/pipeline.h"
#include "flows/proto.h"
#include "flows/session.h"
#include "flows/tracker.h"
#include "flows/traffic.h"

/* Failed connects of unknown sources: so many rows a minute, the rest is only counted. */
struct source_rate {
    struct addr source;
    struct allowance rows;
};

/* A frame of the group under way. */
struct group_item {
    const struct raw_packet *raw;
    const struct packet *packet; /* the source's, or own */
    uint64_t dedup;
    const struct flow *known; /* only while the packet is looked ahead at */
    uint32_t flow;            /* endpoint_hash_pair() */
    enum frame_kind kind;
    bool tcp;
};
/* What the source did not decode. */
struct group_own {
    struct packet packet;
    struct fragment fragment;
};

struct pipeline {
    struct engine_out out;
    struct group_item group[PIPELINE_GROUP];
    struct group_own own[PIPELINE_GROUP];
    struct dedup *dedup;
    struct defrag *defrag;
    struct joiner *joiner;
    struct calls *calls;
    struct allocations *allocations;
    struct feeds *feeds;
    struct handover *handover; /* what lies behind it: joiner, calls, allocations, feeds, traffic */
    struct proto *proto;
    struct feeder *feeder;
    struct tracker *tracker;
    struct traffic *traffic;
    struct iface_counts *ifaces;
    unsigned n_ifaces;
    tick_t first, last, now, advanced;
    uint64_t gaps; /* at the last look */
    bool live, shed;
    uint64_t seed;
    uint64_t refused; /* memory_refused() when it began */
    struct source_rate rates[LIMIT_SOURCES];
    struct allowance strangers[2]; /* rows of those elsewhere, of those at relays */
    uint64_t aggregated, attempts, failed_attempts, failures;
    bool finishing; /* what ends now ends with the capture, not on the wire */
};

/* What the tracker and the joiner have to say, on its way to p->out. */
struct tracker_hooks pipeline_tracker_hooks(struct pipeline *p);
struct joiner_hooks pipeline_joiner_hooks(struct pipeline *p);
struct handover_to pipeline_second_half(struct pipeline *p);

#endif
