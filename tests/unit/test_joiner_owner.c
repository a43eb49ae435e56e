/* Whose an attempt is: relay ports that change hands, addresses behind a NAT, strangers. */
#include "flows/joiner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "flows/limits.h"
#include "tests/help/expect.h"
#include "tests/help/world.h"

/* ---- ports are reused ---- */

/* The port belonged to another client's allocation and call before. */
static void lifetime_tells_which_owner_of_a_port(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_call(&w);
    world_incident_allocation(&w);
    call_make(&w.call[1], "2.2.2.2:58138", "1.1.1.1:50704");
    w.call[1].call.call_id = "earlier";
    w.call[1].call.started = at(-600);
    w.call[1].call.answered = at(-590);
    w.call[1].call.ended = at(-300);
    allocation_make(&w.own[1], "10.98.2.9:40000", "10.3.0.34:443", "2.2.2.2:58138");
    allocation_send(&w.own[1], "1.1.1.1:50704", -580);
    w.own[1].fact.started = at(-601);
    w.own[1].fact.ended = at(-300);
    world_call(&w, 0);
    world_call(&w, 1);
    world_allocation(&w, 0);
    world_allocation(&w, 1);
    world_attempt(&w, attempt_of_incident());
    world_in_every_order(&w, NULL, &s);
    bool mine = false;
    for (unsigned i = 0; i < s.n; i++) {
        if (strstr(s.rows[i].row, " refused ")) {
            expect_text(s.rows[i].row, "call=a622d7b9f6464be3a455e6d98ec700b3");
            expect_text(s.rows[i].row, "client=10.98.2.1:13211");
            mine = true;
        }
    }
    assert_true(mine);
}

/* Two attempts inside the NAT, of which the sensor saw one outside, too. */
static void attempts_of_merged_pairs_are_counted_one_by_one(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    struct attempt earlier = attempt_of_incident(), outside = attempt_of_incident();
    (void)state;
    world_incident_call(&w);
    world_incident_allocation(&w);
    earlier.isn++;
    earlier.first -= TICK_S;
    earlier.last -= TICK_S;
    outside.src = ep("2.2.2.2:58138");
    outside.first += TICK_MS;
    world_allocation(&w, 0);
    world_call(&w, 0);
    world_attempt(&w, earlier);
    world_attempt(&w, attempt_of_incident());
    world_attempt(&w, outside);
    world_in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, " a2 s6 r6 ");
}

/* The next owner's allocation began so soon that the slack reaches back over the end of the first.
 */
static void attempt_within_a_lifetime_is_not_the_next_owners(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_allocation(&w);
    w.own[0].fact.ended = at(61);
    allocation_make(&w.own[1], "10.98.2.9:40000", "10.3.0.34:443", "2.2.2.2:58138");
    allocation_send(&w.own[1], "1.1.1.1:50704", 64);
    w.own[1].fact.started = at(62);
    world_allocation(&w, 0);
    world_allocation(&w, 1);
    world_attempt(&w, attempt_of_incident()); /* at 59.456 */
    world_in_every_order(&w, NULL, &s);
    bool told = false;
    for (unsigned i = 0; i < s.n; i++)
        if (strstr(s.rows[i].row, " refused ")) {
            expect_text(s.rows[i].row, "client=10.98.2.1:13211");
            told = true;
        }
    assert_true(told);
}

static void attempts_after_the_grace_are_strangers(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    struct attempt late = attempt_of_incident();
    (void)state;
    world_incident_allocation(&w);
    w.own[0].fact.ended = at(55);
    late.first = late.last = at(55) + ALLOCATION_GRACE + TICK_S;
    world_allocation(&w, 0);
    world_attempt(&w, late);
    world_in_every_order(&w, NULL, &s);
    for (unsigned i = 0; i < s.n; i++)
        assert_null(strstr(s.rows[i].row, " refused "));
}

/* ---- aliases ---- */

/* Three ports agree; then a fourth relay's SYN to a peer that nobody named is known by its address.
 */
