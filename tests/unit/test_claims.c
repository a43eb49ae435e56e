/* Every ICEWarn bit that the wire can speak of: one scene that confirms it, one that denies it, and
 * the nearest that does neither. Meanings of the bits: dossier §3.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flows/claims.h"

#define CLIENT(tcp_, verdict_)                                    \
    {                                                             \
        .leg = LEG_CLIENT_RELAY, .tcp = tcp_, .verdict = verdict_ \
    }
#define RELAY(tcp_, verdict_)                                   \
    {                                                           \
        .leg = LEG_RELAY_PEER, .tcp = tcp_, .verdict = verdict_ \
    }
#define ERROR(code)                                                                             \
    {                                                                                           \
        .leg = LEG_CLIENT_RELAY, .tcp = true, .verdict = VERDICT_ALLOC_FAIL, .error_code = code \
    }
/* not tried between relays; the client's own relay port */
#define PORT(tcp_, ...)                                                                      \
    {                                                                                        \
        .leg = LEG_RELAY_PEER, .verdict = VERDICT_NOT_TRIED, .asked = true, .granted = true, \
        .relay_tcp = tcp_, __VA_ARGS__                                                       \
    }

static const struct row {
    uint32_t bit;
    enum claim_says says;
    struct claim_wire wire;
} rows[] = {
    {0x1, CLAIM_AGREES, CLIENT(true, VERDICT_TIMEOUT)},
    {0x1, CLAIM_AGREES, CLIENT(false, VERDICT_UNREACHABLE)},
    {0x1, CLAIM_UNKNOWN, ERROR(486)},
    {0x1, CLAIM_DENIES, PORT(true, .ms = true)},
    {0x1, CLAIM_UNKNOWN, RELAY(true, VERDICT_TIMEOUT)},
    {0x2, CLAIM_AGREES, CLIENT(false, VERDICT_ALLOC_FAIL)},
    {0x2, CLAIM_UNKNOWN, CLIENT(true, VERDICT_ALLOC_FAIL)},
    {0x2, CLAIM_DENIES, PORT(false, .ms = true)},
    {0x2, CLAIM_UNKNOWN, PORT(true, .ms = true)},
    {0x4, CLAIM_AGREES, CLIENT(false, VERDICT_TIMEOUT)},
    {0x4, CLAIM_UNKNOWN, CLIENT(false, VERDICT_ALLOC_FAIL)},
    {0x4, CLAIM_DENIES, PORT(false, .sends = 1)},
    {0x4, CLAIM_UNKNOWN, PORT(false, .sends = 0)},
    {0x8, CLAIM_AGREES, CLIENT(true, VERDICT_REFUSED)},
    {0x8, CLAIM_UNKNOWN, CLIENT(true, VERDICT_CONNECTED)},
    {0x8, CLAIM_DENIES, PORT(true, .ms = true)},
    {0x8, CLAIM_UNKNOWN, PORT(false, .ms = true)},
    {0x10, CLAIM_AGREES, CLIENT(true, VERDICT_RESET_AFTER_OPEN)},
    {0x10, CLAIM_UNKNOWN, CLIENT(false, VERDICT_TIMEOUT)},
    {0x10, CLAIM_DENIES, PORT(true, .sends = 1)},
    {0x10, CLAIM_UNKNOWN, PORT(true, .sends = 0)},
    {0x20, CLAIM_AGREES, {.leg = LEG_DIRECT, .verdict = VERDICT_TIMEOUT}},
    {0x20, CLAIM_UNKNOWN, RELAY(true, VERDICT_TIMEOUT)},
    {0x80, CLAIM_AGREES, RELAY(false, VERDICT_TIMEOUT)},
    {0x80, CLAIM_UNKNOWN, RELAY(true, VERDICT_TIMEOUT)},
    {0x80, CLAIM_DENIES, PORT(false, .sends = 1, .answered = 1)},
    {0x80, CLAIM_UNKNOWN, PORT(false, .sends = 1)},
    {0x200, CLAIM_AGREES, RELAY(true, VERDICT_REFUSED)},
    {0x200, CLAIM_UNKNOWN, RELAY(true, VERDICT_HALF_OPEN)},
    {0x200, CLAIM_DENIES, PORT(true, .sends = 1, .answered = 1)},
    {0x200, CLAIM_UNKNOWN, PORT(true, .sends = 1)},
    {0x800, CLAIM_AGREES, ERROR(431)},
    {0x800, CLAIM_UNKNOWN, ERROR(401)},
    {0x4000, CLAIM_AGREES, ERROR(436)},
    {0x4000, CLAIM_UNKNOWN, ERROR(486)},
    {0x4000, CLAIM_DENIES, PORT(true, .ms = true)},
    {0x80000, CLAIM_DENIES, {.leg = LEG_RELAY_PEER, .verdict = VERDICT_TIMEOUT, .asked = true}},
    {0x80000, CLAIM_UNKNOWN, RELAY(true, VERDICT_TIMEOUT)},
    {0x400000, CLAIM_AGREES, ERROR(300)},
    {0x400000, CLAIM_UNKNOWN, ERROR(500)},
    {0x800000, CLAIM_AGREES, CLIENT(true, VERDICT_PSEUDOTLS_FAIL)},
    {0x800000, CLAIM_UNKNOWN, CLIENT(true, VERDICT_RESET_AFTER_OPEN)},
    {0x800000, CLAIM_DENIES, PORT(true, .ms = true)},
    {0x800000, CLAIM_UNKNOWN, PORT(true, .ms = false)},
    {0x4000000, CLAIM_AGREES, RELAY(true, VERDICT_UNREACHABLE)},
    {0x4000000, CLAIM_UNKNOWN, RELAY(false, VERDICT_UNREACHABLE)},
    {0x4000000, CLAIM_DENIES, PORT(true, .sends = 2, .answered = 1)},
    {0x4000000, CLAIM_UNKNOWN, PORT(false, .sends = 2, .answered = 1)},
    {0x8000000, CLAIM_AGREES, PORT(true, .sends = 0)},
    {0x8000000, CLAIM_UNKNOWN, PORT(true, .sends = 1)},
    /* what leaves no trace */
    {0x40, CLAIM_UNKNOWN, RELAY(false, VERDICT_TIMEOUT)},
    {0x100, CLAIM_UNKNOWN, RELAY(true, VERDICT_TIMEOUT)},
    {0x2000, CLAIM_UNKNOWN, PORT(true, .ms = true)},
    {0x200000, CLAIM_UNKNOWN, PORT(true, .ms = true)},
    {0x1000000, CLAIM_UNKNOWN, PORT(true, .ms = true)},
};

