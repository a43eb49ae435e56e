/*
 * A bounded byte buffer to write packets and messages into, big-endian, and the small pseudo-random
 * generator that invents whatever bytes a story does not prescribe (tokens, nonces, media).
 * Running out of room is a bug of the builder, hence an assert.
 */
#ifndef EW_PCAPS_BUF_H
#define EW_PCAPS_BUF_H

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct buf {
    uint8_t *p;
    size_t n, max;
};

/* Declare a buffer on the stack: BUF(message, 2048); */
#define BUF(name, size)         \
    uint8_t name##_bytes[size]; \
    struct buf name = {name##_bytes, 0, size}

static inline void buf_put(struct buf *b, const void *p, size_t n)
{
    assert(n <= b->max - b->n);
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
}

static inline void buf_fill(struct buf *b, uint8_t byte, size_t n)
{
    assert(n <= b->max - b->n);
    memset(b->p + b->n, byte, n);
    b->n += n;
}

static inline void set_u16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void set_u32(uint8_t *p, uint32_t v)
{
    set_u16(p, v >> 16);
    set_u16(p + 2, v & 0xffff);
}

static inline void buf_u8(struct buf *b, unsigned v)
{
    buf_fill(b, (uint8_t)v, 1);
}

static inline void buf_u16(struct buf *b, size_t v)
{
    uint8_t raw[2];
    set_u16(raw, v);
    buf_put(b, raw, sizeof raw);
}

static inline void buf_u32(struct buf *b, uint32_t v)
{
    uint8_t raw[4];
    set_u32(raw, v);
    buf_put(b, raw, sizeof raw);
}

static inline void buf_str(struct buf *b, const char *s)
{
    buf_put(b, s, strlen(s));
}

__attribute__((format(printf, 2, 3))) static inline void buf_fmt(struct buf *b, const char *fmt,
                                                                 ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf((char *)b->p + b->n, b->max - b->n, fmt, ap);
    va_end(ap);
    assert(n >= 0 && (size_t)n < b->max - b->n);
    b->n += (size_t)n;
}

/* splitmix64: one word of state, good enough to invent bytes, the same on every machine. */
static inline uint64_t rnd_next(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* 0 .. n-1 */
static inline uint32_t rnd_below(uint64_t *state, uint32_t n)
{
    return (uint32_t)((rnd_next(state) >> 32) * n >> 32);
}

static inline void rnd_fill(uint64_t *state, void *to, size_t n)
{
    uint8_t *p = to;
    while (n) {
        uint64_t v = rnd_next(state);
        size_t take = n < sizeof v ? n : sizeof v;
        for (size_t i = 0; i < take; i++)
            p[i] = (uint8_t)(v >> 8 * i);
        p += take;
        n -= take;
    }
}

static inline void buf_rnd(struct buf *b, uint64_t *state, size_t n)
{
    assert(n <= b->max - b->n);
    rnd_fill(state, b->p + b->n, n);
    b->n += n;
}

#endif
