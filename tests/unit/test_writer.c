/* What the engine hands over is what the views give back; what goes wrong is told and loses nothing
 * that was there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/queue.h"
#include "storage/writer.h"
#include "tests/help/facts_make.h"

#define SAYS(sql, want) assert_string_equal(facts_sql(*state, sql), want)

/* ---- values ---- */

static void a_call_comes_back_as_the_contract_spells_it(void **state)
{
    struct writer *w = facts_run(*state, "s");
    writer_call(w, facts_call());
    facts_close(w);
    SAYS("SELECT group_concat(x, '|') FROM (SELECT id || '|' || call_id || '|' || caller || '|' ||"
         " callee || '|' || conversation_id || '|' || started || '|' || answered || '|' || ended ||"
         " '|' || status || '|' || outcome || '|' || media || '|' || offer_relay || '|' ||"
         " answer_relay || '|' || grade || '|' || origin AS x FROM calls)",
         "1|d7e3a1@contoso.com|sip:user1@contoso.com|sip:user2@fabrikam.com|AdE1|"
         "2012-12-10T10:43:49.000000Z|2012-12-10T10:43:53.000000Z|2012-12-10T10:44:05.000000Z|200|"
         "failed|applicationsharing|2.2.2.2:58138|1.1.1.1:50704|A|wire");
    SAYS("SELECT group_concat(side || ' ' || medium || ' ' || type || ' ' || transport || ' ' || "
         "addr"
         " || ':' || port || ' ' || ifnull(rel_addr || ':' || rel_port, '-') || ' ' || dialect,"
         " '; ') FROM candidates",
         "offer applicationsharing host TCP-PASS 10.98.2.1:21916 - ms-ice2; "
         "offer applicationsharing relay TCP-PASS 2.2.2.2:58138 10.98.2.1:13211 ms-ice2; "
         "answer applicationsharing host TCP-PASS 10.26.10.50:50058 - ms-ice2; "
         "answer applicationsharing relay TCP-PASS 1.1.1.1:50704 - ms-ice2");
}

static void what_is_unknown_is_null(void **state)
{
    struct writer *w = facts_run(*state, "s");
    struct fact_call c = {
        .id = 1, .call_id = "x", .started = FACTS_START, .answered = TICK_NONE, .ended = TICK_NONE};
    struct fact_allocation a = {.id = 1,
                                .client = facts_endpoint("10.0.0.1:5"),
                                .proto = PROTO_UDP,
                                .started = FACTS_START,
                                .ended = TICK_NONE};
    struct attempt t = facts_attempt();
    t.rtt_us = t.answer_ttl = -1;
    struct failure f = {.id = 1,
                        .first = FACTS_START,
                        .last = FACTS_START,
                        .rtt_us = -1,
                        .icmp_type = -1,
                        .icmp_code = -1,
                        .grade = 'B'};
    writer_call(w, &c);
    writer_allocation(w, &a);
    writer_attempt(w, &t, NULL, 0);
    writer_failure(w, &f, NULL, 0);
    facts_close(w);
    SAYS("SELECT coalesce(caller, callee, conversation_id, answered, ended, status, media,"
         " offer_relay, answer_relay, grade, origin) FROM calls",
         "NULL");
    SAYS("SELECT coalesce(server_addr, server_port, relay_addr, relay_port, wire_addr,"
         " reflexive_addr, reflexive_port, medium, ended, end_reason, error_code) FROM allocations",
         "NULL");
    SAYS("SELECT coalesce(failure_id, rtt_ms, answer_ttl, answer_ipid, icmp_type, icmp_code,"
         " icmp_from) FROM attempts",
         "NULL");
    SAYS("SELECT coalesce(src_addr, src_port, src_public, dst_addr, dst_port, rtt_ms, icmp_type,"
         " icmp_code, icmp_from, matched_by, call_id, caller, callee, medium, local_candidate,"
         " remote_candidate, client_addr, client_port, finding, explanation, advice) FROM failures",
         "NULL");
}

