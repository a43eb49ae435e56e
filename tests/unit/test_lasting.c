/* A database that lasts: a disk that is full for a while, a reader that does not go away, rows that
 * grow old, killed writers, copies while it is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/backup.h"
#include "storage/query.h"
#include "storage/queue.h"
#include "storage/retention.h"
#include "tests/help/facts_make.h"

#define DAY INT64_C(86400)

static int begin(void **state)
{
    *state = (void *)facts_db_path();
    return 0;
}

static int end(void **state)
{
    (void)state;
    facts_db_forget();
    return 0;
}

#define SAYS(sql, want) assert_string_equal(facts_sql(*state, sql), want)

static tick_t wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * TICK_S + t.tv_nsec;
}

static struct writer *live_run(const char *path, const struct keep *keep)
{
    char why[512] = "";
    struct run_info run = {.sensor = "s", .command = "monitor", .live = true};
    if (keep)
        run.keep = *keep;
    struct writer *w = writer_open(path, &run, why, sizeof why);
    if (!w)
        fprintf(stderr, "%s\n", why);
    return w;
}

/* At most 20 s for the writer's thread to get there. */
static bool becomes(struct writer *w, bool waits, char *why, size_t room)
{
    for (int i = 0; i < 2000; i++) {
        if (writer_waits(w, why, room) == waits)
            return true;
        usleep(10000);
    }
    return false;
}

/* ---- a disk that is full for a while ---- */

static int hog(const char *path)
{
    static char zeros[4096];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    while (fd >= 0 && write(fd, zeros, sizeof zeros) > 0)
        ;
    return fd < 0 ? -1 : close(fd);
}

/* In a mount namespace of its own, on a file system of 8 MB. 77: not permitted here. */
static int fill_for_a_while(const char *dir)
{
    char path[128], filler[128], why[512] = "";
    enum { BEFORE = 20, N = 300 };
    static char big[20000];
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", "", MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", dir, "tmpfs", 0, "size=12m") != 0)
        return 77;
    snprintf(path, sizeof path, "%s/lasting.db", dir);
    snprintf(filler, sizeof filler, "%s/filler", dir);
    memset(big, 'c', sizeof big - 1);
    struct writer *w = live_run(path, NULL);
    if (!w)
        return 1;
    struct fact_call *c = facts_call();
    c->conversation_id = big;
    for (int i = 1; i <= N; i++) {
        if (i == BEFORE && hog(filler))
            return 2;
        c->id = i;
        writer_call(w, c);
        writer_advance(w, FACTS_START + i * TICK_S);
        if (i == BEFORE + 1 && !becomes(w, true, why, sizeof why))
            return 3;
    }
    char reason[512];
    if (!writer_waits(w, reason, sizeof reason) || !strstr(why, "disk full") || !strstr(why, path))
        return 4;
    unlink(filler);
    if (!becomes(w, false, why, sizeof why))
        return 5;
    struct fact_allocation *a = facts_allocation(); /* and on it goes */
    writer_allocation(w, a);
    if (writer_lost(w) || writer_close(w, FACTS_START, FACTS_START, NULL, why, sizeof why) != DB_OK)
        return 6;
    if (strcmp(facts_sql(path, "SELECT count(*) || ' ' || count(DISTINCT id) || ' ' || max(id) ||"
                               " ' ' || (SELECT count(*) FROM allocations) FROM calls"),
               "300 300 300 1") != 0)
        return 7;
    return strcmp(facts_sql(path, "PRAGMA integrity_check"), "ok") == 0 ? 0 : 8;
}

static int in_a_child(void **state, int (*run)(const char *dir))
{
    char dir[96];
    snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(*state, '/') - (char *)*state), (char *)*state);
    pid_t child = fork();
    if (child == 0)
        _exit(run(dir));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_full_disk_is_waited_for(void **state)
{
    int code = in_a_child(state, fill_for_a_while);
    if (code == 77) {
        print_message("no right to mount a file system: skipped\n");
        skip();
    }
    assert_int_equal(code, 0);
}

