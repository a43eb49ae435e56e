/* Which flows are fed, for how long, and within which bounds. */
#include "flows/limits.h"
#include "tests/help/feeder_lab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- the end of streams ---- */

static void test_both_fins_end_the_stream(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "one\n");
    lab_flags(&l->conn, C, TCP_FIN | TCP_ACK, 4, 0);
    assert_int_equal(l->reader.seen.over, 0);
    lab_text(&l->conn, S, 0, "two\n");
    lab_flags(&l->conn, S, TCP_FIN | TCP_ACK, 4, 5);
    assert_int_equal(l->reader.seen.over, 1);
    assert_int_equal(l->reader.seen.closed, 1);
    assert_int_equal(l->flow.watch, WATCH_IGNORE);
    assert_int_equal(l->flow.stream, 0);
}

static void test_fin_ahead_of_its_data_waits(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "one\n");
    lab_flags(&l->conn, S, TCP_FIN | TCP_ACK, 0, 4);
    lab_flags(&l->conn, C, TCP_FIN | TCP_ACK, 8, 1);
    assert_int_equal(l->reader.seen.over, 0);
    lab_text(&l->conn, C, 4, "two\n");
    lab_assert_got(l, C, "one\ntwo\n");
    assert_int_equal(l->reader.seen.over, 1);
}

static void test_ended_streams_are_not_listed_for_their_holes(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "one\n");
    lab_flags(&l->conn, S, TCP_FIN | TCP_ACK, 0, 4);
    lab_flags(&l->conn, C, TCP_FIN | TCP_ACK, 8, 1);
    assert_int_equal(l->feeder->n_holed, 1);
    lab_text(&l->conn, C, 4, "two\n");
    assert_int_equal(l->reader.seen.over, 1);
    assert_int_equal(l->feeder->n_holed, 0);
}

static void test_reset_delivers_what_waits(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "one\n");
    lab_text(&l->conn, C, 8, "abc\nabc\n");
    lab_flags(&l->conn, C, TCP_RST, 16, 0);
    lab_assert_got(l, C, "one\nabc\nabc\n");
    assert_int_equal(l->reader.seen.closed, 1);
    assert_int_equal(l->flow.watch, WATCH_IGNORE);
}

static void test_reset_elsewhere_is_no_reset(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "one\n");
    lab_flags(&l->conn, C, TCP_RST, 5000000, 0);
    lab_flags(&l->conn, C, TCP_RST, 0u - 100, 0);
    lab_text(&l->conn, C, 4, "two\n");
    lab_assert_got(l, C, "one\ntwo\n");
    assert_int_equal(l->reader.seen.over, 0);
}

static void test_released_flow_is_ignored(void **state)
{
    struct lab *l = *state;
    l->reader.release_on = "BULK";
    lab_text(&l->conn, C, 0, "one\nBULK\nmore\n");
    lab_text(&l->conn, C, 14, "media\n");
    lab_counts(l);
    lab_assert_got(l, C, "one\nBULK\n");
    assert_int_equal(l->flow.watch, WATCH_IGNORE);
    assert_int_equal(l->flow.stream, 0);
    assert_int_equal(l->reader.seen.over, 1);
    assert_int_equal(l->counts.released, 1);
}

static void test_release_inside_libnids(void **state)
{
    struct lab *l = *state;
    l->reader.release_on = "BULK";
    lab_text(&l->conn, C, 10, "waits\n");
    lab_text(&l->conn, C, 0, "on");
    lab_text(&l->conn, C, 2, "e\nBULK\n\n");
    lab_assert_got(l, C, "one\nBULK\n");
    assert_int_equal(l->flow.stream, 0);
    assert_int_equal(l->feeder->room_lru.live, 0);
    assert_int_equal(l->feeder->n_holed, 0);
}

static void test_reused_ports_are_read_anew(void **state)
{
    struct lab *l = *state;
    l->reader.release_on = "BULK";
    lab_text(&l->conn, C, 0, "BULK\n");
    l->reader.release_on = NULL;
    struct packet syn = {.time = l->conn.now, .flags = TCP_SYN, .seq = 900};
    l->flow.client_isn = 900;
    feeder_tcp(l->feeder, &(struct flow_ref){&l->flow, true, true}, &syn);
    assert_int_equal(l->flow.watch, WATCH_UNDECIDED);
    l->conn.client = 901;
    lab_text(&l->conn, C, 0, "new\n");
    lab_assert_got(l, C, "BULK\nnew\n");
    assert_int_equal(l->reader.seen.begun, 2);
}

