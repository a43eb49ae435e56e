/* Hourly denominators: one small table for the hour under way. */
#include "flows/traffic.h"

#include <stdlib.h>

#include "flows/limits.h"

#define HOUR (3600 * TICK_S)

struct traffic {
    uint16_t relay_low, relay_high;
    uint64_t seed;
    tick_t hour;
    unsigned n;
    struct traffic_row rows[LIMIT_TRAFFIC]; /* open addressing: proto 0 = free */
};

struct traffic *traffic_new(uint16_t relay_low, uint16_t relay_high, uint64_t seed)
{
    struct traffic *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    traffic_relay_ports(t, relay_low, relay_high);
    t->seed = seed;
    t->hour = TICK_NONE;
    return t;
}

void traffic_relay_ports(struct traffic *t, uint16_t low, uint16_t high)
{
    t->relay_low = low;
    t->relay_high = high;
}

void traffic_free(struct traffic *t)
{
    free(t);
}

void traffic_flush(struct traffic *t, const struct engine_out *out)
{
    for (unsigned i = 0; i < LIMIT_TRAFFIC && t->n; i++) {
        if (!t->rows[i].proto)
            continue;
        out->traffic(out->arg, &t->rows[i]);
        t->rows[i].proto = 0;
        t->n--;
    }
}

/* /24 or /48: a partner, not a host */
static struct addr net_of(const struct addr *a)
{
    struct addr n = *a;
    if (addr_is_v4(a))
        n.b[15] = 0;
    else
        memset(n.b + 6, 0, 10);
    return n;
}

static void port_range(const struct traffic *t, uint16_t port, struct traffic_row *r)
{
    r->port_from = r->port_to = port;
    if (port >= t->relay_low && port <= t->relay_high) {
        r->port_from = t->relay_low;
        r->port_to = t->relay_high;
    } else if (port >= 1024 && port < t->relay_low && port != 3478 && port != 5349) {
        r->port_from = 1024;
        r->port_to = (uint16_t)(t->relay_low - 1);
    } else if (port > t->relay_high) {
        r->port_from = (uint16_t)(t->relay_high + 1);
        r->port_to = 65535;
    }
}

static bool same_row(const struct traffic_row *a, const struct traffic_row *b)
{
    return a->proto == b->proto && a->port_from == b->port_from && a->port_to == b->port_to &&
           addr_eq(&a->src, &b->src) && addr_eq(&a->dst_net, &b->dst_net);
}

static struct traffic_row *row_for(struct traffic *t, struct traffic_row want)
{
    /* the last eighth is kept for rows without a source */
    if (t->n >= LIMIT_TRAFFIC / 8 * 7)
        want.src = want.dst_net = (struct addr){{0}};
    struct endpoint a = {want.src, want.port_from}, b = {want.dst_net, want.proto};
    uint64_t h = endpoint_hash2(&a, &b, t->seed);
    for (unsigned i = 0; i < LIMIT_TRAFFIC; i++) {
        struct traffic_row *r = &t->rows[(h + i) % LIMIT_TRAFFIC];
        if (!r->proto) {
            *r = want;
            t->n++;
            return r;
        }
        if (same_row(r, &want))
            return r;
    }
    return NULL;
}

void traffic_add(struct traffic *t, const struct attempt *a, const struct engine_out *out)
{
    tick_t hour = a->first / HOUR * HOUR;
    if (hour != t->hour) {
        traffic_flush(t, out);
        t->hour = hour;
    }
    struct traffic_row want = {
        .hour = hour, .src = a->src.addr, .dst_net = net_of(&a->dst.addr), .proto = a->proto};
    port_range(t, a->dst.port, &want);
    struct traffic_row *r = row_for(t, want);
    if (!r)
        return;
    if (a->verdict == VERDICT_CONNECTED)
        r->connected++;
    else if (a->verdict == VERDICT_REFUSED)
        r->refused++;
    else if (a->verdict == VERDICT_TIMEOUT || a->verdict == VERDICT_SINGLE_SYN)
        r->timeout++;
    else
        r->other++;
}
