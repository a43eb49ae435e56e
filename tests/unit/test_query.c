/* Filters of the listings, and the figures of the summary, over a database made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "storage/query.h"
#include "tests/help/facts_make.h"

static struct query_db *db;

/* Three failures: refused at 0 s to 1.1.1.1, timeout at 100 s to 3.3.3.3 of another user, and an
 * info at 200 s; traffic of the hour; the week before, a failure to 4.4.4.4. */
static void fill(struct writer *w)
{
    struct failure *f = facts_failure();
    struct attempt a = facts_attempt();
    f->first = FACTS_START;
    f->last = FACTS_START + TICK_S;
    writer_attempt(w, &a, NULL, 0);
    writer_attempt_failure(w, 1, 1);
    writer_failure(w, f, facts_finding(), 1);
    f->id = 2;
    f->event_id = 2;
    f->verdict = VERDICT_TIMEOUT;
    f->dst = facts_endpoint("3.3.3.3:443");
    strcpy(f->remote_candidate, "relay TCP-PASS 3.3.3.3:443");
    f->call_id = "other";
    f->caller = "sip:Jane@contoso.com";
    f->callee = NULL;
    f->finding = "silent-drop";
    f->first = f->last = FACTS_START + 100 * TICK_S;
    writer_failure(w, f, NULL, 0);
    f->id = 3;
    f->info = true;
    f->first = f->last = FACTS_START + 200 * TICK_S;
    writer_failure(w, f, NULL, 0);
    f = facts_failure();
    f->id = 4;
    f->event_id = 4;
    f->dst = facts_endpoint("4.4.4.4:50001");
    strcpy(f->remote_candidate, "relay TCP-PASS 4.4.4.4:50001");
    f->first = f->last = FACTS_START - INT64_C(3) * 86400 * TICK_S;
    writer_failure(w, f, NULL, 0);
    writer_call(w, facts_call());
    writer_allocation(w, facts_allocation());
    struct traffic_row t = {.hour = FACTS_START / (3600 * TICK_S) * 3600 * TICK_S,
                            .src = facts_addr("2.2.2.2"),
                            .dst_net = facts_addr("1.1.1.0"),
                            .port_from = 50000,
                            .port_to = 59999,
                            .proto = PROTO_TCP,
                            .connected = 30,
                            .refused = 10};
    writer_traffic(w, &t);
    struct health_row h = {.iface = 0,
                           .from = FACTS_START,
                           .to = FACTS_START + 10 * TICK_S,
                           .packets = 5,
                           .kernel_drops = 2};
    writer_health(w, &h, "eth0");
    h.from = h.to;
    h.to += 10 * TICK_S;
    h.kernel_drops = 0;
    writer_health(w, &h, "eth0");
}

static int begin(void **state)
{
    char why[512];
    const char *path = facts_db_path();
    struct writer *w = facts_run(path, "s");
    fill(w);
    facts_close(w);
    *state = (void *)path;
    return query_open(path, &db, why, sizeof why) == DB_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    query_close(db);
    facts_db_forget();
    return 0;
}

static struct query_filter any(void)
{
    return (struct query_filter){.since = TICK_NONE, .until = TICK_NONE};
}

/* "id,id,..." of what a filter lets through: first column of every row. */
static const char *ids(enum query_view view, const struct query_filter *f)
{
    static char out[256];
    struct rows *r = query_view(db, view, f);
    int got, n = 0;
    if (!r)
        fail_msg("%s", query_error(db));
    out[0] = 0;
    while ((got = rows_next(r)) == 1) {
        n += snprintf(out + n, sizeof out - (size_t)n, "%s%s", n ? "," : "", rows_text(r, 0));
    }
    assert_int_equal(got, 0);
    rows_close(r);
    return out;
}

static void expect_failures(struct query_filter f, const char *want)
{
    assert_string_equal(ids(VIEW_FAILURES, &f), want);
}

static void failures_are_listed_by_time_without_infos(void **state)
{
    (void)state;
    struct query_filter f = any();
    expect_failures(f, "4,1,2");
    f.with_info = true;
    expect_failures(f, "4,1,2,3");
    f.limit = 2;
    expect_failures(f, "4,1");
}

static void a_period_keeps_what_touches_it(void **state)
{
    (void)state;
    struct query_filter f = any();
    f.since = FACTS_START + TICK_S; /* the last moment of failure 1 */
    expect_failures(f, "1,2");
    f.since++;
    f.since += TICK_US;
    expect_failures(f, "2");
    f.since = TICK_NONE;
    f.until = FACTS_START;
    expect_failures(f, "4,1");
    f.until = FACTS_START - TICK_US;
    expect_failures(f, "4");
}

