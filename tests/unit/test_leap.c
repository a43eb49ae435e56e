/* The clock that stamps packets is set while a call or an allocation waits: what has waited for a
 * minute then, has waited for a minute. */
#include "flows/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flows/limits.h"
#include "tests/help/facts_lab.h"

static const double HOUR = 3600;

struct leap_lab {
    struct joiner *joiner;
    struct calls *calls;
    struct allocations *allocations;
    struct engine_out out;
    struct fact_call call;
    struct fact_allocation allocation;
    unsigned calls_told, allocations_told;
};

static void no_failure(void *arg, const struct failure *f, const struct finding *list, unsigned n)
{
    (void)arg, (void)f, (void)list, (void)n;
}

static void on_call(void *arg, const struct fact_call *c)
{
    struct leap_lab *l = arg;
    l->call = *c;
    l->calls_told++;
}

static void on_allocation(void *arg, const struct fact_allocation *a)
{
    struct leap_lab *l = arg;
    l->allocation = *a;
    l->allocations_told++;
}

static int setup(void **state)
{
    static const struct joiner_config plain = {.sensor = "here"};
    static const struct joiner_hooks hooks = {.failure = no_failure};
    struct leap_lab *l = calloc(1, sizeof *l);
    l->out = (struct engine_out){.arg = l, .call = on_call, .allocation = on_allocation};
    l->joiner = joiner_new(&plain, &hooks);
    l->calls = calls_new(l->joiner, &l->out, false, 1);
    l->allocations = allocations_new(l->joiner, &l->out, false, 1);
    *state = l;
    return 0;
}

static int teardown(void **state)
{
    struct leap_lab *l = *state;
    calls_free(l->calls);
    allocations_free(l->allocations);
    joiner_free(l->joiner);
    free(l);
    return 0;
}

static void say(struct leap_lab *l, double second, const char *start, const char *method)
{
    char text[512];
    struct sip_msg m;
    struct message_at when = {.time = at(second), .proto = PROTO_TCP, .origin = "wire"};
    int n = snprintf(text, sizeof text,
                     "%s\r\nFrom: <sip:a@contoso.com>;tag=a1\r\nTo: <sip:b@fabrikam.com>;tag=b1\r\n"
                     "Call-ID: one\r\nCSeq: 1 %s\r\nContent-Length: 0\r\n\r\n",
                     start, method);
    assert_int_equal(sip_parse(slice_of((uint8_t *)text, (size_t)n), true, &m, NULL), WIRE_OK);
    calls_sip(l->calls, &m, &when);
}

static void ask(struct leap_lab *l, double second, enum stun_kind kind)
{
    bool answer = kind != STUN_ALLOCATE_REQ;
    struct endpoint client = ep("10.9.2.1:4000"), server = ep("10.9.0.34:443");
    struct stun_msg m = {.kind = kind, .dialect = STUN_MS};
    if (answer)
        m.has = STUN_HAS_RELAY, m.relay = ep("203.0.113.2:52000");
    struct message_at when = {.time = at(second),
                              .src = answer ? server : client,
                              .dst = answer ? client : server,
                              .proto = PROTO_TCP,
                              .origin = "wire",
                              .both_ways = true};
    allocations_turn(l->allocations, &m, &when);
}

static void leap(struct leap_lab *l, double from, double to)
{
    calls_leap(l->calls, at(from), at(to));
    allocations_leap(l->allocations, at(from), at(to));
    calls_advance(l->calls, at(to));
    allocations_advance(l->allocations, at(to));
}

static void a_ringing_call_is_not_given_up_for_a_jump_ahead(void **state)
{
    struct leap_lab *l = *state;
    say(l, 1, "INVITE sip:b@fabrikam.com SIP/2.0", "INVITE");
    leap(l, 10, 3 * HOUR);
    calls_advance(l->calls, at(3 * HOUR + 30));
    assert_int_equal(l->calls_told, 0);
    say(l, 3 * HOUR + 40, "SIP/2.0 200 OK", "INVITE");
    say(l, 3 * HOUR + 50, "BYE sip:b@fabrikam.com SIP/2.0", "BYE");
    calls_advance(l->calls, at(3 * HOUR + 55) + CALL_GRACE);
    assert_int_equal(l->calls_told, 1);
    assert_true(l->call.answered == at(3 * HOUR + 40));
}

