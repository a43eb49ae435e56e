/*
 * Incident 1 frame by frame: the frames its two tables print, with the addresses, ports, sequence
 * numbers, options, lengths and (to the millisecond) times printed there. The tables are filtered
 * views, so nothing is added between their frames. What they do not print is invented: tokens,
 * nonces, MACs, and the TTL and IP id of the resets, which point in different directions on purpose
 * (TTL as from a Windows host, IP id as from a device), because the incident leaves their origin
 * open.
 */
#include "pcaps/make/incident1.h"

#include "pcaps/make/hep.h"
#include "pcaps/make/sip.h"
#include "pcaps/make/talk.h"
#include "pcaps/make/turn.h"

#define DAY "2012-12-10 "

enum { CLIENT_PORT = 13211, RELAY_PORT = 58138, PEER_PORT = 50704, ISN_EXTERNAL = 3074395695 };
enum { FRAME = 512 };

static const char offer[] =
    "v=0\n"
    "o=- 0 0 IN IP4 2.2.2.2\n"
    "s=session\n"
    "c=IN IP4 2.2.2.2\n"
    "b=CT:99980\n"
    "t=0 0\n"
    "m=applicationsharing 58138 TCP/RTP/AVP 127\n"
    "a=ice-ufrag:PFb1\n"
    "a=candidate:1 1 TCP-PASS 2120613887 10.98.2.1 21916 typ host\n"
    "a=candidate:1 2 TCP-PASS 2120613374 10.98.2.1 21916 typ host\n"
    "a=candidate:2 1 TCP-ACT 2121006591 10.98.2.1 18574 typ host\n"
    "a=candidate:2 2 TCP-ACT 2121006078 10.98.2.1 18574 typ host\n"
    "a=candidate:3 1 TCP-PASS 6556159 2.2.2.2 58138 typ relay raddr 10.98.2.1 rport 13211\n"
    "a=candidate:3 2 TCP-PASS 6556158 2.2.2.2 58138 typ relay raddr 10.98.2.1 rport 13211\n";

static const char answer[] = "v=0\n"
                             "o=- 0 0 IN IP4 1.1.1.1\n"
                             "s=session\n"
                             "c=IN IP4 1.1.1.1\n"
                             "b=CT:99980\n"
                             "t=0 0\n"
                             "m=applicationsharing 50704 TCP/RTP/SAVP 127\n"
                             "a=ice-ufrag:G/Yw\n"
                             "a=ice-pwd:EwhnzgwKgaoRuI2T2gKRRqYz\n"
                             "a=candidate:1 1 TCP-PASS 2120613887 10.26.10.50 50058 typ host\n"
                             "a=candidate:1 2 TCP-PASS 2120613374 10.26.10.50 50058 typ host\n";

static const char invite_head[] =
    "INVITE sip:user2@fabrikam.com SIP/2.0\n"
    "Via: SIP/2.0/TLS 10.98.2.1:51647\n"
    "Max-Forwards: 70\n"
    "From: <sip:user1@contoso.com>;tag=2cd64ff7dc;epid=6750f01948\n"
    "To: <sip:user2@fabrikam.com>\n"
    "Call-ID: a622d7b9f6464be3a455e6d98ec700b3\n"
    "CSeq: 1 INVITE\n"
    "Contact: <sip:user1@contoso.com;opaque=user:epid:lxH-F4F2KFaOdejdehenrlAAA;gruu>\n"
    "User-Agent: UCCAPI/4.0.7577.4356 OC/4.0.7577.4356 (Microsoft Lync 2010)\n"
    "Supported: ms-dialog-route-set-update\n"
    "Supported: timer\n"
    "Supported: histinfo\n"
    "Supported: ms-safe-transfer\n"
    "Supported: ms-sender\n"
    "Supported: ms-early-media\n"
    "Supported: ms-conf-invite\n"
    "Ms-Conversation-ID: Ac3Wuri73DV0XRhGRBSO/PHZU2QhhQ==\n"
    "ms-keep-alive: UAC;hop-hop=yes\n"
    "Allow: INVITE, BYE, ACK, CANCEL, INFO, UPDATE, REFER, NOTIFY, BENOTIFY, OPTIONS\n"
    "ms-subnet: 10.98.22.0\n"
    "ms-endpoint-location-data: NetworkScope;ms-media-location-type=Intranet\n";

