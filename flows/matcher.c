/* Ties attempts to what was negotiated. Pure; see matcher.h for the keys and design §7, P§9. */
#include "flows/matcher.h"

#include <string.h>

#include "flows/limits.h"
#include "flows/wire/ms_diag.h"
#include "flows/wire/sdp.h"

char *match_keys_text(unsigned keys, char out[160])
{
    static const char *const names[MATCH_KEYS] = {
        "relay-address", "alias", "send-destination", "candidate",    "default-address",
        "rport",         "ufrag", "connection-id",    "turn-call-id", "media-debug",
    };
    char *end = out;
    for (unsigned i = 0; i < MATCH_KEYS; i++) {
        if (!(keys & 1u << i))
            continue;
        if (end != out)
            *end++ = ',';
        end = stpcpy(end, names[i]); /* all of them have room: test_matcher */
    }
    *end = 0;
    return out;
}

const char *confidence_name(enum confidence c)
{
    static const char *const names[] = {"unmatched", "probable", "confirmed"};
    return names[c];
}

enum confidence match_confidence(unsigned keys, bool both_ends)
{
    /* an alias only says through which key another one agreed, and an end that is both a candidate
     * and the default address was still named once (both ends named: both_ends) */
    if (keys & KEY_CANDIDATE)
        keys &= ~(unsigned)KEY_DEFAULT_ADDRESS;
    int n = __builtin_popcount(keys & ~(unsigned)KEY_ALIAS);
    return n >= 2 || both_ends ? CONFIDENCE_CONFIRMED
           : n == 1            ? CONFIDENCE_PROBABLE
                               : CONFIDENCE_UNMATCHED;
}

bool match_call_alive(const struct fact_call *c, tick_t t, tick_t slack)
{
    return (c->started == TICK_NONE || t >= c->started - slack) &&
           (c->ended == TICK_NONE || t <= c->ended + CALL_GRACE);
}

bool match_allocation_alive(const struct fact_allocation *a, tick_t t, tick_t slack)
{
    return (a->started == TICK_NONE || t >= a->started - slack) &&
           (a->ended == TICK_NONE || t <= a->ended + ALLOCATION_GRACE);
}

bool match_owns(const struct fact_allocation *a, const struct endpoint *ep)
{
    return a->granted && (endpoint_eq(&a->relay, ep) ||
                          (!endpoint_none(&a->relay2) && endpoint_eq(&a->relay2, ep)));
}

/* Does the candidate speak the pair's transport? RFC 6544 TCP and legacy TCP are CAND_TCP_*. */
static bool transport_fits(const struct fact_candidate *c, uint8_t proto)
{
    return (c->transport == CAND_UDP) == (proto == PROTO_UDP);
}

/* An active candidate's port is 9 or 0, it asks from any (RFC 6544 §4.5). */
static bool names_end(const struct fact_candidate *c, const struct endpoint *ep)
{
    if (c->transport == CAND_TCP_ACT && (c->at.port == 9 || c->at.port == 0))
        return addr_eq(&c->at.addr, &ep->addr);
    return endpoint_eq(&c->at, ep);
}

/* Finds the end among one side's candidates; the best typed one wins over the default address. */
static bool find_on_side(const struct fact_side *s, const struct endpoint *ep, uint8_t proto,
                         const struct fact_candidate **candidate, bool *preset)
{
    *candidate = NULL;
    *preset = s->present && s->tcp == (proto == PROTO_TCP) && endpoint_eq(&s->preset, ep);
    for (unsigned i = fact_next_at(s, 0, ep->port); i < s->n_candidates && !*candidate;
         i = fact_next_at(s, i + 1, ep->port))
        if (transport_fits(&s->candidates[i], proto) && names_end(&s->candidates[i], ep))
            *candidate = &s->candidates[i];
    return *candidate || *preset;
}

/* Puts the ends on sides of the medium: preferably on opposite ones. */
static void place_ends(const struct match_question *q, struct match_answer *a)
{
    const struct fact_media *m = &q->call->media[q->medium];
    for (int turn = 0; turn < 2; turn++) {
        const struct fact_candidate *c[2];
        bool preset[2], found[2];
        if (a->side[0] >= 0 && a->side[1] >= 0)
            return; /* no second look through all candidates */
        for (int e = 0; e < 2; e++)
            found[e] =
                find_on_side(&m->side[e ^ turn], &q->end[e].pub, q->proto, &c[e], &preset[e]);
        int had = (a->side[0] >= 0) + (a->side[1] >= 0);
        if (found[0] + found[1] <= had)
            continue;
        for (int e = 0; e < 2; e++) {
            a->side[e] = found[e] ? e ^ turn : -1;
            a->candidate[e] = c[e];
            a->preset[e] = preset[e];
        }
    }
}

/* The end that an own relay, a known relay address or the asker stands at. */
static int near_end(const struct match_question *q, const struct match_answer *a)
{
    for (int e = 0; e < 2; e++)
        if (q->end[e].allocation && !q->end[!e].allocation)
            return e;
    for (int e = 0; e < 2; e++)
        if (q->end[e].aliased && !q->end[!e].aliased)
            return e;
    for (int e = 0; e < 2; e++)
        if (q->any_edge[e] && !q->any_edge[!e])
            return e;
    return a->side[0] < 0 && a->side[1] >= 0 ? 1 : 0;
}

