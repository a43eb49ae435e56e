/* What is concluded from one failure about relay, client and capture, and what is not. */
#include "flows/findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "flows/wire/framing.h"
#include "flows/wire/sdp.h"
#include "tests/help/expect.h"
#include "tests/help/scene.h"

/* ---- the relay itself ---- */

static void allocation_errors_have_their_codes(void **state)
{
    static const struct {
        uint16_t error;
        const char *code; /* NULL: none */
    } rows[] = {
        {401, "relay-auth-failed"},
        {431, "relay-auth-failed"},
        {436, "relay-auth-failed"},
        {438, "relay-auth-failed"},
        {441, "relay-auth-failed"},
        {486, "relay-quota"},
        {508, "relay-ports-exhausted"},
        {300, NULL},
        {500, NULL},
        {0, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene s;
        scene_client_leg(&s, VERDICT_ALLOC_FAIL);
        s.f.error_code = s.own.fact.error_code = rows[i].error;
        scene_run(&s);
        assert_int_equal(s.n, rows[i].code ? 1 : 0);
        if (rows[i].code)
            scene_expect(&s, rows[i].code, true);
    }
}

static void a_lone_challenge_rejects_nobody(void **state)
{
    struct scene s;
    (void)state;
    scene_client_leg(&s, VERDICT_ALLOC_FAIL);
    s.f.error_code = 401;
    s.own.fact.requests = 1;
    scene_run(&s);
    scene_expect(&s, "relay-auth-failed", false);
}

static void pseudotls_answer_tells_of_inspection(void **state)
{
    static const struct {
        int instead;
        bool likely;
    } rows[] = {{TLS_SPLIT_HELLO, true},  {TLS_CERTIFICATE, true}, {TLS_ALERT, false},
                {TLS_OTHER_HELLO, false}, {TLS_NOT_TLS, false},    {-1, false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene s;
        scene_client_leg(&s, VERDICT_PSEUDOTLS_FAIL);
        s.ctx.tls_instead = rows[i].instead;
        scene_run(&s);
        assert_int_equal(s.n, 1);
        scene_expect(&s, "tls-inspection-on-443", rows[i].likely);
    }
}

static void tls_alert_is_likely_a_tls_failure(void **state)
{
    struct scene s;
    (void)state;
    scene_client_leg(&s, VERDICT_TLS_FAIL);
    s.ctx.tls_instead = TLS_ALERT;
    scene_run(&s);
    scene_expect(&s, "signaling-tls-failed", true);
    s.ctx.tls_instead = -1;
    scene_run(&s);
    scene_expect(&s, "signaling-tls-failed", false);
    scene_expect_none(&s, "tls-inspection-on-443");
}

static void both_relays_at_one_edge_lack_a_hairpin(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.attempt.dst = ep("2.2.2.2:58200");
    s.attempt.verdict = VERDICT_TIMEOUT;
    scene_from_attempt(&s);
    s.ctx.both_local = true;
    scene_run(&s);
    assert_string_equal(s.list[0].code, "hairpin-missing");
    scene_expect_none(&s, "own-outbound-range-blocked");
    s.f.dst = ep("2.2.2.3:58200"); /* another Edge of the pool */
    scene_run(&s);
    scene_expect_none(&s, "hairpin-missing");
}

static void private_relay_address_cannot_be_reached(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.attempt.verdict = VERDICT_TIMEOUT;
    scene_from_attempt(&s);
    s.own.fact.relay = ep("10.3.0.40:58138");
    s.f.src_public = ad("");
    scene_run(&s);
    assert_string_equal(s.list[0].code, "private-relay-address");
    expect_text(s.list[0].evidence, "10.3.0.40:58138 of our side is private");
    s.f.dst = ep("10.77.0.1:50704"); /* both inside: nothing strange */
    scene_run(&s);
    scene_expect_none(&s, "private-relay-address");
}

static void private_relay_of_the_peer(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.f.dst = ep("172.16.4.4:50704");
    snprintf(s.f.remote_candidate, sizeof s.f.remote_candidate, "relay TCP-PASS 172.16.4.4:50704");
    scene_run(&s);
    scene_expect(&s, "private-relay-address", false);
    snprintf(s.f.remote_candidate, sizeof s.f.remote_candidate, "host TCP-PASS 172.16.4.4:50704");
    scene_run(&s);
    scene_expect_none(&s, "private-relay-address");
}

static void answer_without_relay(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    call_make(&s.call, "2.2.2.2:58138", "10.26.10.50:50058");
    call_add(&s.call, SIDE_ANSWER, CAND_HOST, false, "10.26.10.50:50058");
    s.attempt.verdict = VERDICT_TIMEOUT;
    s.attempt.dst = ep("10.26.10.50:50058");
    scene_from_attempt(&s);
    scene_run(&s);
    assert_string_equal(s.list[0].code, "no-relay-on-peer");
    assert_false(s.list[0].likely);
    expect_text(s.list[0].advice, "sip:user2@fabrikam.com");
}

/* P§2.2: its type is a guess, and of the partner's relays nothing is known */
static void legacy_candidate_may_be_the_relay(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    call_make(&s.call, "2.2.2.2:58138", "1.1.1.1:50704");
    call_add(&s.call, SIDE_ANSWER, CAND_SRFLX, false, "1.1.1.1:50704")->dialect = DIALECT_MS_ICE;
    s.attempt.verdict = VERDICT_TIMEOUT;
    scene_from_attempt(&s);
    scene_run(&s);
    scene_expect_none(&s, "no-relay-on-peer");
}

/* The incident's answer shows no relay line, but its default address is none of its host
 * candidates. */
static void default_address_may_be_the_relay(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    scene_run(&s);
    scene_expect_none(&s, "no-relay-on-peer");
}

static void diagnostics_without_remote_relay(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    call_diag(&s.call, at(90), 24, "caller",
              "24;reason=\"x\";CallerMediaDebug=\"application-sharing:ICEWarn=0x320,"
              "LocalMR=2.2.2.2:58138,RemoteSite=192.168.20.203:50045,LocalMRTCPPort=57498\"");
    scene_run(&s);
    scene_expect(&s, "no-relay-on-peer", false);
    s.ctx.near_side = SIDE_ANSWER; /* then it is our own side that has none */
    scene_run(&s);
    scene_expect_none(&s, "no-relay-on-peer");
}

static void granted_relay_never_used(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.f = (struct failure){.verdict = VERDICT_NOT_TRIED,
                           .leg = LEG_RELAY_PEER,
                           .grade = 'A',
                           .first = at(53),
                           .last = at(100),
                           .info = true,
                           .rtt_us = -1,
                           .icmp_type = -1,
                           .medium = "applicationsharing",
                           .client = s.own.fact.client};
    s.own.fact.n_sends = 0;
    s.ctx.send = NULL;
    s.ctx.attempt = NULL;
    scene_run(&s);
    assert_string_equal(s.list[0].code, "client-endpoint-filter");
    assert_false(s.list[0].likely);
    expect_text(s.list[0].evidence, "relay port 2.2.2.2:58138 was granted");
    expect_text(s.list[0].advice, "10.98.2.1:13211");
}

static void nothing_seen_outside_points_to_the_sensor(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.f = (struct failure){.verdict = VERDICT_UNSEEN,
                           .leg = LEG_RELAY_PEER,
                           .grade = 'B',
                           .first = at(53),
                           .last = at(100),
                           .info = true,
                           .rtt_us = -1,
                           .icmp_type = -1};
    s.ctx.call = NULL;
    s.ctx.attempt = NULL;
    scene_run(&s);
    assert_int_equal(s.n, 1);
    scene_expect(&s, "sensor-blind", false);
}

static void client_that_reports_nothing_contradicts_the_wire(void **state)
{
    static const char quiet[] =
        "51004;reason=\"x\";CallerMediaDebug=\"application-sharing:ICEWarn=0x0\"";
    static const char says_so[] =
        "23;reason=\"x\";CallerMediaDebug=\"application-sharing:ICEWarn=0x4000320\"";
    static const struct {
        const char *value;
        uint32_t code;
        double seen;
        bool info, hit;
    } rows[] = {
        {quiet, 51004, 90, false, true},  {says_so, 23, 90, false, false}, /* agrees */
        {quiet, 51007, 90, false, false}, /* sent with the 200, before checks */
        {quiet, 51004, 55, false, false}, /* said before the failure */
        {quiet, 51004, 90, true, false},  /* another pair works: nothing to report */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene s;
        scene_incident(&s);
        call_diag(&s.call, at(rows[i].seen), rows[i].code, "caller", rows[i].value);
        s.f.info = s.ctx.other_pair_connected = rows[i].info;
        scene_run(&s);
        if (rows[i].hit)
            scene_expect(&s, "conflict-with-endpoint", false);
        else
            scene_expect_none(&s, "conflict-with-endpoint");
    }
}

/* What the wire denies, by who says it and when. */
static void client_that_the_wire_contradicts(void **state)
{
    static const struct {
        const char *who, *value;
        double seen;
        bool granted, hit;
    } rows[] = {
        {"caller", "23;CallerMediaDebug=\"application-sharing:ICEWarn=0x4000208\"", 90, true, true},
        {"caller", "23;CallerMediaDebug=\"application-sharing:ICEWarn=0x4000200\"", 90, true,
         false},
        {"caller", "23;CallerMediaDebug=\"application-sharing:ICEWarn=0x4000208\"", 90, false,
         false},
        /* the far client's relay is not seen here */
        {"callee", "23;CalleeMediaDebug=\"application-sharing:ICEWarn=0x4000208\"", 90, true,
         false},
        /* several relays: another one may have refused it */
        {"caller", "23;CallerMediaDebug=\"application-sharing:ICEWarn=0x4100208\"", 90, true,
         false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene s;
        scene_incident(&s);
        uint32_t warn = (uint32_t)strtoul(strstr(rows[i].value, "0x"), NULL, 16);
        call_diag(&s.call, at(rows[i].seen), 23, rows[i].who, rows[i].value);
        s.call.call.diags[s.call.call.n_diags - 1].icewarn = warn;
        s.ctx.near_side = SIDE_OFFER;
        s.ctx.allocation = &s.own.fact;
        s.own.fact.granted = rows[i].granted;
        scene_run(&s);
        const struct finding *f = scene_find(&s, "conflict-with-endpoint");
        if ((f != NULL) != rows[i].hit)
            fail_msg("row %zu", i);
        if (f)
            expect_text(f->evidence, "the relay granted it a TCP port");
    }
}

/* The client's own bit makes a hypothesis of the wire likely; another bit does not. */
static void client_that_says_the_same(void **state)
{
    static const struct {
        uint32_t warn;
        bool likely;
    } rows[] = {{0x800000, true}, {0x400000, false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene s;
        char value[96];
        scene_client_leg(&s, VERDICT_PSEUDOTLS_FAIL);
        call_make(&s.call, "2.2.2.2:58138", "1.1.1.1:50704");
        snprintf(value, sizeof value, "23;CallerMediaDebug=\"audio:ICEWarn=0x%x\"", rows[i].warn);
        call_diag(&s.call, at(90), 23, "caller", value);
        s.call.call.diags[0].icewarn = rows[i].warn;
        s.ctx.call = &s.call.call;
        s.ctx.near_side = SIDE_OFFER;
        s.ctx.tls_instead = -1;
        scene_run(&s);
        scene_expect(&s, "tls-inspection-on-443", rows[i].likely);
    }
}

/* ---- text of strangers ---- */

static void foreign_bytes_and_lengths_stay_json(void **state)
{
    struct scene s;
    char side[4000];
    (void)state;
    scene_incident(&s);
    memset(side, 0xff, sizeof side);
    side[sizeof side - 1] = 0;
    s.call.call.callee = s.call.call.caller = side;
    call_diag(&s.call, at(90), 51004, side,
              "51004;CallerMediaDebug=\"application-sharing:ICEWarn=0x0,LocalMR=2.2.2.2:58138\"");
    scene_run(&s);
    scene_expect(&s, "conflict-with-endpoint", false);
    scene_expect(&s, "no-relay-on-peer", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_that_the_wire_contradicts),
        cmocka_unit_test(client_that_says_the_same),
        cmocka_unit_test(allocation_errors_have_their_codes),
        cmocka_unit_test(a_lone_challenge_rejects_nobody),
        cmocka_unit_test(pseudotls_answer_tells_of_inspection),
        cmocka_unit_test(tls_alert_is_likely_a_tls_failure),
        cmocka_unit_test(both_relays_at_one_edge_lack_a_hairpin),
        cmocka_unit_test(private_relay_address_cannot_be_reached),
        cmocka_unit_test(private_relay_of_the_peer),
        cmocka_unit_test(answer_without_relay),
        cmocka_unit_test(legacy_candidate_may_be_the_relay),
        cmocka_unit_test(default_address_may_be_the_relay),
        cmocka_unit_test(diagnostics_without_remote_relay),
        cmocka_unit_test(granted_relay_never_used),
        cmocka_unit_test(nothing_seen_outside_points_to_the_sensor),
        cmocka_unit_test(client_that_reports_nothing_contradicts_the_wire),
        cmocka_unit_test(foreign_bytes_and_lengths_stay_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
