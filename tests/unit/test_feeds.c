/* Clocks of agents, and their messages on the way to calls. */
#include "flows/feeds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "capture/feed.h"
#include "flows/feed_clock.h"
#include "flows/limits.h"

#define NOON (INT64_C(1355140800) * TICK_S)

/* ---- the clock ---- */

static void times_of_agents(void **state)
{
    static const struct {
        const char *what;
        tick_t late[4], want[4]; /* arrival - said; arrival - what comes out */
        tick_t step;             /* between arrivals */
    } cases[] = {
        {"a right clock is believed", {2, 900, 40, 3}, {2, 900, 40, 3}, TICK_S},
        {"an hour behind: distances stay",
         {3600002, 3600900, 3600040, 3600001},
         {0, 898, 38, 0},
         TICK_S},
        {"an hour ahead", {-3599998, -3599500, -3599990, -3599998}, {0, 498, 8, 0}, TICK_S},
        {"a little ahead: nothing comes out later than it arrived",
         {-1500, 300, -1500, 5},
         {0, 300, 0, 5},
         TICK_S},
        {"a spool of ten minutes is sent at once", {600000, 600500, 3, 5}, {0, 500, 3, 5}, TICK_S},
        {"a clock set right is believed after two terms",
         {3600000, 3600000, 3600010, 4},
         {0, 0, 10, 4},
         70 * TICK_S},
        {"a clock set wrong shows after two terms",
         {1, 1, 7200000, 7200001},
         {1, 1, 0, 0},
         130 * TICK_S},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct feed_clock c = feed_clock_new();
        for (int k = 0; k < 4; k++) {
            tick_t arrival = NOON + k * cases[i].step;
            tick_t got = feed_clock_time(&c, arrival - cases[i].late[k] * TICK_MS, arrival);
            if (got != arrival - cases[i].want[k] * TICK_MS)
                fail_msg("%s: message %d is %lld ms before its arrival, want %lld", cases[i].what,
                         k, (long long)((arrival - got) / TICK_MS), (long long)cases[i].want[k]);
        }
    }
}

#define YEARS (INT64_C(10) * 365 * 86400 * TICK_S)

static void a_single_message_from_the_future_misdates_no_other(void **state)
{
    struct feed_clock c = feed_clock_new();
    (void)state;
    for (int k = 0; k < 80; k++) {
        tick_t arrival = NOON + k * TICK_S, late = k % 20 == 10 ? -YEARS : 3 * TICK_MS;
        tick_t want = k % 20 == 10 ? arrival : arrival - late;
        assert_int_equal(feed_clock_time(&c, arrival - late, arrival), want);
    }
    assert_int_equal(c.all, 3 * TICK_MS);
}

static void a_clock_that_is_set_ahead_is_followed(void **state)
{
    struct feed_clock c = feed_clock_new();
    tick_t got = TICK_NONE, arrival = NOON;
    (void)state;
    assert_int_equal(feed_clock_time(&c, NOON, NOON), NOON);
    for (int k = 1; k <= FEED_CLOCK_AGREE; k++) {
        arrival = NOON + k * TICK_S;
        assert_int_equal(feed_clock_time(&c, arrival + 3600 * TICK_S, arrival), arrival);
    }
    got = feed_clock_time(&c, arrival + 3599 * TICK_S, arrival); /* a second before the last */
    assert_int_equal(got, arrival - TICK_S);
}

static void a_time_long_gone_is_not_believed(void **state)
{
    struct feed_clock c = feed_clock_new();
    (void)state;
    assert_int_equal(feed_clock_time(&c, NOON, NOON), NOON);
    assert_int_equal(feed_clock_time(&c, TICK_S, NOON + TICK_S), NOON + TICK_S);
    assert_int_equal(feed_clock_time(&c, NOON + 2 * TICK_S, NOON + 2 * TICK_S), NOON + 2 * TICK_S);
}

static void what_tells_no_time_is_of_its_arrival(void **state)
{
    struct feed_clock c = feed_clock_new();
    (void)state;
    assert_int_equal(feed_clock_time(&c, TICK_NONE, NOON), NOON);
    assert_int_equal(c.all, TICK_NONE);
}

/* ---- messages ---- */

struct lab {
    struct joiner *joiner;
    struct calls *calls;
    struct feeds *feeds;
    struct engine_out out;
    unsigned n_calls, n_logs;
    struct fact_call call; /* the last one; its texts below */
    char origin[FEED_NAME], call_id[64];
    struct feed_log log;
};

