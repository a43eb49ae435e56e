/* Segments to bytes, where some are missing: what is waited for, and what is given up. */
#include "flows/limits.h"
#include "tests/help/feeder_lab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* "one" arrives, "two" is lost, n lines follow from offset 8. */
static void lose_two(struct lab *l, unsigned n)
{
    lab_text(&l->conn, C, 0, "one\n");
    for (unsigned i = 0; i < n; i++)
        lab_text(&l->conn, C, 8 + 4 * i, "abc\n");
}

static void test_unacknowledged_hole_waits_for_retransmission(void **state)
{
    struct lab *l = *state;
    lose_two(l, 20);
    for (int i = 0; i < 20; i++)
        lab_ack(&l->conn, S, 4);
    l->conn.now += TICK_S;
    lab_ack(&l->conn, S, 4);
    feeder_advance(l->feeder, l->conn.now);
    lab_assert_got(l, C, "one\n");
    lab_text(&l->conn, C, 4, "two\n");
    assert_int_equal(l->reader.seen.n[C], 8 + 20 * 4);
    assert_int_equal(l->reader.seen.gaps, 0);
}

static void test_acknowledged_hole_heals_after_eight_packets(void **state)
{
    struct lab *l = *state;
    lose_two(l, 2);
    lab_ack(&l->conn, S, 16);
    for (int i = 0; i < HEAL_SEGMENTS - 3; i++)
        lab_ack(&l->conn, S, 16);
    assert_int_equal(l->reader.seen.gaps, 0);
    lab_ack(&l->conn, S, 16);
    lab_assert_got(l, C, "one\nabc\nabc\n");
    assert_int_equal(l->reader.seen.gaps, 1);
    lab_assert_gap(l, 0, C, 4, 4);
}

static void test_acknowledged_hole_heals_after_its_time(void **state)
{
    struct lab *l = *state;
    lose_two(l, 2);
    lab_ack(&l->conn, S, 16);
    feeder_advance(l->feeder, l->conn.now + HEAL_AFTER / 2);
    assert_int_equal(l->reader.seen.gaps, 0);
    feeder_advance(l->feeder, l->conn.now + HEAL_AFTER);
    lab_assert_gap(l, 0, C, 4, 4);
    lab_assert_got(l, C, "one\nabc\nabc\n");
}

static void test_one_direction_heals_by_time_alone(void **state)
{
    struct lab *l = *state;
    l->flow.saw_synack = false;
    lose_two(l, 2);
    feeder_advance(l->feeder, l->conn.now + HEAL_AFTER);
    lab_assert_gap(l, 0, C, 4, 4);
    lab_assert_got(l, C, "one\nabc\nabc\n");
}

static void test_gap_stands_between_the_messages(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "one\ntw"); /* "o\nthr" is lost */
    lab_text(&l->conn, C, 11, "ee\nfour\n");
    lab_ack(&l->conn, S, 19);
    feeder_advance(l->feeder, l->conn.now + HEAL_AFTER);
    lab_assert_got(l, C, "one\nee\nfour\n");
    assert_int_equal(l->reader.seen.gaps, 1);
    lab_assert_gap(l, 0, C, 4, 5);
}

static void test_two_holes_heal_one_after_the_other(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "one\n");
    lab_text(&l->conn, C, 8, "333\n");
    lab_text(&l->conn, C, 20, "666\n");
    lab_ack(&l->conn, S, 24);
    feeder_advance(l->feeder, l->conn.now + HEAL_AFTER);
    lab_assert_got(l, C, "one\n333\n");
    feeder_advance(l->feeder, l->conn.now + 2 * HEAL_AFTER);
    lab_assert_got(l, C, "one\n333\n666\n");
    assert_int_equal(l->reader.seen.gaps, 2);
    lab_assert_gap(l, 0, C, 4, 4);
    lab_assert_gap(l, 1, C, 8, 8);
    assert_int_equal(l->feeder->n_holed, 0);
}

static void test_after_healing_the_packets_are_read_directly(void **state)
{
    struct lab *l = *state;
    lose_two(l, 1);
    lab_ack(&l->conn, S, 12);
    feeder_advance(l->feeder, l->conn.now + HEAL_AFTER);
    lab_counts(l);
    uint64_t before = l->counts.direct_segments;
    lab_text(&l->conn, C, 12, "on\n");
    lab_counts(l);
    assert_int_equal(l->counts.direct_segments, before + 1);
    lab_assert_got(l, C, "one\nabc\non\n");
    assert_int_equal(l->feeder->memory, 0);
}

