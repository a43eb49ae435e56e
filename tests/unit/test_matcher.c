/* The join keys, what they prove, and for how long. Facts of the federated incident (P§8, P§9). */
#include "flows/matcher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "flows/limits.h"
#include "flows/wire/sdp.h"
#include "tests/help/facts_lab.h"

struct scene {
    struct call_made call;
    struct allocation_made own;
    struct match_question q;
    struct match_answer a;
};

/* 2.2.2.2:58138 (10.3.0.40 on the wire) asks 1.1.1.1:50704; nothing known of either yet. */
static void scene_make(struct scene *s)
{
    *s = (struct scene){.q = {.proto = PROTO_TCP}};
    call_make(&s->call, "2.2.2.2:58138", "1.1.1.1:50704");
    allocation_make(&s->own, "10.98.2.1:13211", "10.3.0.34:443", "2.2.2.2:58138");
    s->q.end[0] = (struct match_end){
        .wire = ep("10.3.0.40:58138"), .pub = ep("2.2.2.2:58138"), .aliased = true};
    s->q.end[1] = (struct match_end){.wire = ep("1.1.1.1:50704"), .pub = ep("1.1.1.1:50704")};
}

static void know_call(struct scene *s)
{
    call_add(&s->call, SIDE_OFFER, CAND_HOST, false, "10.98.2.1:21916");
    struct fact_candidate *relay =
        call_add(&s->call, SIDE_OFFER, CAND_RELAY, false, "2.2.2.2:58138");
    relay->related = ep("10.98.2.1:13211");
    call_add(&s->call, SIDE_ANSWER, CAND_HOST, false, "10.26.10.50:50058");
    s->q.call = &s->call.call;
}

static void know_allocation(struct scene *s)
{
    s->q.end[0].allocation = &s->own.fact;
    allocation_send(&s->own, "1.1.1.1:50704", 53.067);
}

static void judge(struct scene *s)
{
    match_judge(&s->q, &s->a);
}

static enum confidence confidence_of(const struct scene *s)
{
    return match_confidence(s->a.keys, s->a.both_ends);
}

static void swap_ends(struct scene *s)
{
    struct match_end e = s->q.end[0];
    s->q.end[0] = s->q.end[1];
    s->q.end[1] = e;
}

/* ---- words ---- */

static void keys_are_listed_strongest_first(void **state)
{
    char text[160];
    (void)state;
    assert_string_equal(match_keys_text(0, text), "");
    assert_string_equal(match_keys_text(KEY_SEND_DESTINATION | KEY_RELAY_ADDRESS | KEY_ALIAS, text),
                        "relay-address,alias,send-destination");
    assert_string_equal(
        match_keys_text((1u << MATCH_KEYS) - 1, text),
        "relay-address,alias,send-destination,candidate,default-address,rport,ufrag,connection-id,"
        "turn-call-id,media-debug");
}

