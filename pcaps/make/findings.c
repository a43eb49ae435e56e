/* Patterns across calls, from which a finding follows. No readable signaling: grade B. */
#include "pcaps/make/samples.h"
#include "pcaps/make/scene.h"

enum { CALL_GAP_S = 45 };

/* Relay and Send request of call `index`, without signaling; returns when the relay may act. */
static int64_t begin_call(struct scene *s, int index)
{
    scene_next_call(s, index);
    int64_t at = scene_relay(s, s->start + SEC(CALL_GAP_S * index));
    return scene_send(s, at + SEC(4)) + MS(300);
}

static int refused_calls(const struct sample *sample, const char *dir, int calls, bool one_peer)
{
    struct scene s;
    scene_open(&s, sample->number);
    struct host peer = s.far;
    struct host inside = s.edge_inside, outside = s.edge_outside;
    for (int i = 0; i < calls; i++) {
        if (one_peer) { /* another Edge of the same site every time */
            s.edge_inside.ip = inside.ip + (uint32_t)i;
            s.edge_outside.ip = outside.ip + (uint32_t)i;
        }
        scene_next_call(&s, i);
        if (one_peer) {
            s.relay.ip += (uint32_t)(100 + i);
            s.far = peer;
            s.far_relay = (struct endpoint4){peer.ip, (uint16_t)(SCENE_FAR_PORT + 2 * i)};
        }
        int64_t at = scene_relay(&s, s.start + SEC(CALL_GAP_S * i));
        at = scene_send(&s, at + SEC(4)) + MS(300);
        struct talk k = scene_media(&s);
        at = talk_refused_attempt(&k, at);
        scene_release(&s, at + SEC(3));
    }
    return scene_close(&s, dir, sample->files);
}

/* Connections of the Edge to 443 of the same peers, which work. */
static void fine_on_443(struct scene *s, int peers)
{
    for (int i = 0; i < peers; i++) {
        struct host peer = {s->far.ip + (uint32_t)i, 113, true, false, 0x7100};
        struct talk k = scene_media(s);
        k.host[1] = &peer;
        k.port[0] = (uint16_t)(49400 + i);
        k.port[1] = 443;
        int64_t at = talk_open(&k, s->start + SEC(10 + 40 * i));
        at = talk_say(&k, 0, at + MS(1), "\x17\x03\x03\0\x04ping", 9);
        at = talk_say(&k, 1, at + MS(40), "\x17\x03\x03\0\x04pong", 9);
        talk_close(&k, 0, at + MS(900));
    }
}

static int own_range_blocked(const struct sample *sample, const char *dir)
{
    enum { PEERS = 5 };
    struct scene s;
    scene_open(&s, sample->number);
    fine_on_443(&s, PEERS);
    for (int i = 0; i < PEERS; i++) {
        int64_t at = begin_call(&s, i);
        struct talk k = scene_media(&s);
        k.away[1] = MS(1.4); /* whoever answers is near, for peers near and far */
        at = talk_refused_attempt(&k, at);
        scene_release(&s, at + SEC(3));
    }
    return scene_close(&s, dir, sample->files);
}

static int far_side_refuses(const struct sample *sample, const char *dir)
{
    return refused_calls(sample, dir, 4, true);
}

static int silent_drop(const struct sample *sample, const char *dir)
{
    struct scene s;
    scene_open(&s, sample->number);
    for (int i = 0; i < 2; i++) {
        int64_t at = begin_call(&s, i);
        struct talk k = scene_media(&s);
        at = talk_silent_attempt(&k, at);
        scene_release(&s, at + SEC(22));
    }
    return scene_close(&s, dir, sample->files);
}

static int admin_prohibited(const struct sample *sample, const char *dir)
{
    enum { ADMIN_PROHIBITED = 13 };
    struct scene s;
    scene_open(&s, sample->number);
    for (int i = 0; i < 2; i++) {
        int64_t at = begin_call(&s, i);
        struct talk k = scene_media(&s);
        talk_syn(&k, at);
        trace_unreachable(s.trace, at + MS(1.2), &s.router, k.host[0], ADMIN_PROHIBITED);
        scene_release(&s, at + SEC(4));
    }
    return scene_close(&s, dir, sample->files);
}