/* ---- a reader that stays ---- */

static void a_reader_that_stays_bounds_the_log_and_loses_nothing(void **state)
{
    enum { MOST = 4 << 20, N = 4000 };
    static char big[4000];
    char why[512] = "", log[128];
    struct keep keep = {.log_bytes = MOST};
    memset(big, 'c', sizeof big - 1);
    struct writer *w = live_run(*state, &keep);
    assert_non_null(w);
    struct fact_call *c = facts_call();
    c->conversation_id = big;
    writer_call(w, c);
    struct query_db *q;
    assert_int_equal(query_open(*state, &q, why, sizeof why), DB_OK);
    struct query_filter f = {.since = TICK_NONE, .until = TICK_NONE};
    struct rows *r = query_view(q, VIEW_RUNS, &f);
    assert_int_equal(rows_next(r), 1); /* in the middle of its rows */
    for (int i = 2; i <= N; i++) {
        c->id = i;
        writer_call(w, c);
        writer_advance(w, FACTS_START + i * TICK_S);
        if (i % 500 == 0)
            usleep(100000);
    }
    assert_true(becomes(w, true, why, sizeof why));
    assert_non_null(strstr(why, "reader"));
    struct stat st;
    snprintf(log, sizeof log, "%s-wal", (const char *)*state);
    assert_int_equal(stat(log, &st), 0);
    /* one transaction over the limit: blocks held, or 10,000 records */
    assert_in_range(st.st_size, MOST, MOST + (64 << 20));
    off_t held = st.st_size;
    sleep(1);
    assert_int_equal(stat(log, &st), 0);
    assert_int_equal(st.st_size, held);
    rows_close(r);
    query_close(q);
    assert_true(becomes(w, false, why, sizeof why));
    assert_int_equal(writer_lost(w), 0);
    facts_close(w);
    SAYS("SELECT count(*) FROM calls", "4000");
}

/* ---- rows grow old ---- */

