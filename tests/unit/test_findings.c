/* What is concluded from one failure, what is not, and how it is told in words. */
#include "flows/findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <jansson.h>

#include "flows/wire/framing.h"
#include "flows/wire/sdp.h"
#include "tests/help/facts_lab.h"

/* A failure with all that its rules may look at: the incident, grade A, unless a test changes it.
 */
struct scene {
    struct call_made call;
    struct allocation_made own;
    struct attempt attempt;
    struct failure f;
    struct failure_context ctx;
    struct finding list[FINDINGS_MAX];
    unsigned n;
};

static void scene_from_attempt(struct scene *s)
{
    const struct attempt *a = &s->attempt;
    s->f.verdict = a->verdict;
    s->f.proto = a->proto;
    s->f.src = a->src;
    s->f.dst = a->dst;
    s->f.first = a->first;
    s->f.last = a->last;
    s->f.syns = a->syns;
    s->f.rsts = a->rsts;
    s->f.rtt_us = a->rtt_us;
    s->f.icmp_type = a->icmp_type;
    s->f.icmp_code = a->icmp_code;
    s->f.icmp_from = a->icmp_from;
}

static void scene_incident(struct scene *s)
{
    *s = (struct scene){.attempt = attempt_of_incident(),
                        .f = {.leg = LEG_RELAY_PEER,
                              .grade = 'A',
                              .attempts = 1,
                              .id = 1,
                              .confidence = CONFIDENCE_CONFIRMED,
                              .medium = "applicationsharing"}};
    call_make(&s->call, "2.2.2.2:58138", "1.1.1.1:50704");
    call_add(&s->call, SIDE_OFFER, CAND_HOST, false, "10.98.2.1:21916");
    call_add(&s->call, SIDE_OFFER, CAND_RELAY, false, "2.2.2.2:58138");
    call_add(&s->call, SIDE_ANSWER, CAND_HOST, false, "10.26.10.50:50058");
    allocation_make(&s->own, "10.98.2.1:13211", "10.3.0.34:443", "2.2.2.2:58138");
    scene_from_attempt(s);
    s->f.src_public = ad("2.2.2.2");
    s->f.client = s->own.fact.client;
    s->ctx = (struct failure_context){.call = &s->call.call,
                                      .allocation = &s->own.fact,
                                      .attempt = &s->attempt,
                                      .send = allocation_send(&s->own, "1.1.1.1:50704", 53.067),
                                      .near_side = SIDE_OFFER,
                                      .tls_instead = -1};
}

/* The client's way to its relay at 443. */
static void scene_client_leg(struct scene *s, enum verdict v)
{
    scene_incident(s);
    s->attempt = attempt_make(1, "10.98.2.1:13211", "10.3.0.34:443", v, 49.1);
    scene_from_attempt(s);
    s->f.src_public = ad("");
    s->f.leg = LEG_CLIENT_RELAY;
    s->f.grade = 'B';
    s->ctx.call = NULL;
    s->ctx.send = NULL;
    s->own.fact.granted = false;
    s->ctx.allocation = v == VERDICT_ALLOC_FAIL ? &s->own.fact : NULL;
}

static void run(struct scene *s)
{
    s->n = findings_of_failure(&s->f, &s->ctx, s->list);
    for (unsigned i = 0; i < s->n; i++) {
        json_error_t why;
        json_t *j = json_loads(s->list[i].evidence, 0, &why);
        if (!j)
            fail_msg("%s: %s in %s", s->list[i].code, why.text, s->list[i].evidence);
        assert_true(json_array_size(json_object_get(j, "for")) > 0);
        assert_true(json_is_array(json_object_get(j, "against")));
        assert_true(json_array_size(json_object_get(j, "settle")) > 0);
        json_decref(j);
        assert_true(strlen(s->list[i].advice) > 20);
    }
}

static const struct finding *find(const struct scene *s, const char *code)
{
    for (unsigned i = 0; i < s->n; i++)
        if (strcmp(s->list[i].code, code) == 0)
            return &s->list[i];
    return NULL;
}

static void expect(const struct scene *s, const char *code, bool likely)
{
    const struct finding *f = find(s, code);
    if (!f)
        fail_msg("%s is missing", code);
    assert_int_equal(f->likely, likely);
}

static void expect_none(const struct scene *s, const char *code)
{
    if (find(s, code))
        fail_msg("%s is claimed: %s", code, find(s, code)->evidence);
}