/* The n-th of many relay connections to as many peers; all stay open until `end`. */
static void held_connection(struct scene *s, int n, int64_t at, int64_t end)
{
    struct host peer = {endpoint4("198.51.101.1").ip + (uint32_t)n, 113, true, false, 0x7200};
    struct talk k = scene_media(s);
    k.host[1] = &peer;
    k.port[0] = (uint16_t)(54000 + n);
    static const uint8_t rtp[] = {0, 16, 0x80, 0x7f, 0, 1,   0,   0,   0,
                                  0, 1,  2,    3,    4, 'e', 'd', 'g', 'e'};
    at = talk_open(&k, at);
    talk_data(&k, 0, at + MS(5), rtp, sizeof rtp);
    talk_data(&k, 1, at + MS(45), rtp, sizeof rtp);
    talk_close(&k, 0, end);
}

/*
 * 400 connections are open; from then on new ones to peers that have nothing in common get no
 * answer, until half of the old ones are gone. (Real tables hold more, 25,000 for instance.)
 */
static int table_limit(const struct sample *sample, const char *dir)
{
    enum { LIMIT = 400, LATE = 6, RELIEVED = 2 };
    struct scene s;
    scene_open(&s, sample->number);
    int64_t relief = s.start + SEC(200);
    for (int i = 0; i < LIMIT; i++)
        held_connection(&s, i, s.start + MS(80 * i), relief + (i % 2 ? 0 : SEC(120)));
    int64_t start = s.start;
    for (int i = 0; i < LATE + RELIEVED; i++) {
        scene_next_call(&s, i);
        s.far.ip += 256 * 7 * (uint32_t)(i + 1); /* unrelated networks */
        s.far_relay.ip = s.far.ip;
        int64_t at = i < LATE ? start + SEC(40 + 20 * i) : relief + SEC(5 * i);
        at = scene_send(&s, scene_relay(&s, at) + SEC(2)) + MS(300);
        struct talk k = scene_media(&s);
        if (i < LATE)
            at = talk_silent_attempt(&k, at) + SEC(22);
        else
            at = scene_use(&s, &k, talk_open(&k, at) + MS(10));
        scene_release(&s, at);
    }
    return scene_close(&s, dir, sample->files);
}

/* The Edge has no public address configured: it hands out 10.N.0.40, which no partner can reach. */
static int private_relay(const struct sample *sample, const char *dir)
{
    struct scene s;
    scene_open(&s, sample->number);
    s.relay.ip = s.edge_outside.ip;
    int64_t at = scene_until_syn(&s);
    struct talk k = scene_media(&s);
    at = talk_silent_attempt(&k, at) + SEC(22);
    scene_give_up(&s, at);
    return scene_close(&s, dir, sample->files);
}

/* Two users of one Edge: its own public address, seen from itself, leads nowhere. */
static int hairpin(const struct sample *sample, const char *dir)
{
    struct scene s;
    scene_open(&s, sample->number);
    scene_next_call(&s, 1);
    struct endpoint4 second = s.relay;
    int64_t at = scene_relay(&s, s.start);
    struct talk control = s.control;
    struct host client = s.client;
    control.host[0] = &client;
    scene_next_call(&s, 0);
    s.far_relay = second;
    s.far = (struct host){second.ip, 128, true, false, 0};
    at = scene_relay(&s, at + SEC(1)) + MS(30);
    at = scene_invite(&s, at) + SEC(3);
    at = scene_answer(&s, at) + MS(15);
    at = scene_send(&s, at) + MS(300);
    struct talk k = scene_media(&s);
    at = talk_silent_attempt(&k, at) + SEC(22);
    at = scene_give_up(&s, at);
    talk_close(&control, 0, at + MS(100));
    return scene_close(&s, dir, sample->files);
}

/* The far side got no relay, so only its private address is left to try. */
static int no_relay_on_peer(const struct sample *sample, const char *dir)
{
    struct scene s;
    scene_open(&s, sample->number);
    s.far_has_relay = false;
    int64_t at = scene_relay(&s, s.start) + MS(30);
    at = scene_invite(&s, at) + SEC(3);
    at = scene_answer(&s, at) + MS(15);
    at = scene_send_to(&s, at, s.far_host) + MS(300);
    struct host unreachable = {s.far_host.ip, 128, true, false, 0};
    struct talk k = scene_media(&s);
    k.host[1] = &unreachable;
    k.port[1] = s.far_host.port;
    at = talk_silent_attempt(&k, at) + SEC(22);
    scene_give_up(&s, at);
    return scene_close(&s, dir, sample->files);
}