/* Each day one row of each kind, `days` back from today; packets of 20 kB. */
static void fill_days(const char *path, int days)
{
    static uint8_t packet[20000];
    struct writer *w = live_run(path, NULL);
    assert_non_null(w);
    for (int i = 0; i < days; i++) {
        tick_t at = wall() - (days - 1 - i) * DAY * TICK_S - 60 * TICK_S;
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
static void sweep(const char *path, const struct keep *keep)
{
    struct db db;
    struct retention r;
    assert_int_equal(db_open(&db, path, &schema_edgewatch), DB_OK);
    retention_begin(&r, keep);
    for (int i = 0, quiet = 0; i < 10000 && !quiet; i++) {
        r.next_ms = 0;
        assert_int_equal(retention_step(&r, &db), 0);
        quiet = retention_wait_ms(&r) > 1000;
    }
    assert_true(retention_wait_ms(&r) > 1000);
    retention_end(&r);
    db_close(&db);
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
    struct writer *w = live_run(*state, &(struct keep){.max_bytes = 4 << 20});
    char why[512];
    int calls = 0;
    assert_non_null(w);
    memset(long_id, 'x', sizeof long_id - 1);
    for (tick_t begun = wall(); wall() - begun < 5 * TICK_S; usleep(5000))
        for (int i = 0; i < 10; i++) {
            struct fact_call *c = facts_call();
            c->id = ++calls;
            c->conversation_id = long_id;
            c->started = c->answered = c->ended = wall();
            writer_call(w, c);
            writer_advance(w, wall());
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
    sweep(*state, &(struct keep){.max_bytes = 12 << 20});
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
    struct writer *w = live_run(*state, &keep);
    assert_non_null(w);
    bool done = false;
    for (int i = 0; i < 200 && !done; i++) {
        writer_advance(w, wall());
        usleep(100000);
        done = strcmp(facts_sql(*state, counts), "1 2 2 2 2 3 3 3 3") == 0;
    }
    char why[512];
    assert_int_equal(writer_close(w, TICK_NONE, TICK_NONE, NULL, why, sizeof why), DB_OK);
    assert_true(done);
}

/* ---- killed ---- */

/* Writes calls until it is killed, and tells through the pipe how many it has handed over. */
static void write_until_killed(const char *path, int out)
{
    struct writer *w = live_run(path, NULL);
    struct fact_call *c = facts_call();
    if (!w)
        _exit(1);
    for (int32_t i = 1;; i++) {
        tick_t now = wall();
        struct failure f = *facts_failure();
        c->id = i;
        f.id = f.call_row = i;
        f.event_id = (uint64_t)i;
        writer_call(w, c);
        writer_failure(w, &f, facts_finding(), 1);
        writer_advance(w, now);
        struct {
            tick_t at;
            int32_t n;
        } told = {now, i};
        if (write(out, &told, sizeof told) != sizeof told)
            _exit(2);
        usleep(200);
    }
}

/* What is handed over is stored within a second: at most 0.2 s in a block, 0.5 s in a transaction,
 * and the commit. The rest is for the machine. (Runs of more than that are due something.) */
#define MAY_MISS (1500 * TICK_MS)
static tick_t most_missed;

static void kill_once(void **state, unsigned ms)
{
    int pipes[2], status;
    struct {
        tick_t at;
        int32_t n;
    } told;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0)
        write_until_killed(*state, pipes[1]);
    close(pipes[1]);
    int64_t before = atoi(facts_sql(*state, "SELECT count(*) FROM calls"));
    int32_t due = 0;
    tick_t end = 0;
    static struct {
        tick_t at;
        int32_t n;
    } all[200000];
    int n = 0;
    tick_t stop = wall() + ms * TICK_MS;
    while (n < 200000 && wall() < stop && read(pipes[0], &told, sizeof told) == sizeof told) {
        all[n].at = told.at;
        all[n++].n = told.n;
    }
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status)); /* and had not ended by itself */
    close(pipes[0]);
    end = n ? all[n - 1].at : 0;
    for (int i = 0; i < n; i++)
        if (all[i].at < end - MAY_MISS)
            due = all[i].n;
    SAYS("PRAGMA integrity_check", "ok");
    int64_t rows = atoi(facts_sql(*state, "SELECT count(*) FROM calls")) - before;
    if (rows < n && end - all[rows].at > most_missed)
        most_missed = end - all[rows].at;
    assert_true(rows >= due);
    /* a transaction is there or not: no failure without its call, no row without its findings */
    SAYS("SELECT count(*) FROM failure WHERE call_row NOT IN (SELECT id FROM call)", "0");
    SAYS("SELECT count(*) FROM failure WHERE id NOT IN (SELECT failure_id FROM finding)", "0");
}

/* EW_KILLS: how often (200 for the record; 3 where time is short) */
static void killed_at_any_moment_it_leaves_a_sound_database(void **state)
{
    const char *n = getenv("EW_KILLS");
    facts_close(facts_run(*state, "s"));
    for (int i = 0; i < (n ? atoi(n) : 3); i++) {
        unsigned ms = (unsigned)(n ? 20 + rand() % 2000 : 100 + i * 2500);
        kill_once(state, ms);
    }
    if (n)
        printf("# at most the last %.2f s were missing\n", (double)most_missed / (double)TICK_S);
}

/* Rows do not wait until packet time is where it was before. */
static void a_clock_set_back_delays_nothing(void **state)
{
    struct writer *w = live_run(*state, NULL);
    bool stored = false;
    assert_non_null(w);
    writer_advance(w, FACTS_START + 3 * 3600 * TICK_S);
    usleep(300000);
    struct fact_call *c = facts_call();
    writer_call(w, c);
    for (int i = 0; i < 30 && !stored; i++) {
        writer_advance(w, FACTS_START + i * 100 * TICK_MS);
        usleep(100000);
        stored = strcmp(facts_sql(*state, "SELECT count(*) FROM calls"), "1") == 0;
    }
    facts_close(w);
    assert_true(stored);
}

