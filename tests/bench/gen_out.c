/* Streaming pcap writer and flows. */
#include "tests/bench/gen_out.h"

#include <stdlib.h>

enum { ETHERNET_MIN = 60, SNAPLEN = 262144, LINKTYPE_ETHERNET = 1, MSS = 1460 };
enum { FILE_BUFFER = 1 << 20 };

static void put_le32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

int out_open(struct out *o, const char *path, int64_t start, uint64_t seed)
{
    uint8_t header[24] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0};
    put_le32(header + 16, SNAPLEN);
    put_le32(header + 20, LINKTYPE_ETHERNET);
    o->file = strcmp(path, "-") ? fopen(path, "wb") : stdout;
    if (!o->file)
        return -1;
    setvbuf(o->file, NULL, _IOFBF, FILE_BUFFER);
    o->now = start;
    o->random = seed;
    return fwrite(header, sizeof header, 1, o->file) == 1 ? 0 : -1;
}

void out_at(struct out *o, int64_t when)
{
    if (when > o->now)
        o->now = when;
}

static void write_frame(struct out *o, const uint8_t *frame, size_t n)
{
    uint8_t header[16];
    put_le32(header, (uint32_t)(o->now / GEN_S(1)));
    put_le32(header + 4, (uint32_t)(o->now % GEN_S(1)));
    put_le32(header + 8, (uint32_t)n);
    put_le32(header + 12, (uint32_t)n);
    fwrite(header, sizeof header, 1, o->file);
    fwrite(frame, n, 1, o->file);
    o->packets++;
    o->bytes += n;
}

static bool chance(struct out *o, double p)
{
    return p > 0 && (double)(rnd_next(&o->random) >> 11) * 0x1p-53 < p;
}

/* Every packet written lets the held ones move up. */
static void release_late(struct out *o, bool all)
{
    for (int i = 0; i < OUT_LATE_MAX; i++) {
        struct late *l = &o->late[i];
        if (!l->positions)
            continue;
        l->positions = all ? 0 : l->positions - 1;
        if (!l->positions)
            write_frame(o, l->bytes, l->n);
    }
}

static bool hold_back(struct out *o, size_t n)
{
    for (int i = 0; i < OUT_LATE_MAX; i++) {
        struct late *l = &o->late[i];
        if (l->positions)
            continue;
        l->positions = 1 + (int)rnd_below(&o->random, OUT_LATE_MAX);
        l->n = n;
        memcpy(l->bytes, o->frame, n);
        return true;
    }
    return false;
}

/* The frame in o->frame goes out, or meets one of the defects. */
static void commit(struct out *o, size_t n)
{
    if (n < ETHERNET_MIN) {
        memset(o->frame + n, 0, ETHERNET_MIN - n);
        n = ETHERNET_MIN;
    }
    if (chance(o, o->lost))
        return;
    if (chance(o, o->reordered) && hold_back(o, n))
        return;
    write_frame(o, o->frame, n);
    if (chance(o, o->doubled))
        write_frame(o, o->frame, n);
    release_late(o, false);
}

int out_close(struct out *o)
{
    release_late(o, true);
    int bad = ferror(o->file);
    return (o->file == stdout ? fflush(o->file) : fclose(o->file)) || bad ? -1 : 0;
}

void flow_start(struct out *o, struct flow *f, struct endpoint4 from, struct endpoint4 to)
{
    uint64_t r = rnd_next(&o->random);
    *f = (struct flow){.end = {from, to}, .ttl = {126, 128}};
    f->seq[0] = (uint32_t)r;
    f->seq[1] = (uint32_t)(r >> 32);
    f->ip_id[0] = (uint16_t)(r >> 16);
    f->ip_id[1] = (uint16_t)(r >> 40);
    o->flows++;
}

static struct packet_ip route(struct flow *f, int side)
{
    return (struct packet_ip){.from_mac = {0x00, 0x50, 0x56, 0, 0, (uint8_t)side},
                              .to_mac = {0x00, 0x50, 0x56, 0, 0, (uint8_t)!side},
                              .from = f->end[side],
                              .to = f->end[!side],
                              .id = f->ip_id[side]++,
                              .ttl = f->ttl[side]};
}

static void send_tcp(struct out *o, struct flow *f, int side, const struct packet_tcp *tcp,
                     const void *data, size_t n)
{
    struct packet_ip ip = route(f, side);
    commit(o, packet_tcp(o->frame, &ip, tcp, data, n));
}

void flow_tcp(struct out *o, struct flow *f, int side, uint8_t flags, const void *data, size_t n)
{
    struct packet_tcp tcp = {f->seq[side], f->seq[!side], 256, flags, 0, OPT_NONE};
    send_tcp(o, f, side, &tcp, data, n);
    f->seq[side] += (uint32_t)n;
}

void flow_syn(struct out *o, struct flow *f, bool last_try)
{
    struct packet_tcp tcp = {f->seq[0], 0, 8192, TH_SYN, 8, last_try ? OPT_LAST_TRY : OPT_WINDOWS};
    send_tcp(o, f, 0, &tcp, NULL, 0);
}

void flow_syn_ack(struct out *o, struct flow *f)
{
    struct packet_tcp tcp = {f->seq[1], f->seq[0] + 1, 8192, TH_SYN | TH_ACK, 8, OPT_WINDOWS};
    send_tcp(o, f, 1, &tcp, NULL, 0);
}

void flow_established(struct out *o, struct flow *f)
{
    f->seq[0]++;
    f->seq[1]++;
    flow_tcp(o, f, 0, TH_ACK, NULL, 0);
}

void flow_refuse(struct out *o, struct flow *f)
{
    struct packet_tcp tcp = {0, f->seq[0] + 1, 0, TH_RST | TH_ACK, 0, OPT_NONE};
    send_tcp(o, f, 1, &tcp, NULL, 0);
}

void flow_data(struct out *o, struct flow *f, int side, const void *data, size_t n)
{
    const uint8_t *p = data;
    for (size_t take; n; p += take, n -= take) {
        take = n < MSS ? n : MSS;
        flow_tcp(o, f, side, take == n ? TH_ACK | TH_PSH : TH_ACK, p, take);
    }
}

void flow_fin(struct out *o, struct flow *f, int side)
{
    flow_tcp(o, f, side, TH_FIN | TH_ACK, NULL, 0);
    f->seq[side]++;
}

void flow_prohibited(struct out *o, struct flow *f, uint32_t router)
{
    enum { PROHIBITED = 13 };
    uint8_t syn[PACKET_MAX];
    struct packet_ip ip = route(f, 0);
    f->ip_id[0]--;
    ip.id = (uint16_t)(f->ip_id[0] - 1); /* of the SYN that is already out */
    struct packet_tcp tcp = {f->seq[0], 0, 8192, TH_SYN, 8, OPT_WINDOWS};
    packet_tcp(syn, &ip, &tcp, NULL, 0);
    ip = route(f, 1);
    ip.from = (struct endpoint4){router, 0};
    commit(o, packet_unreachable(o->frame, &ip, PROHIBITED, syn));
}

void flow_udp(struct out *o, struct flow *f, int side, const void *data, size_t n)
{
    struct packet_ip ip = route(f, side);
    commit(o, packet_udp(o->frame, &ip, data, n));
}
