/* STUN checks and TURN transactions over UDP: runs and their verdicts. */
#include "flows/checks.h"

#include "tests/help/tracker_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define A "10.0.0.1:4000"
#define B "192.0.2.2:5000"

enum {
    BIND = 0x0001,
    BIND_OK = 0x0101,
    BIND_ERR = 0x0111,
    ALLOC = 0x0003,
    ALLOC_OK = 0x0103,
    ALLOC_ERR = 0x0113,
    REFRESH = 0x0004,
    REFRESH_OK = 0x0104,
    BIND_IND = 0x0011,
};

static struct tracker_lab lab;

static int set_up(void **state)
{
    (void)state;
    tracker_lab_open(&lab, 64, 64);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tracker_lab_close(&lab);
    return 0;
}

/*
 * Words as in test_handshake.c, seconds behind them: Q check of A, o/n OK/error of B; P check of B,
 * O OK of A; L Allocate of A, k/x OK/error of B; H Refresh of A, h its OK; I indication; u ICMP.
 * Upper case words begin a new transaction, '=' repeats the last one of A.
 */
static void play(const char *script)
{
    uint8_t id = 0, last = BIND;
    while (*script) {
        char word = *script++, *end;
        double at = strtod(script, &end);
        script = end + strspn(end, " ");
        static const struct {
            char word;
            bool from_a;
            uint16_t type;
        } words[] = {{'Q', true, BIND},        {'o', false, BIND_OK},   {'n', false, BIND_ERR},
                     {'P', false, BIND},       {'O', true, BIND_OK},    {'L', true, ALLOC},
                     {'k', false, ALLOC_OK},   {'x', false, ALLOC_ERR}, {'H', true, REFRESH},
                     {'h', false, REFRESH_OK}, {'I', true, BIND_IND}};
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (words[i].word == word) {
                bool asks = words[i].type < 0x10;
                id = (uint8_t)(id + asks);
                last = asks ? (uint8_t)words[i].type : last;
                lab_stun(&lab, at, words[i].from_a ? A : B, words[i].from_a ? B : A, words[i].type,
                         id);
            }
        if (word == '=')
            lab_stun(&lab, at, A, B, last, id);
        if (word == 'u')
            lab_icmp(&lab, at, "192.0.2.9:1", 3, 3, PROTO_UDP, A, B, 0);
        if (word == '.')
            tracker_advance(lab.tracker, lab_at(at));
        if (word == '$')
            lab_finish(&lab, at);
    }
}

/* The last report on A's own run. */
static const struct attempt *of_a(bool *final)
{
    struct endpoint a = lab_end(A);
    for (unsigned i = lab.reports; i-- > 0;)
        if (endpoint_eq(&lab.report[i].src, &a)) {
            *final = lab.final[i];
            return &lab.report[i];
        }
    return NULL;
}

static const struct {
    const char *script;
    enum verdict verdict;
    bool final;
    const char *why;
} plays[] = {
    {"Q0 o0.1", VERDICT_CONNECTED, false, "told at once"},
    {"Q0 o0.1 .41", VERDICT_CONNECTED, true, "and at the end of the run"},
    {"Q0 =0.5 =1.5 .42", VERDICT_TIMEOUT, true, "RFC 8445: retransmitted, never answered"},
    {"Q0 .41", VERDICT_SINGLE_SYN, true, "asked once"},
    {"Q0 =0.5 $1", VERDICT_UNSEEN, true, "the capture ends too early to say"},
    {"Q0 =0.5 =1.5 =3.5 $4", VERDICT_TIMEOUT, true, "3.5 s of silence"},
    {"Q0 n0.1 .41", VERDICT_OPEN_NO_CHECK, true, "only an error"},
    {"Q0 n0.1 Q0.2 o0.3", VERDICT_CONNECTED, false, "487, then success"},
    {"Q0 u0.1 =0.5 u0.6 .42", VERDICT_UNREACHABLE, true, "port unreachable"},
    {"Q0 u0.1 =0.5 o0.6", VERDICT_CONNECTED, false, "after all"},
    {"Q0 =0.5 P0.6 O0.7 .42", VERDICT_CONNECTED, true, "the peer's check was answered"},
    {"L0 x0.1 L0.2 k0.3 .42", VERDICT_CONNECTED, true, "401, then success, is normal"},
    {"L0 x0.1 L0.2 x0.3 .42", VERDICT_ALLOC_FAIL, true, "never a success"},
    {"L0 x0.1 $0.2", VERDICT_UNSEEN, true, "cut between the 401 and the next request"},
    {"L0 =0.5 =1.5 .42", VERDICT_TIMEOUT, true, "a server that is silent"},
    {"H0 h0.1 .41", VERDICT_CONNECTED, true, "the allocation is older than the capture"},
    {"L0 k0.1 H30 H31 .80", VERDICT_CONNECTED, true, "refreshes belong to the run"},
};

static void verdicts_follow_the_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof plays / sizeof *plays; i++) {
        bool final = false;
        tracker_lab_close(&lab);
        tracker_lab_open(&lab, 64, 64);
        play(plays[i].script);
        const struct attempt *a = of_a(&final);
        if (!a || a->verdict != plays[i].verdict || final != plays[i].final)
            fail_msg("%s (%s): %s", plays[i].script, plays[i].why,
                     a ? verdict_name(a->verdict) : "nothing");
    }
}