static void bits_that_are_set(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *words = "";
        enum claim_says got = claim_set(rows[i].bit, &rows[i].wire, &words);
        if (got != rows[i].says || (words != NULL) != (got != CLAIM_UNKNOWN))
            fail_msg("row %zu, bit 0x%x: %d", i, rows[i].bit, (int)got);
    }
}

static void bits_that_are_missing(void **state)
{
    static const struct {
        uint32_t warn;
        bool hit;
        struct claim_wire wire;
    } missing[] = {
        {0, true, RELAY(true, VERDICT_REFUSED)},
        {0x120, true, RELAY(true, VERDICT_REFUSED)},
        {0x200, false, RELAY(true, VERDICT_REFUSED)},
        {0x4000000, false, RELAY(true, VERDICT_REFUSED)},
        {0x80, true, RELAY(true, VERDICT_REFUSED)},
        {0x80, false, RELAY(false, VERDICT_TIMEOUT)},
        {0x200, true, RELAY(false, VERDICT_TIMEOUT)},
        {0, false, RELAY(true, VERDICT_NOT_TRIED)},
        {0, false, RELAY(true, VERDICT_UNSEEN)},
        {0, true, CLIENT(true, VERDICT_PSEUDOTLS_FAIL)},
        {0x800000, false, CLIENT(true, VERDICT_PSEUDOTLS_FAIL)},
        {0x20, true, ERROR(436)},
        {0x4000, false, ERROR(436)},
        {0, true, CLIENT(true, VERDICT_REFUSED)},
        {0x1, false, CLIENT(true, VERDICT_REFUSED)},
        {0x8, true, CLIENT(false, VERDICT_TIMEOUT)},
        {0x4, false, CLIENT(false, VERDICT_TIMEOUT)},
    };
    (void)state;
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        if ((claim_missing(missing[i].warn, &missing[i].wire) != NULL) != missing[i].hit)
            fail_msg("row %zu", i);
}

static void the_first_denied(void **state)
{
    const struct claim_wire port = PORT(true, .ms = true);
    const char *words;
    (void)state;
    assert_int_equal(claim_denied(0x4000008, &port, &words), 0x8);
    assert_non_null(words);
    assert_int_equal(claim_denied(0x4000200, &port, &words), 0);
    assert_null(words);
    assert_int_equal(claim_denied(0x100008, &port, &words), 0); /* several relays */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_that_are_set),
        cmocka_unit_test(bits_that_are_missing),
        cmocka_unit_test(the_first_denied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
