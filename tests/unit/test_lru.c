/* Numbers in order of use. */
#include "flows/lru.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int set_up(void **state)
{
    static struct lru l;
    *state = &l;
    return lru_init(&l, 3);
}

static int tear_down(void **state)
{
    lru_end(*state);
    return 0;
}

static void test_hands_out_each_number_once(void **state)
{
    struct lru *l = *state;
    assert_int_equal(lru_take(l), 1);
    assert_int_equal(lru_take(l), 2);
    assert_int_equal(lru_take(l), 3);
    assert_int_equal(lru_take(l), 0);
    assert_int_equal(l->live, 3);
}

static void test_oldest_is_the_one_longest_not_touched(void **state)
{
    struct lru *l = *state;
    assert_int_equal(lru_oldest(l), 0);
    lru_take(l);
    lru_take(l);
    lru_take(l);
    lru_touch(l, 1);
    assert_int_equal(lru_oldest(l), 2);
    lru_give(l, 2);
    assert_int_equal(lru_oldest(l), 3);
    lru_touch(l, 3);
    assert_int_equal(lru_oldest(l), 1);
}

static void test_number_given_back_comes_again(void **state)
{
    struct lru *l = *state;
    lru_take(l);
    lru_take(l);
    lru_give(l, 1);
    lru_give(l, 2);
    assert_int_equal(lru_oldest(l), 0);
    assert_int_equal(lru_take(l), 2);
    assert_int_equal(lru_take(l), 1);
    assert_int_equal(lru_take(l), 3);
    assert_int_equal(lru_oldest(l), 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_hands_out_each_number_once),
        CASE(test_oldest_is_the_one_longest_not_touched),
        CASE(test_number_given_back_comes_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
