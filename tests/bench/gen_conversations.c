/*
 * TCP conversations that are hard to reassemble, each of one kind, and their true bytes.
 * Truth: one line per direction,
 *   stream <TAB> kind <TAB> src <TAB> dst <TAB> isn <TAB> gap <TAB> hex of the bytes
 * isn is the sender's; gap is OFFSET+LENGTH of what the capture lacks, or "-". The bytes are what
 * the sender's application wrote, the missing ones included. Port 5060 and SIP messages, so that a
 * monitor which follows only signaling follows these too.
 */
#include <stdlib.h>

#include "tests/bench/gen.h"

enum { STREAM_MAX = 1 << 15, WINDOW = 4, BODY_MAX = 1200, SEGMENTS_MAX = STREAM_MAX };

enum kind {
    PLAIN,
    REORDERED,    /* shuffled within windows of four segments */
    RESENT,       /* some segments twice */
    OVERLAP,      /* segments that begin inside the one before */
    OTHER_BYTES,  /* acknowledged bytes sent again with other contents: the first count */
    LOST,         /* one segment of each direction is missing, acknowledged all the same */
    WRAP,         /* sequence numbers pass 2^32 */
    SINGLE_BYTES, /* one byte per segment */
    OLDER,        /* the connection was there before the capture */
    EARLY_ACK,    /* the ACK is captured before the data it acknowledges */
    KINDS
};

static const char *const kind_names[KINDS] = {"plain",       "reordered", "resent", "overlap",
                                              "other-bytes", "lost",      "wrap",   "single-bytes",
                                              "older",       "early-ack"};

struct segment {
    uint32_t offset;
    uint16_t n;
};

struct conversation {
    struct gen *gen;
    enum kind kind;
    struct flow flow;
    uint32_t base[2]; /* sequence number of the first byte */
    struct buf stream[2];
    uint32_t gap[2], gap_n[2];
    struct segment segments[SEGMENTS_MAX];
};

/* Whole SIP messages with bodies of any bytes. */
static void write_stream(struct conversation *c, int side, size_t wanted)
{
    struct buf *b = &c->stream[side];
    for (unsigned n = 1; b->n < wanted; n++) {
        size_t body = rnd_below(&c->gen->random, BODY_MAX);
        buf_fmt(b,
                "MESSAGE sip:user%u@example.org SIP/2.0\r\n"
                "Via: SIP/2.0/TCP 10.7.0.%d;branch=z9hG4bK%u\r\n"
                "From: <sip:a@example.org>;tag=%u\r\nTo: <sip:b@example.org>\r\n"
                "Call-ID: %u.%d.%u\r\nCSeq: %u MESSAGE\r\nContent-Length: %zu\r\n\r\n",
                n, side + 1, n, n, c->flow.end[0].port, side, n, n, body);
        buf_rnd(b, &c->gen->random, body);
    }
}

static size_t cut_segments(struct conversation *c, int side)
{
    size_t count = 0;
    for (uint32_t at = 0; at < c->stream[side].n; count++) {
        uint32_t left = (uint32_t)c->stream[side].n - at;
        uint32_t n = c->kind == SINGLE_BYTES ? 1 : 1 + rnd_below(&c->gen->random, 1400);
        if (n > left)
            n = left;
        uint32_t back = c->kind == OVERLAP && at ? rnd_below(&c->gen->random, 30) : 0;
        if (back > at || back + n > 1400)
            back = 0;
        c->segments[count] = (struct segment){at - back, (uint16_t)(n + back)};
        at += n;
    }
    return count;
}

static void send_segment(struct conversation *c, int side, const struct segment *s,
                         bool other_bytes)
{
    uint8_t bytes[1500];
    memcpy(bytes, c->stream[side].p + s->offset, s->n);
    if (other_bytes)
        memset(bytes, 'x', s->n);
    c->flow.seq[side] = c->base[side] + s->offset;
    flow_tcp(&c->gen->out, &c->flow, side, TH_ACK | TH_PSH, bytes, s->n);
    out_at(&c->gen->out, c->gen->out.now + 200);
}

static void shuffle(struct conversation *c, struct segment *s, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = rnd_below(&c->gen->random, (uint32_t)i);
        struct segment t = s[i - 1];
        s[i - 1] = s[j];
        s[j] = t;
    }
}

static void acknowledge(struct conversation *c, int side, uint32_t end)
{
    c->flow.seq[side] = c->base[side] + end;
    flow_tcp(&c->gen->out, &c->flow, !side, TH_ACK, NULL, 0);
    out_at(&c->gen->out, c->gen->out.now + 300);
}

