/*
 * Shared by frame.c (IP and above), frame_link.c (below IP) and frame_tunnel.c (IP in something in
 * IP); nobody else includes it.
 */
#ifndef EW_CAPTURE_FRAME_INNER_H
#define EW_CAPTURE_FRAME_INNER_H

#include "capture/frame.h"

/* One frame on its way through the layers. Every layer gets a slice of captured bytes; `missing`
 * more belong to it by its declared length but were not captured. */
struct frame {
    struct packet *out;
    struct fragment *frag;
    size_t missing;
    unsigned depth; /* Ethernet and IP headers taken off */
};

enum {
    ETHER_IP4 = 0x0800,
    ETHER_BRIDGED = 0x6558, /* an Ethernet frame */
    ETHER_VLAN = 0x8100,
    ETHER_IP6 = 0x86dd,
    ETHER_MPLS = 0x8847,
    ETHER_MPLS_MULTICAST = 0x8848,
    ETHER_PPPOE = 0x8864,
    ETHER_QINQ = 0x88a8,
    ETHER_QINQ_OLD = 0x9100,
    ETHER_QINQ_OLDER = 0x9200,
    ETHER_LEAST = 0x0600, /* below: a length, 802.3 */
};

/* s without its first n bytes, which it has. */
static inline struct slice slice_cut(struct slice s, size_t n)
{
    return slice_of(s.p + n, s.n - n);
}

/* A header declares n bytes from the start of s on: drops padding, notes what was not captured. */
static inline struct slice frame_declared(struct frame *f, struct slice s, size_t n)
{
    f->missing = n > s.n ? n - s.n : 0;
    return slice_of(s.p, n < s.n ? n : s.n);
}

/* False: too many layers. */
static inline bool frame_deeper(struct frame *f)
{
    return ++f->depth <= FRAME_MAX_LAYERS;
}

/* frame_link.c */
enum frame_kind frame_link(struct frame *f, uint16_t linktype, struct slice s);
enum frame_kind frame_ethernet(struct frame *f, struct slice s);
enum frame_kind frame_ethertype(struct frame *f, uint16_t type, struct slice s);
/* Could these bytes be an Ethernet frame with something we know in it, an IP packet? For places
 * where nothing but a port number or a guess says so. */
bool frame_like_ethernet(struct slice s);
bool frame_like_ip(struct slice s);

/* frame.c */
enum frame_kind frame_ip(struct frame *f, struct slice s); /* version by its first four bits */
enum frame_kind frame_ip4(struct frame *f, struct slice s);
enum frame_kind frame_ip6(struct frame *f, struct slice s);

/* frame_tunnel.c */
enum frame_kind frame_gre(struct frame *f, struct slice s);
/* False: payload to this UDP port is not a tunnel; f is as it was. */
bool frame_udp_tunnel(struct frame *f, uint16_t port, struct slice s, enum frame_kind *kind);

#endif
