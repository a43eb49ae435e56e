/* Facts told to a joiner in any order. See world.h. */
#include "tests/help/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "flows/wire/sdp.h"

void world_incident_call(struct world *w)
{
    struct call_made *c = &w->call[0];
    call_make(c, "2.2.2.2:58138", "1.1.1.1:50704");
    call_add(c, SIDE_OFFER, CAND_HOST, false, "10.98.2.1:21916");
    call_add(c, SIDE_OFFER, CAND_HOST, false, "10.98.2.1:18574")->transport = CAND_TCP_ACT;
    call_add(c, SIDE_OFFER, CAND_RELAY, false, "2.2.2.2:58138")->related = ep("10.98.2.1:13211");
    call_add(c, SIDE_ANSWER, CAND_HOST, false, "10.26.10.50:50058");
}

void world_incident_allocation(struct world *w)
{
    allocation_make(&w->own[0], "10.98.2.1:13211", "10.3.0.34:443", "2.2.2.2:58138");
    allocation_send(&w->own[0], "1.1.1.1:50704", 53.067);
}

static void add(struct world *w, struct fact f)
{
    assert_true(w->n < WORLD_FACTS);
    w->facts[w->n++] = f;
}

void world_call(struct world *w, int i)
{
    w->call[i].call.id = i + 1;
    add(w, (struct fact){.kind = FACT_CALL, .u.call = &w->call[i].call});
}

void world_allocation(struct world *w, int i)
{
    w->own[i].fact.id = i + 1;
    add(w, (struct fact){.kind = FACT_ALLOCATION, .u.allocation = &w->own[i].fact});
}

void world_attempt(struct world *w, struct attempt a)
{
    if (a.verdict == VERDICT_CONNECTED) /* checks run over whatever is negotiated */
        a.peek_out = PEEK_CHECK_REQUEST;
    a.id = w->n + 1;
    add(w, (struct fact){.kind = FACT_ATTEMPT, .u.attempt = a});
}

void world_tell(struct world *w, unsigned i, struct telling *t)
{
    const struct fact *f = &w->facts[i];
    switch (f->kind) {
    case FACT_CALL:
        joiner_call(t->j, f->u.call);
        break;
    case FACT_ALLOCATION:
        joiner_allocation(t->j, f->u.allocation);
        break;
    case FACT_ATTEMPT:
        joiner_attempt(t->j, &f->u.attempt);
        break;
    }
}

static void all_over(struct world *w, struct telling *t)
{
    for (unsigned i = 0; i < w->n; i++) {
        if (w->facts[i].kind == FACT_CALL)
            joiner_call_over(t->j, w->facts[i].u.call);
        if (w->facts[i].kind == FACT_ALLOCATION)
            joiner_allocation_over(t->j, w->facts[i].u.allocation);
    }
}

void world_end(struct world *w, struct telling *t)
{
    for (unsigned i = 0; i < w->n; i++) {
        if (w->facts[i].kind == FACT_CALL)
            joiner_call_forget(t->j, w->facts[i].u.call);
        if (w->facts[i].kind == FACT_ALLOCATION) {
            joiner_allocation_forget(t->j, w->facts[i].u.allocation);
            w->facts[i].u.allocation->wire_addr = ad("");
        }
    }
    joiner_free(t->j);
}

static void tell_in_order(struct world *w, const unsigned order[WORLD_FACTS],
                          const struct joiner_config *c, struct telling *t)
{
    telling_begin(t, c);
    for (unsigned i = 0; i < w->n; i++)
        world_tell(w, order[i], t);
    all_over(w, t);
    telling_sort(t);
    world_end(w, t);
}

static bool next_permutation(unsigned *p, unsigned n)
{
    unsigned i = n - 1, k = n - 1;
    while (i > 0 && p[i - 1] >= p[i])
        i--;
    if (i == 0)
        return false;
    while (p[k] <= p[i - 1])
        k--;
    unsigned t = p[k];
    p[k] = p[i - 1];
    p[i - 1] = t;
    for (k = n - 1; i < k; i++, k--) {
        t = p[i];
        p[i] = p[k];
        p[k] = t;
    }
    return true;
}

static void expect_same(const struct telling *want, const struct telling *got,
                        const unsigned *order, unsigned n)
{
    char names[2 * WORLD_FACTS + 1] = "";
    for (unsigned i = 0; i < n; i++)
        snprintf(names + 2 * i, 3, "%u ", order[i]);
    telling_expect_same(want, got, names);
}

void world_in_every_order(struct world *w, const struct joiner_config *c, struct telling *first)
{
    unsigned order[WORLD_FACTS];
    struct telling *again = calloc(1, sizeof *again);
    assert_non_null(again);
    for (unsigned i = 0; i < WORLD_FACTS; i++)
        order[i] = i;
    tell_in_order(w, order, c, first);
    while (next_permutation(order, w->n)) {
        tell_in_order(w, order, c, again);
        expect_same(first, again, order, w->n);
    }
    free(again);
}
