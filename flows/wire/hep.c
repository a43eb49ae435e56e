/* HEP: chunks of version 3, the fixed heads of versions 1 and 2. */
#include "flows/wire/hep.h"

enum {
    HEAD = 6,  /* of a HEP3 message, and of a chunk */
    HEAD1 = 8, /* of HEP1 and HEP2, before the addresses */
    TIME2 = 12,
    FAMILY_V4 = 2,
    FAMILY_V6 = 10, /* AF_INET6 where the agents run: Linux */
};

enum chunk_type {
    CHUNK_FAMILY = 1,
    CHUNK_IP_PROTO = 2,
    CHUNK_SRC4 = 3,
    CHUNK_DST4 = 4,
    CHUNK_SRC6 = 5,
    CHUNK_DST6 = 6,
    CHUNK_SRC_PORT = 7,
    CHUNK_DST_PORT = 8,
    CHUNK_SECONDS = 9,
    CHUNK_MICROS = 10,
    CHUNK_TYPE = 11,
    CHUNK_AGENT = 12,
    CHUNK_PAYLOAD = 15,
    CHUNK_DEFLATED = 16,
};

/* ---- version 3 ---- */

static bool take_number(struct cursor c, size_t size, uint32_t *out)
{
    uint8_t b;
    uint16_t w;
    if (cursor_left(&c) != size)
        return false;
    if (size == 4)
        return get_u32(&c, out);
    if (size == 2 ? !get_u16(&c, &w) : !get_u8(&c, &b))
        return false;
    *out = size == 2 ? w : b;
    return true;
}

static bool take_addr(struct cursor c, size_t size, struct addr *out)
{
    struct slice bytes;
    if (cursor_left(&c) != size || !get_slice(&c, size, &bytes))
        return false;
    *out = size == 4 ? addr_v4(be32(bytes.p)) : addr_v6(bytes.p);
    return true;
}

/* False: its length does not fit its type. */
static bool take_chunk(struct hep_msg *m, uint16_t type, struct slice value)
{
    struct cursor c = cursor_on(value);
    uint32_t n = 0;
    bool fits = true;
    switch (type) {
    case CHUNK_IP_PROTO:
        fits = take_number(c, 1, &n);
        m->ip_proto = (uint8_t)n;
        break;
    case CHUNK_SRC4:
    case CHUNK_DST4:
        fits = take_addr(c, 4, type == CHUNK_SRC4 ? &m->src.addr : &m->dst.addr);
        break;
    case CHUNK_SRC6:
    case CHUNK_DST6:
        fits = take_addr(c, 16, type == CHUNK_SRC6 ? &m->src.addr : &m->dst.addr);
        break;
    case CHUNK_SRC_PORT:
    case CHUNK_DST_PORT:
        fits = take_number(c, 2, &n);
        (type == CHUNK_SRC_PORT ? &m->src : &m->dst)->port = (uint16_t)n;
        break;
    case CHUNK_SECONDS:
        m->has_time = fits = take_number(c, 4, &m->seconds);
        break;
    case CHUNK_MICROS:
        fits = take_number(c, 4, &m->micros) && m->micros < 1000000;
        break;
    case CHUNK_TYPE:
        fits = take_number(c, 1, &n);
        m->type = (uint8_t)n;
        break;
    case CHUNK_AGENT:
        fits = take_number(c, 4, &m->agent);
        break;
    case CHUNK_PAYLOAD:
        m->payload = value;
        break;
    case CHUNK_DEFLATED:
        m->compressed = true;
        break;
    default:
        break; /* family is what the addresses say; keys, correlation and the like are not needed */
    }
    return fits;
}

static bool families_agree(const struct hep_msg *m)
{
    return addr_none(&m->src.addr) || addr_none(&m->dst.addr) ||
           addr_is_v4(&m->src.addr) == addr_is_v4(&m->dst.addr);
}

