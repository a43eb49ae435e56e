/* What the messages of a call carry: which side a description is of, and which one holds. */
#include "flows/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flows/limits.h"
#include "flows/wire/sdp.h"
#include "tests/help/facts_lab.h"

struct exchange {
    struct joiner *joiner;
    struct calls *calls;
    struct fact_call last; /* texts and media live until the calls are freed */
    unsigned told;
    struct engine_out out;
};

static void no_failure(void *arg, const struct failure *f, const struct finding *list, unsigned n)
{
    (void)arg, (void)f, (void)list, (void)n;
}

static void on_call(void *arg, const struct fact_call *c)
{
    struct exchange *x = arg;
    x->last = *c;
    x->told++;
}

static int setup(void **state)
{
    static struct addr edge;
    static const struct joiner_config one_edge = {.sensor = "here", .edges = &edge, .n_edges = 1};
    static const struct joiner_hooks hooks = {.failure = no_failure};
    struct exchange *x = calloc(1, sizeof *x);
    edge = ad("203.0.113.2");
    x->out = (struct engine_out){.arg = x, .call = on_call};
    x->joiner = joiner_new(&one_edge, &hooks);
    x->calls = calls_new(x->joiner, &x->out, true, 1);
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct exchange *x = *state;
    calls_free(x->calls);
    joiner_free(x->joiner);
    free(x);
    return 0;
}

/* tag: of the To header, the callee's; empty in a first INVITE */
static void say(struct exchange *x, double second, const char *start, const char *method,
                const char *tag, const char *sdp)
{
    static char text[32768];
    struct sip_msg m;
    struct message_at when = {.time = at(second), .proto = PROTO_TCP, .origin = "wire"};
    int n = snprintf(text, sizeof text,
                     "%s\r\nFrom: <sip:a@contoso.com>;tag=a1\r\nTo: <sip:b@fabrikam.com>%s%s\r\n"
                     "Call-ID: one\r\nCSeq: 1 %s\r\nContent-Type: application/sdp\r\n"
                     "Content-Length: %zu\r\n\r\n%s",
                     start, *tag ? ";tag=" : "", tag, method, strlen(sdp), sdp);
    assert_true(n > 0 && (size_t)n < sizeof text);
    assert_int_equal(sip_parse(slice_of((uint8_t *)text, (size_t)n), true, &m, NULL), WIRE_OK);
    calls_sip(x->calls, &m, &when);
}

static const char *described(const char *addr, unsigned port, const char *lines)
{
    static char text[16384];
    snprintf(text, sizeof text,
             "v=0\r\no=- 0 0 IN IP4 %s\r\ns=s\r\nc=IN IP4 %s\r\nt=0 0\r\n"
             "m=applicationsharing %u TCP/RTP/AVP 127\r\n%s",
             addr, addr, port, lines);
    return text;
}

#define INVITE "INVITE sip:b@fabrikam.com SIP/2.0", "INVITE", ""
#define RINGING(tag) "SIP/2.0 183 Session Progress", "INVITE", tag
#define ANSWER(tag) "SIP/2.0 200 OK", "INVITE", tag

static const struct fact_side *side(struct exchange *x, enum call_side s)
{
    calls_advance(x->calls, at(1000)); /* the interim row of a call that goes on */
    assert_int_equal(x->told, 1);
    assert_int_equal(x->last.n_media, 1);
    return &x->last.media[0].side[s];
}

static void expect_preset(const struct fact_side *s, const char *where)
{
    struct endpoint e = ep(where);
    assert_true(s->present);
    assert_true(endpoint_eq(&s->preset, &e));
}

static void the_fork_that_answers_holds_and_the_other_is_remembered(void **state)
{
    struct exchange *x = *state;
    say(x, 1, INVITE, described("203.0.113.2", 58138, ""));
    say(x, 2, RINGING("fork1"), described("198.51.100.8", 50800, ""));
    say(x, 3, ANSWER("fork2"), described("198.51.100.9", 50704, ""));
    const struct fact_side *s = side(x, SIDE_ANSWER);
    struct endpoint old = ep("198.51.100.8:50800");
    expect_preset(s, "198.51.100.9:50704");
    assert_int_equal(s->n_candidates, 1);
    assert_true(endpoint_eq(&s->candidates[0].at, &old));
    expect_preset(&x->last.media[0].side[SIDE_OFFER], "203.0.113.2:58138");
}

static void another_fork_has_no_say_after_the_answer(void **state)
{
    struct exchange *x = *state;
    say(x, 1, INVITE, described("203.0.113.2", 58138, ""));
    say(x, 2, RINGING("fork1"), described("198.51.100.8", 50800, ""));
    say(x, 3, ANSWER("fork2"), described("198.51.100.9", 50704, ""));
    say(x, 4, RINGING("fork1"), described("198.51.100.8", 50800, ""));
    expect_preset(side(x, SIDE_ANSWER), "198.51.100.9:50704");
}

