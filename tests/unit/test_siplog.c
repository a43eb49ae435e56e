/* SIP logs: lines and records of both kinds as the dossier (§4) and the incident print them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "flows/wire/sip.h"
#include "flows/wire/siplog.h"
#include "tests/help/text.h"

/* 2012-12-10T10:43:06.703Z, from date -u */
#define AT INT64_C(1355136186703000)

#define START                                                                                 \
    "12/10/2012|10:43:06.703 24F8:2648 INFO :: Sending Packet - 10.10.10.1:5061 (From Local " \
    "Address: 10.98.2.1:51647) 2520 bytes:"
#define CLS                                                                           \
    "TL_INFO(TF_PROTOCOL) [edge\\edge01]0B10.0C44::05/06/2015-07:08:09.100.0000A1B2 " \
    "(SIPStack,SIPAdminLog::TraceProtocolRecord:SIPAdminLog.cpp(125)) [42] $$begin_record"
#define OCS                                                            \
    "TL_WARN(TF_DIAG) [0]0B10.0C44::05/06/2015-07:08:09.100.0000a1b2 " \
    "(SIPStack,SIPAdminLog::WriteDiagnosticEvent:SIPAdminLog.cpp(833))$$begin_record"

static struct siplog_line line_of(const char *text)
{
    struct siplog_line l;
    struct slice in = text_on_guard(text);
    siplog_line(in, &l);
    return l;
}

