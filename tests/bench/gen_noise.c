/* Web pages, name look-ups and, where asked for, RTP that no signaling announces. */
#include "tests/bench/gen_call.h"

#include <stdlib.h>

enum noise_kind { NOISE_DNS, NOISE_WEB, NOISE_RTP };
enum { RTP_PACKETS = 300, RTP_BYTES = 172, WEB_STEPS = 8 };

struct noise {
    struct flow flow;
    enum noise_kind kind;
    uint32_t step;
};

struct noise_pool {
    struct gen *gen;
    struct noise *all;
    uint32_t *free_slots;
    uint32_t slots, free_count;
};

struct noise_pool *noise_new(struct gen *g)
{
    struct noise_pool *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->gen = g;
    return p;
}

void noise_free(struct noise_pool *p)
{
    free(p->all);
    free(p->free_slots);
    free(p);
}

static uint32_t take_slot(struct noise_pool *p)
{
    if (p->free_count)
        return p->free_slots[--p->free_count];
    p->slots++;
    p->all = realloc(p->all, p->slots * sizeof *p->all);
    p->free_slots = realloc(p->free_slots, p->slots * sizeof *p->free_slots);
    if (!p->all || !p->free_slots)
        abort();
    return p->slots - 1;
}

void noise_spawn(struct noise_pool *p, int64_t when)
{
    uint64_t *random = &p->gen->random;
    uint32_t slot = take_slot(p);
    struct noise *n = &p->all[slot];
    struct endpoint4 from = {0x0a630000u + rnd_below(random, 5000),
                             (uint16_t)(1024 + rnd_below(random, 40000))};
    struct endpoint4 to = {0xc0000201u + rnd_below(random, 200), 443}; /* 192.0.2.x */
    uint32_t r = rnd_below(random, 100);
    n->kind = r < 70 ? NOISE_DNS : NOISE_WEB;
    if (p->gen->opt.rtp_noise && r >= 90)
        n->kind = NOISE_RTP;
    if (n->kind == NOISE_DNS)
        to = (struct endpoint4){0x0a0a0a35, 53};
    if (n->kind == NOISE_RTP)
        to.port = (uint16_t)(20000 + 2 * rnd_below(random, 5000));
    n->step = 0;
    flow_start(&p->gen->out, &n->flow, from, to);
    heap_push(&p->gen->heap, when, EVENT_NOISE, slot);
}

/* A query for www.example.com and an answer of one address. */
static int64_t dns_step(struct noise_pool *p, struct noise *n)
{
    static const uint8_t question[] = "\3www\7example\3com\0\0\1\0\1";
    static const uint8_t address[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4, 192, 0, 2, 7};
    bool answer = n->step != 0;
    BUF(b, 128);
    buf_u16(&b, n->flow.end[0].port);
    buf_u16(&b, answer ? 0x8180 : 0x0100);
    buf_put(&b, (const uint8_t[8]){0, 1, 0, answer}, 8);
    buf_put(&b, question, sizeof question - 1);
    if (answer)
        buf_put(&b, address, sizeof address);
    flow_udp(&p->gen->out, &n->flow, answer, b.p, b.n);
    return answer ? -1 : GEN_MS(3);
}

/* An application-data record of TLS 1.2, long enough to fill `size` bytes. */
static void web_record(struct noise_pool *p, struct noise *n, int side, size_t size)
{
    BUF(b, 2048);
    buf_put(&b, (const uint8_t[3]){0x17, 3, 3}, 3);
    buf_u16(&b, size - 5);
    buf_rnd(&b, &p->gen->random, size - 5);
    flow_data(&p->gen->out, &n->flow, side, b.p, b.n);
}

static int64_t web_step(struct noise_pool *p, struct noise *n)
{
    struct out *o = &p->gen->out;
    switch (n->step) {
    case 0:
        flow_syn(o, &n->flow, false);
        break;
    case 1:
        flow_syn_ack(o, &n->flow);
        break;
    case 2:
        flow_established(o, &n->flow);
        break;
    case 3:
        web_record(p, n, 0, 200 + rnd_below(&p->gen->random, 300));
        break;
    case 4:
        web_record(p, n, 1, 600 + rnd_below(&p->gen->random, 800));
        break;
    case 5:
        flow_fin(o, &n->flow, 0);
        break;
    case 6:
        flow_fin(o, &n->flow, 1);
        break;
    default:
        flow_tcp(o, &n->flow, 0, TH_ACK, NULL, 0);
    }
    return n->step + 1 == WEB_STEPS ? -1 : GEN_MS(12);
}

static int64_t rtp_step(struct noise_pool *p, struct noise *n)
{
    BUF(b, 256);
    buf_u16(&b, 0x8000);
    buf_u16(&b, n->step);
    buf_u32(&b, n->step * 160);
    buf_u32(&b, n->flow.seq[0]);
    buf_rnd(&b, &p->gen->random, RTP_BYTES - 12);
    flow_udp(&p->gen->out, &n->flow, (int)(n->step & 1), b.p, b.n);
    return n->step + 1 == RTP_PACKETS ? -1 : GEN_MS(20);
}

void noise_step(struct noise_pool *p, uint32_t actor)
{
    struct noise *n = &p->all[actor];
    int64_t pause = n->kind == NOISE_DNS   ? dns_step(p, n)
                    : n->kind == NOISE_WEB ? web_step(p, n)
                                           : rtp_step(p, n);
    n->step++;
    if (pause < 0)
        p->free_slots[p->free_count++] = actor;
    else
        heap_push(&p->gen->heap, p->gen->out.now + pause, EVENT_NOISE, actor);
}
