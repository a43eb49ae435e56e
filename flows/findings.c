/* Runs the tables of hypotheses over one failure and puts what applies in order. */
#include "flows/findings.h"

#include <string.h>

#include "flows/claims.h"
#include "flows/hypothesis.h"

struct hit {
    const struct hypothesis *rule;
    enum weight weight;
};
struct hits {
    struct hit list[FINDINGS_MAX];
    unsigned n;
};

/* Heavier first, of equal weight in table order; the lightest falls off a full list. */
static void hits_add(struct hits *h, const struct hypothesis *rule, enum weight weight)
{
    unsigned at = h->n;
    while (at > 0 && h->list[at - 1].weight < weight)
        at--;
    if (at == FINDINGS_MAX)
        return;
    unsigned last = h->n < FINDINGS_MAX ? h->n++ : FINDINGS_MAX - 1;
    memmove(&h->list[at + 1], &h->list[at], (last - at) * sizeof h->list[0]);
    h->list[at] = (struct hit){rule, weight};
}

static void collect(const struct hypothesis *rules, const struct hypothesis_case *c, struct hits *h)
{
    for (; rules->code; rules++) {
        enum weight w = rules->applies(c);
        if (w != WEIGHT_NONE && hypothesis_claim(c, rules->code))
            w = WEIGHT_LIKELY; /* both ends of the evidence say so */
        if (w != WEIGHT_NONE)
            hits_add(h, rules, w);
    }
}

unsigned findings_of_failure(const struct failure *f, const struct failure_context *ctx,
                             struct finding out[FINDINGS_MAX])
{
    struct hypothesis_case c;
    struct hits hits = {.n = 0};
    hypothesis_case_of(f, ctx, &c);
    collect(hypotheses_of_relay, &c, &hits);
    collect(hypotheses_of_claims, &c, &hits);
    collect(hypotheses_of_path, &c, &hits);
    for (unsigned i = 0; i < hits.n; i++) {
        const struct hypothesis *rule = hits.list[i].rule;
        struct evidence_lists e;
        out[i].code = rule->code;
        out[i].likely = hits.list[i].weight == WEIGHT_LIKELY;
        evidence_begin(&e);
        rule->evidence(&c, &e);
        const struct fact_diag *said = hypothesis_claim(&c, rule->code);
        if (said)
            evidence_add(&e, EVIDENCE_FOR, "the %.20s says the same: ICEWarn=0x%x has 0x%x",
                         said->side, said->icewarn, claim_of_finding(rule->code));
        evidence_end(&e, out[i].evidence);
        rule->advice(&c, out[i].advice);
    }
    return hits.n;
}
