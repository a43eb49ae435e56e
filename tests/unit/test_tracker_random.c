/*
 * Thousands of attempts at once, in random order, on ports that are used again and again: every one
 * must come out as if it had been alone. The model is the list of what was played.
 */
#include "flows/tracker.h"

#include "tests/help/tracker_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* What happens to an attempt: time in ms, sender, flags, seq and ack relative to the ISNs, length.
 */
struct step {
    int ms;
    char from; /* 'c'lient, 's'erver */
    uint8_t flags;
    int seq, ack;
    uint32_t len;
};

enum { SYN = TCP_SYN, SYNACK = TCP_SYN | TCP_ACK, ACK = TCP_ACK, FIN = TCP_FIN | TCP_ACK };
enum { RSTACK = TCP_RST | TCP_ACK, RST = TCP_RST, STEPS = 8, NO_ISN = -1 };

static const struct {
    enum verdict verdict;
    uint32_t syns, rsts, bytes_in;
    int ms; /* afterwards the ports are free for another attempt */
    struct step step[STEPS];
} plots[] = {
    {VERDICT_REFUSED,
     3,
     3,
     0,
     8000,
     {{0, 'c', SYN, 0, 0, 0},
      {40, 's', RSTACK, NO_ISN, 1, 0},
      {540, 'c', SYN, 0, 0, 0},
      {580, 's', RSTACK, NO_ISN, 1, 0},
      {1080, 'c', SYN, 0, 0, 0},
      {1120, 's', RSTACK, NO_ISN, 1, 0}}},
    {VERDICT_TIMEOUT,
     3,
     0,
     0,
     40000,
     {{0, 'c', SYN, 0, 0, 0}, {3000, 'c', SYN, 0, 0, 0}, {9000, 'c', SYN, 0, 0, 0}}},
    {VERDICT_SINGLE_SYN, 1, 0, 0, 30000, {{0, 'c', SYN, 0, 0, 0}}},
    {VERDICT_HALF_OPEN,
     1,
     0,
     0,
     20000,
     {{0, 'c', SYN, 0, 0, 0}, {30, 's', SYNACK, 0, 1, 0}, {1030, 's', SYNACK, 0, 1, 0}}},
    {VERDICT_RETRY_CONFLICT,
     1,
     1,
     0,
     8000,
     {{0, 'c', SYN, 0, 0, 0}, {30, 's', SYNACK, 0, 1, 0}, {31, 'c', RST, 1, 0, 0}}},
    {VERDICT_RESET_AFTER_OPEN,
     1,
     1,
     0,
     8000,
     {{0, 'c', SYN, 0, 0, 0},
      {30, 's', SYNACK, 0, 1, 0},
      {60, 'c', ACK, 1, 1, 0},
      {90, 'c', ACK, 1, 1, 100},
      {120, 's', RSTACK, 1, 101, 0}}},
    {VERDICT_CONNECTED,
     2,
     0,
     700,
     5000,
     {{0, 'c', SYN, 0, 0, 0},
      {3000, 'c', SYN, 0, 0, 0},
      {3030, 's', SYNACK, 0, 1, 0},
      {3060, 'c', ACK, 1, 1, 0},
      {3090, 'c', ACK, 1, 1, 100},
      {3120, 's', ACK, 1, 101, 700},
      {4000, 'c', FIN, 101, 701, 0},
      {4030, 's', FIN, 701, 102, 0}}},
    {VERDICT_CONNECTED,
     1,
     1,
     70,
     5000,
     {{0, 'c', SYN, 0, 0, 0},
      {30, 's', SYNACK, 0, 1, 0},
      {60, 'c', ACK, 1, 1, 0},
      {90, 'c', ACK, 1, 1, 10},
      {120, 's', ACK, 1, 11, 70},
      {150, 'c', RSTACK, 11, 71, 0}}},
};

enum {
    PLOTS = sizeof plots / sizeof *plots,
    PAIRS = 3000,
    ROUNDS = 6,
    PLAYED = PAIRS * ROUNDS,
};

struct played {
    struct endpoint client, server;
    tick_t begin;
    uint32_t isn, peer;
    unsigned plot, finals;
};