/* A verdict about a relay port or a medium counts no SYNs: 0 would say that none was sent. */
static void requests_that_nobody_counted_are_null(void **state)
{
    static const uint8_t verdicts[] = {VERDICT_ALLOC_FAIL, VERDICT_NOT_TRIED, VERDICT_UNSEEN,
                                       VERDICT_UNREACHABLE};
    struct writer *w = facts_run(*state, "s");
    for (unsigned i = 0; i < 5; i++) {
        struct failure f = *facts_failure();
        f.id = i + 1;
        f.verdict = verdicts[i % 4];
        f.syns = i < 4 ? 0 : 2;
        f.rsts = 0;
        writer_failure(w, &f, NULL, 0);
    }
    facts_close(w);
    SAYS("SELECT group_concat(verdict || ' ' || ifnull(syns, '-') || ' ' || ifnull(rsts, '-'), ',')"
         " FROM (SELECT * FROM failures ORDER BY id)",
         "alloc-fail - -,not-tried - -,unseen - -,unreachable 0 0,alloc-fail 2 -");
}

static void a_failure_comes_with_its_attempt_findings_and_packets(void **state)
{
    struct writer *w = facts_run(*state, "north");
    struct attempt a = facts_attempt();
    const uint8_t syn[3] = {1, 2, 3}, rst[2] = {4, 5};
    const struct evidence ev[2] = {
        {.time = a.first, .linktype = 1, .iface = 1, .caplen = 3, .len = 60, .bytes = syn},
        {.time = a.last, .linktype = 1, .iface = 0, .caplen = 2, .len = 54, .bytes = rst},
    };
    struct health_row h = {.iface = 1, .from = FACTS_START, .to = FACTS_START + TICK_S};
    writer_attempt(w, &a, ev, 2);
    writer_failure(w, facts_failure(), facts_finding(), 1);
    writer_attempt_failure(w, 1, 1);
    writer_health(w, &h, "eth1");
    facts_close(w);
    SAYS(
        "SELECT event_id || '|' || sensor || '|' || first_seen || '|' || leg || '|' || transport ||"
        " '|' || verdict || '|' || severity || '|' || src_addr || ':' || src_port || '|' ||"
        " src_public || '|' || dst_addr || ':' || dst_port || '|' || attempts || '|' || syns || '|'"
        " || rsts || '|' || rtt_ms || '|' || grade || '|' || matched_by || '|' || confidence ||"
        " '|' || local_candidate || '|' || client_addr || ':' || client_port || '|' || finding ||"
        " '|' || advice || '|' || capture_quality || '|' || run_id FROM failures",
        "fedcba9876543210|north|2012-12-10T10:43:54.123456Z|relay-peer|TCP|refused|failure|"
        "10.3.0.40:58138|2.2.2.2|1.1.1.1:50704|1|3|3|31.25|A|relay-address,alias|confirmed|"
        "relay TCP-PASS 2.2.2.2:58138|10.98.2.1:13211|far-side-refuses|Ask the far side.|good|1");
    SAYS("SELECT scope || '|' || code || '|' || confidence || '|' || evidence FROM findings"
         " WHERE scope = 'failure:1'",
         "failure:1|far-side-refuses|likely|"
         "{\"for\":[\"each SYN was answered by a RST\"],\"against\":[],\"settle\":[]}");
    SAYS("SELECT failure_id || '|' || isn || '|' || verdict || '|' || answer_ttl FROM attempts",
         "1|4276993775|refused|57");
    SAYS("SELECT group_concat(attempt_id || '|' || seen || '|' || ifnull(interface, '?') || '|' ||"
         " linktype || '|' || caplen || '|' || len || '|' || hex(bytes), ' ') FROM packets",
         "1|2012-12-10T10:43:54.123456Z|eth1|1|3|60|010203 "
         "1|2012-12-10T10:43:55.000000Z|?|1|2|54|0405");
}

