/* Where records of a log begin and end, and what becomes of them. */
#include <setjmp.h>
#include <stdarg.h>

#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "flows/logbook.h"
#include "tests/help/expect.h"

#define STAMP "03/04/2014|09:15:01.220 1A2C:0F30 INFO  :: "
#define LATER "03/04/2014|09:15:01.221 1A2C:0F30 INFO  :: "
#define ENDS(n) "10.1.1.5:5061 (From Local Address: 10.1.9.7:49811) " n " bytes"
#define BEGIN(n) STAMP "Sending Packet - " ENDS(n) ":\n"
#define END(n) STAMP "End of Sending Packet - " ENDS(n) "\n"
#define INVITE                                                                                  \
    "INVITE sip:b@p.example SIP/2.0\nCall-ID: 1f2e3d\nCSeq: 1 INVITE\nFrom: <sip:a@c.example>;" \
    "tag=1\nTo: <sip:b@p.example>\n\n"
/* 30 + 2, 15 + 2, 14 + 2, 29 + 2, 21 + 2, 2 */
#define SIZE "121"

static struct fact_call seen;
static char seen_id[64], seen_caller[64], seen_diag[512];
static unsigned calls_seen, calls_in_time; /* in_time: before the log's end */

static void on_call(void *arg, const struct fact_call *c)
{
    (void)arg;
    seen = *c;
    calls_seen++;
    snprintf(seen_id, sizeof seen_id, "%s", c->call_id);
    snprintf(seen_caller, sizeof seen_caller, "%s", c->caller ? c->caller : "");
    snprintf(seen_diag, sizeof seen_diag, "%s", c->n_diags ? c->diags[c->n_diags - 1].value : "");
}

static void no_failure(void *arg, const struct failure *f, const struct finding *list, unsigned n)
{
    (void)arg, (void)f, (void)list, (void)n;
}

static void no_id(void *arg, int64_t id)
{
    (void)arg, (void)id;
}

static void no_link(void *arg, uint64_t attempt, int64_t failure)
{
    (void)arg, (void)attempt, (void)failure;
}

/* The log's lines through a logbook; 0, or the line in which the last record began. */
static uint64_t read_log(const char *log, struct logbook_counts *counts)
{
    const struct joiner_config config = {.sensor = "t", .seed = 1};
    const struct joiner_hooks hooks = {NULL, no_failure, no_id, no_link, NULL};
    const struct engine_out out = {.call = on_call};
    struct joiner *j = joiner_new(&config, &hooks);
    struct calls *c = calls_new(j, &out, false, 1);
    struct logbook *b = logbook_new(c, "a.log");
    uint64_t n = 0, first;
    seen = (struct fact_call){0};
    calls_seen = 0;
    for (const char *end; *log; log = *end ? end + 1 : end) {
        end = strchrnul(log, '\n');
        logbook_line(b, slice_of(log, (size_t)(end - log)), ++n, !*end);
    }
    bool whole = logbook_finish(b, &first);
    calls_in_time = calls_seen;
    calls_finish(c);
    logbook_counts(b, counts);
    logbook_free(b);
    calls_free(c);
    joiner_free(j);
    return whole ? 0 : first;
}

/* Each is one message, complete or not, with a place where it stops too early or without. */
static void records(void **state)
{
    static const struct {
        const char *name, *log;
        unsigned messages, incomplete, stops;
    } rows[] = {
        {"whole", BEGIN(SIZE) STAMP INVITE END(SIZE), 1, 0, 0},
        {"the first line without its stamp", BEGIN(SIZE) INVITE END(SIZE), 1, 0, 0},
        {"no end line, another record", BEGIN(SIZE) STAMP INVITE BEGIN(SIZE) STAMP INVITE, 2, 0, 0},
        {"no end line, something else follows", BEGIN(SIZE) STAMP INVITE LATER "trace\nX: y\n", 1,
         0, 0},
        {"every line behind the stamp",
         BEGIN(SIZE) STAMP "INVITE sip:b@p.example SIP/2.0\n" STAMP "Call-ID: 1f2e3d\n" STAMP
                           "CSeq: 1 INVITE\n" STAMP "From: <sip:a@c.example>;tag=1\n" STAMP
                           "To: <sip:b@p.example>\n" STAMP "\n" END(SIZE),
         1, 0, 0},
        {"another thread's line in between", BEGIN(SIZE) LATER "trace\n" STAMP INVITE END(SIZE), 1,
         0, 0},
        {"elided",
         BEGIN("2520") STAMP "INVITE sip:b@p.example SIP/2.0\nCall-ID: 1f2e3d\nCSeq: 1 "
                             "INVITE\n...\n",
         1, 1, 0},
        {"shorter than told", BEGIN("2520") STAMP INVITE, 1, 1, 1},
        {"shorter than told, but ended", BEGIN("2520") STAMP INVITE END("2520") "x\n", 1, 1, 0},
        {"nothing behind its start", BEGIN(SIZE), 0, 0, 1},
        {"half a line is no line",
         BEGIN(SIZE) STAMP "INVITE sip:b@p.example SIP/2.0\nCall-ID: 1f2e3d\n"
                           "CSeq: 1 INVITE\nFrom: <sip:a@c.exam",
         1, 1, 1},
    };
    struct logbook_counts c;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t stops = read_log(rows[i].log, &c);
        if (c.messages != rows[i].messages || c.incomplete != rows[i].incomplete ||
            stops != rows[i].stops)
            fail_msg("%s: %u messages, %u incomplete, stops in line %u", rows[i].name,
                     (unsigned)c.messages, (unsigned)c.incomplete, (unsigned)stops);
        if (c.messages)
            assert_string_equal(seen_id, "1f2e3d");
        assert_string_equal(logbook_kind_name(c.kind), "uccapi");
    }
    read_log(rows[0].log, &c);
    assert_string_equal(seen_caller, "sip:a@c.example");
    assert_string_equal(seen.origin, "a.log");
    read_log(rows[10].log, &c);
    assert_string_equal(seen_caller, "");
}