static void test_flow_over_ends_the_stream(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "one\n");
    lab_text(&l->conn, C, 8, "abc\n");
    feeder_flow_over(l->feeder, &l->flow);
    lab_assert_got(l, C, "one\nabc\n");
    assert_int_equal(l->reader.seen.over, 1);
    assert_int_equal(l->reader.seen.closed, 0);
    assert_int_equal(l->flow.stream, 0);
    feeder_flow_over(l->feeder, &l->flow);
    assert_int_equal(l->reader.seen.over, 1);
}

static void test_packets_without_payload_begin_nothing(void **state)
{
    struct lab *l = *state;
    lab_flags(&l->conn, C, TCP_SYN, 0u - 1, 0);
    lab_ack(&l->conn, S, 0);
    lab_flags(&l->conn, C, TCP_RST, 0, 0);
    feeder_tcp(l->feeder, &(struct flow_ref){NULL, true, false}, &(struct packet){0});
    lab_counts(l);
    assert_int_equal(l->counts.streams, 0);
    assert_int_equal(l->flow.watch, WATCH_UNDECIDED);
}

/* ---- bounds ---- */

static void test_message_without_end_is_dropped_at_its_cap(void **state)
{
    struct lab *l = *state;
    static uint8_t block[1460];
    memset(block, 'x', sizeof block);
    uint32_t at = 0;
    for (; at <= LIMIT_SIP_MESSAGE; at += sizeof block)
        lab_send(&l->conn, C, at, slice_of(block, sizeof block), 0);
    assert_int_equal(l->reader.seen.gaps, 1);
    lab_text(&l->conn, C, at, "end\n");
    lab_assert_got(l, C, "end\n");
    assert_true(l->reader.seen.largest <= LIMIT_SIP_MESSAGE + sizeof block);
    assert_int_equal(l->feeder->memory, 0);
}

static void test_full_table_evicts_the_longest_idle(void **state)
{
    struct lab *l = *state;
    lab_restart(l, 4, 2);
    static struct flow flows[5];
    struct lab_conn conns[5];
    for (int i = 0; i < 5; i++) {
        flows[i] = lab_flow(LAB_CLIENT_ISN, LAB_SERVER_ISN);
        conns[i] = lab_connect(l->feeder, &flows[i], LAB_CLIENT_ISN, LAB_SERVER_ISN);
    }
    for (int i = 0; i < 4; i++)
        lab_text(&conns[i], C, 0, "a\n");
    conns[0].now += 10 * TICK_S;
    lab_text(&conns[0], C, 2, "b\n"); /* the oldest by creation is the youngest by use */
    lab_text(&conns[4], C, 0, "c\n");
    lab_counts(l);
    assert_int_equal(l->counts.evicted, 1);
    assert_int_not_equal(flows[0].stream, 0);
    assert_int_equal(flows[1].stream, 0);
    assert_int_equal(flows[1].watch, WATCH_UNDECIDED);
    lab_text(&conns[1], C, 2, "d\n"); /* taken up again */
    lab_ack(&conns[1], S, 4);
    feeder_advance(l->feeder, conns[1].now + HEAL_AFTER);
    lab_assert_got(l, C, "a\na\na\na\nb\nc\nd\n");
}

static void test_full_libnids_evicts_the_longest_idle(void **state)
{
    struct lab *l = *state;
    lab_restart(l, 16, 2);
    static struct flow flows[3];
    struct lab_conn conns[3];
    for (int i = 0; i < 3; i++) {
        flows[i] = lab_flow(LAB_CLIENT_ISN, LAB_SERVER_ISN);
        conns[i] = lab_connect(l->feeder, &flows[i], LAB_CLIENT_ISN, LAB_SERVER_ISN);
        lab_text(&conns[i], C, 0, "par");
    }
    lab_counts(l);
    assert_int_equal(l->counts.evicted, 1);
    assert_int_equal(l->reader.seen.gaps, 1); /* flow 0 lost its part */
    for (int i = 2; i >= 0; i--)
        lab_text(&conns[i], C, 3, "t\n");
    lab_assert_got(l, C, "part\npart\nt\n");
    assert_int_equal(l->counts.nids_warnings, 0); /* "Max number of TCP streams reached" */
}

static void test_bytes_in_libnids_are_bounded(void **state)
{
    enum { FLOWS = 1500 };
    struct lab *l = *state;
    lab_restart(l, FLOWS, FLOWS);
    static uint8_t block[60000];
    static struct flow flows[FLOWS];
    for (int i = 0; i < FLOWS; i++) {
        flows[i] = lab_flow(LAB_CLIENT_ISN, LAB_SERVER_ISN);
        struct lab_conn c = lab_connect(l->feeder, &flows[i], LAB_CLIENT_ISN, LAB_SERVER_ISN);
        lab_send(&c, C, 0, slice_of(block, sizeof block), 0);
        assert_true(l->feeder->memory <= LIMIT_STREAM_BYTES);
        l->reader.seen.gaps = 0;
    }
    lab_counts(l);
    assert_true(l->counts.evicted > 0);
}

