/* Diagnostics headers: both field reports, the published ICEWarn values, the grammar's tolerances.
 */
#include "flows/wire/ms_diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/help/text.h"

static const char report_1[] =
    "51007;reason=\"Callee media connectivity diagnosis "
    "info\";CalleeMediaDebug=\"application-sharing:"
    "ICEWarn=0x0,LocalSite=10.166.24.59:8541,LocalMR=1.1.1.1:50704,RemoteSite=10.98.2.1:21916,"
    "RemoteMR=2.2.2.2:58138,PortRange=50040:50059,LocalMRTCPPort=50704,RemoteMRTCPPort=58138,"
    "LocalLocation=1,RemoteLocation=2,FederationType=1\"";

static const char report_2[] =
    "24; reason= \"Call failed to establish due to a media connectivity failure when both "
    "endpoints are "
    "remote\" ;CallerMediaDebug=\"application-sharing:ICEWarn=0x320,LocalSite=xx.xx.xxx.x:xxx,"
    "LocalMR=xx.xx.xxx.xx:xx,RemoteSite=192.168.20.203:50045,PortRange=50040:50049,"
    "LocalMRTCPPort=57498,LocalLocation=1,RemoteLocation=1,FederationType=0\"";

static struct ms_diag parse(struct slice in)
{
    struct ms_diag d;
    struct wire_fault fault = {0};
    if (ms_diag_parse(in, &d, &fault) != WIRE_OK)
        fail_msg("%s", fault.reason);
    return d;
}

static const char *text_of(const struct endpoint *e)
{
    static char text[ENDPOINT_TEXT];
    return endpoint_text(e, text);
}

static void the_header_of_the_first_report(void **state)
{
    (void)state;
    struct slice in = text_on_guard(report_1);
    struct ms_diag d = parse(in);
    assert_int_equal(d.code, 51007);
    assert_text(d.reason, "Callee media connectivity diagnosis info");
    assert_text(d.source, "");
    assert_int_equal(d.n_media, 1);
    const struct media_debug *m = &d.media[0];
    assert_int_equal(m->side, DIAG_CALLEE);
    assert_text(m->medium, "application-sharing");
    assert_true(m->has_icewarn);
    assert_int_equal(m->icewarn, 0);
    assert_false(m->has_icewarn_ex);
    assert_string_equal(text_of(&m->local_site), "10.166.24.59:8541");
    assert_string_equal(text_of(&m->local_mr), "1.1.1.1:50704");
    assert_string_equal(text_of(&m->remote_site), "10.98.2.1:21916");
    assert_string_equal(text_of(&m->remote_mr), "2.2.2.2:58138");
    assert_true(m->has_local_mr && m->has_remote_mr);
    assert_int_equal(m->port_low, 50040);
    assert_int_equal(m->port_high, 50059);
    assert_int_equal(m->local_mrtcp, 50704);
    assert_int_equal(m->remote_mrtcp, 58138);
    assert_int_equal(m->local_location, 1);
    assert_int_equal(m->remote_location, 2);
    assert_int_equal(m->federation, 1);
    assert_false(ms_diag_is_media_failure(&d));
    text_free(in);
}

static void the_header_of_the_second_report(void **state)
{
    (void)state;
    struct slice in = text_on_guard(report_2);
    struct ms_diag d = parse(in);
    assert_int_equal(d.code, 24);
    assert_text(d.reason, "Call failed to establish due to a media connectivity failure when both "
                          "endpoints are remote");
    assert_int_equal(d.n_media, 1);
    const struct media_debug *m = &d.media[0];
    assert_int_equal(m->side, DIAG_CALLER);
    assert_int_equal(m->icewarn, 0x320);
    assert_true(endpoint_none(&m->local_site)); /* masked */
    assert_true(endpoint_none(&m->local_mr));
    assert_true(m->has_local_mr);
    assert_false(m->has_remote_mr); /* the peer offered no relay */
    assert_string_equal(text_of(&m->remote_site), "192.168.20.203:50045");
    assert_int_equal(m->port_high, 50049);
    assert_int_equal(m->local_mrtcp, 57498);
    assert_int_equal(m->remote_mrtcp, 0);
    assert_int_equal(m->local_location, 1);
    assert_int_equal(m->remote_location, 1);
    assert_int_equal(m->federation, 0);
    assert_true(ms_diag_is_media_failure(&d));
    text_free(in);
}

