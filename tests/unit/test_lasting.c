/* A database that lasts: a disk that is full for a while, a reader that does not go away, killed
 * writers, copies while it is written. Rows that grow old: test_retention.c. */
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
#include "tests/help/facts_make.h"

#define SAYS(sql, want) assert_string_equal(facts_sql(*state, sql), want)

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
    struct writer *w = facts_live_run(path, NULL);
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
    struct writer *w = facts_live_run(*state, &keep);
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

/* ---- killed ---- */

/* Writes calls until it is killed, and tells through the pipe how many it has handed over. */
static void write_until_killed(const char *path, int out)
{
    struct writer *w = facts_live_run(path, NULL);
    struct fact_call *c = facts_call();
    if (!w)
        _exit(1);
    for (int32_t i = 1;; i++) {
        tick_t now = facts_wall();
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
    tick_t stop = facts_wall() + ms * TICK_MS;
    while (n < 200000 && facts_wall() < stop && read(pipes[0], &told, sizeof told) == sizeof told) {
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
    struct writer *w = facts_live_run(*state, NULL);
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
    struct writer *w = facts_live_run(*state, NULL);
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
    struct writer *w = facts_run(*state, "s");
    writer_call(w, facts_call());
    facts_close(w);
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
#define ON_DATABASE(test) cmocka_unit_test_setup_teardown(test, facts_begin, facts_end)
    const struct CMUnitTest tests[] = {
        ON_DATABASE(a_full_disk_is_waited_for),
        ON_DATABASE(a_reader_that_stays_bounds_the_log_and_loses_nothing),
        ON_DATABASE(killed_at_any_moment_it_leaves_a_sound_database),
        ON_DATABASE(a_clock_set_back_delays_nothing),
        ON_DATABASE(a_copy_is_whole_while_the_writer_goes_on),
        ON_DATABASE(a_copy_that_cannot_be_made_leaves_the_old_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
