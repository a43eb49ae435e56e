/*
 * The transition function of one attempt. Each row of the table is a little play: what is seen and
 * in the end the verdict that P§7.3 and RFC 9293 ask for.
 *
 * A script is words with blanks between; digits after a word are seconds since the beginning.
 *   S  SYN of the client           a  SYN-ACK of the server, right       w  ... with a wrong ack
 *   A  ACK of the client, right    W  ... with a wrong ack               X  ... with a wrong seq
 *   D  100 bytes of the client     d  100 bytes of the server            e  10 bytes of the server
 *   Q  check request of the client o  OK of the server                   n  error of the server
 *   R  RST of the client           r  RST,ACK of the server, ISN + 1     i  RST that acks nothing
 * known F  FIN of the client           f  FIN of the server                  q  RST of the server,
 * in window z  RST far out of the window   u  ICMP that quotes the SYN           c  the server's
 * own SYN crossed .  the wait is over            $  the capture ends
 */
#include "capture/frame.h"
#include "flows/handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ISN = 1000, PEER = 0xfffffff0 /* the peer's numbers wrap */ };

struct play {
    struct handshake h;
    tick_t asked, seen;
    uint32_t sent, answered; /* bytes so far */
    struct handshake_result last;
    enum verdict provisional, final;
    unsigned finals;
};

static const struct addr router = {{[10] = 0xff, [11] = 0xff, 192, 0, 2, 1}};

static struct handshake_event client(uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    return (struct handshake_event){.what = HS_SEGMENT,
                                    .from_client = true,
                                    .flags = flags,
                                    .seq = seq,
                                    .ack = ack,
                                    .len = len};
}

static struct handshake_event server(uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    struct handshake_event e = client(flags, seq, ack, len);
    e.from_client = false;
    return e;
}

static struct handshake_event event_for(const struct play *p, char word)
{
    const uint8_t syn_ack = TCP_SYN | TCP_ACK, rst_ack = TCP_RST | TCP_ACK, fin = TCP_FIN | TCP_ACK;
    uint32_t c = ISN + 1 + p->sent, s = PEER + 1 + p->answered;
    struct handshake_event e = {0};
    switch (word) {
    case 'S':
        return client(TCP_SYN, ISN, 0, 0);
    case 'a':
        return server(syn_ack, PEER, ISN + 1, 0);
    case 'w':
        return server(syn_ack, PEER, ISN + 77777, 0);
    case 'y':
        return client(syn_ack, ISN, PEER + 1, 0);
    case 'A':
        return client(TCP_ACK, c, s, 0);
    case 'W':
        return client(TCP_ACK, c, s + 500000, 0);
    case 'X':
        return client(TCP_ACK, c + 500000, s, 0);
    case 'D':
        return client(TCP_ACK, c, s, 100);
    case 'd':
        return server(TCP_ACK, s, c, 100);
    case 'e':
        return server(TCP_ACK, s, c, 10);
    case 'R':
        return client(TCP_RST, c, 0, 0);
    case 'r':
        return server(rst_ack, 0, ISN + 1, 0);
    case 'i':
        return server(rst_ack, 0, ISN, 0);
    case 'q':
        return server(rst_ack, s, c, 0);
    case 'z':
        return server(rst_ack, s + 1000000, c, 0);
    case 'F':
        return client(fin, c, s, 0);
    case 'f':
        return server(fin, s, c, 0);
    case 'Q':
        e = client(TCP_ACK, c, s, 100);
        e.peek = PEEK_CHECK_REQUEST;
        return e;
    case 'o':
        e = server(TCP_ACK, s, c, 50);
        e.peek = PEEK_CHECK_OK;
        return e;
    case 'n':
        e = server(TCP_ACK, s, c, 90);
        e.peek = PEEK_CHECK_ERROR;
        return e;
    case 'u':
        e.what = HS_UNREACH;
        e.seq = ISN;
        e.icmp_code = 13;
        e.icmp_from = &router;
        return e;
    case '.':
        e.what = HS_DEADLINE;
        return e;
    case '$':
        e.what = HS_END;
        return e;
    default:
        fail_msg("no word %c", word);
        return e;
    }
}

