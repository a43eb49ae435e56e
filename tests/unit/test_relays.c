/* Known relays out of the database: who is one, and by which name. */
#include "storage/relays.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "storage/schema.h"

static char path[64];
static struct db db;

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/relays-%ld.db", (long)getpid());
    unlink(path);
    db = (struct db){.handle = NULL};
    return db_open(&db, path, &schema_edgewatch) == DB_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    db_close(&db);
    unlink(path);
    return 0;
}

static void an_empty_database_knows_none(void **state)
{
    struct relays r;
    (void)state;
    assert_int_equal(relays_load(&r, &db), 0);
    assert_false(relays_has(&r, "10.3.0.40"));
    assert_null(relays_public(&r, "10.3.0.40"));
    relays_free(&r);
}

static void addresses_are_found_as_they_are_written(void **state)
{
    struct relays r;
    char sql[128], addr[32];
    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO relay_addr VALUES('10.0.%d.1')", i * 7 % 100);
        assert_int_equal(db_exec(&db, sql), 0);
    }
    assert_int_equal(relays_load(&r, &db), 0);
    for (int i = 0; i < 100; i++) {
        snprintf(addr, sizeof addr, "10.0.%d.1", i);
        assert_true(relays_has(&r, addr));
    }
    assert_false(relays_has(&r, "10.0.100.1"));
    assert_false(relays_has(&r, "10.0.1"));
    assert_false(relays_has(&r, NULL));
    relays_free(&r);
}

/* Of several, the configured one counts, then the one that most ports agreed on. */
static void a_relay_goes_by_its_best_alias(void **state)
{
    struct relays r;
    (void)state;
    assert_int_equal(db_exec(&db, "INSERT INTO alias VALUES('10.3.0.40', '2.2.2.2', 0, 9),"
                                  " ('10.3.0.40', '2.2.2.3', 1, 0), ('10.3.0.41', '2.2.2.4', 0, 3),"
                                  " ('10.3.0.41', '2.2.2.5', 0, 4), ('10.3.0.9', '2.2.2.9', 0, 1)"),
                     0);
    assert_int_equal(relays_load(&r, &db), 0);
    assert_string_equal(relays_public(&r, "10.3.0.40"), "2.2.2.3");
    assert_string_equal(relays_public(&r, "10.3.0.41"), "2.2.2.5");
    assert_string_equal(relays_public(&r, "10.3.0.9"), "2.2.2.9");
    assert_null(relays_public(&r, "10.3.0.4"));
    assert_null(relays_public(&r, NULL));
    relays_free(&r);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_database_knows_none),
        TEST(addresses_are_found_as_they_are_written),
        TEST(a_relay_goes_by_its_best_alias),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
