/* Times as people write them. Expected values: GNU date -u -d with the zone given. */
#include "cli/when.h"
#include "report/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

/* 2026-07-01T13:00:00 in Berlin */
#define NOW (INT64_C(1782903600) * TICK_S)

static int berlin(void **state)
{
    (void)state;
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    return 0;
}

static void reads(const char *text, const char *want_from, const char *want_to, bool local)
{
    struct when w = {0};
    char got[TICK_TEXT];
    if (when_parse(text, NOW, &w) != 0)
        fail_msg("\"%s\" is not read", text);
    assert_string_equal(tick_text(w.from, got), want_from);
    assert_string_equal(tick_text(w.to, got), want_to);
    assert_int_equal(w.local, local);
}

static void reads_moment(const char *text, const char *want, bool local)
{
    reads(text, want, want, local);
}

static void local_iso_times_use_the_zone_of_that_day(void **state)
{
    (void)state;
    reads_moment("2026-01-31T10:43", "2026-01-31T09:43:00.000000Z", true);
    reads_moment("2026-07-01T10:43", "2026-07-01T08:43:00.000000Z", true);
    reads_moment("2026-07-01 10:43:59", "2026-07-01T08:43:59.000000Z", true);
    reads_moment("2026-07-01T10:43:59.456", "2026-07-01T08:43:59.456000Z", true);
    reads_moment("2026-07-01T10:43:59,5", "2026-07-01T08:43:59.500000Z", true);
}

static void iso_times_with_a_zone_need_no_other(void **state)
{
    (void)state;
    reads_moment("2012-12-10T10:43:59Z", "2012-12-10T10:43:59.000000Z", false);
    reads_moment("2012-12-10T10:43:59.456900Z", "2012-12-10T10:43:59.456900Z", false);
    reads_moment("2012-12-10T10:43+02:00", "2012-12-10T08:43:00.000000Z", false);
    reads_moment("2012-12-10T10:43-0530", "2012-12-10T16:13:00.000000Z", false);
    reads_moment("2012-12-10 10:43 +02", "2012-12-10T08:43:00.000000Z", false);
    reads_moment("2012-12-10 10:43 UTC", "2012-12-10T10:43:00.000000Z", false);
}

static void the_basic_form_is_iso_8601_too(void **state)
{
    struct when w;
    (void)state;
    reads_moment("20121210T104359Z", "2012-12-10T10:43:59.000000Z", false);
    reads_moment("20121210T1043+0200", "2012-12-10T08:43:00.000000Z", false);
    reads_moment("20260131T104359.5", "2026-01-31T09:43:59.500000Z", true);
    reads("20260131", "2026-01-30T23:00:00.000000Z", "2026-01-31T23:00:00.000000Z", true);
    assert_int_equal(when_parse("1355136239", NOW, &w), -1); /* seconds since 1970 */
    assert_int_equal(when_parse("20121210T10:43", NOW, &w), -1);
    assert_int_equal(when_parse("2012-12-10T1043", NOW, &w), -1);
    assert_int_equal(when_parse("20120230", NOW, &w), -1);
    assert_int_equal(when_parse("20121210T104", NOW, &w), -1);
}

/* It is 11:00 UTC, 16:30 in +05:30, 20:00 in +09:00 and 04:00 in -07:00. */
static void a_time_of_day_with_a_zone_is_the_last_one_there(void **state)
{
    (void)state;
    reads_moment("10:43Z", "2026-07-01T10:43:00.000000Z", false);
    reads_moment("10:43 UTC", "2026-07-01T10:43:00.000000Z", false);
    reads_moment("11:30Z", "2026-06-30T11:30:00.000000Z", false);
    reads_moment("10:43:59.5+05:30", "2026-07-01T05:13:59.500000Z", false);
    reads_moment("00:30 +09", "2026-06-30T15:30:00.000000Z", false);
    reads_moment("23:30-0700", "2026-07-01T06:30:00.000000Z", false);
    struct when w;
    assert_int_equal(when_parse("10:43Z", NOW, &w), 0);
    assert_true(w.day_assumed);
    assert_int_equal(when_parse("10:43Zulu", NOW, &w), -1);
    assert_int_equal(when_parse("10:43+", NOW, &w), -1);
}

static void a_date_is_a_whole_local_day(void **state)
{
    (void)state;
    reads("2026-01-31", "2026-01-30T23:00:00.000000Z", "2026-01-31T23:00:00.000000Z", true);
    /* the day on which summer time begins has 23 hours */
    reads("2026-03-29", "2026-03-28T23:00:00.000000Z", "2026-03-29T22:00:00.000000Z", true);
    reads("today", "2026-06-30T22:00:00.000000Z", "2026-07-01T22:00:00.000000Z", true);
    reads("yesterday", "2026-06-29T22:00:00.000000Z", "2026-06-30T22:00:00.000000Z", true);
}

static void a_clock_time_is_the_last_such_time(void **state)
{
    (void)state;
    reads_moment("10:43", "2026-07-01T08:43:00.000000Z", true);
    reads_moment("10:43:59", "2026-07-01T08:43:59.000000Z", true);
    reads_moment("13:00", "2026-07-01T11:00:00.000000Z", true);
    reads_moment("23:30", "2026-06-30T21:30:00.000000Z", true);
}

