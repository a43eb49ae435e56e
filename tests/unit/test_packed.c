/* Packed columns: which texts are ours, and what is read from them. Expected: RFC 8259. */
#include "storage/packed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/help/guard.h"

static bool opens(const char *json, size_t n)
{
    struct packed r;
    uint8_t *copy = guard_copy(json, n);
    bool yes = packed_open(slice_of(copy, n), &r);
    guard_free(copy, n);
    return yes;
}

static void assert_opens(const char *json, bool expected)
{
    if (opens(json, strlen(json)) != expected)
        fail_msg("%s %s", json, expected ? "is refused" : "is taken");
}

static void arrays_of_integers_strings_and_null(void **state)
{
    (void)state;
    static const char *const ours[] = {
        "[]",
        "[1]",
        "[-12,0,null,\"\",\"a\"]",
        "[[],[[]],[1,[2]]]",
        "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ufffd\"]",
        "[999999999999999999]",
        "[[[[[[[[]]]]]]]]",
        "[\"],[\\\"\",1]",
    };
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        assert_opens(ours[i], true);
}

static void nothing_else_is_ours(void **state)
{
    (void)state;
    static const char *const foreign[] = {
        "",
        "[",
        "]",
        "1",
        "\"a\"",
        "null",
        "{}",
        "[1",
        "[1,]",
        "[,1]",
        "[,]",
        "[1 2]",
        "[1,,2]",
        "[1]]",
        "[1]x",
        "[[1]",
        "[[]1]",
        "[1[]]",
        "[01]",
        "[-]",
        "[1.5]",
        "[1e5]",
        "[+1]",
        "[true]",
        "[nul]",
        "[nulll]",
        "[null1]",
        "[\"a]",
        "[\"\\\"]",
        "[\"\\x\"]",
        "[\"\\",
        "[\"\\u",
        "[\"\\u00",
        "[\"\\u00\"]",
        "[\"\\u00g0\"]",
        "[\"\\u0000\"]",
        "[\"a\nb\"]",
        "[\"\\ud83d\\ude00\"]",
        "[\"a\"\"b\"]",
        "[\"a\":1]",
        "[{}]",
        "[1, 2]",
        "[9999999999999999999]",
        "[[[[[[[[[]]]]]]]]]",
        "[\"\\u\x10\x10\x10\x11\"]",
    };
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        assert_opens(foreign[i], false);
}

static const char side[] =
    "[[\"audio\",5,\"198.51.100.9\",53310,\"K\\\"I+\",[[1,1,0,\"192.168.9.51\","
    "50050,[2120613887,2120613374],\"1\",1]]],[null,0]]";

static void no_beginning_of_a_text_is_one(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof side - 1; n++)
        assert_false(opens(side, n));
    assert_true(opens(side, sizeof side - 1));
}

static struct arena_pool pool;
static struct arena arena;

static struct packed in(const char *json)
{
    struct packed r;
    assert_true(packed_open(slice_str(json), &r));
    return r;
}

static void elements_come_in_order(void **state)
{
    (void)state;
    struct packed r = in(side);
    int64_t v;
    struct slice raw;
    assert_true(packed_enter(&r));
    assert_string_equal(packed_text(&r, &arena), "audio");
    assert_true(packed_int(&r, &v));
    assert_int_equal(v, 5);
    assert_true(packed_raw(&r, &raw));
    assert_true(slice_eq(raw, slice_str("198.51.100.9")));
    packed_skip(&r);
    assert_string_equal(packed_text(&r, &arena), "K\"I+");
    assert_true(packed_enter(&r));
    assert_true(packed_enter(&r));
    packed_leave(&r); /* with all in it */
    assert_false(packed_more(&r));
    packed_leave(&r);
    assert_false(packed_more(&r));
    packed_leave(&r);
    assert_true(packed_more(&r));
    assert_true(packed_enter(&r));
    assert_null(packed_text(&r, &arena));
    assert_true(packed_int(&r, &v));
    packed_leave(&r);
    assert_false(packed_more(&r));
}

static void what_is_missing_or_of_another_kind_is_nothing(void **state)
{
    (void)state;
    struct packed r = in("[\"7\",7,[7],null,-7]");
    int64_t v = 1;
    struct slice raw;
    assert_false(packed_int(&r, &v));
    assert_int_equal(v, 0);
    assert_false(packed_raw(&r, &raw));
    assert_null(packed_text(&r, &arena));
    assert_false(packed_enter(&r));
    assert_true(packed_int(&r, &v));
    assert_int_equal(v, -7);
    for (int i = 0; i < 2; i++) { /* at the end, and still there */
        assert_false(packed_more(&r));
        assert_false(packed_int(&r, &v));
        assert_int_equal(v, 0);
        assert_null(packed_text(&r, &arena));
        assert_false(packed_raw(&r, &raw));
        assert_false(packed_enter(&r));
        packed_skip(&r);
    }
}

static void escapes_become_their_characters(void **state)
{
    (void)state;
    struct packed r =
        in("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u0001\\u007f\\u0080\\u07FF\\u0800\\ufffd\","
           "\"\xc3\xa9\\u0041\",\"\"]");
    assert_string_equal(packed_text(&r, &arena), "\"\\/\b\f\n\r\t");
    assert_string_equal(packed_text(&r, &arena),
                        "\x01\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbd"); /* RFC 3629 */
    assert_string_equal(packed_text(&r, &arena), "\xc3\xa9"
                                                 "A");
    assert_string_equal(packed_text(&r, &arena), "");
}

static void a_text_without_memory_is_none(void **state)
{
    (void)state;
    struct arena_pool none;
    struct arena a;
    struct packed r = in("[\"abc\",1]");
    arena_pool_init(&none, 0);
    arena_init(&a, &none);
    assert_null(packed_text(&r, &a));
    assert_int_equal(none.refused, 1);
    int64_t v;
    assert_true(packed_int(&r, &v));
    arena_pool_clear(&none);
}

static int begin(void **state)
{
    (void)state;
    arena_pool_init(&pool, 1 << 20);
    arena_init(&arena, &pool);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(&arena);
    arena_pool_clear(&pool);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_of_integers_strings_and_null),
        cmocka_unit_test(nothing_else_is_ours),
        cmocka_unit_test(no_beginning_of_a_text_is_one),
        cmocka_unit_test(elements_come_in_order),
        cmocka_unit_test(what_is_missing_or_of_another_kind_is_nothing),
        cmocka_unit_test(escapes_become_their_characters),
        cmocka_unit_test(a_text_without_memory_is_none),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
