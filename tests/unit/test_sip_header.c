/* URIs out of header values, headers by name. */
#include "flows/wire/sip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/help/text.h"

static void uris_out_of_header_values(void **state)
{
    static const struct {
        const char *value, *uri;
    } cases[] = {
        {"\"Name, <x>\" <sip:u@h;p>;tag=1", "sip:u@h"},
        {"\"a \\\" <sip:no@x>\" <sips:u@h>", "sips:u@h"},
        {"sip:u@h;tag=1", "sip:u@h"},
        {"  Bob <sip:u@h:5061;transport=tls?subject=x@y>  ", "sip:u@h:5061"},
        {"<sip:+1555;phone-context=a.b@h;user=phone>", "sip:+1555;phone-context=a.b@h"},
        {"<tel:+1-201-555-0123;phone-context=x>;tag=2", "tel:+1-201-555-0123"},
        {"tel:+12015550123", "tel:+12015550123"},
        {"<sip:[2001:db8::1]:5060;lr>", "sip:[2001:db8::1]:5060"},
        {"<sip:u@h", "sip:u@h"},
        {"< sip:u@h >", "sip:u@h"},
        {"<sip:h;maddr=1.2.3.4>, <sip:other>", "sip:h"},
        {"sip:u@h, sip:v@h", "sip:u@h"},
        {"\"open quote <sip:u@h>", ""},
        {"*", "*"},
        {"<>", ""},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice in = text_on_guard(cases[i].value);
        assert_text(sip_uri_of(in), cases[i].uri);
        text_free(in);
    }
}

static struct sip_msg parse(struct slice in)
{
    struct sip_msg m;
    assert_int_equal(sip_parse(in, true, &m, NULL), WIRE_OK);
    return m;
}

static void headers_by_name_in_order(void **state)
{
    struct slice v;
    size_t pos = 0;
    (void)state;
    struct slice in = text_on_guard("SIP/2.0 200 OK\r\n"
                                    "Supported: histinfo\r\n"
                                    "Via: x\r\n"
                                    "supported :\r\n ms-conf-invite\r\n"
                                    "\r\n"
                                    "Supported: body\r\n");
    struct sip_msg m = parse(in);
    assert_true(sip_header_next(&m, "SUPPORTED", &pos, &v));
    assert_text(v, "histinfo");
    assert_true(sip_header_next(&m, "SUPPORTED", &pos, &v));
    assert_text(v, "ms-conf-invite");
    assert_false(sip_header_next(&m, "SUPPORTED", &pos, &v));
    assert_false(sip_header_next(&m, "SUPPORTED", &pos, &v));
    text_free(in);
}

static void headers_by_their_compact_form(void **state)
{
    static const struct {
        const char *name, *value;
    } cases[] = {
        {"Session-Expires", "90;refresher=uac"}, {"Event", "presence"}, {"Supported", "a"}};
    (void)state;
    struct sip_msg m = parse(
        slice_str("INVITE sip:b@x SIP/2.0\r\nk: a\r\nx: 90;refresher=uac\r\nO: presence\r\n\r\n"));
    struct slice v;
    size_t pos;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pos = 0;
        assert_true(sip_header_next(&m, cases[i].name, &pos, &v));
        assert_text(v, cases[i].value);
    }
    pos = 0;
    assert_false(sip_header_next(&m, "INVITE sip", &pos, &v)); /* the start line is none */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uris_out_of_header_values),
        cmocka_unit_test(headers_by_name_in_order),
        cmocka_unit_test(headers_by_their_compact_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
