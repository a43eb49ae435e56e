/* Findings across failures: each rule with what it takes, and what just misses it. */
#include "flows/findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <jansson.h>

#include "tests/help/facts_lab.h"

enum { ROWS = 1000 };

struct window {
    struct window_row rows[ROWS];
    size_t n;
    double blind;
    struct window_finding list[FINDINGS_MAX];
    unsigned found;
};

static struct window *window_new(void)
{
    struct window *w = calloc(1, sizeof *w);
    assert_non_null(w);
    return w;
}

/* One row a second. A failure gets the number of its row as id, a connected one 0. */
static struct window_row *add(struct window *w, const char *edge, const char *peer, uint16_t port,
                              enum verdict v)
{
    assert_true(w->n < ROWS);
    struct window_row *r = &w->rows[w->n++];
    *r = (struct window_row){.first = at((double)w->n),
                             .edge = ad(edge),
                             .peer = ad(peer),
                             .peer_port = port,
                             .verdict = (uint8_t)v,
                             .leg = LEG_RELAY_PEER,
                             .proto = 6,
                             .icmp_type = -1,
                             .icmp_code = -1,
                             .failure = v == VERDICT_CONNECTED ? 0 : (int64_t)w->n};
    return r;
}

/* To peer number n, each in a network of its own. */
static struct window_row *add_peer(struct window *w, const char *edge, unsigned n, uint16_t port,
                                   enum verdict v)
{
    char peer[ADDR_TEXT];
    snprintf(peer, sizeof peer, "198.51.%u.9", n);
    return add(w, edge, peer, port, v);
}

static void run(struct window *w)
{
    w->found = findings_of_window(w->rows, w->n, w->blind, w->list);
    for (unsigned i = 0; i < w->found; i++) {
        json_t *j = json_loads(w->list[i].finding.evidence, 0, NULL);
        assert_non_null(j);
        assert_true(json_array_size(json_object_get(j, "for")) > 0);
        assert_true(json_array_size(json_object_get(j, "settle")) > 0);
        json_decref(j);
        assert_true(strlen(w->list[i].finding.advice) > 20);
    }
}

static const struct window_finding *find(const struct window *w, const char *code)
{
    for (unsigned i = 0; i < w->found; i++)
        if (strcmp(w->list[i].finding.code, code) == 0)
            return &w->list[i];
    return NULL;
}

static const struct window_finding *expect(const struct window *w, const char *code, bool likely,
                                           unsigned failures)
{
    const struct window_finding *f = find(w, code);
    if (!f)
        fail_msg("%s is missing", code);
    assert_int_equal(f->finding.likely, likely);
    assert_int_equal(f->n_failures, failures);
    return f;
}

static void expect_none(const struct window *w, const char *code)
{
    if (find(w, code))
        fail_msg("%s is claimed: %s", code, find(w, code)->finding.evidence);
}

static void expect_text(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in: %s", part, text);
}

/* ---- own-outbound-range-blocked ---- */

static struct window *three_peers_refuse(void)
{
    struct window *w = window_new();
    add(w, "2.2.2.2", "1.1.1.1", 50704, VERDICT_REFUSED);
    add(w, "2.2.2.2", "3.3.3.3", 51000, VERDICT_TIMEOUT);
    add(w, "2.2.2.2", "4.4.4.4", 59000, VERDICT_UNREACHABLE);
    return w;
}

static void range_is_blocked_if_other_ports_work(void **state)
{
    struct window *w = three_peers_refuse();
    (void)state;
    add(w, "2.2.2.2", "3.3.3.3", 443, VERDICT_CONNECTED);
    run(w);
    const struct window_finding *f = expect(w, "own-outbound-range-blocked", true, 3);
    assert_ptr_equal(f, &w->list[0]);
    assert_int_equal(f->failures[0], 1);
    assert_int_equal(f->failures[2], 3);
    expect_text(f->finding.evidence, "3 of 3 peers failed");
    expect_text(f->finding.advice,
                "from 2.2.2.2 source ports 50000-59999 to 1.1.1.1, 3.3.3.3, 4.4.4.4, "
                "2012-12-10 10:43:01 to 10:43:03 UTC");
    expect_none(w, "far-side-refuses");
    free(w);
}

