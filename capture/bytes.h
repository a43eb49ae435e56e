/*
 * Slices and the one checked way to read raw bytes.
 *
 * A slice is lent memory: pointer and length, never owned. A cursor walks a slice from front to
 * back; every getter first checks, then consumes, then stores, so that a failed read leaves both
 * the cursor and the output untouched. Numbers are big-endian unless the name says le. Nothing
 * outside this file turns wire bytes into numbers.
 */
#ifndef EW_CAPTURE_BYTES_H
#define EW_CAPTURE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const uint8_t *p;
    size_t n;
};

struct cursor {
    const uint8_t *p, *end;
};

static inline struct slice slice_of(const void *p, size_t n)
{
    return (struct slice){(const uint8_t *)p, n};
}

static inline struct slice slice_between(const uint8_t *from, const uint8_t *to)
{
    return slice_of(from, (size_t)(to - from));
}

static inline struct slice slice_str(const char *s)
{
    return slice_of(s, strlen(s));
}

static inline struct cursor cursor_on(struct slice s)
{
    return (struct cursor){s.p, s.p ? s.p + s.n : s.p};
}

static inline size_t cursor_left(const struct cursor *c)
{
    return (size_t)(c->end - c->p);
}

static inline struct slice cursor_rest(const struct cursor *c)
{
    return slice_of(c->p, cursor_left(c));
}

static inline uint16_t be16(const uint8_t *p)
{
    return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t be64(const uint8_t *p)
{
    return (uint64_t)be32(p) << 32 | be32(p + 4);
}

static inline uint16_t le16(const uint8_t *p)
{
    return (uint16_t)((unsigned)p[1] << 8 | p[0]);
}

static inline uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

__attribute__((warn_unused_result)) static inline bool get_u8(struct cursor *c, uint8_t *out)
{
    if (cursor_left(c) < 1)
        return false;
    *out = *c->p++;
    return true;
}

__attribute__((warn_unused_result)) static inline bool get_u16(struct cursor *c, uint16_t *out)
{
    if (cursor_left(c) < 2)
        return false;
    *out = be16(c->p);
    c->p += 2;
    return true;
}

__attribute__((warn_unused_result)) static inline bool get_u32(struct cursor *c, uint32_t *out)
{
    if (cursor_left(c) < 4)
        return false;
    *out = be32(c->p);
    c->p += 4;
    return true;
}

__attribute__((warn_unused_result)) static inline bool get_u64(struct cursor *c, uint64_t *out)
{
    if (cursor_left(c) < 8)
        return false;
    *out = be64(c->p);
    c->p += 8;
    return true;
}

__attribute__((warn_unused_result)) static inline bool get_slice(struct cursor *c, size_t n,
                                                                 struct slice *out)
{
    if (cursor_left(c) < n)
        return false;
    *out = slice_of(c->p, n);
    c->p += n;
    return true;
}

__attribute__((warn_unused_result)) static inline bool get_skip(struct cursor *c, size_t n)
{
    if (cursor_left(c) < n)
        return false;
    c->p += n;
    return true;
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* ASCII only; the C locale must not decide what a SIP method is. */
static inline uint8_t ascii_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static inline bool slice_ieq(struct slice a, struct slice b)
{
    if (a.n != b.n)
        return false;
    if (a.n == 0 || memcmp(a.p, b.p, a.n) == 0) /* nearly always, if they are equal at all */
        return true;
    if (ascii_lower(a.p[0]) != ascii_lower(b.p[0]))
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    return true;
}

static inline bool slice_is(struct slice a, const char *s)
{
    return slice_ieq(a, slice_str(s));
}

static inline bool slice_starts(struct slice a, const char *s)
{
    size_t n = strlen(s);
    return a.n >= n && slice_ieq(slice_of(a.p, n), slice_of(s, n));
}

/* Eight bytes of text at once, for walks over text: the first byte is the lowest one. */
static inline uint64_t text_word(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

/* The same near the end of the text: bytes from end on are zero. */
static inline uint64_t text_word_upto(const uint8_t *p, const uint8_t *end)
{
    uint64_t w = 0;
    if (end - p >= 8)
        return text_word(p);
    while (end > p)
        w = w << 8 | *--end;
    return w;
}

/* Marks in a text_word. The lowest mark is exact, others may be too many; none is missing. */
static inline uint64_t text_below(uint64_t w, uint8_t c) /* bytes less than c, which is <= 0x80 */
{
    return (w - UINT64_C(0x0101010101010101) * c) & ~w & UINT64_C(0x8080808080808080);
}

static inline uint64_t text_equal(uint64_t w, uint8_t c)
{
    return text_below(w ^ UINT64_C(0x0101010101010101) * c, 1);
}

/* Index of the lowest mark's byte (marks not 0). */
static inline size_t text_first(uint64_t marks)
{
    return (size_t)__builtin_ctzll(marks) / 8;
}

/* The bytes before the lowest mark in lower case, zeros behind them: words of eight letters and
 * less compare as numbers. Only letters, digits and dashes among visible characters compare
 * rightly. */
static inline uint64_t text_key(uint64_t w, uint64_t marks)
{
    return (w | UINT64_C(0x2020202020202020)) & (((marks & -marks) >> 7) - 1);
}

/* The key of (the first eight bytes of) a literal in lower case; a constant. */
#define TEXT_KEY(literal) text_word((const uint8_t *)(literal "\0\0\0\0\0\0\0"))

static inline bool ascii_is_blank(uint8_t c)
{
    return c <= ' ' && (c == ' ' || c == '\t' || c == '\r' || c == '\n');
}

/* Cuts spaces, tabs and line ends (header folding leaves them) off both ends. */
static inline struct slice slice_trim(struct slice a)
{
    while (a.n && ascii_is_blank(*a.p))
        a.p++, a.n--;
    while (a.n && ascii_is_blank(a.p[a.n - 1]))
        a.n--;
    return a;
}

#endif