static const char ok_head[] =
    "SIP/2.0 200 OK\n"
    "Authentication-Info: TLS-DSK qop=\"auth\", opaque=\"2957C393\", srand=\"ACCCF975\", "
    "snum=\"68\","
    " rspauth=\"8dad7b71a068c9ec073868375fcd97955d8dd4bf\", targetname=\"fepool01.contoso.com\","
    " realm=\"SIP Communications Service\", version=4\n"
    "Via: SIP/2.0/TLS 10.98.2.1:51647;ms-received-port=51647;ms-received-cid=657300\n"
    "From: \"user1 @ contoso.com\"<sip:user1@contoso.com>;tag=2cd64ff7dc;epid=6750f01948\n"
    "To: <sip:user2@fabrikam.com>;epid=c23c88d032;tag=fef0c3e438\n"
    "Call-ID: a622d7b9f6464be3a455e6d98ec700b3\n"
    "CSeq: 1 INVITE\n"
    "Contact: <sip:user2@fabrikam.com;opaque=user:epid:wyPrDAU4lVq4GhmnrWqEFgAA;gruu>\n"
    "User-Agent: UCCAPI/4.0.7577.4356 OC/4.0.7577.4356 (Microsoft Lync 2010)\n"
    "Supported: histinfo\n"
    "Supported: ms-safe-transfer\n"
    "Supported: ms-dialog-route-set-update\n"
    "Supported: ms-conf-invite\n"
    "Allow: INVITE, BYE, ACK, CANCEL, INFO, UPDATE, REFER, NOTIFY, BENOTIFY, OPTIONS\n"
    "Session-Expires: 720;refresher=uac\n"
    "ms-client-diagnostics: 51007;reason=\"Callee media connectivity diagnosis info\";"
    "CalleeMediaDebug=\"application-sharing:ICEWarn=0x0,LocalSite=10.166.24.59:8541,"
    "LocalMR=1.1.1.1:50704,RemoteSite=10.98.2.1:21916,RemoteMR=2.2.2.2:58138,"
    "PortRange=50040:50059,LocalMRTCPPort=50704,RemoteMRTCPPort=58138,LocalLocation=1,"
    "RemoteLocation=2,FederationType=1\"\n"
    "ms-endpoint-location-data: NetworkScope;ms-media-location-type=Internet\n";

#define DIALOG(cseq)                                                 \
    "Via: SIP/2.0/TLS 10.98.2.1:51647\n"                             \
    "From: <sip:user1@contoso.com>;tag=2cd64ff7dc;epid=6750f01948\n" \
    "To: <sip:user2@fabrikam.com>;epid=c23c88d032;tag=fef0c3e438\n"  \
    "Call-ID: a622d7b9f6464be3a455e6d98ec700b3\n"                    \
    "CSeq: " cseq "\n"

#define HOPS "Max-Forwards: 70\n"

#define TARGET "sip:user2@fabrikam.com;opaque=user:epid:wyPrDAU4lVq4GhmnrWqEFgAA;gruu"

static const char trying_head[] =
    "SIP/2.0 100 Trying\n"
    "Via: SIP/2.0/TLS 10.98.2.1:51647;ms-received-port=51647;ms-received-cid=657300\n"
    "From: <sip:user1@contoso.com>;tag=2cd64ff7dc;epid=6750f01948\n"
    "To: <sip:user2@fabrikam.com>\n"
    "Call-ID: a622d7b9f6464be3a455e6d98ec700b3\n"
    "CSeq: 1 INVITE\n";

static const char ack_head[] = "ACK " TARGET " SIP/2.0\n" DIALOG("1 ACK") HOPS;

