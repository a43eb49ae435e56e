/* SDP and SIP heads. */
#include "pcaps/make/scene_sip.h"

#define AGENT "User-Agent: UCCAPI/4.0.7577.4356 OC/4.0.7577.4356 (Microsoft Lync 2010)\n"

static void append(char text[SIP_TEXT], const char *more)
{
    size_t n = strlen(text);
    assert(n + strlen(more) < SIP_TEXT);
    memcpy(text + n, more, strlen(more) + 1);
}

static void append_host(char text[SIP_TEXT], const char *ip, uint16_t port)
{
    char line[512];
    snprintf(line, sizeof line,
             "a=candidate:1 1 TCP-PASS 2120613887 %s %u typ host \n"
             "a=candidate:1 2 TCP-PASS 2120613374 %s %u typ host \n"
             "a=candidate:2 1 TCP-ACT 2121006591 %s %u typ host \n"
             "a=candidate:2 2 TCP-ACT 2121006078 %s %u typ host \n",
             ip, port, ip, port, ip, port + 3, ip, port + 3);
    append(text, line);
}

static void append_relay(char text[SIP_TEXT], struct endpoint4 relay, const char *base,
                         uint16_t rport)
{
    char ip[16], line[768];
    ip4_text(relay.ip, ip);
    snprintf(line, sizeof line,
             "a=candidate:3 1 TCP-PASS 6556159 %s %u typ relay raddr %s rport %u \n"
             "a=candidate:3 2 TCP-PASS 6556158 %s %u typ relay raddr %s rport %u \n"
             "a=candidate:4 1 TCP-ACT 7076863 %s %u typ relay raddr %s rport %u \n"
             "a=candidate:4 2 TCP-ACT 7076350 %s %u typ relay raddr %s rport %u \n",
             ip, relay.port, base, rport, ip, relay.port, base, rport, ip, relay.port, base, rport,
             ip, relay.port, base, rport);
    append(text, line);
}

void scene_sdp(char text[SIP_TEXT], const struct scene *s, bool offer)
{
    const char *given = offer ? s->offer_sdp : s->answer_sdp;
    if (given) {
        text[0] = '\0';
        append(text, given);
        return;
    }
    bool has_relay = offer ? s->relay.port != 0 : s->far_has_relay;
    struct endpoint4 host = offer ? (struct endpoint4){s->client.ip, 50040} : s->far_host;
    struct endpoint4 relay = offer ? s->relay : s->far_relay;
    struct endpoint4 shown = has_relay ? relay : host;
    char ip[16], base[16];
    ip4_text(shown.ip, ip);
    ip4_text(host.ip, base);
    snprintf(text, SIP_TEXT,
             "v=0\no=- 0 0 IN IP4 %s\ns=session\nc=IN IP4 %s\nb=CT:99980\nt=0 0\n"
             "m=%s %u TCP/RTP/%s 127\na=ice-ufrag:%s\na=ice-pwd:%s\n",
             ip, ip, s->medium, shown.port, offer ? "AVP" : "SAVP", offer ? "k3Tz" : "Wp9d",
             offer ? "0aB1cD2eF3gH4iJ5kL6mN7oP" : "7oP6mN5kL4iJ3gH2eF1cD0aB");
    append_host(text, base, host.port);
    if (has_relay)
        append_relay(text, relay, base, offer ? s->control_port : 49877);
    append(text, "a=rtpmap:127 x-data/90000\na=mid:1\n");
}

void scene_head(char text[SIP_TEXT], const struct scene *s, const char *start, const char *cseq,
                bool to_tag, const char *more)
{
    char client[16];
    snprintf(text, SIP_TEXT,
             "%s\n"
             "Via: SIP/2.0/TCP %s:%u\n"
             "From: <sip:alice%d@contoso.com>;tag=%x;epid=6750f01948\n"
             "To: <sip:bob%d@fabrikam.com>%s\n"
             "Call-ID: story%d-call%u\n"
             "CSeq: %s\n" AGENT,
             start, ip4_text(s->client.ip, client), s->sip_port, s->number,
             s->control_port ^ 0x5a5a5au, s->number,
             to_tag ? ";epid=c23c88d032;tag=fef0c3e438" : "", s->number, s->control_port, cseq);
    append(text, more);
}

void scene_diagnostics(char text[SIP_TEXT], const struct scene *s)
{
    char client[16], relay[16], far[16], far_host[16], remote[80] = "", tcp[32] = "";
    if (s->far_has_relay) {
        snprintf(remote, sizeof remote, "RemoteMR=%s:%u,", ip4_text(s->far_relay.ip, far),
                 s->far_relay.port);
        snprintf(tcp, sizeof tcp, "RemoteMRTCPPort=%u,", s->far_relay.port);
    }
    snprintf(
        text, SIP_TEXT,
        "ms-client-diagnostics: 23;reason=\"Call failed to establish due to a media connectivity "
        "failure when one endpoint is internal and the other is remote\";"
        "CallerMediaDebug=\"application-sharing:ICEWarn=0x%s,LocalSite=%s:50040,"
        "LocalMR=%s:%u,RemoteSite=%s:%u,%sPortRange=50040:50059,LocalMRTCPPort=%u,%s"
        "LocalLocation=2,RemoteLocation=1,FederationType=1\"\n",
        s->far_has_relay ? "4000320" : "320", ip4_text(s->client.ip, client),
        ip4_text(s->relay.ip, relay), s->relay.port, ip4_text(s->far_host.ip, far_host),
        s->far_host.port, remote, s->relay.port, tcp);
}
