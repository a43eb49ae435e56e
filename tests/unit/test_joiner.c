/*
 * Attempts, calls and allocations joined to pairs and judged. Each scene is a set of facts, told to
 * a joiner in every order unless the test is about what a later fact changes.
 */
#include "flows/joiner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/help/expect.h"
#include "tests/help/world.h"

/* ---- the federated incident ---- */

static void incident_without_signaling_is_grade_b(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_allocation(&w);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_of_incident());
    world_in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row,
                "relay-peer refused failure 10.3.0.40:58138>1.1.1.1:50704 (2.2.2.2>) "
                "a1 s3 r3 B relay-address,alias,send-destination confirmed");
    expect_text(s.rows[0].row, "client=10.98.2.1:13211");
    assert_int_equal(s.linked, 1);
    assert_int_equal(s.aliases, 1);
}

static void incident_with_signaling_alone_is_grade_a(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_call(&w);
    world_call(&w, 0);
    world_attempt(&w, attempt_of_incident());
    world_in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row,
                "relay-peer refused failure 10.3.0.40:58138>1.1.1.1:50704 (2.2.2.2>) "
                "a1 s3 r3 A alias,candidate,default-address confirmed");
    expect_text(s.rows[0].row, "call=a622d7b9f6464be3a455e6d98ec700b3 applicationsharing "
                               "[relay TCP-PASS 2.2.2.2:58138][default TCP-PASS 1.1.1.1:50704] "
                               "client=10.98.2.1:13211");
}

static void incident_with_both_has_all_keys(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_call(&w);
    world_incident_allocation(&w);
    world_allocation(&w, 0);
    world_call(&w, 0);
    world_attempt(&w, attempt_of_incident());
    world_in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row,
                "A relay-address,alias,send-destination,candidate,default-address,rport "
                "confirmed");
    expect_text(s.rows[0].row, "own-outbound-range-blocked far-side-refuses permission-race");
}

/* A connect that works, told beside its pair's failed one. */
static void retry_that_connects_withdraws_the_failure(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_call(&w);
    world_incident_allocation(&w);
    world_allocation(&w, 0);
    world_call(&w, 0);
    world_attempt(&w, attempt_of_incident());
    world_attempt(&w, attempt_make(0, "10.3.0.40:58138", "1.1.1.1:50704", VERDICT_CONNECTED, 63));
    world_in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 0);
    assert_int_equal(s.linked, 0);
    assert_int_equal(w.call[0].call.outcome, CALL_CONNECTED);
}

static void reverse_direction_that_connects_withdraws_it_too(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_allocation(&w);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_of_incident());
    world_attempt(&w, attempt_make(0, "1.1.1.1:50704", "10.3.0.40:58138", VERDICT_CONNECTED, 63));
    world_in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 0);
}

/* Refused from both sides: one pair, two attempts, told from the earlier one's side. */
static void both_directions_are_one_pair(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_call(&w);
    world_incident_allocation(&w);
    world_call(&w, 0);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_make(0, "1.1.1.1:50704", "10.3.0.40:58138", VERDICT_REFUSED, 52));
    world_attempt(&w, attempt_of_incident());
    world_in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row,
                "refused failure 1.1.1.1:50704>10.3.0.40:58138 (>2.2.2.2) a2 s4 r4 A");
    expect_text(s.rows[0].row, "[relay TCP-PASS 2.2.2.2:58138][default TCP-PASS 1.1.1.1:50704]");
    expect_text(s.rows[0].row, " permission-race"); /* our Send came at 53.067 */
}

/* Inside the NAT and outside: the same ISN, other source. */
static void both_sides_of_the_nat_count_once(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    struct attempt outside = attempt_of_incident();
    (void)state;
    world_incident_call(&w);
    world_incident_allocation(&w);
    outside.src = ep("2.2.2.2:58138");
    outside.first += TICK_MS;
    outside.rtt_us -= 1000;
    world_allocation(&w, 0);
    world_call(&w, 0);
    world_attempt(&w, attempt_of_incident());
    world_attempt(&w, outside);
    world_in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "10.3.0.40:58138>1.1.1.1:50704 (2.2.2.2>) a1 s3 r3 A");
    assert_int_equal(s.linked, 2);
}

/* ---- several pairs ---- */

static void failed_pair_beside_a_working_one_is_info(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_call(&w);
    world_call(&w, 0);
    world_attempt(&w, attempt_of_incident());
    world_attempt(&w,
                  attempt_make(0, "10.98.2.1:18574", "10.26.10.50:50058", VERDICT_CONNECTED, 54));
    world_in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "relay-peer refused info");
    assert_int_equal(w.call[0].call.outcome, CALL_CONNECTED);
}

