/*
 * What the client and two servers logged of incident 1 (protocol dossier 4). The client's clock is
 * 42.6 s behind the Edge's, the front end's is right but tells local time, one hour ahead of UTC.
 */
#include "pcaps/make/incident1.h"

#include "pcaps/make/sip.h"

#include <stdbool.h>
#include <stdlib.h>

enum { LOG = 64 << 10, MESSAGE = 8192 };

#define CLIENT_DAY "12/10/2012"
#define ENDS "10.10.10.1:5061 (%s Local Address: 10.98.2.1:51647) %zu bytes"

static int save(const struct buf *b, const char *dir, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *out = fopen(path, "wb");
    if (!out)
        return -1;
    size_t n = fwrite(b->p, 1, b->n, out);
    return fclose(out) == 0 && n == b->n ? 0 : -1;
}

/* Each line of the text with another line end. */
static void put_text(struct buf *b, const char *text, size_t n, const char *line_end)
{
    while (n) {
        const char *end = memchr(text, '\n', n);
        size_t line = end ? (size_t)(end - text) : n;
        size_t shown = line && text[line - 1] == '\r' ? line - 1 : line;
        buf_put(b, text, shown);
        buf_str(b, line_end);
        text += line + (end != NULL);
        n -= line + (end != NULL);
    }
}

/* ---- client ---- */

static void client_record(struct buf *b, const struct incident1_said *m)
{
    static const char *const what[] = {"Sending Packet", "Data Received"}, *const side[] = {"From",
                                                                                            "To"};
    BUF(message, MESSAGE);
    sip_write(&message, m->head, m->sdp);
    buf_fmt(b, CLIENT_DAY "|%s 24F8:2648 INFO  :: ", m->by_client);
    buf_fmt(b, "%s - " ENDS ":\r\n", what[m->by_server], side[m->by_server], message.n);
    buf_fmt(b, CLIENT_DAY "|%s 24F8:2648 INFO  :: ", m->by_client);
    put_text(b, (const char *)message.p, message.n, "\r\n");
    buf_fmt(b, CLIENT_DAY "|%s 24F8:2648 INFO  :: ", m->by_client);
    buf_fmt(b, "End of %s - " ENDS "\r\n", what[m->by_server], side[m->by_server], message.n);
    buf_fmt(b, CLIENT_DAY "|%s 24F8:0B14 TRACE :: CSIPTransport::OnIo - bytes %zu\r\n",
            m->by_client, message.n);
}

static int client_log(const char *dir)
{
    BUF(b, LOG);
    buf_str(&b,
            CLIENT_DAY "|10:43:06.511 24F8:2648 INFO  :: CMediaChannelImpl - relay 2.2.2.2\r\n");
    for (const struct incident1_said *m = incident1_dialog; m->head; m++)
        client_record(&b, m);
    return save(&b, dir, "incident1-client.uccapilog");
}

/* As the incident prints it: sizes of the whole messages, every line followed by an empty one,
 * "..." where lines were taken out, a no-break space for what was an empty line. */
static void excerpt_record(struct buf *b, const struct incident1_said *m, const char *begin)
{
    buf_fmt(b, "%s\n\n" CLIENT_DAY "|%s 24F8:2648 INFO :: ", begin, m->by_client);
    put_text(b, m->head, strlen(m->head), "\n\n");
    buf_str(b, "...\n\n\xc2\xa0\n\n");
    put_text(b, m->sdp, strlen(m->sdp), "\n\n");
    buf_str(b, "...\n\n\xc2\xa0\n\n");
}

static int excerpt(const char *dir)
{
    BUF(b, LOG);
    buf_str(&b, "=> Application sharing request sent by the internal client:\n\n\xc2\xa0\n\n");
    excerpt_record(&b, &incident1_dialog[0],
                   CLIENT_DAY "|10:43:06.703 24F8:2648 INFO :: Sending Packet - 10.10.10.1:5061 "
                              "(From Local Address: 10.98.2.1:51647) 2520 bytes:");
    buf_str(&b, "=> Final response:\n\n\xc2\xa0\n\n");
    excerpt_record(&b, &incident1_dialog[2],
                   CLIENT_DAY "|10:43:10.418 24F8:2648 INFO :: Data Received - 10.10.10.1:5061 "
                              "(To Local Address: 10.98.2.1:51647) 4311 bytes:");
    return save(&b, dir, "incident1-excerpt.uccapilog");
}

/* ---- servers ---- */

