/*
 * ICEWarn and diagnostics headers in plain words. Vectors: P§3.4 and the second field report.
 */
#include "report/diagnosis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/help/flat.h"

static char *text;
static size_t length;
static struct prose page;

static void begin(void)
{
    text = NULL;
    page = (struct prose){.out = open_memstream(&text, &length), .width = 80};
}

static void end(void)
{
    fclose(page.out);
}

static void value_is(const char *input, uint32_t want)
{
    uint32_t got = 0;
    if (!diagnosis_icewarn_parse(input, &got))
        fail_msg("\"%s\" is not read", input);
    assert_int_equal(got, want);
}

static void values_are_hexadecimal_with_and_without_mark(void **state)
{
    (void)state;
    uint32_t got;
    value_is("0x320", 0x320);
    value_is("320", 0x320);
    value_is("12B", 0x12b);
    value_is("0xdead", 0xdead);
    value_is("ICEWarn=0x4000320", 0x4000320);
    value_is("icewarn: 0x0", 0);
    assert_false(diagnosis_icewarn_parse("dead", &got));
    assert_false(diagnosis_icewarn_parse("", &got));
    assert_false(diagnosis_icewarn_parse("0x", &got));
    assert_false(diagnosis_icewarn_parse("0x123456789", &got));
    assert_false(diagnosis_icewarn_parse("24;reason=\"x\"", &got));
}

static void bits_of(uint32_t value, const char *sum, const char *verdict)
{
    begin();
    diagnosis_icewarn(&page, 0, value);
    end();
    if (!strstr(text, sum) || !strstr(text, verdict))
        fail_msg("0x%x:\n%s", value, text);
    free(text);
}

static void values_fall_into_bits(void **state)
{
    (void)state;
    bits_of(0, "ICEWarn 0x0\n", "had not run yet");
    bits_of(0x320, "0x320 = 0x20 + 0x100 + 0x200\n", "All of this is common");
    bits_of(0x12b, "0x12B = 0x1 + 0x2 + 0x8 + 0x20 + 0x100\n", "Out of the ordinary: 0x1, 0x8.");
    bits_of(0x40003a0, "0x20 + 0x80 + 0x100 + 0x200 + 0x4000000\n",
            "Out of the ordinary: 0x4000000.");
    bits_of(0x8000100, "0x8000100 = 0x100 + 0x8000000\n", "Out of the ordinary: 0x8000000.");
    bits_of(0x80000000, "ICEWarn 0x80000000\n", "not publicly documented");
}

static void header_tells(const char *header, const char *const want[])
{
    begin();
    assert_int_equal(diagnosis_header(&page, slice_str(header)), 0);
    end();
    for (; *want; want++)
        if (!flat_has(text, *want))
            fail_msg("\"%s\" is missing in:\n%s", *want, text);
    free(text);
}

#define REPORT2                                                                             \
    "24; reason= \"Call failed to establish due to a media connectivity failure when both " \
    "endpoints are remote\" ;CallerMediaDebug=\"application-sharing:ICEWarn=0x320,"         \
    "LocalSite=xx.xx.xx.x:xx,LocalMR=xx.xx.xx.xx:xx,RemoteSite=192.168.20.203:50045,"       \
    "PortRange=50040:50049,LocalMRTCPPort=57498,LocalLocation=1,RemoteLocation=1,"          \
    "FederationType=0\""

static const char *const report2[] = {"24",
                                      "both endpoints are remote",
                                      "What the caller says about application sharing",
                                      "ICEWarn 0x320",
                                      "192.168.20.203:50045",
                                      "xx.xx.xx.x:xx",
                                      "(RemoteMR) is missing",
                                      "Internet",
                                      NULL};

static void headers_are_read_with_and_without_their_name(void **state)
{
    (void)state;
    header_tells(REPORT2, report2);
    header_tells("ms-client-diagnostics: " REPORT2, report2);
    header_tells("  Ms-Client-Diagnostics:" REPORT2 "\r\n", report2);
    static const char *const server[] = {"1008", "\"Unable to resolve DNS SRV record\"",
                                         "sip.contoso.com", NULL};
    header_tells("ms-diagnostics: 1008;reason=\"Unable to resolve DNS SRV record\";"
                 "source=\"sip.contoso.com\"",
                 server);
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
    (void)state;
    begin();
    assert_int_equal(diagnosis_header(&page, slice_str("24;reason=\"a\033[2Jb\";x=\"\x9b"
                                                       "c\"")),
                     0);
    end();
    for (const char *p = text; *p; p++)
        assert_true(*p == '\n' || (unsigned char)*p >= 0x20);
    assert_non_null(strstr(text, "a?[2Jb"));
    assert_non_null(strstr(text, "?c"));
    free(text);
}

static void nonsense_is_refused_without_a_word(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "nonsense", "reason=24", "ms-client-diagnostics:", "24", ";;;"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        begin();
        int bad = diagnosis_header(&page, slice_str(wrong[i]));
        end();
        if (bad != -1 || length != 0)
            fail_msg("\"%s\" gave %d:\n%s", wrong[i], bad, text);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_hexadecimal_with_and_without_mark),
        cmocka_unit_test(values_fall_into_bits),
        cmocka_unit_test(headers_are_read_with_and_without_their_name),
        cmocka_unit_test(control_characters_do_not_reach_the_terminal),
        cmocka_unit_test(nonsense_is_refused_without_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
