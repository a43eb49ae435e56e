/*
 * STUN attributes: type, length, value (RFC 5389 §15, RFC 8656 §18, RFC 6062 §6.2, P§1.4).
 *
 *   0      2        4
 *   | type | length | value, length bytes | RFC: up to 3 bytes of padding |
 *
 * MS-TURN grew from an early TURN draft: it has numbers of its own, gives four RFC numbers another
 * meaning (1, 12, 14 and 15 hex), and neither pads nor XORs except in its XOR-MAPPED-ADDRESS.
 */
#include "flows/wire/stun_attr.h"

enum {
    ATTR_MAPPED = 0x0001, /* MS Allocate response: the relay */
    ATTR_USERNAME = 0x0006,
    ATTR_INTEGRITY = 0x0008,
    ATTR_ERROR = 0x0009,
    ATTR_CHANNEL = 0x000c,
    ATTR_LIFETIME = 0x000d,
    ATTR_MS_ALTERNATE = 0x000e,
    ATTR_MS_DESTINATION = 0x0011,
    ATTR_XOR_PEER = 0x0012, /* MS: REMOTE-ADDRESS, plain */
    ATTR_DATA = 0x0013,
    ATTR_REALM = 0x0014, /* MS: NONCE */
    ATTR_NONCE = 0x0015, /* MS: REALM */
    ATTR_XOR_RELAYED = 0x0016,
    ATTR_TRANSPORT = 0x0019,
    ATTR_INTEGRITY_SHA256 = 0x001c,
    ATTR_XOR_MAPPED = 0x0020,
    ATTR_PRIORITY = 0x0024,
    ATTR_USE_CANDIDATE = 0x0025,
    ATTR_CONNECTION_ID = 0x002a,
    ATTR_MS_VERSION = 0x8008,
    ATTR_XOR_MAPPED_OLD = 0x8020, /* MS-TURN, and RFC 3489bis drafts */
    ATTR_ALTERNATE = 0x8023,
    ATTR_FINGERPRINT = 0x8028,
    ATTR_CONTROLLED = 0x8029,
    ATTR_CONTROLLING = 0x802a,
    ATTR_MS_SEQUENCE = 0x8050,
    ATTR_MS_CANDIDATE_ID = 0x8054,
    ATTR_MS_QUALITY = 0x8055,
    ATTR_MS_SIP_CALL_ID = 0x8062,
    ATTR_MS_ICE_VERSION = 0x8070,
    ATTR_MS_ALTERNATE_MAPPED = 0x8090,
    ATTR_MS_SESSION = 0x8095,
};

static bool next(struct cursor *c, bool padded, uint16_t *type, struct slice *value)
{
    uint16_t length;
    if (!get_u16(c, type) || !get_u16(c, &length) || !get_slice(c, length, value))
        return false;
    size_t padding = padded ? (4 - length % 4u) % 4 : 0;
    if (!get_skip(c, padding))
        c->p = c->end;
    return true;
}

bool stun_attr_closes(struct slice body, bool padded)
{
    struct cursor c = cursor_on(body);
    uint16_t type;
    struct slice value;
    while (cursor_left(&c))
        if (!next(&c, padded, &type, &value))
            return false;
    return true;
}

struct slice stun_cut_nuls(struct slice text)
{
    while (text.n && text.p[text.n - 1] == 0)
        text.n--;
    return text;
}

/* Of an attribute that is there twice, the first counts (RFC 5389 §15). */
static bool is_new(struct stun_msg *m, uint32_t bit)
{
    bool fresh = !(m->has & bit);
    m->has |= bit;
    return fresh;
}

static bool put_slice(struct stun_msg *m, uint32_t bit, struct slice v, struct slice *field)
{
    if (is_new(m, bit))
        *field = v;
    return true;
}

static bool put_flag(struct stun_msg *m, uint32_t bit)
{
    m->has |= bit;
    return true;
}

static bool put_u32(struct stun_msg *m, uint32_t bit, struct slice v, uint32_t *field)
{
    if (v.n != 4)
        return false;
    if (is_new(m, bit))
        *field = be32(v.p);
    return true;
}

/* Of channel and transport only the front counts, the rest is reserved. */
static bool put_channel(struct stun_msg *m, struct slice v)
{
    if (v.n != 4)
        return false;
    if (is_new(m, STUN_HAS_CHANNEL))
        m->channel = be16(v.p);
    return true;
}

static bool put_transport(struct stun_msg *m, struct slice v)
{
    if (v.n != 4)
        return false;
    if (is_new(m, STUN_HAS_TRANSPORT))
        m->transport = v.p[0];
    return true;
}

