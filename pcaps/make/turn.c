/* MS-TURN and pseudo-TLS; the RFC messages are in stun.c, which also holds the attribute writers.
 */
#include "pcaps/make/turn.h"

#include "pcaps/make/stun.h"

enum {
    MS_SEND = 0x0004,
    MS_DATA = 0x0115,
    MS_SET_ACTIVE = 0x0006,
    MS_SET_ACTIVE_OK = 0x0106,
    MS_BANDWIDTH_KBIT = 350,
    MS_VERSION_ICE2 = 2,
    LIFETIME_S = 600
};

void turn_start(struct turn *t, uint64_t seed, enum turn_stream stream)
{
    *t = (struct turn){.random = seed, .stream = stream, .sequence = 1};
    rnd_fill(&t->random, t->token, sizeof t->token);
    memcpy(t->token, (const uint8_t[4]){2, 0, 0, 0x24}, 4); /* token form, body length 36 */
    rnd_fill(&t->random, t->nonce, sizeof t->nonce);
    for (size_t i = 0; i < sizeof t->nonce; i++)
        t->nonce[i] = (uint8_t) "0123456789abcdef"[t->nonce[i] & 15];
    rnd_fill(&t->random, t->connection, sizeof t->connection);
}

void pseudo_tls_hello(struct buf *b, uint64_t *random)
{
    buf_put(b, (const uint8_t[11]){0x16, 3, 1, 0, 0x2d, 1, 0, 0, 0x29, 3, 1}, 11);
    buf_rnd(b, random, 32);
    buf_put(b, (const uint8_t[7]){0, 0, 2, 0, 0x18, 1, 0}, 7);
}

void pseudo_tls_answer(struct buf *b, uint64_t *random)
{
    buf_put(b, (const uint8_t[11]){0x16, 3, 1, 0, 0x4e, 2, 0, 0, 0x46, 3, 1}, 11);
    buf_rnd(b, random, 32);
    buf_u8(b, 0x20);
    buf_rnd(b, random, 32);
    buf_put(b, (const uint8_t[7]){0, 0x18, 0, 0x0e, 0, 0, 0}, 7);
}

static struct message begin(struct buf *b, unsigned type, const uint8_t id[16])
{
    struct message m = stun_begin(b, type, id, false);
    stun_u32(&m, ATTR_MS_COOKIE, 0x72c64bc6);
    return m;
}

static struct message ask(struct buf *b, unsigned type, struct turn *t)
{
    rfc_transaction(t->id, &t->random);
    struct message m = begin(b, type, t->id);
    stun_u32(&m, ATTR_MS_VERSION, MS_VERSION_ICE2);
    stun_attr(&m, ATTR_USERNAME, t->token, sizeof t->token);
    return m;
}

static void put_challenge(struct message *m, const struct turn *t)
{
    stun_attr(m, ATTR_MS_NONCE, t->nonce, sizeof t->nonce);
    stun_attr(m, ATTR_MS_REALM, "rtcmedia", 8);
}

static void put_integrity(struct message *m, struct turn *t)
{
    stun_integrity(m, &t->random);
}

static void put_sequence(struct message *m, struct turn *t)
{
    uint8_t value[TURN_CONNECTION + 4];
    memcpy(value, t->connection, TURN_CONNECTION);
    set_u32(value + TURN_CONNECTION, t->sequence++);
    stun_attr(m, ATTR_MS_SEQUENCE, value, sizeof value);
}

static void put_stream(struct message *m, const struct turn *t)
{
    stun_u32(m, ATTR_BANDWIDTH, MS_BANDWIDTH_KBIT);
    stun_u32(m, ATTR_MS_QUALITY, (uint32_t)t->stream << 16 | 1);
    stun_u32(m, ATTR_MS_8006, 1);
}

void ms_allocate(struct buf *b, struct turn *t, bool authenticated)
{
    struct message m = ask(b, TURN_ALLOCATE, t);
    put_stream(&m, t);
    if (authenticated) {
        put_challenge(&m, t);
        put_integrity(&m, t);
    }
    stun_end(&m);
}

void ms_allocate_release(struct buf *b, struct turn *t)
{
    struct message m = ask(b, TURN_ALLOCATE, t);
    stun_u32(&m, ATTR_LIFETIME, 0);
    put_sequence(&m, t);
    put_challenge(&m, t);
    put_integrity(&m, t);
    stun_end(&m);
}

