/* Calls from allocation to hang-up, as a list of steps driven by the event queue. */
#include "tests/bench/gen_call.h"

#include <stdlib.h>

enum { MESSAGE_MAX = 1024, CONTROL = 2, FIRST_PORT = 50000, PORTS = 10000 };

typedef int64_t step_fn(struct gen_site *, struct call *);

static int64_t control_syn(struct gen_site *s, struct call *c)
{
    const struct endpoint4 server = {0x0a030022u + c->edge, 443}; /* 10.3.0.34 and following */
    flow_start(&s->gen->out, &c->control, c->client, server);
    flow_syn(&s->gen->out, &c->control, false);
    return 300;
}

static int64_t control_syn_ack(struct gen_site *s, struct call *c)
{
    flow_syn_ack(&s->gen->out, &c->control);
    return 500;
}

static int64_t control_ack(struct gen_site *s, struct call *c)
{
    flow_established(&s->gen->out, &c->control);
    return GEN_MS(50);
}

static int64_t control_hello(struct gen_site *s, struct call *c)
{
    BUF(b, MESSAGE_MAX);
    pseudo_tls_hello(&b, &c->random);
    flow_data(&s->gen->out, &c->control, 0, b.p, b.n);
    return 400;
}

static int64_t control_hello_answer(struct gen_site *s, struct call *c)
{
    BUF(b, MESSAGE_MAX);
    pseudo_tls_answer(&b, &c->random);
    flow_data(&s->gen->out, &c->control, 1, b.p, b.n);
    return GEN_MS(50);
}

static int64_t allocate(struct gen_site *s, struct call *c)
{
    BUF(b, MESSAGE_MAX);
    ms_allocate(&b, &c->turn, false);
    control_send(s, c, 0, CONTROL, &b);
    return 400;
}

static int64_t challenge(struct gen_site *s, struct call *c)
{
    BUF(b, MESSAGE_MAX);
    ms_challenge(&b, &c->turn);
    control_send(s, c, 1, CONTROL, &b);
    return GEN_MS(50);
}

static int64_t allocate_again(struct gen_site *s, struct call *c)
{
    BUF(b, MESSAGE_MAX);
    ms_allocate(&b, &c->turn, true);
    control_send(s, c, 0, CONTROL, &b);
    return 400;
}

static int64_t allocated(struct gen_site *s, struct call *c)
{
    BUF(b, MESSAGE_MAX);
    ms_allocated(&b, &c->turn, c->relay, c->client);
    control_send(s, c, 1, CONTROL, &b);
    s->allocations++;
    return GEN_MS(30);
}

static int64_t control_last_ack(struct gen_site *s, struct call *c)
{
    flow_tcp(&s->gen->out, &c->control, 0, TH_ACK, NULL, 0);
    return GEN_MS(30);
}

static int64_t control_close(struct gen_site *s, struct call *c)
{
    flow_fin(&s->gen->out, &c->control, 0);
    return 400;
}

static int64_t control_closed(struct gen_site *s, struct call *c)
{
    flow_fin(&s->gen->out, &c->control, 1);
    flow_tcp(&s->gen->out, &c->control, 0, TH_ACK, NULL, 0);
    return 0;
}

/* A message on the call's trunk. Who sends twice in a row has seen an ACK of the first. */
static void trunk_send(struct gen_site *s, const struct call *c, bool from_caller,
                       const struct buf *message)
{
    struct trunk *t = &s->trunks[c->serial % TRUNKS];
    int side = from_caller == c->inbound;
    if (t->unanswered && t->last_sender == side)
        flow_tcp(&s->gen->out, &t->flow, !side, TH_ACK, NULL, 0);
    flow_data(&s->gen->out, &t->flow, side, message->p, message->n);
    t->last_sender = side;
    t->unanswered = true;
    s->sip_messages++;
}

static int64_t invite(struct gen_site *s, struct call *c)
{
    BUF(b, SIP_MAX);
    sip_invite(&b, s, c);
    trunk_send(s, c, true, &b);
    return GEN_MS(4);
}

static int64_t trying(struct gen_site *s, struct call *c)
{
    BUF(b, SIP_MAX);
    sip_trying(&b, c);
    trunk_send(s, c, false, &b);
    return GEN_MS(100 + rnd_below(&c->random, 600));
}

static int64_t ringing(struct gen_site *s, struct call *c)
{
    BUF(b, SIP_MAX);
    sip_ringing(&b, s, c);
    trunk_send(s, c, false, &b);
    return GEN_MS(1000 + rnd_below(&c->random, 4000));
}

static int64_t answer(struct gen_site *s, struct call *c)
{
    BUF(b, SIP_MAX);
    sip_ok(&b, s, c);
    trunk_send(s, c, false, &b);
    return GEN_MS(10);
}

static int64_t acknowledge(struct gen_site *s, struct call *c)
{
    BUF(b, SIP_MAX);
    sip_ack(&b, c);
    trunk_send(s, c, true, &b);
    return GEN_MS(20);
}

