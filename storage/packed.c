/* Packed columns: looked through, then read. */
#include "storage/packed.h"

enum {
    DEPTH = 8,  /* ours: 4 */
    DIGITS = 18 /* of an integer: none of more is beyond 64 bits */
};

/* ---- is it one of ours? ---- */

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character of \uXXXX; 0 for what none of ours says: surrogates, NUL, no hex digits. */
static unsigned escaped(const uint8_t *hex)
{
    unsigned c = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(hex[i]);
        if (digit < 0)
            return 0;
        c = c << 4 | (unsigned)digit;
    }
    return c >= 0xd800 && c < 0xe000 ? 0 : c;
}

/* What stands for \x, 0 if nothing does. */
static char short_escape(uint8_t x)
{
    static const char names[] = "\"\\/bfnrt", stand_for[] = "\"\\/\b\f\n\r\t";
    const char *at = x ? strchr(names, x) : NULL;
    return at ? stand_for[at - names] : 0;
}

/* Behind the opening quote; the end is behind the closing one. NULL if there is none. */
static const uint8_t *string_end(const uint8_t *p, const uint8_t *end)
{
    for (; p < end && *p >= 0x20; p++) {
        if (*p == '"')
            return p + 1;
        if (*p != '\\')
            continue;
        if (++p == end)
            return NULL;
        if (*p == 'u' && end - p > 4 && escaped(p + 1))
            p += 4;
        else if (!short_escape(*p))
            return NULL;
    }
    return NULL;
}

static const uint8_t *int_end(const uint8_t *p, const uint8_t *end)
{
    p += *p == '-';
    const uint8_t *first = p;
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    bool leading = p - first > 1 && *first == '0';
    return p == first || p - first > DIGITS || leading ? NULL : p;
}

/* No array: the end of what begins at p. NULL if it is nothing. */
static const uint8_t *plain_end(const uint8_t *p, const uint8_t *end)
{
    if (*p == '"')
        return string_end(p + 1, end);
    if (*p == 'n')
        return end - p >= 4 && memcmp(p, "null", 4) == 0 ? p + 4 : NULL;
    return int_end(p, end);
}

/* Elements and ends of arrays alternate as they should? p: behind the first bracket. */
static bool well_formed(const uint8_t *p, const uint8_t *end)
{
    unsigned depth = 1;
    bool element = true, empty = true; /* one may come; the array has none yet */
    while (p < end && depth) {
        if (*p == ']' && (!element || empty)) {
            depth--;
            element = empty = false;
            p++;
        } else if (*p == ',' && !element) {
            element = true;
            p++;
        } else if (!element) {
            return false;
        } else if (*p == '[') {
            if (++depth > DEPTH)
                return false;
            empty = true;
            p++;
        } else {
            if (!(p = plain_end(p, end)))
                return false;
            element = empty = false;
        }
    }
    return !depth && p == end;
}

bool packed_open(struct slice json, struct packed *out)
{
    if (json.n < 2 || json.p[0] != '[' || !well_formed(json.p + 1, json.p + json.n))
        return false;
    out->p = json.p + 1;
    return true;
}

/* ---- reading: all of it is well-formed, and ends with a bracket ---- */

/* To the next element, if there is one. */
static void past(struct packed *r, const uint8_t *end)
{
    r->p = end + (*end == ',');
}

/* p: behind the opening quote. The closing one. */
static const uint8_t *quote_at(const uint8_t *p)
{
    for (; *p != '"'; p++)
        p += *p == '\\';
    return p;
}

/* Behind the bracket that ends the array that p is in. */
static const uint8_t *array_end(const uint8_t *p)
{
    for (unsigned depth = 1; depth; p++) {
        if (*p == '"')
            p = quote_at(p + 1);
        else if (*p == '[')
            depth++;
        else if (*p == ']')
            depth--;
    }
    return p;
}

void packed_leave(struct packed *r)
{
    past(r, array_end(r->p));
}

void packed_skip(struct packed *r)
{
    const uint8_t *p = r->p;
    if (*p == ']')
        return;
    if (*p == '[')
        p = array_end(p + 1);
    else if (*p == '"')
        p = quote_at(p + 1) + 1;
    else
        while (*p != ',' && *p != ']')
            p++;
    past(r, p);
}

bool packed_enter(struct packed *r)
{
    if (*r->p != '[') {
        packed_skip(r);
        return false;
    }
    r->p++;
    return true;
}

bool packed_int(struct packed *r, int64_t *out)
{
    const uint8_t *p = r->p;
    bool minus = *p == '-';
    int64_t v = 0;
    *out = 0;
    p += minus;
    if (*p < '0' || *p > '9') {
        packed_skip(r);
        return false;
    }
    for (; *p >= '0' && *p <= '9'; p++)
        v = v * 10 + (*p - '0');
    *out = minus ? -v : v;
    past(r, p);
    return true;
}

bool packed_raw(struct packed *r, struct slice *out)
{
    *out = slice_of(NULL, 0);
    if (*r->p != '"') {
        packed_skip(r);
        return false;
    }
    const uint8_t *first = r->p + 1, *last = quote_at(first);
    *out = slice_of(first, (size_t)(last - first));
    past(r, last + 1);
    return true;
}

static char *put_utf8(char *out, unsigned c)
{
    if (c < 0x80) {
        *out++ = (char)c;
        return out;
    }
    if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
    } else {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 63));
    }
    *out++ = (char)(0x80 | (c & 63));
    return out;
}

static const char *copied(struct arena *a, struct slice raw)
{
    char *copy = arena_get(a, raw.n + 1); /* zeroed; escapes are longer than what they stand for */
    if (!copy || !raw.n)
        return copy;
    if (!memchr(raw.p, '\\', raw.n))
        return memcpy(copy, raw.p, raw.n);
    char *out = copy;
    for (const uint8_t *p = raw.p; p < raw.p + raw.n; p++) {
        if (*p != '\\') {
            *out++ = (char)*p;
        } else if (*++p == 'u') {
            out = put_utf8(out, escaped(p + 1));
            p += 4;
        } else {
            *out++ = short_escape(*p);
        }
    }
    return copy;
}

const char *packed_text(struct packed *r, struct arena *a)
{
    struct slice raw;
    return packed_raw(r, &raw) ? copied(a, raw) : NULL;
}