static void perform(struct play *p, char word, tick_t time)
{
    struct handshake_event e = event_for(p, word);
    bool silence = e.what == HS_DEADLINE || e.what == HS_END;
    e.time = time;
    e.asked = p->asked;
    e.idle = time - p->seen;
    p->last = handshake_step(&p->h, &e);
    if (p->last.asks)
        p->asked = time;
    if (!silence)
        p->seen = time;
    if (e.what == HS_SEGMENT)
        *(e.from_client ? &p->sent : &p->answered) += e.len;
    if (p->last.report == HS_PROVISIONAL)
        p->provisional = p->last.verdict;
    if (p->last.report == HS_FINAL) {
        p->final = p->last.verdict;
        p->finals++;
    }
}

static void play(struct play *p, const char *script)
{
    char *end;
    *p = (struct play){.provisional = VERDICT_PENDING, .final = VERDICT_PENDING};
    bool begun = false;
    while (*script) {
        char word = *script++;
        tick_t time = (tick_t)(strtod(script, &end) * 1e9);
        script = end + strspn(end, " ");
        if (!begun && word == 'S') {
            handshake_begin(&p->h, time, ISN);
            p->asked = p->seen = time;
        } else {
            if (!begun)
                handshake_adopt(&p->h, time, ISN + 1);
            perform(p, word, time);
        }
        begun = true;
    }
}

