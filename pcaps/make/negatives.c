/* What must not be called a failure. */
#include "pcaps/make/audio.h"
#include "pcaps/make/scene.h"

/* The far relay refuses until its own client has asked; the second attempt connects. */
static int64_t refused_then_connected(struct scene *s, struct talk *k, int64_t at)
{
    talk_syn(k, at);
    talk_refuse(k, at + k->away[1]);
    *k = scene_media(s);
    at = talk_open(k, at + SEC(1.6)) + MS(10);
    return scene_use(s, k, at) + SEC(1);
}

/* Both relays send a SYN on the same pair of ports; each answers the other's with SYN-ACK. */
static int64_t simultaneous(struct scene *s, struct talk *k, int64_t at)
{
    struct talk back = scene_media_reversed(s);
    back.seq[0] = k->seq[1];
    back.seq[1] = k->seq[0];
    talk_syn(k, at);
    talk_syn(&back, at + MS(20));
    talk_syn_ack(&back, at + MS(20.1));
    talk_syn_ack(k, at + MS(39));
    k->seq[0]++;
    k->seq[1]++;
    return scene_use(s, k, at + MS(60)) + SEC(1);
}

static int64_t third_syn_answered(struct scene *s, struct talk *k, int64_t at)
{
    talk_syn(k, at);
    talk_syn(k, at + SEC(3));
    k->last_try = true;
    at = talk_open(k, at + SEC(9)) + MS(10);
    return scene_use(s, k, at) + SEC(1);
}

static int64_t works(struct scene *s, struct talk *k, int64_t at)
{
    return scene_use(s, k, talk_open(k, at) + MS(10)) + SEC(1);
}

/* Other connections of the Edge outside, working, each a handshake, a request and an answer. */
static void outside_traffic(struct scene *s, int64_t at, int count)
{
    for (int i = 0; i < count; i++, at += MS(700)) {
        struct host web = {endpoint4("192.0.2.80").ip + (uint32_t)i, 52, true, true, 0};
        struct talk k = scene_media(s);
        k.host[1] = &web;
        k.port[0] = (uint16_t)(49300 + i);
        k.port[1] = 443;
        int64_t open = talk_open(&k, at);
        talk_say(&k, 0, open + MS(1), "\x17\x03\x03\0\x04ping", 9);
        talk_say(&k, 1, open + MS(50), "\x17\x03\x03\0\x04pong", 9);
    }
}

/* The external side as a span that copies only what the Edge sends. */
static int one_direction(const struct sample *sample, const char *dir)
{
    struct scene s;
    scene_open(&s, sample->number);
    struct trace *both = s.trace, *outside = trace_new();
    int64_t at = scene_until_syn(&s);
    s.trace = outside;
    outside_traffic(&s, s.start, 12);
    struct talk k = scene_media(&s);
    if (sample->attempt)
        at = sample->attempt(&s, &k, at);
    trace_keep_from(outside, s.edge_outside.ip);
    s.trace = both;
    at = scene_bye(&s, at, NULL);
    scene_release(&s, at + MS(50));
    trace_append(both, outside);
    trace_free(outside);
    return scene_close(&s, dir, sample->files);
}

static int64_t silent(struct scene *s, struct talk *k, int64_t at)
{
    (void)s;
    return talk_silent_attempt(k, at) + SEC(26);
}

/* Refused connections that belong to nobody's call, beside a call that works. */
static int unrelated(const struct sample *sample, const char *dir)
{
    struct scene s;
    scene_open(&s, sample->number);
    struct host pc = {s.client.ip + 40, 125, true, false, 0x0400};
    struct host printer = {s.front_end.ip + 90, 60, true, true, 0};
    for (int i = 0; i < 6; i++) {
        struct talk k = scene_media(&s);
        k.host[0] = &pc;
        k.host[1] = &printer;
        k.port[0] = (uint16_t)(51000 + i); /* ordinary ephemeral ports lie in the media range too */
        k.port[1] = i % 2 ? 9100 : 50010;
        k.away[1] = MS(0.9);
        talk_refused_attempt(&k, s.start + SEC(2 * i));
    }
    int64_t at = scene_until_syn(&s);
    struct talk k = scene_media(&s);
    at = scene_bye(&s, works(&s, &k, at), NULL);
    scene_release(&s, at);
    return scene_close(&s, dir, sample->files);
}

