/* TCP flows made by hand, and a reader that remembers. */
#include "tests/help/stream_lab.h"

#include <stdlib.h>

/* ---- the reader ---- */

static void keep(struct lab_seen *s, enum stream_side side, struct slice bytes)
{
    if (s->n[side] + bytes.n > s->room[side]) {
        s->room[side] = 2 * (s->n[side] + bytes.n) + 4096;
        s->bytes[side] = realloc(s->bytes[side], s->room[side]);
        if (!s->bytes[side])
            abort();
    }
    memcpy(s->bytes[side] + s->n[side], bytes.p, bytes.n);
    s->n[side] += bytes.n;
}

static size_t unit(const struct lab_reader *r, struct slice avail)
{
    if (!r->lines)
        return avail.n;
    const uint8_t *end = memchr(avail.p, '\n', avail.n);
    return end ? (size_t)(end - avail.p) + 1 : 0;
}

static struct stream_take on_data(void *arg, struct stream *s, enum stream_side side,
                                  struct slice avail)
{
    struct lab_reader *r = arg;
    if (!s->user) {
        s->user = r;
        r->seen.begun++;
        r->seen.from_start = s->from_start;
    }
    r->seen.calls++;
    if (avail.n > r->seen.largest)
        r->seen.largest = avail.n;
    struct slice left = avail;
    for (size_t n; left.n && (n = unit(r, left)) > 0;) {
        struct slice one = slice_of(left.p, n);
        keep(&r->seen, side, one);
        left = slice_of(left.p + n, left.n - n);
        if (r->release_on && slice_starts(one, r->release_on))
            return (struct stream_take){.release = true};
    }
    return (struct stream_take){.used = avail.n - left.n};
}

static void on_gap(void *arg, struct stream *s, enum stream_side side, uint32_t missing)
{
    struct lab_reader *r = arg;
    (void)s;
    if (r->seen.gaps == LAB_GAPS)
        abort();
    r->seen.gap[r->seen.gaps].side = side;
    r->seen.gap[r->seen.gaps].at = r->seen.n[side];
    r->seen.gap[r->seen.gaps++].missing = missing;
}

static void on_over(void *arg, struct stream *s, bool closed)
{
    struct lab_reader *r = arg;
    s->user = NULL;
    r->seen.over++;
    r->seen.closed += closed;
}

struct stream_reader lab_stream_reader(struct lab_reader *r)
{
    return (struct stream_reader){r, on_data, on_gap, on_over};
}

void lab_reader_free(struct lab_reader *r)
{
    free(r->seen.bytes[0]);
    free(r->seen.bytes[1]);
    r->seen = (struct lab_seen){0};
}

/* ---- flows ---- */

struct flow lab_flow(uint32_t client_isn, uint32_t server_isn)
{
    return (struct flow){
        .client = {addr_v4(0x0a620201), 13211},
        .server = {addr_v4(0x0a030022), 5060},
        .client_isn = client_isn,
        .server_isn = server_isn,
        .saw_syn = true,
        .saw_synack = true,
        .established = true,
    };
}

struct flow lab_midstream(void)
{
    struct flow f = lab_flow(0, 0);
    f.saw_syn = f.saw_synack = false;
    f.midstream = true;
    return f;
}

uint64_t lab_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

/* ---- segments ---- */

struct lab_conn lab_connect(struct feeder *f, struct flow *flow, uint32_t client_isn,
                            uint32_t server_isn)
{
    return (struct lab_conn){f, flow, client_isn + 1, server_isn + 1, 1000 * TICK_S};
}

static void feed(struct lab_conn *c, enum stream_side from, uint8_t flags, uint32_t at,
                 struct slice data, uint32_t acks)
{
    bool client = from == SIDE_CLIENT;
    struct packet p = {
        .time = c->now += TICK_MS,
        .src = client ? c->flow->client : c->flow->server,
        .dst = client ? c->flow->server : c->flow->client,
        .proto = PROTO_TCP,
        .flags = flags,
        .window = 8192,
        .seq = (client ? c->client : c->server) + at,
        .ack = (client ? c->server : c->client) + acks,
        .payload = data,
        .payload_len = (uint32_t)data.n,
    };
    struct flow_ref ref = {c->flow, client, false};
    feeder_tcp(c->feeder, &ref, &p);
}

void lab_send(struct lab_conn *c, enum stream_side from, uint32_t at, struct slice data,
              uint32_t acks)
{
    feed(c, from, TCP_ACK | TCP_PSH, at, data, acks);
}

void lab_text(struct lab_conn *c, enum stream_side from, uint32_t at, const char *text)
{
    feed(c, from, TCP_ACK | TCP_PSH, at, slice_str(text), 0);
}

void lab_ack(struct lab_conn *c, enum stream_side from, uint32_t acks)
{
    feed(c, from, TCP_ACK, 0, slice_of("", 0), acks);
}

void lab_flags(struct lab_conn *c, enum stream_side from, uint8_t flags, uint32_t at, uint32_t acks)
{
    feed(c, from, flags, at, slice_of("", 0), acks);
}