static void range_is_only_possibly_blocked_without_comparison(void **state)
{
    struct window *w = three_peers_refuse();
    (void)state;
    run(w);
    expect(w, "own-outbound-range-blocked", false, 3);
    free(w);
}

static void other_edges_traffic_is_no_comparison(void **state)
{
    struct window *w = three_peers_refuse();
    (void)state;
    add(w, "2.2.2.3", "3.3.3.3", 443, VERDICT_CONNECTED);
    run(w);
    expect(w, "own-outbound-range-blocked", false, 3);
    free(w);
}

static void one_connection_in_the_range_clears_it(void **state)
{
    struct window *w = three_peers_refuse();
    (void)state;
    add(w, "2.2.2.2", "5.5.5.5", 50100, VERDICT_CONNECTED);
    run(w);
    expect_none(w, "own-outbound-range-blocked");
    free(w);
}

static void two_peers_are_chance(void **state)
{
    struct window *w = window_new();
    (void)state;
    for (int i = 0; i < 4; i++)
        add_peer(w, "2.2.2.2", (unsigned)i % 2, 50704, VERDICT_REFUSED);
    run(w);
    expect_none(w, "own-outbound-range-blocked");
    free(w);
}

static void three_peers_of_three_edges_are_chance(void **state)
{
    struct window *w = window_new();
    (void)state;
    add(w, "2.2.2.2", "1.1.1.1", 50704, VERDICT_REFUSED);
    add(w, "2.2.2.3", "3.3.3.3", 50704, VERDICT_REFUSED);
    add(w, "2.2.2.4", "4.4.4.4", 50704, VERDICT_REFUSED);
    run(w);
    assert_int_equal(w->found, 0);
    free(w);
}

static void service_ports_are_another_range(void **state)
{
    struct window *w = window_new();
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        add_peer(w, "2.2.2.2", i, 443, VERDICT_REFUSED);
    run(w);
    expect_none(w, "own-outbound-range-blocked");
    free(w);
}

static void strangers_who_knock_are_not_outbound(void **state)
{
    struct window *w = window_new();
    (void)state;
    for (unsigned i = 0; i < 9; i++)
        add_peer(w, "2.2.2.2", i, 55000, VERDICT_REFUSED)->from_peer = true;
    run(w);
    assert_int_equal(w->found, 0);
    free(w);
}

static void direct_ways_are_not_the_edges(void **state)
{
    struct window *w = window_new();
    (void)state;
    for (unsigned i = 0; i < 9; i++)
        add_peer(w, "10.1.1.1", i, 55000, VERDICT_TIMEOUT)->leg = LEG_DIRECT;
    run(w);
    assert_int_equal(w->found, 0);
    free(w);
}

/* ---- far-side-refuses ---- */

static void one_peer_refuses_two_edges_while_others_connect(void **state)
{
    struct window *w = window_new();
    (void)state;
    add(w, "2.2.2.2", "1.1.1.1", 50704, VERDICT_REFUSED);
    add(w, "2.2.2.3", "1.1.1.1", 50710, VERDICT_REFUSED);
    for (unsigned i = 0; i < 3; i++)
        add_peer(w, "2.2.2.2", i, 50704, VERDICT_CONNECTED);
    run(w);
    const struct window_finding *f = expect(w, "far-side-refuses", true, 2);
    expect_text(f->finding.evidence, "2 Edges to the one peer 1.1.1.1");
    expect_text(f->finding.evidence, "3 other peers connected");
    expect_none(w, "own-outbound-range-blocked");
    free(w);
}

static void one_edge_needs_more_failures_and_stays_possible(void **state)
{
    struct window *w = window_new();
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        add_peer(w, "2.2.2.2", i, 50704, VERDICT_CONNECTED);
    for (int i = 0; i < 4; i++)
        add(w, "2.2.2.2", "1.1.1.1", 50704, VERDICT_REFUSED);
    run(w);
    expect_none(w, "far-side-refuses");
    add(w, "2.2.2.2", "1.1.1.1", 50704, VERDICT_REFUSED);
    run(w);
    const struct window_finding *f = expect(w, "far-side-refuses", false, 5);
    expect_text(f->finding.evidence, "an own rule for this peer does the same");
    free(w);
}

