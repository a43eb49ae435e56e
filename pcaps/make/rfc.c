/*
 * Another kind of site: SIP over UDP, a coturn relay, ICE by the RFCs. Story N: caller 10.N.2.1,
 * proxy 10.N.10.1, relay server 203.0.113.N:3478 with relay port 49600+N, far relay
 * 198.51.100.N:61000.
 */
#include "pcaps/make/samples.h"
#include "pcaps/make/sip.h"
#include "pcaps/make/trace.h"
#include "pcaps/make/turn.h"

enum { MESSAGE = 1024, TEXT = 4096, PORT_SIP = 5060, PORT_TURN = 3478, PORT_CALLER = 40100 };
enum { FAR_PORT = 61000, RELAY_PORT_BASE = 49600, PORT_UNREACHABLE = 3 };

enum outcome { ANSWERED, REFUSED, SILENT };

struct site {
    struct trace *trace;
    int number;
    uint64_t random;
    struct host caller, proxy, server, far;
    uint16_t relay_port;
    uint8_t id[16];
};

static void site_open(struct site *w, int number)
{
    char text[4][24];
    snprintf(text[0], sizeof text[0], "10.%d.2.1", number);
    snprintf(text[1], sizeof text[1], "10.%d.10.1", number);
    snprintf(text[2], sizeof text[2], "203.0.113.%d", number);
    snprintf(text[3], sizeof text[3], "198.51.100.%d", number);
    *w = (struct site){.trace = trace_new(), .number = number, .random = (uint64_t)number};
    w->caller = (struct host){endpoint4(text[0]).ip, 63, true, false, 0x3000};
    w->proxy = (struct host){endpoint4(text[1]).ip, 64, false, false, 0x4000};
    w->server = (struct host){endpoint4(text[2]).ip, 64, false, false, 0x5000};
    w->far = (struct host){endpoint4(text[3]).ip, 52, true, false, 0x6000};
    w->relay_port = (uint16_t)(RELAY_PORT_BASE + number);
}

static void write_sdp(char text[TEXT], const struct site *w, bool offer)
{
    int n = w->number;
    if (offer)
        snprintf(
            text, TEXT,
            "v=0\no=caller 3891 1 IN IP4 10.%d.2.1\ns=-\nc=IN IP4 203.0.113.%d\nt=0 0\n"
            "m=audio %u UDP/TLS/RTP/SAVPF 111\na=ice-ufrag:8hhY\na=ice-pwd:asd88fgpdd777uzjYhagZg\n"
            "a=candidate:1 1 UDP 2130706431 10.%d.2.1 40100 typ host\n"
            "a=candidate:2 1 UDP 16777215 203.0.113.%d %u typ relay raddr 10.%d.2.1 rport 40100\n"
            "a=rtpmap:111 opus/48000/2\n",
            n, n, w->relay_port, n, n, w->relay_port, n);
    else
        snprintf(text, TEXT,
                 "v=0\no=callee 7702 1 IN IP4 192.168.%d.50\ns=-\nc=IN IP4 198.51.100.%d\nt=0 0\n"
                 "m=audio 61000 UDP/TLS/RTP/SAVPF "
                 "111\na=ice-ufrag:9uB6\na=ice-pwd:YH75Fviy6338Vbrhrlp8Yh\n"
                 "a=candidate:1 1 UDP 2130706431 192.168.%d.50 40200 typ host\n"
                 "a=candidate:2 1 UDP 16777215 198.51.100.%d 61000 typ relay raddr 192.168.%d.50 "
                 "rport 40200\n"
                 "a=rtpmap:111 opus/48000/2\n",
                 n, n, n, n, n);
}

