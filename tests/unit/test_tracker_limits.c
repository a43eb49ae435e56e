/* The tracker's limits: memory, and what a flood may not do. */
#include "flows/tracker.h"

#include "flows/limits.h"
#include "tests/help/tracker_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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

static void flood(void (*open)(struct tracker_lab *, uint32_t, uint32_t))
{
    uint64_t random = 1;
    struct endpoint relay = lab_end(RELAY), victim = lab_end("10.9.9.9:80");
    tracker_lab_close(&lab);
    open(&lab, 1 << 14, 8);
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

static void a_flood_evicts_its_own_kind(void **state)
{
    (void)state;
    flood(tracker_lab_open);
}

/* The wanted one waits for its answer among the others, and is then known from them. */
static void it_does_where_answers_come_late(void **state)
{
    (void)state;
    flood(tracker_lab_open_late);
    assert_true(lab.fetched > 900000);
}

/* The flood waits for a retry after its RSTs, so that those who wait for an answer are few: the
 * wanted ones, of which that is not known at first. */
static void who_is_asking_does_not_give_way_to_a_flood(void **state)
{
    enum { FLOOD = 20000, EVERY = 100 };
    uint64_t random = 1;
    struct endpoint relay = lab_end(RELAY), victim = lab_end("10.9.9.9:80");
    (void)state;
    tracker_lab_close(&lab);
    tracker_lab_open_late(&lab, 1 << 14, 8);
    lab.wanted = &relay.addr;
    for (int i = 0; i < FLOOD; i++) {
        struct packet p = flood_syn(1 + i * 1e-5, &random, &victim), rst = p;
        tracker_tcp(lab.tracker, &p);
        rst.src = p.dst, rst.dst = p.src, rst.flags = RST_ACK, rst.seq = 0, rst.ack = p.seq + 1;
        tracker_tcp(lab.tracker, &rst);
        if (i % EVERY)
            continue;
        p = lab_tcp(1 + i * 1e-5, RELAY, PEER, LAB_SYN, 100, 0, 0);
        p.dst.port = (uint16_t)(10000 + i / EVERY);
        tracker_tcp(lab.tracker, &p);
    }
    tracker_advance(lab.tracker, lab_at(60));
    assert_int_equal(lab.reports, FLOOD / EVERY);
    for (unsigned i = 0; i < lab.reports; i++)
        assert_true(lab.final[i] && lab.report[i].quality == QUALITY_GOOD && lab.proofs[i] == 1);
}

/* More wanted runs than there is room for: the oldest silent one gives way, not the one that has
 * just begun. */
static void few_are_answered(void (*open)(struct tracker_lab *, uint32_t, uint32_t))
{
    enum { RUNS = 12000, LATER = 2050, EVERY = 100 };
    struct endpoint relay = lab_end(RELAY);
    char peer[32];
    tracker_lab_close(&lab);
    open(&lab, 4096, 4096);
    lab.wanted = &relay.addr;
    for (int i = 0; i < RUNS; i++) {
        snprintf(peer, sizeof peer, "1.1.1.1:%d", 10000 + i);
        lab_stun(&lab, 1 + i * 1e-3, peer, RELAY, 0x0001, (uint8_t)i);
        snprintf(peer, sizeof peer, "1.1.1.1:%d", 10000 + i - LATER);
        if (i >= LATER && i % EVERY == LATER % EVERY)
            lab_stun(&lab, 1 + i * 1e-3, RELAY, peer, 0x0101, (uint8_t)(i - LATER));
    }
    lab_finish(&lab, 1 + RUNS * 1e-3);
    assert_int_equal(lab.by_verdict[VERDICT_CONNECTED], (RUNS - LATER + EVERY - 1) / EVERY);
}

static void checks_are_answered_whoever_gave_way(void **state)
{
    (void)state;
    few_are_answered(tracker_lab_open);
    few_are_answered(tracker_lab_open_late);
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

static void one_source_asks(void)
{
    uint64_t random = 7;
    struct endpoint victim = lab_end("10.9.9.9:80");
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

static void unknown_sources_keep_only_so_much_evidence(void **state)
{
    (void)state;
    one_source_asks();
}

static void they_do_where_answers_come_late(void **state)
{
    (void)state;
    tracker_lab_close(&lab);
    tracker_lab_open_late(&lab, 4096, 256);
    one_source_asks();
}

/* Entries are taken again before anybody knew whether they are wanted. Random, but always alike. */
static void tables_smaller_than_the_open_questions(void **state)
{
    static const char *const ends[] = {RELAY, PEER, "10.9.9.9:80", "10.9.9.8:81", "10.9.9.7:82"};
    struct endpoint relay = lab_end(RELAY);
    uint64_t random = 3;
    (void)state;
    tracker_lab_close(&lab);
    tracker_lab_open_late(&lab, 16, 16);
    lab.wanted = &relay.addr;
    for (int i = 0; i < 20000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        unsigned r = (unsigned)(random >> 33);
        const char *from = ends[r % 5], *to = ends[(r / 5 + r % 5 + 1) % 5];
        double at = 1 + i * 0.01;
        if (r % 3 == 0)
            lab_stun(&lab, at, from, to, r & 64 ? 0x0001 : 0x0101, (uint8_t)(r >> 8));
        else if (r % 3 == 1)
            lab_segment(&lab, at, from, to, LAB_SYN, r >> 4, 0, 0);
        else
            lab_segment(&lab, at, from, to, r & 64 ? RST_ACK : LAB_SYNACK, 0, r >> 4, 0);
    }
    lab_finish(&lab, 300);
    assert_true(lab.reports > 1000);
    for (unsigned i = 0; i < lab.reports && i < LAB_REPORTS; i++)
        assert_true(lab.report[i].wanted); /* others are strangers, counted apart */
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
        TEST(it_does_where_answers_come_late),
        TEST(who_is_asking_does_not_give_way_to_a_flood),
        TEST(checks_are_answered_whoever_gave_way),
        TEST(connections_in_use_outlive_a_flood_of_acks),
        TEST(unknown_sources_keep_only_so_much_evidence),
        TEST(they_do_where_answers_come_late),
        TEST(tables_smaller_than_the_open_questions),
        TEST(an_entry_takes_at_most_192_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
