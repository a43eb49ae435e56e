/* Rows grow old: by age, by size, in small steps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/queue.h"
#include "storage/retention.h"
#include "tests/help/facts_make.h"

#define DAY INT64_C(86400)

#define SAYS(sql, want) assert_string_equal(facts_sql(*state, sql), want)

/* ---- rows grow old ---- */

/* Each day one row of each kind, `days` back from today; packets of 20 kB. */
static void fill_days(const char *path, int days)
{
    static uint8_t packet[20000];
    struct writer *w = facts_live_run(path, NULL);
    assert_non_null(w);
    for (int i = 0; i < days; i++) {
        tick_t at = facts_wall() - (days - 1 - i) * DAY * TICK_S - 60 * TICK_S;
        struct evidence ev = {.time = at,
                              .linktype = 1,
                              .caplen = sizeof packet,
                              .len = sizeof packet,
                              .bytes = packet};
        struct attempt a = facts_attempt();
        a.id = (uint64_t)i + 1;
        a.first = a.last = at;
        struct failure f = *facts_failure();
        f.id = i + 1;
        f.event_id = (uint64_t)i + 1;
        f.first = f.last = at;
        struct fact_call *c = facts_call();
        c->id = i + 1;
        c->started = c->answered = c->ended = at;
        struct fact_allocation *l = facts_allocation();
        l->id = i + 1;
        l->started = l->ended = at;
        struct traffic_row t = {.hour = at, .src = a.src.addr, .dst_net = a.dst.addr};
        struct health_row h = {.iface = -1, .from = at, .to = at};
        writer_attempt(w, &a, &ev, 1);
        writer_failure(w, &f, facts_finding(), 1);
        writer_call(w, c);
        writer_allocation(w, l);
        writer_traffic(w, &t);
        writer_health(w, &h, NULL);
    }
    char why[512];
    assert_int_equal(writer_close(w, TICK_NONE, TICK_NONE, NULL, why, sizeof why), DB_OK);
}

static const char counts[] =
    "SELECT (SELECT count(*) FROM evidence) || ' ' || (SELECT count(*) FROM attempts) || ' ' ||"
    " (SELECT count(*) FROM calls) || ' ' || (SELECT count(DISTINCT call_id || id) FROM calls"
    " JOIN sdp ON call_row = id) || ' ' || (SELECT count(*) FROM allocations) || ' ' ||"
    " (SELECT count(*) FROM failures) || ' ' || (SELECT count(*) FROM finding) || ' ' ||"
    " (SELECT count(*) FROM traffic) || ' ' || (SELECT count(*) FROM health)";

/* All steps of one sweep, without the pauses. */
/* Returns how far over its limit the file was at most, in percent. */
static int sweep(const char *path, const struct keep *keep)
{
    int over = 0;
    struct db db;
    struct retention r;
    assert_int_equal(db_open(&db, path, &schema_edgewatch), DB_OK);
    retention_begin(&r, keep);
    for (int i = 0, quiet = 0; i < 10000 && !quiet; i++) {
        r.next_ms = 0;
        assert_int_equal(retention_step(&r, &db), 0);
        quiet = retention_wait_ms(&r) > 1000;
        over = r.over > over ? r.over : over;
        assert_true(r.urgent || !r.over);
    }
    assert_true(retention_wait_ms(&r) > 1000);
    assert_int_equal(r.over, 0);
    retention_end(&r);
    db_close(&db);
    return over;
}

static void rows_go_by_their_age(void **state)
{
    fill_days(*state, 100);
    SAYS(counts, "100 100 100 100 100 100 100 100 100");
    sweep(*state, &(struct keep){.evidence_days = 10, .details_days = 30, .failures_days = 60});
    SAYS(counts, "10 30 30 30 30 60 60 60 60");
    SAYS("SELECT count(*) FROM packets JOIN attempts a ON a.id = attempt_id", "10");
    SAYS("SELECT min(started) > strftime('%Y-%m-%dT%H:%M:%S', 'now', '-30 days') FROM calls", "1");
    SAYS("PRAGMA integrity_check", "ok");
}

