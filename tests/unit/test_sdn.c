/* SDN messages: the schemas' shapes, in any pieces, in two encodings, and hostile XML. */
#include "flows/sdn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/help/text.h"

enum { MOST = 8 };

struct taken {
    unsigned n;
    struct sdn_msg m[MOST];
    char text[MOST][6][1024];
};

static struct slice keep(char *at, struct slice s)
{
    size_t n = s.n < 1023 ? s.n : 1023;
    memcpy(at, s.p, n);
    at[n] = 0;
    return slice_of(at, s.n);
}

static void take(void *arg, const struct sdn_msg *m)
{
    struct taken *t = arg;
    if (t->n == MOST)
        return;
    struct sdn_msg *k = &t->m[t->n];
    *k = *m;
    k->call_id = keep(t->text[t->n][0], m->call_id);
    k->caller = keep(t->text[t->n][1], m->caller);
    k->callee = keep(t->text[t->n][2], m->callee);
    k->sdp = keep(t->text[t->n][3], m->sdp);
    k->conversation_id = keep(t->text[t->n][4], m->conversation_id);
    k->diag[2] = keep(t->text[t->n++][5], m->diag[2]);
}

static const char invite[] =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n"
    "<LyncDiagnostics Version=\"C\">\r\n"
    "  <ConnectionInfo><CallId>a622d7b9f6464be3a455e6d98ec700b3</CallId>\r\n"
    "    <ConversationId>Ac3Wuri73DV0XRhGRBSO==</ConversationId><CSEQ>1</CSEQ>\r\n"
    "    <TimeStamp>2012-12-10T10:43:49.3210000Z</TimeStamp></ConnectionInfo>\r\n"
    "  <Invite Type=\"applicationsharing\">\r\n"
    "    <Caller><Id>1</Id><URI>sip:user1@contoso.com</URI><IP>10.98.2.1</IP></Caller>\r\n"
    "    <Callee><Id>2</Id><URI> sip:user2@fabrikam.com </URI></Callee>\r\n"
    "  </Invite>\r\n"
    "  <RawSDP>v=0\r\no=- 0 0 IN IP4 2.2.2.2\r\nm=audio 1 &lt;RTP/AVP&gt; 0\r\n</RawSDP>\r\n"
    "</LyncDiagnostics>\r\n";

static struct taken *read_text(const char *text, size_t n, bool want)
{
    static struct taken t;
    const char *why = NULL;
    uint64_t offset = 0;
    memset(&t, 0, sizeof t);
    struct sdn *s = sdn_new(take, &t, false);
    struct slice in = text_cut(text, n);
    bool fine = sdn_push(s, in, true, &why, &offset);
    if (fine != want)
        fail_msg("%s at %llu", why ? why : "fine", (unsigned long long)offset);
    if (!fine) {
        assert_non_null(why);
        assert_true(offset <= n);
    }
    text_free(in);
    sdn_free(s);
    return &t;
}

static void assert_invite(const struct sdn_msg *m)
{
    assert_int_equal(m->kind, SDN_INVITE);
    assert_text(m->call_id, "a622d7b9f6464be3a455e6d98ec700b3");
    assert_text(m->conversation_id, "Ac3Wuri73DV0XRhGRBSO==");
    assert_text(m->caller, "sip:user1@contoso.com");
    assert_text(m->callee, "sip:user2@fabrikam.com");
    assert_int_equal(m->cseq, 1);
    assert_int_equal(m->time, INT64_C(1355136229) * TICK_S + 321 * TICK_MS);
    assert_text(m->sdp, "v=0\no=- 0 0 IN IP4 2.2.2.2\nm=audio 1 <RTP/AVP> 0");
    assert_false(m->cut);
}

static void an_invite(void **state)
{
    (void)state;
    struct taken *t = read_text(invite, sizeof invite - 1, true);
    assert_int_equal(t->n, 1);
    assert_invite(&t->m[0]);
    struct sip_msg m;
    assert_true(sdn_sip(&t->m[0], &m));
    assert_true(m.request);
    assert_int_equal(m.method, SIP_INVITE);
    assert_text(sip_uri_of(m.from), "sip:user1@contoso.com");
    assert_text(m.content_type, "application/sdp");
}

static void in_pieces_and_one_behind_the_other(void **state)
{
    static struct taken t;
    const char *why;
    uint64_t offset;
    (void)state;
    for (size_t piece = 1; piece < sizeof invite; piece += piece < 8 ? 1 : 97) {
        memset(&t, 0, sizeof t);
        struct sdn *s = sdn_new(take, &t, false);
        for (int i = 0; i < 3; i++)
            for (size_t at = 0; at < sizeof invite - 1; at += piece) {
                size_t n = sizeof invite - 1 - at < piece ? sizeof invite - 1 - at : piece;
                assert_true(sdn_push(s, slice_of(invite + at, n), false, &why, &offset));
            }
        assert_true(sdn_push(s, slice_of(NULL, 0), true, &why, &offset));
        assert_int_equal(t.n, 3);
        for (int i = 0; i < 3; i++)
            assert_invite(&t.m[i]);
        sdn_free(s);
    }
}

