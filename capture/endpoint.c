/* Addresses and endpoints: text, order, hash. */
#include "capture/endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "capture/digits.h"

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
        *digits_put_addr4(out, a->b + 12) = 0;
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
    if (!a[0] || !addr_is_v4(&e->addr)) {
        snprintf(out, ENDPOINT_TEXT, a[0] ? "[%s]:%u" : "%s:%u", a, e->port);
        return out;
    }
    char *end = digits_put_addr4(out, e->addr.b + 12);
    *end++ = ':';
    *digits_put(end, e->port) = 0;
    return out;
}

/* One to three digits, up to 255, as the next byte of an address; where they end, or NULL. */
static inline const uint8_t *octet_read(const uint8_t *p, uint32_t *addr)
{
    uint32_t number = (uint32_t)*p - '0', digit;
    if (number > 9)
        return NULL;
    if ((digit = (uint32_t) * ++p - '0') < 10) {
        number = number * 10 + digit;
        if ((digit = (uint32_t) * ++p - '0') < 10) {
            number = number * 10 + digit;
            p++;
        }
    }
    *addr = *addr << 8 | number;
    return number < 256 ? p : NULL;
}

static inline const uint8_t *octet_dot_read(const uint8_t *p, uint32_t *addr)
{
    p = octet_read(p, addr);
    return p && *p == '.' ? p + 1 : NULL;
}

const uint8_t *addr4_read(const uint8_t *p, struct addr *out)
{
    uint32_t v = 0;
    if (!(p = octet_dot_read(p, &v)) || !(p = octet_dot_read(p, &v)) ||
        !(p = octet_dot_read(p, &v)) || !(p = octet_read(p, &v)))
        return NULL;
    *out = addr_v4(v);
    return p;
}

static bool parse4(struct slice t, struct addr *out)
{
    uint8_t text[16];
    struct addr a;
    if (t.n < 7 || t.n >= sizeof text)
        return false;
    memcpy(text, t.p, t.n);
    text[t.n] = 0;
    if (addr4_read(text, &a) != text + t.n)
        return false;
    *out = a;
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
