/* The header's layout by trial, then plain or compressed messages. */
#include "flows/sipcomp.h"

#include <stdlib.h>

#include "flows/limits.h"
#include "flows/wire/mppc.h"

enum { HEADER_LEAST = 2, HEADER_MOST = 16 };

struct sipcomp {
    bool known;
    unsigned header, at; /* its size; where in it the size stands */
    bool little;         /* byte order of that */
    size_t counted;      /* what is counted besides the message */
    struct mppc side[2], trial;
    uint8_t text[LIMIT_SIP_MESSAGE];
};

struct sipcomp *sipcomp_new(void)
{
    return calloc(1, sizeof(struct sipcomp));
}

void sipcomp_free(struct sipcomp *c)
{
    free(c);
}

static size_t size_at(const uint8_t *p, bool little)
{
    return little ? le16(p) : be16(p);
}

/* Which two bytes of the header tell the message's size, alone or with (a part of) the header? */
static bool find_size(struct sipcomp *c, struct slice avail, size_t size)
{
    for (unsigned at = 0; at + 2 <= c->header; at++)
        for (int little = 0; little < 2; little++) {
            size_t told = size_at(avail.p + at, little);
            if (told != size && told != size + c->header && told != size + c->header - at - 2)
                continue;
            c->at = at;
            c->little = little;
            c->counted = told - size;
            return c->known = true;
        }
    return false;
}

/* UTF-8 without control characters: what a message is, and compressed data is not. A literal below
 * 0x80 is its own byte, so compressed data may look like text up to its first copy. */
static bool is_text(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        unsigned more = c < 0x80 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        bool control = c < 0x20 && c != '\r' && c != '\n' && c != '\t';
        if (control || c == 0x7f || (c >= 0x80 && c < 0xc2) || c > 0xf4)
            return false;
        for (; more; more--)
            if (++i >= s.n || (s.p[i] & 0xc0) != 0x80)
                return false;
    }
    return true;
}

static bool decodes(struct sipcomp *c, const struct mppc *from, struct slice in, size_t *n)
{
    c->trial = *from;
    return mppc_decode(&c->trial, in, c->text, sizeof c->text, n, NULL) == WIRE_OK &&
           sip_looks_like(slice_of(c->text, *n)) == WIRE_OK && is_text(slice_of(c->text, *n));
}

/* With the history so far, or with a fresh one. */
static bool inflate(struct sipcomp *c, enum stream_side side, struct slice in, size_t *n)
{
    static const struct mppc fresh;
    if (!decodes(c, &c->side[side], in, n) && !decodes(c, &fresh, in, n))
        return false;
    c->side[side] = c->trial;
    return true;
}

/* A byte of the header in front of it would make a method of its own: TINVITE. */
static bool is_known(struct slice start)
{
    struct sip_msg m;
    return sip_parse(start, true, &m, NULL) == WIRE_OK && m.method != SIP_OTHER_METHOD;
}

/* One message, with nothing missing or behind it. */
static bool is_whole(struct slice text)
{
    struct sip_msg m;
    return sip_parse(text, false, &m, NULL) == WIRE_OK && m.size == text.n;
}

/* By a first message: plain behind the header, or compressed and all that is there. */
static enum wire_result find_layout(struct sipcomp *c, enum stream_side side, struct slice avail)
{
    struct sip_msg m;
    for (c->header = HEADER_LEAST; c->header <= HEADER_MOST; c->header++) {
        if (avail.n <= c->header)
            return WIRE_MORE;
        struct slice rest = slice_of(avail.p + c->header, avail.n - c->header);
        enum wire_result looks = sip_looks_like(rest);
        size_t n;
        if (looks == WIRE_MORE)
            return WIRE_MORE;
        if (looks != WIRE_OK || !is_known(rest))
            continue;
        if (sip_parse(rest, false, &m, NULL) == WIRE_OK && is_text(slice_of(rest.p, m.size)))
            return find_size(c, avail, m.size) ? WIRE_OK : WIRE_BAD;
        if (decodes(c, &c->side[side], rest, &n) && is_whole(slice_of(c->text, n)) &&
            find_size(c, avail, rest.n))
            return WIRE_OK;
        return avail.n < LIMIT_SIP_MESSAGE ? WIRE_MORE : WIRE_BAD;
    }
    return WIRE_BAD;
}

enum wire_result sipcomp_next(struct sipcomp *c, enum stream_side side, struct slice avail,
                              struct sip_msg *m, size_t *used)
{
    size_t n;
    *used = 0;
    if (!c->known) {
        enum wire_result r = find_layout(c, side, avail);
        if (r != WIRE_OK)
            return r;
    }
    if (avail.n < c->header)
        return WIRE_MORE;
    size_t told = size_at(avail.p + c->at, c->little);
    if (told <= c->counted)
        return WIRE_BAD;
    size_t size = told - c->counted;
    if (avail.n - c->header < size)
        return WIRE_MORE;
    struct slice body = slice_of(avail.p + c->header, size);
    bool plain = sip_looks_like(body) == WIRE_OK && is_text(body);
    /* text may be literals, which count in the history; the next one tells */
    if (inflate(c, side, body, &n) && !plain)
        body = slice_of(c->text, n);
    else if (!plain)
        return WIRE_BAD;
    *used = c->header + size;
    return sip_parse(body, true, m, NULL);
}
