/* The seven messages of a generated call, in the dialect of Lync. */
#include "pcaps/make/sip.h"

#include "tests/bench/gen_call.h"

enum { HEAD_MAX = 4096, SDP_MAX = 4096, CANDIDATES = 12 };

#define AGENT "User-Agent: UCCAPI/4.0.7577.4356 OC/4.0.7577.4356 (Microsoft Lync 2010)\n"

struct sdp_side {
    uint32_t host_ip, other_ip;
    uint16_t host_port;
    struct endpoint4 relay;
    const char *ufrag;
    uint16_t rport;
};

static struct sdp_side side_of(const struct call *c, bool ours)
{
    if (ours)
        return (struct sdp_side){c->client.ip, 0xac100000u | (c->client.ip & 0xffff),
                                 50040,        c->relay,
                                 c->ufrag[0],  c->client.port};
    uint32_t far_ip = 0xc0a80000u | (c->peer.ip & 0xff) << 8 | (c->serial & 0x7f);
    return (struct sdp_side){far_ip,      0x0a1a0000u | (far_ip & 0xffff),      50050, c->peer,
                             c->ufrag[1], (uint16_t)(20000 + c->serial % 30000)};
}

static int put_host(char *to, size_t room, int foundation, uint32_t ip, uint16_t port)
{
    char text[16];
    ip4_text(ip, text);
    return snprintf(to, room,
                    "a=candidate:%d 1 TCP-PASS 2120613887 %s %u typ host \n"
                    "a=candidate:%d 2 TCP-PASS 2120613374 %s %u typ host \n"
                    "a=candidate:%d 1 TCP-ACT 2121006591 %s %u typ host \n"
                    "a=candidate:%d 2 TCP-ACT 2121006078 %s %u typ host \n",
                    foundation, text, port, foundation, text, port, foundation + 1, text, port + 3,
                    foundation + 1, text, port + 3);
}

static void write_sdp(char *to, struct gen_site *s, const struct sdp_side *d, bool offer)
{
    char relay[16], host[16];
    ip4_text(d->relay.ip, relay);
    ip4_text(d->host_ip, host);
    size_t n =
        (size_t)snprintf(to, SDP_MAX,
                         "v=0\no=- 0 0 IN IP4 %s\ns=session\nc=IN IP4 %s\nb=CT:99980\nt=0 0\n"
                         "m=applicationsharing %u TCP/RTP/%s 127\n"
                         "a=ice-ufrag:%s\na=ice-pwd:%s0aB1cD2eF3gH4iJ5kL6m\n",
                         relay, relay, d->relay.port, offer ? "AVP" : "SAVP", d->ufrag, d->ufrag);
    n += (size_t)put_host(to + n, SDP_MAX - n, 1, d->host_ip, d->host_port);
    n += (size_t)put_host(to + n, SDP_MAX - n, 3, d->other_ip, d->host_port);
    static const struct {
        const char *kind;
        uint32_t priority;
    } relays[] = {{"TCP-PASS", 6556159}, {"TCP-ACT", 7076863}};
    for (int i = 0; i < 4; i++)
        n += (size_t)snprintf(
            to + n, SDP_MAX - n, "a=candidate:%d %d %s %u %s %u typ relay raddr %s rport %u \n",
            5 + i / 2, 1 + i % 2, relays[i / 2].kind,
            relays[i / 2].priority - (uint32_t)(i % 2) * 513, relay, d->relay.port, host, d->rport);
    snprintf(to + n, SDP_MAX - n,
             "a=rtpmap:127 x-data/90000\na=x-applicationsharing-session-id:1\n"
             "a=x-applicationsharing-role:%s\na=x-applicationsharing-media-type:rdp\n"
             "a=setup:%s\na=connection:new\na=mid:1\n",
             offer ? "sharer" : "viewer", offer ? "actpass" : "active");
    s->candidates += CANDIDATES;
}

/* Via to CSeq, the same in every message of a dialog but for the sequence. */
static size_t put_dialog(char *to, size_t n, const struct call *c, const char *cseq, bool to_tag)
{
    char client[16];
    int wrote =
        snprintf(to + n, HEAD_MAX - n,
                 "Via: SIP/2.0/TCP %s:5060;branch=z9hG4bK%08X.%.8s\n"
                 "Max-Forwards: 69\n"
                 "From: <sip:user%u@%s>;tag=%.10s;epid=%.10s\n"
                 "To: <sip:user%u@%s>%s%.10s\n"
                 "Call-ID: %s\n"
                 "CSeq: %s\n",
                 ip4_text(c->client.ip, client), c->serial, c->call_id, c->serial % 20011,
                 c->inbound ? "partner.example" : "contoso.com", c->call_id + 4, c->call_id + 14,
                 c->serial % 17011, c->inbound ? "contoso.com" : "partner.example",
                 to_tag ? ";tag=" : "", to_tag ? c->call_id + 20 : "", c->call_id, cseq);
    return n + (size_t)wrote;
}