/* Scanners from everywhere at the Edge's outer address, some answered by RST. */
static int scanned(const struct sample *sample, const char *dir)
{
    enum { SYNS = 300 };
    struct scene s;
    scene_open(&s, sample->number);
    for (int i = 0; i < SYNS; i++) {
        uint64_t r = rnd_next(&s.random);
        struct host scanner = {0x14000000u + (uint32_t)(r & 0x3fffffff), 44, true, false,
                               (uint16_t)r};
        struct talk k = scene_media_reversed(&s);
        k.host[0] = &scanner;
        k.port[0] = (uint16_t)(1024 + (r >> 40) % 60000);
        k.port[1] = (uint16_t)(i % 3 ? 53000 + (r >> 20) % 7000 : 1 + (r >> 20) % 1024);
        talk_syn(&k, s.start + MS(60 * i));
        if (i % 4 == 0)
            talk_refuse(&k, s.start + MS(60 * i) + MS(0.2));
    }
    int64_t at = scene_until_syn(&s);
    struct talk k = scene_media(&s);
    at = scene_bye(&s, works(&s, &k, at), NULL);
    scene_release(&s, at);
    return scene_close(&s, dir, sample->files);
}

const struct sample samples_negatives[] = {
    {.number = 23,
     .name = "verdict-unseen",
     .files = "verdict-unseen.pcap",
     .shows = "The external span copies only what the Edge sends: three SYNs and no answer, but of "
              "a dozen "
              "other connections only the Edge's half is seen either.",
     .expect = "relay-peer unseen info $relay0 $far0 A *\n",
     .absent = "silent-drop",
     .build = one_direction,
     .attempt = silent},
    {.number = 40,
     .name = "negative-permission-race",
     .files = "negative-permission-race.pcap",
     .shows = "The first SYN is refused by RST; a second attempt (other ISN) 1.6 s later connects.",
     .build = build_working_call,
     .attempt = refused_then_connected},
    {.number = 41,
     .name = "negative-simultaneous-open",
     .files = "negative-simultaneous-open.pcap",
     .shows =
         "Both relays send a SYN on the same pair of ports and answer the other's with SYN-ACK.",
     .build = build_working_call,
     .attempt = simultaneous},
    {.number = 42,
     .name = "negative-one-way",
     .files = "negative-one-way.pcap",
     .shows = "A connection that works, seen only in the Edge's own packets: SYN, ACK, data, FIN.",
     .build = one_direction,
     .attempt = works},
    {.number = 43,
     .name = "negative-retransmit-success",
     .files = "negative-retransmit-success.pcap",
     .shows = "Two SYNs are lost on the way; the third, at 9 s, is answered and the call works.",
     .build = build_working_call,
     .attempt = third_syn_answered},
    {.number = 44,
     .name = "negative-unrelated-refusals",
     .files = "negative-unrelated-refusals.pcap",
     .shows = "A PC is refused six times by a printer, ports 9100 and 50010, from ephemeral ports "
              "inside "
              "50000-59999; beside it a call that works.",
     .build = unrelated},
    {.number = 45,
     .name = "negative-scan-noise",
     .files = "negative-scan-noise.pcap",
     .shows = "300 SYNs of scanners at the Edge's outer address, a quarter answered by RST, none "
              "at a port "
              "that is allocated; beside it a call that works.",
     .build = scanned},
    {.number = 46,
     .name = "negative-failed-beside-working",
     .files = "negative-failed-beside-working.pcap",
     .shows = "An audio call with a UDP and a TCP relay: the UDP pair (56000 to 57000) carries it, "
              "the TCP pair "
              "is refused.",
     .expect = "relay-peer refused info $relay0 $far0 A confirmed\n",
     .build = failed_beside_working},
    {0},
};
