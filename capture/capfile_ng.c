/*
 * pcapng: blocks of "type 4 | length 4 | body | length 4"; the length counts the whole block.
 *
 *   section header       byte order; forgets the interfaces of the section before
 *   interface            link type 2, 2 unused, snaplen 4, options
 *   enhanced packet      interface 4, time 4+4, caplen 4, len 4, bytes, options
 *   packet (obsolete)    interface 2, drops 2, then like the enhanced one
 *   simple packet        len 4, bytes; first interface, no time
 *   decryption secrets   type 4, len 4, a key log: handed on, not kept
 */
#include "capture/capfile_inner.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 2,
    BLOCK_SIMPLE = 3,
    BLOCK_ENHANCED = 6,
    BLOCK_SECRETS = 10,
    BLOCK_SECTION = 0x0a0d0d0a,
};

enum { OPT_END = 0, OPT_IF_NAME = 2, OPT_IF_TSRESOL = 9, OPT_IF_TSOFFSET = 14 };

enum { SECRETS_AT = 16, SECRETS_MIN = 20, SECRETS_TLS = 0x544c534b };

enum { BLOCK_MIN = 12, BODY_AT = 8, ENHANCED_MIN = 32, SIMPLE_MIN = 16, IFACE_MIN = 20 };

/* Later than 2115: clamped, so that differences of packet times never overflow. */
#define TIME_MAX (INT64_MAX / 2)

/* A complete block: p points at its type. */
struct block {
    const uint8_t *p;
    uint32_t type, n;
};

static tick_t unit_time(const struct capfile_unit *u, uint64_t ts)
{
    __extension__ typedef unsigned __int128 u128;
    u128 ns;
    if (u->bits) {
        uint64_t part = ts & ((UINT64_C(1) << u->bits) - 1);
        ns = (u128)(ts >> u->bits) * TICK_S + (((u128)part * TICK_S) >> u->bits);
    } else if (u->div > 1) {
        ns = ts / u->div;
    } else {
        ns = (u128)ts * u->mult;
    }
    if (ns > TIME_MAX)
        ns = TIME_MAX;
    /* |offset_s| is below 2^33, see iface_option() */
    tick_t t = (tick_t)ns + u->offset_s * TICK_S;
    return t > TIME_MAX ? TIME_MAX : t;
}

/* if_tsresol: a power of ten, or of two if the highest bit is set. */
static bool unit_set(struct capfile_unit *u, uint8_t resol)
{
    unsigned exp = resol & 0x7f;
    if (resol & 0x80) {
        if (exp > 63)
            return false;
        u->bits = (uint8_t)exp;
        u->mult = (uint32_t)TICK_S; /* whole seconds if exp is 0 */
        u->div = 1;
        return true;
    }
    if (exp > 18)
        return false;
    u->bits = 0;
    u->mult = 1;
    u->div = 1;
    for (unsigned i = exp; i < 9; i++)
        u->mult *= 10;
    for (unsigned i = 9; i < exp; i++)
        u->div *= 10;
    return true;
}

/* One option of an interface. False: cannot be true. */
static bool iface_option(const struct capfile *c, struct capfile_iface *i, uint16_t code,
                         struct slice value, struct slice *name)
{
    if (code == OPT_IF_NAME) {
        *name = value;
    } else if (code == OPT_IF_TSRESOL && value.n >= 1) {
        return unit_set(&i->unit, value.p[0]);
    } else if (code == OPT_IF_TSOFFSET && value.n >= 8) {
        uint64_t hi = capfile_u32(c->swapped, value.p + (c->swapped ? 0 : 4));
        uint64_t lo = capfile_u32(c->swapped, value.p + (c->swapped ? 4 : 0));
        i->unit.offset_s = (int64_t)(hi << 32 | lo);
        return i->unit.offset_s > -(INT64_C(1) << 32) && i->unit.offset_s < INT64_C(1) << 32;
    }
    return true;
}

static bool iface_options(const struct capfile *c, struct capfile_iface *i, struct slice rest,
                          struct slice *name)
{
    struct cursor cur = cursor_on(rest);
    struct slice head, value;
    while (get_slice(&cur, 4, &head)) {
        uint16_t code = capfile_u16(c->swapped, head.p), n = capfile_u16(c->swapped, head.p + 2);
        if (code == OPT_END)
            return true;
        if (!get_slice(&cur, n, &value) || !iface_option(c, i, code, value, name))
            return false;
        if (!get_skip(&cur, (4u - n % 4u) % 4u))
            return false;
    }
    return cursor_left(&cur) == 0;
}

