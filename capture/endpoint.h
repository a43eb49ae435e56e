/*
 * Addresses and endpoints. IPv4 is kept in its IPv6-mapped form (::ffff:a.b.c.d), so that one
 * comparison, one hash and one table serve both families.
 */
#ifndef EW_CAPTURE_ENDPOINT_H
#define EW_CAPTURE_ENDPOINT_H

#include "capture/bytes.h"

struct addr {
    uint8_t b[16];
};

struct endpoint {
    struct addr addr;
    uint16_t port; /* host order; 0 = not known */
};

enum { ADDR_TEXT = 46, ENDPOINT_TEXT = 56 };

static inline struct addr addr_v4(uint32_t host_order)
{
    struct addr a = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (uint8_t)(host_order >> 24),
                      (uint8_t)(host_order >> 16), (uint8_t)(host_order >> 8),
                      (uint8_t)host_order}};
    return a;
}

static inline struct addr addr_v6(const uint8_t b[16])
{
    struct addr a;
    memcpy(a.b, b, 16);
    return a;
}

static inline bool addr_is_v4(const struct addr *a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(a->b, mapped, 12) == 0;
}

static inline uint32_t addr_v4_of(const struct addr *a)
{
    return be32(a->b + 12);
}

/* all-zero = "no address"; 0.0.0.0 counts as none too */
static inline bool addr_none(const struct addr *a)
{
    static const struct addr zero;
    return memcmp(a, &zero, 16) == 0 || (addr_is_v4(a) && addr_v4_of(a) == 0);
}

static inline bool addr_eq(const struct addr *a, const struct addr *b)
{
    return memcmp(a->b, b->b, 16) == 0;
}

static inline bool endpoint_eq(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && addr_eq(&a->addr, &b->addr);
}

/* 0 if they are the same. Without branches: which way round a packet goes can't be predicted. */
static inline uint64_t endpoint_diff(const struct endpoint *a, const struct endpoint *b)
{
    uint64_t x[2], y[2];
    memcpy(x, a->addr.b, sizeof x);
    memcpy(y, b->addr.b, sizeof y);
    return (x[0] ^ y[0]) | (x[1] ^ y[1]) | (uint64_t)(a->port ^ b->port);
}

static inline bool endpoint_none(const struct endpoint *e)
{
    return e->port == 0 && addr_none(&e->addr);
}

/* Total order by bytes, as memcmp() has it. */
static inline int addr_cmp(const struct addr *a, const struct addr *b)
{
    uint64_t x = be64(a->b), y = be64(b->b);
    if (x == y)
        x = be64(a->b + 8), y = be64(b->b + 8);
    return (x > y) - (x < y);
}

/* Total order (address bytes, then port): the canonical order of a flow's two ends. */
static inline int endpoint_cmp(const struct endpoint *a, const struct endpoint *b)
{
    int c = addr_cmp(&a->addr, &b->addr);
    return c ? c : (int)a->port - (int)b->port;
}

static inline uint64_t hash_load(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

/* 64x64 -> 128 multiply-fold: two rounds are enough for table use with a secret seed */
static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 u128;
    u128 m = (u128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Mixes an endpoint (or two) with a per-process seed: an attacker who chooses addresses must not
 * choose buckets. Inline: several of them a packet. */
static inline uint64_t endpoint_hash(const struct endpoint *e, uint64_t seed)
{
    uint64_t h = hash_fold(hash_load(e->addr.b) ^ seed,
                           hash_load(e->addr.b + 8) ^ UINT64_C(0x9e3779b97f4a7c15));
    return hash_fold(h ^ e->port, seed ^ UINT64_C(0xd6e8feb86659fd93));
}

static inline uint64_t endpoint_hash2(const struct endpoint *a, const struct endpoint *b,
                                      uint64_t seed)
{
    uint64_t x = hash_fold(hash_load(a->addr.b) ^ seed,
                           hash_load(a->addr.b + 8) ^ UINT64_C(0x9e3779b97f4a7c15));
    uint64_t y = hash_fold(hash_load(b->addr.b) ^ seed ^ UINT64_C(0xa0761d6478bd642f),
                           hash_load(b->addr.b + 8) ^ UINT64_C(0xe7037ed1a0b428db));
    return hash_fold(x ^ ((uint64_t)a->port << 16 | b->port),
                     y ^ seed ^ UINT64_C(0xd6e8feb86659fd93));
}

/* Of a connection: the same for both directions, a sum needs no order. */
static inline uint32_t endpoint_hash_pair(const struct endpoint *a, const struct endpoint *b,
                                          uint64_t seed)
{
    return (uint32_t)(endpoint_hash(a, seed) + endpoint_hash(b, seed));
}

/* RFC 1918, RFC 6598, link-local, ULA, loopback: not routable from a federated peer. */
bool addr_is_private(const struct addr *a);

/* Text forms: "1.2.3.4", "2001:db8::1"; endpoints "1.2.3.4:5", "[2001:db8::1]:5". Return out;
 * "" for an address that is none. */
char *addr_text(const struct addr *a, char out[ADDR_TEXT]);
char *endpoint_text(const struct endpoint *e, char out[ENDPOINT_TEXT]);

/* Parses "1.2.3.4" or an IPv6 address (a %scope is cut off; brackets allowed). False and *out
 * unchanged otherwise. */
bool addr_parse(struct slice text, struct addr *out);
/* Parses a dotted quad at the front of p: where it ends, or NULL, and *out unchanged. A byte that
 * is neither a digit nor a dot must follow it somewhere; whether at once is the caller's to judge.
 */
const uint8_t *addr4_read(const uint8_t *p, struct addr *out);
/* Parses "addr:port" or "[v6]:port". Port 1-65535. */
bool endpoint_parse(struct slice text, struct endpoint *out);

#endif
