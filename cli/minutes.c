/* Counters that only grow, turned into rows per minute. */
#include "cli/minutes.h"

#include <stdlib.h>

#define ROW_SPAN (60 * TICK_S)
#define LOOK_SPAN (1 * TICK_S)

struct counted {
    struct source_counts source;
    struct iface_counts iface;
};

struct minutes {
    struct sources *sources;
    struct pipeline *pipeline;
    struct writer *writer;
    tick_t from;      /* of the rows being filled, TICK_NONE before the first packet */
    tick_t now;       /* the latest packet time told */
    tick_t looked;    /* for drops */
    uint64_t dropped; /* in all, at that look */
    struct engine_counts engine;
    struct counted *last; /* by interface */
    unsigned n;
};

struct minutes *minutes_new(struct sources *s, struct pipeline *p, struct writer *w)
{
    struct minutes *m = calloc(1, sizeof *m);
    if (m)
        *m = (struct minutes){
            .sources = s, .pipeline = p, .writer = w, .from = TICK_NONE, .now = TICK_NONE};
    return m;
}

void minutes_free(struct minutes *m)
{
    if (!m)
        return;
    free(m->last);
    free(m);
}

/* Interfaces may appear while a pcapng is read. */
static unsigned know_interfaces(struct minutes *m)
{
    unsigned n = sources_iface_count(m->sources);
    struct counted *more = n > m->n ? realloc(m->last, n * sizeof *more) : NULL;
    if (more) {
        for (unsigned i = m->n; i < n; i++)
            more[i] = (struct counted){0};
        m->last = more;
        m->n = n;
    }
    return m->n;
}

static void write_interface(struct minutes *m, unsigned i, tick_t to)
{
    struct counted now, *was = &m->last[i];
    sources_iface_counts(m->sources, i, &now.source);
    pipeline_iface_counts(m->pipeline, i, &now.iface);
    struct health_row row = {
        .iface = (int)i,
        .from = m->from,
        .to = to,
        .packets = now.iface.packets - was->iface.packets,
        .bytes = now.iface.bytes - was->iface.bytes,
        .kernel_drops = now.source.kernel_drops - was->source.kernel_drops,
        .nic_drops = now.source.nic_drops - was->source.nic_drops,
        .ring_drops = now.source.ring_drops - was->source.ring_drops,
        .decode_errors = now.iface.decode_errors - was->iface.decode_errors,
        .duplicates = now.iface.duplicates - was->iface.duplicates,
    };
    writer_health(m->writer, &row, sources_iface_name(m->sources, i));
    *was = now;
}

static void write_engine(struct minutes *m, tick_t to)
{
    struct engine_counts now, *was = &m->engine;
    pipeline_counts(m->pipeline, &now);
    struct health_row row = {
        .iface = -1,
        .from = m->from,
        .to = to,
        .table_evictions = now.table_evictions - was->table_evictions,
        .stream_gaps = now.stream_gaps - was->stream_gaps,
        .one_way_flows = now.one_way_flows - was->one_way_flows,
        .aggregated = now.aggregated - was->aggregated,
    };
    writer_health(m->writer, &row, NULL);
    *was = now;
}

static void write_rows(struct minutes *m, tick_t to)
{
    unsigned n = know_interfaces(m);
    for (unsigned i = 0; i < n; i++)
        write_interface(m, i, to);
    write_engine(m, to);
    m->from = to;
}

static void look_for_drops(struct minutes *m, tick_t now)
{
    uint64_t dropped = 0;
    unsigned n = sources_iface_count(m->sources);
    for (unsigned i = 0; i < n; i++) {
        struct source_counts c;
        sources_iface_counts(m->sources, i, &c);
        if (c.feed) /* a lost copy of a message blinds nobody */
            continue;
        dropped += c.kernel_drops + c.nic_drops + c.ring_drops;
    }
    if (dropped > m->dropped)
        pipeline_lossy(m->pipeline, m->looked, now);
    m->dropped = dropped;
    m->looked = now;
}

void minutes_tick(struct minutes *m, tick_t now)
{
    if (m->from == TICK_NONE)
        m->from = m->looked = now;
    if (now > m->now)
        m->now = now;
    if (now - m->looked < LOOK_SPAN)
        return;
    look_for_drops(m, now);
    if (now - m->from >= ROW_SPAN)
        write_rows(m, now);
}

void minutes_end(struct minutes *m)
{
    if (m->from != TICK_NONE)
        write_rows(m, m->now);
}