static void utf_16_with_a_byte_order_mark(void **state)
{
    static char wide[2 * sizeof invite];
    size_t n = 0;
    (void)state;
    wide[n++] = '\xff';
    wide[n++] = '\xfe';
    for (const char *p = strstr(invite, "<Lync"); *p; p++) {
        wide[n++] = *p;
        wide[n++] = 0;
    }
    struct taken *t = read_text(wide, n, true);
    assert_int_equal(t->n, 1);
    assert_invite(&t->m[0]);
}

static void the_other_messages(void **state)
{
    static const char text[] =
        "<Log xmlns:l='urn:x'><l:LyncDiagnostics><l:ConnectionInfo><l:CallId>c1</l:CallId>"
        "</l:ConnectionInfo><l:StartOrUpdate Type='audio'><l:From><l:URI>sip:a@x</l:URI></l:From>"
        "<l:To><l:URI>sip:b@y</l:URI></l:To></l:StartOrUpdate><l:RawSDP>v=0</l:RawSDP>"
        "</l:LyncDiagnostics>"
        "<LyncDiagnostics><ConnectionInfo><CallId>c1</CallId></ConnectionInfo>"
        "<Ended Type='audio'><EndPoint><URI>sip:a@x</URI></EndPoint></Ended></LyncDiagnostics>"
        "<LyncDiagnostics><ConnectionInfo><CallId>c2</CallId></ConnectionInfo>"
        "<Error><EndPoint><URI>sip:a@x</URI></EndPoint></Error><Properties>"
        "<ResponseCode Code='488'/><MSDiagnosticsClient>23;reason=\"x\"</MSDiagnosticsClient>"
        "</Properties></LyncDiagnostics>"
        "<LyncDiagnostics><ConnectionInfo><CallId>c1</CallId></ConnectionInfo><QualityUpdate>"
        "<Properties><RoundTrip>1</RoundTrip></Properties></QualityUpdate></LyncDiagnostics>"
        "<LyncDiagnostics><Invite/></LyncDiagnostics></Log>";
    struct sip_msg m;
    (void)state;
    struct taken *t = read_text(text, sizeof text - 1, true);
    assert_int_equal(t->n, 5);
    assert_int_equal(t->m[0].kind, SDN_START);
    assert_true(sdn_sip(&t->m[0], &m));
    assert_false(m.request);
    assert_int_equal(m.status, 200);
    assert_text(m.body, "v=0");
    assert_int_equal(t->m[0].time, TICK_NONE);

    assert_true(sdn_sip(&t->m[1], &m));
    assert_true(m.request);
    assert_int_equal(m.method, SIP_BYE);

    assert_true(sdn_sip(&t->m[2], &m));
    assert_int_equal(m.status, 488);
    assert_int_equal(m.n_diag, 1);
    assert_text(m.diag[0].name, "ms-client-diagnostics");
    assert_text(m.diag[0].value, "23;reason=\"x\"");

    assert_int_equal(t->m[3].kind, SDN_OTHER);
    assert_false(sdn_sip(&t->m[3], &m));
    assert_false(sdn_sip(&t->m[4], &m)); /* without a Call-ID */
}

static void times(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1: none */
    } cases[] = {{"2012-12-10T10:43:49Z", 1355136229},
                 {"2012-12-10T10:43:49", 1355136229},
                 {"2012-12-10T12:43:49.000+02:00", 1355136229},
                 {"2012-12-10T05:13:49-05:30", 1355136229},
                 {"2012-12-10", -1},
                 {"2012-13-10T10:43:49Z", -1},
                 {"2012-12-10T25:43:49Z", -1},
                 {"2012-12-10T10:43:49+99:00", -1},
                 {"2012-12-10T10:43:49Zx", -1},
                 {"10:43:49", -1},
                 {"", -1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        int n =
            snprintf(text, sizeof text,
                     "<LyncDiagnostics><TimeStamp>%s</TimeStamp></LyncDiagnostics>", cases[i].text);
        struct taken *t = read_text(text, (size_t)n, true);
        tick_t want = cases[i].seconds < 0 ? TICK_NONE : cases[i].seconds * TICK_S;
        if (t->m[0].time != want)
            fail_msg("\"%s\" is %lld", cases[i].text, (long long)t->m[0].time);
    }
}

static void cut_at_every_length(void **state)
{
    (void)state;
    size_t last = strlen(invite) - 2; /* its line end may be missing */
    for (size_t n = 0; n < last; n++)
        assert_int_equal(read_text(invite, n, n == 0)->n, 0);
    assert_int_equal(read_text(invite, last, true)->n, 1);
}

