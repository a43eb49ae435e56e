/*
 * Shared by capfile.c (pcap, entry points) and capfile_ng.c (pcapng); nobody else includes it.
 */
#ifndef EW_CAPTURE_CAPFILE_INNER_H
#define EW_CAPTURE_CAPFILE_INNER_H

#include "capture/capfile.h"

enum {
    CAPFILE_MAX_IFACES = 1024, /* per section; a real one has a few dozen at most */
    CAPFILE_TEXT = 160,
};

enum capfile_kind { CAPFILE_UNKNOWN, CAPFILE_PCAP, CAPFILE_PCAPNG };

/* How one interface counts time: ns = ts * mult / div + offset, or in 2^-bits seconds. */
struct capfile_unit {
    uint32_t mult;
    uint64_t div;
    uint8_t bits; /* 0 = decimal */
    int64_t offset_s;
};

struct capfile_iface {
    struct capfile_unit unit;
    uint32_t snaplen;
    uint16_t linktype;
    uint16_t iface;
};

struct capfile {
    enum capfile_kind kind;
    bool swapped;       /* numbers are big-endian */
    uint64_t offset;    /* in the file, of the next byte to look at */
    uint64_t skip;      /* bytes of an uninteresting block still to pass over */
    uint64_t skip_from; /* where that block began */
    uint64_t packets;   /* listed so far */
    tick_t last;        /* time of the last frame: a simple packet block has none of its own */
    uint32_t ns;        /* pcap: nanoseconds per fraction unit */
    uint32_t header;    /* pcap: bytes of a record header */
    struct capfile_iface pcap; /* pcap: the only interface */
    struct capfile_iface *ifaces;
    unsigned iface_count, iface_room;
    capfile_iface_fn *on_iface;
    capfile_secrets_fn *on_secrets;
    uint32_t secrets_before,
        secrets; /* of the block passed over: bytes before its key log, of it */
    void *ctx;
    char damage[CAPFILE_TEXT];
};

static inline uint16_t capfile_u16(bool swapped, const uint8_t *p)
{
    return swapped ? be16(p) : le16(p);
}

static inline uint32_t capfile_u32(bool swapped, const uint8_t *p)
{
    return swapped ? be32(p) : le32(p);
}

/* Passes over n bytes that the batch has. */
static inline void capfile_used(struct capfile *c, struct batch *b, size_t n)
{
    b->at += n;
    c->offset += n;
}

/* The first damage is the one that counts. */
__attribute__((format(printf, 2, 3))) void capfile_bad(struct capfile *c, const char *fmt, ...);

/* One step at the block that starts at b->at: true if b->at moved and the walk may go on. */
bool capfile_ng_step(struct capfile *c, struct batch *b);

#endif