static int64_t send_check(struct gen_site *s, struct call *c)
{
    BUF(check, MESSAGE_MAX);
    ms_check(&check, &c->random, &(struct check){c->ufrag[1], c->ufrag[0], 6556159, !c->inbound});
    BUF(data, MESSAGE_MAX);
    rfc4571(&data, &check);
    BUF(b, MESSAGE_MAX);
    ms_send(&b, &c->turn, c->peer, &data);
    control_send(s, c, 0, CONTROL, &b);
    return GEN_MS(15);
}

static int64_t bye(struct gen_site *s, struct call *c)
{
    BUF(b, SIP_MAX);
    sip_bye(&b, c, !s->gen->opt.signaling_only && !call_connected(c));
    trunk_send(s, c, true, &b);
    return GEN_MS(25);
}

static int64_t bye_answer(struct gen_site *s, struct call *c)
{
    BUF(b, SIP_MAX);
    sip_bye_ok(&b, c);
    trunk_send(s, c, false, &b);
    return GEN_MS(40);
}

static int64_t talk_pause(struct gen_site *s, struct call *c)
{
    (void)s;
    return GEN_MS(2000 + rnd_below(&c->random, 20000));
}

#define STEPS_CONTROL                                                                         \
    control_syn, control_syn_ack, control_ack, control_hello, control_hello_answer, allocate, \
        challenge, allocate_again, allocated, control_last_ack
#define STEPS_MEDIA                                                                         \
    send_check, media_attempt, media_check, media_check_answer, media_activate, media_flow, \
        media_close

static step_fn *const steps_outbound[] = {STEPS_CONTROL, invite,        trying,         ringing,
                                          answer,        acknowledge,   STEPS_MEDIA,    bye,
                                          bye_answer,    control_close, control_closed, NULL};
static step_fn *const steps_inbound[] = {invite,     trying,        STEPS_CONTROL,  ringing,
                                         answer,     acknowledge,   STEPS_MEDIA,    bye,
                                         bye_answer, control_close, control_closed, NULL};
static step_fn *const steps_signaling[] = {invite,     trying, ringing,    answer, acknowledge,
                                           talk_pause, bye,    bye_answer, NULL};

static step_fn *const *steps_of(const struct gen_site *s, const struct call *c)
{
    if (s->gen->opt.signaling_only)
        return steps_signaling;
    return c->inbound ? steps_inbound : steps_outbound;
}

static enum gen_verdict draw_failure(uint64_t *random)
{
    /* per cent of the failures; the last takes the rest */
    static const uint32_t share[] = {
        [GEN_REFUSED] = 38, [GEN_TIMEOUT] = 25, [GEN_UNREACHABLE] = 14, [GEN_RESET] = 14};
    uint32_t r = rnd_below(random, 100);
    for (enum gen_verdict v = GEN_REFUSED; v < GEN_HALF; v++) {
        if (r < share[v])
            return v;
        r -= share[v];
    }
    return GEN_HALF;
}

static void draw_outcome(struct call *c, bool only_refused)
{
    if (only_refused) {
        c->verdict = GEN_REFUSED;
        return;
    }
    if (rnd_below(&c->random, 100) < 67)
        return;
    c->verdict = draw_failure(&c->random);
    c->retry = rnd_below(&c->random, 100) < 40;
    c->retry_reversed = rnd_below(&c->random, 2);
    c->retry_verdict = rnd_below(&c->random, 2) ? GEN_CONNECTED : c->verdict;
}

static void draw_addresses(struct gen_site *s, struct call *c)
{
    c->edge = (uint8_t)rnd_below(&c->random, EDGES);
    uint16_t port = s->next_port[c->edge];
    s->next_port[c->edge] = (uint16_t)((port + 1) % PORTS);
    port = (uint16_t)(port + FIRST_PORT);
    c->client = (struct endpoint4){0x0a620000u + rnd_below(&c->random, 20000),
                                   (uint16_t)(1024 + c->serial % 40000)};
    c->relay = (struct endpoint4){0xcb007101u + c->edge, port};      /* 203.0.113.1 and following */
    c->relay_wire = (struct endpoint4){0x0a030128u + c->edge, port}; /* 10.3.1.40 and following */
    c->peer = (struct endpoint4){0xc6336401u + rnd_below(&c->random, 250), /* 198.51.100.x */
                                 (uint16_t)(FIRST_PORT + rnd_below(&c->random, PORTS))};
}

static void draw_names(struct call *c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    snprintf(c->call_id, sizeof c->call_id, "%016llx%016llx",
             (unsigned long long)rnd_next(&c->random), (unsigned long long)rnd_next(&c->random));
    for (int side = 0; side < 2; side++)
        for (int i = 0; i + 1 < UFRAG; i++)
            c->ufrag[side][i] = alphabet[rnd_below(&c->random, 64)];
}