static void entities_are_never_defined(void **state)
{
    static const char *const bombs[] = {
        "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b "
        "\"&a;&a;&a;&a;\">]><LyncDiagnostics>&b;</LyncDiagnostics>",
        "<!DOCTYPE l SYSTEM \"http://127.0.0.1/x.dtd\"><LyncDiagnostics/>",
        "<!DOCTYPE l [<!ENTITY f SYSTEM "
        "\"file:///etc/passwd\">]><LyncDiagnostics><CallId>&f;</CallId></LyncDiagnostics>",
        "<LyncDiagnostics>&undefined;</LyncDiagnostics>",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++)
        assert_int_equal(read_text(bombs[i], strlen(bombs[i]), false)->n, 0);
}

/* Ten entities that double ten times each: a billion words, were they expanded. */
static void a_billion_laughs(void **state)
{
    static char text[8192];
    size_t n = (size_t)snprintf(text, sizeof text,
                                "<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY l0 \"lol\">");
    (void)state;
    for (int i = 1; i < 10; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "<!ENTITY l%d \"", i);
        for (int k = 0; k < 10; k++)
            n += (size_t)snprintf(text + n, sizeof text - n, "&l%d;", i - 1);
        n += (size_t)snprintf(text + n, sizeof text - n, "\">");
    }
    n += (size_t)snprintf(text + n, sizeof text - n,
                          "]><LyncDiagnostics><RawSDP>&l9;</RawSDP></LyncDiagnostics>");
    assert_int_equal(read_text(text, n, false)->n, 0);
}

static void depth_and_texts_are_bounded(void **state)
{
    static char deep[70000], wide[200000];
    size_t n = 0;
    (void)state;
    for (int i = 0; i < 20000; i++)
        n += (size_t)snprintf(deep + n, sizeof deep - n, "<a>");
    assert_int_equal(read_text(deep, n, false)->n, 0);

    n = (size_t)snprintf(wide, sizeof wide, "<LyncDiagnostics><CallId>c</CallId><Invite/><RawSDP>");
    memset(wide + n, 'x', 150000);
    n += 150000;
    n += (size_t)snprintf(wide + n, sizeof wide - n, "</RawSDP></LyncDiagnostics>");
    struct taken *t = read_text(wide, n, true);
    assert_int_equal(t->n, 1);
    assert_true(t->m[0].cut);
    assert_int_equal(t->m[0].sdp.n, SDN_SDP_MAX);
}

static void after_damage_the_next_body_is_read(void **state)
{
    static struct taken t;
    const char *why;
    uint64_t offset;
    (void)state;
    memset(&t, 0, sizeof t);
    struct sdn *s = sdn_new(take, &t, false);
    assert_false(sdn_push(s, slice_str("{\"json\": 1}"), true, &why, &offset));
    assert_true(sdn_push(s, slice_of(invite, sizeof invite - 1), true, &why, &offset));
    assert_int_equal(t.n, 1);
    sdn_free(s);
}

static void count(void *arg, const struct sdn_msg *m)
{
    (void)m;
    ++*(unsigned *)arg;
}

/* Each begins a parser anew: a megabyte of them cost nine times one message of that size. */
static void many_tiny_documents_are_refused(void **state)
{
    static char tiny[4 * 1000 + 1], real[200 * sizeof invite];
    const char *why = NULL;
    uint64_t offset = 0;
    unsigned taken = 0;
    size_t n = 0;
    (void)state;
    for (int i = 0; i < 1000; i++)
        strcat(tiny + 4 * i, "<a/>");
    for (int i = 0; i < 200; i++, n += sizeof invite - 1)
        memcpy(real + n, invite, sizeof invite - 1);
    struct sdn *s = sdn_new(count, &taken, false);
    assert_false(sdn_push(s, slice_of(tiny, 4000), true, &why, &offset));
    assert_string_equal(why, "more documents than its size has room for");
    assert_true(offset < 300);
    assert_true(sdn_push(s, slice_of(real, n), true, &why, &offset)); /* the next one is fine */
    assert_int_equal(taken, 200);
    assert_true(sdn_push(s, slice_of(tiny, 4 * 60), true, &why, &offset)); /* so are a few */
    sdn_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invite),
        cmocka_unit_test(in_pieces_and_one_behind_the_other),
        cmocka_unit_test(utf_16_with_a_byte_order_mark),
        cmocka_unit_test(the_other_messages),
        cmocka_unit_test(times),
        cmocka_unit_test(cut_at_every_length),
        cmocka_unit_test(entities_are_never_defined),
        cmocka_unit_test(a_billion_laughs),
        cmocka_unit_test(depth_and_texts_are_bounded),
        cmocka_unit_test(after_damage_the_next_body_is_read),
        cmocka_unit_test(many_tiny_documents_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
