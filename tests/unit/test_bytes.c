/* Walks over text by eight bytes at once, held against walks by one. */
#include "flows/wire/headers.h"
#include "flows/wire/sdp.h"
#include "tests/help/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { ROUNDS = 20000, LONGEST = 40 };

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5;
}

/* Few different bytes, so that matches and near misses are many. */
static size_t random_text(uint32_t *state, uint8_t out[LONGEST])
{
    static const uint8_t some[] = {0,    1,    ' ',  '!',  '"', '"', '\\', ',', ';', ':', '<', 0x7f,
                                   0x80, 0xa0, 0xbb, 0xff, 'a', 'a', 'a',  'a', 'a', 'a', 'a'};
    size_t n = next_random(state) % (LONGEST + 1);
    for (size_t i = 0; i < n; i++)
        out[i] = some[next_random(state) % sizeof some];
    return n;
}

static size_t found_slowly(struct slice s, uint8_t a, uint8_t b)
{
    bool quoted = false;
    for (size_t i = 0; i < s.n; i++) {
        if (!quoted && (s.p[i] == a || s.p[i] == b))
            return i;
        if (quoted && s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"')
            quoted = !quoted;
    }
    return s.n;
}

static void the_first_mark_is_the_first_match(void **state)
{
    (void)state;
    uint32_t seed = 4711;
    uint8_t w[8];
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < 8; i++)
            w[i] = (uint8_t)(next_random(&seed) % 5 == 0 ? 0x20 + next_random(&seed) % 3
                                                         : next_random(&seed));
        size_t below = 0, equal = 0;
        while (below < 8 && w[below] >= 0x21)
            below++;
        while (equal < 8 && w[equal] != '"')
            equal++;
        uint64_t marks = text_below(text_word(w), 0x21);
        assert_int_equal(marks ? text_first(marks) : 8, below);
        marks = text_equal(text_word(w), '"');
        assert_int_equal(marks ? text_first(marks) : 8, equal);
    }
}

static void a_byte_outside_quotes(void **state)
{
    (void)state;
    uint8_t text[LONGEST];
    uint32_t seed = 815;
    int found = 0;
    for (int round = 0; round < ROUNDS; round++) {
        size_t n = random_text(&seed, text);
        uint8_t *copy = guard_copy(text, n);
        size_t at = header_find(slice_of(copy, n), ';', ',');
        assert_int_equal(at, found_slowly(slice_of(copy, n), ';', ','));
        found += at < n;
        guard_free(copy, n);
    }
    assert_in_range(found, ROUNDS / 10, ROUNDS * 9 / 10);
}

/* The words of a candidate line, seen through its foundation (the first one). */
static void a_word_ends_at_white_space(void **state)
{
    (void)state;
    static const char rest[] = " 1 UDP 2130706431 192.0.2.1 4000 typ host";
    uint8_t line[LONGEST + sizeof rest];
    struct candidate k;
    uint32_t seed = 4711;
    int read = 0;
    for (int round = 0; round < ROUNDS; round++) {
        size_t n = random_text(&seed, line), end = 0, from = 0;
        while (from < n && line[from] <= ' ')
            from++;
        for (end = from; end < n && line[end] > ' ';)
            end++;
        if (end < n || from == n)
            continue; /* more words than one, or none */
        memcpy(line + n, rest, sizeof rest - 1);
        uint8_t *copy = guard_copy(line, n + sizeof rest - 1);
        assert_int_equal(candidate_parse(slice_of(copy, n + sizeof rest - 1), &k, NULL), WIRE_OK);
        assert_ptr_equal(k.foundation.p, copy + from);
        assert_int_equal(k.foundation.n, end - from);
        assert_int_equal(k.at.port, 4000);
        guard_free(copy, n + sizeof rest - 1);
        read++;
    }
    assert_in_range(read, ROUNDS / 20, ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_mark_is_the_first_match),
        cmocka_unit_test(a_byte_outside_quotes),
        cmocka_unit_test(a_word_ends_at_white_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