/* ---- copies ---- */

static void a_copy_is_whole_while_the_writer_goes_on(void **state)
{
    char copy[160], why[512] = "";
    long long bytes;
    snprintf(copy, sizeof copy, "%s.copy", (const char *)*state);
    struct writer *w = live_run(*state, NULL);
    assert_non_null(w);
    struct fact_call *c = facts_call();
    int made = 0;
    for (int i = 1; i <= 20000; i++) {
        c->id = i;
        writer_call(w, c);
        writer_advance(w, FACTS_START + i * TICK_S);
        if (i % 4000 == 0) {
            assert_int_equal(backup_make(*state, copy, &bytes, why, sizeof why), BACKUP_OK);
            assert_string_equal(facts_sql(copy, "PRAGMA integrity_check"), "ok");
            assert_string_equal(facts_sql(copy, "SELECT count(*) = max(id) OR max(id) IS NULL FROM"
                                                " calls"),
                                "1");
            made++;
        }
    }
    assert_int_equal(writer_lost(w), 0);
    facts_close(w);
    assert_int_equal(made, 5);
    assert_int_equal(backup_make(*state, copy, &bytes, why, sizeof why), BACKUP_OK);
    assert_string_equal(facts_sql(copy, "SELECT count(*) FROM calls"), "20000");
    struct stat st;
    assert_int_equal(stat(copy, &st), 0);
    assert_int_equal(bytes, st.st_size);
    assert_int_equal(st.st_mode & 077, 0);
    unlink(copy);
}

static void a_copy_that_cannot_be_made_leaves_the_old_one(void **state)
{
    char path[160], why[512] = "";
    long long bytes;
    fill_days(*state, 1);
    assert_int_equal(backup_make(*state, *state, &bytes, why, sizeof why), BACKUP_NO_OUTPUT);
    assert_non_null(strstr(why, "itself"));
    SAYS("SELECT count(*) FROM calls", "1");
    assert_int_equal(backup_make(*state, "/nowhere/x.db", &bytes, why, sizeof why),
                     BACKUP_NO_OUTPUT);
    assert_non_null(strstr(why, "/nowhere/x.db"));
    snprintf(path, sizeof path, "%s.none", (const char *)*state);
    assert_int_equal(backup_make(path, "/tmp/x.db", &bytes, why, sizeof why), BACKUP_NO_DATABASE);
    assert_int_equal(backup_make(*state, "/dev/full", &bytes, why, sizeof why), BACKUP_NO_OUTPUT);
}

int main(void)
{
#define ON_DATABASE(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        ON_DATABASE(a_full_disk_is_waited_for),
        ON_DATABASE(a_reader_that_stays_bounds_the_log_and_loses_nothing),
        ON_DATABASE(rows_go_by_their_age),
        ON_DATABASE(rows_of_the_future_hold_nothing_up),
        ON_DATABASE(rows_of_the_future_stay_while_nothing_behind_them_is_old),
        ON_DATABASE(no_step_is_long),
        ON_DATABASE(packets_do_not_outlive_their_attempts),
        ON_DATABASE(nothing_goes_unless_it_was_asked_for),
        ON_DATABASE(a_file_is_held_down_while_rows_pour_in),
        ON_DATABASE(a_file_that_is_too_large_loses_packets_first_and_shrinks),
        ON_DATABASE(a_monitor_keeps_its_database_small),
        ON_DATABASE(killed_at_any_moment_it_leaves_a_sound_database),
        ON_DATABASE(a_clock_set_back_delays_nothing),
        ON_DATABASE(a_copy_is_whole_while_the_writer_goes_on),
        ON_DATABASE(a_copy_that_cannot_be_made_leaves_the_old_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
