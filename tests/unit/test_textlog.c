/* A log in many clothes is the same lines; a damaged one says where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <zlib.h>

#include "capture/textlog.h"
#include "tests/help/expect.h"

/* "é" and a character beyond 16 bits (U+1F600), an empty line, a last line without its end */
static const char utf8[] = "first\r\nsecond \xc3\xa9 \xf0\x9f\x98\x80\n\nlast";
static const char *const lines[] = {"first", "second \xc3\xa9 \xf0\x9f\x98\x80", "", "last"};

struct bytes {
    uint8_t p[1 << 16];
    size_t n;
};

static char path[] = "/tmp/edgewatch-textlog-XXXXXX";

static struct textlog *opened(const void *p, size_t n)
{
    enum textlog_error e;
    char why[256];
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(p, 1, n, out), n);
    fclose(out);
    struct textlog *t = textlog_open(path, &e, why, sizeof why);
    assert_non_null(t);
    return t;
}

static void put_unit(struct bytes *b, unsigned u, bool big)
{
    b->p[b->n++] = (uint8_t)(big ? u >> 8 : u);
    b->p[b->n++] = (uint8_t)(big ? u : u >> 8);
}

static struct bytes utf16(bool big)
{
    struct bytes b = {.n = 0};
    const uint8_t *s = (const uint8_t *)utf8;
    put_unit(&b, 0xfeff, big);
    for (size_t i = 0; i < sizeof utf8 - 1; i++) {
        if (s[i] == 0xc3) {
            put_unit(&b, 0xe9, big);
            i += 1;
        } else if (s[i] == 0xf0) {
            put_unit(&b, 0xd83d, big);
            put_unit(&b, 0xde00, big);
            i += 3;
        } else {
            put_unit(&b, s[i], big);
        }
    }
    return b;
}

static void zip(struct bytes *b, const void *p, size_t n)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)p;
    z.avail_in = (uInt)n;
    z.next_out = b->p + b->n;
    z.avail_out = (uInt)(sizeof b->p - b->n);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    b->n = sizeof b->p - z.avail_out;
    deflateEnd(&z);
}

/* Reads all lines; returns the fingerprint. */
static uint64_t expect_lines(const void *p, size_t n)
{
    struct textlog *t = opened(p, n);
    struct textlog_line l;
    struct textlog_counts c;
    const char *damage;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_true(textlog_next(t, &l));
        assert_int_equal(l.number, i + 1);
        assert_int_equal(l.text.n, strlen(lines[i]));
        assert_memory_equal(l.text.p, lines[i], l.text.n);
        assert_int_equal(l.unended, i == 3);
    }
    assert_false(textlog_next(t, &l));
    assert_int_equal(textlog_damage(t, &damage), TEXTLOG_OK);
    textlog_counts(t, &c);
    assert_int_equal(c.read, n);
    textlog_close(t);
    return c.fingerprint;
}

static void clothes(void **state)
{
    static struct bytes b;
    (void)state;
    uint64_t plain = expect_lines(utf8, sizeof utf8 - 1);
    b = (struct bytes){.p = {0xef, 0xbb, 0xbf}, .n = 3};
    memcpy(b.p + 3, utf8, sizeof utf8 - 1);
    b.n += sizeof utf8 - 1;
    assert_int_equal(expect_lines(b.p, b.n), plain);
    for (int big = 0; big < 2; big++) {
        b = utf16(big);
        assert_int_equal(expect_lines(b.p, b.n), plain);
    }
    b.n = 0;
    zip(&b, utf8, sizeof utf8 - 1);
    assert_int_equal(expect_lines(b.p, b.n), plain);
    b.n = 0; /* members behind each other, cut inside a line; zeros behind them, as tapes have */
    zip(&b, utf8, 9);
    zip(&b, utf8 + 9, sizeof utf8 - 1 - 9);
    memset(b.p + b.n, 0, 512);
    assert_int_equal(expect_lines(b.p, b.n + 512), plain);
    static struct bytes wide;
    wide = utf16(false);
    b.n = 0;
    zip(&b, wide.p, wide.n);
    assert_int_equal(expect_lines(b.p, b.n), plain);
}

