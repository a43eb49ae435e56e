#include "tests/help/deaf.h"

static void no_attempt(void *arg, const struct attempt *a, const struct evidence *ev, unsigned n)
{
    (void)arg, (void)a, (void)ev, (void)n;
}

static void no_link(void *arg, uint64_t attempt, int64_t failure)
{
    (void)arg, (void)attempt, (void)failure;
}

static void no_call(void *arg, const struct fact_call *c)
{
    (void)arg, (void)c;
}

static void no_allocation(void *arg, const struct fact_allocation *a)
{
    (void)arg, (void)a;
}

static void no_alias(void *arg, const struct fact_alias *a)
{
    (void)arg, (void)a;
}

static void no_failure(void *arg, const struct failure *f, const struct finding *list, unsigned n)
{
    (void)arg, (void)f, (void)list, (void)n;
}

static void no_id(void *arg, int64_t id)
{
    (void)arg, (void)id;
}

static void no_time(void *arg, tick_t now)
{
    (void)arg, (void)now;
}

static void no_traffic(void *arg, const struct traffic_row *r)
{
    (void)arg, (void)r;
}

const struct engine_out engine_deaf = {
    .attempt = no_attempt,
    .attempt_failure = no_link,
    .call = no_call,
    .allocation = no_allocation,
    .alias = no_alias,
    .failure = no_failure,
    .failure_gone = no_id,
    .advance = no_time,
    .traffic = no_traffic,
};
