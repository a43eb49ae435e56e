/*
 * Tunnels over IP: GRE (RFC 2784, 2890) with ERSPAN, and over UDP VXLAN (RFC 7348, also
 * with the generic protocol extension), GENEVE (RFC 8926)
 * and GTP-U (3GPP TS 29.281).
 *
 * A UDP port proves nothing, media may use any: what is taken for a tunnel must look like one down
 * to the header inside it.
 */
#include "capture/frame_inner.h"

enum {
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_VERSION = 0x0007,
    GRE_ERSPAN = 0x88be,
    GRE_ERSPAN3 = 0x22eb,
};

enum { ERSPAN2_HEADER = 8, ERSPAN3_HEADER = 12, ERSPAN3_PLATFORM = 8, ERSPAN3_FRAME_IP = 2 };

enum {
    PORT_GTP = 2152,
    PORT_VXLAN = 4789,
    PORT_VXLAN_GPE = 4790,
    PORT_GENEVE = 6081,
    PORT_VXLAN_LINUX = 8472
};

/* | version 4, VLAN 12 | ... | 2 bytes: P 1, frame type 5, hardware 6, D 1, granularity 2, O 1 | */
static enum frame_kind frame_erspan3(struct frame *f, struct slice s)
{
    if (s.n < ERSPAN3_HEADER || s.p[0] >> 4 != 2)
        return FRAME_BAD;
    unsigned type = s.p[10] >> 2 & 0x1f;
    size_t header = s.p[11] & 1 ? ERSPAN3_HEADER + ERSPAN3_PLATFORM : ERSPAN3_HEADER;
    if (s.n < header)
        return FRAME_BAD;
    s = slice_cut(s, header);
    if (type == ERSPAN3_FRAME_IP)
        return frame_ip(f, s);
    return type == 0 ? frame_ethernet(f, s) : FRAME_OTHER;
}

/* Type I has no header of its own, and its GRE header no sequence number. */
static enum frame_kind frame_erspan(struct frame *f, struct slice s, bool sequence)
{
    if (!sequence)
        return frame_ethernet(f, s);
    if (s.n < ERSPAN2_HEADER || s.p[0] >> 4 != 1)
        return FRAME_BAD;
    return frame_ethernet(f, slice_cut(s, ERSPAN2_HEADER));
}

enum frame_kind frame_gre(struct frame *f, struct slice s)
{
    if (s.n < 4)
        return FRAME_BAD;
    unsigned flags = be16(s.p);
    uint16_t type = be16(s.p + 2);
    if (flags & (GRE_VERSION | GRE_ROUTING))
        return FRAME_OTHER;
    size_t header = 4 + (flags & GRE_CHECKSUM ? 4u : 0) + (flags & GRE_KEY ? 4u : 0) +
                    (flags & GRE_SEQUENCE ? 4u : 0);
    if (s.n < header)
        return FRAME_BAD;
    s = slice_cut(s, header);
    f->out->tunnels++;
    if (type == GRE_ERSPAN)
        return frame_erspan(f, s, flags & GRE_SEQUENCE);
    if (type == GRE_ERSPAN3)
        return frame_erspan3(f, s);
    return type < ETHER_LEAST ? FRAME_OTHER : frame_ethertype(f, type, s);
}

/* | flags 1: "VNI valid", maybe group policy | policy 3 | VNI 3 | reserved 1 | Ethernet */
static bool vxlan(struct frame *f, struct slice s, enum frame_kind *kind)
{
    if (s.n < 8 || (s.p[0] & 0x7f) != 0x08 || s.p[7] != 0 || !frame_like_ethernet(slice_cut(s, 8)))
        return false;
    f->out->tunnels++;
    *kind = frame_ethernet(f, slice_cut(s, 8));
    return true;
}

/* The generic extension names what follows: | flags 1: VNI and protocol valid | 2 | protocol 1 |
 * ... */
static bool vxlan_gpe(struct frame *f, struct slice s, enum frame_kind *kind)
{
    enum { GPE_IP4 = 1, GPE_IP6 = 2, GPE_ETHERNET = 3 };
    if (s.n < 8 || (s.p[0] & 0xfc) != 0x0c || s.p[7] != 0)
        return false;
    unsigned next = s.p[3];
    s = slice_cut(s, 8);
    if (!(next == GPE_ETHERNET && frame_like_ethernet(s)) &&
        !((next == GPE_IP4 || next == GPE_IP6) && frame_like_ip(s)))
        return false;
    f->out->tunnels++;
    *kind = next == GPE_ETHERNET ? frame_ethernet(f, s) : frame_ip(f, s);
    return true;
}

/* | version 2, options 6 (words) | flags 1 | ether type 2 | VNI 3 | reserved 1 | options | */
static bool geneve(struct frame *f, struct slice s, enum frame_kind *kind)
{
    if (s.n < 8 || s.p[0] >> 6 != 0 || (s.p[1] & 0x3f) != 0 || s.p[7] != 0)
        return false;
    size_t header = 8 + (s.p[0] & 0x3fu) * 4;
    uint16_t type = be16(s.p + 2);
    if (s.n < header)
        return false;
    s = slice_cut(s, header);
    if (!(type == ETHER_BRIDGED && frame_like_ethernet(s)) &&
        !((type == ETHER_IP4 || type == ETHER_IP6) && frame_like_ip(s)))
        return false;
    f->out->tunnels++;
    *kind = frame_ethertype(f, type, s);
    return true;
}

/* Extension headers: length 1 (words), content, type of the next 1. False: cut. */
static bool gtp_extensions(struct slice *s, uint8_t next)
{
    while (next) {
        size_t n = s->n ? s->p[0] * 4u : 0;
        if (n == 0 || n > s->n)
            return false;
        next = s->p[n - 1];
        *s = slice_cut(*s, n);
    }
    return true;
}

/* | version 1, E S PN flags | message type | length 2 | endpoint 4 | sequence 2, N-PDU, next type |
 */
static bool gtp(struct frame *f, struct slice s, enum frame_kind *kind)
{
    if (s.n < 8 || (s.p[0] & 0xf8) != 0x30 || s.p[1] != 0xff)
        return false;
    size_t declared = be16(s.p + 2);
    bool more = s.p[0] & 7, extended = s.p[0] & 4;
    s = slice_cut(s, 8);
    if (declared > s.n + f->missing)
        return false;
    struct slice inner = slice_of(s.p, declared < s.n ? declared : s.n);
    if (more) {
        if (inner.n < 4)
            return false;
        uint8_t next = extended ? inner.p[3] : 0;
        inner = slice_cut(inner, 4);
        if (!gtp_extensions(&inner, next))
            return false;
    }
    if (!frame_like_ip(inner))
        return false;
    f->out->tunnels++;
    *kind = frame_ip(f, inner);
    return true;
}

bool frame_udp_tunnel(struct frame *f, uint16_t port, struct slice s, enum frame_kind *kind)
{
    switch (port) {
    case PORT_VXLAN:
    case PORT_VXLAN_LINUX:
        return vxlan(f, s, kind);
    case PORT_VXLAN_GPE:
        return vxlan_gpe(f, s, kind);
    case PORT_GENEVE:
        return geneve(f, s, kind);
    case PORT_GTP:
        return gtp(f, s, kind);
    default:
        return false;
    }
}
