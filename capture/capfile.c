/*
 * Capture files: what kind it is, and the pcap format.
 *
 *   pcap:   | magic 4 | version 2+2 | zone 4 | accuracy 4 | snaplen 4 | link type 4 |  then records
 *   record: | seconds 4 | fraction 4 | caplen 4 | len 4 | (modified: 8 more) | caplen bytes |
 */
#include "capture/capfile_inner.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { PCAP_HEADER = 24, PCAP_RECORD = 16, PCAP_RECORD_MODIFIED = 24 };

enum {
    MAGIC_US = 0xa1b2c3d4,
    MAGIC_NS = 0xa1b23c4d,
    MAGIC_MODIFIED = 0xa1b2cd34,
    MAGIC_PCAPNG = 0x0a0d0d0a, /* reads the same in both byte orders */
};

void capfile_bad(struct capfile *c, const char *fmt, ...)
{
    va_list ap;
    if (c->damage[0])
        return;
    va_start(ap, fmt);
    vsnprintf(c->damage, sizeof c->damage, fmt, ap);
    va_end(ap);
}

struct capfile *capfile_new(capfile_iface_fn *on_iface, void *ctx)
{
    struct capfile *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->on_iface = on_iface;
    c->ctx = ctx;
    return c;
}

void capfile_on_secrets(struct capfile *c, capfile_secrets_fn *on_secrets)
{
    c->on_secrets = on_secrets;
}

void capfile_free(struct capfile *c)
{
    if (!c)
        return;
    free(c->ifaces);
    free(c);
}

const char *capfile_damage(const struct capfile *c)
{
    return c->damage[0] ? c->damage : NULL;
}

static bool pcap_magic(struct capfile *c, uint32_t magic, bool swapped)
{
    if (magic != MAGIC_US && magic != MAGIC_NS && magic != MAGIC_MODIFIED)
        return false;
    c->kind = CAPFILE_PCAP;
    c->swapped = swapped;
    c->ns = magic == MAGIC_NS ? 1 : 1000;
    c->header = magic == MAGIC_MODIFIED ? PCAP_RECORD_MODIFIED : PCAP_RECORD;
    return true;
}

/* People do feed compressed captures; say what to do rather than "unknown". */
static const char *packed_with(const uint8_t *p)
{
    static const struct {
        uint8_t magic[4];
        const char *name;
    } packers[] = {
        {{0x1f, 0x8b, 0x08, 0}, "gzip"},
        {{0x28, 0xb5, 0x2f, 0xfd}, "zstd"},
        {{0xfd, '7', 'z', 'X'}, "xz"},
        {{'B', 'Z', 'h', 0}, "bzip2"},
    };
    for (size_t i = 0; i < sizeof packers / sizeof *packers; i++)
        if (memcmp(p, packers[i].magic, packers[i].magic[3] ? 4 : 3) == 0)
            return packers[i].name;
    return NULL;
}

/* Decides by the first four bytes. True if the walk may go on. */
static bool capfile_begin(struct capfile *c, struct batch *b)
{
    const uint8_t *p = b->bytes + b->at;
    size_t n = b->end - b->at;
    if (n < 4)
        return false;
    if (le32(p) == MAGIC_PCAPNG) {
        c->kind = CAPFILE_PCAPNG;
        return true;
    }
    if (!pcap_magic(c, le32(p), false) && !pcap_magic(c, be32(p), true)) {
        const char *packer = packed_with(p);
        if (packer)
            capfile_bad(c, "is compressed with %s: unpack it first", packer);
        else
            capfile_bad(c, "is not a pcap or pcapng file");
        return false;
    }
    if (n < PCAP_HEADER) {
        c->kind = CAPFILE_UNKNOWN;
        return false;
    }
    /* the upper bits of the link type say whether frames carry a checksum at their end */
    c->pcap.linktype = (uint16_t)capfile_u32(c->swapped, p + 20);
    c->pcap.iface = c->on_iface(c->ctx, 0, slice_of(NULL, 0));
    capfile_used(c, b, PCAP_HEADER);
    return true;
}

/* The hot loop. swapped is a constant in each caller, so that it costs nothing. */
static inline void pcap_walk(struct capfile *c, struct batch *b, bool swapped)
{
    const uint32_t header = c->header, ns = c->ns;
    const size_t start = b->at;
    size_t at = b->at, count = b->count;
    while (b->end - at >= header && count < b->room) {
        const uint8_t *p = b->bytes + at;
        uint32_t caplen = capfile_u32(swapped, p + 8), len = capfile_u32(swapped, p + 12);
        if (caplen > FRAME_MAX_BYTES) {
            capfile_bad(c, "record of %" PRIu32 " bytes at offset %" PRIu64, caplen,
                        c->offset + (at - start));
            break;
        }
        if (b->end - at - header < caplen)
            break;
        b->packets[count++] = (struct batch_packet){
            .time =
                (tick_t)capfile_u32(swapped, p) * TICK_S + (tick_t)capfile_u32(swapped, p + 4) * ns,
            .offset = (uint32_t)(at + header),
            .caplen = caplen,
            .len = len < caplen ? caplen : len,
            .linktype = c->pcap.linktype,
            .iface = c->pcap.iface,
        };
        at += header + caplen;
    }
    c->packets += count - b->count;
    b->count = count;
    capfile_used(c, b, at - start);
}

void capfile_walk(struct capfile *c, struct batch *b)
{
    if (c->damage[0] || (c->kind == CAPFILE_UNKNOWN && !capfile_begin(c, b)))
        return;
    if (c->kind == CAPFILE_PCAPNG) {
        while (capfile_ng_step(c, b))
            ;
    } else if (c->swapped) {
        pcap_walk(c, b, true);
    } else {
        pcap_walk(c, b, false);
    }
}

void capfile_finish(struct capfile *c, size_t left)
{
    if (c->offset == 0 && left == 0)
        capfile_bad(c, "is empty");
    else if (c->offset == 0 && left < 4)
        capfile_bad(c, "is not a pcap or pcapng file");
    else if (left || c->skip)
        capfile_bad(c, "ends in the middle of the %s at offset %" PRIu64,
                    c->kind == CAPFILE_UNKNOWN ? "file header" : "record",
                    c->skip ? c->skip_from : c->offset);
    else if (c->packets == 0)
        capfile_bad(c, "holds no packets");
}
