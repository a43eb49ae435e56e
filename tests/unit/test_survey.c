/* What a look at frames counts. */
#include "capture/survey.h"

#include "tests/help/layers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const char *const a4 = "10.1.0.1", *const b4 = "10.2.0.2";
static struct survey *s;

static int setup(void **state)
{
    (void)state;
    s = survey_new();
    return s ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    survey_free(s);
    return 0;
}

static void segment(const char *src, uint16_t sport, const char *dst, uint16_t dport, tick_t time)
{
    static struct layers l;
    layers_begin(&l, "data", 4);
    layers_tcp(&l, sport, dport, 1, TCP_ACK);
    layers_ip4(&l, 6, src, dst);
    layers_ethernet(&l, 0x0800);
    struct raw_packet raw = layers_raw(&l, time);
    survey_frames(s, &raw, 1);
}

static struct survey_facts facts(void)
{
    struct survey_facts f;
    survey_facts(s, &f);
    return f;
}

static void nothing_is_nothing(void **state)
{
    (void)state;
    struct survey_facts f = facts();
    assert_int_equal(f.frames, 0);
    assert_int_equal(f.talks, 0);
    assert_true(f.first == TICK_NONE && f.last == TICK_NONE);
}

static void both_directions_are_one_conversation(void **state)
{
    (void)state;
    for (tick_t t = 0; t < 3; t++) {
        segment(a4, 1000, b4, 443, t);
        segment(b4, 443, a4, 1000, t);
    }
    struct survey_facts f = facts();
    assert_int_equal(f.conversations, 1);
    assert_int_equal(f.talks, 1);
    assert_int_equal(f.one_way, 0);
}

static void four_packets_of_one_side_are_one_way(void **state)
{
    (void)state;
    for (tick_t t = 0; t < SURVEY_TALK - 1; t++)
        segment(a4, 1000, b4, 443, t);
    assert_int_equal(facts().talks, 0); /* too few to tell */
    segment(a4, 1000, b4, 443, 9);
    assert_int_equal(facts().talks, 1);
    assert_int_equal(facts().one_way, 1);
}

static void addresses_are_counted_by_direction(void **state)
{
    (void)state;
    struct addr a;
    assert_true(addr_parse(slice_str(a4), &a));
    segment(a4, 1000, b4, 443, 0);
    segment(a4, 1000, b4, 443, 0);
    segment(b4, 443, a4, 1000, 0);
    assert_int_equal(survey_addr(s, &a).sent, 2);
    assert_int_equal(survey_addr(s, &a).received, 1);
    assert_true(addr_parse(slice_str("192.0.2.1"), &a));
    assert_int_equal(survey_addr(s, &a).sent, 0);
}

static void steps_of_time_are_counted(void **state)
{
    (void)state;
    const tick_t hour = 3600 * TICK_S;
    segment(a4, 1, b4, 2, 10 * hour);
    segment(a4, 1, b4, 2, 10 * hour - TICK_S); /* a second is reordering */
    assert_int_equal(facts().steps_back, 0);
    segment(a4, 1, b4, 2, 7 * hour);
    segment(a4, 1, b4, 2, 8 * hour);
    assert_int_equal(facts().steps_ahead, 0);
    segment(a4, 1, b4, 2, 10 * hour);
    struct survey_facts f = facts();
    assert_int_equal(f.steps_back, 1);
    assert_int_equal(f.steps_ahead, 1);
    assert_true(f.largest_step == -3 * hour + TICK_S);
    assert_true(f.first == 7 * hour && f.last == 10 * hour);
}

static void cut_and_long_frames_are_counted(void **state)
{
    (void)state;
    static struct layers l;
    static const uint8_t payload[1600];
    layers_begin(&l, payload, sizeof payload);
    layers_tcp(&l, 1, 2, 1, TCP_ACK);
    layers_ip4(&l, 6, a4, b4);
    layers_ethernet(&l, 0x0800);
    struct raw_packet raw = layers_raw(&l, 0);
    survey_frames(s, &raw, 1);
    raw.caplen = 96;
    survey_frames(s, &raw, 1);
    struct survey_facts f = facts();
    assert_int_equal(f.long_frames, 2);
    assert_int_equal(f.longest, 14 + 20 + 20 + 1600);
    assert_int_equal(f.cut, 1);
    assert_int_equal(f.cut_to, 96);
    assert_int_equal(f.tcp, 2); /* headers are enough */
}

static void vlans_and_the_busiest_second(void **state)
{
    (void)state;
    static struct layers l;
    const uint16_t ids[] = {7, 7, 4001};
    for (unsigned i = 0; i < 3; i++) {
        const uint8_t tag[] = {(uint8_t)(ids[i] >> 8), (uint8_t)ids[i], 8, 0};
        layers_begin(&l, "x", 1);
        layers_udp(&l, 1, 2);
        layers_ip4(&l, 17, a4, b4);
        layers_bytes(&l, tag, sizeof tag);
        layers_ethernet(&l, 0x8100);
        struct raw_packet raw = layers_raw(&l, (tick_t)(i == 2 ? 1 : 0) * TICK_S);
        survey_frames(s, &raw, 1);
    }
    struct survey_facts f = facts();
    assert_int_equal(f.vlans, 2);
    assert_int_equal(f.vlan_low, 7);
    assert_int_equal(f.vlan_high, 4001);
    assert_int_equal(f.tagged, 3);
    assert_int_equal(f.peak_frames, 2);
}

static void tables_that_are_full_do_no_harm(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SURVEY_CONVERSATIONS * 2; i++)
        segment(a4, (uint16_t)i, i >> 16 ? b4 : "10.2.0.3", 443, 0);
    struct survey_facts f = facts();
    assert_true(f.conversations <= SURVEY_CONVERSATIONS);
    assert_int_equal(f.tcp, SURVEY_CONVERSATIONS * 2);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(nothing_is_nothing),
        T(both_directions_are_one_conversation),
        T(four_packets_of_one_side_are_one_way),
        T(addresses_are_counted_by_direction),
        T(steps_of_time_are_counted),
        T(cut_and_long_frames_are_counted),
        T(vlans_and_the_busiest_second),
        T(tables_that_are_full_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
