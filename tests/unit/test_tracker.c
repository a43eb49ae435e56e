/* The tracker: which packet belongs where, and what is reported when. */
#include "flows/tracker.h"

#include "flows/tracker_state.h"
#include "tests/help/tracker_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define RELAY "10.3.0.40:58138"
#define PEER "1.1.1.1:50704"
static const uint8_t RST_ACK = TCP_RST | TCP_ACK;

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

static uint32_t open_of(const char *end)
{
    struct endpoint e = lab_end(end);
    return hosts_open(lab.tracker->attempts.hosts, &e.addr);
}

static const struct attempt *only(enum verdict v)
{
    assert_int_equal(lab.reports, 1);
    assert_string_equal(verdict_name(lab.report[0].verdict), verdict_name(v));
    return lab.report;
}

/* ---- one attempt ---- */

/* P§8.2, times and numbers of the field report */
static void incident_1_is_one_refused_attempt(void **state)
{
    (void)state;
    const uint32_t isn = 3074395695;
    const double syn[] = {0, 0.546, 1.092}, rst[] = {0.043, 0.588, 1.134};
    for (int i = 0; i < 3; i++) {
        lab_segment(&lab, syn[i], RELAY, PEER, LAB_SYN, isn, 0, 0);
        lab_segment(&lab, rst[i], PEER, RELAY, RST_ACK, 0, isn + 1, 0);
    }
    tracker_advance(lab.tracker, lab_at(4));
    assert_int_equal(lab.reports, 0); /* 2.9 s after the last RST */
    tracker_advance(lab.tracker, lab_at(4.2));
    const struct attempt *a = only(VERDICT_REFUSED);
    assert_true(lab.final[0]);
    assert_int_equal(a->syns, 3);
    assert_int_equal(a->rsts, 3);
    assert_int_equal(a->rtt_us, 43000);
    assert_int_equal(a->isn, isn);
    assert_true(a->first == lab_at(0) && a->last == lab_at(1.134));
    assert_int_equal(a->answer_ttl, 57);
    assert_int_equal(a->answer_ipid, 4711);
    assert_int_equal(a->quality, QUALITY_GOOD);
    assert_int_equal(lab.proofs[0], 6);
    lab_finish(&lab, 60);
    assert_int_equal(lab.reports, 1);
}

static void a_connection_is_reported_when_bytes_went_both_ways_and_at_its_end(void **state)
{
    (void)state;
    lab_handshake(&lab, 0, RELAY, PEER);
    lab_segment(&lab, 1, RELAY, PEER, TCP_ACK, 101, 901, 300);
    assert_int_equal(lab.reports, 0);
    struct flow_ref ref = lab_segment(&lab, 1.1, PEER, RELAY, TCP_ACK, 901, 401, 200);
    only(VERDICT_CONNECTED);
    assert_false(lab.final[0]);
    assert_true(ref.flow->established && !ref.from_client && !ref.fresh);
    assert_true(open_of(RELAY) == 1 && open_of(PEER) == 1);
    lab_segment(&lab, 2, RELAY, PEER, TCP_ACK, 401, 1101, 700);
    lab_segment(&lab, 3, RELAY, PEER, TCP_ACK | TCP_FIN, 1101, 1101, 0);
    ref = lab_segment(&lab, 3.1, PEER, RELAY, TCP_ACK | TCP_FIN, 1101, 1102, 0);
    assert_true(ref.flow->closing);
    tracker_advance(lab.tracker, lab_at(7));
    assert_int_equal(lab.reports, 2);
    assert_true(lab.final[1]);
    assert_int_equal(lab.report[1].id, lab.report[0].id);
    assert_true(!lab.report[0].again && lab.report[1].again);
    assert_int_equal(lab.report[1].bytes_out, 1000);
    assert_int_equal(lab.report[1].bytes_in, 200);
    assert_true(open_of(RELAY) == 0 && open_of(PEER) == 0);
}