static void diagnostics_are_told_bit_by_bit(void **state)
{
    /* P§3.4: 0x320 = 0x200 + 0x100 + 0x20 */
    struct fact_diag d = {
        .seen = FACTS_START,
        .header = "ms-client-diagnostics",
        .code = 24,
        .reason = "both remote",
        .side = "caller",
        .medium = "applicationsharing",
        .has_icewarn = true,
        .icewarn = 0x320,
        .value = "24; reason=\"both remote\";CallerMediaDebug=\"application-sharing:ICEWarn=0x320,"
                 "LocalSite=10.0.0.1:5000\"",
    };
    struct fact_call *c = facts_call();
    c->diags = &d;
    c->n_diags = 1;
    struct writer *w = facts_run(*state, "s");
    writer_call(w, c);
    facts_close(w);
    SAYS("SELECT call_id || '|' || seen || '|' || header || '|' || code || '|' || reason || '|' ||"
         " debug_side || '|' || medium || '|' || icewarn FROM diagnostics",
         "d7e3a1@contoso.com|2012-12-10T10:43:49.000000Z|ms-client-diagnostics|24|both remote|"
         "caller|applicationsharing|800");
    SAYS("SELECT fields ->> 'ICEWarn' || ' ' || (fields ->> 'LocalSite') FROM diagnostics",
         "0x320 10.0.0.1:5000");
    /* one sentence per bit */
    SAYS("SELECT length(icewarn_text) - length(replace(icewarn_text, '.', '')) >= 3"
         " FROM diagnostics",
         "1");
}

static void counters_and_aliases_keep_their_columns(void **state)
{
    struct writer *w = facts_run(*state, "s");
    struct traffic_row t = {.hour = FACTS_START / (3600 * TICK_S) * 3600 * TICK_S,
                            .src = facts_addr("2.2.2.2"),
                            .dst_net = facts_addr("2001:db8:1::"),
                            .port_from = 50000,
                            .port_to = 59999,
                            .proto = PROTO_TCP,
                            .connected = 1,
                            .refused = 2,
                            .timeout = 3,
                            .other = 4};
    struct health_row h = {.iface = -1,
                           .from = FACTS_START,
                           .to = FACTS_START + TICK_S,
                           .packets = 1,
                           .bytes = 2,
                           .kernel_drops = 3,
                           .nic_drops = 4,
                           .ring_drops = 5,
                           .decode_errors = 6,
                           .duplicates = 7,
                           .table_evictions = 8,
                           .stream_gaps = 9,
                           .one_way_flows = 10,
                           .aggregated = 11,
                           .not_ip = 12,
                           .fragments = 13,
                           .handled = 14,
                           .event = "is down"};
    struct fact_alias a = {facts_addr("10.3.0.40"), facts_addr("2.2.2.2"), false, 2};
    writer_traffic(w, &t);
    writer_health(w, &h, NULL);
    writer_alias(w, &a);
    a.ports_seen = 3;
    writer_alias(w, &a);
    facts_close(w);
    SAYS("SELECT hour || '|' || src_addr || '|' || dst_net || '|' || dst_port_from || '|' ||"
         " dst_port_to || '|' || transport || '|' || connected || refused || timeout || other"
         " FROM traffic",
         "2012-12-10T10:00:00.000000Z|2.2.2.2|2001:db8:1::/48|50000|59999|TCP|1234");
    SAYS("SELECT ifnull(interface, '-') || '|' || packets || '|' || bytes || '|' || kernel_drops ||"
         " '|' || nic_drops || '|' || ring_drops || '|' || decode_errors || '|' || duplicates ||"
         " '|' || table_evictions || '|' || stream_gaps || '|' || one_way_flows || '|' ||"
         " aggregated || '|' || queue_lost || '|' || not_ip || '|' || fragments || '|' ||"
         " handled || '|' || event FROM health",
         "-|1|2|3|4|5|6|7|8|9|10|11|0|12|13|14|is down");
    SAYS("SELECT group_concat(private_addr || '=' || public_addr || ' ' || origin || ' ' ||"
         " ports_seen) FROM aliases",
         "10.3.0.40=2.2.2.2 learned 3");
}

/* ---- runs, caps and queues ---- */

