/*
 * Watches every TCP packet and every STUN/TURN request over UDP, and says of each attempt what
 * became of it. libnids can't: it never reports a handshake that failed.
 *
 * TCP: an attempt is (source, destination, ISN). The transition function is pure (handshake.h). UDP
 * checks and TURN transactions: checks.h, driven from here so that one table of deadlines serves
 * both. Time is packet time; silence is an event: tracker_advance() runs what is due.
 *
 * Fixed memory: all tables are allocated by tracker_new(). A full table evicts first SYN-only flows
 * of unknown endpoints, then idle ones, never a flow of a wanted endpoint while others exist.
 */
#ifndef EW_FLOWS_TRACKER_H
#define EW_FLOWS_TRACKER_H

#include "capture/frame.h"
#include "flows/verdict.h"
#include "flows/wire/stun.h"

struct tracker;

/* What the feeder keeps with a flow. The tracker only stores it and tells when it ends. */
enum flow_watch {
    WATCH_UNDECIDED, /* no payload judged yet */
    WATCH_FEED,      /* the feeder reads it: stream is its handle */
    WATCH_IGNORE,    /* known to be of no interest: cost one lookup, nothing more */
};

/* The part of a tracked flow that others see. */
struct flow {
    struct endpoint client, server;  /* client sent the SYN; of a mid-stream flow, a guess: the side
                                        with the higher port, or the first sender */
    uint32_t client_isn, server_isn; /* valid with saw_syn / saw_synack */
    uint32_t stream;                 /* feeder's handle, 0 = none */
    uint8_t watch;                   /* enum flow_watch; written by the feeder */
    bool saw_syn, saw_synack, established, midstream, closing;
};

/* Where a TCP packet belongs. */
struct flow_ref {
    struct flow *flow; /* NULL: table full or packet meaningless */
    bool from_client;
    bool fresh; /* this packet began a new connection on the ports: an old stream is over
                   (hooks.flow_over was called for it) */
};

/* Is a new attempt's endpoint a known relay, allocation or configured Edge? */
enum wanted { WANTED_NO, WANTED_YES, WANTED_LATER };

struct tracker_hooks {
    void *arg;
    /* Asked once per new attempt, and where it was no, again when it is reported. */
    bool (*wanted)(void *arg, const struct endpoint *src, const struct endpoint *dst);
    /* May be NULL. Asked instead of the above if the answer may take its time: with WANTED_LATER it
     * is fetched with answer() when LIMIT_QUESTIONS more attempts have begun, or the attempt ends.
     * Whoever is told of an attempt asks again himself, and knows the answer of those that are
     * still asking. */
    enum wanted (*ask)(void *arg, uint64_t attempt, const struct endpoint *src,
                       const struct endpoint *dst);
    bool (*answer)(void *arg, uint64_t attempt);
    /* An attempt is decided. final: nothing will change (bytes are complete); a connected attempt
     * is reported once when bytes went both ways and again, final, when its flow ends.
     * open-no-check is reported when the silence has lasted long enough, and final when the flow
     * ends: it may still become connected in between. All other failures are reported once, final.
     * a is lent. */
    void (*attempt)(void *arg, const struct attempt *a, bool final);
    /* The flow's entry is about to be reused or its connection replaced; stream is not 0. */
    void (*flow_over)(void *arg, struct flow *f);
};

struct tracker_counts {
    uint64_t tcp_packets, udp_checks, icmp_errors, icmp_unmatched;
    uint64_t attempts, evicted_syn, evicted_flows, evicted_checks, evidence_lost;
    uint64_t midstream_flows, one_way_flows;
};

/* Sizes 0 = limits.h. seed: hash seed. NULL without memory. */
struct tracker *tracker_new(uint32_t flows, uint32_t checks, uint64_t seed,
                            const struct tracker_hooks *hooks);
void tracker_free(struct tracker *t);

/* For packets handled in groups: three steps that ask early for the memory tracker_tcp() will need,
 * each of use only some packets after the one before. The last gives the flow the packet probably
 * belongs to, or NULL. They change nothing. hash: endpoint_hash_pair() of the packet's two ends,
 * with the tracker's seed. */
void tracker_hint(const struct tracker *t, uint32_t hash);
void tracker_hint_entry(const struct tracker *t, uint32_t hash);
const struct flow *tracker_hint_flow(const struct tracker *t, uint32_t hash);

/* One TCP packet, in order of time (small steps back are tolerated). */
struct flow_ref tracker_tcp(struct tracker *t, const struct packet *p);
/* The same where the hash is known. */
struct flow_ref tracker_tcp_at(struct tracker *t, const struct packet *p, uint32_t hash);

/* One STUN/TURN message over UDP: request, answer, error. Others are ignored. */
void tracker_stun(struct tracker *t, const struct packet *p, const struct stun_msg *m);

/* One ICMP or ICMPv6 error with its quoted packet. */
void tracker_icmp(struct tracker *t, const struct packet *p);

/* The sensor lost packets around this time: undecided and soon-decided attempts are 'lossy'. */
void tracker_lossy(struct tracker *t, tick_t from, tick_t to);

/* A stream has a gap: frames were lost that no counter knows of, so that what failed within the
 * same ten seconds is 'lossy'. */
void tracker_gap(struct tracker *t, tick_t now);

/* The clock that stamps packets was set to now: what is pending is decided as at the end of a
 * capture, because no deadline means anything any more. */
void tracker_restart(struct tracker *t, tick_t now);

/* Packets of relay media are dropped on purpose: one direction alone means nothing. */
void tracker_dropping(struct tracker *t, bool on);

/* Runs all deadlines up to now (packet time). Call at least once a second of packet time. */
void tracker_advance(struct tracker *t, tick_t now);

/* End of capture: decides everything that is open as far as the packets allow. */
void tracker_finish(struct tracker *t, tick_t now);

void tracker_counts(const struct tracker *t, struct tracker_counts *out);

/* The handshake and ICMP packets kept for an attempt, oldest first; frames cut to
 * LIMIT_EVIDENCE_BYTES. Valid inside hooks.attempt. Returns how many (0 if overwritten). */
struct evidence {
    tick_t time;
    uint16_t linktype, iface;
    uint32_t caplen, len;
    const uint8_t *bytes;
};
unsigned tracker_evidence(struct tracker *t, uint32_t handle,
                          struct evidence out[ATTEMPT_MAX_EVIDENCE]);

/* Bytes per flow entry, all index slack included, and per check: for the memory test. */
unsigned tracker_bytes_per_flow(void);

#endif
