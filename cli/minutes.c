/* Counters that only grow, turned into rows per minute, and per ten seconds where something was
 * lost. */
#include "cli/minutes.h"

#include "capture/log.h"
#include "flows/limits.h"

#include <stdio.h>
#include <stdlib.h>

#define ROW_SPAN (60 * TICK_S)
#define LOOK_SPAN (1 * TICK_S)
enum { LEAPS_TOLD = 16 };

struct counted {
    struct source_counts source;
    struct iface_counts iface;
};

/* All counters at one time. */
struct snapshot {
    tick_t time; /* packet time; TICK_NONE before the first packet */
    struct engine_counts engine;
    struct counted *ifaces;
};

struct minutes {
    struct sources *sources;
    struct pipeline *pipeline;
    struct writer *writer;
    tick_t now;           /* the latest packet time told */
    tick_t looked;        /* for drops */
    uint64_t dropped;     /* in all, at that look */
    struct snapshot row;  /* at the beginning of the rows being filled */
    struct snapshot ten;  /* at the last look for losses */
    struct snapshot last; /* the latest; its place is kept to be filled */
    unsigned n;           /* interfaces in each */
    unsigned leaps;
};

struct minutes *minutes_new(struct sources *s, struct pipeline *p, struct writer *w)
{
    struct minutes *m = calloc(1, sizeof *m);
    if (m)
        *m = (struct minutes){.sources = s,
                              .pipeline = p,
                              .writer = w,
                              .now = TICK_NONE,
                              .row.time = TICK_NONE,
                              .ten.time = TICK_NONE};
    return m;
}

void minutes_free(struct minutes *m)
{
    if (!m)
        return;
    free(m->row.ifaces);
    free(m->ten.ifaces);
    free(m->last.ifaces);
    free(m);
}

/* ---- snapshots ---- */

static bool grow(struct snapshot *s, unsigned was, unsigned n)
{
    struct counted *more = realloc(s->ifaces, n * sizeof *more);
    if (!more)
        return false;
    for (unsigned i = was; i < n; i++)
        more[i] = (struct counted){0};
    s->ifaces = more;
    return true;
}

/* Interfaces may appear while a pcapng is read. */
static void know_interfaces(struct minutes *m)
{
    unsigned n = sources_iface_count(m->sources);
    if (n > m->n && grow(&m->row, m->n, n) && grow(&m->ten, m->n, n) && grow(&m->last, m->n, n))
        m->n = n;
}

static void take(struct minutes *m, tick_t now)
{
    know_interfaces(m);
    m->last.time = now;
    pipeline_counts(m->pipeline, &m->last.engine);
    for (unsigned i = 0; i < m->n; i++) {
        sources_iface_counts(m->sources, i, &m->last.ifaces[i].source);
        pipeline_iface_counts(m->pipeline, i, &m->last.ifaces[i].iface);
    }
}

static void copy(const struct minutes *m, struct snapshot *to, const struct snapshot *from)
{
    to->time = from->time;
    to->engine = from->engine;
    for (unsigned i = 0; i < m->n; i++)
        to->ifaces[i] = from->ifaces[i];
}

/* ---- rows ---- */

static void write_interface(struct minutes *m, unsigned i, const struct snapshot *to)
{
    const struct counted *now = &to->ifaces[i], *was = &m->row.ifaces[i];
    struct health_row row = {
        .iface = (int)i,
        .from = m->row.time,
        .to = to->time,
        .packets = now->iface.packets - was->iface.packets,
        .bytes = now->iface.bytes - was->iface.bytes,
        .kernel_drops = now->source.kernel_drops - was->source.kernel_drops,
        .nic_drops = now->source.nic_drops - was->source.nic_drops,
        .ring_drops = now->source.ring_drops - was->source.ring_drops,
        .decode_errors = now->iface.decode_errors - was->iface.decode_errors,
        .duplicates = now->iface.duplicates - was->iface.duplicates,
        .not_ip = now->iface.not_ip - was->iface.not_ip + now->iface.no_link - was->iface.no_link,
        .fragments = now->iface.fragments - was->iface.fragments,
        .handled = now->iface.handled - was->iface.handled,
        .shed_cut = now->source.shed_cut - was->source.shed_cut,
        .shed_dropped = now->source.shed_dropped - was->source.shed_dropped,
    };
    writer_health(m->writer, &row, sources_iface_name(m->sources, i));
}

