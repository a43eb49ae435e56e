/* Fragments: order, overlaps, repetitions, bounds. */
#include "capture/defrag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct defrag *d;
static uint8_t text[4096]; /* no two units alike */

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i / 8 + i * 31);
    d = defrag_new(99);
    return d ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    defrag_free(d);
    return 0;
}

static struct fragment piece(uint32_t id, size_t from, size_t to, bool more)
{
    return (struct fragment){.src = addr_v4(0x0a000001),
                             .dst = addr_v4(0x0a000002),
                             .id = id,
                             .proto = PROTO_UDP,
                             .more = more,
                             .offset = (uint16_t)from,
                             .data = slice_of(text + from, to - from),
                             .data_len = (uint32_t)(to - from)};
}

static bool add(struct fragment f, tick_t now, struct slice *whole)
{
    return defrag_add(d, &f, now, whole);
}

static struct defrag_counts counts(void)
{
    struct defrag_counts c;
    defrag_counts(d, &c);
    return c;
}

static void pieces_in_any_order_make_the_datagram(void **state)
{
    (void)state;
    static const struct {
        size_t from, to;
        bool more;
    } cut[3] = {{0, 1480, true}, {1480, 2960, true}, {2960, 3001, false}};
    static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (uint32_t o = 0; o < 6; o++) {
        struct slice whole;
        for (int i = 0; i < 3; i++) {
            uint8_t k = orders[o][i];
            bool done = add(piece(o, cut[k].from, cut[k].to, cut[k].more), TICK_S, &whole);
            assert_int_equal(done, i == 2);
        }
        assert_int_equal(whole.n, 3001);
        assert_memory_equal(whole.p, text, 3001);
    }
    assert_int_equal(counts().complete, 6);
    assert_int_equal(counts().overlaps, 0);
}

static void datagrams_are_told_apart(void **state)
{
    (void)state;
    struct slice whole;
    struct fragment other;
    assert_false(add(piece(1, 0, 8, true), 0, &whole));
    assert_false(add(piece(2, 8, 16, false), 0, &whole));
    other = piece(1, 8, 16, false);
    other.dst = addr_v4(0x0a000003);
    assert_false(add(other, 0, &whole));
    other = piece(1, 8, 16, false);
    other.proto = PROTO_TCP;
    assert_false(add(other, 0, &whole));
    assert_true(add(piece(1, 8, 16, false), 0, &whole));
}

static void ipv6_takes_the_protocol_of_the_first_fragment(void **state)
{
    (void)state;
    struct slice whole;
    struct fragment first = piece(1, 0, 8, true), last = piece(1, 8, 16, false);
    first.v6 = last.v6 = true;
    last.proto = 60;
    assert_false(defrag_add(d, &first, 0, &whole));
    assert_true(defrag_add(d, &last, 0, &whole));
    assert_int_equal(last.proto, PROTO_UDP);
}

static void an_ipv4_overlap_keeps_what_came_first(void **state)
{
    (void)state;
    struct slice whole;
    uint8_t forged[16];
    memset(forged, 0xee, sizeof forged);
    struct fragment f = piece(1, 8, 24, true);
    f.data = slice_of(forged, 16);
    assert_false(add(piece(1, 0, 16, true), 0, &whole));
    assert_false(add(f, 0, &whole));
    assert_true(add(piece(1, 24, 30, false), 0, &whole));
    assert_memory_equal(whole.p, text, 16);
    assert_memory_equal(whole.p + 16, forged, 8);
    assert_memory_equal(whole.p + 24, text + 24, 6);
    assert_int_equal(counts().overlaps, 1);
}

static void an_ipv6_overlap_drops_the_datagram(void **state)
{
    (void)state;
    struct slice whole;
    struct fragment a = piece(1, 0, 16, true), b = piece(1, 8, 24, true),
                    c = piece(1, 24, 30, false), again = piece(1, 0, 24, true);
    a.v6 = b.v6 = c.v6 = again.v6 = true;
    assert_false(add(a, 0, &whole));
    assert_false(add(b, 0, &whole));
    assert_false(add(c, 0, &whole));
    assert_false(add(again, 0, &whole));
    assert_int_equal(counts().overlaps, 1);
    assert_int_equal(counts().complete, 0);
}