static bool iface_room(struct capfile *c)
{
    if (c->iface_count < c->iface_room)
        return true;
    unsigned room = c->iface_room ? c->iface_room * 2 : 8;
    struct capfile_iface *more = realloc(c->ifaces, room * sizeof *more);
    if (!more)
        return false;
    c->ifaces = more;
    c->iface_room = room;
    return true;
}

static bool block_interface(struct capfile *c, const struct block *k)
{
    struct capfile_iface i = {.unit = {.mult = 1000, .div = 1}};
    struct slice name = slice_of(NULL, 0);
    if (k->n < IFACE_MIN || !iface_options(c, &i, slice_of(k->p + 16, k->n - IFACE_MIN), &name)) {
        capfile_bad(c, "interface block with damaged options at offset %" PRIu64, c->offset);
        return false;
    }
    if (c->iface_count >= CAPFILE_MAX_IFACES || !iface_room(c)) {
        capfile_bad(c, "more than %d interfaces at offset %" PRIu64, CAPFILE_MAX_IFACES, c->offset);
        return false;
    }
    i.linktype = capfile_u16(c->swapped, k->p + 8);
    i.snaplen = capfile_u32(c->swapped, k->p + 12);
    i.iface = c->on_iface(c->ctx, c->iface_count, name);
    c->ifaces[c->iface_count++] = i;
    return true;
}

static bool block_section(struct capfile *c, const struct block *k)
{
    uint16_t major = k->n >= 28 ? capfile_u16(c->swapped, k->p + 12) : 0;
    if (major != 1) {
        capfile_bad(c, "section header of an unknown version at offset %" PRIu64, c->offset);
        return false;
    }
    c->iface_count = 0;
    return true;
}

static void list_packet(struct capfile *c, struct batch *b, const struct capfile_iface *i,
                        struct batch_packet pkt)
{
    pkt.linktype = i->linktype;
    pkt.iface = i->iface;
    if (pkt.len < pkt.caplen)
        pkt.len = pkt.caplen;
    c->last = pkt.time;
    c->packets++;
    b->packets[b->count++] = pkt;
}

static bool block_enhanced(struct capfile *c, struct batch *b, const struct block *k)
{
    if (k->n < ENHANCED_MIN) {
        capfile_bad(c, "packet block of %" PRIu32 " bytes at offset %" PRIu64, k->n, c->offset);
        return false;
    }
    uint32_t id = k->type == BLOCK_PACKET ? capfile_u16(c->swapped, k->p + 8)
                                          : capfile_u32(c->swapped, k->p + 8);
    if (id >= c->iface_count) {
        capfile_bad(c, "packet of the undeclared interface %" PRIu32 " at offset %" PRIu64, id,
                    c->offset);
        return false;
    }
    uint64_t ts =
        (uint64_t)capfile_u32(c->swapped, k->p + 12) << 32 | capfile_u32(c->swapped, k->p + 16);
    uint32_t caplen = capfile_u32(c->swapped, k->p + 20);
    if (caplen > k->n - ENHANCED_MIN || caplen > FRAME_MAX_BYTES) {
        capfile_bad(c, "packet of %" PRIu32 " bytes in a block of %" PRIu32 " at offset %" PRIu64,
                    caplen, k->n, c->offset);
        return false;
    }
    list_packet(c, b, &c->ifaces[id],
                (struct batch_packet){
                    .time = unit_time(&c->ifaces[id].unit, ts),
                    .offset = (uint32_t)(b->at + 28),
                    .caplen = caplen,
                    .len = capfile_u32(c->swapped, k->p + 24),
                });
    return true;
}

static bool block_simple(struct capfile *c, struct batch *b, const struct block *k)
{
    if (k->n < SIMPLE_MIN || c->iface_count == 0) {
        capfile_bad(c, "simple packet block without interface at offset %" PRIu64, c->offset);
        return false;
    }
    uint32_t len = capfile_u32(c->swapped, k->p + 8), caplen = len, room = k->n - SIMPLE_MIN;
    if (c->ifaces[0].snaplen && caplen > c->ifaces[0].snaplen)
        caplen = c->ifaces[0].snaplen;
    if (caplen > room || caplen > FRAME_MAX_BYTES) {
        capfile_bad(c, "packet of %" PRIu32 " bytes in a block of %" PRIu32 " at offset %" PRIu64,
                    caplen, k->n, c->offset);
        return false;
    }
    list_packet(c, b, &c->ifaces[0],
                (struct batch_packet){
                    .time = c->last,
                    .offset = (uint32_t)(b->at + 12),
                    .caplen = caplen,
                    .len = len,
                });
    return true;
}

