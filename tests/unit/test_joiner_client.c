/*
 * What fails before a relay sends anything: a client's way to its relay, its allocation, and what
 * should have been sent and never was.
 */
#include "flows/joiner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>
#include <cmocka.h>

#include "flows/limits.h"
#include "flows/wire/framing.h"
#include "tests/help/expect.h"
#include "tests/help/world.h"

/* ---- clients and their relay ---- */

static void refused_client_is_a_client_leg(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    allocation_make(&w.own[0], "10.98.2.9:40000", "10.3.0.34:443", "2.2.2.2:58200");
    w.own[0].sends[0].answered = at(51);
    world_allocation(&w, 0); /* tells where relay control is */
    world_attempt(&w, attempt_make(0, "10.98.2.1:13211", "10.3.0.34:443", VERDICT_TIMEOUT, 49));
    world_in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "client-relay timeout failure 10.98.2.1:13211>10.3.0.34:443");
}

static void count_failure(void *arg, const struct failure *f, const struct finding *list,
                          unsigned n)
{
    (void)f;
    (void)list;
    (void)n;
    ++*(unsigned *)arg;
}

static void count_link(void *arg, uint64_t attempt, int64_t failure)
{
    (void)arg;
    (void)attempt;
    (void)failure;
}

static enum attempt_use client_fails(struct joiner *j, uint64_t id, struct addr client, double when)
{
    struct attempt a =
        attempt_make(id, "198.51.100.1:40000", "10.3.0.34:443", VERDICT_REFUSED, when);
    a.src.addr = client;
    return joiner_attempt(j, &a);
}

/* A flood of SYNs at the port where a relay takes its clients: so many failures a minute, also when
 * they are told across the minute to and fro; clients of the site and those that were served before
 * have no part in that. */
static void strangers_at_a_relay_server_fail_so_often_a_minute(void **state)
{
    static struct allocation_made own;
    unsigned told = 0;
    struct joiner_config c = {
        .sensor = "test", .relay_low = 50000, .relay_high = 59999, .seed = 42};
    struct joiner_hooks h = {.arg = &told, .failure = count_failure, .attempt_failure = count_link};
    struct joiner *j = joiner_new(&c, &h);
    struct joiner_counts counts;
    (void)state;
    allocation_make(&own, "203.0.113.9:40000", "10.3.0.34:443", "2.2.2.2:58200");
    own.sends[0].answered = at(51);
    joiner_allocation(j, &own.fact);
    told = 0;
    for (unsigned i = 0; i < 1000; i++) {
        enum attempt_use use =
            client_fails(j, 1 + i, addr_v4(0xc6330000 + i), i % 2 ? 100 : 100 + 60);
        assert_int_equal(use, told > i ? ATTEMPT_CLIENT : ATTEMPT_VISITOR);
    }
    joiner_counts(j, &counts);
    assert_in_range(told, LIMIT_UNKNOWN_PER_MINUTE, 2 * LIMIT_UNKNOWN_PER_MINUTE);
    assert_int_equal(counts.strangers_suppressed, 1000 - told);
    unsigned before = told;
    assert_int_equal(client_fails(j, 2001, ad("10.98.2.1"), 160), ATTEMPT_CLIENT);
    assert_int_equal(client_fails(j, 2002, ad("203.0.113.9"), 160), ATTEMPT_CLIENT);
    assert_int_equal(told, before + 2);
    joiner_allocation_forget(j, &own.fact);
    joiner_free(j);
}

static double seconds_of(struct joiner *j, unsigned from, unsigned to)
{
    clock_t begun = clock();
    for (unsigned i = from; i < to; i++)
        client_fails(j, 1 + i, addr_v4(0xc6330000 + i), 100);
    return (double)(clock() - begun) / CLOCKS_PER_SEC;
}

/* All of them wait at the server's address, and the oldest give way: a walk past those that wait
 * there would be 30,000 steps each. */
