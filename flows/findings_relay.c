/*
 * Hypotheses on the relay itself: the client's way to it, what it granted, which addresses were
 * offered through it, and what the clients said of it afterwards.
 */
#include "flows/hypothesis.h"
#include "flows/wire/framing.h"
#include "flows/wire/ms_diag.h"
#include "flows/wire/sdp.h"

/* ICEWarn bit (P§3.4) */
#define WARN_CLIENT_INCOMPLETE 0x8000000u

/* ---- allocation refused by the relay (P§1.7) ---- */

static bool alloc_error(const struct hypothesis_case *c, uint16_t code)
{
    return c->f->verdict == VERDICT_ALLOC_FAIL && c->f->error_code == code;
}

/* The first 401 only asks for credentials: who stops there was not rejected. */
static bool only_challenged(const struct hypothesis_case *c)
{
    const struct fact_allocation *a = c->ctx->allocation;
    return c->f->error_code == 401 && a && a->requests <= 1;
}

static enum weight auth_applies(const struct hypothesis_case *c)
{
    if (c->f->verdict != VERDICT_ALLOC_FAIL || !hypothesis_credentials(c->f->error_code))
        return WEIGHT_NONE;
    return only_challenged(c) ? WEIGHT_FAINT : WEIGHT_LIKELY;
}

static void alloc_evidence(const struct hypothesis_case *c, struct evidence_lists *e)
{
    const struct fact_allocation *a = c->ctx->allocation;
    evidence_add(e, EVIDENCE_FOR, "the relay answered error %u and never granted a port",
                 c->f->error_code);
    if (a && a->requests > 1)
        evidence_add(e, EVIDENCE_FOR, "%u Allocate requests, no success", a->requests);
}

static void auth_evidence(const struct hypothesis_case *c, struct evidence_lists *e)
{
    alloc_evidence(c, e);
    if (only_challenged(c))
        evidence_add(e, EVIDENCE_AGAINST, "only the challenge was seen: no credentials were tried");
    evidence_add(e, EVIDENCE_SETTLE,
                 "do other clients of the same server get a port at that time?");
    evidence_add(e, EVIDENCE_SETTLE, "clock and credential lifetime on client and Edge");
}

static void auth_advice(const struct hypothesis_case *c, char out[FINDING_ADVICE])
{
    format_text(
        out, FINDING_ADVICE,
        "Check the relay credentials of client %s at %s (error %u at %s): the service that issues "
        "them (port 5062 of the Edge), their lifetime, and the clocks.",
        c->src_text, c->dst_text, c->f->error_code, c->when);
}

static enum weight quota_applies(const struct hypothesis_case *c)
{
    return alloc_error(c, 486) ? WEIGHT_LIKELY : WEIGHT_NONE;
}

static void quota_evidence(const struct hypothesis_case *c, struct evidence_lists *e)
{
    alloc_evidence(c, e);
    evidence_add(e, EVIDENCE_SETTLE, "how many allocations this user held at that time");
}

static void quota_advice(const struct hypothesis_case *c, char out[FINDING_ADVICE])
{
    format_text(
        out, FINDING_ADVICE,
        "Raise the allocation quota per user of the relay %s, or find out why client %s holds so "
        "many ports (edgewatch allocations, around %s).",
        c->dst_text, c->src_text, c->when);
}

static enum weight ports_applies(const struct hypothesis_case *c)
{
    return alloc_error(c, 508) ? WEIGHT_LIKELY : WEIGHT_NONE;
}

static void ports_evidence(const struct hypothesis_case *c, struct evidence_lists *e)
{
    alloc_evidence(c, e);
    evidence_add(e, EVIDENCE_SETTLE, "allocations alive on that relay against its port range");
}

static void ports_advice(const struct hypothesis_case *c, char out[FINDING_ADVICE])
{
    format_text(
        out, FINDING_ADVICE,
        "Widen the relay port range of %s or add an Edge: it had no port left at %s (edgewatch "
        "allocations shows who held them).",
        c->dst_text, c->when);
}

/* ---- TLS on the way to the relay ---- */

static enum weight inspection_applies(const struct hypothesis_case *c)
{
    if (c->f->verdict != VERDICT_PSEUDOTLS_FAIL)
        return WEIGHT_NONE;
    int instead = c->ctx->tls_instead;
    if (instead == TLS_SPLIT_HELLO || instead == TLS_CERTIFICATE)
        return WEIGHT_LIKELY; /* no relay of this kind answers so (P§1.1) */
    return instead >= 0 ? WEIGHT_FAIR : WEIGHT_FAINT;
}

