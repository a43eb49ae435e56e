/* The contract's views: names, columns, order (design section 8), and that plain SQLite can read
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "storage/schema.h"

/* A handle as the sqlite3 shell has it: none of our functions. */
static int open_plain(void **state)
{
    sqlite3 *h;
    assert_int_equal(sqlite3_open(":memory:", &h), SQLITE_OK);
    assert_int_equal(sqlite3_exec(h, schema_edgewatch.fresh, NULL, NULL, NULL), SQLITE_OK);
    *state = h;
    return 0;
}

static int close_plain(void **state)
{
    return sqlite3_close(*state) == SQLITE_OK ? 0 : -1;
}

static void expect(sqlite3 *h, const char *sql, const char *want)
{
    sqlite3_stmt *s;
    char got[2048] = "";
    if (sqlite3_prepare_v2(h, sql, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(h));
    while (sqlite3_step(s) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(s); i++) {
            const char *v = (const char *)sqlite3_column_text(s, i);
            strcat(got, i ? "|" : *got ? "\n" : "");
            strcat(got, v ? v : "NULL");
        }
    }
    sqlite3_finalize(s);
    assert_string_equal(got, want);
}

/* The contract's columns come first; a view may have more. */
static void expect_first(sqlite3 *h, const char *sql, const char *want)
{
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_prepare_v2(h, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    const char *got = (const char *)sqlite3_column_text(s, 0);
    size_t n = strlen(want);
    if (!got || strncmp(got, want, n) != 0 || (got[n] && got[n] != ','))
        fail_msg("%s\n    for %s", got ? got : "no such view", want);
    sqlite3_finalize(s);
}

static void views_have_the_contracts_columns_in_order(void **state)
{
    static const struct {
        const char *view, *columns;
    } contract[] = {
        {"failures",
         "id, event_id, sensor, first_seen, last_seen, leg, transport, verdict, severity, "
         "src_addr, "
         "src_port, src_public, dst_addr, dst_port, attempts, syns, rsts, rtt_ms, icmp_type, "
         "icmp_code, icmp_from, grade, matched_by, confidence, call_id, caller, callee, medium, "
         "local_candidate, remote_candidate, client_addr, client_port, finding, explanation, "
         "advice, capture_quality, run_id"},
        {"attempts",
         "id, failure_id, run_id, src_addr, src_port, dst_addr, dst_port, isn, verdict, "
         "syns, synacks, rsts, first_seen, last_seen, rtt_ms, answer_ttl, answer_ipid, "
         "icmp_type, icmp_code, icmp_from, bytes_out, bytes_in"},
        {"calls", "id, call_id, caller, callee, conversation_id, started, answered, ended, status, "
                  "outcome, media, offer_relay, answer_relay, grade, origin"},
        {"candidates", "call_id, side, medium, foundation, component, transport, type, addr, port, "
                       "rel_addr, rel_port, priority, dialect, origin"},
        {"allocations",
         "id, client_addr, client_port, server_addr, server_port, transport, "
         "relay_addr, relay_port, wire_addr, reflexive_addr, reflexive_port, medium, "
         "started, ended, end_reason, error_code"},
        {"aliases", "private_addr, public_addr, origin, ports_seen"},
        {"diagnostics", "call_id, seen, header, code, reason, debug_side, medium, icewarn, "
                        "icewarn_text, fields"},
        {"packets", "attempt_id, seen, interface, linktype, caplen, len, bytes"},
        {"traffic", "hour, src_addr, dst_net, dst_port_from, dst_port_to, transport, connected, "
                    "refused, timeout, other"},
        {"health",
         "run_id, interface, from_time, to_time, packets, bytes, kernel_drops, nic_drops, "
         "ring_drops, decode_errors, table_evictions, stream_gaps, queue_lost, "
         "duplicates, one_way_flows, aggregated"},
        {"runs", "id, sensor, command, sources, started, ended, version, damaged"},
        {"findings", "scope, code, confidence, evidence, advice"},
        {"logs", "id, file, kind, first_time, last_time, messages, calls, skew_low_s, skew_high_s, "
                 "zone_offset_h"},
    };
    for (unsigned i = 0; i < sizeof contract / sizeof *contract; i++) {
        char sql[200];
        sqlite3_snprintf(sizeof sql, sql,
                         "SELECT group_concat(name, ', ') FROM pragma_table_info('%s')",
                         contract[i].view);
        expect_first(*state, sql, contract[i].columns);
    }
}

/* What version 1 knew of health, with a row in it, brought up: the same view as in a new database,
 * and the row is there. */
static void health_of_version_1_is_brought_up(void **state)
{
    sqlite3 *h = *state;
    assert_int_equal(
        sqlite3_exec(h,
                     "DROP VIEW health; DROP TABLE health_span;"
                     "CREATE TABLE health_span (run_id INTEGER, interface TEXT, from_us INTEGER,"
                     " to_us INTEGER, packets INTEGER, bytes INTEGER, kernel_drops INTEGER,"
                     " nic_drops INTEGER, ring_drops INTEGER, decode_errors INTEGER,"
                     " table_evictions INTEGER, stream_gaps INTEGER, queue_lost INTEGER,"
                     " duplicates INTEGER, one_way_flows INTEGER, aggregated INTEGER);"
                     "CREATE VIEW health AS SELECT run_id FROM health_span;"
                     "INSERT INTO health_span (run_id, interface, packets, from_us, to_us)"
                     " VALUES (1, 'eth1', 7, 0, 1)",
                     NULL, NULL, NULL),
        SQLITE_OK);
    for (unsigned i = 0; i < schema_edgewatch.n_steps; i++)
        if (strstr(schema_edgewatch.steps[i].sql, "health_span"))
            assert_int_equal(sqlite3_exec(h, schema_edgewatch.steps[i].sql, NULL, NULL, NULL),
                             SQLITE_OK);
    expect(h, "SELECT run_id, interface, packets, from_time, handled, event FROM health",
           "1|eth1|7|1970-01-01T00:00:00.000000Z|NULL|NULL");
    char columns[1024] = "";
    sqlite3_stmt *s;
    sqlite3 *fresh;
    const char *list = "SELECT group_concat(name) FROM pragma_table_info('health')";
    assert_int_equal(sqlite3_prepare_v2(h, list, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    strncat(columns, (const char *)sqlite3_column_text(s, 0), sizeof columns - 1);
    sqlite3_finalize(s);
    assert_int_equal(open_plain((void **)&fresh), 0);
    expect(fresh, list, columns);
    sqlite3_close(fresh);
}

static void times_are_utc_text_with_microseconds(void **state)
{
    sqlite3_exec(*state,
                 "INSERT INTO run (id, sensor, started_us, ended_us) VALUES"
                 " (1, 's', 1355136229000042, NULL)",
                 NULL, NULL, NULL);
    expect(*state, "SELECT started, ended FROM runs", "2012-12-10T10:43:49.000042Z|NULL");
}

static void candidates_are_expanded_from_the_packed_sides(void **state)
{
    sqlite3_exec(
        *state,
        "INSERT INTO call (id, call_id, origin) VALUES (7, 'c@x', 'wire');"
        "INSERT INTO sdp (call_row, offer, answer) VALUES (7, '[[\"audio\", 1, \"10.0.0.1\","
        " 5000, \"uf\", [[1,0,0,\"10.0.0.1\",5000,[77,76],\"f1\",2],"
        " [2,1,3,\"2001:db8::1\",9,[1],null,3,\"10.0.0.1\",5001],"
        " [1,0,4,\"x.local\",7,[5],\"f\",0]]]]', NULL)",
        NULL, NULL, NULL);
    expect(*state, "SELECT * FROM candidates ORDER BY port, component",
           "c@x|offer|audio|f|1|UDP|NULL|x.local|7|NULL|NULL|5|ms-ice|wire\n"
           "c@x|offer|audio|NULL|2|TCP-PASS|relay|2001:db8::1|9|10.0.0.1|5001|1|rfc6544|wire\n"
           "c@x|offer|audio|f1|1|UDP|host|10.0.0.1|5000|NULL|NULL|77|rfc5245|wire\n"
           "c@x|offer|audio|f1|2|UDP|host|10.0.0.1|5000|NULL|NULL|76|rfc5245|wire");
    expect(*state,
           "SELECT typeof(port), typeof(priority), typeof(component) FROM candidates"
           " WHERE port = 9",
           "integer|integer|integer");
}

static void traffic_of_several_runs_is_added_up(void **state)
{
    sqlite3_exec(*state,
                 "INSERT INTO traffic_hour VALUES (1, 1355133600000000, '2.2.2.2', '1.1.1.0/24',"
                 " 50000, 59999, 'TCP', 1, 2, 3, 4), (2, 1355133600000000, '2.2.2.2',"
                 " '1.1.1.0/24', 50000, 59999, 'TCP', 10, 20, 30, 40)",
                 NULL, NULL, NULL);
    expect(*state, "SELECT * FROM traffic",
           "2012-12-10T10:00:00.000000Z|2.2.2.2|1.1.1.0/24|50000|59999|TCP|11|22|33|44");
}

static void event_id_is_sixteen_hex_digits(void **state)
{
    sqlite3_exec(*state, "INSERT INTO failure (id, event_id, info) VALUES (1, -2, 0), (2, 10, 1)",
                 NULL, NULL, NULL);
    expect(*state, "SELECT event_id, severity FROM failures ORDER BY id",
           "fffffffffffffffe|failure\n000000000000000a|info");
}

static void the_near_end_of_a_failure_is_named_by_its_candidates(void **state)
{
    sqlite3_exec(*state,
                 "INSERT INTO failure (id, event_id, leg, src_addr, src_port, src_public, dst_addr,"
                 " dst_port, local_candidate, remote_candidate) VALUES"
                 " (1, 1, 'relay-peer', '10.3.0.40', 58138, '2.2.2.2', '1.1.1.1', 50704,"
                 " 'relay TCP-PASS 2.2.2.2:58138', 'relay TCP-PASS 1.1.1.1:50704'),"
                 " (2, 2, 'relay-peer', '1.1.1.1', 50704, NULL, '10.3.0.40', 58138,"
                 " 'relay TCP-PASS 10.3.0.40:58138', 'relay TCP-PASS 1.1.1.1:50704'),"
                 " (3, 3, 'client-relay', '10.98.2.1', 13211, NULL, '10.3.0.40', 443, NULL, NULL)",
                 NULL, NULL, NULL);
    expect(*state, "SELECT edge_addr, peer_addr, peer_port FROM failure_ends ORDER BY id",
           "2.2.2.2|1.1.1.1|50704\n10.3.0.40|1.1.1.1|50704\n10.3.0.40|10.98.2.1|13211");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(views_have_the_contracts_columns_in_order, open_plain,
                                        close_plain),
        cmocka_unit_test_setup_teardown(health_of_version_1_is_brought_up, open_plain, close_plain),
        cmocka_unit_test_setup_teardown(times_are_utc_text_with_microseconds, open_plain,
                                        close_plain),
        cmocka_unit_test_setup_teardown(candidates_are_expanded_from_the_packed_sides, open_plain,
                                        close_plain),
        cmocka_unit_test_setup_teardown(traffic_of_several_runs_is_added_up, open_plain,
                                        close_plain),
        cmocka_unit_test_setup_teardown(event_id_is_sixteen_hex_digits, open_plain, close_plain),
        cmocka_unit_test_setup_teardown(the_near_end_of_a_failure_is_named_by_its_candidates,
                                        open_plain, close_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