static void payload_is_peeked_at_with_rfc_4571_framing_or_without(void **state)
{
    static const uint8_t request[] = {0, 20, 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1,
                                      2, 3,  4, 5, 6, 7, 8,    9,    10,   11,   12};
    static const uint8_t answer[] = {1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1,  2,
                                     3, 4, 5, 6, 7,    8,    9,    10,   11, 12};
    static const uint8_t hello[] = {0x16, 3, 1, 0, 45};
    (void)state;
    lab_handshake(&lab, 0, RELAY, PEER);
    lab_payload(&lab, 1, RELAY, PEER, 101, 901, slice_of(request, sizeof request));
    lab_payload(&lab, 2, PEER, RELAY, 901, 123, slice_of(answer, sizeof answer));
    assert_int_equal(only(VERDICT_CONNECTED)->peek_out, PEEK_CHECK_REQUEST);
    assert_int_equal(lab.report[0].peek_in, PEEK_CHECK_OK);
    lab_handshake(&lab, 10, "10.0.0.1:1", PEER);
    lab_payload(&lab, 11, "10.0.0.1:1", PEER, 101, 901, slice_of(hello, sizeof hello));
    lab_finish(&lab, 60);
    assert_int_equal(lab.by_verdict[VERDICT_OPEN_NO_CHECK], 1);
    for (unsigned i = 1; i < lab.reports; i++)
        if (lab.report[i].verdict == VERDICT_OPEN_NO_CHECK)
            assert_int_equal(lab.report[i].peek_out, PEEK_TLS);
}

static void open_no_check_is_provisional_until_the_flow_ends(void **state)
{
    (void)state;
    lab_handshake(&lab, 0, RELAY, PEER);
    tracker_advance(lab.tracker, lab_at(31));
    only(VERDICT_OPEN_NO_CHECK);
    assert_false(lab.final[0]);
    lab_segment(&lab, 50, RELAY, PEER, TCP_ACK, 101, 901, 100);
    lab_segment(&lab, 51, PEER, RELAY, TCP_ACK, 901, 201, 100);
    assert_int_equal(lab_last(&lab)->verdict, VERDICT_CONNECTED);
    lab_finish(&lab, 60);
    assert_int_equal(lab.reports, 3);
    assert_true(lab.final[2] && lab.report[2].verdict == VERDICT_CONNECTED);
    assert_true(!lab.report[0].again && lab.report[1].again && lab.report[2].again);
}

/* ---- several connections on the same ports ---- */

/* RFC 9293 §3.5, figure 8; and as some stacks do it, with plain ACKs, or with one of the two lost
 */
static void simultaneous_open_is_one_connected_attempt(void **state)
{
    static const struct {
        uint8_t of_peer, of_relay;
    } answers[] = {{LAB_SYNACK, LAB_SYNACK}, {TCP_ACK, TCP_ACK}, {LAB_SYNACK, TCP_ACK}};
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        uint32_t first = answers[i].of_peer == TCP_ACK, second = answers[i].of_relay == TCP_ACK;
        tracker_lab_close(&lab);
        tracker_lab_open(&lab, 64, 8);
        lab_segment(&lab, 0, RELAY, PEER, LAB_SYN, 100, 0, 0);
        lab_segment(&lab, 0.01, PEER, RELAY, LAB_SYN, 900, 0, 0);
        lab_segment(&lab, 0.02, PEER, RELAY, answers[i].of_peer, 900 + first, 101, 0);
        lab_segment(&lab, 0.03, RELAY, PEER, answers[i].of_relay, 100 + second, 901, 0);
        lab_segment(&lab, 0.1, RELAY, PEER, TCP_ACK, 101, 901, 100);
        struct flow_ref ref = lab_segment(&lab, 0.2, PEER, RELAY, TCP_ACK, 901, 201, 100);
        assert_true(ref.flow->established);
        lab_finish(&lab, 60);
        assert_int_equal(lab.reports, 2);
        assert_int_equal(lab.by_verdict[VERDICT_CONNECTED], 1);
        assert_int_equal(lab_last(&lab)->bytes_out + lab_last(&lab)->bytes_in, 200);
    }
}