static void a_run_is_an_attempt_with_requests_as_syns(void **state)
{
    (void)state;
    play("Q0 =0.5 =1.5 o1.625 .60");
    assert_int_equal(lab.reports, 2);
    const struct attempt *a = &lab.report[1];
    assert_true(!lab.report[0].again && a->again);
    assert_int_equal(a->proto, PROTO_UDP);
    assert_int_equal(a->syns, 3);
    assert_int_equal(a->synacks, 1);
    assert_int_equal(a->rsts, 0);
    assert_int_equal(a->rtt_us, 125000);  /* from the last request with that id */
    assert_int_equal(a->isn, 0x01010203); /* first random bits of the id */
    assert_true(a->first == lab_at(0) && a->last == lab_at(1.625));
    assert_int_equal(a->bytes_out, 60);
    assert_int_equal(a->bytes_in, 20);
    assert_int_equal(a->peek_out, PEEK_CHECK_REQUEST);
    assert_int_equal(a->peek_in, PEEK_CHECK_OK);
    assert_int_equal(a->answer_ttl, 57);
}

static void consent_checks_continue_a_run_and_silence_ends_it(void **state)
{
    (void)state;
    play("Q0 o0.1 Q15 o15.1 Q30 Q45 .84");
    assert_int_equal(lab.reports, 1);
    play(".86 Q100 .150");
    assert_int_equal(lab.reports, 3);
    assert_int_equal(lab.report[1].syns, 4);
    assert_int_equal(lab.report[2].verdict, VERDICT_SINGLE_SYN);
    assert_true(lab.report[2].id > lab.report[1].id);
}

static void binding_and_allocate_of_one_pair_are_judged_apart(void **state)
{
    (void)state;
    play("Q0 o0.1 L0.2 x0.3 L0.4 x0.5 .60");
    assert_int_equal(lab.by_verdict[VERDICT_CONNECTED], 1);
    assert_int_equal(lab.by_verdict[VERDICT_ALLOC_FAIL], 1);
}

static void indications_and_stray_answers_are_no_attempts(void **state)
{
    (void)state;
    play("I0 o1 n2 k3 u4 $50");
    assert_int_equal(lab.reports, 0);
}

static void unanswered_checks_keep_their_packets_and_the_icmp(void **state)
{
    (void)state;
    play("Q0 u0.1 =0.5 $50");
    assert_int_equal(lab.proofs[0], 3);
    assert_int_equal(lab.report[0].icmp_type, 3);
    assert_int_equal(lab.report[0].icmp_code, 3);
}

static void icmp_that_quotes_something_else_is_not_ours(void **state)
{
    static const uint8_t answer[] = {0x01, 0x01, 0, 0}, rtp[] = {0x80, 0, 0, 1};
    (void)state;
    lab_stun(&lab, 0, A, B, BIND, 1);
    struct packet p = lab_tcp(1, "192.0.2.9:1", A, 0, 0, 0, 0);
    p.proto = PROTO_ICMP;
    p.icmp_type = 3;
    p.icmp_code = 3;
    p.quoted =
        (struct quoted){.valid = true, .proto = PROTO_UDP, .src = lab_end(A), .dst = lab_end(B)};
    p.quoted.udp_payload = slice_of(answer, sizeof answer);
    tracker_icmp(lab.tracker, &p);
    p.quoted.udp_payload = slice_of(rtp, sizeof rtp);
    tracker_icmp(lab.tracker, &p);
    lab_finish(&lab, 50);
    assert_int_equal(lab.report[0].verdict, VERDICT_SINGLE_SYN);
}

static void a_full_table_gives_up_unanswered_runs_of_strangers_first(void **state)
{
    struct endpoint wanted = lab_end("10.7.7.7:1");
    char from[32];
    (void)state;
    lab.wanted = &wanted.addr;
    lab_stun(&lab, 0, A, B, BIND, 1);
    lab_stun(&lab, 0.1, B, A, BIND_OK, 1);
    lab_stun(&lab, 1, "10.7.7.7:1", B, BIND, 2);
    for (int i = 0; i < 1000; i++) {
        snprintf(from, sizeof from, "10.1.%d.%d:9", i / 250, i % 250 + 1);
        lab_stun(&lab, 2 + i * 0.001, from, B, BIND, 3);
    }
    struct tracker_counts c;
    tracker_counts(lab.tracker, &c);
    assert_int_equal(c.evicted_checks, 1000 - 62);
    lab_stun(&lab, 4, "10.7.7.7:1", B, BIND, 2);
    lab_finish(&lab, 50);
    assert_int_equal(lab.reports, 1);
    assert_int_equal(lab.report[0].verdict, VERDICT_TIMEOUT);
    assert_int_equal(lab.strangers, 1 + 1 + 62); /* connected twice, and what the table still had */
}

static void a_table_full_of_answered_runs_gives_up_the_oldest_and_says_so(void **state)
{
    (void)state;
    tracker_lab_close(&lab);
    tracker_lab_open(&lab, 64, 2);
    for (int i = 0; i < 3; i++) {
        const char *const from[] = {"10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3"};
        lab_stun(&lab, i, from[i], B, BIND, 1);
        lab_stun(&lab, i + 0.1, B, from[i], BIND_OK, 1);
    }
    assert_int_equal(lab.by_verdict[VERDICT_CONNECTED], 1);
    lab_finish(&lab, 10);
    assert_int_equal(lab.by_verdict[VERDICT_CONNECTED], 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(verdicts_follow_the_messages),
        TEST(a_run_is_an_attempt_with_requests_as_syns),
        TEST(consent_checks_continue_a_run_and_silence_ends_it),
        TEST(binding_and_allocate_of_one_pair_are_judged_apart),
        TEST(indications_and_stray_answers_are_no_attempts),
        TEST(unanswered_checks_keep_their_packets_and_the_icmp),
        TEST(icmp_that_quotes_something_else_is_not_ours),
        TEST(a_full_table_gives_up_unanswered_runs_of_strangers_first),
        TEST(a_table_full_of_answered_runs_gives_up_the_oldest_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