static void alias_is_trusted_after_three_ports(void **state)
{
    static const char *const relays[] = {"2.2.2.2:58138", "2.2.2.2:58140", "2.2.2.2:58142"};
    static const char *const wires[] = {"10.3.0.40:58138", "10.3.0.40:58140", "10.3.0.40:58142"};
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    for (int i = 0; i < 3; i++) {
        allocation_make(&w.own[i], "10.98.2.1:13211", "10.3.0.34:443", relays[i]);
        w.own[i].fact.client.port = (uint16_t)(13211 + i);
        allocation_send(&w.own[i], "1.1.1.1:50704", 53);
        world_allocation(&w, i);
        world_attempt(&w, attempt_make(0, wires[i], "1.1.1.1:50704", VERDICT_REFUSED, 59 + i));
    }
    world_attempt(&w, attempt_make(0, wires[0], "9.9.9.9:443", VERDICT_TIMEOUT, 70));
    world_in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 4);
    expect_text(s.rows[3].row,
                "relay-peer timeout failure 10.3.0.40:58138>9.9.9.9:443 (2.2.2.2>) a1 s1 "
                "r0 B relay-address,alias probable");
}

/* One port that agrees, and a destination that does not: no match. */
static void one_port_without_the_destination_is_nothing(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_call(&w);
    world_incident_allocation(&w);
    world_call(&w, 0);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_make(0, "10.3.0.40:58138", "9.9.9.9:443", VERDICT_TIMEOUT, 59));
    world_in_every_order(&w, NULL, &s);
    for (unsigned i = 0; i < s.n; i++)
        assert_null(strstr(s.rows[i].row, "9.9.9.9"));
    assert_int_equal(s.aliases, 0);
}

static void configured_alias_needs_no_learning(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    struct fact_alias nat = {
        .private_addr = ad("10.3.0.40"), .public_addr = ad("2.2.2.2"), .configured = true};
    struct joiner_config c = {.sensor = "test",
                              .aliases = &nat,
                              .n_aliases = 1,
                              .relay_low = 50000,
                              .relay_high = 59999,
                              .seed = 42};
    (void)state;
    world_incident_call(&w);
    world_call(&w, 0);
    world_attempt(&w, attempt_make(0, "10.3.0.40:58138", "9.9.9.9:443", VERDICT_TIMEOUT, 59));
    world_in_every_order(&w, &c, &s);
    bool told = false;
    for (unsigned i = 0; i < s.n; i++)
        told |= strstr(s.rows[i].row,
                       "timeout failure 10.3.0.40:58138>9.9.9.9:443 (2.2.2.2>) a1 s1 r0 A "
                       "alias,candidate,default-address probable") != NULL;
    assert_true(told);
}

/* ---- strangers ---- */

static void stranger_at_a_relay_port_is_grade_c_at_most(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_call(&w);
    world_incident_allocation(&w);
    world_call(&w, 0);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_of_incident());
    world_attempt(&w, attempt_make(0, "198.51.100.66:41000", "2.2.2.2:58138", VERDICT_REFUSED, 59));
    world_in_every_order(&w, NULL, &s);
    for (unsigned i = 0; i < s.n; i++)
        if (strstr(s.rows[i].row, "198.51.100.66")) {
            assert_int_equal(s.rows[i].f.grade, 'C');
            assert_true(s.rows[i].f.info);
            assert_int_equal(s.rows[i].f.confidence, CONFIDENCE_UNMATCHED);
        }
}

static void strangers_among_themselves_are_nothing(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_allocation(&w);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_make(0, "198.51.100.66:41000", "192.0.2.80:80", VERDICT_REFUSED, 59));
    world_in_every_order(&w, NULL, &s);
    for (unsigned i = 0; i < s.n; i++)
        assert_null(strstr(s.rows[i].row, "198.51.100.66"));
}

static void configured_edge_makes_grade_c_a_failure(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    struct addr edge = ad("10.3.0.40");
    struct joiner_config c = {.sensor = "test",
                              .edges = &edge,
                              .n_edges = 1,
                              .relay_low = 50000,
                              .relay_high = 59999,
                              .seed = 42};
    (void)state;
    world_attempt(&w, attempt_of_incident());
    world_in_every_order(&w, &c, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "relay-peer refused failure");
    expect_text(s.rows[0].row, " C  unmatched ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lifetime_tells_which_owner_of_a_port),
        cmocka_unit_test(attempts_of_merged_pairs_are_counted_one_by_one),
        cmocka_unit_test(attempt_within_a_lifetime_is_not_the_next_owners),
        cmocka_unit_test(attempts_after_the_grace_are_strangers),
        cmocka_unit_test(alias_is_trusted_after_three_ports),
        cmocka_unit_test(one_port_without_the_destination_is_nothing),
        cmocka_unit_test(configured_alias_needs_no_learning),
        cmocka_unit_test(stranger_at_a_relay_port_is_grade_c_at_most),
        cmocka_unit_test(strangers_among_themselves_are_nothing),
        cmocka_unit_test(configured_edge_makes_grade_c_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