static void a_second_run_goes_on_where_the_first_stood(void **state)
{
    for (int run = 0; run < 2; run++) {
        struct writer *w = facts_run(*state, "s");
        struct fact_call *c = facts_call();
        c->call_id = run ? "b" : "a";
        c->started = FACTS_START + run * 3600 * TICK_S;
        writer_call(w, c);
        facts_close(w);
    }
    SAYS("SELECT group_concat(id || call_id) FROM calls", "1a,2b");
    SAYS("SELECT group_concat(id) FROM runs", "1,2");
}

static void evidence_of_one_failure_is_capped(void **state)
{
    struct writer *w = facts_run(*state, "s");
    struct failure *f = facts_failure();
    struct evidence ev[ATTEMPT_MAX_EVIDENCE];
    f->attempts = 9;
    for (unsigned i = 0; i < ATTEMPT_MAX_EVIDENCE; i++)
        ev[i] = (struct evidence){
            .time = FACTS_START, .caplen = 1, .len = 1, .bytes = (const uint8_t *)"x"};
    for (unsigned i = 1; i <= 9; i++) {
        struct attempt a = facts_attempt();
        a.id = i;
        a.isn = i;
        writer_attempt(w, &a, ev, ATTEMPT_MAX_EVIDENCE);
        writer_attempt_failure(w, i, 1);
    }
    writer_failure(w, f, NULL, 0);
    facts_close(w);
    SAYS("SELECT count(*) FROM packets", "60");
    SAYS("SELECT count(*) FROM attempts", "9");
}

static void foreign_bytes_become_valid_text(void **state)
{
    struct writer *w = facts_run(*state, "s");
    struct fact_call *c = facts_call();
    c->caller = "sip:\xff\xfe@x";
    c->media[0].side[0].candidates[0].foundation = "a\"\\\x01\xc3\x28";
    writer_call(w, c);
    facts_close(w);
    SAYS("SELECT caller FROM calls", "sip:\?\?@x");
    SAYS("SELECT hex(foundation) FROM candidates LIMIT 1", "61225C01EFBFBD28");
}

/* A record larger than a block, and more of them than the queue holds: offline nothing is lost. */
static void offline_a_full_queue_waits(void **state)
{
    struct writer *w = facts_run(*state, "s");
    static char big[QUEUE_BLOCK + 1000];
    memset(big, 'c', sizeof big - 1);
    struct fact_call *c = facts_call();
    for (int i = 1; i <= 150; i++) {
        c->id = i;
        c->conversation_id = big;
        writer_call(w, c);
    }
    assert_int_equal(writer_lost(w), 0);
    facts_close(w);
    SAYS("SELECT count(*) || ' ' || min(length(conversation_id)) FROM calls", "150 263143");
}

static void live_a_full_queue_drops_and_counts(void **state)
{
    char why[512] = "";
    static char big[QUEUE_BLOCK * 4];
    memset(big, 'c', sizeof big - 1);
    struct run_info run = {.sensor = "s", .command = "monitor", .live = true};
    struct writer *w = writer_open(*state, &run, why, sizeof why);
    assert_non_null(w);
    struct fact_call *c = facts_call();
    c->conversation_id = big;
    for (int i = 1; i <= 400 && writer_lost(w) < 5; i++) {
        c->id = i;
        writer_call(w, c);
    }
    struct health_row h = {.iface = -1, .from = FACTS_START, .to = FACTS_START + TICK_S};
    uint64_t lost = writer_lost(w);
    assert_true(lost >= 5);
    while (writer_lost(w) >= lost && lost) { /* until it finds room */
        uint64_t before = writer_lost(w);
        usleep(20000);
        writer_health(w, &h, NULL);
        if (writer_lost(w) == before)
            break;
    }
    char expected[32];
    snprintf(expected, sizeof expected, "%llu", (unsigned long long)writer_lost(w));
    facts_close(w);
    SAYS("SELECT sum(queue_lost) FROM health", expected);
}

/* ---- runs that end badly ---- */

