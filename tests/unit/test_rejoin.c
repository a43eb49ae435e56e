/*
 * Several runs on one database end as one run over all of it would: whatever was read first, and
 * however often.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flows/joiner.h"
#include "storage/writer.h"
#include "tests/help/facts_make.h"

/* What one capture shows, each part or not. */
struct view {
    bool call, allocation, attempt, connected, late, trouble;
    tick_t shift;     /* of the attempt: another span's clock */
    uint64_t packets; /* of the capture: its fingerprint in health */
    const char *sensor;
    const char *nat; /* configured public address of 10.3.0.40 */
    tick_t day;      /* the whole view happens later by this */
};

/* ---- an engine: the joiner between facts and writer, as in live reading ---- */

static void on_failure(void *w, const struct failure *f, const struct finding *list, unsigned n)
{
    writer_failure(w, f, list, n);
}

static void on_gone(void *w, int64_t id)
{
    writer_failure_gone(w, id);
}

static void on_link(void *w, uint64_t attempt, int64_t failure)
{
    writer_attempt_failure(w, attempt, failure);
}

static void on_alias(void *w, const struct fact_alias *a)
{
    writer_alias(w, a);
}

static void attempt_of(struct joiner *j, struct writer *w, const struct view *v, uint64_t id)
{
    struct attempt a = facts_attempt();
    a.id = id;
    a.first += v->shift + v->day;
    a.last += v->shift + v->day;
    if (id == 2) {
        a.isn++;
        a.verdict = VERDICT_CONNECTED;
        a.rsts = 0;
        a.first += TICK_S;
        a.last = a.first;
    }
    joiner_attempt(j, &a);
    writer_attempt(w, &a, NULL, 0);
    struct traffic_row t = {.hour = a.first / (3600 * TICK_S) * 3600 * TICK_S,
                            .src = a.src.addr,
                            .dst_net = facts_addr("1.1.1.0"),
                            .port_from = 50000,
                            .port_to = 59999,
                            .proto = PROTO_TCP,
                            .connected = id == 2,
                            .refused = id == 1};
    writer_traffic(w, &t);
}

static void trouble_of(struct joiner *j, struct writer *w)
{
    struct relay_trouble t = {.client = facts_endpoint("10.98.2.9:4000"),
                              .server = facts_endpoint("10.3.0.40:443"),
                              .first = FACTS_START + TICK_S,
                              .last = FACTS_START + 2 * TICK_S,
                              .verdict = VERDICT_PSEUDOTLS_FAIL,
                              .isn = 77};
    joiner_relay_trouble(j, &t);
    writer_trouble(w, &t);
}

static void read_view(const char *path, const struct view *v)
{
    struct writer *w = facts_run(path, v->sensor ? v->sensor : "s");
    struct joiner_config config = {
        .sensor = v->sensor ? v->sensor : "s", .relay_low = 50000, .relay_high = 59999, .seed = 1};
    struct fact_alias nat = {.private_addr = facts_addr("10.3.0.40"), .configured = true};
    if (v->nat) {
        nat.public_addr = facts_addr(v->nat);
        config.aliases = &nat;
        config.n_aliases = 1;
    }
    struct joiner_hooks hooks = {w, on_failure, on_gone, on_link, on_alias};
    struct joiner *j = joiner_new(&config, &hooks);
    struct fact_call *c = facts_call();
    struct fact_allocation *a = facts_allocation();
    c->outcome = CALL_UNKNOWN;
    c->started += v->day;
    c->answered += v->day;
    c->ended += v->day;
    a->started += v->day;
    a->ended += v->day;
    if (v->call)
        joiner_call(j, c);
    if (v->allocation)
        joiner_allocation(j, a);
    if (v->attempt)
        attempt_of(j, w, v, 1);
    if (v->connected)
        attempt_of(j, w, v, 2);
    if (v->trouble)
        trouble_of(j, w);
    if (v->allocation) {
        joiner_allocation_over(j, a);
        writer_allocation(w, a);
    }
    if (v->call) {
        joiner_call_over(j, c);
        writer_call(w, c);
    }
    if (v->call)
        joiner_call_forget(j, c);
    if (v->allocation)
        joiner_allocation_forget(j, a);
    joiner_free(j);
    struct health_row h = {.iface = 0,
                           .from = FACTS_START + v->day,
                           .to = FACTS_START + v->day + 20 * TICK_S,
                           .packets = v->packets};
    writer_health(w, &h, "capture");
    facts_close(w);
}

