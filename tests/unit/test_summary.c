/* The summary: one sentence first, counts with denominators, silence told from blindness. */
#include "report/summary.h"

#include "report/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/help/sample_db.h"

#define DAY (INT64_C(1355097600) * TICK_S) /* 2012-12-10T00:00:00Z */
#define DAYS(n) ((n)*INT64_C(86400) * TICK_S)

static char path[SAMPLE_PATH];
static struct query_db *db;

static int make(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    sample_make(path);
    db = sample_open(path);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    query_close(db);
    sample_remove(path);
    return 0;
}

static json_t *load(tick_t from, tick_t to)
{
    json_t *s = summary_load(db, from, to);
    assert_non_null(s);
    return s;
}

static void sentence_is(tick_t from, tick_t to, const char *want)
{
    json_t *s = load(from, to);
    assert_string_equal(field_text(s, "sentence"), want);
    json_decref(s);
}

static void the_sentence_counts_names_and_says_what_is_new(void **state)
{
    (void)state;
    sentence_is(DAY, DAY + DAYS(1),
                "1.1.1.1 failed in part since 10:43; 1 of 5 attempts refused; nothing earlier to "
                "compare with.");
}

static void an_unseen_time_is_not_a_good_time(void **state)
{
    (void)state;
    sentence_is(DAY - DAYS(3), DAY - DAYS(2),
                "The sensor saw no packets in this time, so nothing can be said.");
}

static void the_text_has_every_section(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    struct prose p = {.out = out, .width = 80};
    json_t *s = load(DAY, DAY + DAYS(1));
    summary_print(s, &p, "Day 2012-12-10");
    json_decref(s);
    fclose(out);
    static const char *const want[] = {
        "Day 2012-12-10\n\n1.1.1.1 failed in part since 10:43",
        "\n1 connection failed in 1 of 1 call. The relays made 5 attempts, 4 connected.",
        "\nBY PARTNER\n",
        "\nBY EDGE\n",
        "\n  2.2.2.2         1         1         5       1   20 %\n",
        "\nBY LEG\n",
        "\n  relay-peer         1          0         5       1   20 %",
        "\nBY VERDICT\n",
        "\nBY KIND OF CANDIDATE\n",
        "\n  relay TCP-PASS  default TCP-PASS  TCP           1         5       1   20 %\n",
        "\nBY PORT RANGE OF THE FAR END\n",
        "\n  50000-59999  TCP           1         5       1   20 %\n",
        "\nBY HOUR\n",
        "\n  2012-12-10 10:00         1         5       1   20 %  ####################\n",
        "own-outbound-range-blocked, possible: 1 failure, for example 1",
        "\nTHE SENSOR\n",
        "\n  2 gaps in streams\n",
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        if (!strstr(text, want[i]))
            fail_msg("\"%s\" is missing in:\n%s", want[i], text);
    free(text);
}

static void failures_of_the_week_before_are_over(void **state)
{
    (void)state;
    json_t *s = load(DAY + DAYS(2), DAY + DAYS(3));
    json_t *over = json_object_get(s, "ended_partners");
    assert_int_equal(json_array_size(over), 1);
    assert_string_equal(field_text(json_array_get(over, 0), "partner"), "1.1.1.1");
    assert_int_equal(json_array_size(json_object_get(s, "new_partners")), 0);
    json_decref(s);
    s = load(DAY + DAYS(9), DAY + DAYS(10));
    assert_int_equal(json_array_size(json_object_get(s, "ended_partners")), 0);
    json_decref(s);
}

static void the_period_is_part_of_the_json(void **state)
{
    (void)state;
    json_t *s = load(DAY, DAY + DAYS(1));
    assert_string_equal(field_text(s, "from"), "2012-12-10T00:00:00.000000Z");
    assert_string_equal(field_text(s, "to"), "2012-12-11T00:00:00.000000Z");
    assert_int_equal(summary_failures(s), 1);
    assert_true(summary_saw_packets(s));
    json_decref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sentence_counts_names_and_says_what_is_new),
        cmocka_unit_test(an_unseen_time_is_not_a_good_time),
        cmocka_unit_test(the_text_has_every_section),
        cmocka_unit_test(failures_of_the_week_before_are_over),
        cmocka_unit_test(the_period_is_part_of_the_json),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
