/* Clocks that are set, pauses of a capture, and two clocks that disagree: deadlines stay right. */
#include "flows/limits.h"
#include "flows/tracker.h"
#include "tests/help/tracker_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define RELAY "10.3.0.40:58138"
#define PEER "1.1.1.1:50704"
static const double HOUR = 3600;

static struct tracker_lab lab; /* large: reports */

static int set_up(void **state)
{
    (void)state;
    tracker_lab_open(&lab, 64, 8);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tracker_lab_close(&lab);
    return 0;
}

static void hours_ahead_in_a_handshake_are_no_silence(void **state)
{
    (void)state;
    lab_segment(&lab, 0, RELAY, PEER, LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 3 * HOUR + 0.05, PEER, RELAY, LAB_SYNACK, 900, 101, 0);
    lab_segment(&lab, 3 * HOUR + 0.06, RELAY, PEER, TCP_ACK, 101, 901, 0);
    lab_segment(&lab, 3 * HOUR + 0.07, RELAY, PEER, TCP_ACK, 101, 901, 10);
    lab_segment(&lab, 3 * HOUR + 0.08, PEER, RELAY, TCP_ACK, 901, 111, 10);
    lab_finish(&lab, 3 * HOUR + 60);
    assert_int_equal(lab.by_verdict[VERDICT_TIMEOUT] + lab.by_verdict[VERDICT_SINGLE_SYN], 0);
}

static void hours_ahead_after_three_requests_leave_the_claim(void **state)
{
    (void)state;
    lab_segment(&lab, 0, RELAY, PEER, LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 3, RELAY, PEER, LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 9, RELAY, PEER, LAB_SYN, 100, 0, 0);
    lab_handshake(&lab, 3 * HOUR, "10.0.0.1:5", "10.0.0.2:6");
    assert_int_equal(lab.by_verdict[VERDICT_TIMEOUT], 1);
}

static void after_a_step_back_deadlines_begin_anew(void **state)
{
    (void)state;
    lab_segment(&lab, 2 * HOUR, RELAY, PEER, LAB_SYN, 100, 0, 0);
    tracker_restart(lab.tracker, lab_at(1.7 * HOUR)); /* less than CLOCK_STEP_BACK */
    unsigned before = lab.reports;
    lab_segment(&lab, 1.7 * HOUR + 1, RELAY, "1.1.1.1:2", LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 1.7 * HOUR + 4, RELAY, "1.1.1.1:2", LAB_SYN, 100, 0, 0);
    tracker_advance(lab.tracker, lab_at(1.7 * HOUR + 28));
    assert_int_equal(lab.reports, before);
    tracker_advance(lab.tracker, lab_at(1.7 * HOUR + 30)); /* not half an hour later */
    assert_int_equal(lab.reports, before + 1);
    assert_int_equal(lab_last(&lab)->verdict, VERDICT_TIMEOUT);
}

static void a_step_back_by_hours_is_another_capture(void **state)
{
    (void)state;
    lab_segment(&lab, 5 * HOUR, RELAY, PEER, LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 2 * HOUR, RELAY, "1.1.1.1:2", LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 2 * HOUR + 3, RELAY, "1.1.1.1:2", LAB_SYN, 100, 0, 0);
    unsigned before = lab.reports;
    tracker_advance(lab.tracker, lab_at(2 * HOUR + 30));
    assert_int_equal(lab.reports, before + 1);
}

/* A tap whose two outputs are stamped by different cards: the answer seems to come first. */
static void directions_200_ms_apart_are_one_handshake(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        double back = late ? 0.25 : -0.15, at = 10 + 100 * late;
        const char *src = late ? RELAY : "10.3.0.40:7";
        if (late) {
            lab_segment(&lab, at, src, PEER, LAB_SYN, 100, 0, 0);
            lab_segment(&lab, at + 0.1, src, PEER, TCP_ACK, 101, 901, 0);
        }
        lab_segment(&lab, at + back, PEER, src, LAB_SYNACK, 900, 101, 0);
        if (!late) {
            lab_segment(&lab, at, src, PEER, LAB_SYN, 100, 0, 0);
            lab_segment(&lab, at + 0.1, src, PEER, TCP_ACK, 101, 901, 0);
        }
        lab_segment(&lab, at + 0.3, src, PEER, TCP_ACK, 101, 901, 50);
        lab_segment(&lab, at + 0.4, PEER, src, TCP_ACK, 901, 151, 50);
        lab_segment(&lab, at + 0.5, src, PEER, TCP_ACK | TCP_FIN, 151, 951, 0);
        lab_segment(&lab, at + 0.6, PEER, src, TCP_ACK | TCP_FIN, 951, 152, 0);
    }
    lab_finish(&lab, 400);
    for (unsigned i = 0; i < lab.reports; i++)
        assert_int_equal(lab.report[i].verdict, VERDICT_CONNECTED);
    assert_true(lab.reports >= 2);
}

/* ---- blind windows ---- */

static void a_gap_casts_doubt_within_its_ten_seconds(void **state)
{
    (void)state;
    double ten = 10.0 - (double)(lab_at(0) % BLIND_SPAN) / TICK_S; /* a span begins */
    lab_segment(&lab, ten + 1, RELAY, PEER, LAB_SYN, 100, 0, 0);
    tracker_gap(lab.tracker, lab_at(ten + 1.02));
    tracker_gap(lab.tracker, lab_at(ten + 1.03));
    lab_segment(&lab, ten + 1.05, PEER, RELAY, TCP_RST | TCP_ACK, 0, 101, 0);
    lab_segment(&lab, ten + 11, "10.3.0.40:2", PEER, LAB_SYN, 100, 0, 0);
    lab_segment(&lab, ten + 11.05, PEER, "10.3.0.40:2", TCP_RST | TCP_ACK, 0, 101, 0);
    lab_finish(&lab, ten + 30);
    assert_int_equal(lab.reports, 2);
    assert_int_equal(lab.report[0].verdict, VERDICT_REFUSED);
    assert_int_equal(lab.report[0].quality, QUALITY_LOSSY);
    assert_int_equal(lab.report[1].quality, QUALITY_GOOD);
}

/* A minute of loss, told second by second, still covers an attempt that began with it. */
static void a_long_loss_is_remembered_from_its_beginning(void **state)
{
    (void)state;
    lab_segment(&lab, 100.5, RELAY, PEER, LAB_SYN, 100, 0, 0);
    lab_segment(&lab, 103.5, RELAY, PEER, LAB_SYN, 100, 0, 0);
    for (int s = 100; s < 100 + 2 * LIMIT_LOSSY_SPANS; s++)
        tracker_lossy(lab.tracker, lab_at(s), lab_at(s + 1));
    lab_finish(&lab, 300);
    assert_int_equal(lab.reports, 1);
    assert_int_equal(lab.report[0].verdict, VERDICT_UNSEEN);
    assert_int_equal(lab.report[0].quality, QUALITY_LOSSY);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(hours_ahead_in_a_handshake_are_no_silence),
        T(hours_ahead_after_three_requests_leave_the_claim),
        T(after_a_step_back_deadlines_begin_anew),
        T(a_step_back_by_hours_is_another_capture),
        T(directions_200_ms_apart_are_one_handshake),
        T(a_gap_casts_doubt_within_its_ten_seconds),
        T(a_long_loss_is_remembered_from_its_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
