/* Sorted ranges of sequence numbers, against a plain bitmap where cases are many. */
#include "flows/ranges.h"

#include "tests/help/stream_lab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_range(const struct ranges *s, uint32_t i, uint32_t from, uint32_t to)
{
    assert_true(i < s->n);
    assert_int_equal(s->r[i].from, from);
    assert_int_equal(s->r[i].to, to);
}

static void test_sorted_whatever_the_order(void **state)
{
    (void)state;
    struct ranges s = {0};
    assert_true(ranges_add(&s, 30, 40));
    assert_true(ranges_add(&s, 10, 20));
    assert_true(ranges_add(&s, 50, 60));
    assert_int_equal(s.n, 3);
    assert_range(&s, 0, 10, 20);
    assert_range(&s, 1, 30, 40);
    assert_range(&s, 2, 50, 60);
}

static void test_touching_ranges_join(void **state)
{
    (void)state;
    struct ranges s = {0};
    ranges_add(&s, 10, 20);
    ranges_add(&s, 30, 40);
    ranges_add(&s, 20, 30);
    assert_int_equal(s.n, 1);
    assert_range(&s, 0, 10, 40);
}

static void test_order_survives_the_wrap(void **state)
{
    (void)state;
    struct ranges s = {0};
    ranges_add(&s, 5, 10);
    ranges_add(&s, 0xfffffff0, 0xfffffffa);
    assert_range(&s, 0, 0xfffffff0, 0xfffffffa);
    ranges_add(&s, 0xfffffffa, 5);
    assert_int_equal(s.n, 1);
    assert_range(&s, 0, 0xfffffff0, 10);
    uint32_t from = 0xfffffffe, to = 2;
    assert_false(ranges_missing(&s, &from, &to));
    ranges_drop(&s, 3);
    assert_range(&s, 0, 3, 10);
}

static void test_full_set_takes_only_what_joins(void **state)
{
    (void)state;
    struct ranges s = {0};
    for (uint32_t i = 0; i < RANGES_MAX; i++)
        assert_true(ranges_add(&s, i * 10, i * 10 + 5));
    struct ranges before = s;
    assert_false(ranges_add(&s, 1000, 1001));
    assert_memory_equal(&s, &before, sizeof s);
    assert_true(ranges_add(&s, 5, 10));
    assert_int_equal(s.n, RANGES_MAX - 1);
}

static void test_missing_part_is_the_first_one(void **state)
{
    (void)state;
    struct ranges s = {0};
    ranges_add(&s, 10, 20);
    ranges_add(&s, 30, 40);
    static const struct {
        uint32_t from, to, missing_from, missing_to;
    } cases[] = {{0, 5, 0, 5},     {0, 50, 0, 10},   {10, 50, 20, 30},
                 {15, 25, 20, 25}, {20, 30, 20, 30}, {35, 50, 40, 50}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t from = cases[i].from, to = cases[i].to;
        assert_true(ranges_missing(&s, &from, &to));
        assert_int_equal(from, cases[i].missing_from);
        assert_int_equal(to, cases[i].missing_to);
    }
    uint32_t from = 12, to = 20;
    assert_false(ranges_missing(&s, &from, &to));
}

/* Is the set what the bitmap says, with nothing touching? */
static void assert_same(const struct ranges *s, const bool *bits, uint32_t n)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        for (; at < s->r[i].from; at++)
            assert_false(bits[at]);
        assert_true(s->r[i].from < s->r[i].to);
        for (; at < s->r[i].to; at++)
            assert_true(bits[at]);
        assert_true(at == n || !bits[at]);
    }
    for (; at < n; at++)
        assert_false(bits[at]);
}

static void test_random_adds_and_drops_against_a_bitmap(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (int round = 0; round < 2000; round++) {
        struct ranges s = {0};
        bool bits[100] = {false};
        for (int i = 0; i < 20; i++) {
            uint32_t from = (uint32_t)(lab_random(&random) % 90);
            uint32_t to = from + 1 + (uint32_t)(lab_random(&random) % 9);
            if (lab_random(&random) % 8 == 0) {
                ranges_drop(&s, from);
                memset(bits, 0, from);
            } else if (ranges_add(&s, from, to)) {
                memset(bits + from, 1, to - from);
            }
            assert_same(&s, bits, 100);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sorted_whatever_the_order),
        cmocka_unit_test(test_touching_ranges_join),
        cmocka_unit_test(test_order_survives_the_wrap),
        cmocka_unit_test(test_full_set_takes_only_what_joins),
        cmocka_unit_test(test_missing_part_is_the_first_one),
        cmocka_unit_test(test_random_adds_and_drops_against_a_bitmap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