/* u8 0, u8 family, u16 port, address. mask: the transaction id if the value is XORed with it, else
 * NULL. RFC 5389 XORs with the cookie, which is what its ids begin with, so one rule serves all. */
static bool read_address(struct slice v, const uint8_t *mask, struct endpoint *out)
{
    static const uint8_t plain[16];
    struct cursor c = cursor_on(v);
    uint8_t zero, family, b[16];
    uint16_t port;
    if (!mask)
        mask = plain;
    if (!get_u8(&c, &zero) || !get_u8(&c, &family) || !get_u16(&c, &port))
        return false;
    size_t n = cursor_left(&c);
    if ((family != 1 || n != 4) && (family != 2 || n != 16))
        return false;
    for (size_t i = 0; i < n; i++)
        b[i] = c.p[i] ^ mask[i];
    out->addr = n == 4 ? addr_v4(be32(b)) : addr_v6(b);
    out->port = port ^ be16(mask);
    return true;
}

static bool put_address(struct stun_msg *m, uint32_t bit, struct slice v, const uint8_t *mask,
                        struct endpoint *field)
{
    struct endpoint e;
    if (!read_address(v, mask, &e))
        return false;
    if (is_new(m, bit))
        *field = e;
    return true;
}

/* NATs rewrite plain addresses in payloads, so the XORed form overrules the plain one. */
static bool put_xor_mapped(struct stun_msg *m, struct slice v)
{
    struct endpoint e;
    if (!read_address(v, m->id, &e))
        return false;
    m->mapped = e;
    m->has |= STUN_HAS_MAPPED;
    return true;
}

/* RFC 8656 §7.2: a dual allocation is answered with one relay per family. */
static bool put_relayed(struct stun_msg *m, struct slice v)
{
    struct endpoint e;
    if (!read_address(v, m->id, &e))
        return false;
    if (is_new(m, STUN_HAS_RELAY))
        m->relay = e;
    else if (addr_is_v4(&e.addr) != addr_is_v4(&m->relay.addr) && is_new(m, STUN_HAS_RELAY2))
        m->relay2 = e;
    return true;
}

/* The 401 of a multiplexed relay names its shared port: nothing is allocated yet. */
static bool put_ms_mapped(struct stun_msg *m, struct slice v)
{
    if (m->kind == STUN_ALLOCATE_ERR)
        return true;
    if (m->kind == STUN_ALLOCATE_OK)
        return put_address(m, STUN_HAS_RELAY, v, NULL, &m->relay);
    return put_address(m, STUN_HAS_MAPPED, v, NULL, &m->mapped);
}

/* Classes 3-6 (RFC 5389 §15.6); bandwidth management also uses 274 and 275 (P§1.7). */
static bool put_error(struct stun_msg *m, struct slice v)
{
    if (v.n < 4)
        return false;
    unsigned class = v.p[2] & 7, number = v.p[3];
    if (class < 2 || class > 6 || number > 99)
        return false;
    if (is_new(m, STUN_HAS_ERROR)) {
        m->error_code = (uint16_t)(class * 100 + number);
        m->error_text = stun_cut_nuls(slice_of(v.p + 4, v.n - 4));
    }
    return true;
}

/* Clients that release an allocation send four zero bytes here: nothing to learn from those. */
static bool put_sequence(struct stun_msg *m, struct slice v)
{
    if (v.n != sizeof m->connection_id + 4)
        return v.n == 4;
    if (is_new(m, STUN_HAS_SEQUENCE)) {
        memcpy(m->connection_id, v.p, sizeof m->connection_id);
        m->sequence = be32(v.p + sizeof m->connection_id);
    }
    return true;
}

static bool put_quality(struct stun_msg *m, struct slice v)
{
    if (v.n != 4)
        return false;
    if (is_new(m, STUN_HAS_QUALITY)) {
        m->stream_type = be16(v.p);
        m->quality = be16(v.p + 2);
    }
    return true;
}

static bool put_session(struct stun_msg *m, struct slice v)
{
    if (v.n != sizeof m->session)
        return false;
    if (is_new(m, STUN_HAS_SESSION))
        memcpy(m->session, v.p, sizeof m->session);
    return true;
}

/* What means the same in every dialect. MS-ICE2 checks carry no cookie attribute, so the numbers of
 * the MS range that they use are here too. */