static void inspection_evidence(const struct hypothesis_case *c, struct evidence_lists *e)
{
    evidence_add(e, EVIDENCE_FOR, "the pseudo-TLS hello was answered by %s",
                 hypothesis_instead(c->ctx->tls_instead));
    if (c->ctx->tls_instead < 0)
        evidence_add(e, EVIDENCE_AGAINST, "silence may have many causes");
    else if (inspection_applies(c) != WEIGHT_LIKELY)
        evidence_add(e, EVIDENCE_AGAINST, "this port may belong to another service than the relay");
    evidence_add(e, EVIDENCE_SETTLE, "proxies and security products between client and Edge");
    evidence_add(e, EVIDENCE_SETTLE, "the same client from another network");
}

static void inspection_advice(const struct hypothesis_case *c, char out[FINDING_ADVICE])
{
    format_text(
        out, FINDING_ADVICE,
        "Exempt %s from TLS inspection for clients like %s (seen at %s): what looks like TLS there "
        "is relay traffic, which an inspecting proxy breaks.",
        c->dst_text, c->src_text, c->when);
}

static bool says(const struct hypothesis_case *c, const char *words)
{
    return c->ctx->tls_detail && strstr(c->ctx->tls_detail, words);
}

static enum weight tls_applies(const struct hypothesis_case *c)
{
    if (c->f->verdict != VERDICT_TLS_FAIL)
        return WEIGHT_NONE;
    /* an alert, or what a certificate that was shown would be refused for, is an answer */
    return c->ctx->tls_instead == TLS_ALERT || says(c, "certificate (") ? WEIGHT_LIKELY
                                                                        : WEIGHT_FAIR;
}

static void tls_evidence(const struct hypothesis_case *c, struct evidence_lists *e)
{
    if (c->ctx->tls_detail && c->ctx->tls_detail[0])
        evidence_add(e, EVIDENCE_FOR, "%s", c->ctx->tls_detail);
    else if (c->ctx->tls_instead == TLS_ALERT)
        evidence_add(e, EVIDENCE_FOR, "a fatal TLS alert ended the handshake");
    else
        evidence_add(e, EVIDENCE_FOR, "the TLS handshake did not finish");
    evidence_add(e, EVIDENCE_SETTLE,
                 "the certificates of both sides: expired, unknown issuer, wrong name");
    evidence_add(e, EVIDENCE_SETTLE, "Schannel events on both servers at that time");
}

static void tls_advice(const struct hypothesis_case *c, char out[FINDING_ADVICE])
{
    format_text(
        out, FINDING_ADVICE,
        "Check certificates and TLS versions between %s and %s (handshake failed at %s): expiry, "
        "chain, names, and what both ends allow.",
        c->src_text, c->dst_text, c->when);
}

/* ---- which addresses were offered ---- */

static const struct endpoint *near_of(const struct hypothesis_case *c)
{
    return c->ctx->from_far ? &c->dst : &c->src;
}

static const struct endpoint *far_of(const struct hypothesis_case *c)
{
    return c->ctx->from_far ? &c->src : &c->dst;
}

static bool tried_and_failed(const struct hypothesis_case *c)
{
    return c->f->leg == LEG_RELAY_PEER && !addr_none(&c->dst.addr) && !addr_none(&c->src.addr);
}

static enum weight hairpin_applies(const struct hypothesis_case *c)
{
    return tried_and_failed(c) && c->ctx->both_local && addr_eq(&c->src.addr, &c->dst.addr)
               ? WEIGHT_STRONG
               : WEIGHT_NONE;
}

static void hairpin_evidence(const struct hypothesis_case *c, struct evidence_lists *e)
{
    char at[ADDR_TEXT];
    evidence_add(e, EVIDENCE_FOR, "both relay ports belong to %s", addr_text(&c->dst.addr, at));
    if (!addr_eq(&c->f->src.addr, &c->dst.addr))
        evidence_add(e, EVIDENCE_FOR,
                     "the Edge is %s on the wire: its %ss must be turned round by the NAT",
                     addr_text(&c->f->src.addr, at), c->request);
    else
        evidence_add(e, EVIDENCE_AGAINST, "no NAT is seen at this Edge");
    if (c->f->verdict == VERDICT_REFUSED)
        evidence_add(e, EVIDENCE_AGAINST, "refused, not lost: something answered");
    evidence_add(e, EVIDENCE_SETTLE, "a connect from the Edge to its own public address");
    evidence_add(e, EVIDENCE_SETTLE, "firewall log at that time: hairpin or NAT loopback");
}

static void hairpin_advice(const struct hypothesis_case *c, char out[FINDING_ADVICE])
{
    format_text(out, FINDING_ADVICE,
                "Let the firewall turn round (hairpin NAT) what the Edge sends to its own public "
                "address: %s "
                "from %s to %s at %s did not get through.",
                c->proto, c->src_text, c->dst_text, c->when);
}