static void no_failure(void *arg, const struct failure *f, const struct finding *list, unsigned n)
{
    (void)arg, (void)f, (void)list, (void)n;
}

static void on_call(void *arg, const struct fact_call *c)
{
    struct lab *l = arg;
    l->n_calls++;
    l->call = *c;
    snprintf(l->origin, sizeof l->origin, "%s", c->origin);
    snprintf(l->call_id, sizeof l->call_id, "%s", c->call_id);
}

static void on_feed(void *arg, const struct feed_log *log)
{
    struct lab *l = arg;
    l->n_logs++;
    l->log = *log;
}

static int setup(void **state)
{
    static const struct joiner_config plain = {.sensor = "here"};
    static const struct joiner_hooks hooks = {.failure = no_failure};
    struct lab *l = calloc(1, sizeof *l);
    l->out = (struct engine_out){.arg = l, .call = on_call, .feed = on_feed};
    l->joiner = joiner_new(&plain, &hooks);
    l->calls = calls_new(l->joiner, &l->out, false, 1);
    l->feeds = feeds_new(l->calls, &l->out);
    *state = l;
    return 0;
}

static int teardown(void **state)
{
    struct lab *l = *state;
    feeds_free(l->feeds);
    calls_free(l->calls);
    joiner_free(l->joiner);
    free(l);
    return 0;
}

static struct endpoint sender_at(const char *text)
{
    struct endpoint e = {0};
    assert_true(endpoint_parse(slice_str(text), &e));
    return e;
}

static size_t chunk(uint8_t *at, uint16_t type, const void *value, size_t n)
{
    const uint8_t head[6] = {
        0, 0, (uint8_t)(type >> 8), (uint8_t)type, (uint8_t)((n + 6) >> 8), (uint8_t)(n + 6)};
    memcpy(at, head, 6);
    memcpy(at + 6, value, n);
    return n + 6;
}

static size_t hep(uint8_t out[2048], uint32_t agent, tick_t said, uint8_t type, const char *payload)
{
    uint32_t s = (uint32_t)(said / TICK_S), us = (uint32_t)(said % TICK_S / TICK_US);
    const uint8_t seconds[4] = {(uint8_t)(s >> 24), (uint8_t)(s >> 16), (uint8_t)(s >> 8),
                                (uint8_t)s};
    const uint8_t micros[4] = {0, (uint8_t)(us >> 16), (uint8_t)(us >> 8), (uint8_t)us};
    const uint8_t number[4] = {0, 0, (uint8_t)(agent >> 8), (uint8_t)agent};
    size_t n = 6;
    n += chunk(out + n, 9, seconds, 4);
    n += chunk(out + n, 10, micros, 4);
    n += chunk(out + n, 11, &type, 1);
    n += chunk(out + n, 12, number, 4);
    n += chunk(out + n, 15, payload, strlen(payload));
    memcpy(out, "HEP3", 4);
    out[4] = (uint8_t)(n >> 8);
    out[5] = (uint8_t)n;
    return n;
}

static const char invite[] = "INVITE sip:b@fabrikam.com SIP/2.0\r\n"
                             "From: <sip:a@contoso.com>;tag=1\r\nTo: <sip:b@fabrikam.com>\r\n"
                             "Call-ID: of-a-feed\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
static const char bye[] = "BYE sip:b@fabrikam.com SIP/2.0\r\n"
                          "From: <sip:a@contoso.com>;tag=1\r\nTo: <sip:b@fabrikam.com>;tag=2\r\n"
                          "Call-ID: of-a-feed\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n";

static bool give(struct lab *l, const char *from, uint32_t agent, tick_t said, tick_t arrival,
                 uint8_t type, const char *payload)
{
    uint8_t bytes[2048];
    struct endpoint sender = sender_at(from);
    size_t n = hep(bytes, agent, said, type, payload);
    return feeds_hep(l->feeds, slice_of(bytes, n), &sender, arrival);
}

