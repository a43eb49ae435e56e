/* HEP: what Kamailio 5.6.3's siptrace sends for one message in each version, every chunk, and
 * damage. */
#include "flows/wire/hep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/help/text.h"

#define SIP "SIP/2.0 200 OK\r\n\r\n"

/* The head as Kamailio sent it; only the two lengths are those of the shorter message. */
static const char kamailio3[] = "HEP3\0\x75"
                                "\0\0\0\x01\0\x07\x02"
                                "\0\0\0\x02\0\x07\x11"
                                "\0\0\0\x03\0\x0a\x7f\0\0\x01"
                                "\0\0\0\x04\0\x0a\x7f\0\0\x02"
                                "\0\0\0\x07\0\x08\x3a\xd4"
                                "\0\0\0\x08\0\x08\x3a\xe8"
                                "\0\0\0\x09\0\x0a\x6b\x0a\x27\x12"
                                "\0\0\0\x0a\0\x0a\0\x05\xa3\x31"
                                "\0\0\0\x0b\0\x07\x01"
                                "\0\0\0\x0c\0\x0a\0\0\x07\xd1"
                                "\0\0\0\x0f\0\x18" SIP;
static const char kamailio2[] = "\x02\x10\x02\x11\x3a\xd4\x3a\xe8\x7f\0\0\x01\x7f\0\0\x02"
                                "\xe3\x26\x0a\x6b\x6f\x4b\x04\0\xd1\x07\0\0" SIP;
static const char kamailio1[] = "\x01\x10\x02\x11\x3a\xd4\x3a\xe8\x7f\0\0\x01\x7f\0\0\x02" SIP;

#define BYTES(text) slice_of(text, sizeof(text) - 1)

static void assert_endpoint(const struct endpoint *e, const char *want)
{
    char text[ENDPOINT_TEXT];
    assert_string_equal(endpoint_text(e, text), want);
}

static struct hep_msg parsed(struct slice bytes, bool datagram)
{
    struct hep_msg m = {0};
    struct slice in = slice_of(guard_copy(bytes.p, bytes.n), bytes.n);
    assert_int_equal(hep_parse(in, datagram, &m, NULL), WIRE_OK);
    assert_int_equal(m.size, bytes.n);
    assert_ptr_equal(m.payload.p + m.payload.n, in.p + in.n);
    m.payload.p = bytes.p + bytes.n - m.payload.n;
    text_free(in);
    return m;
}

static void version_3_of_kamailio(void **state)
{
    (void)state;
    for (int datagram = 0; datagram < 2; datagram++) {
        struct hep_msg m = parsed(BYTES(kamailio3), datagram);
        assert_int_equal(m.version, 3);
        assert_endpoint(&m.src, "127.0.0.1:15060");
        assert_endpoint(&m.dst, "127.0.0.2:15080");
        assert_int_equal(m.ip_proto, 17);
        assert_true(m.has_time);
        assert_int_equal(m.seconds, 1795827474); /* the day that it was sent */
        assert_int_equal(m.micros, 369457);
        assert_int_equal(m.type, HEP_SIP);
        assert_int_equal(m.agent, 2001);
        assert_text(m.payload, SIP);
    }
}

static void versions_2_and_1_of_kamailio(void **state)
{
    (void)state;
    struct hep_msg m = parsed(BYTES(kamailio2), true);
    assert_int_equal(m.version, 2);
    assert_endpoint(&m.src, "127.0.0.1:15060");
    assert_endpoint(&m.dst, "127.0.0.2:15080");
    assert_int_equal(m.ip_proto, 17);
    assert_true(m.has_time);
    assert_int_equal(m.seconds, 1795827427);
    assert_int_equal(m.micros, 281455);
    assert_int_equal(m.agent, 2001);
    assert_text(m.payload, SIP);

    m = parsed(BYTES(kamailio1), true);
    assert_int_equal(m.version, 1);
    assert_endpoint(&m.dst, "127.0.0.2:15080");
    assert_false(m.has_time);
    assert_text(m.payload, SIP);
}

