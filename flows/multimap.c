/* Flat hash table with linear probing; see multimap.h. */
#include "flows/multimap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "flows/memory.h"
#include "flows/pages.h"

enum { FIRST_BITS = 9 };

static uint64_t table_bytes(const struct multimap *m)
{
    return (uint64_t)sizeof *m->slots << m->bits;
}

static uint32_t last_slot(const struct multimap *m)
{
    return (1u << m->bits) - 1;
}

/* Beyond a half many runs of slots in use reach into the next line. */
static bool crowded(const struct multimap *m)
{
    return m->n >= UINT64_C(1) << m->bits >> 1;
}

int multimap_init(struct multimap *m, uint32_t cap)
{
    *m = (struct multimap){.bits = FIRST_BITS, .cap = cap};
    m->slots = pages_table(table_bytes(m));
    return m->slots ? 0 : -1;
}

void multimap_clear(struct multimap *m)
{
    if (m->slots)
        pages_table_free(m->slots, table_bytes(m));
    *m = (struct multimap){.slots = NULL};
}

static uint32_t free_from(const struct multimap *m, uint32_t at)
{
    while (m->slots[at].owner)
        at = (at + 1) & last_slot(m);
    return at;
}

/* Entries go over in the order in which they stand, from behind a free slot on, so that those of
 * one key keep theirs. */
static bool grow(struct multimap *m)
{
    struct multimap big = *m;
    if (m->bits == MULTIMAP_TAG_BITS)
        return false;
    big.bits++;
    big.slots = pages_table(table_bytes(&big));
    if (!big.slots)
        return false;
    uint32_t start = free_from(m, 0);
    for (uint32_t i = 0; i <= last_slot(m); i++) {
        const struct multimap_slot *s = &m->slots[(start + i) & last_slot(m)];
        if (s->owner)
            big.slots[free_from(&big, multimap_home(&big, s->tag))] = *s;
    }
    pages_table_free(m->slots, table_bytes(m));
    *m = big;
    return true;
}

/* Where a new entry's key makes room: the next free slot, or, of too many alike, the oldest's. */
static uint32_t room_from(const struct multimap *m, uint32_t at, uint32_t tag, uint16_t more)
{
    uint32_t oldest = 0, alike = 0;
    for (; m->slots[at].owner; at = (at + 1) & last_slot(m))
        if (m->slots[at].tag == tag && m->slots[at].more == more) {
            oldest = at;
            alike++;
        }
    return alike < MULTIMAP_ALIKE ? at : oldest;
}

enum multimap_added multimap_add(struct multimap *m, uint64_t key, uint16_t more, void *owner,
                                 uint8_t kind, unsigned medium, unsigned side)
{
    if (m->n >= m->cap || (crowded(m) && !grow(m))) {
        m->refused++;
        (void)memory_got(NULL);
        return MULTIMAP_FULL;
    }
    uint32_t tag = multimap_tag(key), home = multimap_home(m, tag);
    uint32_t at = room_from(m, home, tag, more);
    bool gave_way = m->slots[at].owner != NULL;
    for (; at != home; at = (at - 1) & last_slot(m))
        m->slots[at] = m->slots[(at - 1) & last_slot(m)];
    m->slots[home] = (struct multimap_slot){
        owner, tag, more, kind, (uint8_t)(medium & 127), (uint8_t)(side & 1)};
    if (gave_way) {
        m->refused++;
        (void)memory_got(NULL);
        return MULTIMAP_REPLACED;
    }
    m->n++;
    return MULTIMAP_ADDED;
}

/* What stands behind the hole moves up, unless that were before its home. */
static void close_hole(struct multimap *m, uint32_t hole)
{
    const uint32_t last = last_slot(m);
    for (uint32_t at = (hole + 1) & last; m->slots[at].owner; at = (at + 1) & last) {
        uint32_t home = multimap_home(m, m->slots[at].tag);
        if (((at - home) & last) < ((at - hole) & last))
            continue;
        m->slots[hole] = m->slots[at];
        hole = at;
    }
    m->slots[hole].owner = NULL;
}

int multimap_remove(struct multimap *m, uint32_t tag, const void *owner)
{
    const uint32_t last = last_slot(m);
    for (uint32_t at = multimap_home(m, tag); m->slots[at].owner; at = (at + 1) & last) {
        if (m->slots[at].tag != tag || m->slots[at].owner != owner)
            continue;
        int more = m->slots[at].more;
        close_hole(m, at);
        m->n--;
        return more;
    }
    return -1;
}
