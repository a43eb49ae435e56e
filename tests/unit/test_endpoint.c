/* Addresses and endpoints: text both ways, order, what is private. */
#include "capture/endpoint.h"

#include "capture/digits.h"
#include "tests/help/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static bool parse(const char *text, struct addr *out)
{
    size_t n = strlen(text);
    uint8_t *copy = guard_copy(text, n);
    bool ok = addr_parse(slice_of(copy, n), out);
    guard_free(copy, n);
    return ok;
}

static bool parse_endpoint(const char *text, struct endpoint *out)
{
    size_t n = strlen(text);
    uint8_t *copy = guard_copy(text, n);
    bool ok = endpoint_parse(slice_of(copy, n), out);
    guard_free(copy, n);
    return ok;
}

static void addresses_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } texts[] = {
        {"1.2.3.4", "1.2.3.4"},           {"255.255.255.255", "255.255.255.255"},
        {"2001:DB8::0:1", "2001:db8::1"}, {"[2001:db8::1]", "2001:db8::1"},
        {"fe80::1%eth0", "fe80::1"},      {"::ffff:10.0.0.1", "10.0.0.1"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct addr a;
        char text[ADDR_TEXT];
        assert_true(parse(texts[i].in, &a));
        assert_string_equal(addr_text(&a, text), texts[i].out);
    }
}

static void assert_digits(uint64_t v)
{
    char want[DIGITS_MOST + 1], got[DIGITS_MOST + 1];
    snprintf(want, sizeof want, "%llu", (unsigned long long)v);
    *digits_put(got, v) = 0;
    assert_string_equal(got, want);
}

static void numbers_are_written_as_printf_does(void **state)
{
    (void)state;
    for (uint64_t v = 0; v < 70000; v++)
        assert_digits(v);
    for (uint64_t power = 1; power < UINT64_MAX / 10; power *= 10)
        for (uint64_t v = power * 10 - 2; v < power * 10 + 2; v++)
            assert_digits(v);
    for (unsigned bits = 0; bits < 64; bits++)
        assert_digits(UINT64_MAX >> bits);
}

static void octets_are_written_as_printf_does(void **state)
{
    (void)state;
    for (unsigned v = 0; v < 256; v++) {
        const uint8_t b[] = {(uint8_t)v, 0, (uint8_t)(255 - v), (uint8_t)v};
        char want[DIGITS_ADDR4 + 1], got[DIGITS_ADDR4 + 1];
        snprintf(want, sizeof want, "%u.0.%u.%u", v, 255 - v, v);
        *digits_put_addr4(got, b) = 0;
        assert_string_equal(got, want);
    }
}

static void what_is_no_address_leaves_the_output_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "1.2.3.",
        ".1.2.3",
        "1..2.3",
        "1.2.3.4x",
        "01234.1.1.1",
        "a.b.c.d",
        "host.local",
        "2001::db8::1",
        "[::1",
        "%eth0",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999",
        "[]",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct addr a = addr_v4(42);
        if (parse(texts[i], &a) || addr_v4_of(&a) != 42)
            fail_msg("\"%s\" was taken for an address", texts[i]);
    }
}

static void endpoints_are_read_and_written(void **state)
{
    (void)state;
    static const char *const good[] = {"1.2.3.4:5", "10.0.0.1:65535", "[2001:db8::1]:443"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct endpoint e;
        char text[ENDPOINT_TEXT];
        assert_true(parse_endpoint(good[i], &e));
        assert_string_equal(endpoint_text(&e, text), good[i]);
    }
    static const char *const bad[] = {"",
                                      "1.2.3.4",
                                      "1.2.3.4:",
                                      "1.2.3.4:0",
                                      ":5",
                                      "1.2.3.4:65536",
                                      "1.2.3.4:123456",
                                      "1.2.3.4:5x",
                                      "2001:db8::1",
                                      "[2001:db8::1]",
                                      "[2001:db8::1:5",
                                      "host:5"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct endpoint e;
        if (parse_endpoint(bad[i], &e))
            fail_msg("\"%s\" was taken for an endpoint", bad[i]);
    }
}

static void nothing_has_no_text(void **state)
{
    (void)state;
    struct endpoint e = {0};
    char text[ENDPOINT_TEXT] = "x";
    assert_true(endpoint_none(&e));
    assert_string_equal(endpoint_text(&e, text), "");
    struct addr any = addr_v4(0);
    assert_true(addr_none(&any));
}

/* RFC 1918, 3927, 4193, 4291, 6598, each with its neighbours outside. */
static void private_addresses_are_known(void **state)
{
    (void)state;
    static const char *const private[] = {"10.0.0.0",        "10.255.255.255",
                                          "172.16.0.0",      "172.31.255.255",
                                          "192.168.0.1",     "100.64.0.0",
                                          "100.127.255.255", "169.254.1.1",
                                          "127.0.0.1",       "fc00::1",
                                          "fdff::1",         "fe80::1",
                                          "febf::1",         "::1"};
    static const char *const public[] = {
        "9.255.255.255", "11.0.0.0",       "172.15.255.255", "172.32.0.0",  "192.167.255.255",
        "192.169.0.0",   "100.63.255.255", "100.128.0.0",    "169.253.0.1", "128.0.0.1",
        "fe00::1",       "fec0::1",        "2001:db8::1",    "::2"};
    struct addr a;
    for (size_t i = 0; i < sizeof private / sizeof *private; i++)
        assert_true(parse(private[i], &a) && addr_is_private(&a));
    for (size_t i = 0; i < sizeof public / sizeof *public; i++)
        assert_true(parse(public[i], &a) && !addr_is_private(&a));
}

static void order_is_by_address_then_port(void **state)
{
    (void)state;
    struct endpoint a, b, c;
    assert_true(parse_endpoint("1.2.3.4:9", &a) && parse_endpoint("1.2.3.4:10", &b) &&
                parse_endpoint("1.2.3.5:1", &c));
    assert_true(endpoint_cmp(&a, &b) < 0 && endpoint_cmp(&b, &c) < 0 && endpoint_cmp(&c, &a) > 0);
    assert_int_equal(endpoint_cmp(&a, &a), 0);
}

static void the_seed_and_every_part_change_the_hash(void **state)
{
    (void)state;
    struct endpoint a, b;
    assert_true(parse_endpoint("1.2.3.4:9", &a) && parse_endpoint("1.2.3.4:10", &b));
    assert_int_equal(endpoint_hash(&a, 1), endpoint_hash(&a, 1));
    assert_int_not_equal(endpoint_hash(&a, 1), endpoint_hash(&a, 2));
    assert_int_not_equal(endpoint_hash(&a, 1), endpoint_hash(&b, 1));
    assert_int_not_equal(endpoint_hash2(&a, &b, 1), endpoint_hash2(&b, &a, 1));
    assert_int_not_equal(endpoint_hash2(&a, &b, 1), endpoint_hash2(&a, &b, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_written),
        cmocka_unit_test(numbers_are_written_as_printf_does),
        cmocka_unit_test(octets_are_written_as_printf_does),
        cmocka_unit_test(what_is_no_address_leaves_the_output_alone),
        cmocka_unit_test(endpoints_are_read_and_written),
        cmocka_unit_test(nothing_has_no_text),
        cmocka_unit_test(private_addresses_are_known),
        cmocka_unit_test(order_is_by_address_then_port),
        cmocka_unit_test(the_seed_and_every_part_change_the_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
