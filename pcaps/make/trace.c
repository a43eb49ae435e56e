/* The capture in memory and its pcap file (version 2.4, microseconds, Ethernet, little-endian). */
#include "pcaps/make/trace.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pcaps/make/buf.h"

enum { ETHERNET_MIN = 60, SNAPLEN = 262144, LINKTYPE_ETHERNET = 1 };

struct frame {
    int64_t at;
    size_t order;
    uint16_t n;
    uint8_t bytes[PACKET_MAX];
};

struct trace {
    struct frame *frames;
    size_t n, room;
};

struct trace *trace_new(void)
{
    struct trace *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    return t;
}

void trace_free(struct trace *t)
{
    if (t)
        free(t->frames);
    free(t);
}

int64_t utc(const char *text)
{
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
    assert(rest);
    double fraction = *rest == '.' ? strtod(rest, NULL) : 0;
    return SEC((int64_t)timegm(&tm)) + (int64_t)(fraction * 1e6 + 0.5);
}

static struct frame *add(struct trace *t, int64_t at)
{
    if (t->n == t->room) {
        t->room = t->room ? 2 * t->room : 64;
        t->frames = realloc(t->frames, t->room * sizeof *t->frames);
        if (!t->frames)
            abort();
    }
    struct frame *f = &t->frames[t->n];
    memset(f, 0, sizeof *f);
    f->at = at;
    f->order = t->n++;
    return f;
}

static void write_mac(uint8_t mac[6], const struct host *h)
{
    static const uint8_t router[6] = {0x00, 0x1b, 0x54, 0x0a, 0x00, 0x01};
    static const uint8_t vendor[2] = {0x00, 0x50};
    if (h->routed) {
        memcpy(mac, router, sizeof router);
        return;
    }
    memcpy(mac, vendor, sizeof vendor);
    set_u32(mac + 2, h->ip ^ 0x56000000);
}

static struct packet_ip route(struct host *from, uint16_t from_port, const struct host *to,
                              uint16_t to_port)
{
    struct packet_ip ip = {.from = {from->ip, from_port}, .to = {to->ip, to_port}};
    write_mac(ip.from_mac, from);
    write_mac(ip.to_mac, to);
    ip.ttl = from->ttl;
    ip.id = from->fixed_id ? 0 : from->ip_id++;
    return ip;
}

static void finish(struct frame *f, size_t n)
{
    f->n = (uint16_t)(n < ETHERNET_MIN ? ETHERNET_MIN : n);
}

void trace_tcp(struct trace *t, int64_t at, struct host *from, uint16_t from_port,
               const struct host *to, uint16_t to_port, const struct packet_tcp *tcp,
               const void *data, size_t n)
{
    struct packet_ip ip = route(from, from_port, to, to_port);
    struct frame *f = add(t, at);
    finish(f, packet_tcp(f->bytes, &ip, tcp, data, n));
}

void trace_udp(struct trace *t, int64_t at, struct host *from, uint16_t from_port,
               const struct host *to, uint16_t to_port, const void *data, size_t n)
{
    struct packet_ip ip = route(from, from_port, to, to_port);
    struct frame *f = add(t, at);
    finish(f, packet_udp(f->bytes, &ip, data, n));
}

void trace_unreachable(struct trace *t, int64_t at, struct host *from, const struct host *to,
                       uint8_t code)
{
    assert(t->n);
    struct packet_ip ip = route(from, 0, to, 0);
    struct frame *f = add(t, at);
    finish(f, packet_unreachable(f->bytes, &ip, code, f[-1].bytes));
}

void trace_keep_from(struct trace *t, uint32_t ip)
{
    uint8_t source[4];
    size_t kept = 0;
    set_u32(source, ip);
    for (size_t i = 0; i < t->n; i++)
        if (!memcmp(t->frames[i].bytes + PACKET_ETHERNET + 12, source, sizeof source))
            t->frames[kept++] = t->frames[i];
    t->n = kept;
}

void trace_append(struct trace *t, const struct trace *more)
{
    for (size_t i = 0; i < more->n; i++) {
        struct frame *f = add(t, more->frames[i].at);
        size_t order = f->order;
        *f = more->frames[i];
        f->order = order;
    }
}

static int by_time(const void *a, const void *b)
{
    const struct frame *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static void put_le(FILE *f, uint32_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        fputc((int)(v >> 8 * i & 255), f);
}

static void write_frame(FILE *out, const struct frame *f)
{
    put_le(out, (uint32_t)(f->at / SEC(1)), 4);
    put_le(out, (uint32_t)(f->at % SEC(1)), 4);
    put_le(out, f->n, 4);
    put_le(out, f->n, 4);
    fwrite(f->bytes, 1, f->n, out);
}

int trace_save(struct trace *t, const char *dir, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *out = fopen(path, "wb");
    if (!out)
        return -1;
    if (t->n)
        qsort(t->frames, t->n, sizeof *t->frames, by_time);
    put_le(out, 0xa1b2c3d4, 4);
    put_le(out, 2, 2);
    put_le(out, 4, 2);
    put_le(out, 0, 4);
    put_le(out, 0, 4);
    put_le(out, SNAPLEN, 4);
    put_le(out, LINKTYPE_ETHERNET, 4);
    for (size_t i = 0; i < t->n; i++)
        write_frame(out, &t->frames[i]);
    int failed = ferror(out);
    return fclose(out) || failed ? -1 : 0;
}