/* A section header decides the byte order of everything after it, its own length included. */
static bool section_order(struct capfile *c, const uint8_t *p)
{
    if (le32(p + 8) == 0x1a2b3c4d)
        c->swapped = false;
    else if (be32(p + 8) == 0x1a2b3c4d)
        c->swapped = true;
    else
        return false;
    return true;
}

/* Reads type and length. False: not all there yet, or damage. */
static bool block_head(struct capfile *c, const struct batch *b, struct block *k)
{
    size_t have = b->end - b->at;
    k->p = b->bytes + b->at;
    if (have < BLOCK_MIN)
        return false;
    k->type = capfile_u32(c->swapped, k->p);
    if (k->type == BLOCK_SECTION && !section_order(c, k->p)) {
        capfile_bad(c, "section header without byte order at offset %" PRIu64, c->offset);
        return false;
    }
    k->n = capfile_u32(c->swapped, k->p + 4);
    if (k->n < BLOCK_MIN || k->n % 4) {
        capfile_bad(c, "block of %" PRIu32 " bytes at offset %" PRIu64, k->n, c->offset);
        return false;
    }
    return true;
}

static bool block_read(struct capfile *c, struct batch *b, const struct block *k)
{
    switch (k->type) {
    case BLOCK_SECTION:
        return block_section(c, k);
    case BLOCK_INTERFACE:
        return block_interface(c, k);
    case BLOCK_SIMPLE:
        return block_simple(c, b, k);
    default:
        return block_enhanced(c, b, k);
    }
}

/* Blocks that carry no packet are passed over by their length, which may exceed any batch. */
static bool block_wanted(uint32_t type)
{
    switch (type) {
    case BLOCK_SECTION:
    case BLOCK_INTERFACE:
    case BLOCK_PACKET:
    case BLOCK_SIMPLE:
    case BLOCK_ENHANCED:
        return true;
    case BLOCK_SECRETS:
    default:
        return false;
    }
}

/* type 4 | length 4 | key log, padded. It may be longer than any batch (editcap --inject-secrets),
 * so it is handed on in pieces while the block is passed over. */
static bool secrets_begin(struct capfile *c, const struct block *k, size_t have)
{
    if (k->type != BLOCK_SECRETS || !c->on_secrets || k->n < SECRETS_MIN)
        return true;
    if (have < SECRETS_AT)
        return false;
    uint32_t n = capfile_u32(c->swapped, k->p + 12);
    if (capfile_u32(c->swapped, k->p + 8) == SECRETS_TLS && n <= k->n - SECRETS_MIN) {
        c->secrets_before = SECRETS_AT;
        c->secrets = n;
    }
    return true;
}

static void hand_secrets(struct capfile *c, struct slice passed)
{
    uint32_t before = c->secrets_before < passed.n ? c->secrets_before : (uint32_t)passed.n;
    if (!c->secrets)
        return;
    c->secrets_before -= before;
    passed = slice_of(passed.p + before, passed.n - before);
    if (passed.n > c->secrets)
        passed.n = c->secrets;
    c->secrets -= (uint32_t)passed.n;
    if (passed.n)
        c->on_secrets(c->ctx, passed, c->secrets == 0);
}

static bool ng_skip(struct capfile *c, struct batch *b)
{
    size_t have = b->end - b->at, n = c->skip < have ? (size_t)c->skip : have;
    hand_secrets(c, slice_of(b->bytes + b->at, n));
    capfile_used(c, b, n);
    c->skip -= n;
    return n > 0;
}

bool capfile_ng_step(struct capfile *c, struct batch *b)
{
    struct block k;
    if (c->skip)
        return ng_skip(c, b);
    if (b->count >= b->room || !block_head(c, b, &k))
        return false;
    if (!block_wanted(k.type)) {
        if (!secrets_begin(c, &k, b->end - b->at))
            return false;
        c->skip = k.n;
        c->skip_from = c->offset;
        return ng_skip(c, b);
    }
    if (k.n > CAPFILE_MAX_RECORD) {
        capfile_bad(c, "block of %" PRIu32 " bytes at offset %" PRIu64, k.n, c->offset);
        return false;
    }
    if (b->end - b->at < k.n)
        return false;
    if (capfile_u32(c->swapped, k.p + k.n - 4) != k.n) {
        capfile_bad(c, "block length not repeated at its end, at offset %" PRIu64, c->offset);
        return false;
    }
    if (!block_read(c, b, &k))
        return false;
    capfile_used(c, b, k.n);
    return true;
}
