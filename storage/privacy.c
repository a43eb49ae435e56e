/* Keys, addresses. Texts are in privacy_text.c, packets in privacy_packet.c. */
#include "storage/privacy_inner.h"

#include <stdio.h>
#include <stdlib.h>

struct privacy *privacy_new(enum privacy_users users, bool addresses,
                            const uint8_t key[PRIVACY_KEY])
{
    struct privacy *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->users = users;
    p->addresses = addresses;
    p->cipher = cipher_new(key);
    if (p->cipher && cipher_block(p->cipher, key + 16, p->pad))
        return p;
    privacy_free(p);
    return NULL;
}

void privacy_free(struct privacy *p)
{
    if (!p)
        return;
    cipher_free(p->cipher);
    text_free(&p->out);
    free(p);
}

int privacy_open(const struct privacy_config *c, const char *database, struct privacy **out,
                 char *why, size_t room)
{
    uint8_t key[PRIVACY_KEY] = {0};
    *out = NULL;
    if (c->users == USERS_KEEP && !c->addresses)
        return 0;
    size_t n = strlen(database);
    char *beside = malloc(n + 5);
    int result = -1;
    if (beside) {
        memcpy(beside, database, n);
        strcpy(beside + n, ".key");
        result = privacy_key_read(c->key_file ? c->key_file : beside, !c->key_file, key, why, room);
        *out = result ? NULL : privacy_new(c->users, c->addresses, key);
    }
    if (!beside || (result == 0 && !*out)) {
        snprintf(why, room, "%s: out of memory", database);
        result = -1;
    }
    free(beside);
    return result;
}

/* ---- addresses ---- */

static bool bit_of(const uint8_t *bytes, unsigned i)
{
    return bytes[i / 8] >> (7 - i % 8) & 1;
}

static void bit_set(uint8_t *bytes, unsigned i, bool on)
{
    uint8_t mask = (uint8_t)(0x80 >> i % 8);
    bytes[i / 8] = (uint8_t)(on ? bytes[i / 8] | mask : bytes[i / 8] & ~mask);
}

/* Bit i is turned over or not by a function of the bits before it: the first bit of the block of
 * those bits, filled up with the pad. */
void privacy_bits(struct privacy *p, uint8_t *bytes, unsigned bits, unsigned keep)
{
    uint8_t in[16], out[16], result[16];
    memcpy(result, bytes, bits / 8);
    memcpy(in, p->pad, sizeof in);
    for (unsigned i = 0; i < bits; i++) {
        if (i >= keep) {
            if (!cipher_block(p->cipher, in, out)) {
                memset(result, 0, bits / 8); /* rather nothing than the original */
                break;
            }
            bit_set(result, i, bit_of(bytes, i) ^ (out[0] >> 7));
        }
        bit_set(in, i, bit_of(bytes, i));
    }
    memcpy(bytes, result, bits / 8);
}

/* How many leading bits stay, so that internal stays internal; -1: not internal. */
static int kept_bits(const struct addr *a)
{
    const uint8_t *b = a->b;
    if (addr_is_v4(a)) {
        uint32_t v = addr_v4_of(a);
        return v >> 24 == 10       ? 8
               : v >> 20 == 0xac1  ? 12
               : v >> 16 == 0xc0a8 ? 16
               : v >> 22 == 0x191  ? 10
               : v >> 16 == 0xa9fe ? 16
                                   : -1;
    }
    if ((b[0] & 0xfe) == 0xfc)
        return 8;
    return b[0] == 0xfe && (b[1] & 0xc0) == 0x80 ? 64 : -1;
}

void privacy_addr(struct privacy *p, struct addr *a)
{
    int keep = p && p->addresses && !addr_none(a) ? kept_bits(a) : -1;
    if (keep < 0)
        return;
    struct endpoint e = {.addr = *a};
    struct privacy_known *k = &p->known[endpoint_hash(&e, 1) % PRIVACY_KNOWN];
    if (!addr_eq(&k->from, a)) {
        k->from = k->to = *a;
        bool v4 = addr_is_v4(a);
        privacy_bits(p, k->to.b + (v4 ? 12 : 0), v4 ? 32 : 128, (unsigned)keep);
    }
    *a = k->to;
}

void privacy_endpoint(struct privacy *p, struct endpoint *e)
{
    privacy_addr(p, &e->addr);
}

bool privacy_packets(const struct privacy *p)
{
    return p && (p->addresses || p->users != USERS_KEEP);
}