static void send_window(struct conversation *c, int side, struct segment *s, size_t n,
                        bool with_gap)
{
    uint32_t end = s[n - 1].offset + s[n - 1].n;
    if (c->kind == EARLY_ACK)
        acknowledge(c, side, end);
    if (c->kind == REORDERED)
        shuffle(c, s, n);
    for (size_t i = 0; i < n; i++) {
        if (with_gap && i == 1) {
            c->gap[side] = s[i].offset;
            c->gap_n[side] = s[i].n;
            continue;
        }
        send_segment(c, side, &s[i], false);
        if (c->kind == RESENT && rnd_below(&c->gen->random, 3) == 0)
            send_segment(c, side, &s[i], false);
    }
    acknowledge(c, side, end);
    if (c->kind == OTHER_BYTES && rnd_below(&c->gen->random, 2) == 0)
        send_segment(c, side, &s[n / 2], true);
    c->flow.seq[side] = c->base[side] + end;
}

static void send_stream(struct conversation *c, int side)
{
    size_t count = cut_segments(c, side);
    for (size_t i = 0; i < count; i += WINDOW) {
        size_t n = count - i < WINDOW ? count - i : WINDOW;
        bool with_gap = c->kind == LOST && i == WINDOW && n > 2;
        send_window(c, side, c->segments + i, n, with_gap);
    }
}

static void write_truth(const struct conversation *c, int side)
{
    char from[16], to[16], gap[32] = "-";
    FILE *out = c->gen->truth;
    if (!out)
        return;
    if (c->gap_n[side])
        snprintf(gap, sizeof gap, "%u+%u", c->gap[side], c->gap_n[side]);
    fprintf(out, "stream\t%s\t%s:%u\t%s:%u\t%u\t%s\t", kind_names[c->kind],
            ip4_text(c->flow.end[side].ip, from), c->flow.end[side].port,
            ip4_text(c->flow.end[!side].ip, to), c->flow.end[!side].port, c->base[side] - 1, gap);
    for (size_t i = 0; i < c->stream[side].n; i++)
        fprintf(out, "%02x", c->stream[side].p[i]);
    fputc('\n', out);
}

static void open_connection(struct conversation *c, uint32_t serial)
{
    struct out *o = &c->gen->out;
    flow_start(o, &c->flow, (struct endpoint4){0x0a070001, (uint16_t)(10000 + serial)},
               (struct endpoint4){0x0a070002, 5060});
    if (c->kind == WRAP)
        c->flow.seq[0] = c->flow.seq[1] = UINT32_MAX - 3000;
    c->base[0] = c->flow.seq[0] + 1;
    c->base[1] = c->flow.seq[1] + 1;
    if (c->kind == OLDER) {
        c->flow.seq[0]++;
        c->flow.seq[1]++;
        return;
    }
    flow_syn(o, &c->flow, false);
    out_at(o, o->now + 400);
    flow_syn_ack(o, &c->flow);
    out_at(o, o->now + 400);
    flow_established(o, &c->flow);
}

static void converse(struct conversation *c, uint32_t serial)
{
    static uint8_t bytes[2][STREAM_MAX + BODY_MAX + 512];
    c->kind = (enum kind)(serial % KINDS);
    for (int side = 0; side < 2; side++) {
        c->stream[side] = (struct buf){bytes[side], 0, sizeof bytes[side]};
        c->gap_n[side] = 0;
    }
    open_connection(c, serial);
    size_t limit = c->kind == SINGLE_BYTES ? 600 : 20000;
    for (int side = 0; side < 2; side++) {
        write_stream(c, side, limit / 4 + rnd_below(&c->gen->random, (uint32_t)limit));
        send_stream(c, side);
        write_truth(c, side);
    }
    flow_fin(&c->gen->out, &c->flow, 0);
    flow_fin(&c->gen->out, &c->flow, 1);
    flow_tcp(&c->gen->out, &c->flow, 0, TH_ACK, NULL, 0);
    out_at(&c->gen->out, c->gen->out.now + GEN_MS(20));
}

int gen_conversations(struct gen *g)
{
    struct conversation *c = calloc(1, sizeof *c);
    if (!c)
        return -1;
    c->gen = g;
    for (uint32_t i = 0; i < g->opt.calls; i++)
        converse(c, i);
    truth_total(g, "streams", 2 * (uint64_t)g->opt.calls);
    free(c);
    return 0;
}
