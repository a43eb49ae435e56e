/*
 * What a second read of a capture costs grows with its calls, not with their square: no statement
 * that settling and joining run for each slice or row goes through a whole table, and four times
 * the calls take four times the steps. Steps are those of SQLite's virtual machine, which are the
 * same on every machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "tests/help/facts_make.h"

/* ---- what SQLite did, by statement ---- */

enum { STATEMENTS = 512 };

static struct cost {
    char *sql;
    unsigned runs;
    uint64_t scanned; /* rows, in loops over a whole table */
    uint64_t steps;
} costs[STATEMENTS];
static unsigned n_costs;
static bool counting;

static struct cost *cost_of(const char *sql)
{
    for (unsigned i = 0; i < n_costs; i++)
        if (strcmp(costs[i].sql, sql) == 0)
            return &costs[i];
    assert_true(n_costs < STATEMENTS);
    costs[n_costs] = (struct cost){.sql = strdup(sql)};
    return &costs[n_costs++];
}

static int on_profile(unsigned what, void *arg, void *statement, void *nanoseconds)
{
    (void)what;
    (void)arg;
    (void)nanoseconds;
    int scanned = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1);
    int steps = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1);
    if (counting) {
        struct cost *c = cost_of(sqlite3_sql(statement));
        c->runs++;
        c->scanned += (uint64_t)scanned;
        c->steps += (uint64_t)steps;
    }
    return 0;
}

static int on_open(sqlite3 *db, const char **why, const struct sqlite3_api_routines *api)
{
    (void)why;
    (void)api;
    return sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, on_profile, NULL);
}

static uint64_t forget_costs(void)
{
    uint64_t steps = 0;
    for (unsigned i = 0; i < n_costs; i++) {
        steps += costs[i].steps;
        free(costs[i].sql);
    }
    n_costs = 0;
    return steps;
}

/* ---- a capture of so many calls, each with an allocation, an attempt and a trouble ---- */

static void fill(const char *path, int64_t run, unsigned n)
{
    static const char *const rows[] = {
        "INSERT INTO attempt (id, run_id, src_addr, src_port, dst_addr, dst_port, transport, isn,"
        " verdict, quality, peeks, wanted, syns, synacks, rsts, first_us, last_us, bytes_out,"
        " bytes_in, concurrency)"
        " SELECT id, run, '10.3.0.40', port, '1.1' || host, port, 'TCP', i,"
        " iif(i % 4, 'connected', 'refused'), 'good', 0, 1, 1, 1, 0, at, at + 5, 0, 0, 0 FROM n",
        "INSERT INTO call (id, run_id, call_id, caller, callee, started_us, answered_us, ended_us,"
        " status, outcome, media, grade, origin, media_failed)"
        " SELECT id, run, 'c' || i, 'sip:a', 'sip:b', at, at + 3, at + 9, 200, 'unknown', 'audio',"
        " 'A', 'wire', 0 FROM n",
        "INSERT INTO sdp (call_row, offer, answer)"
        " SELECT id, json_array(json_array('audio', 1, '2.2.2.2', port, 'u', json('[]'))),"
        " json_array(json_array('audio', 1, '1.1' || host, port, 'v', json('[]'))) FROM n",
        "INSERT INTO allocation (id, run_id, client_addr, client_port, server_addr, server_port,"
        " transport, flags, relay_addr, relay_port, started_us, ended_us, end_reason, requests)"
        " SELECT id, run, '10.98' || host, 13211, '10.3.0.40', 443, 'TCP', 3, '2.2.2.2', port, at,"
        " at + 9, 'closed', 2 FROM n",
        "INSERT INTO trouble (run_id, client_addr, client_port, server_addr, server_port, first_us,"
        " last_us, verdict, isn, instead, signaling)"
        " SELECT run, '10.99' || host, 4000, '10.3.0.40', 443, at, at + 2, 'pseudotls-fail', i, 0,"
        " 0 FROM n",
    };
    char numbers[400];
    snprintf(
        numbers, sizeof numbers,
        "CREATE TABLE n AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        " WHERE i < %u) SELECT i, %lld AS run, %lld + i AS id, %lld + i * 2000 AS at, 50000 + i"
        " AS port, printf('.%%d.%%d', i / 250, i %% 250) AS host FROM n",
        n, (long long)run, (long long)run * 100000, (long long)(FACTS_START / TICK_US));
    facts_sql(path, numbers);
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        facts_sql(path, rows[i]);
    facts_sql(path, "DROP TABLE n");
}

/* The same capture of n calls twice; what the end of the second run did is counted. */
static void read_twice(unsigned n)
{
    const char *path = facts_db_path();
    for (int i = 0; i < 2; i++) {
        struct writer *w = facts_run(path, "s");
        fill(path, writer_run(w), n);
        counting = i == 1;
        facts_close(w);
        counting = false;
    }
    char sql[200];
    snprintf(sql, sizeof sql,
             "SELECT (SELECT count(*) FROM attempt) = %u AND (SELECT count(*) FROM call) = %u AND"
             " (SELECT count(*) FROM allocation) = %u AND (SELECT count(*) FROM trouble) = %u",
             n, n, n, n);
    assert_string_equal(facts_sql(path, sql), "1"); /* it was merged at all */
    facts_db_forget();
}

enum { CALLS = 1200, TIMES = 4 };

static uint64_t few, many; /* steps */

static int measure(void **state)
{
    (void)state;
    sqlite3_auto_extension((void (*)(void))on_open);
    read_twice(CALLS);
    few = forget_costs();
    read_twice(CALLS * TIMES);
    for (unsigned i = 0; i < n_costs; i++)
        many += costs[i].steps;
    sqlite3_cancel_auto_extension((void (*)(void))on_open);
    return 0;
}

static int forget(void **state)
{
    (void)state;
    (void)forget_costs();
    return 0;
}

/* What runs more than twice is run for slices or rows. */
static void no_slice_scans_a_table(void **state)
{
    (void)state;
    assert_true(n_costs > 50);
    for (unsigned i = 0; i < n_costs; i++) {
        const struct cost *c = &costs[i];
        if (c->scanned > (c->runs > 2 ? CALLS : 4 * CALLS * TIMES))
            fail_msg("%llu rows scanned in %u runs of %s", (unsigned long long)c->scanned, c->runs,
                     c->sql);
    }
}

static void the_cost_is_in_proportion(void **state)
{
    (void)state;
    assert_true(few > 100 * CALLS);
    if (many > few * TIMES * 5 / 4)
        fail_msg("%llu steps for %d calls, %llu for %d", (unsigned long long)few, CALLS,
                 (unsigned long long)many, CALLS * TIMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_slice_scans_a_table),
        cmocka_unit_test(the_cost_is_in_proportion),
    };
    return cmocka_run_group_tests(tests, measure, forget);
}
