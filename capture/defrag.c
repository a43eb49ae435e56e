/*
 * Each datagram has a slot with room for the largest one, and a bit for each eight bytes (the unit
 * of fragment offsets) that says whether they are there. So a fragment is copied once, to where it
 * belongs, overlaps are seen bit by bit, and nothing is allocated on the way.
 */
#include "capture/defrag.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { UNIT = 8, DATAGRAM_BYTES = 65536, UNITS = DATAGRAM_BYTES / UNIT };

enum slot_state {
    SLOT_FREE,
    SLOT_OPEN,
    SLOT_SPOILED, /* contradictory: swallows what still belongs to it until it expires */
};

struct slot {
    enum slot_state state;
    struct addr src, dst;
    uint32_t id;
    uint8_t proto; /* part of the key for IPv4 only */
    uint8_t first_proto;
    bool v6;
    tick_t begun;
    uint32_t total; /* bytes of the datagram, 0 = last fragment not seen */
    uint32_t units; /* units there */
    uint64_t there[UNITS / 64];
};

struct defrag {
    struct defrag_counts counts;
    uint64_t seed;
    uint64_t hash[DEFRAG_DATAGRAMS]; /* of the slots' keys, side by side: quick to search */
    struct slot slots[DEFRAG_DATAGRAMS];
    uint8_t *bytes; /* DATAGRAM_BYTES per slot */
};

struct defrag *defrag_new(uint64_t seed)
{
    struct defrag *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->seed = seed;
    d->bytes = mmap(NULL, (size_t)DEFRAG_DATAGRAMS * DATAGRAM_BYTES, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (d->bytes == MAP_FAILED) {
        free(d);
        return NULL;
    }
    return d;
}

void defrag_free(struct defrag *d)
{
    if (!d)
        return;
    munmap(d->bytes, (size_t)DEFRAG_DATAGRAMS * DATAGRAM_BYTES);
    free(d);
}

void defrag_counts(const struct defrag *d, struct defrag_counts *out)
{
    *out = d->counts;
}

static uint64_t key_hash(const struct defrag *d, const struct fragment *f)
{
    struct endpoint src = {f->src, (uint16_t)f->id}, dst = {f->dst, (uint16_t)(f->id >> 16)};
    return endpoint_hash2(&src, &dst, d->seed ^ (f->v6 ? 0 : f->proto));
}

static bool same_key(const struct slot *s, const struct fragment *f)
{
    return s->state != SLOT_FREE && s->id == f->id && s->v6 == f->v6 &&
           (f->v6 || s->proto == f->proto) && addr_eq(&s->src, &f->src) &&
           addr_eq(&s->dst, &f->dst);
}

/* Also when packet time jumps back. */
static bool too_old(const struct slot *s, tick_t now)
{
    return now - s->begun > DEFRAG_TIMEOUT || s->begun - now > DEFRAG_TIMEOUT;
}

static void slot_expire(struct defrag *d, struct slot *s)
{
    d->counts.expired += s->state == SLOT_OPEN;
    s->state = SLOT_FREE;
}

/* A free slot; if there is none, that of the datagram that began first. */
static unsigned slot_take(struct defrag *d, tick_t now)
{
    unsigned oldest = 0;
    for (unsigned i = 0; i < DEFRAG_DATAGRAMS; i++) {
        struct slot *s = &d->slots[i];
        if (s->state != SLOT_FREE && too_old(s, now))
            slot_expire(d, s);
        if (s->state == SLOT_FREE)
            return i;
        if (s->begun < d->slots[oldest].begun)
            oldest = i;
    }
    d->counts.evicted += d->slots[oldest].state == SLOT_OPEN;
    return oldest;
}

static unsigned slot_for(struct defrag *d, const struct fragment *f, tick_t now)
{
    uint64_t h = key_hash(d, f);
    for (unsigned i = 0; i < DEFRAG_DATAGRAMS; i++) {
        if (d->hash[i] != h || !same_key(&d->slots[i], f))
            continue;
        if (!too_old(&d->slots[i], now))
            return i;
        slot_expire(d, &d->slots[i]);
        break;
    }
    unsigned i = slot_take(d, now);
    d->hash[i] = h;
    d->slots[i] = (struct slot){.state = SLOT_OPEN,
                                .src = f->src,
                                .dst = f->dst,
                                .id = f->id,
                                .proto = f->proto,
                                .first_proto = f->proto,
                                .v6 = f->v6,
                                .begun = now};
    return i;
}

/* Copies the units that are not there yet. False: some that are there say something else. */
static bool slot_fill(struct slot *s, uint8_t *bytes, const struct fragment *f, uint32_t *added)
{
    bool agree = true;
    for (size_t at = 0; at < f->data_len; at += UNIT) {
        size_t n = f->data_len - at < UNIT ? f->data_len - at : UNIT;
        size_t unit = (f->offset + at) / UNIT;
        uint64_t bit = UINT64_C(1) << unit % 64;
        uint8_t *to = bytes + f->offset + at;
        if (s->there[unit / 64] & bit) {
            agree &= memcmp(to, f->data.p + at, n) == 0;
            continue;
        }
        memcpy(to, f->data.p + at, n);
        s->there[unit / 64] |= bit;
        ++*added;
    }
    s->units += *added;
    return agree;
}

/* Does the fragment's end fit what is known of the datagram's? */
static bool slot_end(struct slot *s, const struct fragment *f)
{
    uint32_t end = f->offset + f->data_len;
    if (f->more)
        return s->total == 0 || end <= s->total;
    if (s->total == 0)
        s->total = end;
    return s->total == end;
}

/* False: the datagram is of no use any more. */
static bool slot_add(struct defrag *d, struct slot *s, uint8_t *bytes, const struct fragment *f)
{
    uint32_t added = 0;
    if (!slot_end(s, f)) {
        d->counts.overlaps++;
        return false;
    }
    bool agree = slot_fill(s, bytes, f, &added);
    uint32_t units = (f->data_len + UNIT - 1) / UNIT;
    if (f->offset == 0)
        s->first_proto = f->proto;
    if (agree && added == 0)
        d->counts.duplicates++;
    else if (added < units)
        d->counts.overlaps++;
    else
        return true;
    return (agree && added == 0) || !f->v6;
}

bool defrag_add(struct defrag *d, struct fragment *f, tick_t now, struct slice *whole)
{
    d->counts.fragments++;
    if (f->data.n < f->data_len || f->data_len == 0 || f->offset + f->data_len > UINT16_MAX ||
        (f->more && f->data_len % UNIT)) {
        d->counts.unusable++;
        return false;
    }
    unsigned i = slot_for(d, f, now);
    struct slot *s = &d->slots[i];
    uint8_t *bytes = d->bytes + (size_t)i * DATAGRAM_BYTES;
    if (s->state == SLOT_SPOILED)
        return false;
    if (!slot_add(d, s, bytes, f)) {
        s->state = SLOT_SPOILED;
        return false;
    }
    if (!s->total || s->units < (s->total + UNIT - 1) / UNIT)
        return false;
    d->counts.complete++;
    s->state = SLOT_FREE; /* its bytes stay until a later call takes the slot */
    f->proto = s->first_proto;
    *whole = slice_of(bytes, s->total);
    return true;
}