static void test_late_segment_of_a_healed_hole_is_dropped(void **state)
{
    struct lab *l = *state;
    lose_two(l, 1);
    lab_ack(&l->conn, S, 12);
    feeder_advance(l->feeder, l->conn.now + HEAL_AFTER);
    lab_text(&l->conn, C, 4, "two\n");
    lab_assert_got(l, C, "one\nabc\n");
}

static void test_end_of_capture_heals_everything(void **state)
{
    struct lab *l = *state;
    lose_two(l, 3);
    feeder_finish(l->feeder, l->conn.now);
    lab_assert_got(l, C, "one\nabc\nabc\nabc\n");
    lab_assert_gap(l, 0, C, 4, 4);
    assert_int_equal(l->reader.seen.over, 1);
    assert_int_equal(l->reader.seen.closed, 0);
}

static void test_more_holes_than_can_wait_give_up_the_first(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "0\n");
    for (uint32_t i = 1; i <= RANGES_MAX + 1; i++)
        lab_text(&l->conn, C, 4 * i, "x\n");
    assert_int_equal(l->reader.seen.gaps, 1);
    lab_assert_gap(l, 0, C, 2, 2);
    lab_assert_got(l, C, "0\nx\n");
}

static void test_queue_of_64k_is_never_exceeded(void **state)
{
    struct lab *l = *state;
    static uint8_t block[1000];
    memset(block, 'x', sizeof block);
    block[sizeof block - 1] = '\n';
    for (uint32_t i = 1; i <= 100; i++)
        lab_send(&l->conn, C, i * 1000, slice_of(block, sizeof block), 0);
    feeder_finish(l->feeder, l->conn.now);
    lab_counts(l);
    assert_int_equal(l->reader.seen.n[C], 100 * 1000);
    lab_assert_gap(l, 0, C, 0, 1000);
    assert_int_equal(l->counts.nids_warnings, 0); /* "Too much data in TCP receive queue" */
}

static void test_hole_is_given_up_only_as_far_as_needed(void **state)
{
    struct lab *l = *state;
    static uint8_t block[60000];
    l->reader.lines = false;
    lab_text(&l->conn, C, 0, "a");
    lab_send(&l->conn, C, 35000, slice_of(block, sizeof block), 0);
    lab_send(&l->conn, C, 2000, slice_of(block, 30000), 0); /* too much to wait */
    assert_int_equal(l->reader.seen.n[C], 1 + 30000);
    lab_assert_gap(l, 0, C, 1, 1999);
    lab_send(&l->conn, C, 32000, slice_of(block, 3000), 0);
    assert_int_equal(l->reader.seen.n[C], 1 + 33000 + sizeof block);
    assert_int_equal(l->reader.seen.gaps, 1);
}

static void test_huge_segment_behind_a_hole(void **state)
{
    struct lab *l = *state;
    static uint8_t block[200000];
    memset(block, 'x', sizeof block);
    block[sizeof block - 1] = '\n';
    l->reader.lines = false;
    lab_text(&l->conn, C, 0, "a");
    lab_send(&l->conn, C, 3, slice_of(block, sizeof block), 0);
    lab_assert_gap(l, 0, C, 1, 2);
    assert_int_equal(l->reader.seen.n[C], 1 + sizeof block);
}

static void test_far_jump_is_adopted_when_acknowledged(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "one\n");
    lab_ack(&l->conn, S, 10000000);
    lab_text(&l->conn, C, 10000000, "far\n");
    lab_text(&l->conn, C, 10000004, "on\n");
    lab_counts(l);
    lab_assert_got(l, C, "one\nfar\non\n");
    lab_assert_gap(l, 0, C, 4, 10000000 - 4);
    assert_int_equal(l->counts.reopened, 1);
}

static void test_far_jump_is_adopted_after_eight_segments(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "one\n");
    for (uint32_t i = 0; i < HEAL_SEGMENTS; i++)
        lab_text(&l->conn, C, 10000000 + i * 2, "x\n");
    lab_assert_got(l, C, "one\nx\n");
    assert_int_equal(l->reader.seen.gaps, 1);
}

static void test_one_stray_segment_changes_nothing(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "one\n");
    lab_text(&l->conn, C, 900000000, "bad\n");
    lab_text(&l->conn, C, 4, "two\n");
    lab_assert_got(l, C, "one\ntwo\n");
    assert_int_equal(l->reader.seen.gaps, 0);
}

