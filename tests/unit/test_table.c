/* Tables, csv fields and paragraphs: aligned, cut only where there is an edge, safe to print. */
#include "report/csv.h"
#include "report/ladder.h"
#include "report/prose.h"
#include "report/safe.h"
#include "report/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static char *text;
static size_t length;

static FILE *begin(void)
{
    text = NULL;
    return open_memstream(&text, &length);
}

static void end(FILE *out, const char *want)
{
    fclose(out);
    assert_string_equal(text, want);
    free(text);
}

static void table(unsigned width, const char *long_cell, const char *want)
{
    static const struct table_column columns[] = {
        {"ID", TABLE_RIGHT}, {"WHO", TABLE_CUT}, {"WHAT", 0}};
    FILE *out = begin();
    struct table *t = table_new(columns, 3, 1, width);
    table_row(t, (const char *const[]){"1", long_cell, "refused"});
    table_row(t, (const char *const[]){"4711", NULL, "x"});
    assert_int_equal(table_print(t, out), 0);
    table_free(t);
    end(out, want);
}

static void columns_are_aligned_and_lines_have_no_tail(void **state)
{
    (void)state;
    table(0, "user1",
          "   ID  WHO    WHAT\n"
          "    1  user1  refused\n"
          " 4711  -      x\n");
}

#define LONG "somebody.with.a.very.long.name@contoso.example.com"

static void a_pipe_cuts_nothing(void **state)
{
    (void)state;
    table(0, LONG,
          "   ID  WHO                                                 WHAT\n"
          "    1  " LONG "  refused\n"
          " 4711  -                                                   x\n");
}

static void a_terminal_is_never_overrun(void **state)
{
    (void)state;
    static const struct table_column columns[] = {{"ID", 0}, {"WHO", TABLE_CUT}};
    FILE *out = begin();
    struct table *t = table_new(columns, 2, 2, 40);
    table_row(t, (const char *const[]){"17", LONG});
    assert_int_equal(table_print(t, out), 0);
    table_free(t);
    fclose(out);
    for (const char *p = text; *p; p += strcspn(p, "\n") + 1)
        assert_in_range(strcspn(p, "\n"), 1, 40);
    assert_non_null(strstr(text, "  17  somebody.with"));
    free(text);
}

static void cells_cannot_steer_the_terminal(void **state)
{
    (void)state;
    table(0, "a\033]0;x\ab",
          "   ID  WHO       WHAT\n"
          "    1  a?]0;x?b  refused\n"
          " 4711  -         x\n");
}

static void safe(const char *in, const char *want)
{
    char out[64];
    assert_string_equal(safe_text(in, out, sizeof out), want);
}

static void only_printable_utf8_is_safe(void **state)
{
    (void)state;
    safe("plain", "plain");
    safe("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
    safe("\x1b[31m\x7f", "?[31m?");
    safe("\xc2\x9b"
         "x",
         "??x"); /* a C1 control */
    safe("a\xc0\xaf"
         "b",
         "a??b");                     /* overlong */
    safe("\xed\xa0\x80", "???");      /* surrogate */
    safe("\xf4\x90\x80\x80", "????"); /* beyond Unicode */
    safe("\xe2\x80\xae"
         "txt",
         "???txt");         /* turns the reading direction */
    safe("\xe2\x82", "??"); /* cut */
    safe("a\r\n\tb", "a   b");
    char small[4];
    assert_string_equal(safe_text("ab\xc3\xa4", small, sizeof small), "ab");
    assert_string_equal(safe_text(NULL, small, sizeof small), "");
}

static void field(const char *in, const char *want)
{
    FILE *out = begin();
    csv_text(in, out);
    end(out, want);
}

static void csv_quotes_as_rfc4180_says(void **state)
{
    (void)state;
    field("plain", "plain");
    field("a,b", "\"a,b\"");
    field("say \"x\"", "\"say \"\"x\"\"\"");
    field("two\r\nlines", "\"two\r\nlines\"");
    field("", "\"\"");
    field("a\033b", "a?b");
}

/* OWASP, CSV injection: = + - @ tab and carriage return at the beginning */
static void csv_is_no_formula(void **state)
{
    (void)state;
    field("=1+1", "'=1+1");
    field("@SUM(1,2)", "\"'@SUM(1,2)\"");
    field("-1", "'-1");
    field("+49", "'+49");
    field("\ta", "'\ta");
    field("\ra", "\"'\ra\"");
    field("a=1", "a=1");
}

static void paragraphs_wrap_between_words(void **state)
{
    (void)state;
    FILE *out = begin();
    struct prose p = {.out = out, .width = 40};
    prose_lead(&p, 2, 10, "lead", "one two three four five six seven eight");
    prose_lead(&p, 2, 10, "a long lead", "text");
    prose_lead(&p, 0, 0, "", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b");
    end(out, "  lead    one two three four five six\n"
             "          seven eight\n"
             "  a long lead\n"
             "          text\n"
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
             "b\n");
}

static void a_ladder_is_in_order_of_time(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    FILE *out = begin();
    struct prose p = {.out = out, .width = 80};
    struct ladder l = {.lanes = 2, .head = {{"a"}, {"b"}}};
    ladder_add(&l, 1 * TICK_S + 43 * TICK_MS, 1, 0, "RST");
    ladder_add(&l, 1 * TICK_S, 0, 1, "SYN");
    ladder_add(&l, TICK_NONE, 0, 1, "never");
    ladder_add(&l, 3 * TICK_S, 0, 0, "over");
    ladder_print(&l, &p, 10);
    ladder_free(&l);
    end(out, "                            a                                                  b\n"
             "  00:00:01.000              |---------------------- SYN ---------------------->|\n"
             "  00:00:01.043      +43 ms  |<--------------------- RST -----------------------|\n"
             "  00:00:03.000    +1.957 s  | over                                             |\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned_and_lines_have_no_tail),
        cmocka_unit_test(a_pipe_cuts_nothing),
        cmocka_unit_test(a_terminal_is_never_overrun),
        cmocka_unit_test(cells_cannot_steer_the_terminal),
        cmocka_unit_test(only_printable_utf8_is_safe),
        cmocka_unit_test(csv_quotes_as_rfc4180_says),
        cmocka_unit_test(csv_is_no_formula),
        cmocka_unit_test(paragraphs_wrap_between_words),
        cmocka_unit_test(a_ladder_is_in_order_of_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