static void a_flood_at_one_server_costs_the_same_each(void **state)
{
    struct joiner_config c = {
        .sensor = "test", .relay_low = 50000, .relay_high = 59999, .seed = 42};
    unsigned told = 0;
    struct joiner_hooks h = {.arg = &told, .failure = count_failure, .attempt_failure = count_link};
    struct joiner *j = joiner_new(&c, &h);
    struct joiner_counts counts;
    (void)state;
    double few = seconds_of(j, 0, 4000);
    seconds_of(j, 4000, LIMIT_ORPHANS);
    double many = seconds_of(j, LIMIT_ORPHANS, LIMIT_ORPHANS + 4000);
    joiner_counts(j, &counts);
    assert_int_equal(counts.orphans_evicted, 4000);
    assert_true(many < 10 * few + 0.05);
    joiner_free(j);
}

/* What a configured Edge itself tries in vain is told each time, however much it is. */
static void failures_of_an_edge_are_no_strangers(void **state)
{
    unsigned told = 0;
    struct addr edge = ad("10.3.0.40");
    struct joiner_config c = {.sensor = "test",
                              .edges = &edge,
                              .n_edges = 1,
                              .relay_low = 50000,
                              .relay_high = 59999,
                              .seed = 42};
    struct joiner_hooks h = {.arg = &told, .failure = count_failure, .attempt_failure = count_link};
    struct joiner *j = joiner_new(&c, &h);
    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        struct attempt a =
            attempt_make(1 + i, "10.3.0.40:50000", "198.51.100.1:50704", VERDICT_REFUSED, 100);
        a.src.port = (uint16_t)(50000 + i);
        assert_int_equal(joiner_attempt(j, &a), ATTEMPT_RELAY);
    }
    assert_int_equal(told, 500);
    for (unsigned i = 0; i < 500; i++) {
        struct attempt a =
            attempt_make(1000 + i, "198.51.100.1:50704", "10.3.0.40:50000", VERDICT_REFUSED, 100);
        a.src.port = (uint16_t)(1024 + i);
        joiner_attempt(j, &a);
    }
    assert_int_equal(told, 500 + LIMIT_UNKNOWN_PER_MINUTE);
    joiner_free(j);
}

static void trouble_above_tcp_has_no_attempt(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    struct relay_trouble t = {.client = ep("10.98.2.1:13211"),
                              .server = ep("10.3.0.34:443"),
                              .first = at(49),
                              .last = at(49.1),
                              .verdict = VERDICT_PSEUDOTLS_FAIL,
                              .instead = TLS_CERTIFICATE};
    (void)state;
    telling_begin(&s, NULL);
    joiner_relay_trouble(s.j, &t);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.linked, 0);
    assert_int_equal(s.rows[0].f.attempt, 0);
    expect_text(s.rows[0].row, "client-relay pseudotls-fail failure 10.98.2.1:13211>10.3.0.34:443");
    expect_text(s.rows[0].row, "tls-inspection-on-443");
    world_end(&w, &s);
}

static void client_that_connects_after_all_did_not_fail(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    allocation_make(&w.own[0], "10.98.2.9:13300", "10.3.0.34:443", "2.2.2.2:58200");
    world_allocation(&w, 0);
    world_attempt(&w, attempt_make(0, "10.98.2.1:13211", "10.3.0.34:443", VERDICT_UNREACHABLE, 49));
    world_attempt(&w, attempt_make(1, "10.98.2.1:13211", "10.3.0.34:443", VERDICT_CONNECTED, 58));
    telling_begin(&s, NULL);
    for (unsigned i = 0; i < w.n; i++)
        world_tell(&w, i, &s);
    world_end(&w, &s);
    assert_int_equal(s.n, 0);
}

static void served_client_makes_its_failure_info(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    allocation_make(&w.own[0], "10.98.2.1:13300", "10.3.0.34:443", "2.2.2.2:58200");
    world_allocation(&w, 0);
    world_attempt(&w, attempt_make(0, "10.98.2.1:13211", "10.3.0.34:443", VERDICT_TIMEOUT, 49));
    world_in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "client-relay timeout info 10.98.2.1:13211>10.3.0.34:443");
}

