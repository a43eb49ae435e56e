/* Segments to bytes, where every byte was captured: in order, in disorder, from the middle on. */
#include "flows/limits.h"
#include "tests/help/feeder_lab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- in order ---- */

static void test_whole_messages_do_not_touch_libnids(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "one\n");
    lab_text(&l->conn, C, 4, "two\nthree\n");
    lab_text(&l->conn, S, 0, "yes\n");
    lab_counts(l);
    lab_assert_got(l, C, "one\ntwo\nthree\n");
    lab_assert_got(l, S, "yes\n");
    assert_int_equal(l->counts.direct_segments, 3);
    assert_int_equal(l->counts.nids_segments, 0);
    assert_true(l->reader.seen.from_start);
}

static void test_message_over_three_segments_comes_whole(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "first\nab");
    lab_text(&l->conn, C, 8, "cd");
    lab_text(&l->conn, C, 10, "ef\nnext\n");
    lab_assert_got(l, C, "first\nabcdef\nnext\n");
    assert_int_equal(l->reader.seen.gaps, 0);
}

static void test_back_to_direct_after_the_message(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "ab");
    lab_text(&l->conn, C, 2, "c\n");
    lab_text(&l->conn, C, 4, "direct\n");
    lab_counts(l);
    assert_int_equal(l->counts.direct_segments, 2);
    assert_int_equal(l->counts.collected_segments, 1);
    assert_int_equal(l->counts.nids_segments, 0);
    assert_int_equal(l->feeder->memory, 0);
}

/* ---- a message that is being collected, and then disorder ---- */

static void test_disorder_inside_a_message_moves_it_to_libnids(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "first\nab");
    lab_text(&l->conn, C, 8, "cd");
    lab_text(&l->conn, C, 12, "gh\n");
    lab_counts(l);
    assert_int_equal(l->counts.nids_segments, 1);
    lab_text(&l->conn, C, 10, "ef");
    lab_text(&l->conn, C, 15, "direct\n");
    lab_assert_got(l, C, "first\nabcdefgh\ndirect\n");
    lab_counts(l);
    assert_int_equal(l->counts.direct_segments, 2);
    assert_int_equal(l->counts.collected_segments, 1);
    assert_int_equal(l->counts.nids_segments, 2);
    assert_int_equal(l->reader.seen.gaps, 0);
    assert_int_equal(l->feeder->memory, 0);
}

static void test_disorder_of_one_side_leaves_the_other_collecting(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, S, 0, "ans");
    lab_text(&l->conn, C, 0, "que");
    lab_text(&l->conn, C, 7, "n\n");
    lab_text(&l->conn, C, 3, "stio");
    lab_text(&l->conn, S, 3, "wer\n");
    lab_assert_got(l, C, "question\n");
    lab_assert_got(l, S, "answer\n");
    lab_counts(l);
    assert_int_equal(l->counts.collected_segments, 1);
    assert_int_equal(l->counts.nids_segments, 2);
    assert_int_equal(l->feeder->memory, 0);
}

static void test_overlap_while_collecting_is_read_once(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "ab");
    lab_text(&l->conn, C, 1, "Xcd");
    lab_text(&l->conn, C, 0, "XXXXef\n");
    lab_assert_got(l, C, "abcdef\n");
}

static void test_collected_message_of_any_size(void **state)
{
    struct lab *l = *state;
    static uint8_t block[30000];
    memset(block, 'x', sizeof block);
    for (uint32_t at = 0; at < 4 * sizeof block; at += sizeof block)
        lab_send(&l->conn, C, at, slice_of(block, sizeof block), 0);
    assert_true(l->feeder->memory >= 4 * sizeof block);
    lab_text(&l->conn, C, 4 * sizeof block, "\n");
    assert_int_equal(l->reader.seen.n[C], 4 * sizeof block + 1);
    assert_int_equal(l->reader.seen.gaps, 0);
    assert_int_equal(l->feeder->memory, 0);
}

static void test_both_directions_span_segments_at_once(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "que");
    lab_text(&l->conn, S, 0, "ans");
    lab_text(&l->conn, C, 3, "stion\n");
    lab_text(&l->conn, S, 3, "wer\n");
    lab_assert_got(l, C, "question\n");
    lab_assert_got(l, S, "answer\n");
}