static void data_through_the_relay_makes_the_refused_pair_info(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_call(&w);
    world_incident_allocation(&w);
    allocation_send(&w.own[0], "1.1.1.1:443", 54)->answered = at(55);
    world_call(&w, 0);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_of_incident());
    world_in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "relay-peer refused info");
}

static void answer_through_the_relay_is_a_connection(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_allocation(&w);
    w.own[0].sends[0].answered = at(62);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_of_incident());
    world_in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 0);
}

static void two_failed_pairs_are_two_failures(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_call(&w);
    world_incident_allocation(&w);
    allocation_send(&w.own[0], "10.26.10.50:50058", 53.1);
    world_call(&w, 0);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_of_incident());
    world_attempt(&w, attempt_make(0, "10.3.0.40:58138", "10.26.10.50:50058", VERDICT_TIMEOUT, 57));
    world_in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 2);
    expect_text(s.rows[0].row, "relay-peer refused failure");
    expect_text(s.rows[1].row, "relay-peer timeout failure");
    assert_int_equal(w.call[0].call.outcome, CALL_FAILED);
}

/* ---- facts that change ---- */

static void late_diagnostics_bring_a_finding(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_call(&w);
    world_call(&w, 0);
    world_attempt(&w, attempt_of_incident());
    telling_begin(&s, NULL);
    world_tell(&w, 0, &s);
    world_tell(&w, 1, &s);
    assert_int_equal(s.n, 1);
    assert_null(strstr(s.rows[0].row, "conflict-with-endpoint"));
    call_diag(&w.call[0], at(95), 51004, "caller",
              "51004;reason=\"x\";CallerMediaDebug=\"application-sharing:ICEWarn=0x0\"");
    joiner_call(s.j, &w.call[0].call);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "conflict-with-endpoint");
    world_end(&w, &s);
}

/* The caller says: the check between the relays was tried and failed. */
static void late_diagnostics_that_agree_are_a_key(void **state)
{
    static const struct {
        const char *warn, *side;
        double seen;
        bool key;
    } rows[] = {
        {"0x4000320", "caller", 95, true},  {"0x4000320", "callee", 95, true},
        {"0x4000320", "caller", 53, false}, /* before it happened */
        {"0x320", "caller", 95, false},     /* 0x200 is also for "not tried" */
        {"0x800000", "caller", 95, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w = {.n = 0};
        struct telling s;
        char value[128];
        world_incident_call(&w);
        world_call(&w, 0);
        world_attempt(&w, attempt_of_incident());
        telling_begin(&s, NULL);
        world_tell(&w, 0, &s);
        world_tell(&w, 1, &s);
        assert_null(strstr(s.rows[0].row, "media-debug"));
        snprintf(value, sizeof value,
                 "24;reason=\"x\";%sMediaDebug=\"application-sharing:ICEWarn=%s\"",
                 strcmp(rows[i].side, "callee") == 0 ? "Callee" : "Caller", rows[i].warn);
        call_diag(&w.call[0], at(rows[i].seen), 24, rows[i].side, value);
        joiner_call(s.j, &w.call[0].call);
        if ((strstr(s.rows[0].row, ",media-debug confirmed") != NULL) != rows[i].key)
            fail_msg("row %zu: %s", i, s.rows[0].row);
        world_end(&w, &s);
    }
}

static void same_facts_again_say_nothing_new(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_call(&w);
    world_incident_allocation(&w);
    world_call(&w, 0);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_of_incident());
    telling_begin(&s, NULL);
    for (unsigned i = 0; i < w.n; i++)
        world_tell(&w, i, &s);
    assert_int_equal(s.n, 1);
    s.rows[0].row[0] = 0; /* would be written again */
    joiner_call(s.j, &w.call[0].call);
    joiner_allocation(s.j, &w.own[0].fact);
    assert_int_equal(s.rows[0].row[0], 0);
    world_end(&w, &s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(incident_without_signaling_is_grade_b),
        cmocka_unit_test(incident_with_signaling_alone_is_grade_a),
        cmocka_unit_test(incident_with_both_has_all_keys),
        cmocka_unit_test(retry_that_connects_withdraws_the_failure),
        cmocka_unit_test(reverse_direction_that_connects_withdraws_it_too),
        cmocka_unit_test(both_directions_are_one_pair),
        cmocka_unit_test(both_sides_of_the_nat_count_once),
        cmocka_unit_test(failed_pair_beside_a_working_one_is_info),
        cmocka_unit_test(data_through_the_relay_makes_the_refused_pair_info),
        cmocka_unit_test(answer_through_the_relay_is_a_connection),
        cmocka_unit_test(two_failed_pairs_are_two_failures),
        cmocka_unit_test(late_diagnostics_bring_a_finding),
        cmocka_unit_test(late_diagnostics_that_agree_are_a_key),
        cmocka_unit_test(same_facts_again_say_nothing_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
