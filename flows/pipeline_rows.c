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

static void store_attempt(struct pipeline *p, const struct attempt *a)
{
    struct evidence ev[ATTEMPT_MAX_EVIDENCE];
    bool failed = a->verdict != VERDICT_CONNECTED;
    unsigned n = failed && a->evidence ? tracker_evidence(p->tracker, a->evidence, ev) : 0;
    p->failed_attempts += failed && !a->again;
    p->out.attempt(p->out.arg, a, ev, n);
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

static void on_attempt(void *arg, const struct attempt *a, bool final)
{
    struct pipeline *p = arg;
    enum attempt_use use = joiner_attempt(p->joiner, a);
    bool own = use == ATTEMPT_RELAY || joiner_relay_addr(p->joiner, &a->src.addr);
    bool known = own || use == ATTEMPT_VISITOR || a->wanted ||
                 joiner_configured_edge(p->joiner, &a->dst.addr);
    if (use < ATTEMPT_VISITOR && !known && says_nothing(a))
        return;
    p->attempts += !a->again;
    if (use == ATTEMPT_CLIENT && final && a->proto == PROTO_TCP && !p->finishing)
        allocations_closed(p->allocations, &a->src, &a->dst, p->now);
    bool row = worth_a_row(a, use, known, final);
    bool stored = row && (own || use == ATTEMPT_CLIENT || within_rate(p, a, known));
    if (stored)
        store_attempt(p, a);
    if ((known || (row && !stored)) && !a->again)
        traffic_add(p->traffic, a, &p->out);
}

static bool on_wanted(void *arg, const struct endpoint *src, const struct endpoint *dst)
{
    struct pipeline *p = arg;
    return joiner_wanted(p->joiner, src, dst);
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
    return (struct tracker_hooks){p, on_wanted, on_attempt, on_flow_over};
}

struct joiner_hooks pipeline_joiner_hooks(struct pipeline *p)
{
    return (struct joiner_hooks){p, on_failure, on_failure_gone, on_attempt_failure, on_alias};
}
