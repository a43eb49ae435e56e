/*
 * A hash multimap from 64-bit keys to tagged pointers: who knows this endpoint? Keys are hashes
 * with a secret seed, of which 30 bits are kept; the caller verifies what it finds. Grows by
 * doubling, never shrinks; its cap is given.
 *
 * One flat table of slots, four to a cache line, without links: with 10,000 calls at once each key
 * is found in memory that no cache holds, and a second place to look at costs as much as the first.
 * For keys that are nearly unique; where thousands share one, see chains.h.
 * A key's slots stand from its home onwards, newest first, all slots in between in use. Nothing
 * has a lasting place: an owner takes out what it put in by tag.
 *
 * Whoever has many keys or tags at hand asks for their memory first and uses it afterwards
 * (multimap_prefetch).
 */
#ifndef EW_FLOWS_MULTIMAP_H
#define EW_FLOWS_MULTIMAP_H

#include <stddef.h>
#include <stdint.h>

enum { MULTIMAP_TAG_BITS = 30, MULTIMAP_LINE = 4 /* slots */ };

struct multimap_slot {
    void *owner;   /* NULL: the slot is free */
    uint32_t tag;  /* first bits of the key; the first of them are the slot's home */
    uint16_t more; /* 16 bits besides that must be equal, chosen by the caller */
    uint8_t kind;
    uint8_t medium : 7, side : 1;
};

struct multimap {
    struct multimap_slot *slots;
    uint32_t bits, n, cap;
    uint64_t refused; /* adds beyond cap or memory, and entries that gave way */
};

/* 0 or -1 (memory). cap: most entries ever held. */
int multimap_init(struct multimap *m, uint32_t cap);
void multimap_clear(struct multimap *m);

enum {
    MULTIMAP_ALIKE = 256
}; /* entries of one key and more: beyond it the oldest gives way, as
      each step of an add or a walk passes all of them */

enum multimap_added { MULTIMAP_FULL, MULTIMAP_ADDED, MULTIMAP_REPLACED /* the oldest alike */ };

/* medium is below 128, side 0 or 1. */
enum multimap_added multimap_add(struct multimap *m, uint64_t key, uint16_t more, void *owner,
                                 uint8_t kind, unsigned medium, unsigned side);
/* Takes out the newest of owner's entries with that tag. Returns its more, or -1: there is none (it
 * may have given way). */
int multimap_remove(struct multimap *m, uint32_t tag, const void *owner);

static inline uint32_t multimap_tag(uint64_t key)
{
    return (uint32_t)(key >> (64 - MULTIMAP_TAG_BITS));
}

/* 16 bits of the key that its tag does not hold: more, where there is nothing better. */
static inline uint16_t multimap_more(uint64_t key)
{
    return (uint16_t)key;
}

/* Where the tag's slots begin: at the front of a cache line, so that most are all in that one. */
static inline uint32_t multimap_home(const struct multimap *m, uint32_t tag)
{
    return tag >> (MULTIMAP_TAG_BITS - m->bits) & ~(uint32_t)(MULTIMAP_LINE - 1);
}

/* The tag will be looked for, added or removed soon. */
static inline void multimap_prefetch(const struct multimap *m, uint32_t tag)
{
    __builtin_prefetch(&m->slots[multimap_home(m, tag)], 1);
}

/* The same where the oldest entries are meant, which newer ones have pushed on. */
static inline void multimap_prefetch_old(const struct multimap *m, uint32_t tag)
{
    const struct multimap_slot *home = &m->slots[multimap_home(m, tag)];
    __builtin_prefetch(home, 1);
    __builtin_prefetch(home + MULTIMAP_LINE, 1); /* behind the last slot: no harm */
}

static inline const struct multimap_slot *multimap_skip(const struct multimap *m, uint32_t at,
                                                        uint32_t tag, uint16_t more)
{
    const uint32_t last = (1u << m->bits) - 1;
    for (;; at++) {
        const struct multimap_slot *s = &m->slots[at & last];
        if (!s->owner)
            return NULL;
        if (s->tag == tag && s->more == more)
            return s;
    }
}

/* Walk of all entries with key and more, newest first; nothing may be added or removed meanwhile:
 * s = multimap_first(..); s; s = multimap_next(..) */
static inline const struct multimap_slot *multimap_first(const struct multimap *m, uint64_t key,
                                                         uint16_t more)
{
    return multimap_skip(m, multimap_home(m, multimap_tag(key)), multimap_tag(key), more);
}

static inline const struct multimap_slot *multimap_next(const struct multimap *m,
                                                        const struct multimap_slot *s)
{
    return multimap_skip(m, (uint32_t)(s - m->slots) + 1, s->tag, s->more);
}

#endif
