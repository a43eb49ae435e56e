/*
 * From a captured frame to one flat packet: link layer, VLANs, tunnels, IP, TCP/UDP/ICMP.
 *
 *   Ethernet, 802.1Q, QinQ, MPLS, PPPoE, SLL, SLL2, BSD loopback, raw IP
 *     -> GRE, ERSPAN I/II/III, VXLAN, GENEVE, IP-in-IP (at most FRAME_MAX_LAYERS deep)
 *       -> IPv4 with options, IPv6 with extension headers -> TCP, UDP, ICMP, ICMPv6
 *
 * Pure: no allocation, no log, no clock. The captured length bounds everything; a declared length
 * (IP total length, UDP length) only narrows it, so Ethernet padding never becomes payload.
 */
#ifndef EW_CAPTURE_FRAME_H
#define EW_CAPTURE_FRAME_H

#include "capture/bytes.h"
#include "capture/endpoint.h"
#include "capture/tick.h"

struct decoded;

/* One captured frame as a source hands it out. data is lent until the next call on the source. */
struct raw_packet {
    tick_t time;
    const uint8_t *data;
    uint32_t caplen;               /* bytes at data */
    uint32_t len;                  /* bytes that were on the wire */
    uint16_t linktype;             /* LINKTYPE_/DLT_ value as in pcap files */
    uint16_t iface;                /* index for sources_iface_name() */
    const struct decoded *decoded; /* lent like data; NULL: the source did not look into it */
};

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32 };
enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58 };

/* The packet that an ICMP error quotes. */
struct quoted {
    bool valid;    /* src, dst and proto below were readable */
    uint8_t proto; /* PROTO_TCP or PROTO_UDP (others are not kept) */
    struct endpoint src, dst;
    uint32_t seq;             /* TCP sequence number: the ISN when a SYN is quoted */
    struct slice udp_payload; /* what is quoted of a UDP payload, often empty */
};

/* What is looked at of every packet stands first: one processor writes it, another reads it. */
struct packet {
    tick_t time;
    struct endpoint src, dst; /* ports 0 for ICMP */
    uint8_t proto;            /* PROTO_* */
    uint8_t ttl;              /* of the innermost IP header */
    uint8_t flags;            /* TCP_* (low six bits) */
    bool snapped;             /* payload was cut by the snap length */
    bool df;                  /* IPv4 don't-fragment */
    uint16_t ip_id;           /* IPv4 identification; 0 for IPv6 */
    uint16_t iface;
    uint16_t vlan;   /* outermost VLAN id, 0 = none */
    uint8_t tunnels; /* how many tunnel headers were taken off */
    uint16_t window;
    uint8_t icmp_type, icmp_code;
    uint32_t seq, ack;
    uint32_t payload_len; /* by the IP/UDP header: >= payload.n when snapped */
    struct slice payload; /* as captured, inside raw or inside the defragmenter's buffer */
    struct slice tcp_options;
    struct raw_packet raw; /* the frame as captured, for evidence */
    struct quoted quoted;  /* ICMP errors only */
};

/* A fragment, for the defragmenter: the IP header's facts and its piece of the datagram. */
struct fragment {
    struct addr src, dst;
    uint32_t id;
    uint8_t proto; /* next header of the whole datagram */
    uint8_t ttl;
    bool v6;
    bool more;       /* MF */
    uint16_t offset; /* bytes */
    struct slice data;
    uint32_t data_len; /* by the header; > data.n when snapped: such a fragment can't be used */
};

enum frame_kind {
    FRAME_PACKET,   /* *out is complete */
    FRAME_FRAGMENT, /* *frag is set; give it to defrag, then frame_transport() on the whole */
    FRAME_OTHER,    /* not IP, or a transport we do not follow: fine, counted as such */
    FRAME_NO_LINK,  /* a link type that we can't read */
    FRAME_BAD,      /* cut or contradictory: counted as decode error */
};

/* What can be said of a frame by itself: the source's thread says it (sources_decode()), so that
 * the engine's thread need not. */
struct decoded {
    _Alignas(64) uint64_t dedup; /* FRAME_PACKET: dedup_hash() */
    enum frame_kind kind;        /* a fragment must be decoded again, for its struct fragment */
    uint32_t flow;               /* FRAME_PACKET: endpoint_hash_pair() of src and dst */
    struct packet packet;        /* as frame_decode() sets it, but for raw.decoded */
};

enum { FRAME_MAX_LAYERS = 12 };

/* Decodes one frame. out->raw, time, iface are always set; the rest only for FRAME_PACKET.
 * For FRAME_FRAGMENT, *frag is set and out keeps ttl/vlan/tunnels of the fragment. */
enum frame_kind frame_decode(const struct raw_packet *raw, struct packet *out,
                             struct fragment *frag);

/* Decodes the transport layer of a reassembled datagram (IP payload of frag->proto) into *out,
 * which was filled by the frame_decode() that returned FRAME_FRAGMENT for the last piece. The
 * datagram may itself be a tunnel. */
enum frame_kind frame_transport(const struct fragment *frag, struct slice datagram,
                                struct packet *out, struct fragment *inner);

#endif
