/* TCP conversations, with the habits of the Windows stack of the stories. */
#include "pcaps/make/talk.h"

#include "pcaps/make/buf.h"

enum { WINDOW_SYN = 8192, WINDOW_SCALED = 256, SCALE_SHIFT = 8, SEGMENT_GAP_US = 12 };

static void send_segment(struct talk *k, int side, int64_t at, const struct packet_tcp *tcp,
                         const void *data, size_t n)
{
    trace_tcp(k->trace, at, k->host[side], k->port[side], k->host[!side], k->port[!side], tcp, data,
              n);
}

static uint16_t window_of(const struct talk *k, int side)
{
    return k->window[side] ? k->window[side] : WINDOW_SCALED;
}

static void send_flags(struct talk *k, int side, int64_t at, uint8_t flags)
{
    struct packet_tcp tcp = {k->seq[side], k->seq[!side], window_of(k, side), flags, 0, OPT_NONE};
    send_segment(k, side, at, &tcp, NULL, 0);
}

static struct packet_tcp opening(const struct talk *k, int side, uint8_t flags)
{
    return (struct packet_tcp){.seq = k->seq[side],
                               .window = WINDOW_SYN,
                               .flags = flags,
                               .scale_shift = SCALE_SHIFT,
                               .options = k->last_try ? OPT_LAST_TRY : OPT_WINDOWS};
}

void talk_syn(struct talk *k, int64_t at)
{
    struct packet_tcp tcp = opening(k, 0, TH_SYN);
    send_segment(k, 0, at, &tcp, NULL, 0);
}

void talk_syn_ack(struct talk *k, int64_t at)
{
    struct packet_tcp tcp = opening(k, 1, TH_SYN | TH_ACK);
    tcp.ack = k->seq[0] + 1;
    send_segment(k, 1, at, &tcp, NULL, 0);
}

int64_t talk_open(struct talk *k, int64_t at)
{
    talk_syn(k, at);
    at += k->away[1];
    talk_syn_ack(k, at);
    at += k->away[0];
    k->seq[0]++;
    k->seq[1]++;
    talk_ack(k, 0, at);
    return at;
}

int64_t talk_data(struct talk *k, int side, int64_t at, const void *data, size_t n)
{
    const uint8_t *p = data;
    for (;;) {
        size_t take = n < MSS ? n : MSS;
        struct packet_tcp tcp = {.seq = k->seq[side],
                                 .ack = k->seq[!side],
                                 .window = window_of(k, side),
                                 .flags = take == n ? TH_ACK | TH_PSH : TH_ACK};
        send_segment(k, side, at, &tcp, p, take);
        k->seq[side] += (uint32_t)take;
        p += take;
        n -= take;
        if (!n)
            return at;
        at += SEGMENT_GAP_US;
    }
}

int64_t talk_say(struct talk *k, int side, int64_t at, const void *data, size_t n)
{
    at = talk_data(k, side, at, data, n) + k->away[!side];
    talk_ack(k, !side, at);
    return at;
}

void talk_ack(struct talk *k, int side, int64_t at)
{
    send_flags(k, side, at, TH_ACK);
}

void talk_reset(struct talk *k, int side, int64_t at)
{
    struct packet_tcp tcp = {k->seq[side], k->seq[!side], 0, TH_RST | TH_ACK, 0, OPT_NONE};
    send_segment(k, side, at, &tcp, NULL, 0);
}

int64_t talk_close(struct talk *k, int side, int64_t at)
{
    send_flags(k, side, at, TH_FIN | TH_ACK);
    k->seq[side]++;
    at += k->away[!side];
    send_flags(k, !side, at, TH_FIN | TH_ACK);
    k->seq[!side]++;
    at += k->away[side];
    talk_ack(k, side, at);
    return at;
}

void talk_refuse(struct talk *k, int64_t at)
{
    struct packet_tcp tcp = {0, k->seq[0] + 1, 0, TH_RST | TH_ACK, 0, OPT_NONE};
    send_segment(k, 1, at, &tcp, NULL, 0);
}

int64_t talk_knock(struct talk *k, int64_t at, const int64_t *gaps, size_t n)
{
    talk_syn(k, at);
    for (size_t i = 0; i < n; i++) {
        at += gaps[i];
        k->last_try = i + 1 == n;
        talk_syn(k, at);
    }
    k->last_try = false;
    return at;
}

int64_t talk_refused_attempt(struct talk *k, int64_t at)
{
    enum { TRIES = 3 };
    for (int i = 0; i < TRIES; i++) {
        k->last_try = i + 1 == TRIES;
        talk_syn(k, at);
        at += k->away[1];
        talk_refuse(k, at);
        if (i + 1 < TRIES)
            at += MS(503);
    }
    k->last_try = false;
    return at;
}

int64_t talk_silent_attempt(struct talk *k, int64_t at)
{
    return talk_knock(k, at, (const int64_t[]){SEC(3), SEC(6)}, 2);
}
