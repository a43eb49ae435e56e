/* Sorted, disjoint ranges of sequence numbers. */
#include "flows/ranges.h"

#include <string.h>

bool ranges_add(struct ranges *s, uint32_t from, uint32_t to)
{
    uint32_t first = 0; /* the first range that ends at or behind from */
    while (first < s->n && seq_diff(s->r[first].to, from) < 0)
        first++;
    uint32_t last = first; /* behind the last range that begins at or before to */
    while (last < s->n && seq_diff(s->r[last].from, to) <= 0)
        last++;
    if (last == first && s->n == RANGES_MAX)
        return false;
    if (last > first) {
        if (seq_diff(s->r[first].from, from) < 0)
            from = s->r[first].from;
        if (seq_diff(s->r[last - 1].to, to) > 0)
            to = s->r[last - 1].to;
    }
    memmove(&s->r[first + 1], &s->r[last], (s->n - last) * sizeof s->r[0]);
    s->n = s->n - (last - first) + 1;
    s->r[first] = (struct range){from, to};
    return true;
}

bool ranges_missing(const struct ranges *s, uint32_t *from, uint32_t *to)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const struct range *r = &s->r[i];
        if (seq_diff(r->to, *from) <= 0)
            continue;
        if (seq_diff(r->from, *from) > 0) {
            if (seq_diff(r->from, *to) < 0)
                *to = r->from;
            return true;
        }
        *from = r->to;
        if (seq_diff(*from, *to) >= 0)
            return false;
    }
    return true;
}

void ranges_drop(struct ranges *s, uint32_t upto)
{
    uint32_t gone = 0;
    while (gone < s->n && seq_diff(s->r[gone].to, upto) <= 0)
        gone++;
    s->n -= gone;
    memmove(&s->r[0], &s->r[gone], s->n * sizeof s->r[0]);
    if (s->n && seq_diff(s->r[0].from, upto) < 0)
        s->r[0].from = upto;
}
