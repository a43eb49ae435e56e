/* Facts of the federated incident for the tests of the database. */
#include "tests/help/facts_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "flows/wire/sdp.h"

struct endpoint facts_endpoint(const char *text)
{
    struct endpoint e;
    assert_true(endpoint_parse(slice_str(text), &e));
    return e;
}

struct addr facts_addr(const char *text)
{
    struct addr a;
    assert_true(addr_parse(slice_str(text), &a));
    return a;
}

static struct fact_candidate candidate(uint8_t type, const char *at, const char *related)
{
    struct fact_candidate k = {
        .at = facts_endpoint(at),
        .priority = 2130706431,
        .component = 1,
        .transport = CAND_TCP_PASS,
        .type = type,
        .dialect = DIALECT_MS_ICE2,
        .foundation = "1",
    };
    if (related)
        k.related = facts_endpoint(related);
    return k;
}

struct fact_call *facts_call(void)
{
    static struct fact_candidate offer[2], answer[2];
    static struct fact_media media;
    static struct fact_call call;
    offer[0] = candidate(CAND_HOST, "10.98.2.1:21916", NULL);
    offer[1] = candidate(CAND_RELAY, "2.2.2.2:58138", "10.98.2.1:13211");
    answer[0] = candidate(CAND_HOST, "10.26.10.50:50058", NULL);
    answer[1] = candidate(CAND_RELAY, "1.1.1.1:50704", NULL);
    media = (struct fact_media){
        .medium = "applicationsharing",
        .side = {{.present = true,
                  .tcp = true,
                  .preset = offer[1].at,
                  .ufrag = "ufO",
                  .candidates = offer,
                  .n_candidates = 2,
                  .room = 2},
                 {.present = true,
                  .tcp = true,
                  .preset = answer[1].at,
                  .ufrag = "ufA",
                  .candidates = answer,
                  .n_candidates = 2,
                  .room = 2}},
    };
    call = (struct fact_call){
        .id = 1,
        .call_id = "d7e3a1@contoso.com",
        .caller = "sip:user1@contoso.com",
        .callee = "sip:user2@fabrikam.com",
        .conversation_id = "AdE1",
        .origin = "wire",
        .started = FACTS_START,
        .answered = FACTS_START + 4 * TICK_S,
        .ended = FACTS_START + 16 * TICK_S,
        .status = 200,
        .outcome = CALL_FAILED,
        .media = &media,
        .n_media = 1,
    };
    return &call;
}

struct fact_allocation *facts_allocation(void)
{
    static struct fact_send send;
    static struct fact_allocation a;
    send = (struct fact_send){.peer = facts_endpoint("1.1.1.1:50704"),
                              .first = FACTS_START + 5 * TICK_S,
                              .last = FACTS_START + 5 * TICK_S,
                              .count = 3,
                              .answered = TICK_NONE};
    a = (struct fact_allocation){
        .id = 1,
        .client = facts_endpoint("10.98.2.1:13211"),
        .server = facts_endpoint("10.3.0.40:443"),
        .proto = PROTO_TCP,
        .granted = true,
        .ms = true,
        .relay = facts_endpoint("2.2.2.2:58138"),
        .reflexive = facts_endpoint("10.98.2.1:13211"),
        .medium = "data",
        .started = FACTS_START - 1 * TICK_S,
        .ended = FACTS_START + 16 * TICK_S,
        .end_reason = "closed",
        .requests = 2,
        .sends = &send,
        .n_sends = 1,
    };
    return &a;
}

struct attempt facts_attempt(void)
{
    return (struct attempt){
        .id = 1,
        .src = facts_endpoint("10.3.0.40:58138"),
        .dst = facts_endpoint("1.1.1.1:50704"),
        .proto = PROTO_TCP,
        .verdict = VERDICT_REFUSED,
        .wanted = true,
        .isn = 0xfeedbeef,
        .syns = 3,
        .rsts = 3,
        .first = FACTS_START + 5 * TICK_S + 123456 * TICK_US,
        .last = FACTS_START + 6 * TICK_S,
        .rtt_us = 31250,
        .answer_ttl = 57,
        .answer_ipid = -1,
        .icmp_type = -1,
        .icmp_code = -1,
    };
}

