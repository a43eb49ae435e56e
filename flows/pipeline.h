/*
 * The engine from frame to record: decap, defrag, dedup, tracker, feeder, parsers, sessions,
 * joiner. One thread owns it, and joining may have another (handover.h). What it finds leaves
 * through engine_out; it knows no database, file or clock.
 */
#ifndef EW_FLOWS_PIPELINE_H
#define EW_FLOWS_PIPELINE_H

#include "capture/frame.h"
#include "flows/facts.h"
#include "flows/matcher.h"
#include "flows/tracker.h"

struct finding;
struct relay_trouble;
struct tls_keys;

/* Cause counts per interface and for the engine as a whole; all ever-growing. Every packet has one
 * fate: packets = handled + duplicates + fragments + not_ip + no_link + decode_errors. */
struct iface_counts {
    uint64_t packets, bytes, decode_errors, duplicates, not_ip;
    uint64_t handled;   /* went to the tracker or a parser */
    uint64_t fragments; /* pieces, but for the one that made a datagram whole */
    uint64_t no_link;   /* of a link type that we can't read */
    uint16_t linktype;  /* that one */
};
struct engine_counts {
    uint64_t table_evictions, stream_gaps, one_way_flows, aggregated;
    uint64_t sip_messages, stun_messages, sdp_bodies, sdp_candidates, unreadable_tls;
    uint64_t compressed, compressed_unread; /* connections with MS-SIPCOMP; of these given up */
    uint64_t decrypted_tls;
    uint64_t calls, allocations, attempts, failed_attempts, failures;
    /* of the feeder */
    uint64_t streams, direct_segments, collected_segments, nids_segments, nids_warnings;
    uint64_t feed_messages, feed_sip, feed_bad; /* HEP and SDN; bad: damaged or something else */
};

/* Hourly denominators of known relays (view traffic). */
struct traffic_row {
    tick_t hour;
    struct addr src;
    struct addr dst_net; /* /24 or /48 */
    uint16_t port_from, port_to;
    uint8_t proto;
    uint32_t connected, refused, timeout, other;
};

/* A period of one interface (iface >= 0) or of the engine (iface = -1), view health. */
struct health_row {
    int iface;
    tick_t from, to;
    uint64_t packets, bytes, kernel_drops, nic_drops, ring_drops, decode_errors, duplicates;
    uint64_t table_evictions, stream_gaps, one_way_flows, aggregated;
    uint64_t shed_cut, shed_dropped;
    uint64_t not_ip, fragments, handled; /* the fates of packets that no column above has */
    const char *event;                   /* what happened to the interface or the clock, or NULL */
};

/* What one agent of a feed sent in this run (view logs). The later row of a name replaces the
 * earlier. */
enum feed_kind { FEED_HEP, FEED_SDN, FEED_KINDS };
enum { FEED_NAME = 64 };
struct feed_log {
    char name[FEED_NAME]; /* "hep:10.1.1.5#2001": address, capture id; the origin of its calls */
    enum feed_kind kind;
    tick_t first, last; /* of its messages */
    uint64_t messages, calls;
    tick_t behind_most; /* its clock can't be farther behind ours (below 0: it is ahead); TICK_NONE
                           = it told no times */
};

/* Where records go. Everything is lent. Calls, allocations and failures may come again with the
 * same id: the later one replaces the earlier. */
