/* Agents of feeds, and their messages on the way to calls. */
#include "flows/feeds.h"

#include <stdio.h>
#include <stdlib.h>

#include "capture/feed.h"
#include "flows/feed_clock.h"
#include "flows/limits.h"
#include "flows/sdn.h"
#include "flows/wire/hep.h"

/* Somebody who sends: calls keep a pointer to its name, so its place is never used again. */
struct agent {
    struct addr addr;
    uint32_t number; /* HEP's capture id, 0 = none */
    bool changed;
    struct feed_clock clock;
    struct feed_log log;
};

struct feeds {
    struct calls *calls;
    const struct engine_out *out;
    struct feeds_counts counts;
    struct sdn *sdn; /* made with the first message */
    struct {         /* whose message it reads */
        struct addr sender;
        tick_t arrival;
    } reading;
    unsigned n;
    tick_t told;
    struct agent agents[LIMIT_FEED_AGENTS + FEED_KINDS]; /* the last ones: all others of a kind */
};

static const char *const kind_name[FEED_KINDS] = {[FEED_HEP] = "hep", [FEED_SDN] = "sdn"};

static void name_agent(struct agent *a, enum feed_kind kind, const struct addr *addr,
                       uint32_t number)
{
    char text[ADDR_TEXT];
    if (number)
        snprintf(a->log.name, sizeof a->log.name, "%s:%s#%u", kind_name[kind],
                 addr_text(addr, text), (unsigned)number);
    else
        snprintf(a->log.name, sizeof a->log.name, "%s:%s", kind_name[kind], addr_text(addr, text));
}

static void agent_begin(struct agent *a, enum feed_kind kind)
{
    a->clock = feed_clock_new();
    a->log.kind = kind;
    a->log.first = a->log.last = TICK_NONE;
}

struct feeds *feeds_new(struct calls *calls, const struct engine_out *out)
{
    struct feeds *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->calls = calls;
    f->out = out;
    f->told = TICK_NONE;
    for (int k = 0; k < FEED_KINDS; k++) {
        struct agent *a = &f->agents[LIMIT_FEED_AGENTS + k];
        agent_begin(a, (enum feed_kind)k);
        snprintf(a->log.name, sizeof a->log.name, "%s:others", kind_name[k]);
    }
    return f;
}

void feeds_free(struct feeds *f)
{
    if (!f)
        return;
    sdn_free(f->sdn);
    free(f);
}

static struct agent *agent_of(struct feeds *f, enum feed_kind kind, const struct addr *addr,
                              uint32_t number)
{
    for (unsigned i = 0; i < f->n; i++) {
        struct agent *a = &f->agents[i];
        if (a->number == number && addr_eq(&a->addr, addr) && a->log.kind == kind)
            return a;
    }
    if (f->n == LIMIT_FEED_AGENTS) {
        f->counts.evicted++;
        return &f->agents[LIMIT_FEED_AGENTS + kind];
    }
    struct agent *a = &f->agents[f->n++];
    a->addr = *addr;
    a->number = number;
    name_agent(a, kind, addr, number);
    agent_begin(a, kind);
    return a;
}

/* ---- one message ---- */

static void to_calls(struct feeds *f, struct agent *a, const struct sip_msg *m,
                     struct message_at *at)
{
    struct calls_counts before, after;
    at->origin = a->log.name;
    calls_counts(f->calls, &before);
    calls_sip(f->calls, m, at);
    calls_counts(f->calls, &after);
    a->log.calls += after.calls - before.calls;
    f->counts.sip++;
}

/* A message of this agent, said to be of that time: its time by our clock. */
static tick_t note(struct feeds *f, struct agent *a, tick_t said, tick_t arrival)
{
    bool shared = a >= f->agents + LIMIT_FEED_AGENTS; /* many clocks: none can be told */
    tick_t time = feed_clock_time(&a->clock, shared ? TICK_NONE : said, arrival);
    struct feed_log *l = &a->log;
    f->counts.messages++;
    l->messages++;
    if (l->first == TICK_NONE || time < l->first)
        l->first = time;
    if (l->last == TICK_NONE || time > l->last)
        l->last = time;
    l->behind_most = a->clock.all;
    a->changed = true;
    return time;
}

static tick_t hep_said(const struct hep_msg *m)
{
    return m->has_time && m->seconds ? m->seconds * TICK_S + m->micros * TICK_US : TICK_NONE;
}

bool feeds_hep(struct feeds *f, struct slice message, const struct endpoint *sender, tick_t arrival)
{
    struct hep_msg h;
    struct sip_msg m;
    if (hep_parse(message, true, &h, NULL) != WIRE_OK) {
        f->counts.bad++;
        return false;
    }
    struct agent *a = agent_of(f, FEED_HEP, &sender->addr, h.agent);
    struct message_at at = {.time = note(f, a, hep_said(&h), arrival),
                            .src = h.src,
                            .dst = h.dst,
                            .proto = h.ip_proto == PROTO_UDP ? PROTO_UDP : PROTO_TCP};
    if (h.type != HEP_SIP || h.compressed || sip_looks_like(h.payload) != WIRE_OK ||
        sip_parse(h.payload, true, &m, NULL) != WIRE_OK)
        f->counts.other++;
    else
        to_calls(f, a, &m, &at);
    return true;
}

static void take_sdn(void *arg, const struct sdn_msg *sdn)
{
    struct feeds *f = arg;
    struct agent *a = agent_of(f, FEED_SDN, &f->reading.sender, 0);
    struct message_at at = {.time = note(f, a, sdn->time, f->reading.arrival), .proto = PROTO_TCP};
    struct sip_msg m;
    if (sdn_sip(sdn, &m))
        to_calls(f, a, &m, &at);
    else
        f->counts.other++;
}

bool feeds_sdn(struct feeds *f, struct slice body, const struct endpoint *sender, tick_t arrival)
{
    const char *why;
    uint64_t offset, before = f->counts.messages;
    if (!f->sdn)
        f->sdn = sdn_new(take_sdn, f, false);
    f->reading.sender = sender->addr;
    f->reading.arrival = arrival;
    if (f->sdn && sdn_push(f->sdn, body, true, &why, &offset) && f->counts.messages > before)
        return true;
    f->counts.bad++;
    return false;
}

bool feeds_frame(struct feeds *f, const struct raw_packet *raw)
{
    struct endpoint sender;
    struct slice message;
    if (!feed_frame_parse(raw, &sender, &message)) {
        f->counts.bad++;
        return false;
    }
    return raw->linktype == LINKTYPE_FEED_SDN ? feeds_sdn(f, message, &sender, raw->time)
                                              : feeds_hep(f, message, &sender, raw->time);
}

/* ---- rows ---- */

static void tell(struct feeds *f)
{
    for (unsigned i = 0; i < LIMIT_FEED_AGENTS + FEED_KINDS; i++) {
        struct agent *a = &f->agents[i];
        if (a->changed && f->out->feed)
            f->out->feed(f->out->arg, &a->log);
        a->changed = false;
    }
}

void feeds_advance(struct feeds *f, tick_t now)
{
    if (f->told != TICK_NONE && now >= f->told && now - f->told < FEED_LOG_EVERY)
        return;
    f->told = now;
    tell(f);
}

void feeds_finish(struct feeds *f)
{
    tell(f);
}

void feeds_counts(const struct feeds *f, struct feeds_counts *out)
{
    *out = f->counts;
}
