/*
 * Below IP: link types, Ethernet with VLAN tags, 802.3 with SNAP, MPLS, PPPoE.
 */
#include "capture/frame_inner.h"

enum { ETHERNET_HEADER = 14, SLL_HEADER = 16, SLL2_HEADER = 20, LOOPBACK_HEADER = 4 };

/* LINKTYPE_ numbers of capture files; libpcap's own number of raw IP differs by system. */
enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_PPP = 9,
    LINK_RAW_BSD = 12,
    LINK_RAW_OPENBSD = 14,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_SLL = 113,
    LINK_IP4 = 228,
    LINK_IP6 = 229,
    LINK_SLL2 = 276,
};

enum { PPP_IP4 = 0x21, PPP_IP6 = 0x57, PPP_MPLS = 0x281 };

bool frame_like_ip(struct slice s)
{
    if (s.n < 20)
        return false;
    if (s.p[0] >> 4 == 6)
        return s.n >= 40;
    unsigned header = (s.p[0] & 15u) * 4, total = be16(s.p + 2);
    return s.p[0] >> 4 == 4 && header >= 20 && (total == 0 || total >= header);
}

bool frame_like_ethernet(struct slice s)
{
    if (s.n < ETHERNET_HEADER)
        return false;
    uint16_t type = be16(s.p + 12);
    if (type == ETHER_IP4 || type == ETHER_IP6)
        return frame_like_ip(slice_cut(s, ETHERNET_HEADER));
    return type >= ETHER_LEAST;
}

/* Labels of 4 bytes until one has the bottom bit; what follows is not declared anywhere. A pseudo
 * wire carries Ethernet, mostly behind a control word that starts with four zero bits. */
static enum frame_kind frame_mpls(struct frame *f, struct slice s)
{
    bool bottom = false;
    while (!bottom) {
        if (s.n < 4)
            return FRAME_BAD;
        bottom = s.p[2] & 1;
        s = slice_cut(s, 4);
    }
    if (frame_like_ip(s))
        return frame_ip(f, s);
    if (s.n >= 4 && s.p[0] >> 4 == 0 && frame_like_ethernet(slice_cut(s, 4)))
        return frame_ethernet(f, slice_cut(s, 4));
    if (frame_like_ethernet(s))
        return frame_ethernet(f, s);
    return FRAME_OTHER;
}

/* A protocol number of two bytes, or of one if that is odd; often behind address and control. */
static enum frame_kind frame_ppp(struct frame *f, struct slice s)
{
    if (s.n >= 2 && s.p[0] == 0xff && s.p[1] == 0x03)
        s = slice_cut(s, 2);
    if (s.n < 2)
        return FRAME_BAD;
    size_t n = s.p[0] & 1 ? 1 : 2;
    unsigned proto = n == 1 ? s.p[0] : be16(s.p);
    s = slice_cut(s, n);
    switch (proto) {
    case PPP_IP4:
        return frame_ip4(f, s);
    case PPP_IP6:
        return frame_ip6(f, s);
    case PPP_MPLS:
        return frame_mpls(f, s);
    default:
        return FRAME_OTHER;
    }
}

/* version and type 1, code 1, session 2, length 2 */
static enum frame_kind frame_pppoe(struct frame *f, struct slice s)
{
    if (s.n < 6 || s.p[0] != 0x11)
        return FRAME_BAD;
    if (s.p[1] != 0)
        return FRAME_OTHER;
    size_t declared = be16(s.p + 4);
    s = slice_cut(s, 6);
    if (declared > s.n + f->missing)
        return FRAME_BAD;
    return frame_ppp(f, frame_declared(f, s, declared));
}

/* 802.3: only SNAP with no vendor names an ether type */
static enum frame_kind frame_snap(struct frame *f, struct slice s)
{
    static const uint8_t snap[6] = {0xaa, 0xaa, 3, 0, 0, 0};
    if (s.n < 8 || memcmp(s.p, snap, sizeof snap) != 0)
        return FRAME_OTHER;
    uint16_t type = be16(s.p + 6);
    return type < ETHER_LEAST ? FRAME_OTHER : frame_ethertype(f, type, slice_cut(s, 8));
}

enum frame_kind frame_ethertype(struct frame *f, uint16_t type, struct slice s)
{
    for (;;) {
        switch (type) {
        case ETHER_IP4:
            return frame_ip4(f, s);
        case ETHER_IP6:
            return frame_ip6(f, s);
        case ETHER_VLAN:
        case ETHER_QINQ:
        case ETHER_QINQ_OLD:
        case ETHER_QINQ_OLDER:
            if (s.n < 4)
                return FRAME_BAD;
            if (!f->out->vlan)
                f->out->vlan = be16(s.p) & 0xfff;
            type = be16(s.p + 2);
            s = slice_cut(s, 4);
            break;
        case ETHER_MPLS:
        case ETHER_MPLS_MULTICAST:
            return frame_mpls(f, s);
        case ETHER_PPPOE:
            return frame_pppoe(f, s);
        case ETHER_BRIDGED:
            return frame_ethernet(f, s);
        default:
            return type < ETHER_LEAST ? frame_snap(f, s) : FRAME_OTHER;
        }
    }
}

enum frame_kind frame_ethernet(struct frame *f, struct slice s)
{
    if (s.n < ETHERNET_HEADER || !frame_deeper(f))
        return FRAME_BAD;
    return frame_ethertype(f, be16(s.p + 12), slice_cut(s, ETHERNET_HEADER));
}

static enum frame_kind behind(struct frame *f, struct slice s, size_t header, size_t type_at)
{
    if (s.n < header)
        return FRAME_BAD;
    return frame_ethertype(f, be16(s.p + type_at), slice_cut(s, header));
}

enum frame_kind frame_link(struct frame *f, uint16_t linktype, struct slice s)
{
    switch (linktype) {
    case LINK_ETHERNET:
        return frame_ethernet(f, s);
    case LINK_SLL:
        return behind(f, s, SLL_HEADER, 14);
    case LINK_SLL2:
        return behind(f, s, SLL2_HEADER, 0);
    case LINK_NULL:
    case LINK_LOOP:
        /* the address family's number and byte order depend on the system; IP's version does not */
        return s.n < LOOPBACK_HEADER ? FRAME_BAD : frame_ip(f, slice_cut(s, LOOPBACK_HEADER));
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
    case LINK_RAW:
    case LINK_IP4:
    case LINK_IP6:
        return frame_ip(f, s);
    case LINK_PPP:
        return frame_ppp(f, s);
    default:
        return FRAME_NO_LINK;
    }
}