static void syns_that_cross_and_are_both_refused_are_two_attempts(void **state)
{
    (void)state;
    lab_segment(&lab, 0, RELAY, PEER, LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 0.01, PEER, RELAY, LAB_SYN, 900, 0, 0);
    lab_segment(&lab, 0.04, PEER, RELAY, RST_ACK, 0, 101, 0);
    lab_segment(&lab, 0.05, RELAY, PEER, RST_ACK, 0, 901, 0);
    lab_segment(&lab, 0.54, RELAY, PEER, LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 0.58, PEER, RELAY, RST_ACK, 0, 101, 0);
    lab_finish(&lab, 10);
    assert_int_equal(lab.reports, 2);
    assert_int_equal(lab.by_verdict[VERDICT_REFUSED], 2);
    assert_int_equal(lab.report[0].syns + lab.report[1].syns, 3);
}

static void a_new_isn_is_a_new_attempt(void **state)
{
    (void)state;
    struct flow_ref first = lab_segment(&lab, 0, RELAY, PEER, LAB_SYN, 100, 0, 0);
    struct flow_ref retry = lab_segment(&lab, 3, RELAY, PEER, LAB_SYN, 100, 0, 0);
    struct flow_ref second = lab_segment(&lab, 9, RELAY, PEER, LAB_SYN, 555, 0, 0);
    assert_true(first.fresh && !retry.fresh && second.fresh);
    lab_segment(&lab, 9.1, PEER, RELAY, RST_ACK, 0, 556, 0);
    lab_finish(&lab, 60);
    assert_int_equal(lab.reports, 2);
    assert_int_equal(lab.report[0].verdict, VERDICT_TIMEOUT);
    assert_int_equal(lab.report[0].syns, 2);
    assert_int_equal(lab.report[1].verdict, VERDICT_REFUSED);
}

static void a_reused_port_ends_the_old_connection_when_the_new_one_is_answered(void **state)
{
    (void)state;
    lab_handshake(&lab, 0, RELAY, PEER);
    lab_segment(&lab, 1, RELAY, PEER, TCP_ACK, 101, 901, 100);
    struct flow_ref old = lab_segment(&lab, 1, PEER, RELAY, TCP_ACK, 901, 201, 100);
    old.flow->stream = 77;
    struct flow_ref again = lab_segment(&lab, 2, RELAY, PEER, LAB_SYN, 100, 0, 0);
    assert_ptr_equal(again.flow, old.flow); /* a retransmission, nothing new */
    lab_segment(&lab, 20, RELAY, PEER, LAB_SYN, 40000000, 0, 0);
    assert_int_equal(lab.flows_over, 0); /* could be a forged one */
    struct flow_ref still = lab_segment(&lab, 20.1, PEER, RELAY, TCP_ACK, 1001, 201, 100);
    assert_ptr_equal(still.flow, old.flow);
    lab_segment(&lab, 21, PEER, RELAY, LAB_SYNACK, 80000000, 40000001, 0);
    struct flow_ref open = lab_segment(&lab, 21, RELAY, PEER, TCP_ACK, 40000001, 80000001, 0);
    assert_true(open.flow->established);
    assert_int_equal(lab.flows_over, 1);
    assert_true(lab.final[lab.reports - 1]);
    assert_int_equal(lab_last(&lab)->bytes_in, 200);
    assert_true(open_of(RELAY) == 1 && open_of(PEER) == 1);
}

