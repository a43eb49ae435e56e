/* Markup out of hostile values: nothing of them may become an element, an attribute or a direction;
 * and the pictures: what is drawn is what the numbers say. */
#include "report/charts.h"
#include "report/html.h"
#include "report/ladder.h"
#include "report/svg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define T0 (INT64_C(1355133600) * TICK_S) /* 2012-12-10T10:00:00Z */
#define HOUR (3600 * TICK_S)

static char *text;
static size_t size;
static FILE *out;

static int begin(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    out = open_memstream(&text, &size);
    return out ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    free(text);
    return 0;
}

static const char *done(void)
{
    fclose(out);
    return text;
}

static void has(const char *want)
{
    if (!strstr(text, want))
        fail_msg("\"%s\" is missing in:\n%s", want, text);
}

static void lacks(const char *unwanted)
{
    if (strstr(text, unwanted))
        fail_msg("\"%s\" stands in:\n%s", unwanted, text);
}

static unsigned count(const char *what)
{
    unsigned n = 0;
    for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
        n++;
    return n;
}

static void markup_becomes_text(void **state)
{
    (void)state;
    html_text(out, "<script>alert(\"1\" & '2')</script>");
    assert_string_equal(done(),
                        "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;");
}

/* RIGHT-TO-LEFT OVERRIDE, ESC, a lone byte of UTF-8, and what must stay: o with diaeresis, alef */
static void directions_controls_and_broken_bytes_are_replaced(void **state)
{
    (void)state;
    html_text(out, "a\u202eb\033[2Jc\xf6"
                   "d\u2067e\n\u00f6\u05d0");
    assert_string_equal(done(), "a???b?[2Jc?d???e \u00f6\u05d0");
}

static void nothing_is_written_for_null(void **state)
{
    (void)state;
    html_text(out, NULL);
    assert_string_equal(done(), "");
}

static void formatted_values_are_escaped_too(void **state)
{
    (void)state;
    html_format(out, "%s has %d", "<b>", 3);
    assert_string_equal(done(), "&lt;b&gt; has 3");
}

static void a_long_value_is_cut_between_characters_and_kept_as_title(void **state)
{
    (void)state;
    html_wire(out, "\u00f6\u00f6\u00f6\"x", 3);
    assert_string_equal(done(),
                        "<bdi title=\"\u00f6\u00f6\u00f6&quot;x\">\u00f6\u00f6\u00f6\u2026</bdi>");
}

static void a_page_asks_for_nothing_from_outside_and_runs_nothing(void **state)
{
    (void)state;
    html_page_begin(out, "<Edge> & co", NULL);
    html_page_end(out);
    done();
    has("<title>&lt;Edge&gt; &amp; co</title>");
    static const char *const unwanted[] = {
        "<script", "http:", "https:", "url(", "@import", "onload"};
    for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++)
        lacks(unwanted[i]);
}

static void a_served_page_links_its_style(void **state)
{
    (void)state;
    html_page_begin(out, "x", "/style.css");
    html_page_end(out);
    done();
    has("<link rel=\"stylesheet\" href=\"/style.css\">");
    lacks("<style");
}

/* ---- pictures ---- */

static const struct chart_band blind[] = {{T0 + HOUR, T0 + 2 * HOUR, 7}};
static const struct chart_time four_hours = {T0, T0 + 4 * HOUR, blind, 1};

static void failures_per_hour_are_bars_with_their_numbers(void **state)
{
    (void)state;
    const struct chart_step steps[] = {
        {T0, HOUR, 0, 10, 0}, {T0 + HOUR, HOUR, 3, 4, 3}, {T0 + 2 * HOUR, HOUR, 1, -1, 0}};
    chart_hours(out, "h", &four_hours, steps, 3);
    done();
    has("2012-12-10 11:00: 3 failures");
    has("2012-12-10 11:00: 3 of 4 attempts failed, 75 %");
    has("2012-12-10 12:00: 1 failures");
    has("blind from 2012-12-10 11:00:00 to 2012-12-10 12:00:00: 7 packets lost");
    assert_int_equal(count("<rect class=\"fails\""), 2);
    assert_int_equal(count("<rect class=\"share\""), 1);
    assert_int_equal(count("<rect class=\"blind\""), 1);
    has("role=\"img\" aria-labelledby=\"h-t h-d\"");
    has("4 failures in all");
    lacks("style=");
}