/* All that must not depend on the order of reading: views without ids. */
static void dump(const char *path, char out[8192])
{
    static const char *const parts[] = {
        "SELECT group_concat(ifnull(event_id, '') || first_seen || last_seen || leg || verdict ||"
        " severity || ifnull(src_addr, '') || ifnull(src_public, '') || ifnull(dst_addr, '') ||"
        " attempts || ' ' || syns || ' ' || rsts || ifnull(rtt_ms, '') || grade ||"
        " ifnull(matched_by, '') || confidence || ifnull(call_id, '') || ifnull(medium, '') ||"
        " ifnull(local_candidate, '') || ifnull(remote_candidate, '') || ifnull(client_addr, '') ||"
        " ifnull(finding, '') || explanation || ifnull(advice, ''), char(10))"
        " FROM (SELECT * FROM failures ORDER BY event_id)",
        "SELECT group_concat(src_addr || isn || verdict || syns || first_seen || (failure_id IS"
        " NULL), char(10)) FROM (SELECT * FROM attempts ORDER BY first_seen, isn)",
        "SELECT group_concat(call_id || outcome || started || media) FROM calls",
        "SELECT group_concat(client_addr || relay_addr || ifnull(wire_addr, '')) FROM allocations",
        "SELECT group_concat(private_addr || public_addr || ports_seen) FROM aliases",
        "SELECT count(*) FROM candidates",
        "SELECT group_concat(code || confidence || evidence) FROM (SELECT * FROM findings WHERE"
        " scope LIKE 'failure:%' ORDER BY code, evidence)",
    };
    size_t n = 0;
    for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++)
        n += (size_t)snprintf(out + n, 8192 - n, "%s\n", facts_sql(path, parts[i]));
}

/* Reads views into a database of their own and dumps it. */
static void dump_of(const struct view *views, unsigned n, char out[8192])
{
    const char *path = facts_db_path();
    for (unsigned i = 0; i < n; i++)
        read_view(path, &views[i]);
    dump(path, out);
    facts_db_forget();
}

static const struct view inside = {.call = true, .allocation = true, .packets = 1};
static const struct view outside = {.attempt = true, .packets = 2};
static const struct view both = {.call = true, .allocation = true, .attempt = true, .packets = 3};

/* ---- two captures ---- */

static void expect_as_one(const struct view *views, unsigned n, const struct view *whole)
{
    static char one[8192], many[8192];
    dump_of(whole, 1, one);
    dump_of(views, n, many);
    assert_non_null(strstr(one, "2012-12-10")); /* there is something to compare */
    assert_string_equal(many, one);
}

static void signaling_first_then_the_handshake(void **state)
{
    (void)state;
    expect_as_one((struct view[]){inside, outside}, 2, &both);
}

static void handshake_first_then_the_signaling(void **state)
{
    (void)state;
    expect_as_one((struct view[]){outside, inside}, 2, &both);
}

static void the_same_capture_twice(void **state)
{
    (void)state;
    expect_as_one((struct view[]){both, both}, 2, &both);
}

static void halves_again_and_again(void **state)
{
    (void)state;
    expect_as_one((struct view[]){inside, outside, inside, both, outside}, 5, &both);
}

