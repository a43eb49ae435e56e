/* Rows as JSON and CSV: keys are the view's columns, numbers stay numbers, JSON inside stays JSON.
 */
#include "report/csv.h"
#include "report/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/help/sample_db.h"

static char path[SAMPLE_PATH];
static struct query_db *db;

static int make(void **state)
{
    (void)state;
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

static struct rows *rows_of(enum query_view view)
{
    struct query_filter f = {.since = TICK_NONE, .until = TICK_NONE};
    struct rows *r = query_view(db, view, &f);
    assert_non_null(r);
    return r;
}

/* The view as text; the caller frees it. */
static char *print(enum query_view view, bool lines, int64_t rows)
{
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    struct rows *r = rows_of(view);
    assert_int_equal(json_rows(r, out, lines), rows);
    rows_close(r);
    fclose(out);
    return text;
}

static json_t *parse(enum query_view view)
{
    char *text = print(view, false, 1);
    json_t *list = json_loads(text, 0, NULL);
    free(text);
    assert_true(json_is_array(list));
    assert_int_equal(json_array_size(list), 1);
    return list;
}

static void keys_are_the_columns_in_their_order(void **state)
{
    (void)state;
    json_t *list = parse(VIEW_FAILURES), *value;
    struct rows *r = rows_of(VIEW_FAILURES);
    const char *key;
    int column = 0;
    json_object_foreach(json_array_get(list, 0), key, value)
    {
        assert_string_equal(key, rows_name(r, column));
        column++;
    }
    assert_int_equal(column, rows_columns(r));
    rows_close(r);
    json_decref(list);
}

static void numbers_are_numbers_and_null_is_null(void **state)
{
    (void)state;
    json_t *list = parse(VIEW_FAILURES), *row = json_array_get(list, 0);
    assert_int_equal(json_integer_value(json_object_get(row, "src_port")), 58138);
    assert_true(json_is_real(json_object_get(row, "rtt_ms")));
    assert_true(json_real_value(json_object_get(row, "rtt_ms")) == 43.0);
    assert_true(json_is_null(json_object_get(row, "icmp_type")));
    assert_string_equal(json_string_value(json_object_get(row, "first_seen")),
                        "2012-12-10T10:43:59.456000Z");
    json_decref(list);
}

static void evidence_and_fields_are_json_inside_json(void **state)
{
    (void)state;
    char *text = print(VIEW_FINDINGS, false, 2);
    json_t *list = json_loads(text, 0, NULL);
    json_t *evidence = json_object_get(json_array_get(list, 0), "evidence");
    assert_string_equal(json_string_value(json_array_get(json_object_get(evidence, "against"), 0)),
                        "42 ms");
    json_decref(list);
    free(text);
    list = parse(VIEW_DIAGNOSTICS);
    assert_true(json_is_object(json_object_get(json_array_get(list, 0), "fields")));
    json_decref(list);
}

static void a_line_is_a_row(void **state)
{
    (void)state;
    char *text = print(VIEW_PACKETS, true, 6), *line = text;
    for (int i = 0; i < 6; i++) {
        char *end = strchr(line, '\n');
        json_t *row = json_loadb(line, (size_t)(end - line), 0, NULL);
        assert_true(json_is_object(row));
        /* the destination address of the Ethernet header in tests/help/sample_db.c */
        const char *bytes = json_string_value(json_object_get(row, "bytes"));
        assert_memory_equal(bytes, i % 2 ? "000000000002" : "000000000001", 12);
        json_decref(row);
        line = end + 1;
    }
    assert_string_equal(line, "");
    free(text);
}

static void no_rows_are_an_empty_array(void **state)
{
    (void)state;
    char *text = print(VIEW_LOGS, false, 0);
    json_t *list = json_loads(text, 0, NULL);
    assert_int_equal(json_array_size(list), 0);
    assert_true(json_is_array(list));
    json_decref(list);
    free(text);
}

static void broken_utf8_is_replaced(void **state)
{
    (void)state;
    json_t *t = json_safe("a\xff"
                          "b");
    assert_string_equal(json_string_value(t), "a?b");
    json_decref(t);
    t = json_safe("a\033b"); /* escaped by JSON itself */
    assert_string_equal(json_string_value(t), "a\033b");
    json_decref(t);
}

static void csv_has_a_header_and_empty_fields_for_null(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    struct rows *r = rows_of(VIEW_ALIASES);
    assert_int_equal(csv_rows(r, out), 1);
    rows_close(r);
    r = rows_of(VIEW_ATTEMPTS);
    assert_int_equal(csv_rows(r, out), 1);
    rows_close(r);
    fclose(out);
    static const char alias[] = "private_addr,public_addr,origin,ports_seen\r\n"
                                "10.3.0.40,2.2.2.2,learned,1\r\n";
    assert_memory_equal(text, alias, sizeof alias - 1);
    assert_non_null(strstr(text, ",2012-12-10T10:43:59.456000Z,2012-12-10T10:44:00.590000Z,"
                                 "43,115,0,,,,0,0\r\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_the_columns_in_their_order),
        cmocka_unit_test(numbers_are_numbers_and_null_is_null),
        cmocka_unit_test(evidence_and_fields_are_json_inside_json),
        cmocka_unit_test(a_line_is_a_row),
        cmocka_unit_test(no_rows_are_an_empty_array),
        cmocka_unit_test(broken_utf8_is_replaced),
        cmocka_unit_test(csv_has_a_header_and_empty_fields_for_null),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
