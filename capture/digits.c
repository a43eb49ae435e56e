/* Decimal numbers two digits at a time, and octets out of a table: no branch depends on a digit. */
#include "capture/digits.h"

#include <string.h>

/* clang-format off */
static const char pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
    "4950515253545556575859606162636465666768697071727374757677787980818283848586878889909192939495969798"
    "99";

#define TEN(tens) tens "0", tens "1", tens "2", tens "3", tens "4", \
                  tens "5", tens "6", tens "7", tens "8", tens "9"
static const char octets[256][4] = {
    TEN(""), TEN("1"), TEN("2"), TEN("3"), TEN("4"), TEN("5"), TEN("6"), TEN("7"), TEN("8"), TEN("9"),
    TEN("10"), TEN("11"), TEN("12"), TEN("13"), TEN("14"), TEN("15"), TEN("16"), TEN("17"), TEN("18"),
    TEN("19"), TEN("20"), TEN("21"), TEN("22"), TEN("23"), TEN("24"),
    "250", "251", "252", "253", "254", "255",
};
/* clang-format on */

/* Of a number above 0: from the bits that it has, 1233/4096 being a little more than log10(2). */
static unsigned length_of(uint64_t v)
{
    static const uint64_t powers[] = {1ull,
                                      10ull,
                                      100ull,
                                      1000ull,
                                      10000ull,
                                      100000ull,
                                      1000000ull,
                                      10000000ull,
                                      100000000ull,
                                      1000000000ull,
                                      10000000000ull,
                                      100000000000ull,
                                      1000000000000ull,
                                      10000000000000ull,
                                      100000000000000ull,
                                      1000000000000000ull,
                                      10000000000000000ull,
                                      100000000000000000ull,
                                      1000000000000000000ull,
                                      10000000000000000000ull};
    unsigned most = (unsigned)(64 - __builtin_clzll(v)) * 1233 >> 12;
    return most + (v >= powers[most]);
}

char *digits_put(char *to, uint64_t v)
{
    if (v < 10) {
        *to = (char)('0' + v);
        return to + 1;
    }
    char *end = to + length_of(v), *p = end;
    for (; v >= 100; v /= 100)
        memcpy(p -= 2, pairs + v % 100 * 2, 2);
    if (v >= 10)
        memcpy(to, pairs + v * 2, 2);
    else
        *to = (char)('0' + v);
    return end;
}

char *digits_put_addr4(char *to, const uint8_t b[4])
{
    for (int i = 0; i < 4; i++) {
        memcpy(to, octets[b[i]], 4);
        to += 1 + (b[i] >= 10) + (b[i] >= 100);
        *to++ = '.';
    }
    return to - 1;
}