static void expect_text(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in: %s", part, text);
}

/* ---- the federated incident ---- */

static void incident_gets_three_possible_hypotheses(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    run(&s);
    assert_int_equal(s.n, 3);
    expect(&s, "own-outbound-range-blocked", false);
    expect(&s, "far-side-refuses", false);
    expect(&s, "permission-race", false);
    /* the reader's own firewall log decides first; see findings_path.c */
    assert_string_equal(s.list[0].code, "own-outbound-range-blocked");
}

static void incident_weighs_the_round_trip(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    run(&s);
    const char *own = find(&s, "own-outbound-range-blocked")->evidence;
    const char *far = find(&s, "far-side-refuses")->evidence;
    const char *line = "answered after 43 ms: too long for a box next to the Edge";
    assert_true(strstr(own, line) > strstr(own, "\"against\""));
    assert_true(strstr(far, line) && strstr(far, line) < strstr(far, "\"against\""));
    expect_text(own, "3 SYNs, 3 RSTs");
    expect_text(own, "outbound TCP to 1.1.1.1:50704");
}

static void nobody_is_blamed_from_an_address(void **state)
{
    struct scene s;
    char words[FINDING_TEXT];
    (void)state;
    scene_incident(&s);
    run(&s);
    finding_explain(&s.f, &s.ctx, words, sizeof words);
    for (unsigned i = 0; i < s.n; i++)
        assert_null(strstr(s.list[i].evidence, "remote refused"));
    assert_null(strstr(words, "1.1.1.1 refused"));
    expect_text(words, "The trace does not show who sent the RSTs.");
}

static void advice_can_be_pasted(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    run(&s);
    const char *advice = find(&s, "own-outbound-range-blocked")->advice;
    expect_text(advice, "TCP from 2.2.2.2 (10.3.0.40) source ports 50000-59999 to 1.1.1.1:50704 at "
                        "2012-12-10 10:43:59 to 10:44:00 UTC");
}

static void configured_range_is_named(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.ctx.relay_low = 40000;
    s.ctx.relay_high = 60000;
    run(&s);
    expect_text(s.list[0].advice, "source ports 40000-60000");
}

static void answer_from_nearby_is_not_the_peers(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.f.rtt_us = s.attempt.rtt_us = 700;
    run(&s);
    assert_string_equal(s.list[0].code, "own-outbound-range-blocked");
    assert_false(s.list[0].likely);
    expect_none(&s, "far-side-refuses");
}

static void private_peer_may_be_nearby(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.f.rtt_us = s.attempt.rtt_us = 700;
    s.f.dst = ep("192.168.7.7:50704");
    run(&s);
    expect(&s, "far-side-refuses", false);
}

static void ttl_and_ip_id_are_held_against_windows(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.attempt.answer_ttl = 52;
    s.attempt.answer_ipid = 0;
    run(&s);
    const char *own = find(&s, "own-outbound-range-blocked")->evidence;
    expect_text(own, "TTL 52 of the answer: it set out with 64");
    assert_true(strstr(own, "IP id 0") < strstr(own, "\"against\""));
    s.attempt.answer_ttl = 116;
    run(&s);
    expect_text(find(&s, "own-outbound-range-blocked")->evidence, "it set out with 128");
}

static void strangers_at_a_relay_port_mean_nothing(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.attempt = attempt_make(1, "198.51.100.66:41000", "10.3.0.40:58138", VERDICT_REFUSED, 59);
    scene_from_attempt(&s);
    s.f.src_public = ad("");
    s.f.grade = 'C';
    s.ctx = (struct failure_context){
        .attempt = &s.attempt, .from_far = true, .near_side = -1, .tls_instead = -1};
    run(&s);
    assert_int_equal(s.n, 0);
}

static void udp_port_unreachable_is_a_refusal(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.attempt.proto = PROTO_UDP;
    s.attempt.verdict = VERDICT_UNREACHABLE;
    s.attempt.icmp_type = s.attempt.icmp_code = 3;
    scene_from_attempt(&s);
    run(&s);
    expect(&s, "own-outbound-range-blocked", false);
    expect(&s, "far-side-refuses", false);
    s.f.icmp_code = 1; /* host unreachable: a route, not a refusal */
    run(&s);
    assert_int_equal(s.n, 0);
}

/* ---- permission-race ---- */

