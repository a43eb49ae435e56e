/* What is inside of calls: the hash they are found by, and how much one may hold. */
#include "flows/calls_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "flows/limits.h"
#include "tests/help/facts_lab.h"

/* ---- the hash ---- */

enum { IDS = 4096 };

static const uint64_t SEED = UINT64_C(0x243f6a8885a308d3);

/* How many of 4096 places are taken by as many Call-IDs of n bytes that differ in four digits. */
static unsigned places(size_t n)
{
    static bool taken[IDS];
    unsigned all = 0;
    memset(taken, 0, sizeof taken);
    for (unsigned i = 0; i < IDS; i++) {
        char id[64];
        snprintf(id, sizeof id, "c%04u@example.com-and-more-of-the-same-of-any-length", i);
        bool *place = &taken[calls_hash(SEED, slice_of(id, n)) >> 52];
        all += !*place;
        *place = true;
    }
    return all;
}

/* By chance it would be 4096 (1 - 1/e), 2589, with a standard deviation of about 20. */
static void test_ids_of_any_length_spread(void **state)
{
    (void)state;
    for (size_t n = 5; n <= 50; n++) {
        unsigned got = places(n);
        if (got < 2450)
            print_error("Call-IDs of %zu bytes take %u places\n", n, got);
        assert_true(got >= 2450);
    }
}

/* Whoever does not know the seed can't make Call-IDs that fall together. */
static void test_no_bytes_undo_the_rest(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        uint8_t one[24] = "aaaaaaaa", two[24] = "bbbbbbbb";
        one[8] = two[8] = (uint8_t)c;
        for (size_t n = 9; n <= sizeof one; n++)
            assert_int_not_equal(calls_hash(SEED, slice_of(one, n)),
                                 calls_hash(SEED, slice_of(two, n)));
    }
}

static void test_zeros_at_the_end_count(void **state)
{
    (void)state;
    static const uint8_t zeros[72];
    for (size_t n = 0; n < sizeof zeros; n++)
        assert_int_not_equal(calls_hash(SEED, slice_of(zeros, n)),
                             calls_hash(SEED, slice_of(zeros, n + 1)));
}

/* ---- memory ---- */

static void no_failure(void *arg, const struct failure *f, const struct finding *list, unsigned n)
{
    (void)arg, (void)f, (void)list, (void)n;
}

static void no_call(void *arg, const struct fact_call *c)
{
    (void)arg, (void)c;
}

static void say(struct calls *c, const char *method, unsigned diagnosis)
{
    char text[512];
    struct sip_msg m;
    struct message_at when = {.time = at(diagnosis), .proto = PROTO_TCP, .origin = "wire"};
    int n = snprintf(text, sizeof text,
                     "%s sip:b@fabrikam.com SIP/2.0\r\nFrom: <sip:a@contoso.com>;tag=a1\r\n"
                     "To: <sip:b@fabrikam.com>\r\nCall-ID: one\r\nCSeq: 1 %s\r\n"
                     "ms-client-diagnostics: 52001; reason=\"reason number %u of them\"\r\n"
                     "Content-Length: 0\r\n\r\n",
                     method, method, diagnosis);
    assert_int_equal(sip_parse(slice_of(text, (size_t)n), true, &m, NULL), WIRE_OK);
    calls_sip(c, &m, &when);
}

static void test_diagnostics_beyond_the_cap_take_no_memory(void **state)
{
    (void)state;
    static const struct joiner_config nobody = {.sensor = "here"};
    static const struct joiner_hooks hooks = {.failure = no_failure};
    static const struct engine_out out = {.call = no_call};
    struct joiner *joiner = joiner_new(&nobody, &hooks);
    struct calls *c = calls_new(joiner, &out, false, 1);
    unsigned i = 0;
    say(c, "INVITE", i++);
    while (i <= LIMIT_DIAGS_PER_CALL)
        say(c, "INFO", i++);
    assert_int_equal(c->newest->fact.n_diags, LIMIT_DIAGS_PER_CALL);
    size_t held = c->pool.held;
    while (i < 100)
        say(c, "INFO", i++);
    assert_int_equal(c->pool.held, held);
    calls_free(c);
    joiner_free(joiner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_of_any_length_spread),
        cmocka_unit_test(test_no_bytes_undo_the_rest),
        cmocka_unit_test(test_zeros_at_the_end_count),
        cmocka_unit_test(test_diagnostics_beyond_the_cap_take_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
