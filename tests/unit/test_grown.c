/* A large database answers with its indexes what it answered without them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/grown.h"
#include "storage/query_inner.h"
#include "tests/help/facts_make.h"

static pthread_barrier_t begun;

#define S "000000"
static const char series[] =
    "CREATE TEMP TABLE generate_series AS WITH RECURSIVE k(value) AS (SELECT 1 UNION ALL"
    " SELECT value + 1 FROM k WHERE value < 300) SELECT value FROM k";
/* 300 rows of each kind, a quarter of an hour apart; some last for hours, have no end or no
 * beginning; ids as in a large database. Users and addresses come again every 7 to 13 rows. */
static const char fill[] =
    "UPDATE run SET last_us = 300000" S ";"
    "INSERT INTO failure(id, run_id, event_id, first_us, last_us, leg, verdict, info, src_addr, "
    "src_public, dst_addr,"
    " client_addr, icmp_from, caller, callee, call_id, allocation_row)"
    " SELECT 200000 + value, 1, value, value * 900" S ", value * 900" S
    " + iif(value % 9 = 0, 50000" S ", 3" S "),"
    " 'relay-peer', iif(value % 29 = 0, 'timeout', 'refused'), value % 31 = 0, '10.0.0.' || (value "
    "% 7), '192.0.2.' || (value % 3), "
    "'198.51.100.' || (value % 11),"
    " '10.9.0.' || (value % 13), iif(value % 17 = 0, '203.0.113.1', NULL), 'sip:U' || (value % 13) "
    "|| '@a.example',"
    " 'sip:v' || (value % 7) || '@b.example', 'c' || (value % 50), 200000 + value % 40 FROM "
    "generate_series;"
    "UPDATE failure SET finding = iif(id % 37 = 0, 'hairpin-missing', 'far-side-refuses');"
    "INSERT INTO finding(failure_id, rank, code) SELECT 200000 + value, 0, iif((200000 + value) % "
    "37"
    " = 0, 'hairpin-missing', 'far-side-refuses') FROM generate_series;"
    "INSERT INTO finding(failure_id, rank, code) SELECT 200000 + value, 1, 'permission-race'"
    " FROM generate_series WHERE value % 41 = 0;"
    "INSERT INTO call(id, run_id, call_id, caller, callee, started_us, answered_us, ended_us)"
    " SELECT 200000 + value, 1, 'c' || value, 'sip:U' || (value % 13) || '@a.example', 'sip:v' || "
    "(value % 7) ||"
    " '@b.example', iif(value % 19 = 0, NULL, value * 900" S "), NULL,"
    " iif(value % 23 = 0, NULL, value * 900" S " + iif(value % 9 = 0, 50000" S ", 3" S
    ")) FROM generate_series;"
    "INSERT INTO allocation(id, run_id, client_addr, server_addr, relay_addr, wire_addr, "
    "reflexive_addr, started_us,"
    " ended_us) SELECT 200000 + value, 1, '10.9.0.' || (value % 13), '10.3.0.' || (value % 2), "
    "'192.0.2.' || (value % 3),"
    " '10.0.0.' || (value % 7), '203.0.113.' || (value % 5), iif(value % 19 = 0, NULL, value * "
    "900" S "),"
    " iif(value % 23 = 0, NULL, value * 900" S " + iif(value % 9 = 0, 50000" S ", 3" S
    ")) FROM generate_series;"
    "INSERT INTO health_span(rowid, run_id, interface, from_us, to_us) SELECT 200000 + value, 1, "
    "'eth0', value * 900" S ", value * 900" S " + 60" S " FROM generate_series;";

/* What the view has for the filter, as one text. */
static char *answer(const char *path, enum query_view v, const struct query_filter *f, int64_t few)
{
    static char text[2][1 << 20];
    static int at;
    char *out = text[at++ % 2], why[256];
    size_t n = 0;
    struct query_db *q;
    assert_int_equal(query_open(path, &q, why, sizeof why), DB_OK);
    q->few = few;
    struct rows *r = query_view(q, v, f);
    if (!r)
        fail_msg("%s", query_error(q));
    while (rows_next(r) == 1)
        for (int i = 0; i < rows_columns(r) && n < (1 << 20) - 200; i++)
            n += (size_t)snprintf(out + n, 200, "%.190s|", rows_text(r, i) ? rows_text(r, i) : "");
    out[n] = 0;
    rows_close(r);
    query_close(q);
    return out;
}

#define AT(s) ((s)*TICK_S)
/* The figures of a period go from its failures to their findings, not through all that have a code.
 */
static void no_figure_goes_through_all_findings(const char *path)
{
    struct query_db *q;
    char why[256], sql[8192];
    assert_int_equal(query_open(path, &q, why, sizeof why), DB_OK);
    for (unsigned sum = 0; sum < SUMS; sum++) {
        struct rows *r = query_sum(q, (enum query_sum)sum, AT(90000), AT(190000));
        assert_non_null(r);
        snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", sqlite3_sql(query_statement(r)));
        rows_close(r);
        assert_non_null(r = query_rows(q, sql));
        while (rows_next(r) == 1)
            if (strstr(rows_text(r, 3), "finding_code"))
                fail_msg("figure %u: %s", sum, rows_text(r, 3));
        rows_close(r);
    }
    query_close(q);
}

