/* SIP messages: RFC 3261, RFC 4475, the field reports, and what is found on real wires. */
#include "flows/wire/sip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/help/text.h"

#define MIN "INVITE sip:b@x SIP/2.0\r\n"

/* RFC 3261 §24.2, first message, with a body of the length that it announces */
static const char rfc_invite[] = "INVITE sip:bob@biloxi.com SIP/2.0\r\n"
                                 "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8\r\n"
                                 "Max-Forwards: 70\r\n"
                                 "To: Bob <sip:bob@biloxi.com>\r\n"
                                 "From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n"
                                 "Call-ID: a84b4c76e66710\r\n"
                                 "CSeq: 314159 INVITE\r\n"
                                 "Contact: <sip:alice@pc33.atlanta.com>\r\n"
                                 "Content-Type: application/sdp\r\n"
                                 "Content-Length: 5\r\n"
                                 "\r\n"
                                 "v=0\r\n";

/* RFC 4475 §3.1.1.1: a short tortuous INVITE */
static const char torture[] =
    "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
    "TO :\r\n"
    " sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
    "from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n"
    "  ;\r\n"
    "  tag = 98asjd8\r\n"
    "MaX-fOrWaRdS: 0068\r\n"
    "Call-ID: wsinv.ndaksdj@192.0.2.1\r\n"
    "Content-Length   : 0003\r\n"
    "cseq: 0009\r\n"
    "  INVITE\r\n"
    "Via  : SIP  /   2.0\r\n"
    " /UDP\r\n"
    "    192.0.2.2;branch=390skdjuw\r\n"
    "s :\r\n"
    "NewFangledHeader:   newfangled value\r\n"
    " continued newfangled value\r\n"
    "UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n"
    "Content-Type: application/sdp\r\n"
    "v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n"
    "  branch  =   z9hG4bK9ikj8  ,\r\n"
    " SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n"
    " z9hG4bK30239\r\n"
    "m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n"
    "      newvalue ;\r\n"
    "  secondparam ; q = 0.33\r\n"
    "\r\n"
    "v=0";

/* Headers of the 200 OK in the first field report */
static const char lync_200[] =
    "SIP/2.0 200 OK\r\n"
    "Authentication-Info: TLS-DSK qop=\"auth\", opaque=\"2957C393\", version=4\r\n"
    "Via: SIP/2.0/TLS 10.98.2.1:51647;ms-received-port=51647;ms-received-cid=657300\r\n"
    "From: \"user1 @ contoso.com\"<sip:user1@contoso.com>;tag=2cd64ff7dc;epid=6750f01948\r\n"
    "To: <sip:user2@fabrikam.com>;epid=c23c88d032;tag=fef0c3e438\r\n"
    "Call-ID: a622d7b9f6464be3a455e6d98ec700b3\r\n"
    "CSeq: 1 INVITE\r\n"
    "Contact: <sip:user2@fabrikam.com;opaque=user:epid:wyPrDAU4lVq4GhmnrWqEFgAA;gruu>\r\n"
    "User-Agent: UCCAPI/4.0.7577.4356 OC/4.0.7577.4356 (Microsoft Lync 2010)\r\n"
    "Supported: histinfo\r\n"
    "Supported: ms-conf-invite\r\n"
    "Ms-client-diagnostics: 51007;reason=\"Callee media connectivity diagnosis info\"\r\n"
    "ms-diagnostics-public: 1034;reason=\"x\"\r\n"
    "ms-diagnostics: 7003\r\n"
    "Ms-Conversation-ID: Ac3Wuri73DV0XRhGRBSO/PHZU2QhhQ==\r\n"
    "ms-endpoint-location-data: NetworkScope;ms-media-location-type=Internet\r\n"
    "\r\n";

static struct sip_msg parse(struct slice in, bool datagram)
{
    struct sip_msg m;
    struct wire_fault fault = {0};
    if (sip_parse(in, datagram, &m, &fault) != WIRE_OK)
        fail_msg("%s at %zu", fault.reason ? fault.reason : "more", fault.offset);
    return m;
}