static void one_connection_clears_the_peer(void **state)
{
    struct window *w = window_new();
    (void)state;
    add(w, "2.2.2.2", "1.1.1.1", 50704, VERDICT_REFUSED);
    add(w, "2.2.2.3", "1.1.1.1", 50710, VERDICT_REFUSED);
    add(w, "2.2.2.3", "1.1.1.1", 50712, VERDICT_CONNECTED);
    for (unsigned i = 0; i < 3; i++)
        add_peer(w, "2.2.2.2", i, 50704, VERDICT_CONNECTED);
    run(w);
    expect_none(w, "far-side-refuses");
    free(w);
}

static void peers_on_other_ports_do_not_compare(void **state)
{
    struct window *w = window_new();
    (void)state;
    add(w, "2.2.2.2", "1.1.1.1", 50704, VERDICT_REFUSED);
    add(w, "2.2.2.3", "1.1.1.1", 50710, VERDICT_REFUSED);
    for (unsigned i = 0; i < 3; i++)
        add_peer(w, "2.2.2.2", i, 443, VERDICT_CONNECTED);
    run(w);
    expect_none(w, "far-side-refuses");
    free(w);
}

static void four_edges_agree_without_comparison(void **state)
{
    struct window *w = window_new();
    (void)state;
    for (int i = 0; i < 4; i++) {
        static const char *const edges[] = {"2.2.2.2", "2.2.2.3", "2.2.2.4", "2.2.2.5"};
        add(w, edges[i], "1.1.1.1", 50704, VERDICT_REFUSED);
    }
    run(w);
    const struct window_finding *f = expect(w, "far-side-refuses", false, 4);
    expect_text(f->finding.evidence, "no other peer connected");
    expect_none(w, "own-outbound-range-blocked");
    free(w);
}

/* ---- silent-drop, admin-prohibited, counted errors ---- */

static void timeouts_to_several_peers_are_a_drop(void **state)
{
    struct window *w = window_new();
    (void)state;
    add(w, "2.2.2.2", "1.1.1.1", 443, VERDICT_TIMEOUT);
    add(w, "2.2.2.2", "1.1.1.1", 443, VERDICT_TIMEOUT);
    add(w, "2.2.2.2", "1.1.1.1", 443, VERDICT_TIMEOUT);
    run(w);
    expect_none(w, "silent-drop"); /* one peer */
    add(w, "2.2.2.2", "3.3.3.3", 443, VERDICT_TIMEOUT);
    add(w, "2.2.2.2", "4.4.4.4", 443, VERDICT_REFUSED);
    run(w);
    const struct window_finding *f = expect(w, "silent-drop", false, 4);
    expect_text(f->finding.evidence, "1 others of it were refused");
    add(w, "2.2.2.2", "3.3.3.3", 443, VERDICT_CONNECTED);
    run(w);
    expect_none(w, "silent-drop"); /* 3.3.3.3 is reachable: one peer is left */
    free(w);
}

static void prohibited_is_grouped_by_sender(void **state)
{
    struct window *w = window_new();
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        struct window_row *r = add_peer(w, "2.2.2.2", i, 443, VERDICT_UNREACHABLE);
        r->icmp_type = 3;
        r->icmp_code = 13;
        r->icmp_from = ad(i < 3 ? "10.3.0.1" : i < 4 ? "10.3.0.2" : "10.3.0.3");
    }
    struct window_row *r = add_peer(w, "2.2.2.2", 9, 443, VERDICT_UNREACHABLE);
    r->icmp_type = 3;
    r->icmp_code = 1; /* host unreachable */
    r->icmp_from = ad("10.3.0.2");
    run(w);
    assert_int_equal(w->found, 1);
    const struct window_finding *f = expect(w, "admin-prohibited", true, 3);
    expect_text(f->finding.advice, "10.3.0.1");
    free(w);
}