static void ipv6_and_what_is_not_known(void **state)
{
    static const char bytes[] = "HEP3\0\x68"
                                "\0\0\0\x01\0\x07\x0a"
                                "\0\0\0\x05\0\x16\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
                                "\0\0\0\x06\0\x16\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"
                                "\0\0\0\x07\0\x08\x13\xc4"
                                "\0\0\0\x0e\0\x0cSECRET" /* the authentication key */
                                "\0\x01\0\x0f\0\x0a"
                                "FAKE" /* another vendor's chunk of the payload's number */
                                "\0\0\x7f\xff\0\x06"
                                "\0\0\0\x0f\0\x0bREST!";
    (void)state;
    struct hep_msg m = parsed(BYTES(bytes), false);
    assert_endpoint(&m.src, "[2001:db8::1]:5060");
    assert_int_equal(m.dst.port, 0);
    assert_false(m.has_time);
    assert_int_equal(m.type, HEP_SIP); /* not told: SIP is what HEP was made for */
    assert_int_equal(m.ip_proto, 0);
    assert_text(m.payload, "REST!");
}

static void another_protocol_and_deflated_payload(void **state)
{
    static const char rtcp[] = "HEP3\0\x18\0\0\0\x0b\0\x07\x05\0\0\0\x0f\0\x0bJSON.";
    static const char deflated[] = "HEP3\0\x11\0\0\0\x10\0\x0bxxxxx";
    struct hep_msg m = {0};
    (void)state;
    assert_int_equal(parsed(BYTES(rtcp), true).type, 5);
    assert_int_equal(hep_parse(BYTES(deflated), true, &m, NULL), WIRE_OK);
    assert_true(m.compressed);
    assert_int_equal(m.payload.n, 0);
}

static void a_stream_asks_for_what_is_missing(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof kamailio3 - 1; n++) {
        struct slice in = text_cut(kamailio3, n);
        struct wire_fault fault = {0};
        struct hep_msg m = {.agent = 77};
        assert_int_equal(hep_parse(in, false, &m, &fault), WIRE_MORE);
        assert_int_equal(fault.offset, n < 6 ? 6 : sizeof kamailio3 - 1);
        assert_int_equal(m.agent, 77);
        text_free(in);
    }
}

static void cut_datagrams_are_bad(void **state)
{
    static const struct {
        const char *bytes;
        size_t n, whole; /* from here on a cut only shortens the payload */
    } cases[] = {{kamailio3, sizeof kamailio3 - 1, sizeof kamailio3 - 1},
                 {kamailio2, sizeof kamailio2 - 1, 28},
                 {kamailio1, sizeof kamailio1 - 1, 16}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t n = 0; n < cases[i].n; n++) {
            struct slice in = text_cut(cases[i].bytes, n);
            struct hep_msg m = {.agent = 77};
            enum wire_result r = hep_parse(in, true, &m, NULL);
            assert_int_equal(r, n < cases[i].whole ? WIRE_BAD : WIRE_OK);
            if (r == WIRE_BAD)
                assert_int_equal(m.agent, 77);
            text_free(in);
        }
}

