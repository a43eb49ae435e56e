/* The command line: where options may stand, what is refused, and how that is said. */
#include "cli/options.h"

#include "cli/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "flows/hypothesis.h"

enum { MOST = 16 };

struct line {
    struct settings s;
    int argc, first;
    char *argv[MOST];
    char text[MOST][64];
    char why[256];
};

/* Splits at blanks and parses. */
static int parse(struct line *l, unsigned mask, const char *words)
{
    *l = (struct line){0};
    for (const char *p = words; *p && l->argc < MOST - 1;) {
        size_t n = strcspn(p, " ");
        memcpy(l->text[l->argc], p, n);
        l->argv[l->argc] = l->text[l->argc];
        l->argc++;
        p += n + (p[n] == ' ');
    }
    return options_parse(&l->s, mask, l->argc, l->argv, &l->first, l->why, sizeof l->why);
}

static void options_may_stand_on_both_sides_of_arguments(void **state)
{
    (void)state;
    struct line l;
    assert_int_equal(parse(&l, ON_READ, "read --sensor a x.pcap --nat 10.0.0.1=1.2.3.4 y.pcap"), 0);
    assert_string_equal(l.s.sensor, "a");
    assert_int_equal(l.s.nat.n, 1);
    assert_int_equal(l.argc - l.first, 2);
    assert_string_equal(l.argv[l.first], "x.pcap");
    assert_string_equal(l.argv[l.first + 1], "y.pcap");
    settings_free(&l.s);
}

static void options_before_the_command_leave_the_rest_alone(void **state)
{
    (void)state;
    struct line l;
    assert_int_equal(parse(&l, 0, "edgewatch --db x.db failures --all"), 0);
    assert_string_equal(l.s.db, "x.db");
    assert_string_equal(l.argv[l.first], "failures");
    settings_free(&l.s);
}

static void repeatable_options_add_up_and_others_replace(void **state)
{
    (void)state;
    struct line l;
    assert_int_equal(
        parse(&l, ON_MONITOR, "m -i eth1 --interface eth2 -i eth3 --sensor a --sensor b"), 0);
    assert_int_equal(l.s.interface.n, 3);
    assert_string_equal(l.s.interface.items[2], "eth3");
    assert_string_equal(l.s.sensor, "b");
    settings_free(&l.s);
}

static void the_same_name_means_what_the_command_means(void **state)
{
    (void)state;
    struct line l;
    assert_int_equal(parse(&l, ON_FAILURES, "failures --user bob"), 0);
    assert_string_equal(l.s.user, "bob");
    assert_null(l.s.account);
    settings_free(&l.s);
    assert_int_equal(parse(&l, ON_MONITOR, "monitor --user nobody"), 0);
    assert_string_equal(l.s.account, "nobody");
    assert_null(l.s.user);
    settings_free(&l.s);
}

static void refused(unsigned mask, const char *words, const char *because)
{
    struct line l;
    if (parse(&l, mask, words) == 0)
        fail_msg("\"%s\" was accepted", words);
    if (!strstr(l.why, because))
        fail_msg("\"%s\": told \"%s\", want \"%s\"", words, l.why, because);
    settings_free(&l.s);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    refused(ON_FAILURES, "failures --verdit refused", "did you mean --verdict?");
    refused(ON_FAILURES, "failures --snaplen 5", "unknown option --snaplen");
    refused(ON_FAILURES, "failures -x", "unknown option -x");
    refused(ON_FAILURES, "failures --since", "--since needs a value");
    refused(ON_FAILURES, "failures --since banana", "is not a time");
    refused(ON_FAILURES, "failures --verdict maybe", "is not a verdict");
    refused(ON_FAILURES, "failures --format html", "none of table, csv, json, jsonl");
    refused(ON_FAILURES, "failures --limit many", "is not a number");
    refused(ON_FAILURES, "failures --limit 0", "out of range");
    refused(ON_REPORT, "report --format csv", "none of text, html, json");
    refused(ON_REPORT, "report --by edge", "is not partner");
    refused(ON_READ, "read --nat 10.0.0.1", "PRIVATE=PUBLIC");
    refused(ON_READ, "read --nat a=b", "PRIVATE=PUBLIC");
    refused(ON_READ, "read --edge edge.example.org", "is not an IP address");
    refused(ON_READ, "read --sip-port 65536", "is not a port");
    refused(ON_READ, "read --relay-ports 59999-50000", "is not a port range");
    refused(ON_MONITOR, "monitor --ring-mb 5000", "out of range");
}

static void every_finding_can_be_asked_for(void **state)
{
    (void)state;
    for (const struct hypothesis *h = hypotheses_of_relay; h->code; h++)
        assert_null(check_finding(h->code));
    for (const struct hypothesis *h = hypotheses_of_path; h->code; h++)
        assert_null(check_finding(h->code));
    assert_null(check_finding("connection-table-limit"));
    assert_non_null(check_finding(""));
    assert_non_null(check_finding("silent"));
    assert_non_null(check_finding("silent-drop, tls-inspection-on-443"));
}

static void values_of_capture_options_are_read(void **state)
{
    (void)state;
    struct addr a, b, want;
    uint16_t low, high;
    assert_true(parse_nat("10.3.0.40=2.2.2.2", &a, &b));
    assert_true(addr_parse(slice_str("10.3.0.40"), &want));
    assert_true(addr_eq(&a, &want));
    assert_true(addr_parse(slice_str("2.2.2.2"), &want));
    assert_true(addr_eq(&b, &want));
    assert_true(parse_nat("fd00::1 = 2001:db8::1", &a, &b));
    assert_true(parse_ports("50000-59999", &low, &high));
    assert_int_equal(low, 50000);
    assert_int_equal(high, 59999);
    assert_false(parse_ports("-50000", &low, &high));
    assert_false(parse_ports("1-2-3", &low, &high));
}

static void the_nearest_name_is_near(void **state)
{
    (void)state;
    static const char *const names[] = {"read", "report", "show", "failures"};
    assert_string_equal(options_nearest("failurs", names, 4), "failures");
    assert_string_equal(options_nearest("raed", names, 4), "read");
    assert_null(options_nearest("frobnicate", names, 4));
}

static void no_two_options_of_a_command_share_a_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < n_option_defs; i++)
        for (unsigned k = i + 1; k < n_option_defs; k++) {
            const struct option_def *a = &option_defs[i], *b = &option_defs[k];
            if (!(a->commands & b->commands))
                continue;
            assert_string_not_equal(a->name, b->name);
            assert_true(!a->letter || a->letter != b->letter);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_may_stand_on_both_sides_of_arguments),
        cmocka_unit_test(options_before_the_command_leave_the_rest_alone),
        cmocka_unit_test(repeatable_options_add_up_and_others_replace),
        cmocka_unit_test(the_same_name_means_what_the_command_means),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(every_finding_can_be_asked_for),
        cmocka_unit_test(values_of_capture_options_are_read),
        cmocka_unit_test(the_nearest_name_is_near),
        cmocka_unit_test(no_two_options_of_a_command_share_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