static const struct fact_send *find_send(const struct fact_allocation *a,
                                         const struct match_end *far)
{
    for (unsigned i = 0; a && i < a->n_sends; i++)
        if (endpoint_eq(&a->sends[i].peer, &far->pub) || endpoint_eq(&a->sends[i].peer, &far->wire))
            return &a->sends[i];
    return NULL;
}

static bool text_eq(const char *a, const char *b)
{
    return a && b && *a && strcmp(a, b) == 0;
}

/* rport of a relay candidate is the client's port on its relay connection (P§2.7). */
static bool rport_agrees_at(const struct fact_side *s, const struct fact_allocation *a,
                            uint16_t port)
{
    for (unsigned i = fact_next_at(s, 0, port); i < s->n_candidates;
         i = fact_next_at(s, i + 1, port)) {
        const struct fact_candidate *c = &s->candidates[i];
        if (match_owns(a, &c->at) && c->related.port &&
            (endpoint_eq(&c->related, &a->client) || endpoint_eq(&c->related, &a->reflexive)))
            return true;
    }
    return false;
}

static bool rport_agrees(const struct fact_side *s, const struct fact_allocation *a)
{
    return rport_agrees_at(s, a, a->relay.port) ||
           (a->relay2.port && rport_agrees_at(s, a, a->relay2.port));
}

/* *MR, or its address with *MRTCPPort: audio has its UDP relay port in the first (P§3.1). */
static bool is_media_relay(const struct endpoint *mr, uint16_t tcp, const struct endpoint *e)
{
    return endpoint_eq(mr, e) || (tcp && tcp == e->port && addr_eq(&mr->addr, &e->addr));
}

/* This end is the relay of the one that speaks, and nothing speaks against the other end. */
static bool media_debug_names(const struct media_debug *m, const struct endpoint *own,
                              const struct endpoint *other)
{
    bool far = m->has_remote_mr;
    return (is_media_relay(&m->local_mr, m->local_mrtcp, own) &&
            (!far || is_media_relay(&m->remote_mr, m->remote_mrtcp, other) ||
             endpoint_eq(&m->remote_site, other))) ||
           (!m->has_local_mr && far && is_media_relay(&m->remote_mr, m->remote_mrtcp, own) &&
            endpoint_eq(&m->local_site, other));
}

const struct ms_diag *match_said(const struct fact_diag *d, struct ms_diag *room)
{
    if (d->said)
        return d->said;
    return d->value && ms_diag_parse(slice_str(d->value), room, NULL) == WIRE_OK ? room : NULL;
}

static bool media_debug_agrees(const struct fact_call *c, const struct endpoint *a,
                               const struct endpoint *b)
{
    for (unsigned i = 0; i < c->n_diags; i++) {
        struct ms_diag room;
        const struct ms_diag *d = match_said(&c->diags[i], &room);
        for (unsigned k = 0; d && k < d->n_media; k++) {
            if (media_debug_names(&d->media[k], a, b) || media_debug_names(&d->media[k], b, a))
                return true;
        }
    }
    return false;
}

/* Keys that need both the call and the near relay's allocation. */
static unsigned joint_keys(const struct match_question *q, const struct match_answer *a,
                           const struct fact_allocation *own)
{
    const struct fact_media *m = &q->call->media[q->medium];
    unsigned keys = 0;
    for (int s = 0; s < CALL_SIDES; s++)
        if (rport_agrees(&m->side[s], own))
            keys |= KEY_RPORT;
    if (text_eq(own->call_id, q->call->call_id))
        keys |= KEY_TURN_CALL_ID;
    if (a->send) {
        const char *r = a->send->remote_ufrag, *l = a->send->local_ufrag;
        const char *o = m->side[SIDE_OFFER].ufrag, *w = m->side[SIDE_ANSWER].ufrag;
        if ((text_eq(r, o) && text_eq(l, w)) || (text_eq(r, w) && text_eq(l, o)))
            keys |= KEY_UFRAG;
    }
    return keys;
}

void match_judge(const struct match_question *q, struct match_answer *out)
{
    struct match_answer a = {.side = {-1, -1}};
    if (q->call)
        place_ends(q, &a);
    a.both_ends = a.side[0] >= 0 && a.side[1] >= 0;
    a.near = near_end(q, &a);
    const struct match_end *near = &q->end[a.near], *far = &q->end[!a.near];
    const struct fact_allocation *own = near->allocation;
    if (own)
        a.keys |= KEY_RELAY_ADDRESS;
    if (near->aliased || far->aliased)
        a.keys |= KEY_ALIAS;
    a.send = find_send(own, far);
    if (!a.send && far->allocation)
        a.send = find_send(far->allocation, near);
    if (a.send)
        a.keys |= KEY_SEND_DESTINATION | (a.send->by_connection ? KEY_CONNECTION_ID : 0u);
    for (int e = 0; e < 2; e++) {
        if (a.candidate[e])
            a.keys |= KEY_CANDIDATE;
        if (a.preset[e])
            a.keys |= KEY_DEFAULT_ADDRESS;
    }
    if (q->call && own)
        a.keys |= joint_keys(q, &a, own);
    if (q->call && q->call->n_diags && media_debug_agrees(q->call, &near->pub, &far->pub))
        a.keys |= KEY_MEDIA_DEBUG;
    *out = a;
}