static void client_errors_are_counted(void **state)
{
    static const struct {
        const char *code;
        enum verdict verdict;
        uint16_t error;
        bool likely;
    } rows[] = {
        {"tls-inspection-on-443", VERDICT_PSEUDOTLS_FAIL, 0, false},
        {"relay-auth-failed", VERDICT_ALLOC_FAIL, 431, true},
        {"relay-quota", VERDICT_ALLOC_FAIL, 486, true},
        {"relay-ports-exhausted", VERDICT_ALLOC_FAIL, 508, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct window *w = window_new();
        for (unsigned k = 0; k < 3; k++) {
            run(w);
            assert_int_equal(w->found, 0);
            struct window_row *r = add_peer(w, "10.3.0.34", k, 13211, rows[i].verdict);
            r->leg = LEG_CLIENT_RELAY;
            r->error_code = rows[i].error;
        }
        run(w);
        assert_int_equal(w->found, 1);
        const struct window_finding *f = expect(w, rows[i].code, rows[i].likely, 3);
        expect_text(f->finding.evidence, "of several clients");
        free(w);
    }
}

/* ---- connection-table-limit ---- */

static void add_at(struct window *w, unsigned peer, enum verdict v, uint32_t concurrency)
{
    add_peer(w, "2.2.2.2", peer, 443, v)->concurrency = concurrency;
}

/* Connects up to the ceiling, n timeouts at it. */
static struct window *up_to_ceiling(unsigned n)
{
    struct window *w = window_new();
    for (uint32_t c = 1; c <= 400; c++)
        add_at(w, c % 7, VERDICT_CONNECTED, c - 1);
    for (unsigned i = 0; i < n; i++)
        add_at(w, 100 + i, VERDICT_TIMEOUT, 400);
    return w;
}

static void ceiling_with_connects_below_before_and_after(void **state)
{
    struct window *w = up_to_ceiling(6);
    (void)state;
    add_at(w, 3, VERDICT_CONNECTED, 200);
    run(w);
    const struct window_finding *f = expect(w, "connection-table-limit", true, 6);
    assert_ptr_equal(f, &w->list[0]);
    expect_text(f->finding.evidence, "6 timeouts to unrelated peers, all at 400 open flows");
    free(w);
}

static void ceiling_is_possible_while_it_lasts(void **state)
{
    struct window *w = up_to_ceiling(6);
    (void)state;
    run(w);
    expect(w, "connection-table-limit", false, 6);
    free(w);
}

static void four_timeouts_are_no_ceiling(void **state)
{
    struct window *w = up_to_ceiling(4);
    (void)state;
    run(w);
    expect_none(w, "connection-table-limit");
    free(w);
}

static void neighbours_are_one_peer(void **state)
{
    struct window *w = up_to_ceiling(0);
    (void)state;
    for (unsigned i = 1; i < 9; i++) {
        char peer[ADDR_TEXT];
        snprintf(peer, sizeof peer, "198.51.200.%u", i);
        add(w, "2.2.2.2", peer, 443, VERDICT_TIMEOUT)->concurrency = 400;
    }
    run(w);
    expect_none(w, "connection-table-limit");
    free(w);
}

static void connects_at_the_same_height_clear_it(void **state)
{
    struct window *w = up_to_ceiling(6);
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        add_at(w, 3, VERDICT_CONNECTED, 400);
    run(w);
    expect_none(w, "connection-table-limit");
    free(w);
}

static void timeouts_at_any_height_are_no_ceiling(void **state)
{
    struct window *w = up_to_ceiling(0);
    (void)state;
    for (unsigned i = 0; i < 9; i++)
        add_at(w, 100 + i, VERDICT_TIMEOUT, 40 * (i + 1));
    run(w);
    expect_none(w, "connection-table-limit");
    free(w);
}

static void refusals_are_no_ceiling(void **state)
{
    struct window *w = up_to_ceiling(0);
    (void)state;
    for (unsigned i = 0; i < 9; i++)
        add_at(w, 100 + i, VERDICT_REFUSED, 400);
    run(w);
    expect_none(w, "connection-table-limit");
    free(w);
}

static void a_few_flows_are_no_plateau(void **state)
{
    struct window *w = window_new();
    (void)state;
    for (uint32_t c = 1; c <= 20; c++)
        add_at(w, c % 7, VERDICT_CONNECTED, c);
    for (unsigned i = 0; i < 9; i++)
        add_at(w, 100 + i, VERDICT_TIMEOUT, 21);
    run(w);
    expect_none(w, "connection-table-limit");
    free(w);
}

/* ---- sensor-blind, and the list itself ---- */

static void blind_sensor_is_told_beyond_a_fifth(void **state)
{
    struct window *w = window_new();
    (void)state;
    add(w, "2.2.2.2", "1.1.1.1", 443, VERDICT_TIMEOUT);
    add(w, "2.2.2.2", "1.1.1.1", 443, VERDICT_REFUSED);
    w->blind = 0.2;
    run(w);
    assert_int_equal(w->found, 0);
    w->blind = 0.3;
    run(w);
    expect(w, "sensor-blind", false, 1);
    w->blind = 0.6;
    run(w);
    expect(w, "sensor-blind", true, 1);
    free(w);
}

static void empty_window_has_no_findings(void **state)
{
    struct window_finding list[FINDINGS_MAX];
    (void)state;
    assert_int_equal(findings_of_window(NULL, 0, 0, list), 0);
}

static void a_full_list_keeps_the_telling_ones(void **state)
{
    struct window *w = window_new();
    (void)state;
    for (unsigned sender = 0; sender < 12; sender++)
        for (unsigned i = 0; i <= sender + 1; i++) {
            char from[ADDR_TEXT];
            snprintf(from, sizeof from, "10.3.0.%u", sender);
            struct window_row *r = add_peer(w, "2.2.2.2", 7, 443, VERDICT_UNREACHABLE);
            r->icmp_type = 3;
            r->icmp_code = 9;
            r->icmp_from = ad(from);
        }
    run(w);
    assert_int_equal(w->found, FINDINGS_MAX);
    for (unsigned i = 0; i < FINDINGS_MAX; i++)
        assert_int_equal(w->list[i].n_failures, 13 - i);
    free(w);
}

static void examples_are_cut_the_count_is_not(void **state)
{
    struct window *w = window_new();
    (void)state;
    for (unsigned i = 0; i < 60; i++)
        add_peer(w, "2.2.2.2", i % 6, 50704, VERDICT_REFUSED);
    run(w);
    const struct window_finding *f = expect(w, "own-outbound-range-blocked", false, 60);
    for (unsigned i = 0; i < 32; i++)
        assert_in_range(f->failures[i], 1, 60);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range_is_blocked_if_other_ports_work),
        cmocka_unit_test(range_is_only_possibly_blocked_without_comparison),
        cmocka_unit_test(other_edges_traffic_is_no_comparison),
        cmocka_unit_test(one_connection_in_the_range_clears_it),
        cmocka_unit_test(two_peers_are_chance),
        cmocka_unit_test(three_peers_of_three_edges_are_chance),
        cmocka_unit_test(service_ports_are_another_range),
        cmocka_unit_test(strangers_who_knock_are_not_outbound),
        cmocka_unit_test(direct_ways_are_not_the_edges),
        cmocka_unit_test(one_peer_refuses_two_edges_while_others_connect),
        cmocka_unit_test(one_edge_needs_more_failures_and_stays_possible),
        cmocka_unit_test(one_connection_clears_the_peer),
        cmocka_unit_test(peers_on_other_ports_do_not_compare),
        cmocka_unit_test(four_edges_agree_without_comparison),
        cmocka_unit_test(timeouts_to_several_peers_are_a_drop),
        cmocka_unit_test(prohibited_is_grouped_by_sender),
        cmocka_unit_test(client_errors_are_counted),
        cmocka_unit_test(ceiling_with_connects_below_before_and_after),
        cmocka_unit_test(ceiling_is_possible_while_it_lasts),
        cmocka_unit_test(four_timeouts_are_no_ceiling),
        cmocka_unit_test(neighbours_are_one_peer),
        cmocka_unit_test(connects_at_the_same_height_clear_it),
        cmocka_unit_test(timeouts_at_any_height_are_no_ceiling),
        cmocka_unit_test(refusals_are_no_ceiling),
        cmocka_unit_test(a_few_flows_are_no_plateau),
        cmocka_unit_test(blind_sensor_is_told_beyond_a_fifth),
        cmocka_unit_test(empty_window_has_no_findings),
        cmocka_unit_test(a_full_list_keeps_the_telling_ones),
        cmocka_unit_test(examples_are_cut_the_count_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
