/*
 * IP and what it carries. The link layers below are in frame_link.c, tunnels in frame_tunnel.c;
 * they call each other as the headers ask for it, at most FRAME_MAX_LAYERS deep.
 */
#include "capture/frame_inner.h"

enum {
    PROTO_HOPOPT = 0,
    PROTO_IP4 = 4,
    PROTO_IP6 = 41,
    PROTO_ROUTING = 43,
    PROTO_FRAGMENT = 44,
    PROTO_GRE = 47,
    PROTO_AH = 51,
    PROTO_DSTOPT = 60,
    PROTO_MOBILITY = 135,
    PROTO_HIP = 139,
    PROTO_SHIM6 = 140,
};

enum { IP4_HEADER = 20, IP6_HEADER = 40, TCP_HEADER = 20, UDP_HEADER = 8, ICMP_HEADER = 8 };

/* Ports, sequence number, data offset and flags: what a snapped TCP header must still have. */
enum { TCP_LEAST = 14 };

/* Same result as addr_v4(be32(p)), but two stores instead of sixteen: this is the hot path. */
static inline struct addr wire_addr4(const uint8_t *p)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct addr a;
    memcpy(a.b, mapped, sizeof mapped);
    memcpy(a.b + sizeof mapped, p, 4);
    return a;
}

static void set_payload(struct frame *f, struct slice s)
{
    f->out->payload = s;
    f->out->payload_len = (uint32_t)(s.n + f->missing);
    f->out->snapped = f->missing > 0;
}

static enum frame_kind frame_tcp(struct frame *f, struct slice s)
{
    struct packet *out = f->out;
    size_t whole = s.n + f->missing;
    if (whole < TCP_HEADER || s.n < TCP_LEAST)
        return FRAME_BAD;
    size_t header = (s.p[12] >> 4) * 4u;
    if (header < TCP_HEADER || header > whole)
        return FRAME_BAD;
    out->proto = PROTO_TCP;
    out->src.port = be16(s.p);
    out->dst.port = be16(s.p + 2);
    out->seq = be32(s.p + 4);
    out->ack = be32(s.p + 8);
    out->flags = s.p[13] & 0x3f;
    out->window = s.n >= 16 ? be16(s.p + 14) : 0;
    size_t have = header < s.n ? header : s.n;
    out->tcp_options =
        have > TCP_HEADER ? slice_of(s.p + TCP_HEADER, have - TCP_HEADER) : slice_of(NULL, 0);
    set_payload(f, slice_cut(s, have));
    out->payload_len = (uint32_t)(whole - header);
    return FRAME_PACKET;
}

static enum frame_kind frame_udp(struct frame *f, struct slice s)
{
    struct packet *out = f->out;
    enum frame_kind kind;
    if (s.n < UDP_HEADER)
        return FRAME_BAD;
    size_t declared = be16(s.p + 4);
    if (declared == 0) /* jumbogram, or a sender that leaves it to the card */
        declared = s.n + f->missing;
    if (declared < UDP_HEADER || declared > s.n + f->missing)
        return FRAME_BAD;
    s = frame_declared(f, s, declared);
    uint16_t dport = be16(s.p + 2);
    if (frame_udp_tunnel(f, dport, slice_cut(s, UDP_HEADER), &kind))
        return kind;
    out->proto = PROTO_UDP;
    out->src.port = be16(s.p);
    out->dst.port = dport;
    set_payload(f, slice_cut(s, UDP_HEADER));
    return FRAME_PACKET;
}

static bool is_extension(uint8_t proto)
{
    return proto == PROTO_HOPOPT || proto == PROTO_ROUTING || proto == PROTO_DSTOPT ||
           proto == PROTO_AH || proto == PROTO_MOBILITY || proto == PROTO_HIP ||
           proto == PROTO_SHIM6;
}

/* Passes an extension header of IPv6 (or AH of either version). False: it is none, or cut. */
static bool skip_extension(uint8_t *proto, struct slice *s)
{
    if (s->n < 8 || !is_extension(*proto))
        return false;
    size_t n = *proto == PROTO_AH ? (s->p[1] + 2u) * 4 : (s->p[1] + 1u) * 8;
    if (n > s->n)
        return false;
    *proto = s->p[0];
    *s = slice_cut(*s, n);
    return true;
}

/* Ports and what follows, of a quoted packet. Routers quote at least 8 bytes of it (RFC 792). */
static void quote_transport(struct quoted *q, uint8_t proto, struct slice s)
{
    if ((proto != PROTO_TCP && proto != PROTO_UDP) || s.n < 8)
        return;
    q->valid = true;
    q->proto = proto;
    q->src.port = be16(s.p);
    q->dst.port = be16(s.p + 2);
    if (proto == PROTO_TCP) {
        q->seq = be32(s.p + 4);
        return;
    }
    size_t declared = be16(s.p + 4);
    s = slice_cut(s, UDP_HEADER);
    if (declared >= UDP_HEADER && declared - UDP_HEADER < s.n)
        s.n = declared - UDP_HEADER;
    q->udp_payload = s;
}