static void an_exact_repetition_is_no_overlap(void **state)
{
    (void)state;
    struct slice whole;
    struct fragment a = piece(1, 0, 16, true), b = piece(1, 16, 24, false);
    a.v6 = b.v6 = true;
    assert_false(add(a, 0, &whole));
    assert_false(add(a, 0, &whole));
    assert_true(add(b, 0, &whole));
    assert_int_equal(counts().duplicates, 1);
    assert_int_equal(counts().overlaps, 0);
}

static void two_ends_spoil_the_datagram(void **state)
{
    (void)state;
    struct slice whole;
    assert_false(add(piece(1, 8, 16, false), 0, &whole));
    assert_false(add(piece(1, 8, 24, false), 0, &whole));
    assert_false(add(piece(1, 0, 8, true), 0, &whole));
    assert_int_equal(counts().overlaps, 1);
    assert_false(add(piece(2, 8, 16, false), 0, &whole));
    assert_false(add(piece(2, 16, 24, true), 0, &whole)); /* beyond the end */
    assert_int_equal(counts().overlaps, 2);
}

static void late_pieces_do_not_meet(void **state)
{
    (void)state;
    struct slice whole;
    assert_false(add(piece(1, 0, 8, true), 0, &whole));
    assert_false(add(piece(1, 8, 16, false), DEFRAG_TIMEOUT + 1, &whole));
    assert_int_equal(counts().expired, 1);
    /* nor when packet time jumps back */
    assert_false(add(piece(2, 0, 8, true), 100 * TICK_S, &whole));
    assert_false(add(piece(2, 8, 16, false), 1 * TICK_S, &whole));
}

static void too_many_at_once_give_up_the_oldest(void **state)
{
    (void)state;
    struct slice whole;
    for (uint32_t i = 0; i <= DEFRAG_DATAGRAMS; i++)
        assert_false(add(piece(i, 0, 8, true), i, &whole));
    assert_int_equal(counts().evicted, 1);
    assert_true(add(piece(1, 8, 16, false), 300, &whole));
    assert_false(add(piece(0, 8, 16, false), 300, &whole));
}

static void a_snapped_piece_is_not_used(void **state)
{
    (void)state;
    struct slice whole;
    struct fragment f = piece(1, 8, 1488, false);
    f.data.n = 100;
    assert_false(add(piece(1, 0, 8, true), 0, &whole));
    assert_false(add(f, 0, &whole));
    assert_int_equal(counts().unusable, 1);
}

static void the_largest_datagram_fits(void **state)
{
    (void)state;
    struct slice whole;
    struct fragment f = piece(1, 0, 8, true);
    bool done = false;
    for (size_t at = 0; at < 65528; at += 8) {
        f.offset = (uint16_t)at;
        f.data = slice_of(text + at % 2048, 8);
        assert_false(add(f, 0, &whole));
    }
    f.offset = 65528;
    f.more = false;
    f.data = slice_of(text, 7);
    f.data_len = 7;
    done = add(f, 0, &whole);
    assert_true(done);
    assert_int_equal(whole.n, 65535);
    assert_memory_equal(whole.p + 2048, text, 2048);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(pieces_in_any_order_make_the_datagram),
        TEST(datagrams_are_told_apart),
        TEST(ipv6_takes_the_protocol_of_the_first_fragment),
        TEST(an_ipv4_overlap_keeps_what_came_first),
        TEST(an_ipv6_overlap_drops_the_datagram),
        TEST(an_exact_repetition_is_no_overlap),
        TEST(two_ends_spoil_the_datagram),
        TEST(late_pieces_do_not_meet),
        TEST(too_many_at_once_give_up_the_oldest),
        TEST(a_snapped_piece_is_not_used),
        TEST(the_largest_datagram_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