static void reads_the_invite_of_rfc_3261(void **state)
{
    (void)state;
    struct slice in = text_on_guard(rfc_invite);
    struct sip_msg m = parse(in, false);
    assert_true(m.request);
    assert_int_equal(m.method, SIP_INVITE);
    assert_text(m.method_text, "INVITE");
    assert_text(m.uri, "sip:bob@biloxi.com");
    assert_int_equal(m.status, 0);
    assert_text(m.call_id, "a84b4c76e66710");
    assert_text(m.from, "Alice <sip:alice@atlanta.com>;tag=1928301774");
    assert_text(sip_uri_of(m.from), "sip:alice@atlanta.com");
    assert_text(m.from_tag, "1928301774");
    assert_text(sip_uri_of(m.to), "sip:bob@biloxi.com");
    assert_text(m.to_tag, "");
    assert_int_equal(m.cseq, 314159);
    assert_text(m.contact, "<sip:alice@pc33.atlanta.com>");
    assert_text(m.content_type, "application/sdp");
    assert_int_equal(m.content_length, 5);
    assert_text(m.body, "v=0\r\n");
    assert_int_equal(m.size, in.n);
    assert_int_equal(m.head.n, in.n - 5);
    assert_false(m.body_cut);
    text_free(in);
}

static void reads_the_tortuous_invite_of_rfc_4475(void **state)
{
    (void)state;
    struct slice in = text_on_guard(torture);
    struct sip_msg m = parse(in, false);
    assert_text(m.uri, "sip:vivekg@chair-dnrc.example.com;unknownparam");
    assert_text(sip_uri_of(m.to), "sip:vivekg@chair-dnrc.example.com");
    assert_text(m.to_tag, "1918181833n");
    assert_text(sip_uri_of(m.from), "sip:jdrosen@example.com");
    assert_text(m.from_tag, "98asjd8");
    assert_text(m.call_id, "wsinv.ndaksdj@192.0.2.1");
    assert_int_equal(m.cseq, 9);
    assert_text(sip_uri_of(m.contact), "sip:jdrosen@example.com");
    assert_int_equal(m.content_length, 3);
    assert_text(m.body, "v=0");
    text_free(in);
}

static void reads_the_lync_answer_of_the_field_report(void **state)
{
    (void)state;
    struct slice in = text_on_guard(lync_200);
    struct sip_msg m = parse(in, false);
    assert_false(m.request);
    assert_int_equal(m.status, 200);
    assert_text(m.reason, "OK");
    assert_int_equal(m.method, SIP_INVITE);
    assert_text(m.method_text, "INVITE");
    assert_text(sip_uri_of(m.from), "sip:user1@contoso.com");
    assert_text(m.from_tag, "2cd64ff7dc");
    assert_text(m.to_tag, "fef0c3e438");
    assert_text(m.user_agent, "UCCAPI/4.0.7577.4356 OC/4.0.7577.4356 (Microsoft Lync 2010)");
    assert_text(m.conversation_id, "Ac3Wuri73DV0XRhGRBSO/PHZU2QhhQ==");
    assert_text(m.location, "NetworkScope;ms-media-location-type=Internet");
    assert_int_equal(m.n_diag, 3);
    assert_text(m.diag[0].name, "Ms-client-diagnostics");
    assert_text(m.diag[0].value, "51007;reason=\"Callee media connectivity diagnosis info\"");
    assert_text(m.diag[1].name, "ms-diagnostics-public");
    assert_text(m.diag[2].value, "7003");
    assert_text(sip_uri_of(m.contact), "sip:user2@fabrikam.com");
    assert_int_equal(m.content_length, -1);
    assert_int_equal(m.body.n, 0);
    text_free(in);
}

static void a_stream_cut_anywhere_asks_for_more(void **state)
{
    static const char *const whole[] = {rfc_invite, torture, lync_200};
    (void)state;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        for (size_t n = 0, size = strlen(whole[i]); n <= size; n++) {
            struct slice in = text_cut(whole[i], n);
            struct sip_msg m = {.status = -7};
            struct wire_fault fault = {"", 0};
            enum wire_result r = sip_parse(in, false, &m, &fault);
            assert_int_equal(r, n < size ? WIRE_MORE : WIRE_OK);
            if (r == WIRE_MORE) {
                assert_int_equal(m.status, -7);
                assert_null(fault.reason);
                assert_in_range(fault.offset, n + 1, size);
            }
            text_free(in);
        }
}

static void the_missing_part_of_a_body_is_told_exactly(void **state)
{
    struct sip_msg m;
    struct wire_fault fault;
    (void)state;
    assert_int_equal(sip_parse(slice_str(MIN "Content-Length: 1000\r\n\r\nabc"), false, &m, &fault),
                     WIRE_MORE);
    assert_int_equal(fault.offset, strlen(MIN "Content-Length: 1000\r\n\r\n") + 1000);
}

