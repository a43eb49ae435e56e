/*
 * Packets made from the inside out, for tests: begin with the payload, then put header after header
 * in front of it; lengths come out right by themselves.
 */
#ifndef EW_TESTS_HELP_LAYERS_H
#define EW_TESTS_HELP_LAYERS_H

#include "capture/frame.h"

enum { LAYERS_ROOM = 70000 };

struct layers {
    uint8_t room[LAYERS_ROOM];
    size_t at; /* the packet is room[at..LAYERS_ROOM) */
};

void layers_begin(struct layers *l, const void *payload, size_t n);
void layers_bytes(struct layers *l, const void *p, size_t n);
/* Hex digits, blanks are skipped. */
void layers_hex(struct layers *l, const char *hex);

void layers_udp(struct layers *l, uint16_t src, uint16_t dst);
/* 20 bytes, no options, window 1000 */
void layers_tcp(struct layers *l, uint16_t src, uint16_t dst, uint32_t seq, uint8_t flags);
/* TTL 64, identification 0x1234, no fragment; the total length covers all that is there */
void layers_ip4(struct layers *l, uint8_t proto, const char *src, const char *dst);
/* The fragment field as on the wire: 0x2000 = more, low 13 bits = offset / 8 */
void layers_ip4_fragment(struct layers *l, uint8_t proto, const char *src, const char *dst,
                         uint16_t field);
void layers_ip6(struct layers *l, uint8_t next, const char *src, const char *dst);
void layers_ethernet(struct layers *l, uint16_t type);

struct slice layers_slice(const struct layers *l);
/* As a frame of Ethernet, captured whole. */
struct raw_packet layers_raw(const struct layers *l, tick_t time);

#endif
