/* Pages of a view: newest first, every row once, also where times are equal or unknown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "storage/page.h"
#include "storage/query_inner.h"
#include "tests/help/facts_make.h"

enum { FAILURES = 25 };

static struct query_db *db;
static const char *path;

/* 25 failures, five at each moment, every fourth an info; their ids do not follow time. */
static int begin(void **state)
{
    (void)state;
    char why[512];
    path = facts_db_path();
    struct writer *w = facts_run(path, "s");
    for (int i = 1; i <= FAILURES; i++) {
        struct failure *f = facts_failure();
        f->id = i * 7 % 26;
        f->event_id = (uint64_t)i;
        f->first = FACTS_START + i / 5 * TICK_S;
        f->last = f->first + (i == 1 ? 3600 * TICK_S : 0);
        f->info = i % 4 == 0;
        writer_failure(w, f, NULL, 0);
    }
    facts_close(w);
    return query_open(path, &db, why, sizeof why) == DB_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    query_close(db);
    facts_db_forget();
    return 0;
}

static struct query_filter any(int64_t limit)
{
    return (struct query_filter){
        .since = TICK_NONE, .until = TICK_NONE, .with_info = true, .limit = limit};
}

/* "id,id,..." over all pages of so many rows; *pages counts them. */
static void walk(enum query_view v, struct query_filter f, char out[512], int *pages)
{
    char cursor[PAGE_CURSOR] = "", next[PAGE_CURSOR];
    int used = 0;
    out[0] = 0;
    for (*pages = 0; *pages < 100; ++*pages) {
        bool bad;
        struct rows *r = page_view(db, v, &f, cursor, &bad);
        if (!r)
            fail_msg("%s", query_error(db));
        int64_t n = 0;
        while (rows_next(r) == 1) {
            used += snprintf(out + used, 512 - (size_t)used, "%s%s", used ? "," : "",
                             rows_text(r, rows_find(r, "id")));
            page_cursor(r, v, cursor, ++n, next);
        }
        rows_close(r);
        if (n == 0)
            return;
        strcpy(cursor, next);
    }
}

/* The same in SQL written apart from the pages. */
static const char *asked(const char *sql)
{
    return facts_sql(path, sql);
}

#define IN_ORDER(where)                                            \
    "SELECT group_concat(id) FROM (SELECT id FROM failures " where \
    " ORDER BY first_seen DESC, id DESC)"

static void every_row_comes_once_whatever_the_page_size(void **state)
{
    (void)state;
    char got[512];
    int pages;
    for (int64_t limit = 1; limit <= FAILURES + 1; limit++) {
        walk(VIEW_FAILURES, any(limit), got, &pages);
        assert_string_equal(got, asked(IN_ORDER("")));
        assert_int_equal(pages, (FAILURES + limit - 1) / limit);
    }
}

static void filters_hold_on_every_page(void **state)
{
    (void)state;
    char got[512];
    int pages;
    struct query_filter f = any(4);
    f.with_info = false;
    walk(VIEW_FAILURES, f, got, &pages);
    assert_string_equal(got, asked(IN_ORDER("WHERE severity = 'failure'")));
    f = any(3);
    f.since = FACTS_START + 2 * TICK_S;
    f.until = FACTS_START + 3 * TICK_S;
    walk(VIEW_FAILURES, f, got, &pages);
    /* with the first one, which lasts for an hour */
    assert_string_equal(got, asked(IN_ORDER("WHERE id = 7 OR first_seen LIKE '%:51.%' OR "
                                            "first_seen LIKE '%:52.%'")));
    f = any(4);
    f.grade = "C";
    walk(VIEW_FAILURES, f, got, &pages);
    assert_string_equal(got, "");
}

static void a_partner_is_an_address_or_a_domain(void **state)
{
    (void)state;
    static const struct {
        const char *partner;
        bool all;
    } cases[] = {
        {"1.1.1.1", true}, {"fabrikam.com", true}, {"FABRIKAM.com", true}, {"abrikam.com", false},
        {"1.1.1", false},  {"10.98.2.1", false},   {"contoso.com", true},  {"", false},
        {"%", false},      {"2.2.2.2", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char got[512];
        int pages;
        struct query_filter f = any(100);
        f.partner = cases[i].partner;
        walk(VIEW_FAILURES, f, got, &pages);
        assert_string_equal(got, cases[i].all ? asked(IN_ORDER("")) : "");
    }
}

static void rows_without_a_time_come_last(void **state)
{
    (void)state;
    char got[512];
    int pages;
    facts_sql(path, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12)"
                    " INSERT INTO call(id, run_id, call_id, started_us) SELECT i, 1, 'c',"
                    " CASE WHEN i % 3 THEN 1355136239000000 + i % 4 * 1000000 END FROM n");
    for (int64_t limit = 1; limit <= 13; limit++) {
        walk(VIEW_CALLS, any(limit), got, &pages);
        assert_string_equal(got, asked("SELECT group_concat(id) FROM (SELECT id FROM calls ORDER BY"
                                       " started DESC NULLS LAST, id DESC)"));
    }
    facts_sql(path, "DELETE FROM call");
}

