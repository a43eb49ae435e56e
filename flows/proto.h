/*
 * What is this stream, and what does it say? The reader behind the feeder: recognises a TCP stream
 * by its first bytes (ports are hints only), walks its messages with the wire parsers, and hands
 * them to calls and allocations.
 *
 *   SIP · WebSocket with SIP · pseudo-TLS + TURN framing (MS-TURN) · TURN (RFC) · RFC 4571 with
 * checks everything else, and relay control that turned into bulk media, is released
 */
#ifndef EW_FLOWS_PROTO_H
#define EW_FLOWS_PROTO_H

#include "flows/handover.h"
#include "flows/streams.h"

struct proto;
struct feeds;

struct proto_config {
    struct handover *handover;              /* where messages go */
    struct joiner *joiner;                  /* asked about relays, after settling */
    const uint16_t *sip_ports, *turn_ports; /* hints, lent */
    unsigned n_sip_ports, n_turn_ports;
    struct feeds *feeds;   /* for HEP in datagrams; NULL = not looked for */
    struct tls_keys *keys; /* lent; NULL = none */
};

struct proto_counts {
    uint64_t sip_streams, turn_streams, ice_streams, websocket_streams, tls_streams,
        unknown_streams;
    uint64_t resyncs, bad_frames, bulk_released, ice_messages;
    uint64_t oversized; /* SIP messages given up because of their size */
    uint64_t compressed_streams, compressed_unread; /* MS-SIPCOMP; of these given up unread */
    uint64_t tls_read;                              /* of tls_streams: decrypted */
    uint64_t tls_refused;                           /* TLS connections beyond LIMIT_TLS_LINKS */
};

struct proto *proto_new(const struct proto_config *c);
void proto_free(struct proto *p);
/* Other ports as hints, lent, for streams that begin from now on. */
void proto_hints(struct proto *p, const uint16_t *sip_ports, unsigned n_sip_ports,
                 const uint16_t *turn_ports, unsigned n_turn_ports);
/* The reader to give to feeder_new(); lives as long as p. */
const struct stream_reader *proto_reader(struct proto *p);
void proto_counts(const struct proto *p, struct proto_counts *out);

/* Packet time goes on: silence, and keys that came late. */
void proto_advance(struct proto *p, tick_t now);

/* One UDP datagram's payload. True if it was STUN/TURN: *stun is then set for the tracker. */
bool proto_datagram(struct proto *p, const struct packet *pkt, struct stun_msg *stun);

#endif