static void a_killed_run_leaves_a_readable_database(void **state)
{
    pid_t child = fork();
    if (child == 0) {
        struct writer *w = facts_run(*state, "s");
        writer_call(w, facts_call());
        writer_advance(w, FACTS_START);
        for (int i = 0; i < 3; i++) { /* packet time goes on: the batch is shipped and committed */
            usleep(700000);
            writer_advance(w, FACTS_START + (i + 2) * TICK_S);
        }
        kill(getpid(), SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    SAYS("SELECT count(*) FROM calls", "1");
    SAYS("SELECT ifnull(ended, 'not ended') FROM runs", "not ended");
    SAYS("PRAGMA integrity_check", "ok");
    struct writer *w = facts_run(*state, "s"); /* and goes on being written */
    facts_close(w);
    SAYS("SELECT count(*) FROM runs", "2");
}

static void damage_is_told_in_runs(void **state)
{
    char why[512];
    struct writer *w = facts_run(*state, "s");
    assert_int_equal(
        writer_close(w, TICK_NONE, TICK_NONE, "x.pcap: record at offset 4711", why, sizeof why),
        DB_OK);
    SAYS("SELECT damaged || '|' || (ended >= started) FROM runs",
         "x.pcap: record at offset 4711|1");
}

/* In a mount namespace of its own, on a file system of 3 MB. 77: not permitted here. */
static int fill_the_disk(const char *dir)
{
    char path[128], why[512] = "";
    static char big[60000];
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", "", MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", dir, "tmpfs", 0, "size=3m") != 0)
        return 77;
    snprintf(path, sizeof path, "%s/full.db", dir);
    memset(big, 'c', sizeof big - 1);
    struct run_info run = {.sensor = "s", .command = "read"};
    struct writer *w = writer_open(path, &run, why, sizeof why);
    if (!w)
        return 1;
    struct fact_call *c = facts_call();
    writer_call(w, c);
    writer_advance(w, FACTS_START);
    for (int i = 2; i < 5; i++) { /* the first call is committed before the disk is full */
        usleep(600000);
        writer_advance(w, FACTS_START + i * TICK_S);
    }
    for (int i = 2; i < 500; i++) {
        c->id = i;
        c->conversation_id = big;
        writer_call(w, c);
    }
    why[0] = 0;
    if (writer_close(w, FACTS_START, FACTS_START, NULL, why, sizeof why) != DB_FAILED)
        return 2;
    if (!strstr(why, "disk full") || !strstr(why, path))
        return 3;
    return atoi(facts_sql(path, "SELECT count(*) FROM calls WHERE id = 1")) == 1 ? 0 : 4;
}

static void a_full_disk_keeps_what_was_written(void **state)
{
    char dir[96];
    snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(*state, '/') - (char *)*state), (char *)*state);
    pid_t child = fork();
    if (child == 0)
        _exit(fill_the_disk(dir));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("no right to mount a file system: skipped\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
#define ON_DATABASE(test) cmocka_unit_test_setup_teardown(test, facts_begin, facts_end)
    const struct CMUnitTest tests[] = {
        ON_DATABASE(a_call_comes_back_as_the_contract_spells_it),
        ON_DATABASE(what_is_unknown_is_null),
        ON_DATABASE(requests_that_nobody_counted_are_null),
        ON_DATABASE(a_failure_comes_with_its_attempt_findings_and_packets),
        ON_DATABASE(diagnostics_are_told_bit_by_bit),
        ON_DATABASE(counters_and_aliases_keep_their_columns),
        ON_DATABASE(a_second_run_goes_on_where_the_first_stood),
        ON_DATABASE(evidence_of_one_failure_is_capped),
        ON_DATABASE(foreign_bytes_become_valid_text),
        ON_DATABASE(offline_a_full_queue_waits),
        ON_DATABASE(live_a_full_queue_drops_and_counts),
        ON_DATABASE(a_killed_run_leaves_a_readable_database),
        ON_DATABASE(damage_is_told_in_runs),
        ON_DATABASE(a_full_disk_keeps_what_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