static enum wire_result parse_chunks(struct slice in, struct hep_msg *m, struct wire_fault *fault)
{
    struct cursor c = cursor_on(in);
    if (!get_skip(&c, HEAD))
        return wire_bad(fault, "too short", 0);
    while (cursor_left(&c)) {
        size_t at = (size_t)(c.p - in.p);
        uint16_t vendor, type, size;
        struct slice value;
        if (!get_u16(&c, &vendor) || !get_u16(&c, &type) || !get_u16(&c, &size))
            return wire_bad(fault, "a cut chunk", at);
        if (size < HEAD || !get_slice(&c, size - HEAD, &value))
            return wire_bad(fault, "a chunk's length", at);
        if (vendor == 0 && !take_chunk(m, type, value))
            return wire_bad(fault, "a chunk's value", at);
    }
    if (!families_agree(m))
        return wire_bad(fault, "addresses of two families", 0);
    return WIRE_OK;
}

/* Is in, as far as it goes, the start of "HEP3"? */
static bool begins_v3(struct slice in)
{
    return memcmp(in.p, "HEP3", in.n < 4 ? in.n : 4) == 0;
}

static enum wire_result parse_v3(struct slice in, bool datagram, struct hep_msg *m,
                                 struct wire_fault *fault)
{
    if (in.n < HEAD) {
        if (datagram)
            return wire_bad(fault, "too short", 0);
        if (fault)
            *fault = (struct wire_fault){NULL, HEAD};
        return WIRE_MORE;
    }
    size_t size = be16(in.p + 4);
    if (size < HEAD || (datagram && size > in.n))
        return wire_bad(fault, "its length", 4);
    if (size > in.n) {
        if (fault)
            *fault = (struct wire_fault){NULL, size};
        return WIRE_MORE;
    }
    m->version = 3;
    m->type = HEP_SIP;
    m->size = size;
    return parse_chunks(slice_of(in.p, size), m, fault);
}

/* ---- versions 1 and 2 ---- */

static size_t old_head(uint8_t family)
{
    return family == FAMILY_V4 ? HEAD1 + 8 : family == FAMILY_V6 ? HEAD1 + 32 : 0;
}

static bool begins_old(struct slice in)
{
    return in.n >= HEAD1 && (in.p[0] == 1 || in.p[0] == 2) && in.p[1] == old_head(in.p[2]) &&
           in.n >= in.p[1];
}

static enum wire_result parse_old(struct slice in, struct hep_msg *m, struct wire_fault *fault)
{
    size_t head = in.p[1], n = (head - HEAD1) / 2;
    struct cursor c = cursor_on(slice_of(in.p + HEAD1, in.n - HEAD1));
    struct slice src, dst, time;
    *m = (struct hep_msg){.version = in.p[0],
                          .src.port = be16(in.p + 4),
                          .dst.port = be16(in.p + 6),
                          .ip_proto = in.p[3],
                          .type = HEP_SIP,
                          .size = in.n};
    if (!get_slice(&c, n, &src) || !get_slice(&c, n, &dst))
        return wire_bad(fault, "too short", HEAD1);
    m->src.addr = n == 4 ? addr_v4(be32(src.p)) : addr_v6(src.p);
    m->dst.addr = n == 4 ? addr_v4(be32(dst.p)) : addr_v6(dst.p);
    if (m->version == 2) {
        if (!get_slice(&c, TIME2, &time))
            return wire_bad(fault, "no time", head);
        m->has_time = true;
        m->seconds = le32(time.p);
        m->micros = le32(time.p + 4);
        m->agent = le16(time.p + 8);
        if (m->micros >= 1000000)
            return wire_bad(fault, "its microseconds", head + 4);
    }
    m->payload = cursor_rest(&c);
    return WIRE_OK;
}

bool hep_looks_like(struct slice in)
{
    return (in.n >= HEAD && begins_v3(in)) || begins_old(in);
}

enum wire_result hep_parse(struct slice in, bool datagram, struct hep_msg *out,
                           struct wire_fault *fault)
{
    struct hep_msg m = {0};
    enum wire_result r;
    if (in.n == 0 && !datagram)
        r = parse_v3(in, datagram, &m, fault);
    else if (in.n && begins_v3(in))
        r = parse_v3(in, datagram, &m, fault);
    else if (datagram && begins_old(in))
        r = parse_old(in, &m, fault);
    else
        return wire_bad(fault, "no HEP", 0);
    if (m.compressed)
        m.payload = (struct slice){0};
    if (r == WIRE_OK)
        *out = m;
    return r;
}
