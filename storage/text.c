/* A growing text with JSON and address formatting. */
#include "storage/text.h"

#include <stdlib.h>

void text_free(struct text *t)
{
    free(t->p);
    *t = (struct text){0};
}

bool text_grow(struct text *t, size_t n)
{
    size_t room = (t->n + n) * 2 + 1024;
    char *p = t->failed ? NULL : realloc(t->p, room);
    if (!p) {
        t->failed = true;
        return false;
    }
    t->p = p;
    t->room = room;
    return true;
}

void text_int(struct text *t, int64_t v)
{
    char *p = text_room(t, JSON_INT);
    if (!p)
        return;
    if (v < 0)
        *p++ = '-';
    text_to(t, digits_put(p, v < 0 ? 0 - (uint64_t)v : (uint64_t)v));
}

size_t text_utf8(const uint8_t *s, size_t n)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t c = s[0];
    size_t want = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;
    if (want < 2 || want > n)
        return want == 1;
    uint32_t v = c & (0x7fu >> want);
    for (size_t i = 1; i < want; i++) {
        if (s[i] >> 6 != 2)
            return 0;
        v = v << 6 | (s[i] & 0x3fu);
    }
    bool surrogate = v >= 0xd800 && v <= 0xdfff;
    return v >= least[want] && v <= 0x10ffff && !surrogate ? want : 0;
}

static bool plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The highest bit of each byte that is 0, and perhaps of those behind it. */
static uint64_t zeros(uint64_t v)
{
    return (v - EACH(1)) & ~v & EACH(0x80);
}

/* 8 bytes at once, where all of them are. */
static bool all_plain(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    uint64_t control = (v - EACH(0x20)) & ~v & EACH(0x80);
    return !(v & EACH(0x80)) &&
           !(control | zeros(v ^ EACH('"')) | zeros(v ^ EACH('\\')) | zeros(v ^ EACH(0x7f)));
}

/* One byte or sequence that needs a closer look. Returns how many bytes it was. */
static size_t put_special(char **to, const uint8_t *s, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t c = s[0];
    size_t len = text_utf8(s, n);
    if (len > 1) {
        memcpy(*to, s, len);
        *to += len;
        return len;
    }
    if (len == 0) {
        *to = (char *)memcpy(*to, "\\ufffd", 6) + 6;
    } else if (c == '"' || c == '\\') {
        *to = (char *)memcpy(*to, (char[]){'\\', (char)c}, 2) + 2;
    } else {
        *to = (char *)memcpy(*to, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6) + 6;
    }
    return 1;
}

char *json_put_chars(char *to, struct slice s)
{
    for (size_t i = 0; i < s.n;) {
        if (s.n - i >= 8 && all_plain(s.p + i)) {
            memcpy(to, s.p + i, 8);
            to += 8;
            i += 8;
        } else if (plain(s.p[i])) {
            *to++ = (char)s.p[i++];
        } else {
            i += put_special(&to, s.p + i, s.n - i);
        }
    }
    return to;
}

char *json_put_string(char *to, struct slice s)
{
    *to++ = '"';
    to = json_put_chars(to, s);
    *to++ = '"';
    return to;
}

char *json_put_null(char *to)
{
    return (char *)memcpy(to, "null", 4) + 4;
}

char *json_put_addr(char *to, const struct addr *a)
{
    size_t n = text_of_addr(a, to + 1);
    if (!n)
        return json_put_null(to);
    *to = '"';
    to[n + 1] = '"';
    return to + n + 2;
}

char *json_put_port(char *to, uint16_t port)
{
    return port ? digits_put(to, port) : json_put_null(to);
}

void text_json_slice(struct text *t, struct slice s)
{
    char *p = text_room(t, json_string_most(s.n));
    if (p)
        text_to(t, json_put_string(p, s));
}

void text_json(struct text *t, const char *s)
{
    if (s)
        text_json_slice(t, slice_str(s));
    else
        text_raw(t, "null", 4);
}

size_t text_of_addr(const struct addr *a, char out[ADDR_TEXT])
{
    if (!addr_is_v4(a) || addr_none(a))
        return strlen(addr_text(a, out));
    char *end = digits_put_addr4(out, a->b + 12);
    *end = 0;
    return (size_t)(end - out);
}

char *text_of_net(const struct addr *a, char out[NET_TEXT])
{
    struct addr net = *a;
    bool v4 = addr_is_v4(a);
    memset(net.b + (v4 ? 15 : 6), 0, v4 ? 1 : 10);
    size_t n = text_of_addr(&net, out);
    if (n)
        memcpy(out + n, v4 ? "/24" : "/48", 4);
    return out;
}

void text_json_addr(struct text *t, const struct addr *a)
{
    char *p = text_room(t, JSON_ADDR);
    if (p)
        text_to(t, json_put_addr(p, a));
}

void text_json_port(struct text *t, uint16_t port)
{
    char *p = text_room(t, JSON_PORT);
    if (p)
        text_to(t, json_put_port(p, port));
}

void text_json_tick(struct text *t, tick_t tick)
{
    if (tick != TICK_NONE)
        text_int(t, tick / TICK_US);
    else
        text_raw(t, "null", 4);
}
