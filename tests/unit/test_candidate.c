/* Candidate lines: RFC 8839, RFC 6544, MS-ICE2 and legacy MS-ICE, and what is tolerated. */
#include "flows/wire/sdp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/help/text.h"

struct expected {
    const char *line;
    const char *foundation;
    unsigned component, transport, type, dialect;
    uint32_t priority;
    const char *at, *related, *name, *ufrag;
};

static const struct expected good[] = {
    /* first field report */
    {"1 1 TCP-PASS 2120613887 10.98.2.1 21916 typ host", "1", 1, CAND_TCP_PASS, CAND_HOST,
     DIALECT_MS_ICE2, 2120613887, "10.98.2.1:21916", "", "", ""},
    {"2 2 TCP-ACT 2121006078 10.98.2.1 18574 typ host ", "2", 2, CAND_TCP_ACT, CAND_HOST,
     DIALECT_MS_ICE2, 2121006078, "10.98.2.1:18574", "", "", ""},
    {"3 1 TCP-PASS 6556159 2.2.2.2 58138 typ relay raddr 10.98.2.1 rport 13211 \r", "3", 1,
     CAND_TCP_PASS, CAND_RELAY, DIALECT_MS_ICE2, 6556159, "2.2.2.2:58138", "10.98.2.1:13211", "",
     ""},
    /* RFC 8839 §5.1 */
    {"1 1 UDP 2130706431 203.0.113.141 8998 typ host", "1", 1, CAND_UDP, CAND_HOST, DIALECT_RFC5245,
     2130706431, "203.0.113.141:8998", "", "", ""},
    {"2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998", "2", 1,
     CAND_UDP, CAND_SRFLX, DIALECT_RFC5245, 1694498815, "192.0.2.3:45664", "203.0.113.141:8998", "",
     ""},
    /* RFC 6544 */
    {"1 1 TCP 2128609279 192.0.2.1 9 typ host tcptype active", "1", 1, CAND_TCP_ACT, CAND_HOST,
     DIALECT_RFC6544, 2128609279, "192.0.2.1:9", "", "", ""},
    {"2 1 TCP 2124414975 192.0.2.1 8998 typ host tcptype passive", "2", 1, CAND_TCP_PASS, CAND_HOST,
     DIALECT_RFC6544, 2124414975, "192.0.2.1:8998", "", "", ""},
    {"3 1 tcp 1684013055 192.0.2.3 45687 typ srflx raddr 192.0.2.1 rport 9 tcptype SO", "3", 1,
     CAND_TCP_SO, CAND_SRFLX, DIALECT_RFC6544, 1684013055, "192.0.2.3:45687", "192.0.2.1:9", "",
     ""},
    /* TCP without tcptype: the port decides */
    {"3 1 TCP 1 192.0.2.3 5000 typ host", "3", 1, CAND_TCP_PASS, CAND_HOST, DIALECT_RFC6544, 1,
     "192.0.2.3:5000", "", "", ""},
    {"3 1 TCP 1 192.0.2.3 0 typ host", "3", 1, CAND_TCP_ACT, CAND_HOST, DIALECT_RFC6544, 1,
     "192.0.2.3:0", "", "", ""},
    {"3 1 TCP 1 192.0.2.3 5000 typ host tcptype odd", "3", 1, CAND_TCP_PASS, CAND_HOST,
     DIALECT_RFC6544, 1, "192.0.2.3:5000", "", "", ""},
    /* legacy, P§2.2 */
    {"kQ3vX0b1c2D4e5F6g7H8i9J0kLmNoPqRsTuVwXyZ123 1 a1B2c3D4e5F6g7H8i9J0kL TCP 0.250 198.51.100.7 "
     "53012 ",
     "kQ3vX0b1c2D4e5F6g7H8i9J0kLmNoPqRsTuVwXyZ123", 1, CAND_TCP_PASS, CAND_TYPE_UNKNOWN,
     DIALECT_MS_ICE, 250, "198.51.100.7:53012", "", "", ""},
    {"u 2 p/+x UDP 0.83 10.1.2.3 50000", "u", 2, CAND_UDP, CAND_TYPE_UNKNOWN, DIALECT_MS_ICE, 830,
     "10.1.2.3:50000", "", "", ""},
    {"u 2 p UDP 1 10.1.2.3 50000", "u", 2, CAND_UDP, CAND_TYPE_UNKNOWN, DIALECT_MS_ICE, 1000,
     "10.1.2.3:50000", "", "", ""},
    {"u 2 p UDP 0.45678 10.1.2.3 50000", "u", 2, CAND_UDP, CAND_TYPE_UNKNOWN, DIALECT_MS_ICE, 456,
     "10.1.2.3:50000", "", "", ""},
    /* browsers: extensions, mDNS names, hidden related address */
    {"842163049 1 udp 1677729535 192.0.2.9 61665 typ srflx raddr 0.0.0.0 rport 0 generation 0 "
     "ufrag "
     "k3Tz network-cost 999",
     "842163049", 1, CAND_UDP, CAND_SRFLX, DIALECT_RFC5245, 1677729535, "192.0.2.9:61665", "", "",
     "k3Tz"},
    {"1 1 udp 2113937151 4f2a1b7c-11d2-4e0a-9c1d-0123456789ab.local 54400 typ host", "1", 1,
     CAND_UDP, CAND_HOST, DIALECT_RFC5245, 2113937151, ":54400", "",
     "4f2a1b7c-11d2-4e0a-9c1d-0123456789ab.local", ""},
    {"1 1 UDP 2113937151 edge.partner.example 3478 typ relay", "1", 1, CAND_UDP, CAND_RELAY,
     DIALECT_RFC5245, 2113937151, ":3478", "", "edge.partner.example", ""},
    /* IPv6, with scope, upper case words, any spacing */
    {"1 1 UDP 33553407 2001:0:5ef5:79fd:0:1:2:3 50010 typ host", "1", 1, CAND_UDP, CAND_HOST,
     DIALECT_RFC5245, 33553407, "[2001:0:5ef5:79fd:0:1:2:3]:50010", "", "", ""},
    {"1 1 Tcp-Pass 1 fe80::1%12 50010 TYP HOST", "1", 1, CAND_TCP_PASS, CAND_HOST, DIALECT_MS_ICE2,
     1, "[fe80::1]:50010", "", "", ""},
    {"  9\t256  TCP-SO   4294967295 1.2.3.4   65535  typ  prflx  raddr  ::1  rport  65535 ", "9",
     256, CAND_TCP_SO, CAND_PRFLX, DIALECT_MS_ICE2, 4294967295u, "1.2.3.4:65535", "[::1]:65535", "",
     ""},
    /* cut off, or odd behind the port */
    {"3 1 TCP-PASS 6556159 2.2.2.2 58138 typ relay raddr 10.98.2.1 rport", "3", 1, CAND_TCP_PASS,
     CAND_RELAY, DIALECT_MS_ICE2, 6556159, "2.2.2.2:58138", "10.98.2.1:0", "", ""},
    {"3 1 TCP-PASS 6556159 2.2.2.2 58138 typ relay raddr", "3", 1, CAND_TCP_PASS, CAND_RELAY,
     DIALECT_MS_ICE2, 6556159, "2.2.2.2:58138", "", "", ""},
    {"3 1 TCP-PASS 6556159 2.2.2.2 58138 typ relay rport 5", "3", 1, CAND_TCP_PASS, CAND_RELAY,
     DIALECT_MS_ICE2, 6556159, "2.2.2.2:58138", "", "", ""},
    {"3 1 TCP-PASS 6556159 2.2.2.2 58138 typ relay raddr 10.0.0.1 rport 65536", "3", 1,
     CAND_TCP_PASS, CAND_RELAY, DIALECT_MS_ICE2, 6556159, "2.2.2.2:58138", "10.0.0.1:0", "", ""},
    {"3 1 TCP-PASS 6556159 2.2.2.2 58138", "3", 1, CAND_TCP_PASS, CAND_RELAY, DIALECT_MS_ICE2,
     6556159, "2.2.2.2:58138", "", "", ""},
    {"3 1 TCP-ACT 1684797951 2.2.2.2 58138 typ", "3", 1, CAND_TCP_ACT, CAND_SRFLX, DIALECT_MS_ICE2,
     1684797951, "2.2.2.2:58138", "", "", ""},
    {"3 1 UDP 2130706431 2.2.2.2 58138", "3", 1, CAND_UDP, CAND_HOST, DIALECT_RFC5245, 2130706431,
     "2.2.2.2:58138", "", "", ""},
    {"3 1 UDP 1862270975 2.2.2.2 58138", "3", 1, CAND_UDP, CAND_PRFLX, DIALECT_RFC5245, 1862270975,
     "2.2.2.2:58138", "", "", ""},
    {"3 1 UDP 33553407 2.2.2.2 58138", "3", 1, CAND_UDP, CAND_TYPE_UNKNOWN, DIALECT_RFC5245,
     33553407, "2.2.2.2:58138", "", "", ""},
    {"3 1 UDP 6556159 2.2.2.2 58138 typ nat64", "3", 1, CAND_UDP, CAND_TYPE_UNKNOWN,
     DIALECT_RFC5245, 6556159, "2.2.2.2:58138", "", "", ""},
};

