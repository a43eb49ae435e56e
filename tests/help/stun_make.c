/* STUN and MS-TURN messages made byte by byte, for tests. */
#include "tests/help/stun_make.h"

#include <stdlib.h>

enum { HEADER = 20 };

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

size_t octets_of(const char *hex, uint8_t *out, size_t room)
{
    size_t n = 0;
    while (*hex) {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        int high = nibble(hex[0]), low = high < 0 ? -1 : nibble(hex[1]);
        if (low < 0 || n == room)
            abort();
        out[n++] = (uint8_t)(high << 4 | low);
        hex += 2;
    }
    return n;
}

static void put(struct stun_make *m, const void *bytes, size_t n)
{
    if (n > sizeof m->b - m->n)
        abort();
    if (n)
        memcpy(m->b + m->n, bytes, n);
    m->n += n;
}

static void put_u16(struct stun_make *m, size_t value)
{
    uint8_t b[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    put(m, b, 2);
}

struct stun_make stun_begin(uint16_t type, const char *id, bool padded)
{
    struct stun_make m = {.padded = padded};
    uint8_t bytes[16];
    if (octets_of(id, bytes, sizeof bytes) != sizeof bytes)
        abort();
    put_u16(&m, type);
    put_u16(&m, 0);
    put(&m, bytes, sizeof bytes);
    return m;
}

void stun_add(struct stun_make *m, uint16_t type, const void *value, size_t n)
{
    put_u16(m, type);
    put_u16(m, n);
    put(m, value, n);
    while (m->padded && m->n % 4)
        put(m, "", 1);
}

void stun_add_text(struct stun_make *m, uint16_t type, const char *text)
{
    stun_add(m, type, text, strlen(text));
}

void stun_add_hex(struct stun_make *m, uint16_t type, const char *hex)
{
    uint8_t b[256];
    stun_add(m, type, b, octets_of(hex, b, sizeof b));
}

void stun_add_u32(struct stun_make *m, uint16_t type, uint32_t v)
{
    uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    stun_add(m, type, b, 4);
}

void stun_add_fill(struct stun_make *m, uint16_t type, uint8_t fill, size_t n)
{
    uint8_t b[256];
    memset(b, fill, sizeof b);
    stun_add(m, type, b, n);
}

static void add_masked(struct stun_make *m, uint16_t type, const char *text, const uint8_t *mask)
{
    struct endpoint e;
    if (!endpoint_parse(slice_str(text), &e))
        abort();
    bool v4 = addr_is_v4(&e.addr);
    size_t n = v4 ? 4 : 16;
    uint8_t b[20] = {0, v4 ? 1 : 2, (uint8_t)(e.port >> 8 ^ mask[0]), (uint8_t)(e.port ^ mask[1])};
    for (size_t i = 0; i < n; i++)
        b[4 + i] = e.addr.b[16 - n + i] ^ mask[i];
    stun_add(m, type, b, 4 + n);
}

void stun_add_addr(struct stun_make *m, uint16_t type, const char *endpoint)
{
    static const uint8_t plain[16];
    add_masked(m, type, endpoint, plain);
}

void stun_add_xaddr(struct stun_make *m, uint16_t type, const char *endpoint)
{
    add_masked(m, type, endpoint, m->b + 4);
}

struct slice stun_seal(struct stun_make *m)
{
    m->b[2] = (uint8_t)((m->n - HEADER) >> 8);
    m->b[3] = (uint8_t)(m->n - HEADER);
    return slice_of(m->b, m->n);
}
