/* The media side of a generated call: connection attempts by script, checks, media, end. */
#include "tests/bench/gen_call.h"

#include <stdlib.h>

enum { FRAME_MAX = 2048, CONTROL = 2, MEDIA = 3, RTT = -1, END_PAUSE_MS = 300 };
enum { ROUTER = 0x0a030101 };

const char *gen_verdict_name(enum gen_verdict v)
{
    static const char *const names[GEN_VERDICTS] = {"connected",   "refused",          "timeout",
                                                    "unreachable", "reset-after-open", "half-open"};
    return names[v];
}

/* One packet of an attempt and the pause after it: milliseconds, or one round trip. */
struct op {
    char what; /* S SYN, L last SYN, A SYN-ACK, a ACK, R refusal, X reset, I ICMP; 0 = end */
    int pause;
};

static const struct op scripts[GEN_VERDICTS][8] = {
    [GEN_CONNECTED] = {{'S', RTT}, {'A', 1}, {'a', 20}},
    [GEN_REFUSED] =
        {{'S', RTT}, {'R', 503}, {'S', RTT}, {'R', 503}, {'L', RTT}, {'R', END_PAUSE_MS}},
    [GEN_TIMEOUT] = {{'S', 3000}, {'S', 6000}, {'L', 12000}},
    [GEN_UNREACHABLE] = {{'S', RTT}, {'I', END_PAUSE_MS}},
    [GEN_RESET] = {{'S', RTT}, {'A', 1}, {'a', RTT}, {'X', END_PAUSE_MS}},
    [GEN_HALF] = {{'S', RTT}, {'A', 3000}, {'S', RTT}, {'A', 6000}, {'L', RTT}, {'A', 12000}},
};

bool call_connected(const struct call *c)
{
    return c->verdict == GEN_CONNECTED || (c->retry && c->retry_verdict == GEN_CONNECTED);
}

static void write_truth(struct gen_site *s, const struct call *c, enum gen_verdict v)
{
    char from[16], to[16];
    s->attempts[v]++;
    if (!s->gen->truth)
        return;
    fprintf(s->gen->truth, "attempt\t%s:%u\t%s:%u\t%u\t%s\t%s\t%s\n",
            ip4_text(c->media.end[0].ip, from), c->media.end[0].port,
            ip4_text(c->media.end[1].ip, to), c->media.end[1].port, c->media.seq[0],
            gen_verdict_name(v), c->call_id, call_connected(c) ? "connected" : "failed");
}

static void start_attempt(struct gen_site *s, struct call *c, enum gen_verdict v)
{
    c->reversed = c->attempts && c->retry_reversed;
    if (c->reversed)
        flow_start(&s->gen->out, &c->media, c->peer, c->relay_wire);
    else
        flow_start(&s->gen->out, &c->media, c->relay_wire, c->peer);
    c->media.ttl[c->reversed] = 128;
    c->media.ttl[!c->reversed] = 113;
    c->attempts++;
    write_truth(s, c, v);
}

static void run_op(struct gen_site *s, struct call *c, char what)
{
    struct out *o = &s->gen->out;
    switch (what) {
    case 'S':
    case 'L':
        flow_syn(o, &c->media, what == 'L');
        break;
    case 'A':
        flow_syn_ack(o, &c->media);
        break;
    case 'a':
        flow_established(o, &c->media);
        break;
    case 'R':
        flow_refuse(o, &c->media);
        break;
    case 'X':
        flow_tcp(o, &c->media, 1, TH_RST | TH_ACK, NULL, 0);
        break;
    case 'I':
        flow_prohibited(o, &c->media, ROUTER);
        break;
    default:
        abort(); /* no such packet */
    }
}