static bool near_is_private_relay(const struct hypothesis_case *c)
{
    const struct fact_allocation *a = c->ctx->allocation;
    return a && match_owns(a, near_of(c)) && addr_is_private(&near_of(c)->addr) &&
           !addr_is_private(&far_of(c)->addr);
}

static bool far_is_private_relay(const struct hypothesis_case *c)
{
    return strncmp(c->f->remote_candidate, "relay ", 6) == 0 && addr_is_private(&far_of(c)->addr) &&
           !addr_is_private(&near_of(c)->addr);
}

static enum weight private_applies(const struct hypothesis_case *c)
{
    return tried_and_failed(c) && (near_is_private_relay(c) || far_is_private_relay(c))
               ? WEIGHT_STRONG
               : WEIGHT_NONE;
}

static void private_evidence(const struct hypothesis_case *c, struct evidence_lists *e)
{
    bool near = near_is_private_relay(c);
    char at[ENDPOINT_TEXT];
    evidence_add(e, EVIDENCE_FOR, "the relay address %s of %s is private, the other end is not",
                 endpoint_text(near ? near_of(c) : far_of(c), at), near ? "our side" : "the peer");
    if (near)
        evidence_add(e, EVIDENCE_AGAINST, "our own requests may leave through NAT all the same");
    evidence_add(e, EVIDENCE_AGAINST, "a VPN or private peering may route it");
    evidence_add(e, EVIDENCE_SETTLE, "the public address configured for that Edge (NAT-enabled?)");
}

static void private_advice(const struct hypothesis_case *c, char out[FINDING_ADVICE])
{
    char at[ENDPOINT_TEXT];
    bool near = near_is_private_relay(c);
    format_text(
        out, FINDING_ADVICE,
        "%s the A/V Edge behind %s for NAT with its public address: it hands out an address that "
        "peers in the Internet cannot reach (%s).",
        near ? "Configure" : "Ask the partner to configure",
        endpoint_text(near ? near_of(c) : far_of(c), at), c->when);
}

/* Legacy candidates do not say their type (what is no private address may be a relay's), and the
 * default address may be a relay whose line was cut off: both count as one. */
static bool may_have_relay(const struct fact_side *s)
{
    bool preset_explained = false;
    for (unsigned i = 0; i < s->n_candidates; i++) {
        const struct fact_candidate *k = &s->candidates[i];
        bool guessed = k->dialect == DIALECT_MS_ICE && k->type != CAND_HOST;
        if (k->type == CAND_RELAY || k->type == CAND_TYPE_UNKNOWN || guessed)
            return true;
        preset_explained |= addr_eq(&k->at.addr, &s->preset.addr);
    }
    return s->n_candidates == 0 || !preset_explained;
}

static const struct fact_media *medium_of(const struct hypothesis_case *c)
{
    const struct fact_call *call = c->ctx->call;
    for (unsigned i = 0; call && c->f->medium && i < call->n_media; i++)
        if (call->media[i].medium && strcmp(call->media[i].medium, c->f->medium) == 0)
            return &call->media[i];
    return NULL;
}

static bool sdp_lacks_relay(const struct hypothesis_case *c)
{
    const struct fact_media *m = medium_of(c);
    if (!m || c->ctx->near_side < 0)
        return false;
    const struct fact_side *far = &m->side[!c->ctx->near_side];
    return far->present && !far->rejected && !may_have_relay(far);
}

/* A reporter that names its own relay but none of the other side (P§3.2). */
static bool diag_lacks_relay(const struct hypothesis_case *c)
{
    const struct fact_call *call = c->ctx->call;
    for (unsigned i = 0; call && i < call->n_diags; i++) {
        struct ms_diag room;
        const struct ms_diag *d = match_said(&call->diags[i], &room);
        for (unsigned k = 0; d && k < d->n_media; k++) {
            const struct media_debug *m = &d->media[k];
            int remote = m->side == DIAG_CALLER ? SIDE_ANSWER : SIDE_OFFER;
            if (m->side != DIAG_NO_SIDE && c->ctx->near_side >= 0 && remote != c->ctx->near_side &&
                m->has_local_mr && !m->has_remote_mr)
                return true;
        }
    }
    return false;
}

static enum weight no_relay_applies(const struct hypothesis_case *c)
{
    if (c->f->leg == LEG_CLIENT_RELAY || c->ctx->other_pair_connected)
        return WEIGHT_NONE;
    if (sdp_lacks_relay(c))
        return addr_is_private(&far_of(c)->addr) ? WEIGHT_STRONG : WEIGHT_FAIR;
    return diag_lacks_relay(c) ? WEIGHT_FAINT : WEIGHT_NONE;
}

