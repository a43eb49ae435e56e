/* Clocks from what must have come before what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flows/skew.h"

#define S INT64_C(1000000)
#define HOUR (3600 * S)
#define OPEN SKEW_LIMIT_US

static struct skew solved(const struct skew_bound *b, size_t n)
{
    struct skew s;
    assert_int_equal(skew_solve(b, n, &s), 0);
    return s;
}

/* The incident, worked in the dossier (§8.4): 42.583 s by the relay port, 42.649 s by the Send. */
static void the_incident(void **state)
{
    const struct skew_bound b[] = {{42583000, OPEN, 0}, {-OPEN, 42649000, 1}};
    struct skew s = solved(b, 2);
    (void)state;
    assert_true(s.known);
    assert_int_equal(s.low, 42583000);
    assert_int_equal(s.high, 42649000);
    assert_int_equal(s.agreed, 2);
    assert_int_equal(skew_point(&s), 42616000);
    assert_int_equal(skew_zone_h(&s), 0);
}

static void nothing_known(void **state)
{
    const struct skew_bound outside = {20 * HOUR, 21 * HOUR, 0}, wrong = {5, 4, 0};
    (void)state;
    assert_false(solved(NULL, 0).known);
    assert_false(solved(&outside, 1).known);
    assert_false(solved(&wrong, 1).known);
}

/* A relay port that was used three times: the other call tells which time it was. */
static void alternatives(void **state)
{
    const struct skew_bound b[] = {
        {-3 * HOUR, -3 * HOUR + S, 0},
        {1 * S, 3 * S, 0},
        {2 * HOUR, 2 * HOUR + S, 0},
        {2 * S, 5 * S, 1},
    };
    struct skew s = solved(b, 4);
    (void)state;
    assert_int_equal(s.low, 2 * S);
    assert_int_equal(s.high, 3 * S);
    assert_int_equal(s.agreed, 2);
    /* one thing that fits twice does not speak twice */
    const struct skew_bound same[] = {
        {0, 9 * S, 0}, {1 * S, 8 * S, 0}, {60 * S, 61 * S, 1}, {60 * S, 62 * S, 2}};
    s = solved(same, 4);
    assert_int_equal(s.low, 60 * S);
    assert_int_equal(s.agreed, 2);
}

static void of_equals_the_nearest(void **state)
{
    const struct skew_bound b[] = {{-9 * S, -8 * S, 0}, {4 * S, 5 * S, 0}, {700 * S, 701 * S, 0}};
    struct skew s = solved(b, 3);
    (void)state;
    assert_int_equal(s.low, 4 * S);
    assert_int_equal(s.high, 5 * S);
}

static void points_touch(void **state)
{
    const struct skew_bound b[] = {{1 * S, 2 * S, 0}, {2 * S, 3 * S, 1}};
    struct skew s = solved(b, 2);
    (void)state;
    assert_int_equal(s.low, 2 * S);
    assert_int_equal(s.high, 2 * S);
    assert_int_equal(s.agreed, 2);
}

static void zones(void **state)
{
    static const struct {
        int64_t point;
        int zone;
    } rows[] = {
        {0, 0},
        {42 * S, 0},
        {-42 * S, 0},
        {-HOUR, 1},              /* a log by UTC+1 is an hour ahead of UTC */
        {-HOUR + 42 * S, 1},     /* and 42 s behind */
        {5 * HOUR - 10 * S, -5}, /* New York, 10 s ahead */
        {8 * HOUR, -8},
        {-12 * HOUR, 12},
        {1799 * S, 0},
        {1801 * S, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct skew s = {true, rows[i].point, rows[i].point, 1};
        if (skew_zone_h(&s) != rows[i].zone)
            fail_msg("row %zu: %d", i, skew_zone_h(&s));
    }
}

static void points(void **state)
{
    const struct skew narrow = {true, 10 * S, 20 * S, 1}, wide = {true, 10 * S, 300 * S, 1},
                      above = {true, 10 * S, OPEN, 1}, below = {true, -OPEN, 20 * S, 1};
    (void)state;
    assert_int_equal(skew_point(&narrow), 15 * S);
    assert_int_equal(skew_point(&wide), 10 * S);
    assert_int_equal(skew_point(&above), 10 * S);
    assert_int_equal(skew_point(&below), 20 * S);
}

static void two_answers(void **state)
{
    const struct skew none = {0}, a = {true, 1 * S, 5 * S, 2}, b = {true, 3 * S, OPEN, 1},
                      far = {true, 60 * S, 61 * S, 3};
    struct skew s = skew_both(&a, &b);
    (void)state;
    assert_int_equal(s.low, 3 * S);
    assert_int_equal(s.high, 5 * S);
    assert_int_equal(skew_both(&none, &a).low, 1 * S);
    assert_int_equal(skew_both(&a, &none).low, 1 * S);
    assert_int_equal(skew_both(&a, &far).low, 60 * S); /* more agreed on it */
    assert_int_equal(skew_both(&far, &a).low, 60 * S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_incident), cmocka_unit_test(nothing_known),
        cmocka_unit_test(alternatives), cmocka_unit_test(of_equals_the_nearest),
        cmocka_unit_test(points_touch), cmocka_unit_test(zones),
        cmocka_unit_test(points),       cmocka_unit_test(two_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
