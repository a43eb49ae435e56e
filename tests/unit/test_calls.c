/* The hash by which calls are found and bodies recognised. */
#include "flows/calls_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { IDS = 4096 };

static const uint64_t SEED = UINT64_C(0x243f6a8885a308d3);

/* How many of 4096 places are taken by as many Call-IDs of n bytes that differ in four digits. */
static unsigned places(size_t n)
{
    static bool taken[IDS];
    unsigned all = 0;
    memset(taken, 0, sizeof taken);
    for (unsigned i = 0; i < IDS; i++) {
        char id[64];
        snprintf(id, sizeof id, "c%04u@example.com-and-more-of-the-same-of-any-length", i);
        bool *place = &taken[calls_hash(SEED, slice_of(id, n)) >> 52];
        all += !*place;
        *place = true;
    }
    return all;
}

/* By chance it would be 4096 (1 - 1/e), 2589, with a standard deviation of about 20. */
static void test_ids_of_any_length_spread(void **state)
{
    (void)state;
    for (size_t n = 5; n <= 50; n++) {
        unsigned got = places(n);
        if (got < 2450)
            print_error("Call-IDs of %zu bytes take %u places\n", n, got);
        assert_true(got >= 2450);
    }
}

/* Whoever does not know the seed can't make Call-IDs that fall together. */
static void test_no_bytes_undo_the_rest(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        uint8_t one[24] = "aaaaaaaa", two[24] = "bbbbbbbb";
        one[8] = two[8] = (uint8_t)c;
        for (size_t n = 9; n <= sizeof one; n++)
            assert_int_not_equal(calls_hash(SEED, slice_of(one, n)),
                                 calls_hash(SEED, slice_of(two, n)));
    }
}

static void test_zeros_at_the_end_count(void **state)
{
    (void)state;
    static const uint8_t zeros[72];
    for (size_t n = 0; n < sizeof zeros; n++)
        assert_int_not_equal(calls_hash(SEED, slice_of(zeros, n)),
                             calls_hash(SEED, slice_of(zeros, n + 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_of_any_length_spread),
        cmocka_unit_test(test_no_bytes_undo_the_rest),
        cmocka_unit_test(test_zeros_at_the_end_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