static void a_header_cut_anywhere_is_read_to_the_cut(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof report_2; n++) {
        struct slice in = text_cut(report_2, n);
        struct ms_diag d = {.code = 4711};
        assert_int_equal(ms_diag_parse(in, &d, NULL), n ? WIRE_OK : WIRE_BAD);
        assert_int_equal(d.code, n == 0 ? 4711 : n == 1 ? 2 : 24);
        text_free(in);
    }
}

static void parameters_in_every_spelling(void **state)
{
    static const struct {
        const char *params, *name, *value;
    } cases[] = {
        {";reason=\"a;b,c:d=e\"", "reason", "a;b,c:d=e"},
        {"reason=token;x", "reason", "token"},
        {" ; ; reason = token text ;x", "reason", "token text"},
        {";reason=\"a \\\"b\\\" c\";x=y", "reason", "a \\\"b\\\" c"},
        {";reason=\xe2\x80\x9c"
         "curly; text\xe2\x80\x9d;x",
         "reason", "curly; text"},
        {";reason=\xe2\x80\x9c"
         "mixed\";x",
         "reason", "mixed"},
        {";reason=\"not closed;x=y", "reason", "not closed;x=y"},
        {";reason=\xe2\x80\x9cnot closed;x=y", "reason", "not closed;x=y"},
        {";reason=\"", "reason", ""},
        {";reason=", "reason", ""},
        {";reason", "reason", ""},
        {";reason;x=y", "reason", ""},
        {";reason=\xe2", "reason", "\xe2"},
        {";=v", "", "v"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice in = text_on_guard(cases[i].params), name, value;
        size_t pos = 0;
        assert_true(ms_diag_param(in, &pos, &name, &value));
        assert_text(name, cases[i].name);
        assert_text(value, cases[i].value);
        text_free(in);
    }
}

static void parameters_one_after_another(void **state)
{
    struct slice name, value;
    size_t pos = 0;
    (void)state;
    struct slice in =
        text_on_guard(";reason=\"x\" junk; ;source=\"fe01.contoso.com\" ;; UserType = Callee");
    assert_true(ms_diag_param(in, &pos, &name, &value));
    assert_text(value, "x");
    assert_true(ms_diag_param(in, &pos, &name, &value));
    assert_text(name, "source");
    assert_text(value, "fe01.contoso.com");
    assert_true(ms_diag_param(in, &pos, &name, &value));
    assert_text(name, "UserType");
    assert_text(value, "Callee");
    assert_false(ms_diag_param(in, &pos, &name, &value));
    assert_false(ms_diag_param(in, &pos, &name, &value));
    text_free(in);
}

static void error_ids(void **state)
{
    static const struct {
        const char *value;
        enum wire_result result;
        uint32_t code;
    } cases[] = {
        {"0", WIRE_OK, 0},    {"  23 ;x", WIRE_OK, 23}, {"4294967295", WIRE_OK, 4294967295u},
        {"24;", WIRE_OK, 24}, {"24 text", WIRE_OK, 24}, {"4294967296", WIRE_BAD, 0},
        {"", WIRE_BAD, 0},    {" ", WIRE_BAD, 0},       {";24", WIRE_BAD, 0},
        {"x24", WIRE_BAD, 0}, {"-1", WIRE_BAD, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice in = text_on_guard(cases[i].value);
        struct ms_diag d = {.code = 4711};
        struct wire_fault fault = {0};
        assert_int_equal(ms_diag_parse(in, &d, &fault), cases[i].result);
        assert_int_equal(d.code, cases[i].result == WIRE_OK ? cases[i].code : 4711);
        text_free(in);
    }
}

static void blocks_of_several_media(void **state)
{
    (void)state;
    struct slice in =
        text_on_guard("22;callermediadebug=\"audio:ICEWarn=0x12B,LocalMR=1.2.3.4:5 ;"
                      " video: icewarn = 4000320 , , ,LocalLocation=2;;ICEWarn=0x40003A0\";"
                      "CalleeMediaDebug=\"data:ICEWarn=0x8000100,ICEWarnEx=0xFF;x:;y:\"");
    struct ms_diag d = parse(in);
    assert_int_equal(d.n_media, DIAG_MAX_MEDIA);
    assert_text(d.media[0].medium, "audio");
    assert_int_equal(d.media[0].icewarn, 0x12B);
    assert_text(d.media[0].fields, "ICEWarn=0x12B,LocalMR=1.2.3.4:5");
    assert_text(d.media[1].medium, "video");
    assert_int_equal(d.media[1].icewarn, 0x4000320);
    assert_int_equal(d.media[1].local_location, 2);
    assert_int_equal(d.media[1].remote_location, -1);
    assert_int_equal(d.media[1].federation, -1);
    assert_text(d.media[2].medium, "");
    assert_int_equal(d.media[2].icewarn, 0x40003A0);
    assert_int_equal(d.media[2].side, DIAG_CALLER);
    assert_text(d.media[3].medium, "data");
    assert_int_equal(d.media[3].side, DIAG_CALLEE);
    assert_int_equal(d.media[3].icewarn, 0x8000100);
    assert_true(d.media[3].has_icewarn_ex);
    assert_int_equal(d.media[3].icewarn_ex, 0xFF);
    text_free(in);
}

static void fields_are_walked_past_empty_items(void **state)
{
    struct slice key, value;
    size_t pos = 0;
    (void)state;
    struct slice in =
        text_on_guard("ICEWarn=0x0,,, LocalSite = 1.2.3.4:5 ,NetworkName=a b=c,flag,");
    assert_true(media_debug_field(in, &pos, &key, &value));
    assert_text(key, "ICEWarn");
    assert_true(media_debug_field(in, &pos, &key, &value));
    assert_text(key, "LocalSite");
    assert_text(value, "1.2.3.4:5");
    assert_true(media_debug_field(in, &pos, &key, &value));
    assert_text(value, "a b=c");
    assert_true(media_debug_field(in, &pos, &key, &value));
    assert_text(key, "flag");
    assert_text(value, "");
    assert_false(media_debug_field(in, &pos, &key, &value));
    text_free(in);
}

static void addresses_with_typing_mistakes(void **state)
{
    static const struct {
        const char *value, *address;
    } cases[] = {
        {"1.2.3.4:5", "1.2.3.4:5"},
        {"1.2.3.4::5", "1.2.3.4:5"},
        {"[2001:db8::1]:5", "[2001:db8::1]:5"},
        {"xx.xx.xx.x:xxx", ""},
        {"1.2.3.4:xxx", ""},
        {"1.2.3.4", ""},
        {"1.2.3.4:", ""},
        {"1.2.3.4:0", ""},
        {"1.2.3.4:65536", ""},
        {"2001:db8::1", ""},
        {":", ""},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128] = "1;CallerMediaDebug=\"audio:RemoteMR=";
        strcat(strcat(text, cases[i].value), "\"");
        struct slice in = text_on_guard(text);
        struct ms_diag d = parse(in);
        assert_string_equal(text_of(&d.media[0].remote_mr), cases[i].address);
        assert_int_equal(d.media[0].has_remote_mr, cases[i].value[0] != 0);
        text_free(in);
    }
}

static void numbers_that_are_none_are_absent(void **state)
{
    (void)state;
    struct slice in =
        text_on_guard("1;CallerMediaDebug=\"audio:ICEWarn=0xZZ,ICEWarnEx=0x123456789,"
                      "LocalMRTCPPort=70000,RemoteMRTCPPort=x,PortRange=5,LocalLocation=x,"
                      "RemoteLocation=,FederationType=200\"");
    struct ms_diag d = parse(in);
    const struct media_debug *m = &d.media[0];
    assert_false(m->has_icewarn || m->has_icewarn_ex);
    assert_int_equal(m->local_mrtcp, 0);
    assert_int_equal(m->remote_mrtcp, 0);
    assert_int_equal(m->port_low, 0);
    assert_int_equal(m->port_high, 0);
    assert_int_equal(m->local_location, -1);
    assert_int_equal(m->remote_location, -1);
    assert_int_equal(m->federation, -1);
    text_free(in);
}

/* P§3.4: the sums that were published */
static void published_values_are_sums_of_known_bits(void **state)
{
    static const struct {
        uint32_t value, bits[6];
    } cases[] = {
        {0x320, {0x200, 0x100, 0x20}},
        {0x12B, {0x100, 0x20, 0x8, 0x2, 0x1}},
        {0x4000320, {0x4000000, 0x200, 0x100, 0x20}},
        {0x40003A0, {0x4000000, 0x200, 0x100, 0x80, 0x20}},
        {0x8000100, {0x8000000, 0x100}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t rest = cases[i].value;
        for (size_t b = 0; cases[i].bits[b]; b++) {
            const struct icewarn_bit *known = icewarn_bit(cases[i].bits[b]);
            assert_int_equal(known->bit, cases[i].bits[b]);
            assert_null(strstr(known->text, "not publicly documented"));
            rest &= ~known->bit;
        }
        assert_int_equal(rest, 0);
    }
}

static void every_bit_has_an_entry_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(n_icewarn_bits, 29);
    for (unsigned i = 0; i < 32; i++) {
        const struct icewarn_bit *b = icewarn_bit(1u << i);
        assert_int_equal(b->bit, 1u << i);
        assert_int_equal(b->text[strlen(b->text) - 1], '.');
        if (i < 29)
            assert_ptr_equal(b, &icewarn_bits[i]);
        else
            assert_non_null(strstr(b->text, "not publicly documented"));
        for (unsigned j = 0; j < i && i < 29; j++)
            assert_string_not_equal(b->text, icewarn_bits[j].text);
    }
    assert_int_equal(icewarn_bit(0)->bit, 0);
    assert_int_equal(icewarn_bit(3)->bit, 0);
}

static void bits_that_mean_nothing_in_a_connected_call_are_expected(void **state)
{
    (void)state;
    for (unsigned i = 0; i < n_icewarn_bits; i++)
        if (icewarn_bits[i].bit & ICEWARN_BENIGN)
            assert_true(icewarn_bits[i].expected);
    assert_int_equal(ICEWARN_BENIGN, 0x100 | 0x200 | 0x1000 | 0x100000 | 0x1000000);
    assert_false(icewarn_bit(0x4000000)->expected);
    assert_true(icewarn_bit(0x4000000)->can_break_ice);
    assert_false(icewarn_bit(0x1)->expected);
    assert_false(icewarn_bit(0x1000)->can_break_ice);
}

static void media_failures(void **state)
{
    static const struct {
        const char *value;
        bool failure;
    } cases[] = {
        {"20", false},
        {"21", true},
        {"36", true},
        {"37", false},
        {"52031", true},
        {"51004;reason=\"Action initiated by user\"", false},
        {"51007;reason=\"Callee media connectivity diagnosis info\"", false},
        {"99;reason=\"Call terminated on a Mid-Call Media Failure\"", true},
        {"99;reason=\"Call failed due to MEDIA CONNECTIVITY failure\"", true},
        {"99;reason=\"Call failed\"", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ms_diag d = parse(slice_str(cases[i].value));
        if (ms_diag_is_media_failure(&d) != cases[i].failure)
            fail_msg("%s", cases[i].value);
    }
}

static void ids_have_texts(void **state)
{
    static const uint32_t known[] = {4,     21,    22,    24,    25,    36,   1000,
                                     1034,  1999,  7000,  7001,  7003,  7008, 7009,
                                     51004, 51007, 52017, 52031, 52035, 52063};
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_non_null(ms_diag_code_text(known[i]));
    assert_null(ms_diag_code_text(0));
    assert_null(ms_diag_code_text(37));
    assert_null(ms_diag_code_text(2000));
    assert_non_null(strstr(ms_diag_code_text(23), "internal and a remote"));
    assert_non_null(strstr(ms_diag_code_text(51007), "not an error"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_of_the_first_report),
        cmocka_unit_test(the_header_of_the_second_report),
        cmocka_unit_test(a_header_cut_anywhere_is_read_to_the_cut),
        cmocka_unit_test(parameters_in_every_spelling),
        cmocka_unit_test(parameters_one_after_another),
        cmocka_unit_test(error_ids),
        cmocka_unit_test(blocks_of_several_media),
        cmocka_unit_test(fields_are_walked_past_empty_items),
        cmocka_unit_test(addresses_with_typing_mistakes),
        cmocka_unit_test(numbers_that_are_none_are_absent),
        cmocka_unit_test(published_values_are_sums_of_known_bits),
        cmocka_unit_test(every_bit_has_an_entry_of_its_own),
        cmocka_unit_test(bits_that_mean_nothing_in_a_connected_call_are_expected),
        cmocka_unit_test(media_failures),
        cmocka_unit_test(ids_have_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
