/* Frame building, RFC 791, 792, 768, 9293. */
#include "pcaps/make/packet.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pcaps/make/buf.h"

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, ICMP_UNREACHABLE = 3, ICMP_QUOTE = 28 };

struct endpoint4 endpoint4(const char *text)
{
    char ip[16] = "";
    const char *colon = strchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : strlen(text);
    assert(n < sizeof ip);
    memcpy(ip, text, n);
    struct in_addr a;
    int ok = inet_pton(AF_INET, ip, &a);
    assert(ok == 1);
    (void)ok;
    unsigned long port = colon ? strtoul(colon + 1, NULL, 10) : 0;
    assert(port <= UINT16_MAX);
    return (struct endpoint4){ntohl(a.s_addr), (uint16_t)port};
}

const char *ip4_text(uint32_t ip, char text[16])
{
    snprintf(text, 16, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
    return text;
}

static uint32_t sum_words(uint32_t sum, const uint8_t *p, size_t n)
{
    for (; n > 1; p += 2, n -= 2)
        sum += (uint32_t)p[0] << 8 | p[1];
    return n ? sum + ((uint32_t)p[0] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void write_headers(struct buf *b, const struct packet_ip *ip, uint8_t proto, size_t payload)
{
    buf_put(b, ip->to_mac, 6);
    buf_put(b, ip->from_mac, 6);
    buf_u16(b, 0x0800);
    uint8_t *h = b->p + b->n;
    buf_u16(b, 0x4500);
    buf_u16(b, PACKET_IP + payload);
    buf_u16(b, ip->id);
    buf_u16(b, 0x4000); /* don't fragment */
    buf_u8(b, ip->ttl);
    buf_u8(b, proto);
    buf_u16(b, 0);
    buf_u32(b, ip->from.ip);
    buf_u32(b, ip->to.ip);
    set_u16(h + 10, fold(sum_words(0, h, PACKET_IP)));
}

static uint16_t transport_checksum(const struct packet_ip *ip, uint8_t proto, const uint8_t *p,
                                   size_t n)
{
    uint32_t sum = (uint32_t)proto + (uint32_t)n;
    sum += (ip->from.ip >> 16) + (ip->from.ip & 0xffff) + (ip->to.ip >> 16) + (ip->to.ip & 0xffff);
    return fold(sum_words(sum, p, n));
}

static size_t write_tcp_options(uint8_t to[12], const struct packet_tcp *tcp)
{
    switch (tcp->options) {
    case OPT_NONE:
        break;
    case OPT_WINDOWS:
        memcpy(to, (const uint8_t[12]){2, 4, 5, 0xb4, 1, 3, 3, tcp->scale_shift, 1, 1, 4, 2}, 12);
        return 12;
    case OPT_LAST_TRY:
        memcpy(to, (const uint8_t[8]){2, 4, 5, 0xb4, 1, 1, 4, 2}, 8);
        return 8;
    }
    return 0;
}

size_t packet_tcp(uint8_t *out, const struct packet_ip *ip, const struct packet_tcp *tcp,
                  const void *data, size_t n)
{
    uint8_t options[12];
    size_t header = PACKET_TCP + write_tcp_options(options, tcp);
    struct buf b = {out, 0, PACKET_MAX};
    write_headers(&b, ip, PROTO_TCP, header + n);
    uint8_t *h = out + b.n;
    buf_u16(&b, ip->from.port);
    buf_u16(&b, ip->to.port);
    buf_u32(&b, tcp->seq);
    buf_u32(&b, tcp->ack);
    buf_u8(&b, (unsigned)(header / 4) << 4);
    buf_u8(&b, tcp->flags);
    buf_u16(&b, tcp->window);
    buf_u32(&b, 0);
    buf_put(&b, options, header - PACKET_TCP);
    buf_put(&b, data, n);
    set_u16(h + 16, transport_checksum(ip, PROTO_TCP, h, header + n));
    return b.n;
}

size_t packet_udp(uint8_t *out, const struct packet_ip *ip, const void *data, size_t n)
{
    struct buf b = {out, 0, PACKET_MAX};
    write_headers(&b, ip, PROTO_UDP, PACKET_UDP + n);
    uint8_t *h = out + b.n;
    buf_u16(&b, ip->from.port);
    buf_u16(&b, ip->to.port);
    buf_u16(&b, PACKET_UDP + n);
    buf_u16(&b, 0);
    buf_put(&b, data, n);
    uint16_t sum = transport_checksum(ip, PROTO_UDP, h, PACKET_UDP + n);
    set_u16(h + 6, sum ? sum : 0xffff); /* 0 would mean "no checksum" */
    return b.n;
}

size_t packet_unreachable(uint8_t *out, const struct packet_ip *ip, uint8_t code,
                          const uint8_t *quoted_frame)
{
    struct buf b = {out, 0, PACKET_MAX};
    write_headers(&b, ip, PROTO_ICMP, 8 + ICMP_QUOTE);
    uint8_t *h = out + b.n;
    buf_u8(&b, ICMP_UNREACHABLE);
    buf_u8(&b, code);
    buf_fill(&b, 0, 6);
    buf_put(&b, quoted_frame + PACKET_ETHERNET, ICMP_QUOTE);
    set_u16(h + 2, fold(sum_words(0, h, 8 + ICMP_QUOTE)));
    return b.n;
}