static int64_t say(struct site *w, bool from_caller, int64_t at, const char *start,
                   const char *cseq, bool to_tag, const char *sdp)
{
    char head[TEXT];
    int n = w->number;
    snprintf(head, sizeof head,
             "%s\nVia: SIP/2.0/UDP 10.%d.2.1:5060;branch=z9hG4bKst%d%s\n"
             "From: <sip:anna@example.org>;tag=a%d\nTo: <sip:ben@example.net>%s%s\n"
             "Call-ID: rfc-story-%d@10.%d.2.1\nCSeq: %s\n"
             "Contact: <sip:anna@10.%d.2.1:5060>\n",
             start, n, n, from_caller ? "" : ";received=10.0.0.1", n, to_tag ? ";tag=b" : "",
             to_tag ? "77" : "", n, n, cseq, n);
    BUF(b, 8192);
    sip_write(&b, head, sdp);
    struct host *from = from_caller ? &w->caller : &w->proxy,
                *to = from_caller ? &w->proxy : &w->caller;
    trace_udp(w->trace, at, from, PORT_SIP, to, PORT_SIP, b.p, b.n);
    return at;
}

static void to_server(struct site *w, int64_t at, const struct buf *b)
{
    trace_udp(w->trace, at, &w->caller, PORT_CALLER, &w->server, PORT_TURN, b->p, b->n);
}

static void from_server(struct site *w, int64_t at, const struct buf *b)
{
    trace_udp(w->trace, at, &w->server, PORT_TURN, &w->caller, PORT_CALLER, b->p, b->n);
}

static int64_t allocate(struct site *w, int64_t at)
{
    BUF(first, MESSAGE);
    rfc_transaction(w->id, &w->random);
    rfc_allocate(&first, w->id, NULL);
    to_server(w, at, &first);
    BUF(no, MESSAGE);
    rfc_error(&no, TURN_ALLOCATE_ERROR, w->id, 401, "Unauthorized");
    from_server(w, at + MS(0.6), &no);
    at += MS(3);
    BUF(second, MESSAGE);
    rfc_transaction(w->id, &w->random);
    rfc_allocate(&second, w->id, "anna");
    to_server(w, at, &second);
    BUF(yes, MESSAGE);
    rfc_allocated(&yes, w->id, (struct endpoint4){w->server.ip, w->relay_port},
                  (struct endpoint4){w->caller.ip, PORT_CALLER});
    from_server(w, at + MS(0.7), &yes);
    return at + MS(5);
}

static int64_t permit(struct site *w, int64_t at)
{
    BUF(ask, MESSAGE);
    rfc_transaction(w->id, &w->random);
    rfc_permit(&ask, w->id, (struct endpoint4){w->far.ip, FAR_PORT}, "anna");
    to_server(w, at, &ask);
    BUF(done, MESSAGE);
    rfc_success(&done, TURN_PERMIT_OK, w->id);
    from_server(w, at + MS(0.6), &done);
    return at + MS(5);
}

/* One sending of a check: to the server as Send indication, and out of the relay port. */
static void send_check(struct site *w, int64_t at, const struct buf *check)
{
    BUF(send, MESSAGE);
    rfc_transaction(w->id, &w->random);
    rfc_relay(&send, TURN_SEND, w->id, (struct endpoint4){w->far.ip, FAR_PORT}, check);
    to_server(w, at, &send);
    trace_udp(w->trace, at + MS(0.1), &w->server, w->relay_port, &w->far, FAR_PORT, check->p,
              check->n);
}

static int64_t answered(struct site *w, int64_t at, const struct buf *check)
{
    BUF(done, MESSAGE);
    ice_check_answer(&done, check->p + 4, (struct endpoint4){w->server.ip, w->relay_port});
    trace_udp(w->trace, at, &w->far, FAR_PORT, &w->server, w->relay_port, done.p, done.n);
    BUF(data, MESSAGE);
    rfc_transaction(w->id, &w->random);
    rfc_relay(&data, TURN_DATA, w->id, (struct endpoint4){w->far.ip, FAR_PORT}, &done);
    from_server(w, at + MS(0.1), &data);
    for (unsigned i = 0; i < 20; i++, at += MS(20)) {
        BUF(rtp, MESSAGE);
        buf_u16(&rtp, 0x806f);
        buf_u16(&rtp, i);
        buf_u32(&rtp, 960 * i);
        buf_u32(&rtp, 0x5d1f0000 + (i & 1));
        buf_rnd(&rtp, &w->random, 90);
        struct host *from = i & 1 ? &w->far : &w->server, *to = i & 1 ? &w->server : &w->far;
        trace_udp(w->trace, at + MS(30), from, i & 1 ? FAR_PORT : w->relay_port, to,
                  i & 1 ? w->relay_port : FAR_PORT, rtp.p, rtp.n);
    }
    return at + SEC(10);
}