static void check(const struct expected *e, const struct candidate *k)
{
    char at[ENDPOINT_TEXT], related[ENDPOINT_TEXT];
    assert_text(k->foundation, e->foundation);
    assert_int_equal(k->component, e->component);
    assert_int_equal(k->transport, e->transport);
    assert_int_equal(k->type, e->type);
    assert_int_equal(k->dialect, e->dialect);
    assert_int_equal(k->priority, e->priority);
    assert_string_equal(endpoint_text(&k->at, at), e->at);
    assert_string_equal(endpoint_text(&k->related, related), e->related);
    assert_text(k->name, e->name);
    assert_text(k->ufrag, e->ufrag);
}

static void every_dialect_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct slice in = text_on_guard(good[i].line);
        struct candidate k;
        struct wire_fault fault = {0};
        if (candidate_parse(in, &k, &fault) != WIRE_OK)
            fail_msg("%s: %s", good[i].line, fault.reason);
        check(&good[i], &k);
        text_free(in);
    }
}

static void a_line_cut_anywhere_is_read_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        for (size_t n = 0; n < strlen(good[i].line); n++) {
            struct slice in = text_cut(good[i].line, n);
            struct candidate k = {.component = 4711};
            enum wire_result r = candidate_parse(in, &k, NULL);
            assert_int_not_equal(r, WIRE_MORE);
            if (r == WIRE_BAD)
                assert_int_equal(k.component, 4711);
            text_free(in);
        }
}