static void race_leads_if_the_far_side_came_before_our_send(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.attempt = attempt_make(1, "1.1.1.1:50704", "10.3.0.40:58138", VERDICT_REFUSED, 52.0);
    scene_from_attempt(&s);
    s.f.dst_public = ad("2.2.2.2");
    s.f.src_public = ad("");
    s.ctx.from_far = s.ctx.far_sent_first = true;
    run(&s);
    assert_string_equal(s.list[0].code, "permission-race");
    assert_false(s.list[0].likely);
    expect_text(s.list[0].evidence, "our client had not yet told its relay");
    expect_none(&s, "own-outbound-range-blocked");
    expect_none(&s, "far-side-refuses");
}

static void race_is_faint_if_our_send_came_before(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.ctx.far_sent_first = true; /* Send at 53.067, refused at 59.456 */
    run(&s);
    assert_string_equal(s.list[s.n - 1].code, "permission-race");
    expect_text(s.list[s.n - 1].evidence, "our client had told its relay to send to it before");
}

static void race_leads_right_after_the_answer(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.call.call.answered = at(59.0);
    run(&s);
    assert_string_equal(s.list[0].code, "permission-race");
    s.call.call.answered = at(53.0);
    run(&s);
    assert_string_not_equal(s.list[0].code, "permission-race");
}

/* ---- lost and forbidden ---- */

static void silence_is_a_possible_drop(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.attempt.verdict = VERDICT_TIMEOUT;
    s.attempt.rsts = 0;
    s.attempt.rtt_us = -1;
    scene_from_attempt(&s);
    run(&s);
    assert_int_equal(s.n, 1);
    expect(&s, "silent-drop", false);
    expect_text(s.list[0].evidence, "3 SYNs, no answer of any kind");
}

static void silence_before_a_lossy_sensor_is_the_sensors_first(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.attempt.verdict = VERDICT_TIMEOUT;
    scene_from_attempt(&s);
    s.f.quality = QUALITY_ONE_WAY;
    run(&s);
    assert_string_equal(s.list[0].code, "sensor-blind");
    expect(&s, "silent-drop", false);
}

static void direct_way_beside_a_working_one_is_no_finding(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.attempt.verdict = VERDICT_TIMEOUT;
    scene_from_attempt(&s);
    s.f.leg = LEG_DIRECT;
    s.ctx.other_pair_connected = true;
    run(&s);
    assert_int_equal(s.n, 0);
}

static void icmp_admin_prohibited_is_likely_with_its_sender(void **state)
{
    static const struct {
        const char *dst, *from;
        int16_t type, code;
        bool hit;
    } rows[] = {
        {"1.1.1.1:50704", "10.3.0.1", 3, 9, true},
        {"1.1.1.1:50704", "10.3.0.1", 3, 10, true},
        {"1.1.1.1:50704", "10.3.0.1", 3, 13, true},
        {"1.1.1.1:50704", "10.3.0.1", 3, 1, false},
        {"1.1.1.1:50704", "10.3.0.1", 3, 3, false},
        {"1.1.1.1:50704", "10.3.0.1", 11, 0, false},
        {"[2001:db8::1]:50704", "2001:db8::fe", 1, 1, true},
        {"[2001:db8::1]:50704", "2001:db8::fe", 1, 0, false},
        {"[2001:db8::1]:50704", "2001:db8::fe", 3, 13, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene s;
        scene_incident(&s);
        s.attempt.verdict = VERDICT_UNREACHABLE;
        s.attempt.dst = ep(rows[i].dst);
        s.attempt.icmp_type = rows[i].type;
        s.attempt.icmp_code = rows[i].code;
        s.attempt.icmp_from = ad(rows[i].from);
        scene_from_attempt(&s);
        run(&s);
        if (!rows[i].hit) {
            expect_none(&s, "admin-prohibited");
            continue;
        }
        expect(&s, "admin-prohibited", true);
        assert_string_equal(s.list[0].code, "admin-prohibited");
        expect_text(s.list[0].evidence, rows[i].from);
        expect_text(s.list[0].advice, rows[i].from);
    }
}

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
        run(&s);
        assert_int_equal(s.n, rows[i].code ? 1 : 0);
        if (rows[i].code)
            expect(&s, rows[i].code, true);
    }
}