static void ago_counts_from_now(void **state)
{
    (void)state;
    reads_moment("now", "2026-07-01T11:00:00.000000Z", false);
    reads_moment("2h ago", "2026-07-01T09:00:00.000000Z", false);
    reads_moment("90 s ago", "2026-07-01T10:58:30.000000Z", false);
    reads_moment("3 days ago", "2026-06-28T11:00:00.000000Z", false);
}

static void nonsense_is_no_time(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "banana",
                                        "25:00",
                                        "10:60",
                                        "1:30",
                                        "2026-02-30",
                                        "2026-13-01",
                                        "2026-1-1",
                                        "2026-01-31T",
                                        "2026-01-31T10",
                                        "10:43x",
                                        "2026-01-31T10:43X",
                                        "ago",
                                        "h ago",
                                        "-2h ago",
                                        "2x ago",
                                        "2026-02-30T10:00Z",
                                        "202601311",
                                        "2026-01-31T10:43+99:00"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct when w = {1, 2, false, false};
        if (when_parse(wrong[i], NOW, &w) == 0)
            fail_msg("\"%s\" was read", wrong[i]);
        assert_int_equal(w.from, 1);
    }
}

static void spans_have_units(void **state)
{
    (void)state;
    tick_t t;
    assert_int_equal(when_span("2 weeks", &t), 0);
    assert_int_equal(t, 1209600 * TICK_S);
    assert_int_equal(when_span("90s", &t), 0);
    assert_int_equal(t, 90 * TICK_S);
    assert_int_equal(when_span("2h", &t), 0);
    assert_int_equal(t, 7200 * TICK_S);
    assert_int_equal(when_span("5", &t), 0);
    assert_int_equal(t, 300 * TICK_S);
    assert_int_equal(when_span("5 parsecs", &t), -1);
    assert_int_equal(when_span("", &t), -1);
}

static void last_night_ended_or_goes_on(void **state)
{
    (void)state;
    struct night n;
    tick_t from, to;
    char text[TICK_TEXT];
    assert_int_equal(when_night("18:00-08:00", &n), 0);
    when_last_night(&n, NOW, &from, &to);
    assert_string_equal(tick_text(from, text), "2026-06-30T16:00:00.000000Z");
    assert_string_equal(tick_text(to, text), "2026-07-01T06:00:00.000000Z");
    tick_t early = NOW - 11 * 3600 * TICK_S; /* two in the morning */
    when_last_night(&n, early, &from, &to);
    assert_string_equal(tick_text(from, text), "2026-06-30T16:00:00.000000Z");
    assert_int_equal(to, early);
    assert_int_equal(when_night("18:00", &n), -1);
    assert_int_equal(when_night("18:00-24:00", &n), -1);
}

static void the_zone_has_its_name_and_offset(void **state)
{
    (void)state;
    char text[CLOCK_ZONE];
    assert_string_equal(clock_zone(text), "Europe/Berlin");
    assert_string_equal(clock_offset(NOW, text), "+02:00");
    assert_string_equal(clock_offset(NOW - 180 * INT64_C(86400) * TICK_S, text), "+01:00");
}

static void spans_are_told_in_fitting_units(void **state)
{
    (void)state;
    char text[CLOCK_SPAN];
    assert_string_equal(clock_span(42 * TICK_MS + 700 * TICK_US, text), "43 ms");
    assert_string_equal(clock_span(3716 * TICK_MS, text), "3.716 s");
    assert_string_equal(clock_span(125 * TICK_S, text), "2 min 05 s");
    assert_string_equal(clock_span(11520 * TICK_S, text), "3 h 12 min");
    assert_string_equal(clock_span(-5 * TICK_MS, text), "-5 ms");
}

static void times_of_rows_come_back_as_they_were(void **state)
{
    (void)state;
    char text[TICK_TEXT];
    tick_t t = INT64_C(1355136239456900) * TICK_US;
    assert_int_equal(clock_of_row(tick_text(t, text)), t);
    assert_int_equal(clock_of_row(NULL), TICK_NONE);
    assert_int_equal(clock_of_row("yesterday"), TICK_NONE);
    assert_int_equal(clock_of_row("2012-12-10T10:43:59.4569"), TICK_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(local_iso_times_use_the_zone_of_that_day),
        cmocka_unit_test(iso_times_with_a_zone_need_no_other),
        cmocka_unit_test(the_basic_form_is_iso_8601_too),
        cmocka_unit_test(a_time_of_day_with_a_zone_is_the_last_one_there),
        cmocka_unit_test(a_date_is_a_whole_local_day),
        cmocka_unit_test(a_clock_time_is_the_last_such_time),
        cmocka_unit_test(ago_counts_from_now),
        cmocka_unit_test(nonsense_is_no_time),
        cmocka_unit_test(spans_have_units),
        cmocka_unit_test(last_night_ended_or_goes_on),
        cmocka_unit_test(the_zone_has_its_name_and_offset),
        cmocka_unit_test(spans_are_told_in_fitting_units),
        cmocka_unit_test(times_of_rows_come_back_as_they_were),
    };
    return cmocka_run_group_tests(tests, berlin, NULL);
}