static const struct query_filter filters[] = {
    {.since = TICK_NONE, .until = TICK_NONE},
    {.since = AT(90000), .until = AT(100000)},
    {.since = AT(100000), .until = AT(100001)},
    {.since = AT(299000), .until = TICK_NONE},
    {.since = TICK_NONE, .until = AT(2000)},
    {.since = TICK_NONE, .until = TICK_NONE, .user = "u4@"},
    {.since = TICK_NONE, .until = TICK_NONE, .user = "EXAMPLE"},
    {.since = TICK_NONE, .until = TICK_NONE, .user = "nobody"},
    {.since = AT(90000), .until = AT(190000), .user = "v3"},
    {.since = TICK_NONE, .until = TICK_NONE, .call = "c17"},
    {.since = TICK_NONE, .until = TICK_NONE, .addr = "10.0.0.3"},
    {.since = TICK_NONE, .until = TICK_NONE, .addr = "10.3.0.1"},
    {.since = TICK_NONE, .until = TICK_NONE, .addr = "203.0.113.1"},
    {.since = AT(90000), .until = AT(190000), .addr = "10.3.0.1"},
    {.since = AT(90000), .until = AT(190000), .addr = "10.9.0.7"},
    {.since = TICK_NONE, .until = TICK_NONE, .verdict = "timeout"},
    {.since = TICK_NONE, .until = TICK_NONE, .verdict = "refused", .limit = 7},
    {.since = AT(90000), .until = AT(190000), .verdict = "timeout", .with_info = true},
    {.since = AT(90000), .until = AT(190000), .verdict = "timeout", .limit = 2},
    {.since = TICK_NONE, .until = TICK_NONE, .finding = "hairpin-missing"},
    {.since = TICK_NONE, .until = TICK_NONE, .finding = "permission-race", .limit = 3},
    {.since = AT(90000), .until = AT(190000), .finding = "permission-race"},
    {.since = AT(9000), .until = AT(190000), .finding = "far-side-refuses", .limit = 5},
    {.since = AT(9000), .until = AT(190000), .finding = "far-side-refuses", .user = "v3"},
    {.since = TICK_NONE, .until = TICK_NONE, .verdict = "refused", .user = "v3", .limit = 4},
    {.since = TICK_NONE, .until = TICK_NONE, .limit = 1},
    {.since = TICK_NONE, .until = TICK_NONE, .limit = 50, .with_info = true},
    {.since = AT(100000), .until = TICK_NONE, .limit = 30},
    {.since = TICK_NONE, .until = AT(100000), .limit = 110},
    {.since = AT(100000), .until = AT(100001), .limit = 3},
    {.since = AT(100000), .until = AT(250000), .call = "c17"},
    {.since = AT(100000), .until = AT(250000), .limit = 3, .partner = "198.51.100.4"},
};
enum { FILTERS = sizeof filters / sizeof *filters };
static const enum query_view views[] = {VIEW_FAILURES, VIEW_CALLS, VIEW_ALLOCATIONS, VIEW_HEALTH};
static const char *const tables[] = {"failure", "call", "allocation", "health_span"};

static void its_indexes_change_no_answer(void **state)
{
    struct db db;
    bool made = true;
    static char before[4][FILTERS][1 << 17];
    facts_close(facts_run(*state, "s"));
    assert_int_equal(db_open(&db, *state, &schema_edgewatch), DB_OK);
    assert_int_equal(db_exec(&db, series), 0);
    assert_int_equal(db_exec(&db, fill), 0);
    for (int v = 0; v < 4; v++) {
        assert_false(grown_has(&db, tables[v]));
        for (int i = 0; i < FILTERS; i++)
            snprintf(before[v][i], sizeof before[v][i], "%s",
                     answer(*state, views[v], &filters[i], 0));
    }
    int n = 0;
    for (; made; n++)
        assert_int_equal(grown_step(&db, &made), 0);
    assert_true(n > 20);
    for (int v = 0; v < 4; v++) {
        assert_true(grown_has(&db, tables[v]));
        for (int i = 0; i < FILTERS * 3; i++) {
            int64_t few = i % 3 == 0 ? 0 : i % 3 == 1 ? 20 : 20000; /* what is rare is told apart */
            const char *after = answer(*state, views[v], &filters[i / 3], few);
            if (strncmp(before[v][i / 3], after, sizeof before[v][0] - 1) != 0)
                fail_msg("view %s, filter %d, few %d: %s, not %s", tables[v], i / 3, (int)few,
                         after, before[v][i / 3]);
        }
    }
    no_figure_goes_through_all_findings(*state);
    for (int i = 0; i < FILTERS; i++) /* none of them is empty of failures but the one for nobody */
        if ((strlen(before[0][i]) > 100) !=
            (!filters[i].user || strcmp(filters[i].user, "nobody") != 0))
            fail_msg("failures, filter %d: %s", i, before[0][i]);
    assert_true(strlen(before[1][8]) > 100);
    db_close(&db);
}