/* A clock that was years ahead when the sensor was installed: those rows have the lowest ids. */
static void rows_of_the_future_hold_nothing_up(void **state)
{
    static const char ahead[] =
        "UPDATE attempt SET last_us = last_us + 315360000000000 WHERE id <= 60;"
        "UPDATE failure SET last_us = last_us + 315360000000000 WHERE id <= 60;"
        "UPDATE call SET ended_us = ended_us + 315360000000000 WHERE id <= 60;"
        "UPDATE allocation SET ended_us = ended_us + 315360000000000 WHERE id <= 60;"
        "UPDATE traffic_hour SET hour_us = hour_us + 315360000000000 WHERE rowid <= 60;"
        "UPDATE health_span SET to_us = to_us + 315360000000000 WHERE rowid <= 60;";
    struct db db;
    fill_days(*state, 100);
    assert_int_equal(db_open(&db, *state, &schema_edgewatch), DB_OK);
    assert_int_equal(db_exec(&db, ahead), 0);
    db_close(&db);
    sweep(*state, &(struct keep){.evidence_days = 10, .details_days = 30, .failures_days = 35});
    SAYS(counts, "10 30 30 30 30 35 35 35 35");
    SAYS("PRAGMA integrity_check", "ok");
}

/* ... and where nothing behind them is old, they wait for what will be. */
static void rows_of_the_future_stay_while_nothing_behind_them_is_old(void **state)
{
    struct db db;
    fill_days(*state, 100);
    assert_int_equal(db_open(&db, *state, &schema_edgewatch), DB_OK);
    assert_int_equal(db_exec(&db, "UPDATE attempt SET last_us = last_us + 315360000000000"
                                  " WHERE id <= 60"),
                     0);
    db_close(&db);
    sweep(*state, &(struct keep){.details_days = 90});
    SAYS("SELECT count(*) FROM attempts", "100");
    sweep(*state, &(struct keep){.max_bytes = 1});
    SAYS("SELECT count(*) FROM attempts", "0");
}

static int64_t ms_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Many small rows, then packets of 20 kB: what fits into a step of the one does not of the other.
 * EW_STEPS=N: N days of rows, and wall time is judged, which needs a machine of one's own. */
static void no_step_is_long(void **state)
{
    const char *days = getenv("EW_STEPS");
    struct db db;
    struct retention r;
    int64_t longest = 0, longest_cpu = 0;
    unsigned steps = 0;
    fill_days(*state, days ? atoi(days) : 1500);
    assert_int_equal(db_open(&db, *state, &schema_edgewatch), DB_OK);
    assert_int_equal(
        db_exec(&db,
                "INSERT INTO traffic_hour SELECT run_id, 0, src_addr, dst_net, 0, 0, transport,"
                " 1, 0, 0, 0 FROM traffic_hour, json_each('[1,2,3,4,5,6,7,8,9]')"),
        0);
    retention_begin(&r, &(struct keep){.max_bytes = 1});
    for (bool more = true; more; steps++) {
        r.next_ms = 0;
        int64_t wall_ms = ms_of(CLOCK_MONOTONIC), cpu_ms = ms_of(CLOCK_THREAD_CPUTIME_ID);
        assert_int_equal(retention_step(&r, &db), 0);
        wall_ms = ms_of(CLOCK_MONOTONIC) - wall_ms;
        cpu_ms = ms_of(CLOCK_THREAD_CPUTIME_ID) - cpu_ms;
        longest = wall_ms > longest ? wall_ms : longest;
        longest_cpu = cpu_ms > longest_cpu ? cpu_ms : longest_cpu;
        more = retention_wait_ms(&r) < 1000;
    }
    retention_end(&r);
    db_close(&db);
    SAYS(counts, "0 0 0 0 0 0 0 0 0");
    if (days)
        printf("# %u steps, the longest %lld ms (%lld ms of the processor)\n", steps,
               (long long)longest, (long long)longest_cpu);
    assert_true(longest_cpu < 50);
    if (days)
        assert_true(longest < 50);
}

static void packets_do_not_outlive_their_attempts(void **state)
{
    fill_days(*state, 20);
    sweep(*state, &(struct keep){.details_days = 5});
    SAYS(counts, "5 5 5 5 5 20 20 20 20");
}

static void nothing_goes_unless_it_was_asked_for(void **state)
{
    fill_days(*state, 20);
    struct db db;
    struct retention r;
    assert_int_equal(db_open(&db, *state, &schema_edgewatch), DB_OK);
    retention_begin(&r, &(struct keep){0});
    assert_int_equal(retention_wait_ms(&r), -1);
    assert_int_equal(retention_step(&r, &db), 0);
    retention_end(&r);
    db_close(&db);
    SAYS(counts, "20 20 20 20 20 20 20 20 20");
}

/* Calls come in faster than ever on the wire, for five seconds, eight times what the file may hold:
 * it is held down meanwhile, and soon afterwards it is as small as it should be. */
