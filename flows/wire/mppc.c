/* RFC 2118 §4. */
#include "flows/wire/mppc.h"

struct bits {
    struct slice in;
    size_t at; /* bits read */
};

static size_t bits_left(const struct bits *b)
{
    return b->in.n * 8 - b->at;
}

/* n at most 13; false if there are fewer */
static bool take(struct bits *b, unsigned n, uint32_t *out)
{
    uint32_t v = 0;
    if (bits_left(b) < n)
        return false;
    for (; n; n--, b->at++)
        v = v << 1 | ((uint32_t)b->in.p[b->at / 8] >> (7 - b->at % 8) & 1u);
    *out = v;
    return true;
}

/* How many ones before the next zero, at most most; the zero is taken, too, if it came. */
static bool ones(struct bits *b, unsigned most, unsigned *out)
{
    uint32_t bit = 1;
    unsigned n = 0;
    while (n < most) {
        if (!take(b, 1, &bit))
            return false;
        if (!bit)
            break;
        n++;
    }
    *out = n;
    return true;
}

/* Behind "11": the rest of the offset. */
static bool take_offset(struct bits *b, uint32_t *out)
{
    unsigned more;
    if (!ones(b, 2, &more))
        return false;
    if (more == 2)
        return take(b, 6, out);
    bool well = take(b, more ? 8 : 13, out);
    *out += more ? 64 : 320;
    return well;
}

static bool take_length(struct bits *b, uint32_t *out)
{
    enum { MOST = 11 };
    unsigned n;
    if (!ones(b, MOST + 1, &n) || n > MOST)
        return false;
    if (n == 0) {
        *out = 3;
        return true;
    }
    bool well = take(b, n + 1, out);
    *out += 1u << (n + 1);
    return well;
}

struct output {
    struct mppc *m;
    uint8_t *out;
    size_t room, n;
};

static bool put(struct output *o, uint8_t c)
{
    if (o->n == o->room)
        return false;
    o->out[o->n++] = c;
    o->m->history[o->m->seen++ % MPPC_HISTORY] = c;
    return true;
}

static const char *copy(struct output *o, struct bits *b)
{
    uint32_t offset = 0, length = 0;
    if (!take_offset(b, &offset) || !take_length(b, &length))
        return "token is cut";
    if (!offset || offset > o->m->seen || offset >= MPPC_HISTORY)
        return "copy from before the history";
    while (length--)
        if (!put(o, o->m->history[(o->m->seen - offset) % MPPC_HISTORY]))
            return "too long";
    return NULL;
}

/* One token; NULL, or what is wrong with it. */
static const char *token(struct output *o, struct bits *b)
{
    uint32_t v = 0;
    unsigned lead;
    if (!ones(b, 2, &lead))
        return "token is cut";
    if (lead == 2)
        return copy(o, b);
    if (!take(b, 7, &v))
        return "token is cut";
    return put(o, (uint8_t)(lead ? v | 0x80 : v)) ? NULL : "too long";
}

enum wire_result mppc_decode(struct mppc *m, struct slice in, uint8_t *out, size_t room, size_t *n,
                             struct wire_fault *fault)
{
    enum { LEAST = 8 }; /* bits of a token: fewer are the last byte's padding */
    struct output o = {.m = m, .out = out, .room = room};
    struct bits b = {.in = in};
    while (bits_left(&b) >= LEAST) {
        size_t at = b.at / 8;
        const char *wrong = token(&o, &b);
        if (wrong)
            return wire_bad(fault, wrong, at);
    }
    *n = o.n;
    return WIRE_OK;
}