struct engine_out {
    void *arg;
    void (*attempt)(void *arg, const struct attempt *a, const struct evidence *ev, unsigned n_ev);
    void (*attempt_failure)(void *arg, uint64_t attempt, int64_t failure);
    void (*call)(void *arg, const struct fact_call *c);
    void (*allocation)(void *arg, const struct fact_allocation *a);
    void (*alias)(void *arg, const struct fact_alias *a);
    /* with its findings, likeliest first; they replace earlier ones of the same id */
    void (*failure)(void *arg, const struct failure *f, const struct finding *list, unsigned n);
    void (*failure_gone)(void *arg, int64_t id);
    /* packet-time progress, for batches by packet time */
    void (*advance)(void *arg, tick_t now);
    void (*traffic)(void *arg, const struct traffic_row *r);
    /* packet time leapt: back by more than 10 s, or ahead by more than an hour (live: 5 s); may be
     * NULL */
    void (*leap)(void *arg, tick_t from, tick_t to);
    /* signaling or TURN was recognised at this port over TCP; may be NULL */
    void (*signaling)(void *arg, uint16_t port);
    /* what joiner_relay_trouble() was told, for joining with another run; may be NULL */
    void (*trouble)(void *arg, const struct relay_trouble *t);
    void (*feed)(void *arg, const struct feed_log *l); /* may be NULL */
    /* a TLS connection, again with the same id when more is known of it; may be NULL */
    void (*tls)(void *arg, const struct fact_tls *t);
};

struct engine_config {
    const char *sensor;
    const struct fact_alias *aliases; /* --nat */
    unsigned n_aliases;
    const struct addr *edges; /* --edge */
    unsigned n_edges;
    uint16_t relay_low, relay_high;         /* --relay-ports */
    const uint16_t *sip_ports, *turn_ports; /* hints */
    unsigned n_sip_ports, n_turn_ports;
    uint64_t seed;         /* of all hashes, and of raw_packet.decoded; 0 = one is drawn */
    uint32_t flows;        /* table size, 0 = limits.h */
    struct tls_keys *keys; /* what TLS may be read with; lent, NULL = nothing */
    bool live; /* frames come as they happen and pipeline_idle() tells of silence: time that leaps
                  is a clock that was set, not a pause */
    bool shed; /* the source cuts what is no signaling: such a cut is no gap */
    const struct joiner_veil *veil; /* lent; NULL: nothing is hidden */
    bool threads; /* joining has a thread of its own: hooks of engine_out are called from there, one
                     at a time, and none after pipeline_settle() */
    bool interim; /* long calls and allocations get a row before they end: for who looks on live.
                     Without it, 100,000 calls cost a quarter fewer rows */
};

struct pipeline;

/* NULL on failure with *why set. */
struct pipeline *pipeline_new(const struct engine_config *c, const struct engine_out *out,
                              const char **why);
void pipeline_free(struct pipeline *p);
/* Aliases, Edges, relay ports and port hints of c take effect from now on; its lists are lent from
 * now on in place of the earlier ones. The rest of c is not looked at. */
void pipeline_reconfigure(struct pipeline *p, const struct engine_config *c);
/* Frames in order of time; groups of up to PIPELINE_GROUP are faster than single ones, because what
 * their flows need from memory is asked for before it is needed. All lent during the call. */
enum { PIPELINE_GROUP = 32 };
void pipeline_frames(struct pipeline *p, const struct raw_packet *raw, unsigned n);
/* Waits until all that the frames so far have brought is told to engine_out. Until the next frames
 * no hook is called. pipeline_counts(), pipeline_reconfigure() and pipeline_finish() do the same.
 */
void pipeline_settle(struct pipeline *p);
/* Silence: packet time may go on to now. */
void pipeline_idle(struct pipeline *p, tick_t now);
/* The sensor lost packets in this span of time. */
void pipeline_lossy(struct pipeline *p, tick_t from, tick_t to);
/* The source drops one direction or both of relay media at the moment: silence of a connection that
 * is older than that says nothing of the span port. */
void pipeline_dropping(struct pipeline *p, bool on);
/* End of input: everything open is decided and emitted. */
void pipeline_finish(struct pipeline *p);
void pipeline_counts(struct pipeline *p, struct engine_counts *out);
void pipeline_iface_counts(struct pipeline *p, unsigned iface, struct iface_counts *out);
/* First and last packet time, TICK_NONE if there was none. */
void pipeline_span(const struct pipeline *p, tick_t *first, tick_t *last);

#endif