static void an_attempt_knows_how_many_connections_its_source_had_open(void **state)
{
    (void)state;
    char peer[32];
    for (int i = 0; i < 5; i++) { /* three of the relay, two of another */
        snprintf(peer, sizeof peer, "1.1.1.%d:443", i);
        lab_handshake(&lab, i, i < 3 ? RELAY : "10.3.0.41:6000", peer);
    }
    lab_handshake(&lab, 5, "1.1.1.9:50000", "10.3.0.40:50001"); /* and one to it */
    lab_segment(&lab, 6, RELAY, PEER, LAB_SYN, 100, 0, 0);
    lab_handshake(&lab, 7, RELAY, "1.1.1.8:443"); /* afterwards: counts for nobody before */
    lab_segment(&lab, 9, RELAY, PEER, LAB_SYN, 100, 0, 0);
    for (int i = 0; i < 2; i++) {
        snprintf(peer, sizeof peer, "1.1.1.%d:443", i);
        lab_segment(&lab, 10, peer, RELAY, RST_ACK, 901, 101, 0);
    }
    tracker_advance(lab.tracker, lab_at(20)); /* closed ones are gone */
    lab_segment(&lab, 21, RELAY, "1.1.1.2:9", LAB_SYN, 100, 0, 0);
    lab_finish(&lab, 60);
    unsigned found = 0;
    for (unsigned i = 0; i < lab.reports; i++) {
        uint16_t port = lab.report[i].dst.port;
        if (port == 50704)
            assert_int_equal(lab.report[i].concurrency, 4);
        else if (port == 9)
            assert_int_equal(lab.report[i].concurrency, 3);
        found += port == 50704 || port == 9;
    }
    assert_int_equal(found, 2);
    assert_true(open_of(RELAY) == 0 && open_of("1.1.1.9:1") == 0);
}

static void a_closed_connection_gives_way_to_a_syn_at_once(void **state)
{
    (void)state;
    lab_handshake(&lab, 0, RELAY, PEER);
    lab_segment(&lab, 1, RELAY, PEER, TCP_ACK, 101, 901, 100);
    struct flow_ref old = lab_segment(&lab, 1, PEER, RELAY, TCP_ACK, 901, 201, 100);
    old.flow->stream = 77;
    lab_segment(&lab, 1.5, PEER, RELAY, RST_ACK, 1001, 201, 0);
    struct flow_ref fresh = lab_segment(&lab, 1.6, RELAY, PEER, LAB_SYN, 200, 0, 0);
    assert_true(fresh.fresh);
    assert_int_equal(fresh.flow->stream, 0);
    assert_int_equal(lab.flows_over, 1);
}

static void mid_stream_connections_have_a_flow_and_no_attempt(void **state)
{
    (void)state;
    struct flow_ref ref = lab_segment(&lab, 0, "10.0.0.1:5060", "10.0.0.2:40000", TCP_ACK, 1, 2, 9);
    assert_true(ref.flow && ref.flow->midstream && !ref.flow->established && !ref.from_client);
    struct endpoint client = lab_end("10.0.0.2:40000"); /* the higher port */
    assert_true(endpoint_eq(&ref.flow->client, &client));
    struct flow_ref back =
        lab_segment(&lab, 1, "10.0.0.2:40000", "10.0.0.1:5060", TCP_ACK, 2, 10, 5);
    assert_ptr_equal(ref.flow, back.flow);
    assert_null(lab_segment(&lab, 2, "10.0.0.3:1", "10.0.0.4:2", TCP_RST, 1, 0, 0).flow);
    lab_finish(&lab, 500);
    assert_int_equal(lab.reports, 0);
}

/* ---- what the sensor cannot see ---- */