const struct finding *facts_finding(void)
{
    static const struct finding f = {
        .code = "far-side-refuses",
        .likely = true,
        .evidence = "{\"for\":[\"each SYN was answered by a RST\"],\"against\":[],\"settle\":[]}",
        .advice = "Ask the far side.",
    };
    return &f;
}

struct failure *facts_failure(void)
{
    static struct failure f;
    struct attempt a = facts_attempt();
    f = (struct failure){
        .id = 1,
        .event_id = UINT64_C(0xfedcba9876543210),
        .first = a.first,
        .last = a.last,
        .leg = LEG_RELAY_PEER,
        .proto = a.proto,
        .verdict = a.verdict,
        .src = a.src,
        .dst = a.dst,
        .src_public = facts_addr("2.2.2.2"),
        .attempts = 1,
        .syns = 3,
        .rsts = 3,
        .rtt_us = a.rtt_us,
        .icmp_type = -1,
        .icmp_code = -1,
        .grade = 'A',
        .keys = KEY_RELAY_ADDRESS | KEY_ALIAS,
        .confidence = CONFIDENCE_CONFIRMED,
        .call_id = "d7e3a1@contoso.com",
        .caller = "sip:user1@contoso.com",
        .callee = "sip:user2@fabrikam.com",
        .medium = "applicationsharing",
        .local_candidate = "relay TCP-PASS 2.2.2.2:58138",
        .remote_candidate = "relay TCP-PASS 1.1.1.1:50704",
        .client = facts_endpoint("10.98.2.1:13211"),
        .call_row = 1,
        .allocation_row = 1,
        .attempt = 1,
        .finding = "far-side-refuses",
        .explanation = "Three connection requests were refused.",
        .advice = "Ask the far side.",
    };
    return &f;
}

/* ---- databases ---- */

static char directory[64], path[96];

const char *facts_db_path(void)
{
    strcpy(directory, "/tmp/edgewatch-test-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/test.db", directory);
    return path;
}

void facts_db_forget(void)
{
    static const char *const suffix[] = {"", "-wal", "-shm", "-journal"};
    char name[128];
    for (unsigned i = 0; i < sizeof suffix / sizeof *suffix; i++) {
        snprintf(name, sizeof name, "%s%s", path, suffix[i]);
        unlink(name);
    }
    rmdir(directory);
}

struct writer *facts_run(const char *db, const char *sensor)
{
    char why[512] = "";
    struct run_info run = {.sensor = sensor, .command = "read", .sources = "test.pcap"};
    struct writer *w = writer_open(db, &run, why, sizeof why);
    assert_string_equal(why, "");
    assert_non_null(w);
    return w;
}

tick_t facts_wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * TICK_S + t.tv_nsec;
}

struct writer *facts_live_run(const char *db, const struct keep *keep)
{
    char why[512] = "";
    struct run_info run = {.sensor = "s", .command = "monitor", .live = true};
    if (keep)
        run.keep = *keep;
    struct writer *w = writer_open(db, &run, why, sizeof why);
    if (!w)
        fprintf(stderr, "%s\n", why);
    return w;
}

int facts_begin(void **state)
{
    *state = (void *)facts_db_path();
    return 0;
}

int facts_end(void **state)
{
    (void)state;
    facts_db_forget();
    return 0;
}

void facts_close(struct writer *w)
{
    char why[512] = "";
    enum db_result r =
        writer_close(w, FACTS_START, FACTS_START + 20 * TICK_S, NULL, why, sizeof why);
    assert_string_equal(why, "");
    assert_int_equal(r, DB_OK);
}

const char *facts_sql(const char *db, const char *sql)
{
    static char out[8][4096];
    static unsigned turn;
    char *text = out[turn++ % 8];
    sqlite3 *h;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open_v2(db, &h, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(h, sql, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(h));
    int rc = sqlite3_step(s);
    const char *value = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : "";
    snprintf(text, sizeof out[0], "%s", value ? value : "NULL");
    sqlite3_finalize(s);
    sqlite3_close(h);
    return text;
}