static const char bye_head[] = "BYE " TARGET " SIP/2.0\n" DIALOG("2 BYE") HOPS
    "User-Agent: UCCAPI/4.0.7577.4356 OC/4.0.7577.4356 (Microsoft Lync 2010)\n"
    "ms-client-diagnostics: 23;reason=\"Call failed to establish due to a media "
    "connectivity "
    "failure when one endpoint is internal and the other is remote\";"
    "CallerMediaDebug=\"application-sharing:ICEWarn=0x4000320,LocalSite=10.98.2.1:21916,"
    "LocalMR=2.2.2.2:58138,RemoteSite=10.26.10.50:50058,RemoteMR=1.1.1.1:50704,"
    "PortRange=50040:50059,LocalMRTCPPort=58138,RemoteMRTCPPort=50704,LocalLocation=2,"
    "RemoteLocation=1,FederationType=1\"\n";

static const char bye_ok_head[] = "SIP/2.0 200 OK\n" DIALOG("2 BYE");

const struct incident1_said incident1_dialog[] = {
    {0, DAY "10:43:49.321000", "10:43:06.703", invite_head, offer},
    {1, DAY "10:43:49.345200", "10:43:06.727", trying_head, NULL},
    {1, DAY "10:43:53.038000", "10:43:10.418", ok_head, answer},
    {0, DAY "10:43:53.052100", "10:43:10.434", ack_head, NULL},
    {0, DAY "10:44:02.164000", "10:43:19.546", bye_head, NULL},
    {1, DAY "10:44:02.251700", "10:43:19.633", bye_ok_head, NULL},
    {0},
};

static struct host client(void)
{
    return (struct host){endpoint4("10.98.2.1").ip, 125, true, false, 0x2a10};
}

static struct host edge(const char *ip)
{
    return (struct host){endpoint4(ip).ip, 128, false, false, 0x5c31};
}

/* One control message of `side`, framed; the frames of the table carry nothing else. */
static void control(struct talk *k, int side, const char *at, const struct buf *message)
{
    BUF(framed, FRAME);
    ms_frame(&framed, 2, message);
    talk_data(k, side, utc(at), framed.p, framed.n);
}

/* Frames 344-348: connect and the hellos that look like TLS. */
static void open_control(struct talk *k, struct turn *turn)
{
    talk_syn(k, utc(DAY "10:43:49.130700"));
    talk_syn_ack(k, utc(DAY "10:43:49.130900"));
    k->seq[0]++;
    k->seq[1]++;
    talk_ack(k, 0, utc(DAY "10:43:49.131400"));
    BUF(hello, FRAME);
    pseudo_tls_hello(&hello, &turn->random);
    talk_data(k, 0, utc(DAY "10:43:49.181300"), hello.p, hello.n);
    BUF(done, FRAME);
    pseudo_tls_answer(&done, &turn->random);
    talk_data(k, 1, utc(DAY "10:43:49.181600"), done.p, done.n);
}

/* Frames 349-355: Allocate, 401, Allocate, success. */
static void allocate(struct talk *k, struct turn *turn)
{
    BUF(first, FRAME);
    ms_allocate(&first, turn, false);
    control(k, 0, DAY "10:43:49.234600", &first);
    BUF(challenge, FRAME);
    ms_challenge(&challenge, turn);
    control(k, 1, DAY "10:43:49.234900", &challenge);
    BUF(second, FRAME);
    ms_allocate(&second, turn, true);
    control(k, 0, DAY "10:43:49.286400", &second);
    BUF(success, FRAME);
    ms_allocated(&success, turn, endpoint4("2.2.2.2:58138"), endpoint4("10.98.2.1:13211"));
    control(k, 1, DAY "10:43:49.286700", &success);
}

/* Frame 420: the check toward the far relay. */
static void send_check(struct talk *k, struct turn *turn)
{
    static const struct check to_far = {"G/Yw", "PFb1", 6556159, true};
    BUF(check, FRAME);
    ms_check(&check, &turn->random, &to_far);
    BUF(data, FRAME);
    rfc4571(&data, &check);
    BUF(send, FRAME);
    ms_send(&send, turn, endpoint4("1.1.1.1:50704"), &data);
    control(k, 0, DAY "10:43:53.067400", &send);
}