/* P§2.3: the address in use is written there then, be it a relay's or not */
static void concluded_ice_does_not_move_the_default_address(void **state)
{
    struct exchange *x = *state;
    say(x, 1, INVITE, described("203.0.113.2", 58138, ""));
    say(x, 3, ANSWER("b2"), described("198.51.100.9", 50704, ""));
    say(x, 5, "INVITE sip:b@fabrikam.com SIP/2.0", "INVITE", "b2",
        described("10.98.2.1", 21916, "a=remote-candidates:1 10.26.10.50 50058\r\n"));
    expect_preset(side(x, SIDE_OFFER), "203.0.113.2:58138");
}

static void hold_does_not_take_the_address_away(void **state)
{
    struct exchange *x = *state;
    say(x, 1, INVITE, described("203.0.113.2", 58138, ""));
    say(x, 3, ANSWER("b2"), described("198.51.100.9", 50704, ""));
    say(x, 5, "INVITE sip:b@fabrikam.com SIP/2.0", "INVITE", "b2", described("0.0.0.0", 9, ""));
    expect_preset(side(x, SIDE_OFFER), "203.0.113.2:58138");
}

/* A sensor that sees one direction, or begins within the call. */
static void response_to_an_unseen_invite_is_the_answer(void **state)
{
    struct exchange *x = *state;
    say(x, 3, ANSWER("b2"), described("198.51.100.9", 50704, ""));
    expect_preset(side(x, SIDE_ANSWER), "198.51.100.9:50704");
    assert_false(x->last.media[0].side[SIDE_OFFER].present);
}

/* RFC 3264 §5 with RFC 3261 §13.2.1: the offer comes in the 200, the answer in the ACK */
static void response_to_an_invite_without_sdp_is_the_offer(void **state)
{
    struct exchange *x = *state;
    say(x, 1, INVITE, "");
    say(x, 3, ANSWER("b2"), described("198.51.100.9", 50704, ""));
    say(x, 4, "ACK sip:b@fabrikam.com SIP/2.0", "ACK", "b2", described("203.0.113.2", 58138, ""));
    expect_preset(side(x, SIDE_OFFER), "198.51.100.9:50704");
    expect_preset(&x->last.media[0].side[SIDE_ANSWER], "203.0.113.2:58138");
}

/* P§2.2 */
static void legacy_candidates_get_their_type_from_their_address(void **state)
{
#define LEGACY "a=candidate:kQ3vX0b1c2D4e5F6g7H8i9J0kLmNoPqRsTuVwXyZ123 1 a1B2c3D4e5F6g7H8i9J0kL "
    static const uint8_t types[] = {CAND_HOST, CAND_SRFLX, CAND_RELAY};
    struct exchange *x = *state;
    say(x, 1, INVITE,
        described("203.0.113.2", 58138,
                  LEGACY "UDP 0.830 10.98.2.1 21916\r\n" LEGACY
                         "UDP 0.550 192.0.2.7 21916\r\n" LEGACY "TCP 0.250 203.0.113.2 58138\r\n"));
    const struct fact_side *s = side(x, SIDE_OFFER);
    assert_int_equal(s->n_candidates, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(s->candidates[i].type, types[i]);
}

static void candidates_beyond_the_cap_are_counted(void **state)
{
    enum { MORE = 5, LINE = 70 };
    static char lines[(LIMIT_CANDIDATES_PER_SIDE + MORE) * LINE];
    struct exchange *x = *state;
    size_t used = 0;
    for (int i = 0; i < LIMIT_CANDIDATES_PER_SIDE + MORE; i++)
        used +=
            (size_t)snprintf(lines + used, LINE,
                             "a=candidate:1 1 UDP 2130706431 10.98.2.1 %d typ host\r\n", 20000 + i);
    say(x, 1, INVITE, described("203.0.113.2", 58138, lines));
    assert_int_equal(side(x, SIDE_OFFER)->n_candidates, LIMIT_CANDIDATES_PER_SIDE);
    struct calls_counts counts;
    calls_counts(x->calls, &counts);
    assert_int_equal(counts.dropped, MORE);
}

static void media_beyond_the_cap_are_counted(void **state)
{
    enum { MORE = 2 };
    char lines[1024];
    struct exchange *x = *state;
    size_t used = 0;
    for (int i = 1; i < LIMIT_MEDIA_PER_CALL + MORE; i++)
        used += (size_t)snprintf(lines + used, sizeof lines - used, "m=audio %d RTP/AVP 0\r\n",
                                 20000 + i);
    say(x, 1, INVITE, described("203.0.113.2", 58138, lines));
    struct calls_counts counts;
    calls_counts(x->calls, &counts);
    assert_int_equal(counts.dropped, MORE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_fork_that_answers_holds_and_the_other_is_remembered),
        TEST(another_fork_has_no_say_after_the_answer),
        TEST(concluded_ice_does_not_move_the_default_address),
        TEST(hold_does_not_take_the_address_away),
        TEST(response_to_an_unseen_invite_is_the_answer),
        TEST(response_to_an_invite_without_sdp_is_the_offer),
        TEST(legacy_candidates_get_their_type_from_their_address),
        TEST(candidates_beyond_the_cap_are_counted),
        TEST(media_beyond_the_cap_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