/* Filled, with all that a large database has. */
static void open_grown(struct db *db, const char *path)
{
    bool made = true;
    facts_close(facts_run(path, "s"));
    assert_int_equal(db_open(db, path, &schema_edgewatch), DB_OK);
    assert_int_equal(db_exec(db, series), 0);
    assert_int_equal(db_exec(db, fill), 0);
    while (made)
        assert_int_equal(grown_step(db, &made), 0);
}

/* The lists are what the rows have, whatever is written, over, changed or taken away. */
static void users_are_listed_as_long_as_they_are_there(void **state)
{
    static const char *const changes[] = {
        "INSERT INTO %1$s(id, %2$s, caller, callee) VALUES (900000, 1, 'sip:new@x', 'sip:new@x')",
        "INSERT INTO %1$s(id, %2$s, caller) VALUES (900001, 2, 'sip:new@x')",
        "REPLACE INTO %1$s(id, %2$s, caller, callee) VALUES (900000, 3, 'sip:o@x', 'sip:v3@x')",
        "UPDATE %1$s SET callee = 'sip:late@x' WHERE id = 900001",
        "UPDATE %1$s SET caller = callee, callee = caller WHERE id = 900001",
        "REPLACE INTO %1$s(id, %2$s, caller) VALUES (900001, 4, 'sip:later@x')",
        "UPDATE %1$s SET caller = NULL WHERE id = 900001",
        "DELETE FROM %1$s WHERE id = 900001",
        "DELETE FROM %1$s WHERE caller = 'sip:U4@a.example'",
        "DELETE FROM %1$s WHERE id %% 2",
        "DELETE FROM %1$s",
    };
    enum { CHANGES = sizeof changes / sizeof *changes };
    struct db db;
    char sql[512];
    open_grown(&db, *state);
    for (int t = 0; t < 2; t++) {
        for (int i = 0; i < CHANGES; i++) {
            int64_t wrong, listed;
            snprintf(sql, sizeof sql, changes[i], tables[t], t ? "run_id" : "event_id");
            assert_int_equal(db_exec(&db, sql), 0);
            snprintf(sql, sizeof sql,
                     "SELECT count(*) FROM (SELECT caller AS u FROM %1$s UNION SELECT callee FROM"
                     " %1$s) FULL JOIN %1$s_user ON name = u WHERE coalesce(u, name) IS NOT NULL"
                     " AND u IS NOT name",
                     tables[t]);
            assert_int_equal(db_int(&db, sql, -1, &wrong), 0);
            if (wrong)
                fail_msg("%s, change %d: %d users differ", tables[t], i, (int)wrong);
            snprintf(sql, sizeof sql, "SELECT count(*) FROM %s_user", tables[t]);
            assert_int_equal(db_int(&db, sql, -1, &listed), 0);
            assert_int_equal(listed == 0, i == CHANGES - 1);
        }
    }
    db_close(&db);
}

/* Begins to write, and makes the list only when the other one waits for that. */
static void *make_it_meanwhile(void *path)
{
    struct db db;
    bool holds = db_open(&db, path, &schema_edgewatch) == DB_OK && db_begin(&db) == 0;
    pthread_barrier_wait(&begun);
    if (!holds)
        return NULL;
    usleep(300000);
    void *made = db_exec(&db, "CREATE TABLE failure_user(name TEXT PRIMARY KEY) WITHOUT ROWID") ||
                         db_commit(&db)
                     ? NULL
                     : path;
    db_close(&db);
    return made;
}

static void another_process_may_make_it_first(void **state)
{
    struct db db;
    bool made;
    pthread_t other;
    void *done;
    open_grown(&db, *state);
    assert_int_equal(db_exec(&db, "DROP TRIGGER failure_user_in; DROP TRIGGER failure_user_out;"
                                  "DROP TRIGGER failure_user_change; DROP TABLE failure_user"),
                     0);
    pthread_barrier_init(&begun, NULL, 2);
    assert_int_equal(pthread_create(&other, NULL, make_it_meanwhile, *state), 0);
    pthread_barrier_wait(&begun);
    if (grown_step(&db, &made))
        fail_msg("%s", db.why);
    assert_int_equal(pthread_join(other, &done), 0);
    assert_non_null(done);
    pthread_barrier_destroy(&begun);
    assert_true(grown_has(&db, "failure"));
    db_close(&db);
}

static void a_small_database_gets_none(void **state)
{
    struct db db;
    bool made;
    facts_close(facts_run(*state, "s"));
    assert_int_equal(db_open(&db, *state, &schema_edgewatch), DB_OK);
    assert_int_equal(grown_step(&db, &made), 0);
    assert_false(made);
    db_close(&db);
}

int main(void)
{
#define ON_DATABASE(test) cmocka_unit_test_setup_teardown(test, facts_begin, facts_end)
    const struct CMUnitTest tests[] = {
        ON_DATABASE(its_indexes_change_no_answer),
        ON_DATABASE(users_are_listed_as_long_as_they_are_there),
        ON_DATABASE(another_process_may_make_it_first),
        ON_DATABASE(a_small_database_gets_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
