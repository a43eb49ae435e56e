/*
 * Ethernet frames with IPv4 and TCP, UDP or ICMP inside, written field by field with correct
 * lengths and checksums. Addresses and ports are in host order. Each builder writes one whole frame
 * to `out` (room for PACKET_MAX bytes) and returns its length, without Ethernet padding.
 */
#ifndef EW_PCAPS_PACKET_H
#define EW_PCAPS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PACKET_MAX = 2048, PACKET_ETHERNET = 14, PACKET_IP = 20, PACKET_TCP = 20, PACKET_UDP = 8 };
enum { TH_FIN = 1, TH_SYN = 2, TH_RST = 4, TH_PSH = 8, TH_ACK = 16 };

struct endpoint4 {
    uint32_t ip;
    uint16_t port;
};

struct packet_ip {
    uint8_t from_mac[6], to_mac[6];
    struct endpoint4 from, to;
    uint16_t id;
    uint8_t ttl;
};

enum tcp_options {
    OPT_NONE,
    OPT_WINDOWS, /* MSS 1460, window scale, SACK permitted: 12 bytes */
    OPT_LAST_TRY /* what Windows leaves in its last SYN: no window scale, 8 bytes */
};

struct packet_tcp {
    uint32_t seq, ack;
    uint16_t window;
    uint8_t flags;
    uint8_t scale_shift;
    enum tcp_options options;
};

/* "192.0.2.1:50000" or "192.0.2.1" (port 0); anything else is a bug of the story. */
struct endpoint4 endpoint4(const char *text);

/* dotted text into a buffer of 16 bytes; returns it */
const char *ip4_text(uint32_t ip, char text[16]);

size_t packet_tcp(uint8_t *out, const struct packet_ip *ip, const struct packet_tcp *tcp,
                  const void *data, size_t n);
size_t packet_udp(uint8_t *out, const struct packet_ip *ip, const void *data, size_t n);

/* ICMP destination unreachable, quoting the first 28 bytes of the IP packet inside `quoted`. */
size_t packet_unreachable(uint8_t *out, const struct packet_ip *ip, uint8_t code,
                          const uint8_t *quoted_frame);

#endif