static void a_call_of_an_agent_whose_clock_is_a_day_behind(void **state)
{
    struct lab *l = *state;
    tick_t day = 24 * 3600 * TICK_S;
    assert_true(give(l, "10.1.1.5:40000", 2001, NOON - day, NOON + TICK_MS, 1, invite));
    assert_true(give(l, "10.1.1.5:40000", 2001, NOON - day + 10 * TICK_S,
                     NOON + 10 * TICK_S + 5 * TICK_MS, 1, bye));
    calls_advance(l->calls, NOON + 30 * TICK_S);
    assert_int_equal(l->n_calls, 0); /* its end is 20 s ago, not a day */
    calls_finish(l->calls);
    assert_int_equal(l->n_calls, 1);
    assert_string_equal(l->call_id, "of-a-feed");
    assert_string_equal(l->origin, "hep:10.1.1.5#2001");
    assert_int_equal(l->call.started, NOON + TICK_MS);
    assert_int_equal(l->call.ended - l->call.started, 10 * TICK_S);

    feeds_finish(l->feeds);
    assert_int_equal(l->n_logs, 1);
    assert_string_equal(l->log.name, "hep:10.1.1.5#2001");
    assert_int_equal(l->log.kind, FEED_HEP);
    assert_int_equal(l->log.messages, 2);
    assert_int_equal(l->log.calls, 1);
    assert_int_equal(l->log.first, NOON + TICK_MS);
    assert_int_equal(l->log.last, NOON + 10 * TICK_S + TICK_MS);
    assert_int_equal(l->log.behind_most, day + TICK_MS);
    feeds_finish(l->feeds); /* nothing new: nothing told */
    assert_int_equal(l->n_logs, 1);
}

static void what_is_no_sip_is_counted(void **state)
{
    struct lab *l = *state;
    struct endpoint sender = sender_at("10.1.1.5:40000");
    struct feeds_counts c;
    assert_true(give(l, "10.1.1.5:40000", 1, NOON, NOON, 5, "{\"rtcp\": 1}"));
    assert_true(give(l, "10.1.1.5:40000", 1, NOON, NOON, 1, "no SIP at all"));
    assert_false(feeds_hep(l->feeds, slice_str("HEP3 what?"), &sender, NOON));
    assert_false(feeds_hep(l->feeds, slice_of("", 0), &sender, NOON));
    feeds_counts(l->feeds, &c);
    assert_int_equal(c.messages, 2);
    assert_int_equal(c.sip, 0);
    assert_int_equal(c.other, 2);
    assert_int_equal(c.bad, 2);
    feeds_finish(l->feeds);
    assert_int_equal(l->log.messages, 2);
    assert_int_equal(l->log.calls, 0);
}

static void agents_over_the_cap_share_a_row(void **state)
{
    struct lab *l = *state;
    struct feeds_counts c;
    for (uint32_t i = 0; i < LIMIT_FEED_AGENTS + 5u; i++)
        give(l, "[2001:db8::1]:9", i + 1, NOON, NOON, 5, "x");
    feeds_counts(l->feeds, &c);
    assert_int_equal(c.evicted, 5);
    feeds_finish(l->feeds);
    assert_int_equal(l->n_logs, LIMIT_FEED_AGENTS + 1);
    assert_string_equal(l->log.name, "hep:others");
    assert_int_equal(l->log.messages, 5);
}

static void rows_are_told_at_intervals(void **state)
{
    struct lab *l = *state;
    feeds_advance(l->feeds, NOON);
    for (int i = 0; i < 100; i++) {
        give(l, "10.1.1.5:40000", 1, NOON, NOON, 5, "x");
        feeds_advance(l->feeds, NOON + i * TICK_S / 4);
    }
    assert_in_range(l->n_logs, 2, 3);
}

static void a_frame_too_short_for_its_head(void **state)
{
    struct lab *l = *state;
    static const uint8_t bytes[FEED_HEAD] = {0};
    struct raw_packet raw = {.time = NOON, .data = bytes, .linktype = LINKTYPE_FEED_HEP};
    for (raw.caplen = 0; raw.caplen <= FEED_HEAD; raw.caplen++)
        assert_false(feeds_frame(l->feeds, &raw));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_of_agents),
        cmocka_unit_test(a_single_message_from_the_future_misdates_no_other),
        cmocka_unit_test(a_clock_that_is_set_ahead_is_followed),
        cmocka_unit_test(a_time_long_gone_is_not_believed),
        cmocka_unit_test(what_tells_no_time_is_of_its_arrival),
        cmocka_unit_test_setup_teardown(a_call_of_an_agent_whose_clock_is_a_day_behind, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_no_sip_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(agents_over_the_cap_share_a_row, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_are_told_at_intervals, setup, teardown),
        cmocka_unit_test_setup_teardown(a_frame_too_short_for_its_head, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
