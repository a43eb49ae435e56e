/* Opening databases: every reason for refusal is told with the path, and migration loses nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/query.h"
#include "storage/schema.h"
#include "storage/db.h"
#include "tests/help/facts_make.h"

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* Writing and reading side both refuse, name the path and tell the reason. */
static void expect_refused(const char *path, const char *reason)
{
    char why[512] = "";
    struct run_info run = {.sensor = "s", .command = "read"};
    struct query_db *q = NULL;
    assert_null(writer_open(path, &run, why, sizeof why));
    assert_non_null(strstr(why, path));
    assert_non_null(strstr(why, reason));
    why[0] = 0;
    assert_int_equal(query_open(path, &q, why, sizeof why), DB_NOT_OPENED);
    assert_non_null(strstr(why, path));
    assert_non_null(strstr(why, reason));
}

static void missing_directory_is_named(void **state)
{
    (void)state;
    expect_refused("/nonexistent/dir/x.db", "directory /nonexistent/dir does not exist");
}

static void a_directory_is_no_database(void **state)
{
    (void)state;
    expect_refused("/tmp", "is a directory");
}

static void a_text_file_is_no_database(void **state)
{
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    write_file(*state, text);
    expect_refused(*state, "is not a database");
}

static void a_strangers_database_is_left_alone(void **state)
{
    struct db db;
    const struct schema strange = {
        .application_id = 4711, .version = 1, .fresh = "CREATE TABLE t (a)"};
    assert_int_equal(db_open(&db, *state, &strange), DB_OK);
    db_close(&db);
    expect_refused(*state, "is a database of another program");
    assert_string_equal(facts_sql(*state, "SELECT count(*) FROM sqlite_schema"), "1");
}

static void a_newer_version_is_refused(void **state)
{
    facts_close(facts_run(*state, "s"));
    facts_sql(*state, "PRAGMA user_version = 99");
    char want[96];
    snprintf(want, sizeof want, "schema version 99, newer than this edgewatch knows (%d)",
             schema_edgewatch.version);
    expect_refused(*state, want);
}

static void a_missing_file_is_made_by_the_writer_only(void **state)
{
    char why[512];
    struct query_db *q;
    assert_int_equal(query_open(*state, &q, why, sizeof why), DB_NOT_OPENED);
    assert_non_null(strstr(why, "No such file"));
    facts_close(facts_run(*state, "s"));
    assert_int_equal(query_open(*state, &q, why, sizeof why), DB_OK);
    query_close(q);
}

static void a_locked_database_is_told_after_five_seconds(void **state)
{
    sqlite3 *h;
    char why[512] = "";
    struct run_info run = {.sensor = "s", .command = "read"};
    facts_close(facts_run(*state, "s"));
    assert_int_equal(sqlite3_open(*state, &h), SQLITE_OK);
    assert_int_equal(sqlite3_exec(h, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_null(writer_open(*state, &run, why, sizeof why));
    assert_non_null(strstr(why, "is locked by another program"));
    sqlite3_close(h);
}

/* One new run on a database that may not be there yet, in a process of its own. */
static pid_t run_of_its_own(const char *path)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    char why[512];
    struct run_info run = {.sensor = "s", .command = "read"};
    struct writer *w = writer_open(path, &run, why, sizeof why);
    _exit(w && writer_close(w, FACTS_START, FACTS_START, NULL, why, sizeof why) == DB_OK ? 0 : 1);
}

static void several_may_make_it_at_once(void **state)
{
    enum { ROUNDS = 10, AT_ONCE = 3 };
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        const char *path = facts_db_path();
        pid_t pids[AT_ONCE];
        for (int k = 0; k < AT_ONCE; k++)
            pids[k] = run_of_its_own(path);
        for (int k = 0; k < AT_ONCE; k++) {
            int status;
            assert_int_equal(waitpid(pids[k], &status, 0), pids[k]);
            assert_int_equal(status, 0);
        }
        assert_string_equal(facts_sql(path, "SELECT count(*) FROM runs"), "3");
        facts_db_forget();
    }
}

/* Two steps from version 1 to 3: both run, in order, and what was there stays. */
static void an_older_version_is_brought_up(void **state)
{
    static const struct schema_step steps[] = {
        {2, "ALTER TABLE note ADD COLUMN colour TEXT DEFAULT 'grey'"},
        {3, "ALTER TABLE note RENAME COLUMN colour TO shade"},
    };
    const struct schema one = {.application_id = 7, .version = 1, .fresh = "CREATE TABLE note (t)"};
    const struct schema three = {7, 3, "CREATE TABLE note (t, shade)", steps, 2};
    struct db db;
    assert_int_equal(db_open(&db, *state, &one), DB_OK);
    assert_int_equal(db_exec(&db, "INSERT INTO note VALUES ('kept')"), 0);
    db_close(&db);
    assert_int_equal(db_open(&db, *state, &three), DB_OK);
    db_close(&db);
    assert_string_equal(facts_sql(*state, "SELECT t || shade FROM note"), "keptgrey");
    assert_string_equal(facts_sql(*state, "PRAGMA user_version"), "3");
    /* and back: the older program refuses it */
    assert_int_equal(db_open(&db, *state, &one), DB_NOT_OPENED);
    assert_non_null(strstr(db.why, "newer"));
}

static void a_failed_migration_changes_nothing(void **state)
{
    static const struct schema_step steps[] = {{2, "INSERT INTO note VALUES ('x'); nonsense"}};
    const struct schema one = {.application_id = 7, .version = 1, .fresh = "CREATE TABLE note (t)"};
    const struct schema two = {7, 2, "", steps, 1};
    struct db db;
    assert_int_equal(db_open(&db, *state, &one), DB_OK);
    db_close(&db);
    assert_int_equal(db_open(&db, *state, &two), DB_NOT_OPENED);
    assert_string_equal(facts_sql(*state, "PRAGMA user_version"), "1");
    assert_string_equal(facts_sql(*state, "SELECT count(*) FROM note"), "0");
}

/* As a user who may read the file and no more: writing is refused, reading works. */
static int as_reader(const char *path)
{
    char why[512] = "";
    struct run_info run = {.sensor = "s", .command = "read"};
    struct query_db *q = NULL;
    if (geteuid() == 0 && setuid(65534) != 0)
        return 1;
    if (writer_open(path, &run, why, sizeof why) || !strstr(why, "is read-only"))
        return 2;
    if (query_open(path, &q, why, sizeof why) != DB_OK)
        return 3;
    query_close(q);
    return 0;
}

static void a_read_only_file_can_be_read(void **state)
{
    const char *path = *state;
    char dir[96];
    facts_close(facts_run(path, "s"));
    snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(path, '/') - path), path);
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(chmod(dir, 0555), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(as_reader(path));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    chmod(dir, 0755);
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
#define WITH_PATH(test) cmocka_unit_test_setup_teardown(test, facts_begin, facts_end)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_directory_is_named),
        cmocka_unit_test(a_directory_is_no_database),
        WITH_PATH(a_text_file_is_no_database),
        WITH_PATH(a_strangers_database_is_left_alone),
        WITH_PATH(a_newer_version_is_refused),
        WITH_PATH(a_missing_file_is_made_by_the_writer_only),
        cmocka_unit_test(several_may_make_it_at_once),
        WITH_PATH(a_locked_database_is_told_after_five_seconds),
        WITH_PATH(an_older_version_is_brought_up),
        WITH_PATH(a_failed_migration_changes_nothing),
        WITH_PATH(a_read_only_file_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
