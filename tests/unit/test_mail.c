/* E-mail messages: what RFC 2045, 2047 and 5322 ask for. */
#include "report/mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

__attribute__((noinline)) static char *text_of(const char *subject, const char *body, size_t n)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct mail m = {"ops@example.com", subject, "text/plain", INT64_C(1355136229) * TICK_S};
    mail_write(out, &m, body, n);
    fclose(out);
    return text;
}

static void addresses(void **state)
{
    static const char *const
        good[] = {"a@b", "ops@example.com", "first.last+tag@mail.example.com",
                  "o'neill@example.com"},
        *const bad[] = {"",        "@",     "a@",   "@b",    "ops",       "a b@c", "a@b\nBcc: x@y",
                        "a@b,c@d", "<a@b>", "-t@b", "a@b@c", "\xc3\xa4@b"};
    char large[400];
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(mail_address(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (mail_address(bad[i]))
            fail_msg("\"%s\" is taken", bad[i]);
    memset(large, 'a', sizeof large - 1);
    memcpy(large + sizeof large - 5, "@b.c", 5);
    assert_false(mail_address(large));
}

static void headers(void **state)
{
    (void)state;
    setenv("TZ", "CET-1", 1);
    tzset();
    char *text = text_of("12 failures", "x\n", 2);
    assert_string_equal(text, "To: ops@example.com\nSubject: 12 failures\n"
                              "Date: Mon, 10 Dec 2012 11:43:49 +0100\nMIME-Version: 1.0\n"
                              "Content-Type: text/plain; charset=utf-8\n"
                              "Content-Transfer-Encoding: quoted-printable\n"
                              "Auto-Submitted: auto-generated\n\nx\n");
    free(text);
}

static void assert_subject(const char *subject, const char *want)
{
    char *text = text_of(subject, "", 0);
    const char *at = strstr(text, "Subject: ");
    assert_memory_equal(at + 9, want, strlen(want));
    free(text);
}

static void subjects(void **state)
{
    (void)state;
    assert_subject("a\nBcc: x@y", "a Bcc: x@y\nDate");
    /* by Python's email.header */
    assert_subject("N\xc3\xa4he", "=?UTF-8?B?TsOkaGU=?=\nDate");
    assert_subject("a =?b", "=?UTF-8?B?YSA9P2I=?=\nDate");
    /* 60 characters of two bytes: no character is cut */
    char umlauts[121];
    for (int i = 0; i < 60; i++)
        memcpy(umlauts + 2 * i, "\xc3\xa4", 3);
    char *text = text_of(umlauts, "", 0);
    const char *line = strstr(text, "=?UTF-8?B?");
    unsigned words = 0;
    for (; line; line = strstr(line + 1, "=?UTF-8?B?")) {
        const char *end = strstr(line, "?=");
        assert_true(end - line <= 73);
        assert_int_equal((end - line - 10) % 8,
                         0); /* base64 of whole characters, unpadded: 42 bytes */
        words++;
    }
    assert_int_equal(words, 3);
    free(text);
}

static void assert_body(const char *body, const char *want)
{
    char *text = text_of("s", body, strlen(body));
    assert_string_equal(strstr(text, "\n\n") + 2, want);
    free(text);
}

static void bodies(void **state)
{
    (void)state;
    assert_body("a = b\n", "a =3D b\n");
    assert_body("r\xc3\xa9sum\xc3\xa9", "r=C3=A9sum=C3=A9\n");
    assert_body("blank \n\ttab\t\n", "blank=20\n\ttab=09\n");
    assert_body(".\nFrom x\n", "=2E\n=46rom x\n");
    assert_body("a\r\nb\n", "a\nb\n");
    /* 75 characters and a soft break are a line; so are 76 split */
    char line[80], want[90];
    memset(line, 'x', 76);
    memcpy(line + 76, "\n", 2);
    memset(want, 'x', 75);
    memcpy(want + 75, "=\nx\n", 5);
    assert_body(line, want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(headers),
        cmocka_unit_test(subjects),
        cmocka_unit_test(bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