/* Each relay's SYN reaches the other before that one has heard of its own client. */
static int permission_race(const struct sample *sample, const char *dir)
{
    struct scene s;
    scene_open(&s, sample->number);
    int64_t at = scene_relay(&s, s.start) + MS(30);
    at = scene_invite(&s, at) + SEC(3);
    at = scene_answer_early(&s, at) + MS(100);
    struct talk theirs = scene_media_reversed(&s);
    theirs.away[1] = MS(0.2);
    talk_refused_attempt(&theirs, at); /* our client has not asked yet */
    at = scene_answer(&s, at + SEC(3)) + MS(15);
    at = scene_send(&s, at) + MS(300);
    struct talk ours = scene_media(&s);
    at = talk_refused_attempt(&ours, at) + SEC(2);
    scene_give_up(&s, at);
    return scene_close(&s, dir, sample->files);
}

/* The wire shows refusals; the client says that nothing was wrong. */
static int conflict(const struct sample *sample, const char *dir)
{
    struct scene s;
    scene_open(&s, sample->number);
    int64_t at = scene_until_syn(&s);
    struct talk k = scene_media(&s);
    at = talk_refused_attempt(&k, at) + SEC(2);
    at = scene_bye(&s, at,
                   "ms-client-diagnostics: 51004;reason=\"Action initiated by user\";"
                   "CallerMediaDebug=\"application-sharing:ICEWarn=0x0,PortRange=50040:50059,"
                   "LocalLocation=2,RemoteLocation=1,FederationType=1\"\n");
    scene_release(&s, at);
    return scene_close(&s, dir, sample->files);
}

/* The client says that it got no relay port over TCP; the wire shows it granted, and used. */
static int conflict_denied(const struct sample *sample, const char *dir)
{
    struct scene s;
    scene_open(&s, sample->number);
    int64_t at = scene_until_syn(&s);
    struct talk k = scene_media(&s);
    at = talk_refused_attempt(&k, at) + SEC(2);
    at = scene_bye(&s, at,
                   "ms-client-diagnostics: 23;reason=\"Call failed to establish due to a media "
                   "connectivity failure when one endpoint is internal and the other is remote\";"
                   "CallerMediaDebug=\"application-sharing:ICEWarn=0x4000208,PortRange=50040:50059,"
                   "LocalLocation=2,RemoteLocation=1,FederationType=1\"\n");
    scene_release(&s, at);
    return scene_close(&s, dir, sample->files);
}

#define ROW(verdict, n, grade) \
    "relay-peer " verdict " failure $relay" n " $far" n " " grade " confirmed\n"

