/* Counting what a run found, and telling it. */
#include "cli/tally.h"

#include "cli/opened.h"
#include "report/clock.h"
#include "report/prose.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 512, LEAD = 2, HANG = 13 };

/* ---- failures by verdict ---- */

static bool make_room(struct tally *t, size_t id)
{
    if (id < t->room)
        return true;
    size_t room = t->room ? t->room : 1024;
    while (room <= id)
        room *= 2;
    uint8_t *more = realloc(t->verdicts, room);
    if (!more)
        return false;
    memset(more + t->room, TALLY_NONE, room - t->room);
    t->verdicts = more;
    t->room = room;
    return true;
}

static void change(struct tally *t, size_t id, uint8_t to)
{
    if (t->verdicts[id] != TALLY_NONE)
        t->counts[t->verdicts[id]]--;
    if (to != TALLY_NONE)
        t->counts[to]++;
    t->verdicts[id] = to;
}

void tally_failure(struct tally *t, const struct failure *f)
{
    if (make_room(t, (size_t)f->id))
        change(t, (size_t)f->id, (uint8_t)(f->verdict | (f->info ? TALLY_INFO : 0)));
}

void tally_gone(struct tally *t, int64_t id)
{
    if ((size_t)id < t->room)
        change(t, (size_t)id, TALLY_NONE);
}

void tally_stored(struct tally *t, const struct failures_found *found)
{
    if (!found->counted)
        return;
    for (unsigned v = 0; v < VERDICTS; v++) {
        t->counts[v] = found->failures[v];
        t->counts[v | TALLY_INFO] = found->infos[v];
    }
}

void tally_free(struct tally *t)
{
    free(t->verdicts);
    *t = (struct tally){0};
}

uint64_t tally_failures(const struct tally *t)
{
    uint64_t n = 0;
    for (unsigned v = 0; v < VERDICTS; v++)
        n += t->counts[v];
    return n;
}

/* ---- the summary ---- */

/* "1,234,567" */
static const char *grouped(uint64_t n, char out[32])
{
    char digits[24];
    size_t length = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, n), used = 0;
    for (size_t i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = 0;
    return out;
}

static size_t append(char line[LINE], size_t n, uint64_t value, const char *words)
{
    char number[32];
    if (value == 0 || n >= LINE - 1)
        return n;
    return n + (size_t)snprintf(line + n, LINE - n, "%s%s %s", n ? ", " : "",
                                grouped(value, number), words);
}

static void put_packets(const struct tally_run *run, const struct prose *p)
{
    char number[32], from[TICK_TEXT], to[TICK_TEXT], span[CLOCK_SPAN], zone[CLOCK_ZONE];
    if (run->first == TICK_NONE) {
        prose_item(p, LEAD, HANG, "packets", "none");
        return;
    }
    prose_item(p, LEAD, HANG, "packets", "%s, %s to %s %s (%s)", grouped(run->loss.packets, number),
               clock_stamp(run->first, from), clock_stamp(run->last, to), clock_zone(zone),
               clock_span(run->last - run->first, span));
}

static void put_found(const struct tally *t, const struct tally_run *run, const struct prose *p)
{
    const struct engine_counts *e = &run->loss.engine;
    char line[LINE], a[32], b[32], c[32], d[32];
    prose_item(p, LEAD, HANG, "seen",
               "%s call%s, %s relay allocation%s, %s connection attempt%s (%s failed)",
               grouped(e->calls, a), e->calls == 1 ? "" : "s", grouped(e->allocations, b),
               e->allocations == 1 ? "" : "s", grouped(e->attempts, c), e->attempts == 1 ? "" : "s",
               grouped(e->failed_attempts, d));
    size_t n = 0;
    uint64_t infos = 0;
    line[0] = 0;
    for (uint8_t v = 0; v < VERDICTS; v++) {
        n = append(line, n, t->counts[v], verdict_name(v));
        infos += t->counts[v | TALLY_INFO];
    }
    append(line, n, infos, n ? "for information only" : "for information only, none of weight");
    prose_item(p, LEAD, HANG, "failures", "%s", *line ? line : "none");
}

static void put_lost(const struct tally_run *run, const struct prose *p)
{
    const struct tally_loss *l = &run->loss;
    char line[LINE];
    size_t n = 0;
    line[0] = 0;
    n = append(line, n, l->kernel_drops, "packets dropped by the kernel");
    n = append(line, n, l->nic_drops, "by the network card");
    n = append(line, n, l->ring_drops, "by a full ring");
    n = append(line, n, l->decode_errors, "damaged packets");
    n = append(line, n, l->engine.stream_gaps, "gaps in streams");
    n = append(line, n, l->engine.table_evictions, "table entries evicted");
    n = append(line, n, l->engine.one_way_flows, "one-way flows");
    n = append(line, n, l->engine.aggregated, "attempts only counted");
    append(line, n, l->queue_lost, "records lost before the database");
    prose_item(p, LEAD, HANG, "lost", "%s", *line ? line : "nothing");
    if (l->duplicates) {
        line[0] = 0;
        append(line, 0, l->duplicates, "packets, counted once");
        prose_item(p, LEAD, HANG, "seen twice", "%s", line);
    }
    if (l->engine.compressed)
        prose_item(p, LEAD, HANG, "compressed",
                   "%" PRIu64 " SIP connection%s (MS-SIPCOMP), %" PRIu64
                   " of them could not be read",
                   l->engine.compressed, l->engine.compressed == 1 ? "" : "s",
                   l->engine.compressed_unread);
    if (run->damage)
        prose_item(p, LEAD, HANG, "damaged", "%s", run->damage);
}

void tally_print(const struct tally *t, const struct tally_run *run, const struct settings *s)
{
    struct prose p = prose_on(stderr);
    char again[LINE];
    bool some = tally_failures(t) > 0;
    called_as(s, again, sizeof again);
    prose_text(&p, 0, "edgewatch %s: %s into %s", run->command, run->sources, s->db);
    put_packets(run, &p);
    put_found(t, run, &p);
    put_lost(run, &p);
    if (run->first != TICK_NONE)
        prose_item(&p, LEAD, HANG, "next", "%s %s", again, some ? "failures" : "failures --all");
}
