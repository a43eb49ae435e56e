/*
 * The feeder and libnids behind it, under any sequence of packets.
 *
 * Input: records of 8 bytes, each a packet of one of four flows. Every payload byte tells its
 * sequence number, so whatever the order, what the reader gets in one piece must count up, and go
 * on where it left off unless a gap came between.
 */
#include "flows/feeder.h"
#include "tests/fuzz/inside.h"

enum { FLOWS = 4, RECORD = 8, ISN = 5000 };

enum { DO_RST = 1, DO_FIN = 2, DO_FRESH = 4, DO_OVER = 8, DO_CUT = 16, DO_WAIT = 32 };

/* What the reader knows of a stream. */
struct reading {
    bool going[2];     /* expect is valid */
    uint8_t expect[2]; /* first byte of what comes next */
    unsigned turn;
};

static struct feeder *feeder;
static uint8_t pattern[65536 + 256];

static uint8_t byte_at(uint32_t seq)
{
    return (uint8_t)(seq % 251);
}

static struct stream_take on_data(void *arg, struct stream *s, enum stream_side side,
                                  struct slice avail)
{
    (void)arg;
    struct reading *r = s->user;
    if (!r) {
        r = s->user = calloc(1, sizeof *r);
        must(r);
    }
    must(avail.n > 0);
    must(!r->going[side] || avail.p[0] == r->expect[side]);
    for (size_t i = 1; i < avail.n; i++)
        must(avail.p[i] == (avail.p[i - 1] + 1) % 251);
    size_t used = r->turn++ % 3 == 0 ? avail.n : avail.n / 2;
    r->going[side] = true;
    r->expect[side] = (uint8_t)((avail.p[0] + used) % 251);
    return (struct stream_take){.used = used, .release = r->turn > 200};
}

static void on_gap(void *arg, struct stream *s, enum stream_side side, uint32_t missing)
{
    (void)arg, (void)missing;
    struct reading *r = s->user;
    if (r)
        r->going[side] = false;
}

static void on_over(void *arg, struct stream *s, bool closed)
{
    (void)arg, (void)closed;
    free(s->user);
    s->user = NULL;
}

static void begin(void)
{
    static const struct stream_reader reader = {NULL, on_data, on_gap, on_over};
    const char *why = NULL;
    for (uint32_t i = 0; i < sizeof pattern; i++)
        pattern[i] = byte_at(i);
    feeder = feeder_new(3, 2, &reader, &why);
    must(feeder != NULL);
}

/* flow, side, flags | what to do | sequence number, 16 bits | length, 16 bits | acknowledgment, 16
 * bits. Numbers are offsets from where the flow began, scaled so that far jumps happen. */
static void packet(struct flow *flows, const uint8_t *in, tick_t *now)
{
    struct flow *flow = &flows[in[0] & 3];
    bool client = in[0] & 4;
    uint32_t scale = in[0] & 8 ? 40000 : 1;
    uint32_t seq = ISN + 1 + be16(in + 2) * scale, n = be16(in + 4);
    bool cut = in[1] & DO_CUT;
    struct packet p = {
        .time = *now += in[1] & DO_WAIT ? 30 * TICK_S : 5 * TICK_MS,
        .flags =
            (uint8_t)(TCP_ACK | (in[1] & DO_RST ? TCP_RST : 0) | (in[1] & DO_FIN ? TCP_FIN : 0)),
        .seq = seq,
        .ack = ISN + 1 + be16(in + 6) * scale,
        .payload = slice_of(pattern + seq % 251, cut ? n / 2 : n),
        .payload_len = n,
        .raw = {.caplen = 100, .len = cut ? 200 : 100},
    };
    struct flow_ref ref = {flow, client, in[1] & DO_FRESH};
    feeder_tcp(feeder, &ref, &p);
    feeder_advance(feeder, *now);
    if (in[1] & DO_OVER)
        feeder_flow_over(feeder, flow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct flow flows[FLOWS] = {
        {.client_isn = ISN, .saw_syn = true},
        {.client_isn = ISN, .server_isn = ISN, .saw_syn = true, .saw_synack = true},
        {.midstream = true}};
    tick_t now = TICK_S;
    begin();
    for (size_t i = 0; i + RECORD <= size; i += RECORD)
        packet(flows, data + i, &now);
    feeder_finish(feeder, now);
    for (size_t i = 0; i < FLOWS; i++)
        must(flows[i].stream == 0);
    struct feeder_counts counts;
    feeder_counts(feeder, &counts);
    must(counts.nids_warnings == 0);
    feeder_free(feeder);
    return 0;
}