static void sip_simple(struct buf *b, const struct call *c, const char *start, const char *cseq,
                       bool to_tag, const char *more)
{
    char head[HEAD_MAX];
    size_t n =
        put_dialog(head, (size_t)snprintf(head, sizeof head, "%s\n", start), c, cseq, to_tag);
    snprintf(head + n, sizeof head - n, "%s", more);
    sip_write(b, head, NULL);
}

static void sip_with_sdp(struct buf *b, struct gen_site *s, const struct call *c, const char *start,
                         bool offer, const char *more)
{
    char head[HEAD_MAX], sdp[SDP_MAX];
    size_t n =
        put_dialog(head, (size_t)snprintf(head, sizeof head, "%s\n", start), c, "1 INVITE", !offer);
    snprintf(head + n, sizeof head - n, "%s", more);
    struct sdp_side d = side_of(c, offer != c->inbound);
    write_sdp(sdp, s, &d, offer);
    sip_write(b, head, sdp);
}

static void start_line(char *to, size_t room, const char *method, const struct call *c)
{
    snprintf(to, room, "%s sip:user%u@%s SIP/2.0", method, c->serial % 17011,
             c->inbound ? "contoso.com" : "partner.example");
}

void sip_invite(struct buf *b, struct gen_site *s, const struct call *c)
{
    char start[128];
    start_line(start, sizeof start, "INVITE", c);
    sip_with_sdp(
        b, s, c, start, true,
        "Contact: <sip:user@contoso.com;opaque=user:epid:lxH-F4F2KFaOdejdehenrlAAA;gruu>\n" AGENT
        "Supported: ms-dialog-route-set-update\nSupported: timer\nSupported: histinfo\n"
        "Supported: ms-safe-transfer\nSupported: ms-sender\nSupported: ms-early-media\n"
        "ms-keep-alive: UAC;hop-hop=yes\n"
        "Allow: INVITE, BYE, ACK, CANCEL, INFO, UPDATE, REFER, NOTIFY, BENOTIFY, OPTIONS\n"
        "ms-endpoint-location-data: NetworkScope;ms-media-location-type=Intranet\n");
}

void sip_trying(struct buf *b, const struct call *c)
{
    sip_simple(b, c, "SIP/2.0 100 Trying", "1 INVITE", false, "");
}

void sip_ringing(struct buf *b, struct gen_site *s, const struct call *c)
{
    if (c->early_answer)
        sip_with_sdp(b, s, c, "SIP/2.0 183 Session Progress", false, AGENT);
    else
        sip_simple(b, c, "SIP/2.0 180 Ringing", "1 INVITE", true, AGENT);
}

void sip_ok(struct buf *b, struct gen_site *s, const struct call *c)
{
    sip_with_sdp(
        b, s, c, "SIP/2.0 200 OK", false,
        "Contact: <sip:user@partner.example;opaque=user:epid:wyPrDAU4lVq4GhmnrWqEFgAA;gruu>\n" AGENT
        "Session-Expires: 720;refresher=uac\n"
        "ms-endpoint-location-data: NetworkScope;ms-media-location-type=Internet\n");
}

void sip_ack(struct buf *b, const struct call *c)
{
    char start[128];
    start_line(start, sizeof start, "ACK", c);
    sip_simple(b, c, start, "1 ACK", true, AGENT);
}

void sip_bye(struct buf *b, const struct call *c, bool failed)
{
    char start[128];
    start_line(start, sizeof start, "BYE", c);
    sip_simple(b, c, start, "2 BYE", true,
               failed ? AGENT
                   "ms-client-diagnostics: 23;reason=\"Call failed to establish due to a media "
                   "connectivity failure when one endpoint is internal and the other is remote\";"
                   "CallerMediaDebug=\"application-sharing:ICEWarn=0x4000320,LocalLocation=2,"
                   "RemoteLocation=1,FederationType=1\"\n"
                      : AGENT);
}

void sip_bye_ok(struct buf *b, const struct call *c)
{
    sip_simple(b, c, "SIP/2.0 200 OK", "2 BYE", true, AGENT);
}