static void damage_is_bad(void **state)
{
    static const struct {
        const char *what, *bytes;
        size_t n;
    } cases[] = {
#define CASE(what, text) {what, text, sizeof(text) - 1}
        CASE("nothing", ""),
        CASE("another magic", "HEP4\0\x06"),
        CASE("SIP", "INVITE sip:a@b SIP/2.0\r\n"),
        CASE("a length below the head", "HEP3\0\x05"),
        CASE("a length beyond the datagram", "HEP3\0\x07"),
        CASE("a cut chunk head", "HEP3\0\x0b\0\0\0\x01\0"),
        CASE("a chunk of no length", "HEP3\0\x0c\0\0\0\x01\0\0"),
        CASE("a chunk shorter than its head", "HEP3\0\x0c\0\0\0\x01\0\x05"),
        CASE("a chunk beyond the message", "HEP3\0\x0d\0\0\0\x02\0\x08\x11"),
        CASE("a port of one byte", "HEP3\0\x0d\0\0\0\x07\0\x07\x11"),
        CASE("an IPv4 address of five bytes", "HEP3\0\x11\0\0\0\x03\0\x0b\1\2\3\4\5"),
        CASE("an IPv6 address of four bytes", "HEP3\0\x10\0\0\0\x05\0\x0a\1\2\3\4"),
        CASE("a million microseconds", "HEP3\0\x10\0\0\0\x0a\0\x0a\0\x0f\x42\x40"),
        CASE(
            "addresses of two families",
            "HEP3\0\x26\0\0\0\x03\0\x0a\1\2\3\4\0\0\0\x06\0\x16\x20\1\0\0\0\0\0\0\0\0\0\0\0\0\0\2"),
        CASE("version 2 with a head for IPv6 and addresses of IPv4",
             "\x02\x28\x02\x11\x3a\xd4\x3a\xe8\x7f\0\0\x01\x7f\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\0"),
        CASE("a binding request", "\0\1\0\0\x21\x12\xa4\x42\0\0\0\0\0\0\0\0\0\0\0\0"),
#undef CASE
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice in = text_cut(cases[i].bytes, cases[i].n);
        struct wire_fault fault = {0};
        struct hep_msg m = {.agent = 77};
        if (hep_parse(in, true, &m, &fault) != WIRE_BAD)
            fail_msg("%s: not bad", cases[i].what);
        assert_non_null(fault.reason);
        assert_int_equal(m.agent, 77);
        text_free(in);
    }
}

static void every_value_of_every_byte_is_survived(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } all[] = {{kamailio3, sizeof kamailio3 - 1},
               {kamailio2, sizeof kamailio2 - 1},
               {kamailio1, sizeof kamailio1 - 1}};
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (size_t at = 0; at < all[i].n; at++)
            for (unsigned value = 0; value < 256; value += 3) {
                uint8_t *copy = guard_copy(all[i].bytes, all[i].n);
                struct hep_msg m;
                copy[at] = (uint8_t)value;
                if (hep_parse(slice_of(copy, all[i].n), true, &m, NULL) == WIRE_OK)
                    assert_true(m.payload.n == 0 || (m.payload.p > copy &&
                                                     m.payload.p + m.payload.n <= copy + all[i].n));
                guard_free(copy, all[i].n);
            }
}

static void what_looks_like_hep(void **state)
{
    (void)state;
    assert_true(hep_looks_like(BYTES(kamailio3)));
    assert_true(hep_looks_like(BYTES(kamailio2)));
    assert_true(hep_looks_like(BYTES(kamailio1)));
    assert_false(hep_looks_like(BYTES("HEP3\0")));
    assert_false(hep_looks_like(BYTES("HELO some text")));
    /* STUN: an error of no method, as long as a HEP2 head would be */
    assert_false(hep_looks_like(BYTES("\x01\x11\0\x08\x21\x12\xa4\x42\0\0\0\0\0\0\0\0\0\0\0\0")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_3_of_kamailio),
        cmocka_unit_test(versions_2_and_1_of_kamailio),
        cmocka_unit_test(ipv6_and_what_is_not_known),
        cmocka_unit_test(another_protocol_and_deflated_payload),
        cmocka_unit_test(a_stream_asks_for_what_is_missing),
        cmocka_unit_test(cut_datagrams_are_bad),
        cmocka_unit_test(damage_is_bad),
        cmocka_unit_test(every_value_of_every_byte_is_survived),
        cmocka_unit_test(what_looks_like_hep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
