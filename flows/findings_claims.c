/*
 * What the clients said of their checks (ICEWarn in diagnostics headers) beside what the packets
 * show of the same (claims.h): agreement makes a finding likely, conflict is one of its own.
 */
#include <string.h>

#include "flows/claims.h"
#include "flows/hypothesis.h"
#include "flows/wire/ms_diag.h"

enum { CODE_CALLEE_INFO = 51007 }; /* sent with the 200 OK, before checks have run */

/* The header must be of this medium, with a warning value, and not from before checks ran. */
bool hypothesis_warns(const struct hypothesis_case *c, const struct fact_diag *d)
{
    bool same = !d->medium || !c->f->medium || strcmp(d->medium, c->f->medium) == 0;
    return same && d->has_icewarn && d->code != CODE_CALLEE_INFO;
}

/* Is it the client of our side that speaks? */
static bool near_speaks(const struct hypothesis_case *c, const struct fact_diag *d)
{
    const char *side = c->ctx->near_side == SIDE_OFFER    ? "caller"
                       : c->ctx->near_side == SIDE_ANSWER ? "callee"
                                                          : NULL;
    return side && d->side && strcmp(d->side, side) == 0;
}

static unsigned answered(const struct fact_allocation *a)
{
    unsigned n = 0;
    for (unsigned i = 0; i < a->n_sends; i++)
        n += a->sends[i].answered != TICK_NONE;
    return n;
}

/* Of the far side's client no allocation is known here. */
static struct claim_wire wire_of(const struct hypothesis_case *c, bool near)
{
    const struct fact_allocation *a = near ? c->ctx->allocation : NULL;
    struct claim_wire w = {.leg = c->f->leg,
                           .verdict = c->f->verdict,
                           .tcp = c->f->proto != PROTO_UDP,
                           .error_code = c->f->error_code};
    if (a) {
        w.asked = true;
        w.granted = a->granted;
        w.relay_tcp = a->proto != PROTO_UDP;
        w.ms = a->ms;
        w.sends = a->n_sends;
        w.answered = answered(a);
    }
    return w;
}

struct conflict {
    const struct fact_diag *diag;
    uint32_t bit; /* that the wire denies; 0: bits for what it shows are missing */
    const char *words;
};

/* What a client said must be said after what it is held against. */
static bool conflict_of(const struct hypothesis_case *c, const struct fact_diag *d,
                        struct conflict *out)
{
    bool near = near_speaks(c, d);
    struct claim_wire w = wire_of(c, near);
    *out = (struct conflict){.diag = d};
    if (d->seen > c->f->last && (near || c->f->leg == LEG_RELAY_PEER))
        out->words = claim_missing(d->icewarn, &w);
    if (!out->words && near && c->ctx->allocation && d->seen > c->ctx->allocation->granted_at)
        out->bit = claim_denied(d->icewarn, &w, &out->words);
    return out->words != NULL;
}

static bool find_conflict(const struct hypothesis_case *c, struct conflict *out)
{
    const struct fact_call *call = c->ctx->call;
    for (unsigned i = 0; call && i < call->n_diags; i++)
        if (hypothesis_warns(c, &call->diags[i]) && conflict_of(c, &call->diags[i], out))
            return true;
    return false;
}

const struct fact_diag *hypothesis_claim(const struct hypothesis_case *c, const char *code)
{
    const struct fact_call *call = c->ctx->call;
    uint32_t bit = claim_of_finding(code);
    const char *words;
    struct claim_wire w = wire_of(c, true);
    for (unsigned i = 0; bit && call && i < call->n_diags; i++) {
        const struct fact_diag *d = &call->diags[i];
        if (hypothesis_warns(c, d) && d->icewarn & bit && near_speaks(c, d) &&
            claim_set(bit, &w, &words) == CLAIM_AGREES)
            return d;
    }
    return NULL;
}

static bool any_bit_agrees(uint32_t warn, const struct claim_wire *w)
{
    const char *words;
    for (uint32_t bits = warn & ~ICEWARN_BENIGN; bits; bits &= bits - 1) {
        uint32_t bit = bits & (~bits + 1);
        if (!icewarn_bit(bit)->expected && claim_set(bit, w, &words) == CLAIM_AGREES)
            return true;
    }
    return false;
}

bool findings_endpoint_agrees(const struct failure *f, const struct failure_context *ctx)
{
    const struct hypothesis_case c = {.f = f, .ctx = ctx};
    for (unsigned i = 0; ctx->call && i < ctx->call->n_diags; i++) {
        const struct fact_diag *d = &ctx->call->diags[i];
        bool near = near_speaks(&c, d);
        struct claim_wire w = wire_of(&c, near);
        if (hypothesis_warns(&c, d) && d->seen > f->last && (near || f->leg == LEG_RELAY_PEER) &&
            any_bit_agrees(d->icewarn, &w))
            return true;
    }
    return false;
}

static enum weight conflict_applies(const struct hypothesis_case *c)
{
    struct conflict found;
    return !c->f->info && find_conflict(c, &found) ? WEIGHT_FAINT : WEIGHT_NONE;
}

static void conflict_evidence(const struct hypothesis_case *c, struct evidence_lists *e)
{
    struct conflict found;
    if (!find_conflict(c, &found))
        return;
    const struct fact_diag *d = found.diag;
    const char *who = d->side ? d->side : "client";
    if (found.bit) {
        evidence_add(e, EVIDENCE_FOR, "the %.20s reports ICEWarn=0x%x (code %u), in it 0x%x: %s",
                     who, d->icewarn, d->code, found.bit, icewarn_bit(found.bit)->text);
        evidence_add(e, EVIDENCE_FOR, "on the wire: %s", found.words);
    } else {
        evidence_add(e, EVIDENCE_FOR, "on the wire: %s; %s", verdict_name(c->f->verdict),
                     found.words);
        evidence_add(e, EVIDENCE_FOR,
                     "the %.20s then reports ICEWarn=0x%x (code %u), without a bit for it", who,
                     d->icewarn, d->code);
    }
    if (d->icewarn == 0)
        evidence_add(e, EVIDENCE_AGAINST, "0x0 also stands for checks that never ran");
    evidence_add(e, EVIDENCE_SETTLE, "the client's own log of its checks for this call");
}

static void conflict_advice(const struct hypothesis_case *c, char out[FINDING_ADVICE])
{
    format_text(
        out, FINDING_ADVICE,
        "Trust the packets for what became of %s to %s at %s, and read the client's log for why it "
        "says otherwise: it may have ended the call before its checks did.",
        c->src_text, c->dst_text, c->when);
}

const struct hypothesis hypotheses_of_claims[] = {
    {"conflict-with-endpoint", conflict_applies, conflict_evidence, conflict_advice},
    {.code = NULL},
};