static const struct {
    const char *script;
    enum verdict provisional, final;
    const char *why;
} plays[] = {
#define NO VERDICT_PENDING
    /* refused */
    {"S0 r0.04 .3.1", NO, VERDICT_REFUSED, "RST to the only SYN"},
    {"S0 r0.043 S0.546 r0.588 S1.092 r1.134 .4.2", NO, VERDICT_REFUSED,
     "P§8.2: one ISN, one attempt"},
    {"S0 r0.04 S0.5 .26", NO, VERDICT_REFUSED, "the second SYN is dropped, the first was refused"},
    {"S0 r0.04 S0.5 a0.6 A0.7 D0.8 d0.9", VERDICT_CONNECTED, NO, "permission came in time (P§1.6)"},
    {"S0 r0.04 $0.1", NO, VERDICT_REFUSED, "an RST is a fact, also at the end of the capture"},
    {"S0 i0.04 .26", NO, VERDICT_SINGLE_SYN, "RFC 9293: an RST that acks nothing is ignored"},
    {"S0 i0.2 a1.2 A1.3 D1.4 d1.5", VERDICT_CONNECTED, NO, "injected RST before the SYN-ACK"},
    /* silence */
    {"S0 S3 S9 .34", NO, VERDICT_TIMEOUT, "Windows schedule"},
    {"S0 .25", NO, VERDICT_SINGLE_SYN, "no retry"},
    {"S0 $2.9", NO, VERDICT_UNSEEN, "a retry would come after 3 s"},
    {"S0 $3.1", NO, VERDICT_SINGLE_SYN, "... and did not"},
    {"S0 S1 $2.5", NO, VERDICT_UNSEEN, "too early to say"},
    {"S0 S1 $3.5", NO, VERDICT_TIMEOUT, "two SYNs, more than 3 s"},
    {"S0 R0.5 .3.6", NO, VERDICT_SINGLE_SYN, "the application gave up"},
    {"S0 S1 R2 .5.1", NO, VERDICT_TIMEOUT, "gave up after a retry"},
    {"S0 S1 S3 S7 S15 S31 .56", NO, NO, "Linux sends again after 32 s: wait on"},
    {"S0 S1 S3 S7 S15 S31 S63 a63.1 .74", NO, VERDICT_HALF_OPEN, "... and gets its answer"},
    {"S0 S1 S3 S7 S15 S31 .56 .81 .106", NO, VERDICT_TIMEOUT, "... or never"},
    /* unreachable */
    {"S0 u0.1 .10.2", NO, VERDICT_UNREACHABLE, "ICMP"},
    {"S0 u0.1 S3 u3.1 .13.2", NO, VERDICT_UNREACHABLE, "ICMP to both"},
    {"S0 u0.1 S3 a3.1 A3.2 D3.3 d3.4", VERDICT_CONNECTED, NO, "connects after all"},
    {"S0 a0.1 u0.2 A0.3 D0.4 d0.5", VERDICT_CONNECTED, NO, "ICMP after the answer"},
    /* told as failed, and the same SYN is answered in the end */
    {"S0 u0.1 .10.2 S15 a15.1 A15.2 D15.3 d15.4", VERDICT_CONNECTED, VERDICT_UNREACHABLE,
     "the block is lifted"},
    {"S0 r0.1 .3.2 S4 a4.1 A4.2 D4.3 d4.4", VERDICT_CONNECTED, VERDICT_REFUSED, "a late retry"},
    {"S0 u0.1 .10.2 S15 a15.1 .25.2", NO, VERDICT_UNREACHABLE, "half a handshake is no news"},
    {"S0 u0.1 .10.2 S15 a15.1 A15.2 .45.3", NO, VERDICT_UNREACHABLE, "nor a silent one"},
    {"S0 u0.1 .10.2 S15 w15.1 A15.2 D15.3 d15.4", NO, VERDICT_UNREACHABLE,
     "SYN-ACK of another attempt"},
    /* half-open and conflicts */
    {"S0 a0.1 .10.2", NO, VERDICT_HALF_OPEN, "no ACK"},
    {"S0 a0.1 a1.1 a3.1 .13.2", NO, VERDICT_HALF_OPEN, "SYN-ACK repeated"},
    {"S0 a0.1 $0.2", NO, VERDICT_UNSEEN, "the ACK may be on its way"},
    {"S0 a0.1 R0.2 .3.3", NO, VERDICT_RETRY_CONFLICT, "our own side resets"},
    {"S0 w0.1 .26", NO, VERDICT_RETRY_CONFLICT, "SYN-ACK of another attempt"},
    {"S0 w0.1 a0.2 A0.3 D0.4 d0.5", VERDICT_CONNECTED, NO, "the right one follows"},
    {"S0 a0.1 W0.2 .11", NO, VERDICT_HALF_OPEN, "acknowledges what was never sent"},
    {"S0 a0.1 X0.2 .11", NO, VERDICT_HALF_OPEN, "a sequence number of another connection"},
    {"S0 a0.1 z0.2 A0.3 D0.4 d0.5", VERDICT_CONNECTED, NO, "RST out of window"},
    /* connected */
    {"S0 a0.1 A0.2 D0.3 d0.4", VERDICT_CONNECTED, NO, "bytes both ways"},
    {"S0 a0.1 A0.2 D0.3 d0.4 F1 f1.1 .5", VERDICT_CONNECTED, VERDICT_CONNECTED, "closed in order"},
    {"S0 a0.1 A0.2 D0.3 d0.4 q1 .5", VERDICT_CONNECTED, VERDICT_CONNECTED, "reset when done"},
    {"S0 a0.1 D0.3 d0.4", VERDICT_CONNECTED, NO, "the ACK itself was not captured"},
    {"S0 a0.1 d0.3 D0.4", VERDICT_CONNECTED, NO, "... the server only talks after it"},
    {"a0 S0.001 A0.002 D0.1 d0.2", VERDICT_CONNECTED, NO, "SYN-ACK captured before its SYN"},
    {"a0 A0.1 D0.2 d0.3", VERDICT_CONNECTED, NO, "the capture began after the SYN"},
    {"S0 A0.09 a0.1 D0.2 d0.3", VERDICT_CONNECTED, NO, "ACK captured before the SYN-ACK"},
    {"S0 A0.09 a0.1 .30.2", VERDICT_OPEN_NO_CHECK, NO, "... and nothing after it"},
    {"S0 a0.02 y0.03 D0.1 d0.2", VERDICT_CONNECTED, NO, "simultaneous open"},
    {"S0 y0.02 a0.03 D0.1 d0.2", VERDICT_CONNECTED, NO, "... in the other order"},
    {"S0 A0.2 d0.3 D0.4", VERDICT_CONNECTED, NO, "SYN-ACK lost by the capture"},
    {"S0 a0.1 A0.2 $0.3", NO, VERDICT_CONNECTED, "the handshake is all there was time for"},
    {"S0 a0.1 A0.2 D0.3 q0.4 d0.5 o0.6", VERDICT_CONNECTED, NO, "RST forged: its sender goes on"},
    {"S0 a0.1 A0.2 D0.3 q0.4 e0.5 .31", VERDICT_CONNECTED, NO, "... a little"},
    /* reset after open */
    {"S0 a0.1 A0.2 q0.3 .3.4", NO, VERDICT_RESET_AFTER_OPEN, "before any payload"},
    {"S0 a0.1 A0.2 D0.3 q0.4 .3.5", NO, VERDICT_RESET_AFTER_OPEN, "instead of an answer"},
    {"S0 a0.1 A0.2 D0.3 e0.4 q0.5 .3.6", NO, VERDICT_RESET_AFTER_OPEN, "within the first bytes"},
    {"S0 a0.1 A0.2 D0.3 f0.4 F0.5 .3.6", NO, VERDICT_RESET_AFTER_OPEN, "FIN instead of an answer"},
    {"S0 a0.1 A0.2 D0.3 e0.4 f0.5 F0.6 .4", VERDICT_CONNECTED, VERDICT_CONNECTED,
     "a short answer, closed in order"},
    {"S0 a0.1 A0.2 q0.3 $0.4", NO, VERDICT_RESET_AFTER_OPEN, "also at the end"},
    /* open, no check */
    {"S0 a0.1 A0.2 .30.2", VERDICT_OPEN_NO_CHECK, NO, "total silence"},
    {"S0 a0.1 A0.2 Q0.3 .30.3", VERDICT_OPEN_NO_CHECK, NO, "check unanswered"},
    {"S0 a0.1 A0.2 Q0.3 n0.4 .30.4", VERDICT_OPEN_NO_CHECK, NO, "only an error"},
    {"S0 a0.1 A0.2 Q0.3 F9 f9.1 A9.2 .19", NO, VERDICT_OPEN_NO_CHECK, "asked, and gave up itself"},
    {"S0 a0.1 A0.2 Q0.3 R9 .19", NO, VERDICT_OPEN_NO_CHECK, "the same with a reset of its own"},
    {"S0 a0.1 A0.2 Q0.3 f9 .19", NO, VERDICT_RESET_AFTER_OPEN, "asked, and was cut off"},
    {"S0 a0.1 A0.2 Q0.3 n0.4 Q0.5 o0.6", VERDICT_CONNECTED, NO, "487, then OK"},
    {"S0 a0.1 A0.2 Q0.3 o0.4", VERDICT_CONNECTED, NO, "a short OK is enough"},
    {"S0 a0.1 A0.2 Q0.3 $4", NO, VERDICT_OPEN_NO_CHECK, "unanswered for 3 s at the end"},
    {"S0 a0.1 A0.2 .30.2 D100 d100.1", VERDICT_CONNECTED, NO, "used in the end"},
    {"S0 a0.1 A0.2 .30.2 .330", VERDICT_OPEN_NO_CHECK, VERDICT_OPEN_NO_CHECK, "never used"},
    /* what can't be seen */
    {"S0 A0.2 D0.3 D1 .26", NO, VERDICT_UNSEEN, "the client acknowledges what nobody saw"},
    {"a0 a1 a3 .13.1", NO, VERDICT_UNSEEN, "nothing of the client is visible"},
#undef NO
};