static void test_idle_stream_leaves_libnids_and_stays_with_its_reader(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "one\npar");
    feeder_advance(l->feeder, l->conn.now + STREAM_IDLE + TICK_S);
    lab_counts(l);
    assert_int_equal(l->counts.swept, 1);
    assert_int_equal(l->feeder->room_lru.live, 0);
    lab_assert_gap(l, 0, C, 4, 0);
    assert_int_equal(l->counts.gaps, 0); /* the reader is told, but the capture has no hole */
    assert_int_equal(l->reader.seen.over, 0);
    l->conn.now += 200 * TICK_S;
    lab_text(&l->conn, C, 7, "two\n");
    lab_assert_got(l, C, "one\ntwo\n");
}

static void test_pending_bytes_of_a_closed_stream_are_no_gap(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "par");
    lab_flags(&l->conn, C, TCP_RST, 3, 0);
    assert_int_equal(l->reader.seen.gaps, 0);
    assert_int_equal(l->reader.seen.closed, 1);
    assert_int_equal(l->feeder->room_lru.live, 0);
}

static void test_second_feeder_at_a_time_is_refused(void **state)
{
    struct lab *l = *state;
    struct stream_reader r = lab_stream_reader(&l->reader);
    const char *why = NULL;
    assert_null(feeder_new(16, 8, &r, &why));
    assert_non_null(why);
    lab_restart(l, 16, 8);
    lab_text(&l->conn, C, 0, "ag");
    lab_text(&l->conn, C, 2, "ain\n");
    lab_assert_got(l, C, "again\n");
}

static void test_free_ends_every_stream(void **state)
{
    struct lab *l = *state;
    lab_text(&l->conn, C, 0, "par");
    feeder_free(l->feeder);
    l->feeder = NULL;
    assert_int_equal(l->reader.seen.over, 1);
    assert_int_equal(l->flow.stream, 0);
}

/* ---- addresses ---- */

static void test_addresses_that_libnids_stumbles_over(void **state)
{
    struct lab *l = *state;
    static const uint32_t bad[] = {0, 0x00000180, 0x7f000001, 0xe0000001, 0xffffffff};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        lab_restart(l, 16, 8);
        l->flow.client.addr = l->flow.server.addr = addr_v4(bad[i]);
        lab_text(&l->conn, C, 0, "ab");
        lab_text(&l->conn, C, 2, "c\n");
        lab_assert_got(l, C, "abc\n");
        lab_counts(l);
        assert_int_equal(l->counts.nids_warnings, 0);
    }
}

static void test_ipv6_needs_no_other_way(void **state)
{
    struct lab *l = *state;
    static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    l->flow.client.addr = addr_v6(v6);
    lab_text(&l->conn, C, 3, "d\n");
    lab_text(&l->conn, C, 0, "abc");
    lab_assert_got(l, C, "abcd\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAB_TEST(test_both_fins_end_the_stream),
        LAB_TEST(test_fin_ahead_of_its_data_waits),
        LAB_TEST(test_ended_streams_are_not_listed_for_their_holes),
        LAB_TEST(test_reset_delivers_what_waits),
        LAB_TEST(test_reset_elsewhere_is_no_reset),
        LAB_TEST(test_released_flow_is_ignored),
        LAB_TEST(test_release_inside_libnids),
        LAB_TEST(test_reused_ports_are_read_anew),
        LAB_TEST(test_flow_over_ends_the_stream),
        LAB_TEST(test_packets_without_payload_begin_nothing),
        LAB_TEST(test_message_without_end_is_dropped_at_its_cap),
        LAB_TEST(test_full_table_evicts_the_longest_idle),
        LAB_TEST(test_full_libnids_evicts_the_longest_idle),
        LAB_TEST(test_bytes_in_libnids_are_bounded),
        LAB_TEST(test_idle_stream_leaves_libnids_and_stays_with_its_reader),
        LAB_TEST(test_pending_bytes_of_a_closed_stream_are_no_gap),
        LAB_TEST(test_second_feeder_at_a_time_is_refused),
        LAB_TEST(test_free_ends_every_stream),
        LAB_TEST(test_addresses_that_libnids_stumbles_over),
        LAB_TEST(test_ipv6_needs_no_other_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