static void test_segment_in_front_of_a_guard_page(void **state)
{
    struct lab *l = *state;
    uint8_t page[] = "par";
    lab_send(&l->conn, C, 0, slice_of(page, 3), 0);
    memset(page, 'x', sizeof page); /* the packet's memory is reused: the rest must be a copy */
    lab_text(&l->conn, C, 3, "t\n");
    lab_assert_got(l, C, "part\n");
}

static void test_sequence_numbers_wrap(void **state)
{
    struct lab *l = *state;
    l->flow = lab_flow(0xfffffffc, 0xfffffff0);
    l->conn = lab_connect(l->feeder, &l->flow, 0xfffffffc, 0xfffffff0);
    lab_text(&l->conn, C, 0, "ab");
    lab_text(&l->conn, C, 4, "ef\n");
    lab_text(&l->conn, C, 2, "cd");
    lab_assert_got(l, C, "abcdef\n");
}

/* ---- disorder ---- */

static void test_reversed_segments(void **state)
{
    struct lab *l = *state;
    for (int i = 9; i >= 0; i--) {
        char text[3] = {(char)('0' + i), '\n', 0};
        lab_text(&l->conn, C, (uint32_t)i * 2, text);
    }
    lab_assert_got(l, C, "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    assert_int_equal(l->reader.seen.gaps, 0);
}

static void test_retransmission_is_read_once(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "one\n");
    lab_text(&l->conn, C, 0, "one\n");
    lab_text(&l->conn, C, 0, "one\ntwo\n");
    lab_counts(l);
    lab_assert_got(l, C, "one\ntwo\n");
    assert_int_equal(l->counts.retransmitted, 1);
}

static void test_retransmission_with_other_bytes_changes_nothing(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "one\n");
    lab_text(&l->conn, C, 0, "XXXXtwo\n");
    lab_text(&l->conn, C, 12, "four\n");
    lab_text(&l->conn, C, 12, "XXXX\n");
    lab_text(&l->conn, C, 8, "333\n");
    lab_assert_got(l, C, "one\ntwo\n333\nfour\n");
}

static void test_ack_before_the_data_loses_nothing(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "one\n");
    lab_ack(&l->conn, S, 16);
    lab_text(&l->conn, C, 8, "333\n"); /* through libnids, which has "seen" the ACK */
    lab_text(&l->conn, C, 4, "two\n");
    lab_text(&l->conn, C, 12, "four\n");
    lab_assert_got(l, C, "one\ntwo\n333\nfour\n");
    assert_int_equal(l->reader.seen.gaps, 0);
}

static void test_keepalive_byte_is_not_data(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "one\n");
    lab_send(&l->conn, C, 3, slice_of("\0", 1), 0);
    lab_text(&l->conn, C, 4, "two\n");
    lab_assert_got(l, C, "one\ntwo\n");
}

static void test_urgent_byte_stays_in_the_stream(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "a");
    struct packet p = {.time = l->conn.now,
                       .flags = TCP_ACK | TCP_URG,
                       .seq = l->conn.client + 1,
                       .ack = l->conn.server,
                       .payload = slice_str("bcdef\n"),
                       .payload_len = 6};
    feeder_tcp(l->feeder, &(struct flow_ref){&l->flow, true, false}, &p);
    lab_assert_got(l, C, "abcdef\n");
}

/* ---- older than the capture ---- */

static void test_midstream_starts_at_the_first_payload(void **state)
{
    struct lab *l = *state;
    l->flow = lab_midstream();
    lab_send(&l->conn, C, 5000, slice_str("one\n"), 700);
    lab_send(&l->conn, S, 700, slice_str("yes\n"), 5004);
    lab_send(&l->conn, C, 5004, slice_str("two\n"), 704);
    lab_counts(l);
    lab_assert_got(l, C, "one\ntwo\n");
    lab_assert_got(l, S, "yes\n");
    assert_false(l->reader.seen.from_start);
    assert_int_equal(l->counts.adopted, 1);
    assert_int_equal(l->reader.seen.gaps, 0);
}

static void test_midstream_other_side_starts_where_acknowledged(void **state)
{
    struct lab *l = *state;
    l->flow = lab_midstream();
    lab_send(&l->conn, C, 5000, slice_str("one\n"), 700);
    lab_text(&l->conn, S, 704, "333\n");
    lab_text(&l->conn, S, 700, "two\n");
    lab_assert_got(l, S, "two\n333\n");
}