static void failures_are_found_by_user_call_address_verdict_and_finding(void **state)
{
    (void)state;
    struct query_filter f = any();
    f.user = "jANE";
    expect_failures(f, "2");
    f = any();
    f.user = "user2@fabrikam";
    expect_failures(f, "4,1");
    f = any();
    f.user = "%"; /* a letter like any other */
    expect_failures(f, "");
    f = any();
    f.call = "other";
    expect_failures(f, "2");
    f = any();
    f.addr = "3.3.3.3";
    expect_failures(f, "2");
    f.addr = "2.2.2.2"; /* the alias of the source */
    expect_failures(f, "4,1,2");
    f.addr = "10.98.2.1"; /* the client */
    expect_failures(f, "4,1,2");
    f = any();
    f.verdict = "timeout";
    expect_failures(f, "2");
    f = any();
    f.finding = "silent-drop";
    expect_failures(f, "2");
    f.finding = "far-side-refuses";
    expect_failures(f, "4,1");
    f = any();
    f.id = 1;
    expect_failures(f, "1");
}

static void quotes_in_a_filter_are_only_text(void **state)
{
    (void)state;
    struct query_filter f = any();
    f.call = "x' OR '1'='1";
    expect_failures(f, "");
}

static void what_belongs_to_one_failure_is_found_by_its_id(void **state)
{
    (void)state;
    struct query_filter f = any();
    f.failure_id = 1;
    assert_string_equal(ids(VIEW_ATTEMPTS, &f), "1");
    assert_string_equal(ids(VIEW_FINDINGS, &f), "failure:1");
    f.failure_id = 2;
    assert_string_equal(ids(VIEW_ATTEMPTS, &f), "");
}

static void calls_are_found_by_a_candidates_address(void **state)
{
    (void)state;
    struct query_filter f = any();
    f.addr = "10.26.10.50";
    assert_string_equal(ids(VIEW_CALLS, &f), "1");
    f.addr = "10.26.10.5";
    assert_string_equal(ids(VIEW_CALLS, &f), "");
    f.addr = "10.3.0.40";
    assert_string_equal(ids(VIEW_ALLOCATIONS, &f), "1");
}

static void every_view_answers_every_filter(void **state)
{
    (void)state;
    const struct query_filter f = {
        FACTS_START, FACTS_START + TICK_S, "u", "c", "a", "v", "f", 1, 1, true, 1, "p", "A", 1};
    for (int v = 0; v < VIEWS; v++) {
        struct rows *r = query_view(db, (enum query_view)v, &f);
        if (!r)
            fail_msg("%s: %s", query_view_name((enum query_view)v), query_error(db));
        assert_true(rows_next(r) >= 0);
        rows_close(r);
    }
}

static void rows_tell_types_and_names(void **state)
{
    (void)state;
    struct query_filter f = any();
    f.id = 1;
    struct rows *r = query_view(db, VIEW_FAILURES, &f);
    assert_int_equal(rows_next(r), 1);
    assert_string_equal(rows_name(r, 0), "id");
    assert_int_equal(rows_find(r, "event_id"), 1);
    assert_int_equal(rows_find(r, "nothing"), -1);
    assert_int_equal(rows_type(r, rows_find(r, "id")), ROWS_INT);
    assert_int_equal(rows_type(r, rows_find(r, "rtt_ms")), ROWS_REAL);
    assert_int_equal(rows_type(r, rows_find(r, "icmp_from")), ROWS_NULL);
    assert_null(rows_text(r, rows_find(r, "icmp_from")));
    assert_int_equal(rows_next(r), 0);
    rows_close(r);
}

/* ---- figures of the hour ---- */

static const tick_t since = FACTS_START - 600 * TICK_S, until = FACTS_START + 600 * TICK_S;

/* Columns joined by |, rows by a line end. */
static const char *figures(enum query_sum sum)
{
    static char out[2048];
    struct rows *r = query_sum(db, sum, since, until);
    int got, n = 0;
    if (!r)
        fail_msg("%s", query_error(db));
    out[0] = 0;
    while ((got = rows_next(r)) == 1) {
        for (int i = 0; i < rows_columns(r); i++) {
            const char *v = rows_text(r, i);
            n += snprintf(out + n, sizeof out - (size_t)n, "%s%s",
                          i   ? "|"
                          : n ? "\n"
                              : "",
                          v ? v : "NULL");
        }
    }
    assert_int_equal(got, 0);
    rows_close(r);
    return out;
}