static void same_place(struct slice a, struct slice in_a, struct slice b, struct slice in_b)
{
    assert_int_equal(a.n, b.n);
    if (a.n)
        assert_int_equal(a.p - in_a.p, b.p - in_b.p);
}

/* Every slice of m, which lies in in, where whole has it in text. */
static void same_message(const struct sip_msg *m, struct slice in, const struct sip_msg *whole,
                         struct slice text)
{
    const struct slice *const all[][2] = {
        {&m->method_text, &whole->method_text},
        {&m->uri, &whole->uri},
        {&m->reason, &whole->reason},
        {&m->call_id, &whole->call_id},
        {&m->from, &whole->from},
        {&m->to, &whole->to},
        {&m->from_tag, &whole->from_tag},
        {&m->to_tag, &whole->to_tag},
        {&m->contact, &whole->contact},
        {&m->user_agent, &whole->user_agent},
        {&m->conversation_id, &whole->conversation_id},
        {&m->content_type, &whole->content_type},
        {&m->compression, &whole->compression},
        {&m->location, &whole->location},
        {&m->head, &whole->head},
        {&m->body, &whole->body},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        same_place(*all[i][0], in, *all[i][1], text);
    assert_int_equal(m->n_diag, whole->n_diag);
    for (unsigned i = 0; i < m->n_diag; i++) {
        same_place(m->diag[i].name, in, whole->diag[i].name, text);
        same_place(m->diag[i].value, in, whole->diag[i].value, text);
    }
    assert_int_equal(m->size, whole->size);
    assert_int_equal(m->cseq, whole->cseq);
    assert_int_equal(m->method, whole->method);
}

/* The head lies elsewhere when the body comes, and what was is gone. */
static void a_head_is_read_once_and_moves_along(void **state)
{
    static const char begins[] = "\r\n\r\n", compression[] = "Compression: LZ77-8K\r\n",
                      body[] =
                          "Content-Type: application/sdp\r\nContent-Length: 8\r\n\r\nv=0\r\no=-";
    char text[sizeof lync_200 + sizeof begins + sizeof compression + sizeof body];
    (void)state;
    int size = snprintf(text, sizeof text, "%s%.*s%s%s", begins, (int)sizeof lync_200 - 3, lync_200,
                        compression, body);
    struct sip_msg whole = parse(slice_of(text, (size_t)size), false);
    assert_int_equal(whole.size, size);
    assert_text(whole.compression, "LZ77-8K");
    assert_int_equal(whole.n_diag, 3);
    for (size_t n = (size_t)size - 8; n < (size_t)size; n++) {
        struct sip_msg m;
        struct wire_fault fault;
        struct slice in = text_cut(text, n);
        assert_int_equal(sip_head(in, false, &m, NULL), WIRE_OK);
        assert_int_equal(m.size, size - 8);
        assert_int_equal(sip_body(in, false, &m, &fault), WIRE_MORE);
        assert_int_equal(fault.offset, size);
        text_free(in);
        in = text_cut(text, (size_t)size);
        assert_int_equal(sip_body(in, false, &m, NULL), WIRE_OK);
        same_message(&m, in, &whole, slice_of(text, (size_t)size));
        text_free(in);
    }
}

static void a_datagram_cut_anywhere_is_a_message_or_bad(void **state)
{
    (void)state;
    size_t first = strlen("INVITE sip:bob@biloxi.com SIP/2.0\r\n");
    for (size_t n = 0; n < strlen(rfc_invite); n++) {
        struct slice in = text_cut(rfc_invite, n);
        struct sip_msg m;
        enum wire_result r = sip_parse(in, true, &m, NULL);
        assert_int_equal(r, n < first ? WIRE_BAD : WIRE_OK);
        if (r == WIRE_OK)
            assert_int_equal(m.size, n);
        text_free(in);
    }
}

static void an_unfinished_last_header_of_a_datagram_is_not_believed(void **state)
{
    (void)state;
    struct sip_msg m = parse(slice_str(MIN "CSeq: 7 INVITE\r\nCall-ID: abc"), true);
    assert_text(m.call_id, "");
    assert_int_equal(m.cseq, 7);
    assert_text(m.body, "");
}

static void start_lines(void **state)
{
    static const struct {
        const char *line;
        enum wire_result result;
        enum sip_method method;
        int status;
    } cases[] = {
        {"INVITE sip:a@b SIP/2.0\r\n", WIRE_OK, SIP_INVITE, 0},
        {"OPTIONS * SIP/2.0\n", WIRE_OK, SIP_OPTIONS, 0},
        {"BENOTIFY tel:+1555 SIP/2.0\r\n", WIRE_OK, SIP_BENOTIFY, 0},
        {"NEGOTIATE sip:127.0.0.1:5061 SIP/2.0\r\n", WIRE_OK, SIP_NEGOTIATE, 0},
        {"SERVICE sip:a SIP/2.0\r\n", WIRE_OK, SIP_SERVICE, 0},
        {"REGIStER sip:a SIP/2.0\r\n", WIRE_OK, SIP_OTHER_METHOD, 0}, /* ndpi__fuzz-2006 */
        {"FOO.bar sip:a SIP/2.0\r\n", WIRE_OK, SIP_OTHER_METHOD, 0},
        {"INVITE sip:a b SIP/2.0\r\n", WIRE_OK, SIP_INVITE, 0},
        {"SIP/2.0 200 OK\r\n", WIRE_OK, SIP_NO_METHOD, 200},
        {"SIP/2.0 183\r\n", WIRE_OK, SIP_NO_METHOD, 183},
        {"SIP/2.0 404 \n", WIRE_OK, SIP_NO_METHOD, 404},
        {"SIP/2.0 099 x\r\n", WIRE_BAD, 0, 0},
        {"SIP/2.0 700 x\r\n", WIRE_BAD, 0, 0},
        {"SIP/2.0 2000 x\r\n", WIRE_BAD, 0, 0},
        {"SIP/2.0 20\r\n", WIRE_BAD, 0, 0},
        {"SIP/3.0 200 OK\r\n", WIRE_BAD, 0, 0},
        {"INVITE sip:a@b SIP/3.0\r\n", WIRE_BAD, 0, 0},
        {"INVITE SIP/2.0\r\n", WIRE_BAD, 0, 0},
        {"INVITE  SIP/2.0\r\n", WIRE_BAD, 0, 0},
        {"INVITE sip:a@b\r\n", WIRE_BAD, 0, 0},
        {"INVITE sip:a@bSIP/2.0\r\n", WIRE_BAD, 0, 0},
        {" INVITE sip:a@b SIP/2.0\r\n", WIRE_BAD, 0, 0},
        {"Via: SIP/2.0/UDP a SIP/2.0\r\n", WIRE_BAD, 0, 0},
        {"GET / HTTP/1.1\r\n", WIRE_BAD, 0, 0},
        {"HTTP/1.1 200 OK\r\n", WIRE_BAD, 0, 0},
        {"\x16\x03\x01", WIRE_BAD, 0, 0},
        {"abcdefghijklmnopqrstuvwxyzabcdefghi", WIRE_BAD, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice in = text_on_guard(cases[i].line);
        struct sip_msg m;
        if (sip_looks_like(in) != cases[i].result)
            fail_msg("%s", cases[i].line);
        assert_int_equal(sip_parse(in, true, &m, NULL), cases[i].result);
        if (cases[i].result == WIRE_OK) {
            assert_int_equal(m.method, cases[i].method);
            assert_int_equal(m.status, cases[i].status);
            assert_int_equal(m.request, cases[i].status == 0);
        }
        text_free(in);
    }
}

/* ndpi__fuzz-2006 has such lines; tshark does not take them for SIP either */
static void a_nul_in_the_start_line_is_no_sip(void **state)
{
    static const char request[] = "REGISTER s%s\0sip.cybercity.dk SIP/2.0\r\n";
    static const char status[] = "SIP/2.0 401 Unauthori%s\0\r\n";
    (void)state;
    assert_int_equal(sip_looks_like(slice_of(request, sizeof request - 1)), WIRE_BAD);
    assert_int_equal(sip_looks_like(slice_of(status, sizeof status - 1)), WIRE_BAD);
}

static void beginnings_of_start_lines_ask_for_more(void **state)
{
    static const char *const cases[] = {"",
                                        "\r\n\r\n",
                                        "S",
                                        "SIP/2.0",
                                        "SIP/2.0 1",
                                        "INVITE",
                                        "INVITE sip:",
                                        "\r\nBYE ",
                                        "ACK sip:a SIP/2.0\r",
                                        "M"};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice in = text_on_guard(cases[i]);
        assert_int_equal(sip_looks_like(in), WIRE_MORE);
        text_free(in);
    }
}

static void content_length_in_all_its_mistakes(void **state)
{
    static const struct {
        const char *value;
        int64_t length;
        const char *datagram_body, *stream_body;
        bool cut;
    } cases[] = {
        {"Content-Length: 3\r\n", 3, "abc", "abc", false},
        {"l: 0\r\n", 0, "", "", false},
        {"CONTENT-LENGTH \t:\t 2 \r\n", 2, "ab", "ab", false},
        {"Content-Length:\r\n 1\r\n", 1, "a", "a", false},
        {"Content-Length: 1\r\nContent-Length: 2\r\n", 1, "a", "a", false},
        {"", -1, "abcdef", "", false},
        {"Content-Length: bad\r\n", -2, "abcdef", "", false},
        {"Content-Length: 3x\r\n", -2, "abcdef", "", false},
        {"Content-Length: -3\r\n", -2, "abcdef", "", false},
        {"Content-Length:\r\n", -2, "abcdef", "", false},
        {"Content-Length: 99999999999999999999999\r\n", -2, "abcdef", "", false},
        {"Content-Length: 4294967299\r\n", -2, "abcdef", "", false},
        {"Content-Length: 00000000000003\r\n", 3, "abc", "abc", false},
        {"Content-Length: 7\r\n", 7, "abcdef", NULL, true},
        {"Content-Length: 999999999\r\n", 999999999, "abcdef", NULL, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        snprintf(text, sizeof text, MIN "%s\r\nabcdef", cases[i].value);
        struct slice in = text_on_guard(text);
        struct sip_msg m = parse(in, true), s;
        assert_int_equal(m.content_length, cases[i].length);
        assert_text(m.body, cases[i].datagram_body);
        assert_int_equal(m.body_cut, cases[i].cut);
        if (cases[i].stream_body) {
            s = parse(in, false);
            assert_text(s.body, cases[i].stream_body);
            assert_int_equal(s.size, s.head.n + s.body.n);
        } else {
            assert_int_equal(sip_parse(in, false, &s, NULL), WIRE_MORE);
        }
        text_free(in);
    }
}

static void compact_headers_and_bare_line_feeds(void **state)
{
    (void)state;
    struct slice in = text_on_guard("\r\n\nBYE sip:b@x SIP/2.0\n"
                                    "v: SIP/2.0/TCP a;branch=z9\n"
                                    "F: sip:a@x;tag=1\n"
                                    "t: sip:b@x;tag=2\n"
                                    "i: id\n"
                                    "CSeq: 2 BYE\n"
                                    "m: sip:a@1.2.3.4\n"
                                    "c: text/plain\n"
                                    "k: timer\n"
                                    "s: x\n"
                                    "e: gzip\n"
                                    "u: presence\n"
                                    "x: 90\n"
                                    "l: 2\n"
                                    "\n"
                                    "hiSIP/2.0 200 OK\r\n");
    struct sip_msg m = parse(in, false);
    assert_text(m.from_tag, "1");
    assert_text(sip_uri_of(m.to), "sip:b@x");
    assert_text(m.call_id, "id");
    assert_text(m.contact, "sip:a@1.2.3.4");
    assert_text(m.content_type, "text/plain");
    assert_text(m.body, "hi");
    assert_int_equal(m.size, in.n - strlen("SIP/2.0 200 OK\r\n"));
    assert_ptr_equal(m.head.p, in.p + 3);
    text_free(in);
}

static void the_first_of_repeated_headers_counts(void **state)
{
    (void)state;
    struct sip_msg m =
        parse(slice_str(MIN "Via: SIP/2.0/TLS a;branch=one, SIP/2.0/UDP b;branch=two\r\n"
                            "Via: SIP/2.0/UDP c;branch=three\r\n"
                            "Call-ID: first\r\nCall-ID: second\r\n"
                            "From: <sip:a@x>\r\nFrom: <sip:b@x>;tag=9\r\n\r\n"),
              true);
    assert_text(m.call_id, "first");
    assert_text(sip_uri_of(m.from), "sip:a@x");
    assert_text(m.from_tag, "");
}

static void cseq_numbers(void **state)
{
    static const struct {
        const char *value;
        uint32_t number;
        enum sip_method method;
    } cases[] = {
        {"1 INVITE", 1, SIP_INVITE},
        {"4294967295 ACK", 4294967295u, SIP_ACK},
        {"4294967296 ACK", 0, SIP_ACK},
        {"99999999999999999999999 BYE", 0, SIP_BYE},
        {"18446744073709551621 BYE", 0, SIP_BYE}, /* 2^64 + 5 */
        {"5\tUPDATE", 5, SIP_UPDATE},
        {"5 WHATEVER", 5, SIP_OTHER_METHOD},
        {"x", 0, SIP_OTHER_METHOD},
        {"12", 12, SIP_NO_METHOD},
        {"", 0, SIP_NO_METHOD},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128];
        snprintf(text, sizeof text, "SIP/2.0 200 OK\r\nCSeq: %s\r\n\r\n", cases[i].value);
        struct slice in = text_on_guard(text);
        struct sip_msg m = parse(in, false);
        assert_int_equal(m.cseq, cases[i].number);
        assert_int_equal(m.method, cases[i].method);
        text_free(in);
    }
}

static void an_endless_head_is_refused(void **state)
{
    (void)state;
    size_t n = SIP_MAX_HEADER + 100;
    char *text = malloc(n);
    struct sip_msg m;
    struct wire_fault fault;
    assert_non_null(text);
    memset(text, 'x', n);
    memcpy(text, MIN, strlen(MIN));
    assert_int_equal(sip_parse(slice_of(text, SIP_MAX_HEADER), false, &m, &fault), WIRE_MORE);
    assert_int_equal(sip_parse(slice_of(text, n), false, &m, &fault), WIRE_BAD);
    assert_string_equal(fault.reason, "SIP head too long");
    memset(text, 'x', n); /* a first line that never ends */
    assert_int_equal(sip_parse(slice_of(text, n), false, &m, &fault), WIRE_BAD);
    memcpy(text, "INVITE ", 7);
    assert_int_equal(sip_parse(slice_of(text, n), false, &m, &fault), WIRE_BAD);
    free(text);
}

static void resync_finds_the_next_start_line(void **state)
{
    static const struct {
        const char *bytes;
        size_t from, at;
    } cases[] = {
        {"INVITE sip:a SIP/2.0\r\n", 0, 0},
        {"lost text\r\nSIP/2.0 200 OK\r\n", 0, 11},
        {"a=x\r\nVia: SIP/2.0/UDP b\r\n\r\nACK sip:a SIP/2.0\r\n", 0, 27},
        {"ACK sip:a SIP/2.0\r\nBYE sip:a SIP/2.0\r\n", 1, 19}, /* from stands inside a line */
        {"ACK sip:a SIP/2.0\r\nBYE sip:a SIP/2.0\r\n", 19, 19},
        {"damaged\r\nINVI", 0, 9}, /* could become one */
        {"damaged\r\nSIP/2.0 2", 0, 9},
        {"damaged\r\n:no", 0, 12},
        {"damaged", 3, 7},
        {"x\r\n", 0, 3},
        {"", 0, 0},
        {"abc", 9, 3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice in = text_on_guard(cases[i].bytes);
        assert_int_equal(sip_resync(in, cases[i].from), cases[i].at);
        text_free(in);
    }
}

static void methods_have_names(void **state)
{
    (void)state;
    assert_string_equal(sip_method_name(SIP_INVITE), "INVITE");
    assert_string_equal(sip_method_name(SIP_BENOTIFY), "BENOTIFY");
    assert_string_equal(sip_method_name(SIP_OTHER_METHOD), "OTHER");
    assert_string_equal(sip_method_name(SIP_NO_METHOD), "");
    assert_string_equal(sip_method_name(SIP_METHODS), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_invite_of_rfc_3261),
        cmocka_unit_test(reads_the_tortuous_invite_of_rfc_4475),
        cmocka_unit_test(reads_the_lync_answer_of_the_field_report),
        cmocka_unit_test(a_stream_cut_anywhere_asks_for_more),
        cmocka_unit_test(the_missing_part_of_a_body_is_told_exactly),
        cmocka_unit_test(a_head_is_read_once_and_moves_along),
        cmocka_unit_test(a_datagram_cut_anywhere_is_a_message_or_bad),
        cmocka_unit_test(an_unfinished_last_header_of_a_datagram_is_not_believed),
        cmocka_unit_test(start_lines),
        cmocka_unit_test(a_nul_in_the_start_line_is_no_sip),
        cmocka_unit_test(beginnings_of_start_lines_ask_for_more),
        cmocka_unit_test(content_length_in_all_its_mistakes),
        cmocka_unit_test(compact_headers_and_bare_line_feeds),
        cmocka_unit_test(the_first_of_repeated_headers_counts),
        cmocka_unit_test(cseq_numbers),
        cmocka_unit_test(an_endless_head_is_refused),
        cmocka_unit_test(resync_finds_the_next_start_line),
        cmocka_unit_test(methods_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