static void one_direction_only_is_unseen(void **state)
{
    (void)state;
    lab_segment(&lab, 0, RELAY, PEER, LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 0.1, RELAY, PEER, TCP_ACK, 101, 901, 0);
    lab_segment(&lab, 0.2, RELAY, PEER, TCP_ACK, 101, 901, 500);
    tracker_advance(lab.tracker, lab_at(30));
    assert_int_equal(only(VERDICT_UNSEEN)->quality, QUALITY_ONE_WAY);
    /* the flow is worth reading all the same */
    assert_true(lab_segment(&lab, 31, RELAY, PEER, TCP_ACK, 601, 901, 5).flow->midstream);
    /* and from now on, silence towards this address proves nothing */
    lab_segment(&lab, 40, "10.3.0.40:59000", PEER, LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 43, "10.3.0.40:59000", PEER, LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 44, "10.3.0.41:59000", PEER, LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 47, "10.3.0.41:59000", PEER, LAB_SYN, 100, 0, 0);
    tracker_advance(lab.tracker, lab_at(100));
    assert_int_equal(lab.reports, 3);
    assert_int_equal(lab.report[1].verdict, VERDICT_UNSEEN);
    assert_int_equal(lab.report[1].quality, QUALITY_ONE_WAY);
    assert_int_equal(lab.report[2].verdict, VERDICT_TIMEOUT);
    assert_int_equal(lab.report[2].quality, QUALITY_GOOD);
}

static void an_address_that_was_answered_once_is_visible(void **state)
{
    (void)state;
    lab_segment(&lab, 0, "10.3.0.40:1", PEER, LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 0.1, PEER, "10.3.0.40:1", RST_ACK, 0, 101, 0);
    for (int i = 0; i < 5; i++) /* another flow is routed differently */
        lab_segment(&lab, 1 + i, "10.3.0.40:2", PEER, TCP_ACK, 1, 2, 3);
    lab_segment(&lab, 10, "10.3.0.40:3", PEER, LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 13, "10.3.0.40:3", PEER, LAB_SYN, 100, 0, 0);
    lab_finish(&lab, 100);
    assert_int_equal(lab.by_verdict[VERDICT_TIMEOUT], 1);
    struct tracker_counts c;
    tracker_counts(lab.tracker, &c);
    assert_int_equal(c.one_way_flows, 1);
}

static void syn_acks_alone_are_unseen(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        lab_segment(&lab, i, PEER, RELAY, LAB_SYNACK, 900, 101, 0);
    lab_finish(&lab, 60);
    const struct attempt *a = only(VERDICT_UNSEEN);
    struct endpoint relay = lab_end(RELAY);
    assert_int_equal(a->quality, QUALITY_ONE_WAY);
    assert_int_equal(a->isn, 100);
    assert_true(endpoint_eq(&a->src, &relay));
}

static void losses_of_the_sensor_lower_the_claim(void **state)
{
    (void)state;
    tracker_lossy(lab.tracker, lab_at(8), lab_at(10));
    tracker_lossy(lab.tracker, lab_at(50), lab_at(70));
    lab_segment(&lab, 0, RELAY, PEER, LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 3, RELAY, PEER, LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 9, RELAY, PEER, LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 55, "10.3.0.40:2", PEER, LAB_SYN, 100, 0, 0); /* all its life */
    lab_segment(&lab, 58, "10.3.0.40:2", PEER, LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 90, "10.3.0.40:3", PEER, LAB_SYN, 100, 0, 0); /* after it */
    lab_segment(&lab, 93, "10.3.0.40:3", PEER, LAB_SYN, 100, 0, 0);
    lab_finish(&lab, 150);
    assert_int_equal(lab.reports, 3);
    assert_int_equal(lab.report[0].verdict, VERDICT_TIMEOUT);
    assert_int_equal(lab.report[0].quality, QUALITY_LOSSY);
    assert_int_equal(lab.report[1].verdict, VERDICT_UNSEEN);
    assert_int_equal(lab.report[1].quality, QUALITY_LOSSY);
    assert_int_equal(lab.report[2].quality, QUALITY_GOOD);
}

/* ---- time ---- */