#define HEAD(flag)                                                          \
    "TL_INFO(" flag ") [0]0B10.0C44::03/04/2014-09:15:01.220.0000A1B2 (x) " \
    "$$begin_record\n"
#define SERVER_INVITE                                                                    \
    "Direction: incoming\nStart-Line: INVITE sip:b@p.example SIP/2.0\nCall-ID: 1f2e3d\n" \
    "CSeq: 1 INVITE\nFrom: <sip:a@c.example>;tag=1\nTo: <sip:b@p.example>\nMessage-Body: -\n"

static void server_records(void **state)
{
    struct logbook_counts c;
    (void)state;
    assert_int_equal(read_log(HEAD("TF_COMPONENT") "Call-ID: 9\n$$end_record\n" HEAD("TF_PROTOCOL")
                                  SERVER_INVITE "$$end_record\n",
                              &c),
                     0);
    assert_int_equal(c.messages, 1);
    assert_int_equal(c.unread, 0);
    assert_string_equal(logbook_kind_name(c.kind), "sipstack");
    assert_int_equal(c.first,
                     INT64_C(1393924501220) * TICK_MS); /* date -u -d 2014-03-04T09:15:01 */
    assert_int_equal(read_log("\n" HEAD("TF_PROTOCOL") SERVER_INVITE, &c), 2);
    assert_int_equal(read_log(HEAD("TF_PROTOCOL") "Direction: x\n$$end_record\n", &c), 0);
    assert_int_equal(c.unread, 1);
}

static void diagnostics_go_to_their_call(void **state)
{
    static const char diag[] =
        "Severity: error\nText: The \"peer\" is gone\nResult-Code: 0xC3E93C69 "
        "SIPPROXY_E_X\nSIP-Call-ID: 1f2e3d\n";
    char log[2048];
    struct logbook_counts c;
    (void)state;
    snprintf(log, sizeof log, "%s%s$$end_record\n%s%s$$end_record\n", HEAD("TF_PROTOCOL"),
             SERVER_INVITE, HEAD("TF_DIAG"), diag);
    read_log(log, &c);
    assert_int_equal(c.diags, 1);
    assert_int_equal(calls_seen, 1);
    assert_int_equal(seen.n_diags, 1);
    expect_text(seen_diag, "3286842473;reason=\"The 'peer' is gone\";result=\"SIPPROXY_E_X\"");
    /* of a call that nobody saw: no call comes of it */
    snprintf(log, sizeof log, "%s%s$$end_record\n", HEAD("TF_DIAG"), diag);
    read_log(log, &c);
    assert_int_equal(calls_seen, 0);
}

static void a_record_over_the_cap(void **state)
{
    enum { LINES = 6000 };
    struct logbook_counts c;
    (void)state;
    char *log = malloc(2048 + LINES * 64);
    assert_non_null(log);
    int n = sprintf(log, "%s%s%s", BEGIN("400000"), STAMP,
                    "INVITE sip:b@p.example SIP/2.0\nCall-ID: 1f2e3d\nCSeq: 1 INVITE\n\n");
    for (int i = 0; i < LINES; i++)
        n += sprintf(log + n, "a=candidate:%040d\n", i);
    sprintf(log + n, "%s%s%s%s", END("400000"), BEGIN(SIZE), STAMP INVITE, END(SIZE));
    assert_int_equal(read_log(log, &c), 0);
    assert_int_equal(c.messages + c.unread, 2);
    assert_true(c.messages >= 1);
    free(log);
}

/* One call, then pieces of the day before, a call a minute: what is over goes while the log is
 * read, it is not all kept until its end. */
static void a_log_that_steps_back(void **state)
{
    enum { CALLS = 50 };
    static char log[CALLS * 1024];
    struct logbook_counts counts;
    size_t n = 0;
    (void)state;
    for (int i = 0; i < CALLS; i++)
        for (int bye = 0; bye < 2; bye++) {
            char stamp[64];
            const char *method = bye ? "BYE" : "INVITE";
            snprintf(stamp, sizeof stamp,
                     "03/%s/2014|09:%02d:0%d.000 1A2C:0F30 INFO  :: ", i ? "03" : "04", i, bye);
            n += (size_t)snprintf(
                log + n, sizeof log - n,
                "%sSending Packet - " ENDS(
                    "1") ":\n%s%s sip:b@p.example SIP/2.0\n"
                         "Call-ID: c%d\nCSeq: %d %s\nFrom: <sip:a@c.example>;tag=1\n"
                         "To: <sip:b@p.example>\n\n%sEnd of Sending Packet - " ENDS("1") "\n",
                stamp, stamp, method, i, 1 + bye, method, stamp);
        }
    read_log(log, &counts);
    assert_int_equal(counts.messages, 2 * CALLS);
    assert_int_equal(calls_seen, CALLS);
    assert_in_range(calls_in_time, CALLS - 3, CALLS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records),
        cmocka_unit_test(server_records),
        cmocka_unit_test(diagnostics_go_to_their_call),
        cmocka_unit_test(a_record_over_the_cap),
        cmocka_unit_test(a_log_that_steps_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
