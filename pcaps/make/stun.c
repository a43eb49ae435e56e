/* Attribute writers and the messages of RFC 5389, 5766 and 8445. */
#include "pcaps/make/stun.h"

#include "pcaps/make/turn.h"

enum { HEADER = 20, FAMILY_IPV4 = 1, FINGERPRINT_XOR = 0x5354554e, PROTO_UDP = 17 };

struct message stun_begin(struct buf *b, unsigned type, const uint8_t id[16], bool padded)
{
    struct message m = {b, b->n, padded};
    buf_u16(b, type);
    buf_u16(b, 0);
    buf_put(b, id, 16);
    return m;
}

void stun_end(struct message *m)
{
    set_u16(m->b->p + m->start + 2, m->b->n - m->start - HEADER);
}

void stun_attr(struct message *m, unsigned type, const void *value, size_t n)
{
    buf_u16(m->b, type);
    buf_u16(m->b, n);
    buf_put(m->b, value, n);
    if (m->padded)
        buf_fill(m->b, 0, -n & 3);
}

void stun_u32(struct message *m, unsigned type, uint32_t value)
{
    uint8_t raw[4];
    set_u32(raw, value);
    stun_attr(m, type, raw, sizeof raw);
}

static void put_address(struct message *m, unsigned type, uint16_t port, uint32_t ip)
{
    uint8_t raw[8] = {0, FAMILY_IPV4};
    set_u16(raw + 2, port);
    set_u32(raw + 4, ip);
    stun_attr(m, type, raw, sizeof raw);
}

void stun_address(struct message *m, unsigned type, struct endpoint4 e)
{
    put_address(m, type, e.port, e.ip);
}

void stun_xor_address(struct message *m, unsigned type, struct endpoint4 e)
{
    const uint8_t *id = m->b->p + m->start + 4;
    uint32_t key = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
    put_address(m, type, (uint16_t)(e.port ^ key >> 16), e.ip ^ key);
}

void stun_error(struct message *m, unsigned code, const char *text)
{
    uint8_t raw[256] = {0, 0, (uint8_t)(code / 100), (uint8_t)(code % 100)};
    size_t n = strlen(text);
    assert(n <= sizeof raw - 4);
    memcpy(raw + 4, text, n);
    stun_attr(m, ATTR_ERROR, raw, 4 + n);
}

void stun_integrity(struct message *m, uint64_t *random)
{
    uint8_t raw[20];
    rnd_fill(random, raw, sizeof raw);
    stun_attr(m, ATTR_INTEGRITY, raw, sizeof raw);
}

static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    uint32_t crc = UINT32_MAX;
    while (n--) {
        crc ^= *p++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
    }
    return ~crc;
}

void stun_fingerprint(struct message *m)
{
    const uint8_t *start = m->b->p + m->start;
    size_t n = m->b->n - m->start;
    set_u16(m->b->p + m->start + 2, n - HEADER + 8); /* the length covers the fingerprint itself */
    stun_u32(m, ATTR_FINGERPRINT, crc32_of(start, n) ^ FINGERPRINT_XOR);
}

void rfc_transaction(uint8_t id[16], uint64_t *random)
{
    memcpy(id, (const uint8_t[4]){0x21, 0x12, 0xa4, 0x42}, 4);
    rnd_fill(random, id + 4, 12);
}

void ice_check(struct buf *b, uint64_t *random, const struct check *c, bool nominate)
{
    uint8_t id[16], tie_breaker[8];
    char user[64];
    int n = snprintf(user, sizeof user, "%s:%s", c->remote_ufrag, c->local_ufrag);
    assert(n > 0 && (size_t)n < sizeof user);
    rfc_transaction(id, random);
    rnd_fill(random, tie_breaker, sizeof tie_breaker);
    struct message m = stun_begin(b, STUN_BINDING, id, true);
    stun_attr(&m, ATTR_USERNAME, user, (size_t)n);
    stun_u32(&m, ATTR_PRIORITY, c->priority);
    stun_attr(&m, c->controlling ? ATTR_CONTROLLING : ATTR_CONTROLLED, tie_breaker, 8);
    if (nominate)
        stun_attr(&m, ATTR_USE_CANDIDATE, NULL, 0);
    stun_integrity(&m, random);
    stun_fingerprint(&m);
    stun_end(&m);
}

void ice_check_answer(struct buf *b, const uint8_t id[16], struct endpoint4 seen_from)
{
    uint64_t random = seen_from.port;
    struct message m = stun_begin(b, STUN_BINDING_OK, id, true);
    stun_xor_address(&m, ATTR_XOR_MAPPED, seen_from);
    stun_integrity(&m, &random);
    stun_fingerprint(&m);
    stun_end(&m);
}

void ice_check_error(struct buf *b, const uint8_t id[16], unsigned code, const char *text)
{
    rfc_error(b, STUN_BINDING_ERROR, id, code, text);
}

static void put_long_term(struct message *m, const char *user)
{
    uint64_t random = 7;
    stun_attr(m, ATTR_USERNAME, user, strlen(user));
    stun_attr(m, ATTR_REALM, "example.org", 11);
    stun_attr(m, ATTR_NONCE, "5f1c2a7be0d94418", 16);
    stun_integrity(m, &random);
}

void rfc_allocate(struct buf *b, const uint8_t id[16], const char *user)
{
    struct message m = stun_begin(b, TURN_ALLOCATE, id, true);
    stun_u32(&m, ATTR_TRANSPORT, (uint32_t)PROTO_UDP << 24);
    stun_u32(&m, ATTR_LIFETIME, 600);
    if (user)
        put_long_term(&m, user);
    stun_end(&m);
}

void rfc_error(struct buf *b, unsigned type, const uint8_t id[16], unsigned code, const char *text)
{
    struct message m = stun_begin(b, type, id, true);
    stun_error(&m, code, text);
    if (code == 401) {
        stun_attr(&m, ATTR_REALM, "example.org", 11);
        stun_attr(&m, ATTR_NONCE, "5f1c2a7be0d94418", 16);
    }
    stun_attr(&m, ATTR_SOFTWARE, "Coturn-4.6.1 'Gorst'", 20);
    stun_end(&m);
}

void rfc_allocated(struct buf *b, const uint8_t id[16], struct endpoint4 relay,
                   struct endpoint4 reflexive)
{
    uint64_t random = relay.port;
    struct message m = stun_begin(b, TURN_ALLOCATE_OK, id, true);
    stun_xor_address(&m, ATTR_XOR_RELAYED, relay);
    stun_xor_address(&m, ATTR_XOR_MAPPED, reflexive);
    stun_u32(&m, ATTR_LIFETIME, 600);
    stun_integrity(&m, &random);
    stun_end(&m);
}

void rfc_permit(struct buf *b, const uint8_t id[16], struct endpoint4 peer, const char *user)
{
    struct message m = stun_begin(b, TURN_PERMIT, id, true);
    stun_xor_address(&m, ATTR_XOR_PEER, peer);
    put_long_term(&m, user);
    stun_end(&m);
}

void rfc_success(struct buf *b, unsigned type, const uint8_t id[16])
{
    uint64_t random = type;
    struct message m = stun_begin(b, type, id, true);
    stun_integrity(&m, &random);
    stun_end(&m);
}

void rfc_relay(struct buf *b, unsigned type, const uint8_t id[16], struct endpoint4 peer,
               const struct buf *data)
{
    struct message m = stun_begin(b, type, id, true);
    stun_xor_address(&m, ATTR_XOR_PEER, peer);
    stun_attr(&m, ATTR_DATA, data->p, data->n);
    stun_end(&m);
}