static void deadlines_fire_alike_however_often_time_is_told(void **state)
{
    static struct attempt once[8];
    (void)state;
    for (int often = 0; often < 2; often++) {
        tracker_lab_close(&lab);
        tracker_lab_open(&lab, 64, 8);
        const char *const from[] = {"10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3", "10.0.0.1:4"};
        for (int i = 0; i < 4; i++)
            lab_segment(&lab, i * 0.5, from[i], PEER, LAB_SYN, 100, 0, 0);
        lab_segment(&lab, 2, PEER, from[2], RST_ACK, 0, 101, 0);
        lab_segment(&lab, 3, PEER, from[1], LAB_SYNACK, 9, 101, 0);
        for (int ms = 3001; often && ms < 60000; ms += 7)
            tracker_advance(lab.tracker, lab_at(ms / 1000.0));
        tracker_advance(lab.tracker, lab_at(60));
        assert_int_equal(lab.reports, 4);
        if (often)
            assert_memory_equal(once, lab.report, 4 * sizeof *once);
        memcpy(once, lab.report, 4 * sizeof *once);
    }
    assert_int_equal(once[0].verdict, VERDICT_REFUSED); /* in order of their deadlines */
    assert_int_equal(once[1].verdict, VERDICT_HALF_OPEN);
}

static void a_clock_that_starts_anew_ends_what_was_open(void **state)
{
    (void)state;
    lab_segment(&lab, 9000, RELAY, PEER, LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 8999, PEER, RELAY, LAB_SYNACK, 9, 101, 0); /* a small step is disorder */
    assert_int_equal(lab.reports, 0);
    lab_segment(&lab, 0, "10.0.0.1:1", PEER, LAB_SYN, 100, 0, 0);
    assert_int_equal(lab.reports, 1);
    tracker_advance(lab.tracker, lab_at(30));
    assert_int_equal(lab.reports, 2);
}

static void idle_flows_end(void **state)
{
    (void)state;
    lab_handshake(&lab, 0, RELAY, PEER);
    lab_segment(&lab, 1, RELAY, PEER, TCP_ACK, 101, 901, 100);
    lab_segment(&lab, 1, PEER, RELAY, TCP_ACK, 901, 201, 100).flow->stream = 5;
    for (int i = 0; i < 5; i++) /* never idle for 300 s */
        lab_segment(&lab, 200 + 200 * i, RELAY, PEER, TCP_ACK, 201, 1001, 0);
    assert_int_equal(lab.flows_over, 0);
    tracker_advance(lab.tracker, lab_at(1000 + 299));
    assert_int_equal(lab.flows_over, 0);
    tracker_advance(lab.tracker, lab_at(1000 + 361));
    assert_int_equal(lab.flows_over, 1);
    assert_true(lab.final[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(incident_1_is_one_refused_attempt),
        TEST(a_connection_is_reported_when_bytes_went_both_ways_and_at_its_end),
        TEST(payload_is_peeked_at_with_rfc_4571_framing_or_without),
        TEST(open_no_check_is_provisional_until_the_flow_ends),
        TEST(simultaneous_open_is_one_connected_attempt),
        TEST(syns_that_cross_and_are_both_refused_are_two_attempts),
        TEST(a_new_isn_is_a_new_attempt),
        TEST(a_reused_port_ends_the_old_connection_when_the_new_one_is_answered),
        TEST(an_attempt_knows_how_many_connections_its_source_had_open),
        TEST(a_closed_connection_gives_way_to_a_syn_at_once),
        TEST(mid_stream_connections_have_a_flow_and_no_attempt),
        TEST(one_direction_only_is_unseen),
        TEST(an_address_that_was_answered_once_is_visible),
        TEST(syn_acks_alone_are_unseen),
        TEST(losses_of_the_sensor_lower_the_claim),
        TEST(deadlines_fire_alike_however_often_time_is_told),
        TEST(a_clock_that_starts_anew_ends_what_was_open),
        TEST(idle_flows_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