static bool take_common(struct stun_msg *m, uint16_t type, struct slice v)
{
    switch (type) {
    case ATTR_USERNAME:
        return put_slice(m, STUN_HAS_USERNAME, stun_cut_nuls(v), &m->username);
    case ATTR_INTEGRITY:
        return put_flag(m, STUN_HAS_INTEGRITY);
    case ATTR_ERROR:
        return put_error(m, v);
    case ATTR_LIFETIME:
        return put_u32(m, STUN_HAS_LIFETIME, v, &m->lifetime);
    case ATTR_DATA:
        return put_slice(m, STUN_HAS_DATA, v, &m->data);
    case ATTR_XOR_MAPPED:
    case ATTR_XOR_MAPPED_OLD:
        return put_xor_mapped(m, v);
    case ATTR_PRIORITY:
        return put_u32(m, STUN_HAS_PRIORITY, v, &m->priority);
    case ATTR_USE_CANDIDATE:
        return put_flag(m, STUN_HAS_USE_CANDIDATE);
    case ATTR_FINGERPRINT:
        return put_flag(m, STUN_HAS_FINGERPRINT);
    case ATTR_CONTROLLED:
        return put_flag(m, STUN_HAS_CONTROLLED);
    case ATTR_CONTROLLING:
        return put_flag(m, STUN_HAS_CONTROLLING);
    case ATTR_MS_CANDIDATE_ID:
        return put_slice(m, STUN_HAS_FOUNDATION, stun_cut_nuls(v), &m->foundation);
    case ATTR_MS_ICE_VERSION:
        return put_u32(m, STUN_HAS_ICE_VERSION, v, &m->ice_version);
    case ATTR_MS_SESSION:
        return put_session(m, v);
    default:
        return true;
    }
}

static bool take_rfc(struct stun_msg *m, uint16_t type, struct slice v)
{
    switch (type) {
    case ATTR_MAPPED:
        return put_address(m, STUN_HAS_MAPPED, v, NULL, &m->mapped);
    case ATTR_XOR_PEER:
        return put_address(m, STUN_HAS_PEER, v, m->id, &m->peer);
    case ATTR_XOR_RELAYED:
        return put_relayed(m, v);
    case ATTR_ALTERNATE:
        return put_address(m, STUN_HAS_ALTERNATE, v, NULL, &m->alternate);
    case ATTR_REALM:
        return put_slice(m, STUN_HAS_REALM, v, &m->realm);
    case ATTR_NONCE:
        return put_flag(m, STUN_HAS_NONCE);
    case ATTR_CHANNEL:
        return put_channel(m, v);
    case ATTR_TRANSPORT:
        return put_transport(m, v);
    case ATTR_CONNECTION_ID:
        return put_u32(m, STUN_HAS_CONNECTION, v, &m->connection);
    case ATTR_INTEGRITY_SHA256:
        return put_flag(m, STUN_HAS_INTEGRITY);
    default:
        return take_common(m, type, v);
    }
}

static bool take_ms(struct stun_msg *m, uint16_t type, struct slice v)
{
    switch (type) {
    case ATTR_MAPPED:
        return put_ms_mapped(m, v);
    case ATTR_MS_ALTERNATE_MAPPED:
        return put_address(m, STUN_HAS_RELAY2, v, NULL, &m->relay2);
    case ATTR_MS_DESTINATION:
    case ATTR_XOR_PEER:
        return put_address(m, STUN_HAS_PEER, v, NULL, &m->peer);
    case ATTR_MS_ALTERNATE:
        return put_address(m, STUN_HAS_ALTERNATE, v, NULL, &m->alternate);
    case ATTR_REALM: /* these two are swapped (P§0.3) */
        return put_flag(m, STUN_HAS_NONCE);
    case ATTR_NONCE:
        return put_slice(m, STUN_HAS_REALM, v, &m->realm);
    case ATTR_MS_VERSION:
        return put_u32(m, STUN_HAS_MS_VERSION, v, &m->ms_version);
    case ATTR_MS_SEQUENCE:
        return put_sequence(m, v);
    case ATTR_MS_QUALITY:
        return put_quality(m, v);
    case ATTR_MS_SIP_CALL_ID:
        return put_slice(m, STUN_HAS_SIP_CALL, stun_cut_nuls(v), &m->sip_call_id);
    default:
        return take_common(m, type, v);
    }
}

void stun_attr_read(struct slice body, bool padded, bool has_cookie, struct stun_msg *m)
{
    struct cursor c = cursor_on(body);
    uint16_t type;
    struct slice value;
    while (cursor_left(&c) && !m->damaged)
        m->damaged = !next(&c, padded, &type, &value) ||
                     !(has_cookie ? take_ms(m, type, value) : take_rfc(m, type, value));
}