static void write_engine(struct minutes *m, const struct snapshot *to)
{
    const struct engine_counts *now = &to->engine, *was = &m->row.engine;
    struct health_row row = {
        .iface = -1,
        .from = m->row.time,
        .to = to->time,
        .table_evictions = now->table_evictions - was->table_evictions,
        .stream_gaps = now->stream_gaps - was->stream_gaps,
        .one_way_flows = now->one_way_flows - was->one_way_flows,
        .aggregated = now->aggregated - was->aggregated,
    };
    writer_health(m->writer, &row, NULL);
}

static void write_rows(struct minutes *m, const struct snapshot *to)
{
    for (unsigned i = 0; i < m->n; i++)
        write_interface(m, i, to);
    write_engine(m, to);
    copy(m, &m->row, to);
}

/* ---- what happened ---- */

static void write_event(struct minutes *m, int iface, const char *name, tick_t time,
                        const char *text)
{
    struct health_row row = {.iface = iface, .from = time, .to = time, .event = text};
    log_warn("%s %s", name ? name : "the time of the packets", text);
    pipeline_settle(m->pipeline);
    writer_health(m->writer, &row, name);
}

static void write_events(struct minutes *m)
{
    struct source_event e;
    while (sources_event(m->sources, &e))
        write_event(m, e.iface, sources_iface_name(m->sources, e.iface), e.time, e.text);
}

/* ---- losses ---- */

/* A lost copy of a message of a feed blinds nobody. */
static uint64_t drops_of(const struct counted *c)
{
    if (c->source.feed)
        return 0;
    return c->source.kernel_drops + c->source.nic_drops + c->source.ring_drops;
}

static uint64_t drops_now(struct minutes *m)
{
    uint64_t dropped = 0;
    unsigned n = sources_iface_count(m->sources);
    for (unsigned i = 0; i < n; i++) {
        struct counted c;
        sources_iface_counts(m->sources, i, &c.source);
        dropped += drops_of(&c);
    }
    return dropped;
}

static void look_for_drops(struct minutes *m, tick_t now)
{
    uint64_t dropped = drops_now(m);
    if (dropped > m->dropped)
        pipeline_lossy(m->pipeline, m->looked, now);
    m->dropped = dropped;
    m->looked = now;
}

/* Was anything lost, or seen from one side only, since the last look? */
static bool blind(const struct minutes *m)
{
    const struct engine_counts *now = &m->last.engine, *was = &m->ten.engine;
    if (now->stream_gaps > was->stream_gaps || now->one_way_flows > was->one_way_flows)
        return true;
    for (unsigned i = 0; i < m->n; i++)
        if (drops_of(&m->last.ifaces[i]) > drops_of(&m->ten.ifaces[i]))
            return true;
    return false;
}

/* Every ten seconds. Where something was lost, what came before it gets a row of its own. */
static void look_for_losses(struct minutes *m, tick_t now)
{
    take(m, now);
    bool lost = blind(m);
    if (lost && m->ten.time > m->row.time)
        write_rows(m, &m->ten);
    if (lost || now - m->row.time >= ROW_SPAN)
        write_rows(m, &m->last);
    copy(m, &m->ten, &m->last);
}

void minutes_tick(struct minutes *m, tick_t now)
{
    if (m->row.time == TICK_NONE)
        m->row.time = m->ten.time = m->looked = now;
    if (now > m->now)
        m->now = now;
    if (now - m->looked < LOOK_SPAN)
        return;
    look_for_drops(m, now);
    write_events(m);
    pipeline_dropping(m->pipeline, sources_dropping(m->sources));
    if (now - m->ten.time >= BLIND_SPAN)
        look_for_losses(m, now);
}

void minutes_end(struct minutes *m)
{
    write_events(m);
    if (m->row.time == TICK_NONE)
        return;
    take(m, m->now);
    if (blind(m) && m->ten.time > m->row.time)
        write_rows(m, &m->ten);
    write_rows(m, &m->last);
}

/* A capture of two interfaces whose clocks disagree by more than that leaps with every packet. */
static bool worth_telling(struct minutes *m)
{
    return m->leaps++ < LEAPS_TOLD;
}

void minutes_leap(struct minutes *m, tick_t from, tick_t to)
{
    char text[SOURCE_EVENT_TEXT];
    if (!m || !worth_telling(m))
        return;
    if (m->row.time == TICK_NONE)
        m->row.time = from;
    snprintf(text, sizeof text, "leaps %s by %.1f s%s", to > from ? "ahead" : "back",
             (double)llabs(to - from) / (double)TICK_S,
             m->leaps == LEAPS_TOLD ? "; more such leaps are not told" : "");
    take(m, from > m->row.time ? from : m->row.time);
    write_rows(m, &m->last);
    write_event(m, -1, NULL, to, text);
    m->now = m->looked = m->row.time = to;
    copy(m, &m->ten, &m->row);
}