struct event {
    tick_t time;
    uint32_t played;
    uint32_t step;
};

static struct played played[PLAYED];
static struct event event[PLAYED * STEPS];
static size_t events;

static uint32_t any(uint32_t below)
{
    return (uint32_t)random() % below;
}

static int by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    if (x->played != y->played)
        return x->played < y->played ? -1 : 1;
    return x->step < y->step ? -1 : x->step > y->step;
}

/* Each pair of endpoints plays one plot after the other; all pairs at the same time. */
static void write_plays(void)
{
    for (uint32_t pair = 0; pair < PAIRS; pair++) {
        tick_t begin = lab_at(any(30000) / 1000.0);
        struct endpoint a = {addr_v4(0x0a000000 + pair / 8), (uint16_t)(50000 + pair % 8)};
        struct endpoint b = {addr_v4(0x01010101 + any(40)), (uint16_t)(443 + any(3))};
        for (uint32_t round = 0; round < ROUNDS; round++) {
            uint32_t i = pair * ROUNDS + round;
            bool swap = any(2);
            unsigned plot = any(PLOTS);
            played[i] = (struct played){.client = swap ? b : a,
                                        .server = swap ? a : b,
                                        .begin = begin,
                                        .isn = (uint32_t)random() * 3,
                                        .peer = (uint32_t)random() * 3,
                                        .plot = plot};
            for (uint32_t s = 0; s < STEPS && plots[plot].step[s].from; s++)
                event[events++] = (struct event){begin + plots[plot].step[s].ms * TICK_MS, i, s};
            begin += plots[plot].ms * TICK_MS + any(500) * TICK_MS;
        }
    }
    qsort(event, events, sizeof *event, by_time);
}

static void play(struct tracker *t, const struct event *e)
{
    const struct played *pl = &played[e->played];
    const struct step *s = &plots[pl->plot].step[e->step];
    bool client = s->from == 'c';
    struct packet p = {.time = e->time,
                       .src = client ? pl->client : pl->server,
                       .dst = client ? pl->server : pl->client,
                       .proto = PROTO_TCP,
                       .flags = s->flags,
                       .payload_len = s->len};
    p.seq = s->seq == NO_ISN ? 0 : (client ? pl->isn : pl->peer) + (uint32_t)s->seq;
    p.ack = s->flags & TCP_ACK ? (client ? pl->peer : pl->isn) + (uint32_t)s->ack : 0;
    tracker_tcp(t, &p);
}

static void judged(void *arg, const struct attempt *a, bool final)
{
    (void)arg;
    if (!final)
        return;
    for (uint32_t i = 0; i < PLAYED; i++) {
        struct played *p = &played[i];
        if (p->isn != a->isn || !endpoint_eq(&p->client, &a->src))
            continue;
        if (a->verdict != plots[p->plot].verdict)
            fail_msg("plot %u became %s", p->plot, verdict_name(a->verdict));
        assert_true(endpoint_eq(&p->server, &a->dst));
        assert_int_equal(a->syns, plots[p->plot].syns);
        assert_int_equal(a->rsts, plots[p->plot].rsts);
        assert_int_equal(a->bytes_in, plots[p->plot].bytes_in);
        assert_true(a->first == p->begin);
        p->finals++;
        return;
    }
    fail_msg("an attempt nobody made");
}

static void every_attempt_comes_out_as_if_it_were_alone(void **state)
{
    const struct tracker_hooks hooks = {.attempt = judged};
    struct tracker *t = tracker_new(1 << 14, 1, 5, &hooks);
    (void)state;
    srandom(2);
    write_plays();
    for (size_t i = 0; i < events; i++)
        play(t, &event[i]);
    tracker_finish(t, event[events - 1].time + 100 * TICK_S);
    for (uint32_t i = 0; i < PLAYED; i++)
        assert_int_equal(played[i].finals, 1);
    struct tracker_counts c;
    tracker_counts(t, &c);
    assert_int_equal(c.attempts, PLAYED);
    assert_int_equal(c.tcp_packets, events);
    assert_int_equal(c.evicted_syn + c.evicted_flows, 0);
    tracker_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_attempt_comes_out_as_if_it_were_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