const struct sample samples_findings[] = {
    {.number = 80,
     .name = "finding-own-outbound-range-blocked",
     .files = "finding-own-outbound-range-blocked.pcap",
     .shows =
         "Five calls through one Edge to five partners: every SYN to their 50704 is refused after "
         "1.4 ms, while connections to 443 of the same partners work with 38 ms.",
     .expect = ROW("refused", "0", "B") ROW("refused", "1", "B") ROW("refused", "2", "B")
         ROW("refused", "3", "B") ROW("refused", "4", "B"),
     .finding = "own-outbound-range-blocked",
     .absent = "far-side-refuses",
     .build = own_range_blocked},
    {.number = 90,
     .name = "finding-far-side-refuses",
     .files = "finding-far-side-refuses.pcap",
     .shows =
         "Four Edges of the site (10.90.0.40 to .43), one partner 198.51.100.90: each is refused.",
     .expect = "relay-peer refused failure 10.90.0.40:52730 198.51.100.90:50704 B confirmed\n"
               "relay-peer refused failure 10.90.0.41:52732 198.51.100.90:50706 B confirmed\n"
               "relay-peer refused failure 10.90.0.42:52734 198.51.100.90:50708 B confirmed\n"
               "relay-peer refused failure 10.90.0.43:52736 198.51.100.90:50710 B confirmed\n",
     .finding = "far-side-refuses",
     .absent = "own-outbound-range-blocked",
     .build = far_side_refuses},
    {.number = 100,
     .name = "finding-silent-drop",
     .files = "finding-silent-drop.pcap",
     .shows = "Two calls to two partners, no answer to any SYN.",
     .expect = ROW("timeout", "0", "B") ROW("timeout", "1", "B"),
     .finding = "silent-drop",
     .build = silent_drop},
    {.number = 105,
     .name = "finding-admin-prohibited",
     .files = "finding-admin-prohibited.pcap",
     .shows = "Two calls; the router 10.105.0.1 answers the SYNs with ICMP 3/13.",
     .expect = ROW("unreachable", "0", "B") ROW("unreachable", "1", "B"),
     .finding = "admin-prohibited",
     .build = admin_prohibited},
    {.number = 110,
     .name = "finding-connection-table-limit",
     .files = "finding-connection-table-limit.pcap",
     .shows = "The Edge holds 400 connections; then six calls to unrelated partners time out one "
              "after the "
              "other; when half of the connections are gone, two more calls work.",
     .expect = "relay-peer timeout failure 10.110.0.40:52870 198.51.107.110:50704 B confirmed\n"
               "relay-peer timeout failure 10.110.0.40:52872 198.51.114.111:50704 B confirmed\n"
               "relay-peer timeout failure 10.110.0.40:52874 198.51.121.112:50704 B confirmed\n"
               "relay-peer timeout failure 10.110.0.40:52876 198.51.128.113:50704 B confirmed\n"
               "relay-peer timeout failure 10.110.0.40:52878 198.51.135.114:50704 B confirmed\n"
               "relay-peer timeout failure 10.110.0.40:52880 198.51.142.115:50704 B confirmed\n",
     .finding = "connection-table-limit",
     .build = table_limit},
    {.number = 120,
     .name = "finding-private-relay-address",
     .files = "finding-private-relay-address.pcap",
     .shows = "The Edge hands out its private address 10.120.0.40 as the relay; the SYNs from "
              "there are not "
              "answered.",
     .expect = ROW("timeout", "0", "A"),
     .finding = "private-relay-address",
     .build = private_relay},
    {.number = 125,
     .name = "finding-hairpin-missing",
     .files = "finding-hairpin-missing.pcap",
     .shows = "Both users hold relays at one Edge; its SYNs to its own public address "
              "203.0.113.125 vanish.",
     .expect = "relay-peer timeout failure $relay0 $public1 A confirmed\n",
     .finding = "hairpin-missing",
     .build = hairpin},
    {.number = 130,
     .name = "finding-no-relay-on-peer",
     .files = "finding-no-relay-on-peer.pcap",
     .shows = "The answer has host candidates only (no RemoteMR in the diagnostics); the SYNs to "
              "the far "
              "client's private address vanish.",
     .expect = "relay-peer timeout failure $relay0 $farhost0 A confirmed\n",
     .finding = "no-relay-on-peer",
     .build = no_relay_on_peer},
    {.number = 135,
     .name = "finding-permission-race",
     .files = "finding-permission-race.pcap",
     .shows =
         "The far relay's SYNs arrive before our client has sent its Send request and are refused; "
         "ours follow three seconds later and are refused as well. One pair, two attempts.",
     .expect = "relay-peer refused failure * * A confirmed\n",
     .finding = "permission-race",
     .build = permission_race},
    {.number = 140,
     .name = "finding-conflict-with-endpoint",
     .files = "finding-conflict-with-endpoint.pcap",
     .shows = "Three refusals on the wire; the client's diagnostics say ICEWarn=0x0.",
     .expect = ROW("refused", "0", "A"),
     .finding = "conflict-with-endpoint",
     .build = conflict},
    {.number = 141,
     .name = "finding-conflict-allocation",
     .files = "finding-conflict-allocation.pcap",
     .shows = "Three refusals on the wire. The client reports them (ICEWarn 0x4000200), but also "
              "that it "
              "got no relay port over TCP (0x8), which the wire shows granted.",
     .expect = ROW("refused", "0", "A"),
     .finding = "conflict-with-endpoint",
     .build = conflict_denied},
    {0},
};