static void test_waiting_bytes_are_not_replaced(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 4, "two\n");
    lab_text(&l->conn, C, 12, "4\n");
    lab_text(&l->conn, C, 2, "EEEEEE333\nXXX5\n");
    lab_text(&l->conn, C, 0, "on");
    assert_int_equal(l->reader.seen.gaps, 0);
    lab_assert_got(l, C, "onEEtwo\n333\n4\nX5\n");
}

static void test_window_of_disorder_above_64k(void **state)
{
    struct lab *l = *state;
    static uint8_t block[5000];
    l->reader.lines = false;
    for (uint32_t i = 1; i < 40; i++)
        lab_send(&l->conn, C, i * 10000, slice_of(block, sizeof block), 0);
    feeder_finish(l->feeder, l->conn.now);
    assert_int_equal(l->reader.seen.n[C], 39 * sizeof block);
}

static void test_unacknowledged_part_of_a_hole_may_still_come(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "one\n");
    lab_text(&l->conn, C, 12, "four\n");
    lab_ack(&l->conn, S, 8); /* has "two", still waits for "333" */
    feeder_advance(l->feeder, l->conn.now + HEAL_AFTER);
    lab_assert_gap(l, 0, C, 4, 4);
    lab_text(&l->conn, C, 8, "333\n");
    lab_assert_got(l, C, "one\n333\nfour\n");
    assert_int_equal(l->reader.seen.gaps, 1);
}

static void test_length_that_lies_is_no_gap(void **state)
{
    struct lab *l = *state;
    struct packet p = {.time = l->conn.now,
                       .flags = TCP_ACK,
                       .seq = l->conn.client,
                       .ack = l->conn.server,
                       .snapped = true,
                       .raw = {.caplen = 60, .len = 60},
                       .payload = slice_str("one\n"),
                       .payload_len = 4000};
    feeder_tcp(l->feeder, &(struct flow_ref){&l->flow, true, false}, &p);
    lab_text(&l->conn, C, 4, "two\n");
    lab_assert_got(l, C, "one\ntwo\n");
    assert_int_equal(l->reader.seen.gaps, 0);
}

static void test_cut_packet_is_followed_by_a_gap(void **state)
{
    struct lab *l = *state;
    struct packet p = {.time = l->conn.now,
                       .flags = TCP_ACK,
                       .seq = l->conn.client,
                       .ack = l->conn.server,
                       .snapped = true,
                       .raw = {.caplen = 60, .len = 154},
                       .payload = slice_str("one\ntw"),
                       .payload_len = 100};
    feeder_tcp(l->feeder, &(struct flow_ref){&l->flow, true, false}, &p);
    lab_text(&l->conn, C, 100, "next\n");
    lab_counts(l);
    lab_assert_got(l, C, "one\nnext\n");
    lab_assert_gap(l, 0, C, 4, 94);
    assert_int_equal(l->counts.snapped_segments, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAB_TEST(test_unacknowledged_hole_waits_for_retransmission),
        LAB_TEST(test_acknowledged_hole_heals_after_eight_packets),
        LAB_TEST(test_acknowledged_hole_heals_after_its_time),
        LAB_TEST(test_one_direction_heals_by_time_alone),
        LAB_TEST(test_gap_stands_between_the_messages),
        LAB_TEST(test_two_holes_heal_one_after_the_other),
        LAB_TEST(test_after_healing_the_packets_are_read_directly),
        LAB_TEST(test_late_segment_of_a_healed_hole_is_dropped),
        LAB_TEST(test_end_of_capture_heals_everything),
        LAB_TEST(test_more_holes_than_can_wait_give_up_the_first),
        LAB_TEST(test_queue_of_64k_is_never_exceeded),
        LAB_TEST(test_hole_is_given_up_only_as_far_as_needed),
        LAB_TEST(test_huge_segment_behind_a_hole),
        LAB_TEST(test_far_jump_is_adopted_when_acknowledged),
        LAB_TEST(test_far_jump_is_adopted_after_eight_segments),
        LAB_TEST(test_one_stray_segment_changes_nothing),
        LAB_TEST(test_waiting_bytes_are_not_replaced),
        LAB_TEST(test_window_of_disorder_above_64k),
        LAB_TEST(test_unacknowledged_part_of_a_hole_may_still_come),
        LAB_TEST(test_length_that_lies_is_no_gap),
        LAB_TEST(test_cut_packet_is_followed_by_a_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
