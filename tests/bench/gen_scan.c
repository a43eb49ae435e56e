/*
 * A port scan of the site's outer addresses: SYNs from sources used once, almost all unanswered.
 * Where asked for, some of them go to the port where relays expect their clients.
 * The port that the one real call is given (the first of each Edge) is left alone.
 */
#include "tests/bench/gen_call.h"

enum { RELAY_FIRST_PORT = 50000, ANSWERED_ONE_IN = 10 };

static uint16_t any_port(uint64_t *random)
{
    uint16_t port = (uint16_t)(1 + rnd_below(random, 65535));
    return port == RELAY_FIRST_PORT ? (uint16_t)(port + 1) : port;
}

/* An address of the public Internet, as far as a scan's forged sources are. */
static uint32_t any_source(uint64_t *random)
{
    return 0x14000000u + rnd_below(random, 0x40000000u);
}

void scan_step(struct gen *g)
{
    struct flow f;
    struct endpoint4 from = {any_source(&g->random),
                             (uint16_t)(1024 + rnd_below(&g->random, 60000))};
    struct endpoint4 to = {0x0a030128u + rnd_below(&g->random, EDGES), any_port(&g->random)};
    if (g->opt.scan_servers && g->opt.scan % g->opt.scan_servers == 0)
        to = (struct endpoint4){0x0a030022u + rnd_below(&g->random, EDGES), 443};
    flow_start(&g->out, &f, from, to);
    flow_syn(&g->out, &f, false);
    if (rnd_below(&g->random, ANSWERED_ONE_IN) == 0)
        flow_refuse(&g->out, &f);
    if (--g->opt.scan)
        heap_push(&g->heap, g->out.now + g->opt.scan_gap_us, EVENT_SCAN, 0);
}