static void verdicts_follow_the_packets(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof plays / sizeof *plays; i++) {
        struct play p;
        play(&p, plays[i].script);
        if (p.provisional != plays[i].provisional || p.final != plays[i].final)
            fail_msg("%s (%s): %s, %s", plays[i].script, plays[i].why, verdict_name(p.provisional),
                     verdict_name(p.final));
        assert_true(p.finals <= 1);
    }
}

static void late_packets_of_a_decided_attempt_change_nothing(void **state)
{
    struct play p;
    (void)state;
    play(&p, "S0 S3 S9 .34");
    struct handshake before = p.h;
    for (const char *w = "SwrAuR"; *w; w++) {
        perform(&p, *w, 35 * TICK_S);
        assert_int_equal(p.last.report, HS_QUIET);
        assert_false(p.last.rearm);
    }
    assert_memory_equal(&before, &p.h, sizeof before);
}

static void counts_and_answers(void **state)
{
    struct play p;
    (void)state;
    play(&p, "S0 r0.043 S0.546 r0.588 S1.092 r1.134");
    assert_int_equal(p.h.syns, 3);
    assert_int_equal(p.h.rsts, 3);
    assert_false(p.last.answers); /* only the first one does */
    assert_true(p.last.part);
    assert_int_equal(p.h.wait, WAIT_AFTER_RST);
    play(&p, "S0 a0.1");
    assert_true(p.last.answers);
    play(&p, "S0 a0.1 A0.2");
    assert_true(p.last.opens);
    assert_int_equal(p.h.server_isn, PEER);
}