/* One leg of one message: start line, headers and body as fields. */
static void server_record(struct buf *b, const struct incident1_said *m, const char *head,
                          const char *direction, const char *peer)
{
    const char *first = strchr(m->head, '\n');
    buf_str(b, head);
    buf_fmt(b, "Trace-Correlation-Id: 1189412201\r\nInstance-Id: 0018A7C1\r\nDirection: %s\r\n",
            direction);
    buf_fmt(b, "Peer: %s\r\nMessage-Type: %s\r\nStart-Line: ", peer,
            strncmp(m->head, "SIP/", 4) ? "request" : "response");
    buf_put(b, m->head, (size_t)(first - m->head));
    buf_str(b, "\r\n");
    put_text(b, first + 1, strlen(first + 1), "\r\n");
    if (m->sdp)
        buf_str(b, "Content-Type: application/sdp\r\n");
    buf_str(b, "Message-Body: ");
    if (m->sdp)
        put_text(b, m->sdp, strlen(m->sdp), "\r\n");
    else
        buf_str(b, "-\r\n");
    buf_str(b, "$$end_record\r\n\r\n");
}

/* Edge time "2012-12-10 10:43:49.321000" in a server's words, so many hours later. */
static const char *server_time(const char *at, int hours, char out[32])
{
    int hour = atoi(at + 11) + hours;
    snprintf(out, 32, "12/10/2012-%02d%.10s", hour, at + 13);
    return out;
}

static void edge_message(struct buf *b, const struct incident1_said *m, unsigned number)
{
    char head[256], at[32];
    for (unsigned leg = 0; leg < 2; leg++) {
        bool out = leg == 1;
        snprintf(head, sizeof head,
                 "TL_INFO(TF_PROTOCOL) [edge\\edge01]0B10.0C44::%s.%08X "
                 "(SIPStack,SIPAdminLog::ProtocolRecord::Flush:ProtocolRecord.cpp(265)) "
                 "[1189412201] $$begin_record\r\n",
                 server_time(m->at, 0, at), 0xa1b2 + number * 2 + leg);
        const char *inner = "fepool01.contoso.com:5061", *outer = "sip.fabrikam.com:5061";
        bool from_inside = !m->by_server;
        const char *direction =
            out ? from_inside ? "outgoing;source=\"internal edge\";destination=\"external edge\""
                              : "outgoing;source=\"external edge\";destination=\"internal edge\""
            : from_inside ? "incoming;source=\"internal edge\";destination=\"external edge\""
                          : "incoming;source=\"external edge\";destination=\"internal edge\"";
        server_record(b, m, head, direction, out == from_inside ? outer : inner);
    }
}

/* What the stack says of the call beside its messages. */
static void edge_diagnostic(struct buf *b)
{
    buf_str(b, "TL_WARN(TF_DIAG) [edge\\edge01]0B10.0C44::12/10/2012-10:44:02.190.0000A1C9 "
               "(SIPStack,SIPAdminLog::WriteDiagnosticEvent:SIPAdminLog.cpp(833)) [1189412201] "
               "$$begin_record\r\n"
               "Severity: warning\r\n"
               "Text: Routed a locally generated response\r\n"
               "Result-Code: 0xC3E93C69 SIPPROXY_E_CONNECTION_UNKNOWN_SERVER\r\n"
               "SIP-Start-Line: BYE sip:user2@fabrikam.com SIP/2.0\r\n"
               "SIP-Call-ID: a622d7b9f6464be3a455e6d98ec700b3\r\n"
               "SIP-CSeq: 2 BYE\r\n"
               "Peer: sip.fabrikam.com:5061\r\n"
               "Data: destination=\"user2@fabrikam.com\"\r\n"
               "$$end_record\r\n\r\n");
}

static int edge_log(const char *dir)
{
    BUF(b, LOG);
    unsigned n = 0;
    buf_str(&b, "TL_INFO(TF_COMPONENT) [edge\\edge01]0B10.0C44::12/10/2012-10:43:49.320.0000A1B1 "
                "(SIPStack,CSIPCompressor::CSIPCompressor:SIPCompressor.cpp(51)) "
                "[1189412201] $$begin_record\r\nInstance-Id: 0018A7C1\r\n$$end_record\r\n\r\n");
    for (const struct incident1_said *m = incident1_dialog; m->head; m++)
        edge_message(&b, m, n++);
    edge_diagnostic(&b);
    return save(&b, dir, "incident1-edge.sipstack");
}

/* The older style: a processor's number, and $$begin_record right behind the parenthesis. */
static int front_end_log(const char *dir)
{
    BUF(b, LOG);
    char head[256], at[32];
    unsigned n = 0;
    for (const struct incident1_said *m = incident1_dialog; m->head; m++) {
        snprintf(head, sizeof head,
                 "TL_INFO(TF_PROTOCOL) [1]1208.14F0::%s.%08x "
                 "(SIPStack,SIPAdminLog::TraceProtocolRecord:SIPAdminLog.cpp(125))$$begin_record"
                 "\r\n",
                 server_time(m->at, 1, at), 0x77e + n++);
        server_record(&b, m, head, m->by_server ? "outgoing" : "incoming", "10.98.2.1:51647");
    }
    return save(&b, dir, "incident1-fe.sipstack");
}

int incident1_logs(const struct sample *s, const char *dir)
{
    (void)s;
    return excerpt(dir) || client_log(dir) || edge_log(dir) || front_end_log(dir) ? -1 : 0;
}
