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
    char digits[24], *p = digits + sizeof digits;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do {
        *--p = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (v < 0)
        *--p = '-';
    text_raw(t, p, (size_t)(digits + sizeof digits - p));
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

/* One byte or sequence that needs a closer look. Returns how many bytes it was. */
static size_t put_special(struct text *t, const uint8_t *s, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t c = s[0];
    size_t len = text_utf8(s, n);
    if (len > 1) {
        text_raw(t, (const char *)s, len);
        return len;
    }
    if (len == 0) {
        text_raw(t, "\\ufffd", 6);
    } else if (c == '"' || c == '\\') {
        text_raw(t, (char[]){'\\', (char)c}, 2);
    } else {
        text_raw(t, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
    }
    return 1;
}

void text_json_slice(struct text *t, struct slice s)
{
    text_char(t, '"');
    for (size_t i = 0; i < s.n;) {
        size_t run = i;
        while (run < s.n && plain(s.p[run]))
            run++;
        text_raw(t, (const char *)s.p + i, run - i);
        i = run;
        if (i < s.n)
            i += put_special(t, s.p + i, s.n - i);
    }
    text_char(t, '"');
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
    char *p = out;
    for (int i = 12; i < 16; i++) {
        unsigned v = a->b[i];
        if (v >= 100)
            *p++ = (char)('0' + v / 100);
        if (v >= 10)
            *p++ = (char)('0' + v / 10 % 10);
        *p++ = (char)('0' + v % 10);
        *p++ = '.';
    }
    *--p = 0;
    return (size_t)(p - out);
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
    char out[ADDR_TEXT + 2] = "\"";
    size_t n = text_of_addr(a, out + 1);
    out[n + 1] = '"';
    text_raw(t, n ? out : "null", n ? n + 2 : 4);
}

void text_json_port(struct text *t, uint16_t port)
{
    if (port)
        text_int(t, port);
    else
        text_raw(t, "null", 4);
}

void text_json_tick(struct text *t, tick_t tick)
{
    if (tick != TICK_NONE)
        text_int(t, tick / TICK_US);
    else
        text_raw(t, "null", 4);
}
