/*
 * Evidence slots. A handle is a slot's number and its turn (how often the slot was given out), so
 * that a handle whose slot went to another attempt is seen to be stale.
 *
 *   attempt -> newest slot -> older slot -> ... -> 0         per attempt, by handle
 *   oldest <-> ... <-> newest                                 all slots in use, by age
 */
#include "flows/evidence.h"

#include "flows/limits.h"
#include "flows/pages.h"

#include <stdlib.h>

_Static_assert((int)LIMIT_EVIDENCE_PER_ATTEMPT <= (int)ATTEMPT_MAX_EVIDENCE,
               "evidence_list() must hold all");

enum { SLOT_BITS = 18, SLOT_MASK = (1 << SLOT_BITS) - 1, TURNS = 1 << (31 - SLOT_BITS) };

/* Whole cache lines: a SYN and all that goes with it are two. */
struct slot {
    _Alignas(64) tick_t time;
    uint32_t caplen, len;
    uint32_t earlier;      /* handle of the attempt's packet before, 0 = first */
    uint32_t older, newer; /* slot numbers by age; free list: newer */
    uint16_t linktype, iface;
    uint16_t turn; /* 1 ... TURNS - 1 */
    uint8_t count; /* packets of the attempt up to this one */
    bool used;
    uint8_t bytes[LIMIT_EVIDENCE_BYTES];
};

struct evidence_store {
    struct slot *slot; /* slot 0 is never used: 0 ends lists */
    uint32_t slots, grown, free, oldest, newest;
    uint64_t lost;
};

struct evidence_store *evidence_new(uint32_t slots)
{
    struct evidence_store *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->slots = slots < 2 ? 2 : slots > SLOT_MASK ? SLOT_MASK : slots;
    s->slot = pages_reserve(s->slots * sizeof *s->slot);
    s->grown = 1;
    if (!s->slot) {
        free(s);
        return NULL;
    }
    return s;
}

void evidence_free(struct evidence_store *s)
{
    if (s)
        pages_release(s->slot, s->slots * sizeof *s->slot);
    free(s);
}

static struct slot *at(const struct evidence_store *s, uint32_t handle)
{
    uint32_t n = handle & SLOT_MASK;
    if (!n || n >= s->grown)
        return NULL;
    struct slot *e = s->slot + n;
    return e->used && e->turn == handle >> SLOT_BITS ? e : NULL;
}

static void unlink_age(struct evidence_store *s, struct slot *e)
{
    if (e->older)
        s->slot[e->older].newer = e->newer;
    else
        s->oldest = e->newer;
    if (e->newer)
        s->slot[e->newer].older = e->older;
    else
        s->newest = e->older;
    e->used = false;
}

static uint32_t take(struct evidence_store *s)
{
    uint32_t n = s->free;
    if (n) {
        s->free = s->slot[n].newer;
    } else if (s->grown < s->slots) {
        n = s->grown++;
    } else {
        n = s->oldest;
        s->lost++;
        unlink_age(s, s->slot + n);
    }
    struct slot *e = s->slot + n;
    e->turn = (uint16_t)(e->turn % (TURNS - 1) + 1);
    e->used = true;
    e->older = s->newest;
    e->newer = 0;
    if (s->newest)
        s->slot[s->newest].newer = n;
    else
        s->oldest = n;
    s->newest = n;
    return n;
}

void evidence_keep(struct evidence_store *s, uint32_t *handle, const struct raw_packet *p)
{
    const struct slot *last = at(s, *handle);
    unsigned count = last ? last->count : 0;
    if (count >= LIMIT_EVIDENCE_PER_ATTEMPT)
        return;
    uint32_t n = take(s), earlier = *handle;
    struct slot *e = s->slot + n;
    e->time = p->time;
    e->len = p->len;
    e->caplen = p->caplen < LIMIT_EVIDENCE_BYTES ? p->caplen : LIMIT_EVIDENCE_BYTES;
    e->linktype = p->linktype;
    e->iface = p->iface;
    e->earlier = earlier;
    e->count = (uint8_t)(count + 1);
    if (e->caplen)
        memcpy(e->bytes, p->data, e->caplen);
    *handle = (uint32_t)e->turn << SLOT_BITS | n;
}

void evidence_drop(struct evidence_store *s, uint32_t *handle)
{
    struct slot *e;
    while ((e = at(s, *handle))) {
        *handle = e->earlier;
        unlink_age(s, e);
        e->newer = s->free;
        s->free = (uint32_t)(e - s->slot);
    }
    *handle = 0;
}

unsigned evidence_list(const struct evidence_store *s, uint32_t handle,
                       struct evidence out[ATTEMPT_MAX_EVIDENCE])
{
    const struct slot *chain[ATTEMPT_MAX_EVIDENCE], *e;
    unsigned n = 0;
    while (n < ATTEMPT_MAX_EVIDENCE && (e = at(s, handle))) {
        chain[n++] = e;
        handle = e->earlier;
    }
    for (unsigned i = 0; i < n; i++) {
        e = chain[n - 1 - i];
        out[i] = (struct evidence){.time = e->time,
                                   .linktype = e->linktype,
                                   .iface = e->iface,
                                   .caplen = e->caplen,
                                   .len = e->len,
                                   .bytes = e->bytes};
    }
    return n;
}

void evidence_move(struct evidence_store *from, struct evidence_store *to, uint32_t *handle)
{
    struct evidence list[ATTEMPT_MAX_EVIDENCE];
    unsigned n = evidence_list(from, *handle, list);
    uint32_t moved = 0;
    for (unsigned i = 0; i < n; i++)
        evidence_keep(to, &moved,
                      &(struct raw_packet){.time = list[i].time,
                                           .data = list[i].bytes,
                                           .caplen = list[i].caplen,
                                           .len = list[i].len,
                                           .linktype = list[i].linktype,
                                           .iface = list[i].iface});
    evidence_drop(from, handle);
    *handle = moved;
}

uint64_t evidence_lost(const struct evidence_store *s)
{
    return s->lost;
}