static void marks(void **state)
{
    static const struct {
        const char *line;
        enum siplog_mark mark;
    } rows[] = {
        {START, SIPLOG_SENT},
        {START "\r\n", SIPLOG_SENT},
        {"03/04/2014|09:15:01.220 1F68:C14 INFO  :: Data Received -192.0.2.1:5061 (To Local "
         "Address: 10.1.9.7:49811) 512 bytes:",
         SIPLOG_RECEIVED},
        {"03/04/2014|09:15:01.220 1A2C:0F30 INFO  :: Sending Packet  -  [2001:db8::1]:5061 (From",
         SIPLOG_SENT},
        {"03/04/2014|09:15:01.220 1A2C:0F30 INFO  :: End of Sending Packet - 10.1.1.5:5061 (From "
         "Local Address: 10.1.9.7:49811) 512 bytes",
         SIPLOG_ENDED},
        {"03/04/2014|09:15:01.220 1A2C:0F30 TRACE :: CSIPTransport::OnIo", SIPLOG_STAMPED},
        {"03/04/2014|09:15:01.220 1A2C:0F30 INFO  :: INVITE sip:b@p.example SIP/2.0",
         SIPLOG_STAMPED},
        {"03/04/2014|09:15:01.220 1A2C:0F30 NOTE :: x", SIPLOG_BARE},
        {"03/04/2014|09:15:01.22 1A2C:0F30 INFO :: x", SIPLOG_BARE},
        {"13/04/2014|09:15:01.220 1A2C:0F30 INFO :: x", SIPLOG_BARE},
        {"03/04/2014|24:15:01.220 1A2C:0F30 INFO :: x", SIPLOG_BARE},
        {"03/04/2014 09:15:01.220 1A2C:0F30 INFO :: x", SIPLOG_BARE},
        {CLS, SIPLOG_BEGIN},
        {OCS, SIPLOG_BEGIN},
        {"TL_INFO(TF_PROTOCOL) [0]0B10.0C44::05/06/2015-07:08:09.100.0000A1B2 (x) one line event",
         SIPLOG_BARE},
        {"$$end_record", SIPLOG_END},
        {"Via: SIP/2.0/TLS 10.98.2.1:51647", SIPLOG_BARE},
        {"", SIPLOG_BARE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (line_of(rows[i].line).mark != rows[i].mark)
            fail_msg("%s", rows[i].line);
}

static void a_start_line_says_when_who_and_how_much(void **state)
{
    struct siplog_line l = line_of(START);
    char text[ENDPOINT_TEXT];
    (void)state;
    assert_int_equal(l.time_us, AT);
    assert_int_equal(l.size, 2520);
    assert_string_equal(endpoint_text(&l.peer, text), "10.10.10.1:5061");
    assert_string_equal(endpoint_text(&l.local, text), "10.98.2.1:51647");
    assert_text(l.stamp, "12/10/2012|10:43:06.703 24F8:2648");
    l = line_of(CLS);
    assert_int_equal(l.time_us, INT64_C(1430896089100000)); /* date -u -d 2015-05-06T07:08:09 */
    assert_int_equal(l.flag, SIPLOG_PROTOCOL);
    assert_int_equal(line_of(OCS).flag, SIPLOG_DIAG);
    l = line_of("02/29/2016|00:00:00.001 1:2 INFO  :: x");
    assert_int_equal(l.time_us, INT64_C(1456704000001000));
}

/* ---- records ---- */

static char message[4096];

static struct siplog_text text_of(const char *record, bool server)
{
    struct siplog_text t = {0};
    struct slice in = text_on_guard(record);
    assert_int_equal(siplog_message(in, server, (uint8_t *)message, sizeof message - 1, &t, NULL),
                     WIRE_OK);
    message[t.n] = 0;
    text_free(in);
    return t;
}

static void a_record_becomes_the_message(void **state)
{
    static const char want[] =
        "INVITE sip:b@p.example SIP/2.0\r\nVia: SIP/2.0/TLS 10.1.9.7:49811\r\n"
        "Content-Type: application/sdp\r\n\r\nv=0\r\nc=IN IP4 192.0.2.1\r\n";
    static const char *const rows[] = {
        /* as the client writes it */
        "INVITE sip:b@p.example SIP/2.0\nVia: SIP/2.0/TLS 10.1.9.7:49811\nContent-Type: "
        "application/sdp\nContent-Length: 999\n\nv=0\nc=IN IP4 192.0.2.1\n",
        /* a web copy: doubled lines, the empty one a no-break space, prose behind it */
        "INVITE sip:b@p.example SIP/2.0\n\nVia: SIP/2.0/TLS 10.1.9.7:49811\n\nContent-Type: "
        "application/sdp\n\n...\n\n\xc2\xa0\n\nv=0\n\nc=IN IP4 192.0.2.1\n\n...\n\n=> Final "
        "response:\n\n",
        /* lost blank line, lost Content-Type */
        "INVITE sip:b@p.example SIP/2.0\nVia: SIP/2.0/TLS 10.1.9.7:49811\nv=0\nc=IN IP4 "
        "192.0.2.1\n",
        /* carriage returns, white space behind the lines of the body */
        "INVITE sip:b@p.example SIP/2.0\r\nVia: SIP/2.0/TLS 10.1.9.7:49811\r\nl: "
        "7\r\n\r\nv=0 \r\nc=IN IP4 192.0.2.1 \r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct siplog_text t = text_of(rows[i], false);
        assert_string_equal(message, want);
        assert_int_equal(t.elided, i == 1);
    }
    struct siplog_text t = text_of("Trace-Correlation-Id: 42\nDirection: outgoing\nPeer: "
                                   "x:5061\nStart-Line: INVITE sip:b@p.example SIP/2.0\nVia: "
                                   "SIP/2.0/TLS 10.1.9.7:49811\nMessage-Body: v=0\nc=IN IP4 "
                                   "192.0.2.1\n",
                                   true);
    assert_string_equal(message, want);
    assert_false(t.elided);
}

static void what_the_message_would_measure(void **state)
{
    (void)state;
    /* 16 + 2, 10 + 2, 2: CRLF counted */
    struct siplog_text t = text_of("SIP/2.0 200 OK..\nCall-ID: 1\n\n", false);
    assert_int_equal(t.original, 18 + 12 + 2);
    assert_string_equal(message, "SIP/2.0 200 OK..\r\nCall-ID: 1\r\n\r\n");
}

static void bodies_that_are_no_sdp_stay(void **state)
{
    (void)state;
    text_of("SIP/2.0 200 OK\nContent-Type: multipart/mixed;boundary=b\n\n--b\nContent-Type: "
            "application/sdp\n\nv=0\n--b--\n",
            false);
    assert_string_equal(message,
                        "SIP/2.0 200 OK\r\nContent-Type: multipart/mixed;boundary=b\r\n"
                        "\r\n--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--\r\n");
    text_of("Start-Line: SIP/2.0 180 Ringing\nCall-ID: 1\nMessage-Body: -\n", true);
    assert_string_equal(message, "SIP/2.0 180 Ringing\r\nCall-ID: 1\r\n\r\n");
}

static void records_without_a_message(void **state)
{
    static const char *const rows[] = {"", "\n\n", "hello\n", "Via: SIP/2.0/TLS x\n",
                                       "INVITE sip:b@p.example SIP/1.0\n"};
    struct siplog_text t;
    struct wire_fault fault = {0};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fault.reason = NULL;
        assert_int_equal(siplog_message(slice_str(rows[i]), i == 3, (uint8_t *)message,
                                        sizeof message, &t, &fault),
                         WIRE_BAD);
        assert_non_null(fault.reason);
    }
    assert_int_equal(siplog_message(slice_str("SIP/2.0 200 OK\nCall-ID: 1\n\n"), false,
                                    (uint8_t *)message, 20, &t, &fault),
                     WIRE_BAD);
}

/* ---- diagnostics ---- */

static const char diag[] = "Severity: warning\nText: Routing error occurred\n"
                           "Result-Code: 0xC3E93C69 SIPPROXY_E_CONNECTION_UNKNOWN_SERVER\n"
                           "SIP-Start-Line: INVITE sip:b@p.example SIP/2.0\nSIP-Call-ID: 1f2e3d\n"
                           "SIP-CSeq: 1 INVITE\nPeer: sip.p.example:5061\n";

static void a_servers_diagnostics(void **state)
{
    struct siplog_diag d;
    (void)state;
    assert_int_equal(siplog_diag(slice_str(diag), &d, NULL), WIRE_OK);
    assert_true(d.has_code);
    assert_int_equal(d.code, 0xC3E93C69);
    assert_text(d.result, "SIPPROXY_E_CONNECTION_UNKNOWN_SERVER");
    assert_text(d.text, "Routing error occurred");
    assert_text(d.call_id, "1f2e3d");
    assert_text(d.peer, "sip.p.example:5061");
    assert_int_equal(siplog_diag(slice_str("Severity: x\n"), &d, NULL), WIRE_BAD);
}

/* ---- hurt ---- */

/* Every length of every input, right in front of the guard page. */
static void cut_anywhere(void **state)
{
    static const char *const inputs[] = {START,
                                         CLS,
                                         OCS,
                                         diag,
                                         "Start-Line: BYE sip:x SIP/2.0\r\nA: b\r\n c\r\n"
                                         "Message-Body: v=0\r\n...\r\n",
                                         "INVITE sip:x SIP/2.0\n\nA: b\n\n\xc2\xa0\n\nv=0\n\n"};
    struct siplog_line l;
    struct siplog_text t;
    struct siplog_diag d;
    (void)state;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        for (size_t n = 0; n <= strlen(inputs[i]); n++) {
            struct slice in = text_cut(inputs[i], n);
            siplog_line(in, &l);
            (void)siplog_diag(in, &d, NULL);
            for (int server = 0; server < 2; server++)
                if (siplog_message(in, server, (uint8_t *)message, sizeof message, &t, NULL) ==
                    WIRE_OK)
                    assert_true(t.n <= sizeof message);
            text_free(in);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks),
        cmocka_unit_test(a_start_line_says_when_who_and_how_much),
        cmocka_unit_test(a_record_becomes_the_message),
        cmocka_unit_test(what_the_message_would_measure),
        cmocka_unit_test(bodies_that_are_no_sdp_stay),
        cmocka_unit_test(records_without_a_message),
        cmocka_unit_test(a_servers_diagnostics),
        cmocka_unit_test(cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