static void no_relay_evidence(const struct hypothesis_case *c, struct evidence_lists *e)
{
    char at[ENDPOINT_TEXT];
    if (sdp_lacks_relay(c))
        evidence_add(e, EVIDENCE_FOR, "the other side's SDP holds no relay candidate");
    if (diag_lacks_relay(c))
        evidence_add(e, EVIDENCE_FOR, "the diagnostics name our relay (LocalMR), but no RemoteMR");
    if (addr_is_private(&far_of(c)->addr))
        evidence_add(e, EVIDENCE_FOR, "what was tried instead, %s, is a private address",
                     endpoint_text(far_of(c), at));
    evidence_add(e, EVIDENCE_AGAINST, "a peer that is reachable directly needs no relay");
    evidence_add(e, EVIDENCE_SETTLE,
                 "did the far client try to allocate (its log: ICEWarn 0x1, 0x8, 0x80000)?");
}

static void no_relay_advice(const struct hypothesis_case *c, char out[FINDING_ADVICE])
{
    const struct fact_call *call = c->ctx->call;
    const char *who = c->ctx->near_side == SIDE_OFFER ? call->callee : call->caller;
    format_text(out, FINDING_ADVICE,
                "Find out why %.120s has no relay: can that client reach its Edge on 443/TCP and "
                "3478/UDP, and "
                "does it get relay credentials? Call at %s.",
                who ? who : "the other side", c->when);
}

/* ---- what the client did and said ---- */

static const struct fact_diag *warning(const struct hypothesis_case *c)
{
    const struct fact_call *call = c->ctx->call;
    for (unsigned i = 0; call && i < call->n_diags; i++)
        if (hypothesis_warns(c, &call->diags[i]))
            return &call->diags[i];
    return NULL;
}

static bool client_incomplete(const struct hypothesis_case *c)
{
    const struct fact_diag *d = warning(c);
    return d && d->icewarn & WARN_CLIENT_INCOMPLETE;
}

static enum weight client_applies(const struct hypothesis_case *c)
{
    const struct fact_allocation *a = c->ctx->allocation;
    if (c->f->verdict == VERDICT_NOT_TRIED)
        return a && a->granted && a->n_sends == 0 ? WEIGHT_FAIR : WEIGHT_FAINT;
    return client_incomplete(c) ? WEIGHT_FAINT : WEIGHT_NONE;
}

static void client_evidence(const struct hypothesis_case *c, struct evidence_lists *e)
{
    const struct fact_allocation *a = c->ctx->allocation;
    char at[ENDPOINT_TEXT];
    if (c->f->verdict == VERDICT_NOT_TRIED && a && a->granted)
        evidence_add(e, EVIDENCE_FOR,
                     "relay port %s was granted, but the client never sent through it",
                     endpoint_text(&a->relay, at));
    if (c->f->verdict == VERDICT_NOT_TRIED)
        evidence_add(e, EVIDENCE_FOR, "nothing failed outside the Edge");
    if (client_incomplete(c))
        evidence_add(e, EVIDENCE_FOR,
                     "the client reports 0x8000000: software on it disturbs checks");
    evidence_add(e, EVIDENCE_AGAINST,
                 "a user who gave up early, or a sensor that missed it, looks alike");
    evidence_add(e, EVIDENCE_SETTLE, "the same call with the client's antivirus and firewall off");
    evidence_add(e, EVIDENCE_SETTLE, "the client's own log; other clients in the same network");
}

static void client_advice(const struct hypothesis_case *c, char out[FINDING_ADVICE])
{
    char at[ENDPOINT_TEXT];
    const char *client = endpoint_none(&c->f->client) ? "" : endpoint_text(&c->f->client, at);
    format_text(
        out, FINDING_ADVICE,
        "Look on the client %s for antivirus, web filter or endpoint firewall that touches relay "
        "traffic, exempt the Lync / Skype process, and repeat the call of %s.",
        client, c->when);
}

const struct hypothesis hypotheses_of_relay[] = {
    {"relay-auth-failed", auth_applies, auth_evidence, auth_advice},
    {"relay-quota", quota_applies, quota_evidence, quota_advice},
    {"relay-ports-exhausted", ports_applies, ports_evidence, ports_advice},
    {"tls-inspection-on-443", inspection_applies, inspection_evidence, inspection_advice},
    {"signaling-tls-failed", tls_applies, tls_evidence, tls_advice},
    {"hairpin-missing", hairpin_applies, hairpin_evidence, hairpin_advice},
    {"private-relay-address", private_applies, private_evidence, private_advice},
    {"no-relay-on-peer", no_relay_applies, no_relay_evidence, no_relay_advice},
    {"client-endpoint-filter", client_applies, client_evidence, client_advice},
    {.code = NULL},
};
