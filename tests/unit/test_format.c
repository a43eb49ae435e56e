/* Texts from formats beside those of the C library. */
#include "capture/format.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 128 };

/* Both into rooms that end at the same place, with a mark behind it. */
__attribute__((format(printf, 2, 3))) static void same(size_t room, const char *format, ...)
{
    char ours[ROOM + 1], theirs[ROOM + 1];
    va_list args;
    memset(ours, '#', sizeof ours);
    memset(theirs, '#', sizeof theirs);
    va_start(args, format);
    int n = format_args(ours, room, format, args);
    va_end(args);
    va_start(args, format);
    int want = vsnprintf(theirs, room, format, args);
    va_end(args);
    assert_int_equal(n, want);
    if (room)
        assert_string_equal(ours, theirs);
    assert_memory_equal(ours + room, theirs + room, sizeof ours - room);
}

static void texts_and_whole_numbers(void **state)
{
    (void)state;
    for (size_t room = 0; room <= 48; room++) {
        same(room, "no conversion");
        same(room, "%s to %.5s%%, %c", "one", "longer than that", 'x');
        same(room, "%d %d %d %u %x", 0, INT_MIN, INT_MAX, UINT_MAX, 0xc0ffeeu);
        same(room, "%.0s|%.9s|%s", "gone", "all", "");
        same(room, "%ld %lu %lx", LONG_MIN, ULONG_MAX, ULONG_MAX);
        same(room, "%lld %llu %llx", LLONG_MIN, ULLONG_MAX, 1ull);
    }
    same(0, "%s", "");
}

/* What it does not know the C library makes, with all arguments from the first one on. */
static void other_conversions_are_the_librarys(void **state)
{
    (void)state;
    same(ROOM, "%s %05d %u", "a", 42, 7u);
    same(ROOM, "%u %-6s| %zu", 7u, "b", (size_t)9);
    same(ROOM, "%d %*d", 1, 5, 2);
    same(ROOM, "%s %.3d %X", "c", 1, 255u);
    same(ROOM, "%s %f %.9f %g", "d", 1.5, 2.5, 3.5);
    same(ROOM, "%u %hhu %i", 1u, (unsigned char)200, -4);
}

static void same_fractions(double v)
{
    same(ROOM, "%.0f %.1f %.2f %.3f", v, v, v, v);
}

static void fractions_are_rounded_as_the_library_does(void **state)
{
    static const double some[] = {
        0,    -0.0,   0.05,  0.25,     0.35,     0.45,      0.5,     1.5,     2.5,     0.125,
        1e-9, 0.0005, 0.995, 999.9995, 4.35e13,  DBL_MIN,   DBL_MAX, 0x1p51,  0x1p52,  0x1p53,
        -1.5, 1e300,  1e-30, NAN,      INFINITY, -INFINITY, 0x1p-1,  0x1p-11, 0x1p-12, 0x1p-1074};
    (void)state;
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        same_fractions(some[i]);
    for (int us = 0; us < 20000; us++)
        same_fractions((double)us / 1e3);
    uint64_t rng = 88172645463325252u;
    for (int i = 0; i < 200000; i++) {
        double v;
        rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
        uint64_t bits = (rng & ~(UINT64_C(0x7ff) << 52)) | (970 + (rng >> 20) % 110) << 52;
        memcpy(&v, &bits, sizeof v);
        same_fractions(v);
        same_fractions((double)(rng % 4000000) / 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_and_whole_numbers),
        cmocka_unit_test(other_conversions_are_the_librarys),
        cmocka_unit_test(fractions_are_rounded_as_the_library_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
