/* The tracker and ICMP errors: what they say of a SYN, and for how long. */
#include "flows/tracker.h"

#include "tests/help/tracker_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define RELAY "10.3.0.40:58138"
#define PEER "1.1.1.1:50704"

static struct tracker_lab lab; /* large: reports */

static int set_up(void **state)
{
    (void)state;
    tracker_lab_open(&lab, 4096, 256);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tracker_lab_close(&lab);
    return 0;
}

static const struct attempt *only(enum verdict v)
{
    assert_int_equal(lab.reports, 1);
    assert_string_equal(verdict_name(lab.report[0].verdict), verdict_name(v));
    return lab.report;
}

static void icmp_that_quotes_the_syn_is_recorded_with_its_sender(void **state)
{
    (void)state;
    struct endpoint router = lab_end("192.0.2.1:1");
    lab_segment(&lab, 0, RELAY, PEER, LAB_SYN, 7, 0, 0);
    lab_icmp(&lab, 0.1, "192.0.2.9:1", 3, 4, PROTO_TCP, RELAY, PEER, 7);  /* too big: no verdict */
    lab_icmp(&lab, 0.1, "192.0.2.9:1", 11, 0, PROTO_TCP, RELAY, PEER, 7); /* nor this */
    lab_icmp(&lab, 0.1, "192.0.2.9:1", 3, 1, PROTO_TCP, RELAY, PEER, 8);  /* another SYN */
    lab_icmp(&lab, 0.2, "192.0.2.1:1", 3, 13, PROTO_TCP, RELAY, PEER, 7);
    lab_finish(&lab, 1);
    const struct attempt *a = only(VERDICT_UNREACHABLE);
    assert_int_equal(a->icmp_type, 3);
    assert_int_equal(a->icmp_code, 13);
    assert_true(addr_eq(&a->icmp_from, &router.addr));
    assert_int_equal(lab.proofs[0], 2);
    struct tracker_counts c;
    tracker_counts(lab.tracker, &c);
    assert_int_equal(c.icmp_errors, 4);
    assert_int_equal(c.icmp_unmatched, 3);
}

/* P§7.1: Windows sends at 0, 3 and 9 s, Linux at 0, 1, 3, 7 and 15 s */
static void icmp_leaves_time_for_the_next_retry(void **state)
{
    static const double windows[] = {0, 3, 9}, linux_syns[] = {0, 1, 3, 7, 15};
    const char *other = "10.3.0.40:58139";
    (void)state;
    for (int i = 0; i < 3; i++) {
        lab_segment(&lab, windows[i], RELAY, PEER, LAB_SYN, 7, 0, 0);
        lab_icmp(&lab, windows[i] + 0.02, "192.0.2.1:1", 3, 13, PROTO_TCP, RELAY, PEER, 7);
    }
    tracker_advance(lab.tracker, lab_at(19.1));
    assert_int_equal(only(VERDICT_UNREACHABLE)->syns, 3);
    for (int i = 0; i < 5; i++) {
        lab_segment(&lab, 20 + linux_syns[i], other, PEER, LAB_SYN, 8, 0, 0);
        lab_icmp(&lab, 20.02 + linux_syns[i], "192.0.2.1:1", 3, 1, PROTO_TCP, other, PEER, 8);
    }
    lab_finish(&lab, 100);
    assert_int_equal(lab.reports, 2);
    assert_int_equal(lab.report[1].syns, 5);
}

/* ... and 31 s: the verdict had been given */
static void an_attempt_told_as_failed_is_told_again_when_it_connects(void **state)
{
    (void)state;
    lab_segment(&lab, 0, RELAY, PEER, LAB_SYN, 100, 0, 0);
    lab_icmp(&lab, 0.02, "192.0.2.1:1", 3, 13, PROTO_TCP, RELAY, PEER, 100);
    tracker_advance(lab.tracker, lab_at(30));
    assert_true(only(VERDICT_UNREACHABLE) && lab.final[0]);
    lab_handshake(&lab, 31, RELAY, PEER);
    lab_segment(&lab, 32, RELAY, PEER, TCP_ACK, 101, 901, 100);
    lab_segment(&lab, 33, PEER, RELAY, TCP_ACK, 901, 201, 100);
    assert_int_equal(lab.reports, 2);
    assert_string_equal(verdict_name(lab.report[1].verdict), "connected");
    assert_int_equal(lab.report[1].id, lab.report[0].id);
    lab_finish(&lab, 60);
    assert_int_equal(lab.reports, 3);
    assert_true(lab.final[2] && lab.report[2].verdict == VERDICT_CONNECTED);
    assert_true(!lab.report[0].again && lab.report[1].again && lab.report[2].again);
    struct tracker_counts c;
    tracker_counts(lab.tracker, &c);
    assert_int_equal(c.midstream_flows, 0);
    assert_int_equal(c.attempts, 1);
}

static void icmpv6_has_its_own_type(void **state)
{
    (void)state;
    lab_segment(&lab, 0, "[2001:db8::1]:5", "[2001:db8::2]:80", LAB_SYN, 7, 0, 0);
    lab_icmp(&lab, 0.1, "[2001:db8::9]:1", 1, 0, PROTO_TCP, "[2001:db8::1]:5", "[2001:db8::2]:80",
             7);
    lab_finish(&lab, 1);
    assert_int_equal(only(VERDICT_UNREACHABLE)->icmp_type, 1);
    assert_int_equal(lab.report[0].icmp_code, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(icmp_that_quotes_the_syn_is_recorded_with_its_sender),
        TEST(icmp_leaves_time_for_the_next_retry),
        TEST(an_attempt_told_as_failed_is_told_again_when_it_connects),
        TEST(icmpv6_has_its_own_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