static void totals_count_failures_and_their_denominators(void **state)
{
    (void)state;
    assert_string_equal(figures(SUM_TOTALS),
                        "2|1|2012-12-10T10:43:49.000000Z|"
                        "2012-12-10T10:45:29.000000Z|2|0|1|2|40|30|10|0|0|1|0");
}

static void partners_come_with_what_connected(void **state)
{
    (void)state;
    assert_string_equal(
        figures(SUM_BY_PARTNER),
        "1.1.1.1|1|1|contoso.com,fabrikam.com|40|30|10|0|0|0|2012-12-10T10:43:49.000000Z|"
        "2012-12-10T10:43:50.000000Z\n"
        "3.3.3.3|1|1|contoso.com|NULL|NULL|NULL|NULL|NULL|0|2012-12-10T10:45:29.000000Z|"
        "2012-12-10T10:45:29.000000Z");
}

static void figures_are_grouped(void **state)
{
    (void)state;
    assert_string_equal(figures(SUM_BY_EDGE), "2.2.2.2|2|2|40|30|10|0|0");
    assert_string_equal(figures(SUM_BY_LEG), "relay-peer|2|1|40|30|10|0|0|NULL");
    assert_string_equal(figures(SUM_BY_VERDICT), "refused|1|0|1|3|40\ntimeout|1|1|1|3|40");
    assert_string_equal(figures(SUM_BY_CANDIDATE),
                        "relay TCP-PASS|relay TCP-PASS|TCP|2|40|30|10|0|0");
    assert_string_equal(figures(SUM_BY_PORT_RANGE), "50000|59999|TCP|1|40|30|10|0|0\n"
                                                    "NULL|NULL|NULL|1|NULL|NULL|NULL|NULL|NULL");
    assert_string_equal(figures(SUM_BY_HOUR), "2012-12-10T10:00:00.000000Z|2|1|40|30|10|0|0");
    assert_string_equal(figures(SUM_HEALTH),
                        "eth0|2012-12-10T10:43:49.000000Z|2012-12-10T10:44:09.000000Z|10|0|2|0|0|0|"
                        "0|0|0|0|0|0|2|1|10.0");
}

static void partners_are_new_or_gone_by_the_week_before(void **state)
{
    (void)state;
    assert_string_equal(figures(SUM_NEW_PARTNERS), "1.1.1.1|1|2012-12-10T10:43:49.000000Z\n"
                                                   "3.3.3.3|1|2012-12-10T10:45:29.000000Z");
    assert_string_equal(figures(SUM_ENDED_PARTNERS), "4.4.4.4|1|2012-12-07T10:43:49.000000Z");
}

/* Nothing of 1.1.1.1 is unreachable, because 30 of 40 attempts to its network connected. */
static void what_connected_in_part_is_not_unreachable(void **state)
{
    (void)state;
    assert_string_equal(figures(SUM_UNREACHABLE), "");
    assert_string_equal(figures(SUM_HEAT), "1.1.1.1|50000|59999|TCP|40|30|10|0|0\n"
                                           "3.3.3.3|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL");
}

static void blind_windows_are_told_in_order(void **state)
{
    (void)state;
    assert_string_equal(figures(SUM_BLIND),
                        "2012-12-10T10:43:49.000000Z|2012-12-10T10:43:59.000000Z|2");
}

static void findings_name_an_example(void **state)
{
    (void)state;
    const char *got = strstr(figures(SUM_FINDINGS), "failure|far-side-refuses|likely|1|1|");
    assert_non_null(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_are_listed_by_time_without_infos),
        cmocka_unit_test(a_period_keeps_what_touches_it),
        cmocka_unit_test(failures_are_found_by_user_call_address_verdict_and_finding),
        cmocka_unit_test(quotes_in_a_filter_are_only_text),
        cmocka_unit_test(what_belongs_to_one_failure_is_found_by_its_id),
        cmocka_unit_test(calls_are_found_by_a_candidates_address),
        cmocka_unit_test(every_view_answers_every_filter),
        cmocka_unit_test(rows_tell_types_and_names),
        cmocka_unit_test(totals_count_failures_and_their_denominators),
        cmocka_unit_test(partners_come_with_what_connected),
        cmocka_unit_test(figures_are_grouped),
        cmocka_unit_test(partners_are_new_or_gone_by_the_week_before),
        cmocka_unit_test(what_connected_in_part_is_not_unreachable),
        cmocka_unit_test(blind_windows_are_told_in_order),
        cmocka_unit_test(findings_name_an_example),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