void ms_error(struct buf *b, struct turn *t, unsigned code, const char *text, bool challenge)
{
    struct message m = begin(b, TURN_ALLOCATE_ERROR, t->id);
    stun_error(&m, code, text);
    if (challenge)
        put_challenge(&m, t);
    stun_end(&m);
}

void ms_challenge(struct buf *b, struct turn *t)
{
    ms_error(b, t, 401, "The request did not contain a Message-Integrity attribute", true);
}

void ms_allocated(struct buf *b, struct turn *t, struct endpoint4 relay, struct endpoint4 reflexive)
{
    struct message m = begin(b, TURN_ALLOCATE_OK, t->id);
    stun_address(&m, ATTR_MAPPED, relay);
    stun_xor_address(&m, ATTR_MS_XOR_MAPPED, reflexive);
    stun_u32(&m, ATTR_LIFETIME, LIFETIME_S);
    stun_u32(&m, ATTR_BANDWIDTH, MS_BANDWIDTH_KBIT);
    put_sequence(&m, t);
    put_integrity(&m, t);
    stun_end(&m);
}

void ms_send(struct buf *b, struct turn *t, struct endpoint4 to, const struct buf *data)
{
    struct message m = ask(b, MS_SEND, t);
    stun_address(&m, ATTR_MS_DESTINATION, to);
    put_sequence(&m, t);
    stun_attr(&m, ATTR_DATA, data->p, data->n);
    put_integrity(&m, t);
    stun_end(&m);
}

void ms_data(struct buf *b, struct turn *t, struct endpoint4 from, const struct buf *data)
{
    rfc_transaction(t->id, &t->random);
    struct message m = begin(b, MS_DATA, t->id);
    stun_address(&m, ATTR_MS_REMOTE, from);
    put_sequence(&m, t);
    stun_attr(&m, ATTR_DATA, data->p, data->n);
    stun_end(&m);
}

void ms_set_active(struct buf *b, struct turn *t, struct endpoint4 to)
{
    struct message m = ask(b, MS_SET_ACTIVE, t);
    stun_address(&m, ATTR_MS_DESTINATION, to);
    put_sequence(&m, t);
    put_integrity(&m, t);
    stun_end(&m);
}

void ms_set_active_done(struct buf *b, struct turn *t)
{
    struct message m = begin(b, MS_SET_ACTIVE_OK, t->id);
    put_sequence(&m, t);
    put_integrity(&m, t);
    stun_end(&m);
}

void ms_frame(struct buf *b, unsigned type, const struct buf *payload)
{
    buf_u8(b, type);
    buf_u8(b, 0);
    buf_u16(b, payload->n);
    buf_put(b, payload->p, payload->n);
}

void rfc4571(struct buf *b, const struct buf *packet)
{
    buf_u16(b, packet->n);
    buf_put(b, packet->p, packet->n);
}

void ms_check(struct buf *b, uint64_t *random, const struct check *c)
{
    uint8_t id[16];
    char user[64] = "";
    int n = snprintf(user, sizeof user, "%s:%s", c->remote_ufrag, c->local_ufrag);
    assert(n > 0 && (size_t)n < sizeof user - 4);
    rfc_transaction(id, random);
    struct message m = stun_begin(b, STUN_BINDING, id, false);
    stun_attr(&m, ATTR_USERNAME, user, ((size_t)n + 3) / 4 * 4);
    stun_u32(&m, ATTR_PRIORITY, c->priority);
    stun_attr(&m, c->controlling ? ATTR_CONTROLLING : ATTR_CONTROLLED, "\0\0\0\0edge", 8);
    stun_attr(&m, ATTR_MS_CANDIDATE_ID, "1\0\0", 4);
    stun_u32(&m, ATTR_MS_IMPLEMENTATION, MS_VERSION_ICE2);
    stun_integrity(&m, random);
    stun_fingerprint(&m);
    stun_end(&m);
}

void ms_check_answer(struct buf *b, const uint8_t id[16], struct endpoint4 seen_from)
{
    uint64_t random = seen_from.port;
    struct message m = stun_begin(b, STUN_BINDING_OK, id, false);
    stun_xor_address(&m, ATTR_XOR_MAPPED, seen_from);
    stun_u32(&m, ATTR_MS_IMPLEMENTATION, MS_VERSION_ICE2);
    stun_integrity(&m, &random);
    stun_fingerprint(&m);
    stun_end(&m);
}