static void start_call(struct gen_site *s, struct call *c)
{
    *c = (struct call){.serial = s->started++, .random = rnd_next(&s->gen->random)};
    c->inbound = rnd_below(&c->random, 10) < 3;
    c->early_answer = rnd_below(&c->random, 2);
    c->rtt = GEN_MS(8 + rnd_below(&c->random, 140));
    draw_addresses(s, c);
    draw_names(c);
    draw_outcome(c, s->gen->opt.only_refused);
    turn_start(&c->turn, rnd_next(&c->random), STREAM_DATA);
    int64_t length = GEN_S(25) + (int64_t)rnd_below(&c->random, 70000000);
    c->media_gap = length / (1 + (int64_t)s->gen->opt.media);
}

static uint32_t take_slot(struct gen_site *s)
{
    if (s->free_count)
        return s->free_slots[--s->free_count];
    s->slots++;
    s->calls = realloc(s->calls, s->slots * sizeof *s->calls);
    s->free_slots = realloc(s->free_slots, s->slots * sizeof *s->free_slots);
    if (!s->calls || !s->free_slots)
        abort();
    return s->slots - 1;
}

static void step_call(struct gen_site *s, uint32_t slot)
{
    struct call *c = &s->calls[slot];
    step_fn *const *steps = steps_of(s, c);
    c->again = false;
    int64_t pause = steps[c->step](s, c);
    if (!c->again)
        c->step++;
    if (steps[c->step]) {
        heap_push(&s->gen->heap, s->gen->out.now + pause, EVENT_CALL, slot);
        return;
    }
    s->free_slots[s->free_count++] = slot;
    s->running--;
}

static void arrive(struct gen_site *s, struct noise_pool *noise)
{
    struct gen *g = s->gen;
    uint32_t slot = take_slot(s);
    start_call(s, &s->calls[slot]);
    if (++s->running > s->running_max)
        s->running_max = s->running;
    heap_push(&g->heap, g->out.now, EVENT_CALL, slot);
    if (!g->opt.signaling_only) {
        noise_spawn(noise, g->out.now + rnd_below(&g->random, 5000000));
        if (rnd_below(&g->random, 100) < 44)
            noise_spawn(noise, g->out.now + rnd_below(&g->random, 5000000));
    }
    int64_t gap = (int64_t)(2e6 / g->opt.rate * (double)rnd_below(&g->random, 1000) / 1000);
    bool over = g->opt.seconds && g->out.now - s->begun >= GEN_S(g->opt.seconds);
    if (s->started < g->opt.calls && !over)
        heap_push(&g->heap, g->out.now + gap, EVENT_ARRIVAL, 0);
}

static void open_trunks(struct gen_site *s)
{
    for (uint32_t i = 0; i < TRUNKS; i++) {
        struct flow *f = &s->trunks[i].flow;
        struct endpoint4 front_end = {0x0a0a0a01u + i % 4, (uint16_t)(49152 + 7 * i)};
        flow_start(&s->gen->out, f, front_end, (struct endpoint4){0x0a030022u + i % EDGES, 5060});
        if (i < (uint32_t)(s->gen->opt.midstream * TRUNKS + 0.5))
            continue;
        flow_syn(&s->gen->out, f, false);
        out_at(&s->gen->out, s->gen->out.now + 300);
        flow_syn_ack(&s->gen->out, f);
        out_at(&s->gen->out, s->gen->out.now + 300);
        flow_established(&s->gen->out, f);
    }
}

static void write_totals(struct gen_site *s)
{
    struct gen *g = s->gen;
    truth_total(g, "calls", s->started);
    truth_total(g, "calls_at_once", s->running_max);
    truth_total(g, "sip_messages", s->sip_messages);
    truth_total(g, "candidates", s->candidates);
    truth_total(g, "allocations", s->allocations);
    truth_total(g, "failed_pairs", s->failed_pairs);
    for (enum gen_verdict v = GEN_CONNECTED; v <= GEN_HALF; v++)
        truth_total(g, gen_verdict_name(v), s->attempts[v]);
}

int gen_calls(struct gen *g)
{
    struct gen_site s = {.gen = g, .begun = g->out.now};
    struct noise_pool *noise = noise_new(g);
    open_trunks(&s);
    if (g->opt.calls)
        heap_push(&g->heap, g->out.now + GEN_S(g->opt.pause_s), EVENT_ARRIVAL, 0);
    if (g->opt.scan)
        heap_push(&g->heap, g->out.now, EVENT_SCAN, 0);
    for (struct event e; heap_pop(&g->heap, &e);) {
        out_at(&g->out, e.when);
        if (e.kind == EVENT_ARRIVAL)
            arrive(&s, noise);
        else if (e.kind == EVENT_CALL)
            step_call(&s, e.actor);
        else if (e.kind == EVENT_NOISE)
            noise_step(noise, e.actor);
        else
            scan_step(g);
    }
    write_totals(&s);
    noise_free(noise);
    free(s.calls);
    free(s.free_slots);
    return 0;
}
