/* After a gap: the next record of a direction that opens. */
#include "flows/tls_link_state.h"

enum { RECORD_MAX = TLS_PLAIN_MAX + TLS_RECORD_HEADER };

/* Could a record of an open connection begin here? What follows it must look like one, too. */
static enum wire_result candidate(struct slice in, struct tls_record *r)
{
    struct tls_record next;
    enum wire_result got = tls_record_parse(in, r, NULL);
    if (got != WIRE_OK)
        return got;
    if (r->type < TLS_CHANGE_CIPHER || r->type > TLS_DATA || r->version > TLS_12 || r->length < 16)
        return WIRE_BAD;
    if (r->body.n < r->length)
        return WIRE_MORE;
    size_t size = TLS_RECORD_HEADER + (size_t)r->length;
    return tls_record_parse(slice_of(in.p + size, in.n - size), &next, NULL) == WIRE_BAD ? WIRE_BAD
                                                                                         : WIRE_OK;
}

/* Opens it under one of the numbers that it may have. */
static bool opens(struct tls_link *l, enum stream_side side, const struct tls_record *r,
                  const uint8_t *header)
{
    struct tls_way *w = &l->way[side];
    uint8_t type;
    for (uint32_t skip = 0; skip <= w->skipped && w->trials; skip++) {
        struct tls_sealed s = {r->type, slice_of(header, TLS_RECORD_HEADER), r->body,
                               w->number + skip};
        w->trials--;
        int n = tls_shield_open(w->shield, &s, l->reader->scratch, &type);
        if (n < 0)
            continue;
        w->number += skip + 1;
        w->opened++;
        w->lost = false;
        w->skipped = 0;
        tls_link_contents(l, side, type, slice_of(l->reader->scratch, (size_t)n));
        return true;
    }
    return false;
}

size_t tls_resync(struct tls_link *l, enum stream_side side, struct slice avail)
{
    struct tls_way *w = &l->way[side];
    struct tls_record r;
    size_t at = 0;
    while (at < avail.n && w->lost && w->trials) {
        struct slice rest = slice_of(avail.p + at, avail.n - at);
        enum wire_result got = candidate(rest, &r);
        if (got == WIRE_MORE && rest.n < RECORD_MAX)
            return at;
        if (got != WIRE_OK) {
            at++;
            continue;
        }
        size_t size = TLS_RECORD_HEADER + (size_t)r.length;
        bool blind = tls_shield_chained(w->shield) && !w->follows;
        if (blind) { /* the IV of the record behind it, if this is one */
            tls_shield_follow(w->shield, r.body);
            w->follows = true;
            w->skipped += w->skipped < TLS_SKIP_MAX;
            at += size;
        } else if (opens(l, side, &r, rest.p)) {
            at += size;
        } else {
            w->follows = false;
            at++;
        }
    }
    if (w->lost && !w->trials)
        tls_link_stop(l, TLS_GAP);
    return at;
}
