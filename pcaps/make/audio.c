/*
 * A Lync audio call with two relay ports, UDP and TCP: the UDP path carries the call, the TCP path
 * is refused. The failed pair is information, not a failure.
 */
#include "pcaps/make/audio.h"

#include "pcaps/make/scene.h"

enum { MESSAGE = 1024, CLIENT_UDP = 50020, RELAY_UDP = 56000, FAR_UDP = 57000, TURN_UDP = 3478 };

static const char offer[] =
    "v=0\no=- 0 0 IN IP4 203.0.113.46\ns=session\nc=IN IP4 203.0.113.46\nb=CT:99980\nt=0 0\n"
    "m=audio 56000 RTP/SAVP 114 0 8 101\na=ice-ufrag:k3Tz\na=ice-pwd:0aB1cD2eF3gH4iJ5kL6mN7oP\n"
    "a=candidate:1 1 UDP 2130706431 10.46.2.1 50020 typ host \n"
    "a=candidate:1 2 UDP 2130705918 10.46.2.1 50021 typ host \n"
    "a=candidate:2 1 TCP-PASS 6556159 203.0.113.46 52422 typ relay raddr 10.46.2.1 rport 13460 \n"
    "a=candidate:2 2 TCP-PASS 6556158 203.0.113.46 52422 typ relay raddr 10.46.2.1 rport 13460 \n"
    "a=candidate:3 1 UDP 16648703 203.0.113.46 56000 typ relay raddr 10.46.2.1 rport 50020 \n"
    "a=candidate:3 2 UDP 16648702 203.0.113.46 56001 typ relay raddr 10.46.2.1 rport 50021 \n"
    "a=rtpmap:114 x-msrta/16000\na=label:main-audio\n";

static const char answer[] =
    "v=0\no=- 0 0 IN IP4 198.51.100.46\ns=session\nc=IN IP4 198.51.100.46\nb=CT:99980\nt=0 0\n"
    "m=audio 57000 RTP/SAVP 114 0 8 101\na=ice-ufrag:Wp9d\na=ice-pwd:7oP6mN5kL4iJ3gH2eF1cD0aB\n"
    "a=candidate:1 1 UDP 2130706431 192.168.46.50 50030 typ host \n"
    "a=candidate:1 2 UDP 2130705918 192.168.46.50 50031 typ host \n"
    "a=candidate:2 1 TCP-PASS 6556159 198.51.100.46 50704 typ relay raddr 192.168.46.50 rport "
    "49877 \n"
    "a=candidate:2 2 TCP-PASS 6556158 198.51.100.46 50704 typ relay raddr 192.168.46.50 rport "
    "49877 \n"
    "a=candidate:3 1 UDP 16648703 198.51.100.46 57000 typ relay raddr 192.168.46.50 rport 50030 \n"
    "a=candidate:3 2 UDP 16648702 198.51.100.46 57001 typ relay raddr 192.168.46.50 rport 50031 \n"
    "a=rtpmap:114 x-msrta/16000\na=label:main-audio\n";

static void client_to_edge(struct scene *s, int64_t at, const struct buf *b)
{
    trace_udp(s->trace, at, &s->client, CLIENT_UDP, &s->edge_inside, TURN_UDP, b->p, b->n);
}

static void edge_to_client(struct scene *s, int64_t at, const struct buf *b)
{
    trace_udp(s->trace, at, &s->edge_inside, TURN_UDP, &s->client, CLIENT_UDP, b->p, b->n);
}

static int64_t allocate_udp(struct scene *s, struct turn *turn, int64_t at)
{
    BUF(first, MESSAGE);
    ms_allocate(&first, turn, false);
    client_to_edge(s, at, &first);
    BUF(no, MESSAGE);
    ms_challenge(&no, turn);
    edge_to_client(s, at + MS(0.4), &no);
    at += MS(20);
    BUF(second, MESSAGE);
    ms_allocate(&second, turn, true);
    client_to_edge(s, at, &second);
    BUF(yes, MESSAGE);
    ms_allocated(&yes, turn, (struct endpoint4){s->relay.ip, RELAY_UDP},
                 (struct endpoint4){s->client.ip, CLIENT_UDP});
    edge_to_client(s, at + MS(0.4), &yes);
    return at + MS(20);
}

/* Check through the UDP relays, its answer back, then RTP each way. */
static int64_t udp_path(struct scene *s, struct turn *turn, int64_t at)
{
    struct endpoint4 far = {s->far.ip, FAR_UDP};
    uint8_t id[16];
    BUF(check, MESSAGE);
    ms_check(&check, &s->random, &(struct check){"Wp9d", "k3Tz", 16648703, true});
    memcpy(id, check.p + 4, sizeof id);
    BUF(send, MESSAGE);
    ms_send(&send, turn, far, &check);
    client_to_edge(s, at, &send);
    trace_udp(s->trace, at + MS(0.2), &s->edge_outside, RELAY_UDP, &s->far, FAR_UDP, check.p,
              check.n);
    at += MS(38);
    BUF(done, MESSAGE);
    ms_check_answer(&done, id, (struct endpoint4){s->relay.ip, RELAY_UDP});
    trace_udp(s->trace, at, &s->far, FAR_UDP, &s->edge_outside, RELAY_UDP, done.p, done.n);
    BUF(indication, MESSAGE);
    ms_data(&indication, turn, far, &done);
    edge_to_client(s, at + MS(0.2), &indication);
    for (unsigned i = 0; i < 40; i++, at += MS(20)) {
        BUF(rtp, MESSAGE);
        buf_u16(&rtp, 0x8072);
        buf_u16(&rtp, i);
        buf_u32(&rtp, 320 * i);
        buf_u32(&rtp, 0x1a2b3c4d + (i & 1));
        buf_rnd(&rtp, &s->random, 80);
        struct host *from = i & 1 ? &s->far : &s->edge_outside,
                    *to = i & 1 ? &s->edge_outside : &s->far;
        trace_udp(s->trace, at + MS(60), from, i & 1 ? FAR_UDP : RELAY_UDP, to,
                  i & 1 ? RELAY_UDP : FAR_UDP, rtp.p, rtp.n);
    }
    return at + SEC(20);
}

int failed_beside_working(const struct sample *sample, const char *dir)
{
    struct scene s;
    struct turn udp;
    scene_open(&s, sample->number);
    s.offer_sdp = offer;
    s.answer_sdp = answer;
    turn_start(&s.turn, 46, STREAM_AUDIO);
    turn_start(&udp, 47, STREAM_AUDIO);
    int64_t at = allocate_udp(&s, &udp, s.start);
    at = scene_relay(&s, at) + MS(30);
    at = scene_invite(&s, at) + SEC(3);
    at = scene_answer(&s, at) + MS(15);
    scene_send(&s, at + SEC(1));
    struct talk k = scene_media(&s);
    talk_refused_attempt(&k, at + SEC(1.3));
    at = udp_path(&s, &udp, at);
    at = scene_bye(&s, at, NULL);
    scene_release(&s, at + MS(30));
    return scene_close(&s, dir, sample->files);
}