static void a_file_is_held_down_while_rows_pour_in(void **state)
{
    static char long_id[3000];
    struct stat st;
    struct writer *w = facts_live_run(*state, &(struct keep){.max_bytes = 4 << 20});
    char why[512];
    int calls = 0;
    assert_non_null(w);
    memset(long_id, 'x', sizeof long_id - 1);
    for (tick_t begun = facts_wall(); facts_wall() - begun < 5 * TICK_S; usleep(5000))
        for (int i = 0; i < 10; i++) {
            struct fact_call *c = facts_call();
            c->id = ++calls;
            c->conversation_id = long_id;
            c->started = c->answered = c->ended = facts_wall();
            writer_call(w, c);
            writer_advance(w, facts_wall());
        }
    int kept_then = atoi(facts_sql(*state, "SELECT count(*) FROM calls"));
    assert_in_range(kept_then, 0, calls - 100); /* how many depends on the machine */
    for (int i = 0; i < 200; i++) {             /* 20 s at most */
        assert_int_equal(stat(*state, &st), 0);
        if (st.st_size < (4 << 20) + 1100 * 8192)
            break;
        usleep(100000);
    }
    assert_int_equal(writer_lost(w), 0);
    assert_int_equal(writer_close(w, TICK_NONE, TICK_NONE, NULL, why, sizeof why), DB_OK);
    assert_int_equal(stat(*state, &st), 0);
    int kept = atoi(facts_sql(*state, "SELECT count(*) FROM calls"));
    print_message("    %d calls, %d kept, %ld kB\n", calls, kept, (long)st.st_size / 1024);
    assert_in_range(kept, 100, calls - 100);
    assert_true(st.st_size < (4 << 20) + 1100 * 8192);
    assert_int_equal(atoi(facts_sql(*state, "SELECT max(id) FROM call")), calls);
}

static void a_file_that_is_too_large_loses_packets_first_and_shrinks(void **state)
{
    struct stat before, after;
    fill_days(*state, 1000); /* 1000 packets of 20 kB in pages of 8 kB: 24 MB */
    assert_int_equal(stat(*state, &before), 0);
    assert_true(before.st_size > 20 << 20);
    assert_in_range(sweep(*state, &(struct keep){.max_bytes = 12 << 20}), 60, 110);
    assert_int_equal(stat(*state, &after), 0);
    assert_true(after.st_size <= (12 << 20) + 1100 * 8192); /* free pages that stay for new rows */
    int packets = atoi(facts_sql(*state, "SELECT count(*) FROM evidence"));
    assert_in_range(packets, 200, 600);
    SAYS("SELECT min(attempt_id) + count(*) FROM evidence", "1001"); /* the latest */
    SAYS("SELECT count(*) FROM attempts", "1000");
    sweep(*state, &(struct keep){.max_bytes = 1});
    SAYS(counts, "0 0 0 0 0 0 0 0 0");
}

/* The writer's own thread does it, beside new rows. */
static void a_monitor_keeps_its_database_small(void **state)
{
    fill_days(*state, 300);
    struct keep keep = {.evidence_days = 1, .details_days = 2, .failures_days = 3};
    struct writer *w = facts_live_run(*state, &keep);
    assert_non_null(w);
    bool done = false;
    for (int i = 0; i < 200 && !done; i++) {
        writer_advance(w, facts_wall());
        usleep(100000);
        done = strcmp(facts_sql(*state, counts), "1 2 2 2 2 3 3 3 3") == 0;
    }
    char why[512];
    assert_int_equal(writer_close(w, TICK_NONE, TICK_NONE, NULL, why, sizeof why), DB_OK);
    assert_true(done);
}

int main(void)
{
#define ON_DATABASE(test) cmocka_unit_test_setup_teardown(test, facts_begin, facts_end)
    const struct CMUnitTest tests[] = {
        ON_DATABASE(rows_go_by_their_age),
        ON_DATABASE(rows_of_the_future_hold_nothing_up),
        ON_DATABASE(rows_of_the_future_stay_while_nothing_behind_them_is_old),
        ON_DATABASE(no_step_is_long),
        ON_DATABASE(packets_do_not_outlive_their_attempts),
        ON_DATABASE(nothing_goes_unless_it_was_asked_for),
        ON_DATABASE(a_file_is_held_down_while_rows_pour_in),
        ON_DATABASE(a_file_that_is_too_large_loses_packets_first_and_shrinks),
        ON_DATABASE(a_monitor_keeps_its_database_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