static void quote_ip4(struct quoted *q, struct slice s)
{
    if (s.n < IP4_HEADER || s.p[0] >> 4 != 4)
        return;
    size_t header = (s.p[0] & 15u) * 4;
    bool first = (be16(s.p + 6) & 0x1fff) == 0;
    if (header < IP4_HEADER || header > s.n || !first)
        return;
    q->src.addr = wire_addr4(s.p + 12);
    q->dst.addr = wire_addr4(s.p + 16);
    quote_transport(q, s.p[9], slice_cut(s, header));
}

static void quote_ip6(struct quoted *q, struct slice s)
{
    if (s.n < IP6_HEADER || s.p[0] >> 4 != 6)
        return;
    uint8_t proto = s.p[6];
    q->src.addr = addr_v6(s.p + 8);
    q->dst.addr = addr_v6(s.p + 24);
    s = slice_cut(s, IP6_HEADER);
    while (skip_extension(&proto, &s))
        ;
    if (proto == PROTO_FRAGMENT && s.n >= 8 && (be16(s.p + 2) & 0xfff8) == 0) {
        proto = s.p[0];
        s = slice_cut(s, 8);
    }
    quote_transport(q, proto, s);
}

static bool icmp_is_error(uint8_t proto, uint8_t type)
{
    if (proto == PROTO_ICMP6)
        return type >= 1 && type <= 4;
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

static enum frame_kind frame_icmp(struct frame *f, uint8_t proto, struct slice s)
{
    struct packet *out = f->out;
    if (s.n + f->missing < ICMP_HEADER || s.n < 2)
        return FRAME_BAD;
    out->proto = proto;
    out->icmp_type = s.p[0];
    out->icmp_code = s.p[1];
    size_t whole = s.n + f->missing, have = s.n < ICMP_HEADER ? s.n : ICMP_HEADER;
    set_payload(f, slice_cut(s, have));
    out->payload_len = (uint32_t)(whole - ICMP_HEADER);
    if (!icmp_is_error(proto, out->icmp_type))
        return FRAME_PACKET;
    out->quoted = (struct quoted){0};
    if (proto == PROTO_ICMP6)
        quote_ip6(&out->quoted, out->payload);
    else
        quote_ip4(&out->quoted, out->payload);
    return FRAME_PACKET;
}

static enum frame_kind frame_proto(struct frame *f, uint8_t proto, struct slice s);

/* | next header 1 | unused 1 | offset 13, 2 unused, more 1 | identification 4 | */
static enum frame_kind frame_fragment6(struct frame *f, struct slice s)
{
    if (s.n < 8 || addr_is_v4(&f->out->src.addr))
        return FRAME_BAD;
    unsigned offset = be16(s.p + 2) & 0xfff8u;
    bool more = s.p[3] & 1;
    uint8_t proto = s.p[0];
    uint32_t id = be32(s.p + 4);
    s = slice_cut(s, 8);
    if (!more && offset == 0)
        return frame_proto(f, proto, s); /* RFC 6946: whole in spite of the header */
    size_t whole = s.n + f->missing;
    if (offset + whole > UINT16_MAX || (more && whole % 8) || whole == 0)
        return FRAME_BAD;
    *f->frag = (struct fragment){.src = f->out->src.addr,
                                 .dst = f->out->dst.addr,
                                 .id = id,
                                 .proto = proto,
                                 .ttl = f->out->ttl,
                                 .v6 = true,
                                 .more = more,
                                 .offset = (uint16_t)offset,
                                 .data = s,
                                 .data_len = (uint32_t)whole};
    return FRAME_FRAGMENT;
}

static enum frame_kind frame_fragment4(struct frame *f, uint8_t proto, unsigned bits,
                                       struct slice s)
{
    unsigned offset = (bits & 0x1fff) * 8;
    bool more = bits & 0x2000;
    size_t whole = s.n + f->missing;
    if (offset + whole > UINT16_MAX || (more && whole % 8) || whole == 0)
        return FRAME_BAD;
    *f->frag = (struct fragment){.src = f->out->src.addr,
                                 .dst = f->out->dst.addr,
                                 .id = f->out->ip_id,
                                 .proto = proto,
                                 .ttl = f->out->ttl,
                                 .more = more,
                                 .offset = (uint16_t)offset,
                                 .data = s,
                                 .data_len = (uint32_t)whole};
    return FRAME_FRAGMENT;
}

static enum frame_kind frame_other_proto(struct frame *f, uint8_t proto, struct slice s)
{
    while (skip_extension(&proto, &s))
        ;
    if (is_extension(proto))
        return FRAME_BAD; /* cut inside it */
    switch (proto) {
    case PROTO_TCP:
    case PROTO_UDP:
        return frame_proto(f, proto, s);
    case PROTO_FRAGMENT:
        return frame_fragment6(f, s);
    case PROTO_ICMP:
    case PROTO_ICMP6:
        return frame_icmp(f, proto, s);
    case PROTO_IP4:
        f->out->tunnels++;
        return frame_ip4(f, s);
    case PROTO_IP6:
        f->out->tunnels++;
        return frame_ip6(f, s);
    case PROTO_GRE:
        return frame_gre(f, s);
    default:
        return FRAME_OTHER;
    }
}

static enum frame_kind frame_proto(struct frame *f, uint8_t proto, struct slice s)
{
    if (proto == PROTO_TCP)
        return frame_tcp(f, s);
    if (proto == PROTO_UDP)
        return frame_udp(f, s);
    return frame_other_proto(f, proto, s);
}

enum frame_kind frame_ip4(struct frame *f, struct slice s)
{
    struct packet *out = f->out;
    if (s.n < IP4_HEADER || s.p[0] >> 4 != 4 || !frame_deeper(f))
        return FRAME_BAD;
    size_t header = (s.p[0] & 15u) * 4, total = be16(s.p + 2);
    unsigned bits = be16(s.p + 6);
    if (total == 0) /* captured before the card cut it into segments */
        total = s.n + f->missing;
    if (header < IP4_HEADER || header > s.n || header > total)
        return FRAME_BAD;
    s = frame_declared(f, s, total);
    out->src.addr = wire_addr4(s.p + 12);
    out->dst.addr = wire_addr4(s.p + 16);
    out->ip_id = be16(s.p + 4);
    out->ttl = s.p[8];
    out->df = bits & 0x4000;
    uint8_t proto = s.p[9];
    s = slice_cut(s, header);
    return bits & 0x3fff ? frame_fragment4(f, proto, bits, s) : frame_proto(f, proto, s);
}

enum frame_kind frame_ip6(struct frame *f, struct slice s)
{
    struct packet *out = f->out;
    if (s.n < IP6_HEADER || s.p[0] >> 4 != 6 || !frame_deeper(f))
        return FRAME_BAD;
    size_t total = be16(s.p + 4) + (size_t)IP6_HEADER;
    if (total == IP6_HEADER) /* jumbogram, or captured before the card cut it into segments */
        total = s.n + f->missing;
    s = frame_declared(f, s, total);
    out->src.addr = addr_v6(s.p + 8);
    out->dst.addr = addr_v6(s.p + 24);
    out->ip_id = 0;
    out->ttl = s.p[7];
    out->df = false;
    uint8_t proto = s.p[6];
    return frame_proto(f, proto, slice_cut(s, IP6_HEADER));
}

enum frame_kind frame_ip(struct frame *f, struct slice s)
{
    if (s.n < 1)
        return FRAME_BAD;
    if (s.p[0] >> 4 == 4)
        return frame_ip4(f, s);
    return s.p[0] >> 4 == 6 ? frame_ip6(f, s) : FRAME_OTHER;
}

/* What not every transport sets must not be left over from the packet before. */
static void clear_transport(struct packet *out)
{
    out->src.port = out->dst.port = 0;
    out->flags = 0;
    out->window = 0;
    out->seq = out->ack = 0;
    out->tcp_options = slice_of(NULL, 0);
    out->icmp_type = out->icmp_code = 0;
    out->quoted.valid = false;
}

enum frame_kind frame_decode(const struct raw_packet *raw, struct packet *out,
                             struct fragment *frag)
{
    struct frame f = {
        .out = out,
        .frag = frag,
        .missing = raw->len > raw->caplen ? raw->len - raw->caplen : 0,
    };
    out->raw = *raw;
    out->time = raw->time;
    out->iface = raw->iface;
    out->vlan = 0;
    out->tunnels = 0;
    clear_transport(out);
    return frame_link(&f, raw->linktype, slice_of(raw->data, raw->caplen));
}

enum frame_kind frame_transport(const struct fragment *frag, struct slice datagram,
                                struct packet *out, struct fragment *inner)
{
    struct frame f = {.out = out, .frag = inner, .depth = out->tunnels};
    struct addr src = frag->src, dst = frag->dst;
    uint8_t proto = frag->proto;
    clear_transport(out);
    out->src.addr = src;
    out->dst.addr = dst;
    return frame_proto(&f, proto, datagram);
}
