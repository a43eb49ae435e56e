/* Packets made anew from what their headers say. */
#include "storage/privacy_inner.h"

#include "capture/frame.h"

enum { IP4 = 20, IP6 = 40, TCP = 20, UDP = 8, ICMP = 8, QUOTED_PORTS = 8, OPTIONS = 40 };

/* Enough for ICMPv6 that quotes IPv6, and for TCP with all options. */
_Static_assert(IP6 + ICMP + IP6 + QUOTED_PORTS <= PRIVACY_PACKET, "room for a quotation");

static uint8_t *put16(uint8_t *w, unsigned v)
{
    w[0] = (uint8_t)(v >> 8);
    w[1] = (uint8_t)v;
    return w + 2;
}

static uint8_t *put32(uint8_t *w, uint32_t v)
{
    return put16(put16(w, v >> 16), v & 0xffff);
}

static void ip_checksum(uint8_t *header)
{
    uint32_t sum = 0;
    for (int i = 0; i < IP4; i += 2)
        sum += (uint32_t)header[i] << 8 | header[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    put16(header + 10, ~(sum + (sum >> 16)) & 0xffff);
}

/* n: bytes that follow by this header. */
static uint8_t *put_ip(struct privacy *p, uint8_t *w, const struct packet *k, struct addr src,
                       struct addr dst, uint8_t proto, uint32_t n)
{
    bool v4 = addr_is_v4(&src);
    privacy_addr(p, &src);
    privacy_addr(p, &dst);
    memset(w, 0, v4 ? IP4 : IP6);
    if (v4) {
        w[0] = 0x45;
        put16(w + 2, IP4 + n > 0xffff ? 0xffff : IP4 + n);
        put16(w + 4, k->ip_id);
        w[6] = k->df ? 0x40 : 0;
        w[8] = k->ttl;
        w[9] = proto;
        memcpy(w + 12, src.b + 12, 4);
        memcpy(w + 16, dst.b + 12, 4);
        ip_checksum(w);
        return w + IP4;
    }
    w[0] = 0x60;
    put16(w + 4, n > 0xffff ? 0xffff : n);
    w[6] = proto;
    w[7] = k->ttl;
    memcpy(w + 8, src.b, 16);
    memcpy(w + 24, dst.b, 16);
    return w + IP6;
}

static uint8_t *put_tcp(uint8_t *w, const struct packet *k, size_t options)
{
    w = put32(put32(put16(put16(w, k->src.port), k->dst.port), k->seq), k->ack);
    *w++ = (uint8_t)((TCP + options) / 4 << 4);
    *w++ = k->flags;
    w = put32(put16(w, k->window), 0);
    memset(w, 0, options);
    memcpy(w, k->tcp_options.p, k->tcp_options.n < options ? k->tcp_options.n : options);
    return w + options;
}

static uint8_t *put_icmp(struct privacy *p, uint8_t *w, const struct packet *k)
{
    const struct quoted *q = &k->quoted;
    memset(w, 0, ICMP);
    w[0] = k->icmp_type;
    w[1] = k->icmp_code;
    w += ICMP;
    if (!q->valid)
        return w;
    struct packet inner = {.ttl = 64};
    w = put_ip(p, w, &inner, q->src.addr, q->dst.addr, q->proto, QUOTED_PORTS);
    w = put16(put16(w, q->src.port), q->dst.port);
    return put32(w, q->proto == PROTO_TCP ? q->seq : UDP << 16);
}

size_t privacy_packet(struct privacy *p, uint16_t linktype, struct slice frame, uint32_t wire_len,
                      uint8_t out[PRIVACY_PACKET], uint32_t *len)
{
    struct raw_packet raw = {
        .data = frame.p, .caplen = (uint32_t)frame.n, .len = wire_len, .linktype = linktype};
    struct packet k;
    struct fragment fragment;
    *len = 0;
    if (frame_decode(&raw, &k, &fragment) != FRAME_PACKET)
        return 0;
    size_t options = k.proto == PROTO_TCP ? (k.tcp_options.n + 3) & ~(size_t)3 : 0;
    if (options > OPTIONS)
        options = OPTIONS;
    bool v4 = addr_is_v4(&k.src.addr), icmp = k.proto == PROTO_ICMP || k.proto == PROTO_ICMP6;
    uint32_t above = k.proto == PROTO_TCP   ? (uint32_t)(TCP + options)
                     : k.proto == PROTO_UDP ? UDP
                     : k.quoted.valid       ? (uint32_t)(ICMP + (v4 ? IP4 : IP6) + QUOTED_PORTS)
                                            : ICMP;
    uint32_t payload = icmp ? 0 : k.payload_len;
    uint8_t *w = put_ip(p, out, &k, k.src.addr, k.dst.addr, k.proto, above + payload);
    if (k.proto == PROTO_TCP)
        w = put_tcp(w, &k, options);
    else if (k.proto == PROTO_UDP)
        w = put32(put16(put16(w, k.src.port), k.dst.port), (UDP + payload) << 16);
    else if (icmp)
        w = put_icmp(p, w, &k);
    *len = (uint32_t)(w - out) + payload;
    return (size_t)(w - out);
}