static void internal_leg(struct trace *t)
{
    struct host from = client(), to = edge("10.3.0.34");
    struct turn turn;
    turn_start(&turn, 344, STREAM_DATA);
    struct talk k = {.trace = t,
                     .host = {&from, &to},
                     .port = {CLIENT_PORT, 443},
                     .seq = {2226089608, 3794450141}};
    open_control(&k, &turn);
    allocate(&k, &turn);
    k.window[0] = 255; /* 65280 as printed */
    talk_ack(&k, 0, utc(DAY "10:43:49.480700"));
    send_check(&k, &turn);
}

static void external_leg(struct trace *t)
{
    struct host from = edge("10.3.0.40");
    struct host to = {endpoint4("1.1.1.1").ip, 115, true, true, 0};
    struct talk k = {.trace = t,
                     .host = {&from, &to},
                     .port = {RELAY_PORT, PEER_PORT},
                     .seq = {ISN_EXTERNAL, 0}};
    talk_syn(&k, utc(DAY "10:43:59.456900"));
    talk_refuse(&k, utc(DAY "10:43:59.499400"));
    talk_syn(&k, utc(DAY "10:44:00.002800"));
    talk_refuse(&k, utc(DAY "10:44:00.044800"));
    k.last_try = true;
    talk_syn(&k, utc(DAY "10:44:00.548200"));
    talk_refuse(&k, utc(DAY "10:44:00.590600"));
}

static void say(struct talk *k, int side, const char *at, const char *head, const char *sdp)
{
    BUF(message, 8192);
    sip_write(&message, head, sdp);
    talk_say(k, side, utc(at), message.p, message.n);
}

/*
 * The signaling, had it been readable on the span. Its printed times are the client's clock, which
 * is 42.58 to 42.65 s behind the Edge's (dossier 8.4); here it stands at Edge time.
 */
static void signaling(struct trace *t)
{
    struct host from = client();
    struct host front_end = {endpoint4("10.10.10.1").ip, 127, true, false, 0x11b2};
    struct talk k = {.trace = t,
                     .host = {&from, &front_end},
                     .port = {51647, 5061},
                     .seq = {1187430021, 902817744},
                     .away = {MS(0.4), MS(0.6)}};
    talk_open(&k, utc(DAY "10:42:11.020300"));
    for (const struct incident1_said *m = incident1_dialog; m->head; m++)
        say(&k, m->by_server, m->at, m->head, m->sdp);
}

/* The same messages in HEP, from the front end's agent to a collector, each 2 ms after it was seen.
 */
static void copies(struct trace *t)
{
    struct endpoint4 ends[2] = {endpoint4("10.98.2.1:51647"), endpoint4("10.10.10.1:5061")};
    struct host agent = {ends[1].ip, 127, true, false, 0x3f10};
    struct host collector = {endpoint4("10.10.10.9").ip, 64, true, false, 0};
    for (const struct incident1_said *m = incident1_dialog; m->head; m++) {
        struct hep_of h = {ends[m->by_server], ends[!m->by_server], utc(m->at), 2001};
        BUF(text, 8192);
        BUF(packed, 9000);
        sip_write(&text, m->head, m->sdp);
        hep_write(&packed, &h, &text);
        trace_udp(t, h.at + MS(2), &agent, 38010, &collector, 9060, packed.p, packed.n);
    }
}

int incident1(const struct sample *s, const char *dir)
{
    (void)s;
    struct trace *inside = trace_new(), *outside = trace_new();
    internal_leg(inside);
    external_leg(outside);
    int bad = trace_save(inside, dir, "incident1-internal.pcap") ||
              trace_save(outside, dir, "incident1-external.pcap");
    trace_free(inside);
    trace_free(outside);
    return bad ? -1 : 0;
}

int incident1_sip(const struct sample *s, const char *dir)
{
    (void)s;
    struct trace *t = trace_new();
    internal_leg(t);
    signaling(t);
    int bad = trace_save(t, dir, "incident1-sip-internal.pcap");
    trace_free(t);
    return bad;
}

int incident1_hep(const struct sample *s, const char *dir)
{
    (void)s;
    struct trace *t = trace_new();
    copies(t);
    int bad = trace_save(t, dir, "incident1-hep.pcap");
    trace_free(t);
    return bad;
}
