/* Packets made from the inside out. */
#include "tests/help/layers.h"

#include <stdio.h>
#include <stdlib.h>

static void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static size_t size(const struct layers *l)
{
    return LAYERS_ROOM - l->at;
}

void layers_bytes(struct layers *l, const void *p, size_t n)
{
    if (n > l->at)
        abort();
    l->at -= n;
    if (n)
        memcpy(l->room + l->at, p, n);
}

void layers_begin(struct layers *l, const void *payload, size_t n)
{
    l->at = LAYERS_ROOM;
    layers_bytes(l, payload, n);
}

void layers_hex(struct layers *l, const char *hex)
{
    uint8_t out[256];
    unsigned byte;
    size_t n = 0;
    for (; *hex; hex += 2) {
        while (*hex == ' ')
            hex++;
        if (!*hex)
            break;
        if (n == sizeof out || sscanf(hex, "%2x", &byte) != 1)
            abort();
        out[n++] = (uint8_t)byte;
    }
    layers_bytes(l, out, n);
}

void layers_udp(struct layers *l, uint16_t src, uint16_t dst)
{
    uint8_t h[8] = {0};
    put16(h, src);
    put16(h + 2, dst);
    put16(h + 4, size(l) + 8);
    layers_bytes(l, h, sizeof h);
}

void layers_tcp(struct layers *l, uint16_t src, uint16_t dst, uint32_t seq, uint8_t flags)
{
    uint8_t h[20] = {0};
    put16(h, src);
    put16(h + 2, dst);
    put16(h + 4, seq >> 16);
    put16(h + 6, seq);
    h[12] = 5 << 4;
    h[13] = flags;
    put16(h + 14, 1000);
    layers_bytes(l, h, sizeof h);
}

static struct addr addr_of(const char *text)
{
    struct addr a;
    if (!addr_parse(slice_str(text), &a))
        abort();
    return a;
}

void layers_ip4_fragment(struct layers *l, uint8_t proto, const char *src, const char *dst,
                         uint16_t field)
{
    uint8_t h[20] = {0x45};
    struct addr s = addr_of(src), d = addr_of(dst);
    put16(h + 2, size(l) + 20);
    put16(h + 4, 0x1234);
    put16(h + 6, field);
    h[8] = 64;
    h[9] = proto;
    memcpy(h + 12, s.b + 12, 4);
    memcpy(h + 16, d.b + 12, 4);
    layers_bytes(l, h, sizeof h);
}

void layers_ip4(struct layers *l, uint8_t proto, const char *src, const char *dst)
{
    layers_ip4_fragment(l, proto, src, dst, 0);
}

void layers_ip6(struct layers *l, uint8_t next, const char *src, const char *dst)
{
    uint8_t h[40] = {0x60};
    struct addr s = addr_of(src), d = addr_of(dst);
    put16(h + 4, size(l));
    h[6] = next;
    h[7] = 64;
    memcpy(h + 8, s.b, 16);
    memcpy(h + 24, d.b, 16);
    layers_bytes(l, h, sizeof h);
}

void layers_ethernet(struct layers *l, uint16_t type)
{
    uint8_t h[14] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
    put16(h + 12, type);
    layers_bytes(l, h, sizeof h);
}

struct slice layers_slice(const struct layers *l)
{
    return slice_of(l->room + l->at, size(l));
}

struct raw_packet layers_raw(const struct layers *l, tick_t time)
{
    return (struct raw_packet){.time = time,
                               .data = l->room + l->at,
                               .caplen = (uint32_t)size(l),
                               .len = (uint32_t)size(l),
                               .linktype = 1};
}