static void after_a_jump_ahead_a_call_still_waits_no_longer_than_it_may(void **state)
{
    struct leap_lab *l = *state;
    say(l, 1, "INVITE sip:b@fabrikam.com SIP/2.0", "INVITE");
    leap(l, 10, 3 * HOUR);
    calls_advance(l->calls, at(3 * HOUR - 20) + CALL_NO_ANSWER); /* 289 s */
    assert_int_equal(l->calls_told, 0);
    calls_advance(l->calls, at(3 * HOUR + 20) + CALL_NO_ANSWER);
    assert_int_equal(l->calls_told, 1);
}

static void a_call_that_ended_is_told_in_time_after_a_jump_back(void **state)
{
    struct leap_lab *l = *state;
    say(l, 5 * HOUR - 50, "INVITE sip:b@fabrikam.com SIP/2.0", "INVITE");
    say(l, 5 * HOUR - 40, "SIP/2.0 200 OK", "INVITE");
    say(l, 5 * HOUR, "BYE sip:b@fabrikam.com SIP/2.0", "BYE");
    leap(l, 5 * HOUR + 10, 2 * HOUR); /* ten seconds of its grace are over */
    calls_advance(l->calls, at(2 * HOUR - 15) + CALL_GRACE);
    assert_int_equal(l->calls_told, 0);
    calls_advance(l->calls, at(2 * HOUR - 5) + CALL_GRACE);
    assert_int_equal(l->calls_told, 1);
    assert_true(l->call.ended == at(5 * HOUR)); /* what was seen stays as it was seen */
}

static void an_allocation_does_not_fail_by_a_jump_ahead(void **state)
{
    struct leap_lab *l = *state;
    ask(l, 10, STUN_ALLOCATE_REQ);
    leap(l, 11, 3 * HOUR);
    allocations_advance(l->allocations, at(3 * HOUR + 30));
    assert_int_equal(l->allocations_told, 0);
    ask(l, 3 * HOUR + 31, STUN_ALLOCATE_OK);
    allocations_finish(l->allocations, at(3 * HOUR + 100));
    assert_int_equal(l->allocations_told, 1);
    assert_true(l->allocation.granted);
    assert_string_equal(l->allocation.end_reason, "capture-end");
}

static void silence_is_told_in_time_after_a_jump_back(void **state)
{
    struct leap_lab *l = *state;
    ask(l, 5 * HOUR, STUN_ALLOCATE_REQ);
    leap(l, 5 * HOUR + 10, 2 * HOUR);
    allocations_advance(l->allocations, at(2 * HOUR + 25));
    assert_int_equal(l->allocations_told, 0);
    allocations_advance(l->allocations, at(2 * HOUR + 60));
    assert_int_equal(l->allocations_told, 1);
    assert_string_equal(l->allocation.end_reason, "failed");
}

static void an_ended_allocation_is_told_in_time_after_a_jump_back(void **state)
{
    struct leap_lab *l = *state;
    struct endpoint client = ep("10.9.2.1:4000"), server = ep("10.9.0.34:443");
    ask(l, 5 * HOUR - 9, STUN_ALLOCATE_REQ);
    ask(l, 5 * HOUR - 8, STUN_ALLOCATE_OK);
    allocations_closed(l->allocations, &client, &server, at(5 * HOUR));
    leap(l, 5 * HOUR + 10, 2 * HOUR);
    assert_int_equal(l->allocations_told, 0);
    allocations_advance(l->allocations, at(2 * HOUR - 5) + ALLOCATION_GRACE);
    assert_int_equal(l->allocations_told, 1);
    assert_true(l->allocation.ended == at(5 * HOUR));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define LEAP(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        LEAP(a_ringing_call_is_not_given_up_for_a_jump_ahead),
        LEAP(after_a_jump_ahead_a_call_still_waits_no_longer_than_it_may),
        LEAP(a_call_that_ended_is_told_in_time_after_a_jump_back),
        LEAP(an_allocation_does_not_fail_by_a_jump_ahead),
        LEAP(silence_is_told_in_time_after_a_jump_back),
        LEAP(an_ended_allocation_is_told_in_time_after_a_jump_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