/* The scale ends at 6: the bar of 6 fills the panel (110 units), 3 half of it. */
static void bars_are_as_tall_as_their_numbers(void **state)
{
    (void)state;
    const struct chart_step steps[] = {{T0, HOUR, 6, -1, 0}, {T0 + HOUR, HOUR, 3, -1, 0}};
    const struct chart_time t = {T0, T0 + 2 * HOUR, NULL, 0};
    chart_hours(out, "h", &t, steps, 2);
    done();
    has("height=\"110\"><title>2012-12-10 10:00: 6 failures");
    has("height=\"55\"><title>2012-12-10 11:00: 3 failures");
}

static void an_empty_time_draws_its_axis_and_no_bar(void **state)
{
    (void)state;
    const struct chart_time t = {T0, T0, NULL, 0};
    chart_hours(out, "h", &t, NULL, 0);
    chart_heat(out, "p", NULL, 0, NULL, 0, NULL);
    chart_table_limit(out, "l", "", &t, NULL, 0);
    done();
    assert_int_equal(count("<svg"), 3);
    assert_int_equal(count("<rect class=\"fails\""), 0);
    lacks("nan");
    lacks("inf");
}

static void shades_follow_the_share(void **state)
{
    (void)state;
    static const struct {
        struct chart_cell cell;
        unsigned shade;
    } want[] = {{{10, 0}, 0},   {{0, 0}, 0}, {{100, 9}, 1},  {{100, 10}, 2},
                {{100, 25}, 3}, {{2, 1}, 4}, {{100, 99}, 4}, {{100, 100}, 5}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_int_equal(chart_shade(&want[i].cell), want[i].shade);
    done();
}

static void the_heat_map_names_rows_and_columns_safely(void **state)
{
    (void)state;
    char longest[2001];
    memset(longest, 'w', 2000);
    longest[2000] = 0;
    const char *const rows[] = {"<script>", longest}, *const columns[] = {"50000-59999"};
    const struct chart_cell cells[] = {{14, 14}, {0, 0}};
    chart_heat(out, "p", rows, 2, columns, 1, cells);
    done();
    lacks("<script>");
    has("&lt;script&gt;, 50000-59999: 14 of 14 attempts failed");
    has(">14 of 14</text>");
    has("</title>wwwwwwwwwwwwwwwwwwwwwwwwwwwww\u2026</text>");
    assert_int_equal(count("class=\"none\""), 1);
}

static void the_table_limit_names_where_timeouts_began(void **state)
{
    (void)state;
    const struct chart_flows steps[] = {{T0, HOUR, 100, 0, 90}, {T0 + HOUR, HOUR, 400, 6, 1}};
    chart_table_limit(out, "l", "203.0.113.1", &four_hours, steps, 2);
    done();
    has("Edge 203.0.113.1: 6 connects timed out while between 400 and 400");
    has("2012-12-10 11:00:00: 6 timed out, 1 connected, 400 open");
}

static void the_ladder_tells_every_event_in_words(void **state)
{
    (void)state;
    struct ladder l = {.lanes = 2};
    strcpy(l.head[0][0], "<near>");
    strcpy(l.head[1][0], "far");
    ladder_add(&l, T0 + TICK_MS * 43, 1, 0, "RST, ACK");
    l.kind = LADDER_BAD;
    ladder_add(&l, T0, 0, 1, "SYN <1>");
    ladder_svg(&l, out, "w", 10);
    ladder_free(&l);
    done();
    has("10:00:00.000 &lt;near&gt; to far: SYN &lt;1&gt;. 10:00:00.043 far to &lt;near&gt;: RST, "
        "ACK.");
    has("+43 ms");
    has("class=\"arrow bad\"");
    lacks("<near>");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(markup_becomes_text),
        CASE(directions_controls_and_broken_bytes_are_replaced),
        CASE(nothing_is_written_for_null),
        CASE(formatted_values_are_escaped_too),
        CASE(a_long_value_is_cut_between_characters_and_kept_as_title),
        CASE(a_page_asks_for_nothing_from_outside_and_runs_nothing),
        CASE(a_served_page_links_its_style),
        CASE(failures_per_hour_are_bars_with_their_numbers),
        CASE(bars_are_as_tall_as_their_numbers),
        CASE(an_empty_time_draws_its_axis_and_no_bar),
        CASE(shades_follow_the_share),
        CASE(the_heat_map_names_rows_and_columns_safely),
        CASE(the_table_limit_names_where_timeouts_began),
        CASE(the_ladder_tells_every_event_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