static void a_lone_challenge_rejects_nobody(void **state)
{
    struct scene s;
    (void)state;
    scene_client_leg(&s, VERDICT_ALLOC_FAIL);
    s.f.error_code = 401;
    s.own.fact.requests = 1;
    run(&s);
    expect(&s, "relay-auth-failed", false);
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
        run(&s);
        assert_int_equal(s.n, 1);
        expect(&s, "tls-inspection-on-443", rows[i].likely);
    }
}

static void tls_alert_is_likely_a_tls_failure(void **state)
{
    struct scene s;
    (void)state;
    scene_client_leg(&s, VERDICT_TLS_FAIL);
    s.ctx.tls_instead = TLS_ALERT;
    run(&s);
    expect(&s, "signaling-tls-failed", true);
    s.ctx.tls_instead = -1;
    run(&s);
    expect(&s, "signaling-tls-failed", false);
    expect_none(&s, "tls-inspection-on-443");
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
    run(&s);
    assert_string_equal(s.list[0].code, "hairpin-missing");
    expect_none(&s, "own-outbound-range-blocked");
    s.f.dst = ep("2.2.2.3:58200"); /* another Edge of the pool */
    run(&s);
    expect_none(&s, "hairpin-missing");
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
    run(&s);
    assert_string_equal(s.list[0].code, "private-relay-address");
    expect_text(s.list[0].evidence, "10.3.0.40:58138 of our side is private");
    s.f.dst = ep("10.77.0.1:50704"); /* both inside: nothing strange */
    run(&s);
    expect_none(&s, "private-relay-address");
}

static void private_relay_of_the_peer(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.f.dst = ep("172.16.4.4:50704");
    snprintf(s.f.remote_candidate, sizeof s.f.remote_candidate, "relay TCP-PASS 172.16.4.4:50704");
    run(&s);
    expect(&s, "private-relay-address", false);
    snprintf(s.f.remote_candidate, sizeof s.f.remote_candidate, "host TCP-PASS 172.16.4.4:50704");
    run(&s);
    expect_none(&s, "private-relay-address");
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
    run(&s);
    assert_string_equal(s.list[0].code, "no-relay-on-peer");
    assert_false(s.list[0].likely);
    expect_text(s.list[0].advice, "sip:user2@fabrikam.com");
}

/* The incident's answer shows no relay line, but its default address is none of its host
 * candidates. */
static void default_address_may_be_the_relay(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    run(&s);
    expect_none(&s, "no-relay-on-peer");
}

static void diagnostics_without_remote_relay(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    call_diag(&s.call, at(90), 24, "caller",
              "24;reason=\"x\";CallerMediaDebug=\"application-sharing:ICEWarn=0x320,"
              "LocalMR=2.2.2.2:58138,RemoteSite=192.168.20.203:50045,LocalMRTCPPort=57498\"");
    run(&s);
    expect(&s, "no-relay-on-peer", false);
    s.ctx.near_side = SIDE_ANSWER; /* then it is our own side that has none */
    run(&s);
    expect_none(&s, "no-relay-on-peer");
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
    run(&s);
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
    run(&s);
    assert_int_equal(s.n, 1);
    expect(&s, "sensor-blind", false);
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
        run(&s);
        if (rows[i].hit)
            expect(&s, "conflict-with-endpoint", false);
        else
            expect_none(&s, "conflict-with-endpoint");
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
    run(&s);
    expect(&s, "conflict-with-endpoint", false);
    expect(&s, "no-relay-on-peer", false);
}

/* ---- explanations ---- */

static const char *explain(const struct scene *s)
{
    static char words[FINDING_TEXT];
    return finding_explain(&s->f, &s->ctx, words, sizeof words);
}

static void incident_in_words(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    assert_string_equal(
        explain(&s), "The relay 2.2.2.2:58138 (seen as 10.3.0.40:58138) sent 3 SYNs of one attempt "
                     "to 1.1.1.1:50704 within 1.13 s; each was answered by RST, the first after "
                     "43 ms. The trace does not show who sent the RSTs.");
}

