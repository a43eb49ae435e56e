/* How one failure is told in words. */
#include "flows/findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "flows/wire/framing.h"
#include "tests/help/expect.h"
#include "tests/help/scene.h"

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
            scene_run(&s); /* and no rule stumbles over any of them */
        }
}

/* Packets of other kinds, an answer without a relay address: both may have come. */
static void no_more_is_denied_than_was_looked_for(void **state)
{
    struct scene s;
    (void)state;
    scene_incident(&s);
    s.f.verdict = VERDICT_UNSEEN; /* its three SYNs were seen, of one attempt */
    expect_text(explain(&s), "asked 1.1.1.1:50704 to connect, but one direction alone was seen");
    s.f.attempts = s.f.syns = 0;
    expect_text(explain(&s), "no connection attempt between the two ends was seen");
    s.f.verdict = VERDICT_ALLOC_FAIL;
    s.f.error_code = 0;
    expect_text(explain(&s), "; no grant of one was seen.");
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
        cmocka_unit_test(incident_in_words),
        cmocka_unit_test(every_verdict_has_words),
        cmocka_unit_test(no_more_is_denied_than_was_looked_for),
        cmocka_unit_test(lossy_capture_is_said),
        cmocka_unit_test(explanation_fits_any_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