static void bytes_are_counted_once(void **state)
{
    struct play p;
    (void)state;
    play(&p, "S0 a0.1 A0.2 D0.3 d0.4");
    uint32_t next = p.h.next[0];
    handshake_bytes(&p.h, true, next, 50);
    handshake_bytes(&p.h, true, next, 50);              /* again */
    handshake_bytes(&p.h, true, next - 20, 90);         /* 20 old ones more */
    handshake_bytes(&p.h, true, next + 1070, 10);       /* after a hole of 1000 */
    handshake_bytes(&p.h, true, next + 0x40000000, 10); /* no number of this connection */
    assert_int_equal(p.h.bytes[0], 100 + 50 + 20 + 10);
    assert_int_equal(p.h.bytes[1], 100);
}

static void icmp_keeps_its_sender(void **state)
{
    struct play p;
    (void)state;
    play(&p, "S0 u0.1");
    assert_true(p.h.flags & HS_ICMP);
    assert_int_equal(p.h.icmp_code, 13);
    assert_memory_equal(&p.h.icmp_from, &router, sizeof router);
    assert_int_equal(p.h.wait, WAIT_AFTER_ICMP);
}

static void a_server_may_restart_its_half(void **state)
{
    struct play p;
    (void)state;
    play(&p, "S0 a0.1");
    struct handshake_event other = server(TCP_SYN | TCP_ACK, 5555, ISN + 1, 0);
    struct handshake_event ack = client(TCP_ACK, ISN + 1, 5556, 0);
    (void)handshake_step(&p.h, &other);
    assert_true(handshake_step(&p.h, &ack).opens);
    assert_int_equal(p.h.server_isn, 5555);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_follow_the_packets),
        cmocka_unit_test(late_packets_of_a_decided_attempt_change_nothing),
        cmocka_unit_test(counts_and_answers),
        cmocka_unit_test(bytes_are_counted_once),
        cmocka_unit_test(icmp_keeps_its_sender),
        cmocka_unit_test(a_server_may_restart_its_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