int64_t media_attempt(struct gen_site *s, struct call *c)
{
    bool second = c->attempts == 2 || (c->attempts == 1 && c->op == 0);
    enum gen_verdict v = second ? c->retry_verdict : c->verdict;
    if (c->op == 0)
        start_attempt(s, c, v);
    const struct op *op = &scripts[v][c->op++];
    run_op(s, c, op->what);
    c->again = op[1].what != 0;
    if (!c->again && c->attempts == 1 && c->retry) {
        c->again = true;
        c->op = 0;
    }
    if (!c->again && !call_connected(c))
        s->failed_pairs++;
    return op->pause == RTT ? c->rtt : GEN_MS(op->pause);
}

void control_send(struct gen_site *s, struct call *c, int side, unsigned type, const struct buf *b)
{
    BUF(framed, FRAME_MAX);
    ms_frame(&framed, type, b);
    flow_data(&s->gen->out, &c->control, side, framed.p, framed.n);
}

/* A packet on the connection between the relays, ours or theirs. */
static void peer_send(struct gen_site *s, struct call *c, bool ours, const struct buf *packet)
{
    BUF(framed, FRAME_MAX);
    rfc4571(&framed, packet);
    flow_data(&s->gen->out, &c->media, ours == c->reversed, framed.p, framed.n);
}

int64_t media_check(struct gen_site *s, struct call *c)
{
    if (!call_connected(c))
        return 0;
    BUF(check, FRAME_MAX);
    ms_check(&check, &c->random, &(struct check){c->ufrag[1], c->ufrag[0], 6556159, !c->inbound});
    memcpy(c->check_id, check.p + 4, sizeof c->check_id);
    peer_send(s, c, true, &check);
    return c->rtt;
}

int64_t media_check_answer(struct gen_site *s, struct call *c)
{
    if (!call_connected(c))
        return 0;
    BUF(done, FRAME_MAX);
    ms_check_answer(&done, c->check_id, c->relay);
    peer_send(s, c, false, &done);
    BUF(data, FRAME_MAX);
    rfc4571(&data, &done);
    BUF(indication, FRAME_MAX);
    ms_data(&indication, &c->turn, c->peer, &data);
    control_send(s, c, 1, CONTROL, &indication);
    return GEN_MS(20);
}

int64_t media_activate(struct gen_site *s, struct call *c)
{
    if (!call_connected(c))
        return 0;
    BUF(ask, FRAME_MAX);
    ms_set_active(&ask, &c->turn, c->peer);
    control_send(s, c, 0, CONTROL, &ask);
    BUF(done, FRAME_MAX);
    ms_set_active_done(&done, &c->turn);
    control_send(s, c, 1, CONTROL, &done);
    c->media_left = s->gen->opt.media;
    return c->media_gap;
}

/* One RTP packet through the relay: in on one leg, out on the other, and now and then an ACK. */
int64_t media_flow(struct gen_site *s, struct call *c)
{
    if (!call_connected(c) || !c->media_left)
        return 0;
    bool out = rnd_below(&c->random, 4) != 0;
    uint32_t size = s->gen->opt.media_size / 2 + rnd_below(&c->random, s->gen->opt.media_size);
    if (size > 1380)
        size = 1380;
    BUF(rtp, FRAME_MAX);
    buf_u16(&rtp, 0x807f);
    buf_u16(&rtp, c->media_left & 0xffff);
    buf_rnd(&rtp, &c->random, size);
    BUF(packet, FRAME_MAX);
    rfc4571(&packet, &rtp);
    control_send(s, c, !out, MEDIA, &packet);
    peer_send(s, c, out, &rtp);
    if (c->media_left % 4 == 0) {
        flow_tcp(&s->gen->out, &c->control, out, TH_ACK, NULL, 0);
        flow_tcp(&s->gen->out, &c->media, out != c->reversed, TH_ACK, NULL, 0);
    }
    c->again = --c->media_left != 0;
    return c->media_gap;
}

int64_t media_close(struct gen_site *s, struct call *c)
{
    if (!call_connected(c))
        return 0;
    flow_fin(&s->gen->out, &c->media, c->reversed);
    flow_fin(&s->gen->out, &c->media, !c->reversed);
    flow_tcp(&s->gen->out, &c->media, c->reversed, TH_ACK, NULL, 0);
    return GEN_MS(5);
}