static void test_midstream_ack_ahead_of_the_first_data(void **state)
{
    struct lab *l = *state;
    l->flow = lab_midstream();
    lab_send(&l->conn, C, 5000, slice_str("one\n"), 708);
    lab_text(&l->conn, S, 700, "two\n");
    lab_text(&l->conn, S, 704, "333\n");
    lab_assert_got(l, S, "two\n333\n");
    assert_int_equal(l->reader.seen.gaps, 0);
}

static void test_data_in_the_syn(void **state)
{
    struct lab *l = *state;
    struct packet p = {.time = l->conn.now,
                       .flags = TCP_SYN,
                       .seq = LAB_CLIENT_ISN,
                       .payload = slice_str("fast "),
                       .payload_len = 5};
    feeder_tcp(l->feeder, &(struct flow_ref){&l->flow, true, true}, &p);
    lab_text(&l->conn, C, 5, "open\n");
    lab_assert_got(l, C, "fast open\n");
    assert_true(l->reader.seen.from_start);
}

static void test_one_direction_of_a_gigabyte(void **state)
{
    struct lab *l = *state;
    l->flow.saw_synack = false;
    static uint8_t block[60000];
    memset(block, 'x', sizeof block);
    block[sizeof block - 2] = '\n'; /* never clean: something is kept all the way */
    uint32_t at = 0;
    for (int i = 0; i < 19000; i++, at += sizeof block) { /* beyond 65535 << 14 */
        lab_send(&l->conn, C, at, slice_of(block, sizeof block), 0);
        l->reader.seen.n[C] = 0;
    }
    lab_text(&l->conn, C, at, "last\n");
    lab_assert_got(l, C, "xlast\n");
    assert_int_equal(l->reader.seen.gaps, 0);
}

static void test_a_gigabyte_that_libnids_never_gives_back(void **state)
{
    struct lab *l = *state;
    static uint8_t block[60000];
    memset(block, 'x', sizeof block);
    block[sizeof block - 2] = '\n';
    uint32_t at = 2 * sizeof block;
    lab_send(&l->conn, C, sizeof block, slice_of(block, sizeof block), 0);
    lab_send(&l->conn, C, 0, slice_of(block, sizeof block), 0);
    for (int i = 0; i < 19000; i++, at += sizeof block) {
        lab_send(&l->conn, C, at, slice_of(block, sizeof block), 0);
        l->reader.seen.n[C] = 0;
    }
    lab_counts(l);
    assert_int_equal(l->counts.nids_segments, 19002);
    lab_text(&l->conn, C, at, "last\n");
    lab_assert_got(l, C, "xlast\n");
    assert_int_equal(l->reader.seen.gaps, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAB_TEST(test_whole_messages_do_not_touch_libnids),
        LAB_TEST(test_message_over_three_segments_comes_whole),
        LAB_TEST(test_back_to_direct_after_the_message),
        LAB_TEST(test_disorder_inside_a_message_moves_it_to_libnids),
        LAB_TEST(test_disorder_of_one_side_leaves_the_other_collecting),
        LAB_TEST(test_overlap_while_collecting_is_read_once),
        LAB_TEST(test_collected_message_of_any_size),
        LAB_TEST(test_both_directions_span_segments_at_once),
        LAB_TEST(test_segment_in_front_of_a_guard_page),
        LAB_TEST(test_sequence_numbers_wrap),
        LAB_TEST(test_reversed_segments),
        LAB_TEST(test_retransmission_is_read_once),
        LAB_TEST(test_retransmission_with_other_bytes_changes_nothing),
        LAB_TEST(test_ack_before_the_data_loses_nothing),
        LAB_TEST(test_keepalive_byte_is_not_data),
        LAB_TEST(test_urgent_byte_stays_in_the_stream),
        LAB_TEST(test_midstream_starts_at_the_first_payload),
        LAB_TEST(test_midstream_other_side_starts_where_acknowledged),
        LAB_TEST(test_midstream_ack_ahead_of_the_first_data),
        LAB_TEST(test_data_in_the_syn),
        LAB_TEST(test_one_direction_of_a_gigabyte),
        LAB_TEST(test_a_gigabyte_that_libnids_never_gives_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
