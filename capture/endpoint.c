/* Addresses and endpoints: text, order, hash. */
#include "capture/endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>

static uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

/* 64x64 -> 128 multiply-fold: two rounds are enough for table use with a secret seed */
static uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 u128;
    u128 m = (u128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

uint64_t endpoint_hash(const struct endpoint *e, uint64_t seed)
{
    uint64_t h = fold(load64(e->addr.b) ^ seed, load64(e->addr.b + 8) ^ 0x9e3779b97f4a7c15u);
    return fold(h ^ e->port, seed ^ 0xd6e8feb86659fd93u);
}

uint64_t endpoint_hash2(const struct endpoint *a, const struct endpoint *b, uint64_t seed)
{
    uint64_t x = fold(load64(a->addr.b) ^ seed, load64(a->addr.b + 8) ^ 0x9e3779b97f4a7c15u);
    uint64_t y = fold(load64(b->addr.b) ^ seed ^ 0xa0761d6478bd642fu,
                      load64(b->addr.b + 8) ^ 0xe7037ed1a0b428dbu);
    return fold(x ^ ((uint64_t)a->port << 16 | b->port), y ^ seed ^ 0xd6e8feb86659fd93u);
}

bool addr_is_private(const struct addr *a)
{
    if (addr_is_v4(a)) {
        uint32_t v = addr_v4_of(a);
        return v >> 24 == 10 || v >> 20 == 0xac1 || v >> 16 == 0xc0a8 || v >> 22 == 0x191 ||
               v >> 16 == 0xa9fe || v >> 24 == 127;
    }
    static const uint8_t loop[16] = {[15] = 1};
    return (a->b[0] & 0xfe) == 0xfc || (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80) ||
           memcmp(a->b, loop, 16) == 0;
}

char *addr_text(const struct addr *a, char out[ADDR_TEXT])
{
    out[0] = 0;
    if (addr_none(a))
        return out;
    if (addr_is_v4(a))
        inet_ntop(AF_INET, a->b + 12, out, ADDR_TEXT);
    else
        inet_ntop(AF_INET6, a->b, out, ADDR_TEXT);
    return out;
}

char *endpoint_text(const struct endpoint *e, char out[ENDPOINT_TEXT])
{
    char a[ADDR_TEXT];
    out[0] = 0;
    if (endpoint_none(e))
        return out;
    addr_text(&e->addr, a);
    if (addr_is_v4(&e->addr) || !a[0])
        snprintf(out, ENDPOINT_TEXT, "%s:%u", a, e->port);
    else
        snprintf(out, ENDPOINT_TEXT, "[%s]:%u", a, e->port);
    return out;
}

static bool parse4(struct slice t, struct addr *out)
{
    uint32_t v = 0, part = 0;
    int dots = 0, digits = 0;
    for (size_t i = 0; i < t.n; i++) {
        uint8_t c = t.p[i];
        if (c >= '0' && c <= '9') {
            part = part * 10 + (uint32_t)(c - '0');
            if (++digits > 3 || part > 255)
                return false;
        } else if (c == '.' && digits && dots < 3) {
            v = v << 8 | part;
            part = 0, digits = 0, dots++;
        } else {
            return false;
        }
    }
    if (dots != 3 || !digits)
        return false;
    *out = addr_v4(v << 8 | part);
    return true;
}

bool addr_parse(struct slice t, struct addr *out)
{
    char buf[ADDR_TEXT];
    struct in6_addr six;
    if (parse4(t, out))
        return true;
    if (t.n >= 2 && t.p[0] == '[' && t.p[t.n - 1] == ']')
        t = slice_of(t.p + 1, t.n - 2);
    const uint8_t *scope = t.n ? memchr(t.p, '%', t.n) : NULL;
    if (scope)
        t.n = (size_t)(scope - t.p);
    if (t.n < 2 || t.n >= sizeof buf)
        return false;
    memcpy(buf, t.p, t.n);
    buf[t.n] = 0;
    if (inet_pton(AF_INET6, buf, &six) != 1)
        return false;
    *out = addr_v6(six.s6_addr);
    return true;
}

bool endpoint_parse(struct slice t, struct endpoint *out)
{
    size_t colon = t.n;
    while (colon && t.p[colon - 1] != ':')
        colon--;
    if (colon < 2 || colon == t.n || t.n - colon > 5)
        return false;
    uint32_t port = 0;
    for (size_t i = colon; i < t.n; i++) {
        if (t.p[i] < '0' || t.p[i] > '9')
            return false;
        port = port * 10 + (uint32_t)(t.p[i] - '0');
    }
    struct slice host = slice_of(t.p, colon - 1);
    struct addr a;
    bool bracketed = host.n && host.p[0] == '[';
    if (port < 1 || port > 65535 || !addr_parse(host, &a) || (!addr_is_v4(&a) && !bracketed))
        return false;
    out->addr = a;
    out->port = (uint16_t)port;
    return true;
}