/* Through a pipe that gives a byte at a time, by stdin. */
static void from_a_slow_pipe(void **state)
{
    struct textlog_line l;
    enum textlog_error e;
    char why[64], got[256] = "";
    int ends[2], kept = dup(STDIN_FILENO);
    (void)state;
    assert_int_equal(pipe(ends), 0);
    dup2(ends[0], STDIN_FILENO);
    struct textlog *t = textlog_open("-", &e, why, sizeof why);
    assert_non_null(t);
    assert_int_equal(write(ends[1], utf8, sizeof utf8 - 1), sizeof utf8 - 1);
    close(ends[1]);
    while (textlog_next(t, &l)) {
        strncat(got, (const char *)l.text.p, l.text.n);
        strcat(got, "|");
    }
    assert_string_equal(got, "first|second \xc3\xa9 \xf0\x9f\x98\x80||last|");
    textlog_close(t);
    dup2(kept, STDIN_FILENO);
    close(kept);
    close(ends[0]);
}

static void damaged_gzip(void **state)
{
    static struct bytes b;
    static char text[20000];
    struct textlog_line l;
    const char *why;
    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 50 == 49 ? '\n' : (char)('a' + i * i % 23);
    b.n = 0;
    zip(&b, text, sizeof text);
    for (size_t n = 3; n < b.n; n += 7) {
        struct textlog *t = opened(b.p, n);
        while (textlog_next(t, &l))
            ;
        assert_int_equal(textlog_damage(t, &why), TEXTLOG_DAMAGED);
        expect_text(why, path);
        expect_text(why, "ends early");
        textlog_close(t);
    }
    b.p[b.n / 2] ^= 0xff;
    struct textlog *t = opened(b.p, b.n);
    while (textlog_next(t, &l))
        ;
    assert_int_equal(textlog_damage(t, &why), TEXTLOG_DAMAGED);
    expect_text(why, "at byte");
    textlog_close(t);
}

static void long_lines_are_cut_and_counted(void **state)
{
    static char text[3 * TEXTLOG_LINE_MAX];
    struct textlog_line l;
    struct textlog_counts c;
    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text + sizeof text - 5, "\nend\n", 5);
    struct textlog *t = opened(text, sizeof text);
    assert_true(textlog_next(t, &l));
    assert_int_equal(l.text.n, TEXTLOG_LINE_MAX);
    assert_true(textlog_next(t, &l));
    assert_int_equal(l.text.n, 3);
    textlog_counts(t, &c);
    assert_int_equal(c.cut, 1);
    textlog_close(t);
}

static void odd_utf16(void **state)
{
    /* half a pair, a low half alone, half a unit at the end */
    static const uint8_t in[] = {0xff, 0xfe, 0x3d, 0xd8, 'a', 0, 0x00, 0xde, 'b', 0, 'c'};
    struct textlog_line l;
    (void)state;
    struct textlog *t = opened(in, sizeof in);
    assert_true(textlog_next(t, &l));
    assert_int_equal(l.text.n, 8);
    assert_memory_equal(l.text.p,
                        "\xef\xbf\xbd"
                        "a"
                        "\xef\xbf\xbd"
                        "b",
                        8);
    assert_false(textlog_next(t, &l));
    textlog_close(t);
}

static void nothing_to_open(void **state)
{
    enum textlog_error e;
    char why[256];
    struct textlog_line l;
    (void)state;
    assert_null(textlog_open("/nonexistent/x.log", &e, why, sizeof why));
    assert_int_equal(e, TEXTLOG_NOT_OPENED);
    expect_text(why, "/nonexistent/x.log");
    assert_null(textlog_open("/tmp", &e, why, sizeof why));
    assert_int_equal(e, TEXTLOG_NOT_OPENED);
    struct textlog *t = opened("", 0);
    assert_false(textlog_next(t, &l));
    textlog_close(t);
}

static int begin(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    close(fd);
    return fd < 0;
}

static int end(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clothes),      cmocka_unit_test(from_a_slow_pipe),
        cmocka_unit_test(damaged_gzip), cmocka_unit_test(long_lines_are_cut_and_counted),
        cmocka_unit_test(odd_utf16),    cmocka_unit_test(nothing_to_open),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