static void two_keys_confirm_one_is_probable(void **state)
{
    static const struct {
        unsigned keys;
        bool both;
        enum confidence want;
    } rows[] = {
        {0, false, CONFIDENCE_UNMATCHED},
        {KEY_ALIAS, false, CONFIDENCE_UNMATCHED},
        {KEY_RELAY_ADDRESS, false, CONFIDENCE_PROBABLE},
        {KEY_RELAY_ADDRESS | KEY_ALIAS, false, CONFIDENCE_PROBABLE},
        {KEY_RELAY_ADDRESS | KEY_SEND_DESTINATION, false, CONFIDENCE_CONFIRMED},
        {KEY_CANDIDATE, false, CONFIDENCE_PROBABLE},
        {KEY_CANDIDATE, true, CONFIDENCE_CONFIRMED},
        {KEY_DEFAULT_ADDRESS, false, CONFIDENCE_PROBABLE},
        {KEY_CANDIDATE | KEY_DEFAULT_ADDRESS, false,
         CONFIDENCE_PROBABLE}, /* one end, named twice */
        {KEY_CANDIDATE | KEY_DEFAULT_ADDRESS, true, CONFIDENCE_CONFIRMED},
        {KEY_CANDIDATE | KEY_RPORT, false, CONFIDENCE_CONFIRMED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(match_confidence(rows[i].keys, rows[i].both), rows[i].want);
}

/* ---- the incident, fact by fact ---- */

static void nothing_known_matches_nothing(void **state)
{
    struct scene s;
    (void)state;
    scene_make(&s);
    s.q.end[0].aliased = false;
    judge(&s);
    assert_int_equal(s.a.keys, 0);
    assert_null(s.a.send);
    assert_int_equal(s.a.side[0], -1);
}

static void turn_alone_confirms_by_relay_and_destination(void **state)
{
    struct scene s;
    (void)state;
    scene_make(&s);
    know_allocation(&s);
    judge(&s);
    assert_int_equal(s.a.keys, KEY_RELAY_ADDRESS | KEY_ALIAS | KEY_SEND_DESTINATION);
    assert_ptr_equal(s.a.send, &s.own.sends[0]);
    assert_int_equal(confidence_of(&s), CONFIDENCE_CONFIRMED);
    assert_int_equal(s.a.near, 0);
}

static void relay_port_alone_is_probable(void **state)
{
    struct scene s;
    (void)state;
    scene_make(&s);
    s.q.end[0].allocation = &s.own.fact;
    allocation_send(&s.own, "9.9.9.9:50704", 53);
    allocation_send(&s.own, "1.1.1.1:50705", 53);
    judge(&s);
    assert_null(s.a.send);
    assert_int_equal(confidence_of(&s), CONFIDENCE_PROBABLE);
}

/* The answer's relay line is cut off in the report: its m= and c= lines are enough (P§2.3). */
static void signaling_alone_confirms_by_both_ends(void **state)
{
    struct scene s;
    (void)state;
    scene_make(&s);
    know_call(&s);
    judge(&s);
    assert_int_equal(s.a.keys, KEY_ALIAS | KEY_CANDIDATE | KEY_DEFAULT_ADDRESS);
    assert_true(s.a.both_ends);
    assert_int_equal(s.a.side[0], SIDE_OFFER);
    assert_int_equal(s.a.side[1], SIDE_ANSWER);
    assert_int_equal(s.a.candidate[0]->type, CAND_RELAY);
    assert_null(s.a.candidate[1]);
    assert_true(s.a.preset[1]);
    assert_int_equal(confidence_of(&s), CONFIDENCE_CONFIRMED);
}

static void offered_relay_to_an_unnamed_peer_is_probable(void **state)
{
    struct scene s;
    (void)state;
    scene_make(&s);
    know_call(&s);
    s.q.end[1].wire = s.q.end[1].pub = ep("9.9.9.9:443");
    judge(&s);
    assert_false(s.a.both_ends);
    assert_int_equal(confidence_of(&s), CONFIDENCE_PROBABLE);
}

static void everything_known_gives_every_key(void **state)
{
    struct scene s;
    char text[160];
    (void)state;
    scene_make(&s);
    know_call(&s);
    know_allocation(&s);
    s.own.fact.call_id = s.call.call.call_id;
    s.own.sends[0].by_connection = true;
    s.own.sends[0].remote_ufrag = "G/Yw";
    s.own.sends[0].local_ufrag = "PFb1";
    s.call.media[0].side[SIDE_OFFER].ufrag = "PFb1";
    s.call.media[0].side[SIDE_ANSWER].ufrag = "G/Yw";
    call_diag(&s.call, at(53), 51007, "callee",
              "51007;reason=\"Callee media connectivity diagnosis info\";"
              "CalleeMediaDebug=\"application-sharing:ICEWarn=0x0,LocalMR=1.1.1.1:50704,"
              "RemoteMR=2.2.2.2:58138\"");
    judge(&s);
    assert_string_equal(
        match_keys_text(s.a.keys, text),
        "relay-address,alias,send-destination,candidate,default-address,rport,ufrag,"
        "connection-id,turn-call-id,media-debug");
}

/* Which of these name the pair of the incident (1.1.1.1:50704 and 2.2.2.2:58138)? */
static void what_media_debug_names(void **state)
{
    static const struct {
        const char *fields;
        bool names;
    } rows[] = {
        {"LocalMR=1.1.1.1:50704,RemoteMR=2.2.2.2:58138", true},
        {"LocalMR=2.2.2.2:58138,RemoteMR=1.1.1.1:50704", true},
        {"LocalMR=1.1.1.1:50000,RemoteMR=2.2.2.2:50002,LocalMRTCPPort=50704,RemoteMRTCPPort=58138",
         true}, /* audio: UDP ports in the first (P§3.1) */
        {"LocalMR=1.1.1.1:50000,RemoteMR=2.2.2.2:50002,LocalMRTCPPort=50705,RemoteMRTCPPort=58138",
         false},
        {"LocalMR=1.1.1.1:50704", true}, /* its peer has no relay */
        {"LocalMR=1.1.1.1:50704,RemoteMR=3.3.3.3:58138", false},
        {"LocalMR=1.1.1.1:50704,RemoteMR=3.3.3.3:50002,RemoteSite=2.2.2.2:58138", true},
        {"RemoteMR=2.2.2.2:58138", false}, /* of any of its peers */
        {"RemoteMR=2.2.2.2:58138,LocalSite=1.1.1.1:50704", true},
        {"LocalMR=xx.xx.xxx.x:xxx,RemoteMR=xx.xx.xxx.x:xxx", false},
        {"LocalMRTCPPort=50704", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene s;
        char value[256];
        scene_make(&s);
        know_call(&s);
        know_allocation(&s);
        snprintf(value, sizeof value,
                 "24;reason=\"x\";CalleeMediaDebug=\"application-sharing:ICEWarn=0x0,%s\"",
                 rows[i].fields);
        call_diag(&s.call, at(53), 24, "callee", value);
        judge(&s);
        if (((s.a.keys & KEY_MEDIA_DEBUG) != 0) != rows[i].names)
            fail_msg("%s", rows[i].fields);
    }
}

static void direction_does_not_matter(void **state)
{
    struct scene s;
    (void)state;
    scene_make(&s);
    know_call(&s);
    know_allocation(&s);
    judge(&s);
    struct match_answer out = s.a;
    swap_ends(&s);
    judge(&s);
    assert_int_equal(s.a.keys, out.keys);
    assert_int_equal(s.a.near, 1);
    assert_int_equal(s.a.side[0], SIDE_ANSWER);
    assert_int_equal(s.a.side[1], SIDE_OFFER);
    assert_ptr_equal(s.a.candidate[1], out.candidate[0]);
    assert_ptr_equal(s.a.send, out.send);
}

/* ---- single keys, hit and miss ---- */

static void rport_is_the_clients_port(void **state)
{
    struct scene s;
    (void)state;
    scene_make(&s);
    know_call(&s);
    know_allocation(&s);
    judge(&s);
    assert_true(s.a.keys & KEY_RPORT);
    s.own.fact.client = ep("10.98.2.1:13212");
    judge(&s);
    assert_false(s.a.keys & KEY_RPORT);
    s.own.fact.reflexive =
        ep("10.98.2.1:13211"); /* what the Edge saw, behind a NAT of the client */
    judge(&s);
    assert_true(s.a.keys & KEY_RPORT);
}

static void ufrags_must_agree_crosswise(void **state)
{
    static const struct {
        const char *remote, *local;
        bool hit;
    } rows[] = {{"G/Yw", "PFb1", true},  {"PFb1", "G/Yw", true}, {"G/Yw", "G/Yw", false},
                {"PFb1", "xxxx", false}, {NULL, "PFb1", false},  {"", "", false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene s;
        scene_make(&s);
        know_call(&s);
        know_allocation(&s);
        s.call.media[0].side[SIDE_OFFER].ufrag = "PFb1";
        s.call.media[0].side[SIDE_ANSWER].ufrag = "G/Yw";
        s.own.sends[0].remote_ufrag = rows[i].remote;
        s.own.sends[0].local_ufrag = rows[i].local;
        judge(&s);
        assert_int_equal((s.a.keys & KEY_UFRAG) != 0, rows[i].hit);
    }
}

static void passive_source_is_never_rejected(void **state)
{
    struct scene s;
    (void)state;
    scene_make(&s);
    know_call(&s); /* the relay candidate is TCP-PASS, and it asks */
    judge(&s);
    assert_int_equal(s.a.candidate[0]->transport, CAND_TCP_PASS);
}

static void active_candidate_asks_from_any_port(void **state)
{
    struct scene s;
    (void)state;
    scene_make(&s);
    know_call(&s);
    struct fact_candidate *active = call_add(&s.call, SIDE_OFFER, CAND_HOST, false, "10.98.2.1:9");
    active->transport = CAND_TCP_ACT;
    s.q.end[0] = (struct match_end){.wire = ep("10.98.2.1:51888"), .pub = ep("10.98.2.1:51888")};
    s.q.end[1] =
        (struct match_end){.wire = ep("10.26.10.50:50058"), .pub = ep("10.26.10.50:50058")};
    judge(&s);
    assert_true(s.a.both_ends);
    assert_ptr_equal(s.a.candidate[0], active);
    s.q.end[0].pub = ep("10.98.2.2:51888");
    judge(&s);
    assert_false(s.a.both_ends);
}

static void transports_are_kept_apart(void **state)
{
    struct scene s;
    (void)state;
    scene_make(&s);
    know_call(&s);
    s.q.proto = PROTO_UDP; /* same numbers, other transport */
    judge(&s);
    assert_int_equal(s.a.keys, KEY_ALIAS);
    call_add(&s.call, SIDE_OFFER, CAND_RELAY, true, "2.2.2.2:58138");
    judge(&s);
    assert_int_equal(s.a.candidate[0]->transport, CAND_UDP);
}

static void rejected_medium_has_no_default(void **state)
{
    struct scene s;
    (void)state;
    scene_make(&s);
    know_call(&s);
    s.call.media[0].side[SIDE_ANSWER].present = false;
    judge(&s);
    assert_false(s.a.both_ends);
    assert_false(s.a.preset[1]);
}

static void both_ends_on_one_side_are_no_pair(void **state)
{
    struct scene s;
    (void)state;
    scene_make(&s);
    know_call(&s);
    s.q.end[1].wire = s.q.end[1].pub = ep("10.98.2.1:21916"); /* the offer's own host candidate */
    judge(&s);
    assert_false(s.a.both_ends);
}

static void sent_through_the_far_relay_counts(void **state)
{
    struct scene s;
    struct allocation_made other;
    (void)state;
    scene_make(&s);
    s.q.end[0].allocation = &s.own.fact; /* both users on one Edge; only the other one sent */
    allocation_make(&other, "10.98.2.7:13300", "10.3.0.34:443", "2.2.2.2:58200");
    allocation_send(&other, "2.2.2.2:58138", 53);
    s.q.end[1] = (struct match_end){
        .wire = ep("2.2.2.2:58200"), .pub = ep("2.2.2.2:58200"), .allocation = &other.fact};
    judge(&s);
    assert_ptr_equal(s.a.send, &other.sends[0]);
}

static void near_end_is_ours(void **state)
{
    struct scene s;
    (void)state;
    scene_make(&s);
    s.q.end[0].aliased = false;
    judge(&s);
    assert_int_equal(s.a.near, 0); /* nothing known: the asker */
    s.q.any_edge[1] = true;
    judge(&s);
    assert_int_equal(s.a.near, 1);
    s.q.end[0].aliased = true;
    judge(&s);
    assert_int_equal(s.a.near, 0);
    s.q.end[1].allocation = &s.own.fact;
    judge(&s);
    assert_int_equal(s.a.near, 1);
}

/* ---- lifetimes ---- */

static void scopes_live_from_slack_to_grace(void **state)
{
    struct scene s;
    const tick_t slack = MATCH_SLACK;
    (void)state;
    scene_make(&s);
    struct fact_call *c = &s.call.call;
    struct fact_allocation *a = &s.own.fact;
    c->ended = at(100);
    a->ended = at(100);
    assert_true(match_call_alive(c, c->started - slack, slack));
    assert_false(match_call_alive(c, c->started - slack - 1, slack));
    assert_true(match_call_alive(c, at(100) + CALL_GRACE, slack));
    assert_false(match_call_alive(c, at(100) + CALL_GRACE + 1, slack));
    assert_true(match_allocation_alive(a, a->started - slack, slack));
    assert_false(match_allocation_alive(a, a->started - slack - 1, slack));
    assert_true(match_allocation_alive(a, at(100) + ALLOCATION_GRACE, slack));
    assert_false(match_allocation_alive(a, at(100) + ALLOCATION_GRACE + 1, slack));
    c->started = c->ended = TICK_NONE;
    assert_true(match_call_alive(c, at(0), slack));
    assert_true(match_call_alive(c, at(1e6), slack));
}

static void an_allocation_owns_what_it_was_granted(void **state)
{
    struct scene s;
    struct endpoint relay = ep("2.2.2.2:58138"), second = ep("[2001:db8::2]:58138"), none = ep("");
    (void)state;
    scene_make(&s);
    assert_true(match_owns(&s.own.fact, &relay));
    assert_false(match_owns(&s.own.fact, &second));
    assert_false(match_owns(&s.own.fact, &none));
    s.own.fact.relay2 = second;
    assert_true(match_owns(&s.own.fact, &second));
    s.own.fact.granted = false;
    assert_false(match_owns(&s.own.fact, &relay));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_listed_strongest_first),
        cmocka_unit_test(two_keys_confirm_one_is_probable),
        cmocka_unit_test(nothing_known_matches_nothing),
        cmocka_unit_test(turn_alone_confirms_by_relay_and_destination),
        cmocka_unit_test(relay_port_alone_is_probable),
        cmocka_unit_test(signaling_alone_confirms_by_both_ends),
        cmocka_unit_test(offered_relay_to_an_unnamed_peer_is_probable),
        cmocka_unit_test(everything_known_gives_every_key),
        cmocka_unit_test(what_media_debug_names),
        cmocka_unit_test(direction_does_not_matter),
        cmocka_unit_test(rport_is_the_clients_port),
        cmocka_unit_test(ufrags_must_agree_crosswise),
        cmocka_unit_test(passive_source_is_never_rejected),
        cmocka_unit_test(active_candidate_asks_from_any_port),
        cmocka_unit_test(transports_are_kept_apart),
        cmocka_unit_test(rejected_medium_has_no_default),
        cmocka_unit_test(both_ends_on_one_side_are_no_pair),
        cmocka_unit_test(sent_through_the_far_relay_counts),
        cmocka_unit_test(near_end_is_ours),
        cmocka_unit_test(scopes_live_from_slack_to_grace),
        cmocka_unit_test(an_allocation_owns_what_it_was_granted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