static void what_has_no_time_is_counted(void **state)
{
    (void)state;
    char got[512];
    int pages;
    facts_sql(path, "INSERT INTO run(id, sensor) VALUES (101, 's'), (102, 's'), (103, 's')");
    walk(VIEW_RUNS, any(2), got, &pages);
    assert_string_equal(got, "103,102,101,1");
    assert_int_equal(pages, 2);
}

static void a_strangers_cursor_is_refused(void **state)
{
    (void)state;
    static const char *const cursors[] = {"x",
                                          "1",
                                          "1.",
                                          ".1",
                                          "-1.2",
                                          "1.2 ",
                                          "1.-2",
                                          "1.2;DROP",
                                          "n1",
                                          "+1",
                                          "--",
                                          "- .1",
                                          " 1.1",
                                          "1..2",
                                          "99999999999999999999.1",
                                          "1.99999999999999999999"};
    for (size_t i = 0; i < sizeof cursors / sizeof *cursors; i++) {
        bool bad = false;
        struct query_filter f = any(1);
        assert_null(page_view(db, VIEW_FAILURES, &f, cursors[i], &bad));
        assert_true(bad);
    }
}

static const char *plan_of(struct rows *r)
{
    static char out[2048];
    sqlite3_stmt *s = query_statement(r), *explain;
    char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sqlite3_sql(s));
    assert_int_equal(sqlite3_prepare_v2(sqlite3_db_handle(s), sql, -1, &explain, NULL), SQLITE_OK);
    sqlite3_free(sql);
    out[0] = 0;
    while (sqlite3_step(explain) == SQLITE_ROW) {
        strcat(out, (const char *)sqlite3_column_text(explain, 3));
        strcat(out, "\n");
    }
    sqlite3_finalize(explain);
    return out;
}

/* Straight along the index: no sort, no scan of what lies before. */
static void a_page_is_read_along_the_index(void **state)
{
    (void)state;
    bool bad;
    struct query_filter f = any(2);
    f.verdict = "refused";
    f.since = FACTS_START;
    struct rows *r = page_view(db, VIEW_FAILURES, &f, "1355136241000000.9", &bad);
    assert_non_null(r);
    const char *plan = plan_of(r);
    if (!strstr(plan, "SEARCH failure USING INDEX failure_time (first_us<?)") ||
        strstr(plan, "TEMP B-TREE") || strstr(plan, "SCAN failure"))
        fail_msg("%s", plan);
    rows_close(r);
}

static void a_question_that_takes_too_long_ends(void **state)
{
    (void)state;
    facts_sql(path, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                    "200000) INSERT INTO attempt(id, first_us, last_us, verdict) SELECT i + 1000,"
                    " i, i, 'refused' FROM n");
    struct query_filter f = any(0);
    f.verdict = "nothing";
    query_limit(db, 1);
    struct rows *r = query_view(db, VIEW_ATTEMPTS, &f);
    assert_non_null(r);
    assert_int_equal(rows_next(r), -1);
    assert_true(query_expired(db));
    assert_non_null(strstr(query_error(db), "took too long"));
    rows_close(r);
    query_limit(db, 60000);
    f.verdict = "refused";
    f.limit = 1;
    r = query_view(db, VIEW_RUNS, &f);
    assert_int_equal(rows_next(r), 1);
    assert_false(query_expired(db));
    rows_close(r);
    query_limit(db, 0);
}

static void the_version_changes_with_what_others_write(void **state)
{
    (void)state;
    int64_t before = query_version(db);
    assert_true(before >= 0);
    assert_int_equal(query_version(db), before);
    facts_sql(path, "INSERT INTO run(id, sensor) VALUES (900, 's')");
    assert_int_not_equal(query_version(db), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_comes_once_whatever_the_page_size),
        cmocka_unit_test(filters_hold_on_every_page),
        cmocka_unit_test(a_partner_is_an_address_or_a_domain),
        cmocka_unit_test(rows_without_a_time_come_last),
        cmocka_unit_test(what_has_no_time_is_counted),
        cmocka_unit_test(a_strangers_cursor_is_refused),
        cmocka_unit_test(a_page_is_read_along_the_index),
        cmocka_unit_test(a_question_that_takes_too_long_ends),
        cmocka_unit_test(the_version_changes_with_what_others_write),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
