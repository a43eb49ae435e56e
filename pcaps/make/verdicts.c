/* One call per verdict of the connection between the relays. */
#include "pcaps/make/samples.h"
#include "pcaps/make/scene.h"

int build_failing_call(const struct sample *sample, const char *dir)
{
    struct scene s;
    scene_open(&s, sample->number);
    int64_t at = scene_until_syn(&s);
    struct talk k = scene_media(&s);
    at = sample->attempt(&s, &k, at);
    scene_give_up(&s, at);
    return scene_close(&s, dir, sample->files);
}

int build_working_call(const struct sample *sample, const char *dir)
{
    struct scene s;
    scene_open(&s, sample->number);
    int64_t at = scene_until_syn(&s);
    struct talk k = scene_media(&s);
    at = sample->attempt(&s, &k, at);
    at = scene_bye(&s, at, NULL);
    scene_release(&s, at + MS(50));
    return scene_close(&s, dir, sample->files);
}

static int64_t refused(struct scene *s, struct talk *k, int64_t at)
{
    (void)s;
    return talk_refused_attempt(k, at) + SEC(2);
}

static int64_t timed_out(struct scene *s, struct talk *k, int64_t at)
{
    (void)s;
    return talk_silent_attempt(k, at) + SEC(26);
}

static int64_t single_syn(struct scene *s, struct talk *k, int64_t at)
{
    (void)s;
    talk_syn(k, at);
    return at + SEC(40);
}

static int64_t prohibited(struct scene *s, struct talk *k, int64_t at)
{
    enum { ADMIN_PROHIBITED = 13 };
    for (int i = 0; i < 2; i++, at += SEC(3)) {
        talk_syn(k, at);
        trace_unreachable(s->trace, at + MS(1.1), &s->router, k->host[0], ADMIN_PROHIBITED);
    }
    return at;
}

/* The SYN-ACKs pass the span, the last ACK never does. */
static int64_t half_open(struct scene *s, struct talk *k, int64_t at)
{
    static const int64_t gaps[] = {SEC(3), SEC(6), SEC(20)};
    (void)s;
    for (int i = 0; i < 3; i++) {
        k->last_try = i == 2;
        talk_syn(k, at);
        k->last_try = false;
        talk_syn_ack(k, at + k->away[1]);
        at += gaps[i];
    }
    return at;
}

/* The relay has forgotten its own SYN: it resets what the far side answers. */
static int64_t socket_gone(struct scene *s, struct talk *k, int64_t at)
{
    (void)s;
    talk_syn(k, at);
    at += k->away[1];
    talk_syn_ack(k, at);
    k->seq[0]++;
    k->seq[1]++;
    talk_reset(k, 0, at + MS(0.2));
    return at + SEC(6);
}

static int64_t reset_after_open(struct scene *s, struct talk *k, int64_t at)
{
    (void)s;
    at = talk_open(k, at);
    talk_reset(k, 1, at + MS(2.1));
    return at + SEC(4);
}

static int64_t no_answer_to_checks(struct scene *s, struct talk *k, int64_t at)
{
    at = talk_open(k, at) + MS(10);
    for (int i = 0; i < 4; i++)
        at = scene_check_on(s, k, at) + SEC(1 + i);
    return at + SEC(30);
}

static int64_t connected(struct scene *s, struct talk *k, int64_t at)
{
    at = talk_open(k, at) + MS(10);
    return scene_use(s, k, at) + SEC(1);
}

#define FAILED(verdict) "relay-peer " verdict " failure $relay0 $far0 A confirmed\n"

const struct sample samples_verdicts[] = {
    {.number = 10,
     .name = "verdict-refused",
     .files = "verdict-refused.pcap",
     .shows = "Three SYNs of one attempt from the relay to the far relay, each answered by RST.",
     .expect = FAILED("refused"),
     .build = build_failing_call,
     .attempt = refused},
    {.number = 11,
     .name = "verdict-timeout",
     .files = "verdict-timeout.pcap",
     .shows = "SYNs at 0, 3 and 9 s, no answer of any kind.",
     .expect = FAILED("timeout"),
     .finding = "silent-drop",
     .build = build_failing_call,
     .attempt = timed_out},
    {.number = 12,
     .name = "verdict-single-syn",
     .files = "verdict-single-syn.pcap",
     .shows = "One SYN, never repeated, never answered, though the capture goes on for 40 s.",
     .expect = FAILED("single-syn"),
     .build = build_failing_call,
     .attempt = single_syn},
    {.number = 13,
     .name = "verdict-unreachable",
     .files = "verdict-unreachable.pcap",
     .shows = "The router 10.13.0.1 answers the SYNs with ICMP 3/13 (administratively prohibited).",
     .expect = FAILED("unreachable"),
     .finding = "admin-prohibited",
     .build = build_failing_call,
     .attempt = prohibited},
    {.number = 14,
     .name = "verdict-half-open",
     .files = "verdict-half-open.pcap",
     .shows = "Each SYN gets a SYN-ACK, but no ACK follows and the SYN is sent again.",
     .expect = FAILED("half-open"),
     .build = build_failing_call,
     .attempt = half_open},
    {.number = 15,
     .name = "verdict-retry-conflict",
     .files = "verdict-retry-conflict.pcap",
     .shows = "The far relay answers with SYN-ACK, and our own side resets it.",
     .expect = FAILED("retry-conflict"),
     .build = build_failing_call,
     .attempt = socket_gone},
    {.number = 16,
     .name = "verdict-reset-after-open",
     .files = "verdict-reset-after-open.pcap",
     .shows =
         "The handshake is complete; 2 ms later, before any byte, a RST comes from the far side.",
     .expect = FAILED("reset-after-open"),
     .build = build_failing_call,
     .attempt = reset_after_open},
    {.number = 17,
     .name = "verdict-open-no-check",
     .files = "verdict-open-no-check.pcap",
     .shows = "The connection opens and four checks go out on it; TCP acknowledges them, nobody "
              "answers.",
     .expect = FAILED("open-no-check"),
     .build = build_failing_call,
     .attempt = no_answer_to_checks},
    {.number = 18,
     .name = "verdict-connected",
     .files = "verdict-connected.pcap",
     .shows = "A call that works: relay, check and answer, media in both directions, orderly end.",
     .build = build_working_call,
     .attempt = connected},
    {0},
};