static void refused_allocation_is_told_once(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    allocation_make(&w.own[0], "10.98.2.1:13211", "10.3.0.34:443", "");
    w.own[0].fact.granted = false;
    w.own[0].fact.error_code = 486;
    world_allocation(&w, 0);
    world_in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "client-relay alloc-fail failure 10.98.2.1:13211>10.3.0.34:443");
    expect_text(s.rows[0].row, "relay-quota");
}

static void capture_cut_later_tells_the_same_event(void **state)
{
    uint64_t event[2];
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct world w = {.n = 0};
        struct telling s;
        allocation_make(&w.own[0], "10.98.2.1:13211", "10.3.0.34:443", "");
        w.own[0].fact.granted = false;
        w.own[0].fact.error_code = 486;
        w.own[0].fact.requests = 2 + i;
        world_allocation(&w, 0);
        world_in_every_order(&w, NULL, &s);
        assert_int_equal(s.n, 1);
        event[i] = s.rows[0].f.event_id;
    }
    assert_true(event[0] == event[1]);
}

/* An allocation that did not come about, in four shades; only a refusal or heard silence failed. */
static void allocation_without_a_refusal_is_no_failure(void **state)
{
    static const struct {
        uint32_t requests;
        uint16_t error;
        bool heard;
        size_t rows;
    } shades[] = {
        {0, 0, true, 0},   /* older than the capture: never seen asking */
        {2, 300, true, 0}, /* sent on to another server */
        {2, 0, false, 0},  /* the server's side is not in the capture */
        {2, 0, true, 1},   /* the server is heard, and does not answer */
    };
    (void)state;
    for (size_t i = 0; i < sizeof shades / sizeof *shades; i++) {
        struct world w = {.n = 0};
        struct telling s;
        allocation_make(&w.own[0], "10.98.2.1:13211", "10.3.0.34:443", "");
        w.own[0].fact.granted = false;
        w.own[0].fact.requests = shades[i].requests;
        w.own[0].fact.error_code = shades[i].error;
        w.own[0].fact.heard = shades[i].heard;
        world_allocation(&w, 0);
        world_in_every_order(&w, NULL, &s);
        assert_int_equal(s.n, shades[i].rows);
    }
}

/* ---- what was never seen ---- */

static void no_send_within_half_a_minute_is_not_tried(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_call(&w);
    world_incident_allocation(&w);
    w.own[0].fact.n_sends = 0;
    w.call[0].call.ended = at(90); /* 37 s after its answer */
    world_call(&w, 0);
    world_allocation(&w, 0);
    world_in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "not-tried info");
    expect_text(s.rows[0].row, "client-endpoint-filter");
}

static void sends_without_packets_outside_are_unseen_once(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_call(&w);
    world_incident_allocation(&w);
    w.call[0].call.ended = at(90);
    world_call(&w, 0);
    world_allocation(&w, 0);
    world_in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "relay-peer unseen info");
    expect_text(s.rows[0].row, "sensor-blind");
}

static void failure_leaves_nothing_unseen(void **state)
{
    struct world w = {.n = 0};
    struct telling s;
    (void)state;
    world_incident_call(&w);
    world_incident_allocation(&w);
    w.call[0].call.ended = at(90);
    world_call(&w, 0);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_of_incident());
    world_in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "refused failure");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_client_is_a_client_leg),
        cmocka_unit_test(strangers_at_a_relay_server_fail_so_often_a_minute),
        cmocka_unit_test(a_flood_at_one_server_costs_the_same_each),
        cmocka_unit_test(failures_of_an_edge_are_no_strangers),
        cmocka_unit_test(trouble_above_tcp_has_no_attempt),
        cmocka_unit_test(client_that_connects_after_all_did_not_fail),
        cmocka_unit_test(served_client_makes_its_failure_info),
        cmocka_unit_test(refused_allocation_is_told_once),
        cmocka_unit_test(capture_cut_later_tells_the_same_event),
        cmocka_unit_test(allocation_without_a_refusal_is_no_failure),
        cmocka_unit_test(no_send_within_half_a_minute_is_not_tried),
        cmocka_unit_test(sends_without_packets_outside_are_unseen_once),
        cmocka_unit_test(failure_leaves_nothing_unseen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