/* The same check again and again, by the RFC's doubling timer. */
static int64_t checks(struct site *w, int64_t at, enum outcome outcome)
{
    static const int64_t gaps[] = {MS(500), SEC(1), SEC(2), SEC(4), SEC(8), SEC(16), SEC(8)};
    BUF(check, MESSAGE);
    ice_check(&check, &w->random, &(struct check){"9uB6", "8hhY", 16777215, true}, true);
    int tries = outcome == ANSWERED ? 1 : outcome == REFUSED ? 3 : 7;
    for (int i = 0; i < tries; i++) {
        send_check(w, at, &check);
        if (outcome == REFUSED)
            trace_unreachable(w->trace, at + MS(21), &w->far, &w->server, PORT_UNREACHABLE);
        if (outcome == ANSWERED)
            return answered(w, at + MS(21), &check);
        at += gaps[i];
    }
    return at + SEC(2);
}

static int play(const struct sample *sample, const char *dir, enum outcome outcome)
{
    struct site w;
    char sdp[TEXT];
    site_open(&w, sample->number);
    int64_t at = utc("2014-05-12 08:00:00") + SEC(60 * sample->number);
    at = allocate(&w, at) + MS(20);
    write_sdp(sdp, &w, true);
    at = say(&w, true, at, "INVITE sip:ben@example.net SIP/2.0", "1 INVITE", false, sdp) + MS(4);
    at = say(&w, false, at, "SIP/2.0 100 Trying", "1 INVITE", false, NULL) + MS(300);
    at = say(&w, false, at, "SIP/2.0 180 Ringing", "1 INVITE", true, NULL) + SEC(3);
    write_sdp(sdp, &w, false);
    at = say(&w, false, at, "SIP/2.0 200 OK", "1 INVITE", true, sdp) + MS(6);
    at = say(&w, true, at, "ACK sip:ben@example.net SIP/2.0", "1 ACK", true, NULL) + MS(10);
    at = checks(&w, permit(&w, at) + MS(20), outcome);
    at = say(&w, true, at, "BYE sip:ben@example.net SIP/2.0", "2 BYE", true, NULL) + MS(20);
    at = say(&w, false, at, "SIP/2.0 200 OK", "2 BYE", true, NULL) + MS(10);
    int bad = trace_save(w.trace, dir, sample->files);
    trace_free(w.trace);
    return bad;
}

static int udp_refused(const struct sample *sample, const char *dir)
{
    return play(sample, dir, REFUSED);
}

static int udp_timeout(const struct sample *sample, const char *dir)
{
    return play(sample, dir, SILENT);
}

static int udp_connected(const struct sample *sample, const char *dir)
{
    return play(sample, dir, ANSWERED);
}

const struct sample samples_rfc[] = {
    {.name = "udp-refused",
     .number = 30,
     .files = "udp-refused.pcap",
     .shows = "SIP over UDP and coturn (caller 10.30.2.1, proxy 10.30.10.1, relay server "
              "203.0.113.30, no "
              "NAT): the relay's three checks to 198.51.100.30:61000 are answered by ICMP port "
              "unreachable.",
     .expect =
         "relay-peer unreachable failure 203.0.113.30:49630 198.51.100.30:61000 A confirmed\n",
     .build = udp_refused},
    {.name = "udp-timeout",
     .number = 31,
     .files = "udp-timeout.pcap",
     .shows = "Such a site again (10.31.2.1, 203.0.113.31): seven sendings of one check by the RFC "
              "timer, no answer.",
     .expect = "relay-peer timeout failure 203.0.113.31:49631 198.51.100.31:61000 A confirmed\n",
     .build = udp_timeout},
    {.name = "udp-connected",
     .number = 32,
     .files = "udp-connected.pcap",
     .shows = "Such a site again (10.32.2.1, 203.0.113.32): the check is answered and RTP flows "
              "both ways.",
     .build = udp_connected},
    {0},
};