static void a_failed_media_path_is_matched_across_runs(void **state)
{
    read_view(*state, &inside);
    read_view(*state, &outside);
    assert_string_equal(facts_sql(*state,
                                  "SELECT grade || ' ' || confidence || ' ' || call_id || ' '"
                                  " || src_public || ' ' || severity FROM failures"),
                        "A confirmed d7e3a1@contoso.com 2.2.2.2 failure");
    assert_string_equal(facts_sql(*state, "SELECT outcome FROM calls"), "failed");
    assert_string_equal(facts_sql(*state, "SELECT wire_addr FROM allocations"), "10.3.0.40");
    assert_string_equal(facts_sql(*state, "SELECT a.failure_id = f.id FROM attempts a, failures f"),
                        "1");
}

static void a_pair_that_connected_in_the_other_capture_is_no_failure(void **state)
{
    const struct view works = {.connected = true, .packets = 4};
    read_view(*state, &both);
    assert_string_equal(facts_sql(*state, "SELECT count(*) FROM failures"), "1");
    read_view(*state, &works);
    assert_string_equal(facts_sql(*state, "SELECT count(*) FROM failures"), "0");
    assert_string_equal(facts_sql(*state, "SELECT count(*) FROM attempts WHERE failure_id"), "0");
    assert_string_equal(facts_sql(*state, "SELECT outcome FROM calls"), "connected");
}

static void two_spans_that_saw_one_attempt_count_it_once(void **state)
{
    struct view other = outside;
    other.shift = 3 * TICK_MS;
    read_view(*state, &both);
    read_view(*state, &other);
    assert_string_equal(facts_sql(*state, "SELECT attempts || ' ' || syns || ' ' || first_seen"
                                          " FROM failures"),
                        "1 3 2012-12-10T10:43:54.123456Z");
    assert_string_equal(facts_sql(*state, "SELECT count(*) FROM attempts"), "1");
}

/* ---- ids and what is far away ---- */

static void what_was_noted_down_stays_true(void **state)
{
    static const char ids[] = "SELECT (SELECT group_concat(id) FROM failures) || ' ' || (SELECT"
                              " group_concat(id) FROM attempts) || ' ' || (SELECT group_concat(id)"
                              " FROM calls) || ' ' || (SELECT group_concat(id) FROM allocations)";
    read_view(*state, &both);
    assert_string_equal(facts_sql(*state, ids), "1 1 1 1");
    for (int i = 0; i < 3; i++)
        read_view(*state, &both);
    assert_string_equal(facts_sql(*state, ids), "1 1 1 1");
    assert_string_equal(facts_sql(*state, "SELECT group_concat(id) FROM runs"), "1,2,3,4");
}

static void another_days_failures_are_left_alone(void **state)
{
    struct view tomorrow = both;
    tomorrow.day = INT64_C(86400) * TICK_S;
    read_view(*state, &both);
    const char *before = facts_sql(*state, "SELECT event_id || run_id FROM failures");
    char kept[64];
    snprintf(kept, sizeof kept, "%s", before);
    read_view(*state, &tomorrow);
    assert_string_equal(facts_sql(*state, "SELECT count(*) FROM failures"), "2");
    assert_string_equal(facts_sql(*state, "SELECT event_id || run_id FROM failures WHERE id = 1"),
                        kept);
}

static void a_failed_hello_is_told_once(void **state)
{
    struct view hello = {.allocation = true, .trouble = true, .packets = 5};
    read_view(*state, &hello);
    static const char told[] = "SELECT group_concat(verdict || ' ' || leg || ' ' || src_addr ||"
                               " ' ' || attempts) FROM failures WHERE verdict = 'pseudotls-fail'";
    assert_string_equal(facts_sql(*state, told), "pseudotls-fail client-relay 10.98.2.9 1");
    read_view(*state, &hello);
    read_view(*state, &outside);
    assert_string_equal(facts_sql(*state, told), "pseudotls-fail client-relay 10.98.2.9 1");
}

