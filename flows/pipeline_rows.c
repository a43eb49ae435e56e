/* The engine's records on their way out: which of them are worth a row. */
#include "flows/pipeline_inner.h"

/* Rows that anybody can bring about, by sending SYNs, are so many a minute and no more: of each
 * source, and of all, where those at relays have an allowance of their own. */
static bool within_rate(struct pipeline *p, const struct attempt *a, bool at_relay)
{
    struct endpoint e = {.addr = a->src.addr};
    struct source_rate *r = &p->rates[endpoint_hash(&e, p->seed) % LIMIT_SOURCES];
    if (!addr_eq(&r->source, &a->src.addr))
        *r = (struct source_rate){.source = a->src.addr};
    if (allowance_take(&r->rows, a->first, LIMIT_UNKNOWN_PER_MINUTE) &&
        allowance_take(&p->strangers[at_relay], a->first, LIMIT_UNKNOWN_IN_ALL))
        return true;
    p->aggregated++;
    return false;
}

/* A stranger's connection may be opened long before it is used: silence is no failure of it. */
static bool says_nothing(const struct attempt *a)
{
    return a->verdict == VERDICT_OPEN_NO_CHECK && a->peek_out == PEEK_NOTHING &&
           a->peek_in == PEEK_NOTHING;
}

/* What is worth a row: every failure, and what connected if it is or may be between a relay and a
 * peer, then when its bytes are known. What strangers do counts only when it is final. */
static bool worth_a_row(const struct attempt *a, enum attempt_use use, bool known, bool final)
{
    if (a->verdict == VERDICT_CONNECTED)
        return final && use != ATTEMPT_STRANGER && use != ATTEMPT_CLIENT;
    return final || known || use == ATTEMPT_CLIENT;
}

/* The first half: what is kept of the packets goes along. */
static void on_attempt(void *arg, const struct attempt *a, bool final)
{
    struct pipeline *p = arg;
    struct evidence ev[ATTEMPT_MAX_EVIDENCE];
    bool failed = a->verdict != VERDICT_CONNECTED;
    unsigned n = failed && a->evidence ? tracker_evidence(p->tracker, a->evidence, ev) : 0;
    handover_attempt(p->handover, a, final, ev, n, p->now);
}

/* The second half. */
static void join_attempt(void *arg, const struct attempt *told, bool final,
                         const struct evidence *ev, unsigned n_ev, tick_t now)
{
    struct pipeline *p = arg;
    struct attempt asked = *told;
    const struct attempt *a = &asked;
    asked.wanted = asked.wanted || joiner_wanted(p->joiner, &a->src, &a->dst);
    enum attempt_use use = joiner_attempt(p->joiner, a);
    bool own = use == ATTEMPT_RELAY || joiner_relay_addr(p->joiner, &a->src.addr);
    bool known = own || use == ATTEMPT_VISITOR || a->wanted ||
                 joiner_configured_edge(p->joiner, &a->dst.addr);
    if (use < ATTEMPT_VISITOR && !known && says_nothing(a))
        return;
    p->attempts += !a->again;
    if (use == ATTEMPT_CLIENT && final && a->proto == PROTO_TCP && !p->finishing)
        allocations_closed(p->allocations, &a->src, &a->dst, now);
    bool row = worth_a_row(a, use, known, final);
    bool stored = row && (own || use == ATTEMPT_CLIENT || within_rate(p, a, known));
    if (stored) {
        p->failed_attempts += a->verdict != VERDICT_CONNECTED && !a->again;
        p->out.attempt(p->out.arg, a, ev, n_ev);
    }
    if ((known || (row && !stored)) && !a->again)
        traffic_add(p->traffic, a, &p->out);
}

static void join_advance(void *arg, tick_t now)
{
    struct pipeline *p = arg;
    calls_advance(p->calls, now);
    allocations_advance(p->allocations, now);
    feeds_advance(p->feeds, now);
    p->out.advance(p->out.arg, now);
}

static enum wanted on_ask(void *arg, uint64_t attempt, const struct endpoint *src,
                          const struct endpoint *dst)
{
    struct pipeline *p = arg;
    return handover_ask(p->handover, attempt, src, dst);
}

static bool on_answer(void *arg, uint64_t attempt)
{
    struct pipeline *p = arg;
    return handover_answer(p->handover, attempt);
}

static void on_flow_over(void *arg, struct flow *f)
{
    struct pipeline *p = arg;
    feeder_flow_over(p->feeder, f);
}

static void on_failure(void *arg, const struct failure *f, const struct finding *list, unsigned n)
{
    struct pipeline *p = arg;
    p->failures = (uint64_t)f->id > p->failures ? (uint64_t)f->id : p->failures;
    p->out.failure(p->out.arg, f, list, n);
}

static void on_failure_gone(void *arg, int64_t id)
{
    struct pipeline *p = arg;
    p->out.failure_gone(p->out.arg, id);
}

static void on_attempt_failure(void *arg, uint64_t attempt, int64_t failure)
{
    struct pipeline *p = arg;
    p->out.attempt_failure(p->out.arg, attempt, failure);
}

static void on_alias(void *arg, const struct fact_alias *a)
{
    struct pipeline *p = arg;
    p->out.alias(p->out.arg, a);
}

struct tracker_hooks pipeline_tracker_hooks(struct pipeline *p)
{
    return (struct tracker_hooks){.arg = p,
                                  .ask = on_ask,
                                  .answer = on_answer,
                                  .attempt = on_attempt,
                                  .flow_over = on_flow_over};
}

struct joiner_hooks pipeline_joiner_hooks(struct pipeline *p)
{
    return (struct joiner_hooks){p, on_failure, on_failure_gone, on_attempt_failure, on_alias};
}

struct handover_to pipeline_second_half(struct pipeline *p)
{
    return (struct handover_to){.calls = p->calls,
                                .allocations = p->allocations,
                                .joiner = p->joiner,
                                .out = &p->out,
                                .arg = p,
                                .attempt = join_attempt,
                                .advance = join_advance};
}