static void every_verdict_has_words(void **state)
{
    static const char *const parts[VERDICTS] = {
        [VERDICT_REFUSED] = "answered by RST",
        [VERDICT_TIMEOUT] = "no answer of any kind was seen",
        [VERDICT_SINGLE_SYN] = "did not repeat it",
        [VERDICT_UNREACHABLE] =
            "ICMP type 3 code 13 (forbidden by a filter) that quotes it came from "
            "10.3.0.1",
        [VERDICT_HALF_OPEN] = "no ACK followed",
        [VERDICT_RETRY_CONFLICT] = "a SYN-ACK came that did not fit",
        [VERDICT_RESET_AFTER_OPEN] = "opened and was closed or reset",
        [VERDICT_OPEN_NO_CHECK] = "connectivity check got no good answer",
        [VERDICT_PSEUDOTLS_FAIL] = "answered by a certificate where none belongs",
        [VERDICT_TLS_FAIL] = "TLS handshake ended with a certificate",
        [VERDICT_ALLOC_FAIL] = "error 486 (quota reached)",
        [VERDICT_NOT_TRIED] = "no request to send to the peer was seen",
        [VERDICT_UNSEEN] = "cannot be told",
    };
    (void)state;
    for (unsigned v = VERDICT_REFUSED; v < VERDICTS; v++)
        for (int leg = LEG_CLIENT_RELAY; leg <= LEG_DIRECT; leg++) {
            struct scene s;
            scene_incident(&s);
            s.f.verdict = (uint8_t)v;
            s.f.leg = (uint8_t)leg;
            s.f.icmp_type = 3;
            s.f.icmp_code = 13;
            s.f.icmp_from = ad("10.3.0.1");
            s.f.error_code = 486;
            s.ctx.tls_instead = TLS_CERTIFICATE;
            expect_text(explain(&s), parts[v]);
            run(&s); /* and no rule stumbles over any of them */
        }
}

static void lossy_capture_is_said(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.f.verdict = VERDICT_TIMEOUT;
    s.f.quality = QUALITY_LOSSY;
    expect_text(explain(&s), "The capture was lossy at that time");
}

static void explanation_fits_any_room(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    for (size_t room = 1; room < 300; room++) {
        char *words = test_malloc(room);
        finding_explain(&s.f, &s.ctx, words, room);
        assert_true(strlen(words) < room);
        test_free(words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(incident_gets_three_possible_hypotheses),
        cmocka_unit_test(incident_weighs_the_round_trip),
        cmocka_unit_test(nobody_is_blamed_from_an_address),
        cmocka_unit_test(advice_can_be_pasted),
        cmocka_unit_test(configured_range_is_named),
        cmocka_unit_test(answer_from_nearby_is_not_the_peers),
        cmocka_unit_test(private_peer_may_be_nearby),
        cmocka_unit_test(ttl_and_ip_id_are_held_against_windows),
        cmocka_unit_test(strangers_at_a_relay_port_mean_nothing),
        cmocka_unit_test(udp_port_unreachable_is_a_refusal),
        cmocka_unit_test(race_leads_if_the_far_side_came_before_our_send),
        cmocka_unit_test(race_is_faint_if_our_send_came_before),
        cmocka_unit_test(race_leads_right_after_the_answer),
        cmocka_unit_test(silence_is_a_possible_drop),
        cmocka_unit_test(silence_before_a_lossy_sensor_is_the_sensors_first),
        cmocka_unit_test(direct_way_beside_a_working_one_is_no_finding),
        cmocka_unit_test(icmp_admin_prohibited_is_likely_with_its_sender),
        cmocka_unit_test(allocation_errors_have_their_codes),
        cmocka_unit_test(a_lone_challenge_rejects_nobody),
        cmocka_unit_test(pseudotls_answer_tells_of_inspection),
        cmocka_unit_test(tls_alert_is_likely_a_tls_failure),
        cmocka_unit_test(both_relays_at_one_edge_lack_a_hairpin),
        cmocka_unit_test(private_relay_address_cannot_be_reached),
        cmocka_unit_test(private_relay_of_the_peer),
        cmocka_unit_test(answer_without_relay),
        cmocka_unit_test(default_address_may_be_the_relay),
        cmocka_unit_test(diagnostics_without_remote_relay),
        cmocka_unit_test(granted_relay_never_used),
        cmocka_unit_test(nothing_seen_outside_points_to_the_sensor),
        cmocka_unit_test(client_that_reports_nothing_contradicts_the_wire),
        cmocka_unit_test(foreign_bytes_and_lengths_stay_json),
        cmocka_unit_test(incident_in_words),
        cmocka_unit_test(every_verdict_has_words),
        cmocka_unit_test(lossy_capture_is_said),
        cmocka_unit_test(explanation_fits_any_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