static void other_lines_are_refused_with_a_reason(void **state)
{
    static const struct {
        const char *line, *reason;
    } bad[] = {
        {"", "candidate component"},
        {"1", "candidate component"},
        {"1 x UDP 1 1.2.3.4 5 typ host", "candidate component"},
        {"1 1000 UDP 1 1.2.3.4 5 typ host", "candidate component"},
        {"1 -1 UDP 1 1.2.3.4 5 typ host", "candidate component"},
        {"1 1 SCTP 1 1.2.3.4 5 typ host", "candidate transport"},
        {"1 1 TCP-XXX 1 1.2.3.4 5 typ host", "candidate transport"},
        {"1 1 TCP_PASS 1 1.2.3.4 5 typ host", "candidate transport"},
        {"u 1 password TCP-ACT 0.5 1.2.3.4 5", "candidate transport"},
        {"1 1 UDP 4294967296 1.2.3.4 5 typ host", "candidate priority"},
        {"1 1 UDP 12345678901 1.2.3.4 5 typ host", "candidate priority"},
        {"1 1 UDP 1.5 1.2.3.4 5 typ host", "candidate priority"},
        {"1 1 UDP", "candidate priority"},
        {"u 1 password UDP .5 1.2.3.4 5", "candidate priority"},
        {"u 1 password UDP 0,5 1.2.3.4 5", "candidate priority"},
        {"u 1 password UDP 0.5x 1.2.3.4 5", "candidate priority"},
        {"u 1 password UDP 12345 1.2.3.4 5", "candidate priority"},
        {"1 1 UDP 1 1.2.3.4.5 5 typ host", "candidate address"},
        {"1 1 UDP 1 a.2.3.4 5 typ host", "candidate address"},
        {"1 1 UDP 1 256.2.3.4 5 typ host", "candidate address"},
        {"1 1 UDP 1 fe80::zz 5 typ host", "candidate address"},
        {"1 1 UDP 1 a/b 5 typ host", "candidate address"},
        {"1 1 UDP 1", "candidate address"},
        {"1 1 UDP 1 1.2.3.4", "candidate port"},
        {"1 1 UDP 1 1.2.3.4 65536 typ host", "candidate port"},
        {"1 1 UDP 1 1.2.3.4 123456 typ host", "candidate port"},
        {"1 1 UDP 1 1.2.3.4 typ host", "candidate port"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct slice in = text_on_guard(bad[i].line);
        struct candidate k = {.component = 4711};
        struct wire_fault fault = {0};
        if (candidate_parse(in, &k, &fault) != WIRE_BAD)
            fail_msg("%s", bad[i].line);
        assert_string_equal(fault.reason, bad[i].reason);
        assert_in_range(fault.offset, 0, in.n);
        assert_int_equal(k.component, 4711);
        text_free(in);
    }
}

static void names_are_those_of_the_database(void **state)
{
    (void)state;
    assert_string_equal(cand_transport_name(CAND_UDP), "UDP");
    assert_string_equal(cand_transport_name(CAND_TCP_PASS), "TCP-PASS");
    assert_string_equal(cand_transport_name(CAND_TCP_ACT), "TCP-ACT");
    assert_string_equal(cand_transport_name(CAND_TCP_SO), "TCP-SO");
    assert_string_equal(cand_transport_name(200), "");
    assert_string_equal(cand_type_name(CAND_HOST), "host");
    assert_string_equal(cand_type_name(CAND_SRFLX), "srflx");
    assert_string_equal(cand_type_name(CAND_PRFLX), "prflx");
    assert_string_equal(cand_type_name(CAND_RELAY), "relay");
    assert_null(cand_type_name(CAND_TYPE_UNKNOWN));
    assert_string_equal(cand_dialect_name(DIALECT_MS_ICE), "ms-ice");
    assert_string_equal(cand_dialect_name(DIALECT_MS_ICE2), "ms-ice2");
    assert_string_equal(cand_dialect_name(DIALECT_RFC5245), "rfc5245");
    assert_string_equal(cand_dialect_name(DIALECT_RFC6544), "rfc6544");
    assert_string_equal(cand_dialect_name(DIALECT_DEFAULT), "default");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dialect_is_read),
        cmocka_unit_test(a_line_cut_anywhere_is_read_or_refused),
        cmocka_unit_test(other_lines_are_refused_with_a_reason),
        cmocka_unit_test(names_are_those_of_the_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
