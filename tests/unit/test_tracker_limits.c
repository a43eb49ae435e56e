/* The tracker's limits: memory, and what a flood may not do. */
#include "flows/tracker.h"

#include "flows/limits.h"
#include "tests/help/tracker_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/resource.h>
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

/* ---- floods ---- */

static struct packet flood_syn(double at, uint64_t *random, const struct endpoint *dst)
{
    struct packet p = lab_tcp(at, "203.0.113.1:1", "10.3.0.40:1", LAB_SYN, 0, 0, 0);
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    p.src.addr = addr_v4((uint32_t)(*random >> 32) | 0x40000000);
    p.src.port = (uint16_t)(*random >> 16);
    p.seq = (uint32_t)*random;
    p.dst = *dst;
    return p;
}

static void a_flood_evicts_its_own_kind(void **state)
{
    uint64_t random = 1;
    struct endpoint relay = lab_end(RELAY), victim = lab_end("10.9.9.9:80");
    (void)state;
    tracker_lab_close(&lab);
    tracker_lab_open(&lab, 1 << 14, 8);
    lab.wanted = &relay.addr;
    lab_handshake(&lab, 0, "10.0.0.1:5", "10.0.0.2:5061"); /* nobody asked for it */
    lab_segment(&lab, 0.1, "10.0.0.1:5", "10.0.0.2:5061", TCP_ACK, 101, 901, 100);
    lab_segment(&lab, 0.2, "10.0.0.2:5061", "10.0.0.1:5", TCP_ACK, 901, 201, 100).flow->stream = 9;
    lab_segment(&lab, 0.5, RELAY, PEER, LAB_SYN, 100, 0, 0);
    for (int i = 0; i < 1000000; i++) {
        struct packet p = flood_syn(1 + i * 1e-5, &random, &victim);
        tracker_tcp(lab.tracker, &p);
    }
    lab_segment(&lab, 11, RELAY, "1.1.1.1:50705", LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 11.1, "1.1.1.1:50705", RELAY, RST_ACK, 0, 101, 0);
    lab_segment(&lab, 11.2, RELAY, PEER, LAB_SYN, 100, 0, 0);
    assert_int_equal(lab.flows_over, 0);
    tracker_advance(lab.tracker, lab_at(36.5));
    assert_int_equal(lab.reports, 2);
    assert_int_equal(lab.report[0].verdict, VERDICT_REFUSED);
    assert_int_equal(lab.report[1].verdict, VERDICT_TIMEOUT);
    assert_true(lab.proofs[0] == 2 && lab.proofs[1] == 2);
    struct tracker_counts c;
    tracker_counts(lab.tracker, &c);
    assert_int_equal(c.tcp_packets, 1000000 + 5 + 4);
    assert_true(c.evicted_syn > 900000);
    assert_int_equal(c.evicted_flows, 0);
}

static void connections_in_use_outlive_a_flood_of_acks(void **state)
{
    uint64_t random = 1;
    struct endpoint victim = lab_end("10.9.9.9:80");
    (void)state;
    tracker_lab_close(&lab);
    tracker_lab_open(&lab, 1000, 8);
    lab_segment(&lab, 0, "10.0.0.1:5", "10.0.0.2:5061", TCP_ACK, 1, 2, 3).flow->stream = 9;
    for (int i = 0; i < 100000; i++) {
        struct packet p = flood_syn(1 + i * 1e-3, &random, &victim);
        p.flags = TCP_ACK;
        assert_non_null(tracker_tcp(lab.tracker, &p).flow);
        if (i % 500 == 0)
            lab_segment(&lab, 1 + i * 1e-3, "10.0.0.1:5", "10.0.0.2:5061", TCP_ACK, 1, 2, 3);
    }
    assert_int_equal(lab.flows_over, 0);
}

static void unknown_sources_keep_only_so_much_evidence(void **state)
{
    uint64_t random = 7;
    struct endpoint victim = lab_end("10.9.9.9:80");
    (void)state;
    for (int i = 0; i < 300; i++) {
        struct packet p = flood_syn(1, &random, &victim);
        p.src.addr = addr_v4(0xc6336401);
        p.src.port = (uint16_t)(1000 + i);
        tracker_tcp(lab.tracker, &p);
    }
    lab_finish(&lab, 30);
    unsigned with = 0;
    for (unsigned i = 0; i < lab.reports; i++)
        with += lab.proofs[i];
    assert_int_equal(lab.reports, 300);
    assert_int_equal(with, LIMIT_UNKNOWN_PER_MINUTE);
}

static void an_entry_takes_at_most_192_bytes(void **state)
{
    (void)state;
    assert_in_range(tracker_bytes_per_flow(), 64, 192);
}

static void small_captures_touch_little_memory(void **state)
{
    struct rusage before, after;
    (void)state;
    getrusage(RUSAGE_SELF, &before);
    tracker_lab_close(&lab);
    tracker_lab_open(&lab, 0, 0); /* the sizes of limits.h */
    lab_handshake(&lab, 0, RELAY, PEER);
    lab_finish(&lab, 1);
    getrusage(RUSAGE_SELF, &after);
    assert_in_range(after.ru_maxrss - before.ru_maxrss, 0, 24 * 1024);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        /* first: it watches the process's memory grow */
        TEST(small_captures_touch_little_memory),
        TEST(a_flood_evicts_its_own_kind),
        TEST(connections_in_use_outlive_a_flood_of_acks),
        TEST(unknown_sources_keep_only_so_much_evidence),
        TEST(an_entry_takes_at_most_192_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
