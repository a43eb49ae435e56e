/*
 * A hash picks a line of four entries; a new packet goes to its front and pushes the oldest out.
 * Nothing is ever swept: an entry older than the window simply does not count. An entry that would
 * still count is not pushed out as long as the table may grow: so it is as large as the packets of
 * one window need, and stays in the cache. The whole hash is kept, so that two different packets
 * are not mixed up in practice.
 */
#include "capture/dedup.h"

#include <stdlib.h>

enum { WAYS = 4, FIRST_SETS = 64, MOST_SETS = DEDUP_ENTRIES / WAYS };

struct seen {
    uint64_t hash;
    tick_t time;
};

typedef struct seen seen_set[WAYS]; /* a cache line */

struct dedup {
    uint64_t seed;
    seen_set *sets;
    size_t n; /* a power of two */
};

static seen_set *new_sets(size_t n)
{
    seen_set *sets = aligned_alloc(64, n * sizeof *sets);
    if (!sets)
        return NULL;
    for (size_t i = 0; i < n; i++)
        for (size_t w = 0; w < WAYS; w++)
            sets[i][w] = (struct seen){0, TICK_NONE};
    return sets;
}

struct dedup *dedup_new(uint64_t seed)
{
    struct dedup *d = malloc(sizeof *d);
    if (!d)
        return NULL;
    *d = (struct dedup){.seed = seed, .sets = new_sets(FIRST_SETS), .n = FIRST_SETS};
    if (!d->sets) {
        free(d);
        return NULL;
    }
    return d;
}

void dedup_free(struct dedup *d)
{
    if (!d)
        return;
    free(d->sets);
    free(d);
}

/* The high and low half of a 128-bit product, folded: mixes two words well and fast. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 u128;
    u128 m = (u128)(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xd6e8feb86659fd93u);
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t word(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* Sixteen bytes a step; the last step overlaps the one before rather than reading past the end. */
static uint64_t mix_bytes(uint64_t h, struct slice s, size_t most)
{
    size_t n = s.n < most ? s.n : most, i = 0;
    if (n < 16) {
        uint8_t tail[16] = {0};
        if (n)
            memcpy(tail, s.p, n);
        return mix(word(tail) ^ h, word(tail + 8));
    }
    for (; i + 16 < n; i += 16)
        h = mix(word(s.p + i) ^ h, word(s.p + i + 8));
    return mix(word(s.p + n - 16) ^ h, word(s.p + n - 8));
}

static uint64_t packet_hash(const struct packet *p, uint64_t seed)
{
    uint64_t ports = (uint64_t)p->src.port << 48 | (uint64_t)p->dst.port << 32 |
                     (uint64_t)p->ip_id << 16 | (uint64_t)p->proto << 8 | p->flags;
    uint64_t rest = (uint64_t)p->payload_len << 32 | (uint64_t)p->window << 16 |
                    (uint64_t)p->icmp_type << 8 | p->icmp_code;
    uint64_t h = mix(word(p->src.addr.b) ^ seed, word(p->src.addr.b + 8));
    h = mix(word(p->dst.addr.b) ^ h, word(p->dst.addr.b + 8));
    h = mix(ports ^ h, rest);
    if (p->proto == PROTO_TCP) {
        h = mix(((uint64_t)p->seq << 32 | p->ack) ^ h, p->tcp_options.n);
        if (p->tcp_options.n)
            h = mix_bytes(h, p->tcp_options, p->tcp_options.n);
    }
    return p->payload.n ? mix_bytes(h, p->payload, DEDUP_PAYLOAD) : h;
}

/* Nothing in it would differ if the sender sent it again at once. */
static bool indistinct(const struct packet *p)
{
    return p->ip_id == 0 && p->payload_len == 0 &&
           (p->proto != PROTO_TCP || !(p->flags & (TCP_SYN | TCP_FIN | TCP_RST)));
}

/* Unsigned: TICK_NONE and times that jump back are simply far away. */
static inline bool near(tick_t a, tick_t b)
{
    uint64_t away = a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
    return away <= DEDUP_WINDOW;
}

uint64_t dedup_hash(const struct packet *p, uint64_t seed)
{
    if (indistinct(p))
        return 0;
    uint64_t h = packet_hash(p, seed);
    return h ? h : 1;
}

void dedup_hint(const struct dedup *d, uint64_t h)
{
    __builtin_prefetch(d->sets[h & (d->n - 1)], 1);
}

static inline void push(struct seen *set, struct seen s)
{
    for (size_t w = WAYS - 1; w > 0; w--)
        set[w] = set[w - 1];
    set[0] = s;
}

/* Nearly never: one branch for all. */
static inline bool has_hash(const struct seen *set, uint64_t h)
{
    bool any = false;
    for (size_t w = 0; w < WAYS; w++)
        any |= set[w].hash == h;
    return any;
}

static bool has_copy(const struct seen *set, uint64_t h, tick_t time)
{
    for (size_t w = 0; w < WAYS; w++)
        if (set[w].hash == h && near(time, set[w].time))
            return true;
    return false;
}

/* Twice as many lines. False: it stays as it is, and forgets early. */
static bool grow(struct dedup *d)
{
    seen_set *sets = d->n < MOST_SETS ? new_sets(2 * d->n) : NULL;
    if (!sets)
        return false;
    for (size_t i = 0; i < d->n; i++)
        for (size_t w = WAYS; w-- > 0;)
            if (d->sets[i][w].hash)
                push(sets[d->sets[i][w].hash & (2 * d->n - 1)], d->sets[i][w]);
    free(d->sets);
    d->sets = sets;
    d->n *= 2;
    return true;
}

bool dedup_seen_at(struct dedup *d, const struct packet *p, uint64_t h)
{
    if (!h)
        return false;
    struct seen *set = d->sets[h & (d->n - 1)];
    if (has_hash(set, h) && has_copy(set, h, p->time))
        return true;
    while (near(p->time, set[WAYS - 1].time) && grow(d))
        set = d->sets[h & (d->n - 1)];
    push(set, (struct seen){h, p->time});
    return false;
}

bool dedup_seen(struct dedup *d, const struct packet *p)
{
    return dedup_seen_at(d, p, dedup_hash(p, d->seed));
}