/* What another sensor stored stays as it is, and explains nothing here. */
static void sensors_are_kept_apart(void **state)
{
    static const char rows[] = "SELECT group_concat(id || event_id || sensor || grade || run_id)"
                               " FROM failures WHERE sensor = 's'";
    struct view signaling = inside, again = both;
    char kept[256];
    signaling.sensor = again.sensor = "a";
    read_view(*state, &both);
    snprintf(kept, sizeof kept, "%s", facts_sql(*state, rows));
    assert_non_null(strstr(kept, "sA1"));
    read_view(*state, &signaling);
    read_view(*state, &again);
    assert_string_equal(facts_sql(*state, rows), kept);
    assert_string_equal(facts_sql(*state, "SELECT count(*) || ' ' || count(DISTINCT event_id)"
                                          " FROM failures"),
                        "2 2");
}

/* ---- configured aliases ---- */

static void a_wrong_alias_ends_with_its_run(void **state)
{
    struct view wrong = both;
    wrong.nat = "9.9.9.9";
    read_view(*state, &wrong);
    assert_string_equal(facts_sql(*state, "SELECT src_public FROM failures"), "9.9.9.9");
    read_view(*state, &both);
    assert_string_equal(facts_sql(*state, "SELECT group_concat(src_public || grade) FROM failures"),
                        "2.2.2.2A");
}

static void a_newer_alias_takes_the_place_of_an_older_one(void **state)
{
    static const char told[] = "SELECT group_concat(public_addr || ' ' || origin)"
                               " FROM (SELECT * FROM aliases ORDER BY public_addr)";
    struct view wrong = both, right = both;
    wrong.nat = "9.9.9.9";
    right.nat = "2.2.2.2";
    read_view(*state, &wrong);
    assert_non_null(strstr(facts_sql(*state, told), "9.9.9.9 configured"));
    read_view(*state, &right);
    assert_string_equal(facts_sql(*state, told), "2.2.2.2 configured");
    assert_string_equal(facts_sql(*state, "SELECT group_concat(src_public || grade) FROM failures"),
                        "2.2.2.2A");
}

/* ---- counters ---- */

static const char traffic[] = "SELECT ifnull(sum(connected) || ' ' || sum(refused), 'none')"
                              " FROM traffic";

static void traffic_of_the_same_capture_counts_once(void **state)
{
    for (int i = 0; i < 3; i++)
        read_view(*state, &both);
    assert_string_equal(facts_sql(*state, traffic), "0 1");
    assert_string_equal(
        facts_sql(*state, "SELECT count(*) FROM health WHERE interface = 'capture'"), "1");
}

/* Not the same capture, but one attempt in both, and one more. */
static void traffic_of_overlapping_captures_counts_each_attempt_once(void **state)
{
    struct view more = both;
    more.connected = true;
    more.packets = 9;
    read_view(*state, &both);
    read_view(*state, &more);
    assert_string_equal(facts_sql(*state, traffic), "1 1");
}

int main(void)
{
#define ON_DATABASE(test) cmocka_unit_test_setup_teardown(test, facts_begin, facts_end)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signaling_first_then_the_handshake),
        cmocka_unit_test(handshake_first_then_the_signaling),
        cmocka_unit_test(the_same_capture_twice),
        cmocka_unit_test(halves_again_and_again),
        ON_DATABASE(a_failed_media_path_is_matched_across_runs),
        ON_DATABASE(a_pair_that_connected_in_the_other_capture_is_no_failure),
        ON_DATABASE(two_spans_that_saw_one_attempt_count_it_once),
        ON_DATABASE(what_was_noted_down_stays_true),
        ON_DATABASE(another_days_failures_are_left_alone),
        ON_DATABASE(a_failed_hello_is_told_once),
        ON_DATABASE(sensors_are_kept_apart),
        ON_DATABASE(a_wrong_alias_ends_with_its_run),
        ON_DATABASE(a_newer_alias_takes_the_place_of_an_older_one),
        ON_DATABASE(traffic_of_the_same_capture_counts_once),
        ON_DATABASE(traffic_of_overlapping_captures_counts_each_attempt_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
