/*
 * pcapng (draft-ietf-opsawg-pcapng): little-endian, microseconds, because rows have no more.
 *
 *   section header | interface description, before its first packet | enhanced packet ...
 *   block: | type | length | body, padded to 4 | length |
 *   option: | code | length | value, padded to 4 |, ended by code 0
 */
#include "report/export.h"

#include "report/row.h"

#include <string.h>

#ifndef EW_VERSION
#define EW_VERSION "unknown"
#endif

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
    OPTION_IF_NAME = 2,
    OPTION_APPLICATION = 4,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    NAME = 64,
};

struct iface {
    char name[NAME];
    uint16_t linktype;
};

static void put16(FILE *out, uint16_t v)
{
    fputc(v & 255, out);
    fputc(v >> 8, out);
}

static void put32(FILE *out, uint32_t v)
{
    put16(out, (uint16_t)(v & 0xffff));
    put16(out, (uint16_t)(v >> 16));
}

static uint32_t padded(size_t n)
{
    return (uint32_t)((n + 3) & ~(size_t)3);
}

static void put_bytes(FILE *out, const void *p, size_t n)
{
    fwrite(p, 1, n, out);
    for (size_t i = n; i < padded(n); i++)
        fputc(0, out);
}

/* One text option and the end of options: 8 bytes beside the padded text. */
static void put_option(FILE *out, uint16_t code, const char *text)
{
    put16(out, code);
    put16(out, (uint16_t)strlen(text));
    put_bytes(out, text, strlen(text));
    put32(out, 0);
}

static void put_section(FILE *out)
{
    static const char program[] = "edgewatch " EW_VERSION;
    uint32_t length = 12 + 16 + 8 + padded(sizeof program - 1);
    put32(out, BLOCK_SECTION);
    put32(out, length);
    put32(out, BYTE_ORDER_MAGIC);
    put16(out, 1); /* version 1.0 */
    put16(out, 0);
    put32(out, UINT32_MAX); /* length of the section: not said */
    put32(out, UINT32_MAX);
    put_option(out, OPTION_APPLICATION, program);
    put32(out, length);
}

static void put_interface(FILE *out, const struct iface *i)
{
    uint32_t length = 12 + 8 + 8 + padded(strlen(i->name));
    put32(out, BLOCK_INTERFACE);
    put32(out, length);
    put16(out, i->linktype);
    put16(out, 0);
    put32(out, 0); /* snap length: none */
    put_option(out, OPTION_IF_NAME, i->name);
    put32(out, length);
}

static void put_packet(FILE *out, uint32_t iface, tick_t at, uint32_t len, const void *bytes,
                       size_t caplen)
{
    uint64_t us = (uint64_t)(at / TICK_US);
    uint32_t length = 12 + 20 + padded(caplen);
    put32(out, BLOCK_PACKET);
    put32(out, length);
    put32(out, iface);
    put32(out, (uint32_t)(us >> 32));
    put32(out, (uint32_t)(us & UINT32_MAX));
    put32(out, (uint32_t)caplen);
    put32(out, len);
    put_bytes(out, bytes, caplen);
    put32(out, length);
}

/* Number of the row's interface, described in the file when it is new. -1: too many. */
static int interface_of(struct rows *r, struct iface list[EXPORT_IFACES], unsigned *n, FILE *out)
{
    struct iface want = {.linktype = (uint16_t)row_int(r, "linktype", 0)};
    row_text(r, "interface", want.name, sizeof want.name);
    for (unsigned i = 0; i < *n; i++)
        if (list[i].linktype == want.linktype && strcmp(list[i].name, want.name) == 0)
            return (int)i;
    if (*n == EXPORT_IFACES)
        return -1;
    list[*n] = want;
    put_interface(out, &want);
    return (int)(*n)++;
}

static int put_row(struct rows *r, struct iface list[EXPORT_IFACES], unsigned *n, FILE *out)
{
    int iface = interface_of(r, list, n, out), column = rows_find(r, "bytes");
    size_t caplen = 0;
    if (iface < 0 || column < 0)
        return -1;
    tick_t at = row_tick(r, "seen");
    uint32_t len = (uint32_t)row_int(r, "len", 0);
    const void *bytes = rows_blob(r, column, &caplen);
    put_packet(out, (uint32_t)iface, at, len, bytes, caplen);
    return 0;
}

int64_t export_packets(struct query_db *db, int64_t failure, FILE *out)
{
    struct query_filter f = {.since = TICK_NONE, .until = TICK_NONE, .failure_id = failure};
    struct rows *r = query_view(db, VIEW_PACKETS, &f);
    struct iface list[EXPORT_IFACES];
    unsigned ifaces = 0;
    int64_t n = 0;
    int got = r ? 1 : -1;
    put_section(out);
    while (got == 1 && (got = rows_next(r)) == 1) {
        got = put_row(r, list, &ifaces, out) == 0 ? 1 : -1;
        n++;
    }
    rows_close(r);
    return got < 0 ? -1 : n;
}
