/* See mppc_make.h. */
#include "tests/help/mppc_make.h"

#include <string.h>

static void put(struct mppc_made *m, uint32_t value, unsigned n)
{
    while (n--) {
        if (value >> n & 1)
            m->p[m->bits / 8] |= (uint8_t)(0x80 >> m->bits % 8);
        m->bits++;
    }
}

void mppc_literal(struct mppc_made *m, uint8_t c)
{
    if (c < 0x80) {
        put(m, c, 8);
    } else {
        put(m, 2, 2);
        put(m, c & 0x7fu, 7);
    }
}

void mppc_copy(struct mppc_made *m, unsigned offset, unsigned length)
{
    if (offset < 64) {
        put(m, 15, 4);
        put(m, offset, 6);
    } else if (offset < 320) {
        put(m, 14, 4);
        put(m, offset - 64, 8);
    } else {
        put(m, 6, 3);
        put(m, offset - 320, 13);
    }
    if (length == 3) {
        put(m, 0, 1);
        return;
    }
    unsigned n = 1; /* 2^(n+1) <= length < 2^(n+2) */
    while (length >= 1u << (n + 2))
        n++;
    put(m, (1u << n) - 1, n);
    put(m, 0, 1);
    put(m, length - (1u << (n + 1)), n + 1);
}

void mppc_text(struct mppc_made *m, const char *text, size_t known, size_t n)
{
    enum { WINDOW = 8191 };
    for (size_t at = known; at < n;) {
        size_t best = 0, from = 0;
        for (size_t k = at > WINDOW ? at - WINDOW : 0; k < at; k++) {
            size_t l = 0;
            while (at + l < n && l < WINDOW && text[k + l] == text[at + l])
                l++;
            if (l > best) {
                best = l;
                from = k;
            }
        }
        if (best >= 3) {
            mppc_copy(m, (unsigned)(at - from), (unsigned)best);
            at += best;
        } else {
            mppc_literal(m, (uint8_t)text[at++]);
        }
    }
}

size_t mppc_bytes(const struct mppc_made *m)
{
    return (m->bits + 7) / 8;
}
