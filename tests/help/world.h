/*
 * A scene of facts that are told to a joiner one by one, in one order or in every order: what the
 * joiner says in the end must not depend on it.
 */
#ifndef EW_TESTS_HELP_WORLD_H
#define EW_TESTS_HELP_WORLD_H

#include "tests/help/facts_lab.h"
#include "tests/help/telling.h"

enum { WORLD_FACTS = 7 };

enum fact_kind { FACT_CALL, FACT_ALLOCATION, FACT_ATTEMPT };

struct fact {
    enum fact_kind kind;
    union {
        struct fact_call *call;
        struct fact_allocation *allocation;
        struct attempt attempt;
    } u;
};

/* The facts point to call[] and own[]: a world is not to be copied. */
struct world {
    struct call_made call[2];
    struct allocation_made own[3];
    struct fact facts[WORLD_FACTS];
    unsigned n;
};

/* The federated incident's call[0] and own[0], made but not yet among the facts. */
void world_incident_call(struct world *w);
void world_incident_allocation(struct world *w);

/* Each adds one fact: call[i], own[i], or an attempt, which gets its number as id. */
void world_call(struct world *w, int i);
void world_allocation(struct world *w, int i);
void world_attempt(struct world *w, struct attempt a);

/* Tells the i-th fact. */
void world_tell(struct world *w, unsigned i, struct telling *t);
/* Has calls and allocations forgotten and frees the joiner. */
void world_end(struct world *w, struct telling *t);

/* Tells all facts in every order and fails if that shows; *first is what was said in the order of
 * the scene. Configuration as for telling_begin(). */
void world_in_every_order(struct world *w, const struct joiner_config *c, struct telling *first);

#endif
