/* What is concluded from one failure about the way between relay and peer, and what is not. */
#include "flows/findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "tests/help/expect.h"
#include "tests/help/scene.h"

/* ---- the federated incident ---- */

static void incident_gets_three_possible_hypotheses(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    scene_run(&s);
    assert_int_equal(s.n, 3);
    scene_expect(&s, "own-outbound-range-blocked", false);
    scene_expect(&s, "far-side-refuses", false);
    scene_expect(&s, "permission-race", false);
    /* the reader's own firewall log decides first; see findings_path.c */
    assert_string_equal(s.list[0].code, "own-outbound-range-blocked");
}

static void incident_weighs_the_round_trip(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    scene_run(&s);
    const char *own = scene_find(&s, "own-outbound-range-blocked")->evidence;
    const char *far = scene_find(&s, "far-side-refuses")->evidence;
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
    scene_run(&s);
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
    scene_run(&s);
    const char *advice = scene_find(&s, "own-outbound-range-blocked")->advice;
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
    scene_run(&s);
    expect_text(s.list[0].advice, "source ports 40000-60000");
}

static void answer_from_nearby_is_not_the_peers(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.f.rtt_us = s.attempt.rtt_us = 700;
    scene_run(&s);
    assert_string_equal(s.list[0].code, "own-outbound-range-blocked");
    assert_false(s.list[0].likely);
    scene_expect_none(&s, "far-side-refuses");
}

static void private_peer_may_be_nearby(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.f.rtt_us = s.attempt.rtt_us = 700;
    s.f.dst = ep("192.168.7.7:50704");
    scene_run(&s);
    scene_expect(&s, "far-side-refuses", false);
}

static void ttl_and_ip_id_are_held_against_windows(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.attempt.answer_ttl = 52;
    s.attempt.answer_ipid = 0;
    scene_run(&s);
    const char *own = scene_find(&s, "own-outbound-range-blocked")->evidence;
    expect_text(own, "TTL 52 of the answer: it set out with 64");
    assert_true(strstr(own, "IP id 0") < strstr(own, "\"against\""));
    s.attempt.answer_ttl = 116;
    scene_run(&s);
    expect_text(scene_find(&s, "own-outbound-range-blocked")->evidence, "it set out with 128");
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
    scene_run(&s);
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
    scene_run(&s);
    scene_expect(&s, "own-outbound-range-blocked", false);
    scene_expect(&s, "far-side-refuses", false);
    s.f.icmp_code = 1; /* host unreachable: a route, not a refusal */
    scene_run(&s);
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
    scene_run(&s);
    assert_string_equal(s.list[0].code, "permission-race");
    assert_false(s.list[0].likely);
    expect_text(s.list[0].evidence, "our client had not yet told its relay");
    scene_expect_none(&s, "own-outbound-range-blocked");
    scene_expect_none(&s, "far-side-refuses");
}

static void race_is_faint_if_our_send_came_before(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.ctx.far_sent_first = true; /* Send at 53.067, refused at 59.456 */
    scene_run(&s);
    assert_string_equal(s.list[s.n - 1].code, "permission-race");
    expect_text(s.list[s.n - 1].evidence, "our client had told its relay to send to it before");
}

static void race_leads_right_after_the_answer(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.call.call.answered = at(59.0);
    scene_run(&s);
    assert_string_equal(s.list[0].code, "permission-race");
    s.call.call.answered = at(53.0);
    scene_run(&s);
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
    scene_run(&s);
    assert_int_equal(s.n, 1);
    scene_expect(&s, "silent-drop", false);
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
    scene_run(&s);
    assert_string_equal(s.list[0].code, "sensor-blind");
    scene_expect(&s, "silent-drop", false);
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
    scene_run(&s);
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
        scene_run(&s);
        if (!rows[i].hit) {
            scene_expect_none(&s, "admin-prohibited");
            continue;
        }
        scene_expect(&s, "admin-prohibited", true);
        assert_string_equal(s.list[0].code, "admin-prohibited");
        expect_text(s.list[0].evidence, rows[i].from);
        expect_text(s.list[0].advice, rows[i].from);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
