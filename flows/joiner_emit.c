/* From a failed pair, medium or allocation to the failure record, with its findings. */
#include "capture/format.h"
#include "flows/findings.h"
#include "flows/joiner_state.h"
#include "flows/wire/sdp.h"

/* ---- identity and change ---- */

static uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h;
}

static uint64_t mix_text(uint64_t h, const char *s)
{
    return s ? mix(h, s, strlen(s) + 1) : mix(h, "", 1);
}

static uint64_t mix_endpoint(uint64_t h, const struct endpoint *e)
{
    h = mix(h, e->addr.b, sizeof e->addr.b);
    return mix(h, &e->port, sizeof e->port);
}

/* Stable over re-reading: sensor name, endpoints, ISN or transaction id, packet time (µs, because
 * files and databases keep no more). No per-process seed may enter. */
static uint64_t event_id(const struct joiner *j, const struct endpoint *a, const struct endpoint *b,
                         uint32_t isn, tick_t first, const char *text)
{
    int64_t us = first / TICK_US;
    const struct joiner_veil *veil = j->config.veil;
    struct endpoint ends[2] = {*a, *b};
    for (int i = 0; veil && i < 2; i++)
        veil->addr(veil->arg, &ends[i].addr);
    if (veil && text)
        text = veil->id(veil->arg, text);
    uint64_t h = mix_text(UINT64_C(0xcbf29ce484222325), j->config.sensor);
    h = mix_endpoint(h, &ends[0]);
    h = mix_endpoint(h, &ends[1]);
    h = mix(h, &isn, sizeof isn);
    h = mix(h, &us, sizeof us);
    h = mix_text(h, text);
    return h ? h : 1;
}

/* Of what the rules look at besides the row: findings must not depend on which fact came last. */
static uint64_t digest_context(const struct failure_context *ctx)
{
    const struct fact_call *c = ctx->call;
    int64_t numbers[] = {c ? (int64_t)c->n_diags : -1,
                         c ? c->answered : TICK_NONE,
                         ctx->send ? ctx->send->first : TICK_NONE,
                         ctx->attempt->rtt_us,
                         ctx->from_far | ctx->far_sent_first << 1 | ctx->both_local << 2,
                         ctx->near_side,
                         ctx->tls_instead};
    uint64_t h = mix(UINT64_C(0xcbf29ce484222325), numbers, sizeof numbers);
    for (unsigned m = 0; c && m < c->n_media; m++)
        for (int side = 0; side < CALL_SIDES; side++)
            h = mix(h, &c->media[m].side[side].n_candidates, sizeof(uint16_t));
    return h;
}

/* Of what a reader of the row would notice. */
static uint64_t digest(const struct failure *f, const struct failure_context *ctx)
{
    uint64_t h = mix_text(f->event_id ^ digest_context(ctx), f->local_candidate);
    h = mix(h, &f->src_public, sizeof f->src_public);
    h = mix(h, &f->dst_public, sizeof f->dst_public);
    int64_t numbers[] = {f->first,    f->last,     f->verdict, f->quality,       f->info,
                         f->attempts, f->syns,     f->rsts,    (int64_t)f->keys, f->confidence,
                         f->grade,    f->call_row, f->leg,     f->allocation_row};
    h = mix(h, numbers, sizeof numbers);
    h = mix_text(h, f->remote_candidate);
    h = mix_text(h, f->medium);
    h = mix_text(h, f->callee);
    h = mix_endpoint(h, &f->client);
    return h | 1;
}

/* ---- parts ---- */

static void candidate_text(char out[80], const struct fact_candidate *c, bool preset,
                           const struct endpoint *e, uint8_t proto, bool relay)
{
    char at[ENDPOINT_TEXT];
    const char *transport = proto == PROTO_UDP ? "UDP" : "TCP-PASS";
    endpoint_text(e, at);
    if (c && c->dialect != DIALECT_DEFAULT)
        format_text(out, 80, "%s %s %s",
                    cand_type_name(c->type) ? cand_type_name(c->type) : "unknown",
                    cand_transport_name(c->transport), at);
    else if (c || preset)
        format_text(out, 80, "default %s %s", transport, at);
    else if (relay)
        format_text(out, 80, "relay %s %s", transport, at);
    else
        format_text(out, 80, "%s", at);
}

static void describe_call(struct failure *f, const struct fact_call *c, unsigned medium)
{
    f->call_id = c->call_id;
    f->caller = c->caller;
    f->callee = c->callee;
    f->call_row = c->id;
    f->medium = c->media[medium].medium;
    f->grade = 'A';
}

static void describe_attempt(struct failure *f, const struct pair *p)
{
    const struct attempt *a = &p->best;
    f->src = a->src;
    f->dst = a->dst;
    f->verdict = a->verdict;
    f->attempt = a->id;
    f->rtt_us = a->rtt_us;
    f->icmp_type = a->icmp_type;
    f->icmp_code = a->icmp_code;
    f->icmp_from = a->icmp_from;
    f->first = p->first;
    f->last = p->last;
    f->attempts = p->attempts;
    f->syns = p->syns;
    f->rsts = p->rsts;
    f->quality = p->quality;
    f->proto = p->proto;
    for (int e = 0; e < 2; e++) {
        if (!p->end[e].aliased)
            continue;
        if (endpoint_eq(&p->end[e].wire, &f->src))
            f->src_public = p->end[e].pub.addr;
        else if (endpoint_eq(&p->end[e].wire, &f->dst))
            f->dst_public = p->end[e].pub.addr;
    }
}

/* The client's end of the relay connection, from TURN or from the candidate's rport. */
static void describe_client(struct failure *f, const struct pair *p, const struct match_answer *a)
{
    const struct fact_candidate *c = a->candidate[a->near];
    if (p->own)
        f->client = p->own->client;
    else if (c && c->type == CAND_RELAY)
        f->client = c->related;
}

static bool is_relay_end(const struct match_question *q, const struct match_answer *a, int e)
{
    return q->end[e].allocation || q->end[e].aliased || q->any_edge[e] ||
           (a->candidate[e] && a->candidate[e]->type == CAND_RELAY);
}

/* The end that asked first comes first, whichever attempt was folded in last. */
static void question_of(const struct joiner *j, const struct pair *p, struct match_question *q)
{
    const struct pair_end *second = &p->end[1];
    bool swap =
        endpoint_eq(&second->wire, &p->first_src) || endpoint_eq(&second->pub, &p->first_src);
    *q = (struct match_question){.proto = p->proto, .call = p->call, .medium = p->medium};
    for (int e = 0; e < 2; e++) {
        const struct pair_end *end = &p->end[e ^ swap];
        q->end[e] = (struct match_end){end->wire, end->pub, end->aliased,
                                       index_allocation_at(j, &end->pub, p->first)};
        q->any_edge[e] = end->edge;
    }
}

static bool pair_is_info(const struct joiner *j, const struct pair *p, char grade)
{
    if (p->best.verdict == VERDICT_UNSEEN)
        return true; /* the sensor can't tell */
    if (p->signaling)
        return false;
    if (p->client_leg)
        return index_client_served(j, &p->end[0].wire.addr, p->first);
    if (p->call)
        return scope_of_call(p->call)->connected[p->medium] || p->call->media[p->medium].concluded;
    if (p->own)
        return scope_of_allocation(p->own)->connected[0];
    return grade == 'C' && !is_configured_edge(j, &p->end[0].wire.addr) &&
           !is_configured_edge(j, &p->end[1].wire.addr);
}

/* ---- sending ---- */

static void send_failure(struct joiner *j, struct failure *f, const struct failure_context *ctx)
{
    struct finding list[FINDINGS_MAX];
    char explanation[FINDING_TEXT];
    unsigned n = findings_of_failure(f, ctx, list);
    f->explanation = finding_explain(f, ctx, explanation, sizeof explanation);
    if (n) {
        f->finding = list[0].code;
        f->advice = list[0].advice;
    }
    j->hooks.failure(j->hooks.arg, f, list, n);
}

void emit_link(struct joiner *j, struct pair *p)
{
    for (; p->n_linked < p->n_ids; p->n_linked++)
        if (p->ids[p->n_linked]) /* trouble above TCP has no attempt of its own */
            j->hooks.attempt_failure(j->hooks.arg, p->ids[p->n_linked], p->failure);
}

void emit_withdraw(struct joiner *j, struct pair *p)
{
    for (unsigned i = 0; i < p->n_linked; i++)
        if (p->ids[i])
            j->hooks.attempt_failure(j->hooks.arg, p->ids[i], 0);
    j->hooks.failure_gone(j->hooks.arg, p->failure);
    p->shown = false;
    p->digest = 0;
    p->n_linked = 0;
}

/* Which side of the call our end is: told by either end. */
static int near_side(const struct match_answer *a)
{
    if (a->side[a->near] >= 0)
        return a->side[a->near];
    return a->side[!a->near] >= 0 ? !a->side[!a->near] : -1;
}

static const struct trouble_note *note_of(const struct joiner *j, const struct pair *p)
{
    static const struct trouble_note none;
    const struct trouble_note *n = &j->notes[p->note % LIMIT_TROUBLE_NOTES];
    return p->note && n->number == p->note ? n : &none;
}

static void pair_context(const struct joiner *j, const struct pair *p,
                         const struct match_question *q, const struct match_answer *a,
                         const struct failure *f, struct failure_context *ctx)
{
    *ctx = (struct failure_context){
        .call = p->call,
        .allocation = p->own,
        .attempt = &p->best,
        .send = a->send,
        .far_sent_first = a->near == 1,
        .from_far = endpoint_eq(&p->best.src, &q->end[!a->near].wire),
        .near_side = near_side(a),
        .relay_low = j->config.relay_low,
        .relay_high = j->config.relay_high,
        .both_local = q->end[0].allocation && q->end[1].allocation,
        .other_pair_connected = f->info && (p->call || p->own),
        .tls_instead = p->tls_instead,
        .tls_detail = note_of(j, p)->detail,
    };
}

/* A client that can't reach its relay fails all media of the call it has under way. */
static struct fact_call *concern_call(const struct joiner *j, struct failure *f, tick_t when)
{
    struct fact_call *c = index_client_call(j, &f->client.addr, when);
    if (!c)
        return NULL;
    describe_call(f, c, 0);
    if (c->n_media != 1)
        f->medium = NULL;
    f->keys = KEY_CANDIDATE;
    f->confidence = CONFIDENCE_PROBABLE;
    for (unsigned m = 0; m < LIMIT_MEDIA_PER_CALL && !f->info; m++)
        scope_of_call(c)->failed[m] = true;
    return c;
}

static void describe_client_leg(const struct joiner *j, struct failure *f, const struct pair *p)
{
    f->client = p->end[0].wire;
    f->info = pair_is_info(j, p, f->grade);
    if (!p->signaling)
        concern_call(j, f, p->first);
}

void emit_pair(struct joiner *j, struct pair *p)
{
    struct match_question q;
    struct match_answer a;
    struct failure_context ctx;
    struct failure f = {.keys = p->keys, .confidence = p->confidence};
    question_of(j, p, &q);
    match_judge(&q, &a);
    describe_attempt(&f, p);
    f.grade = p->own || (p->client_leg && !p->signaling) ? 'B' : 'C';
    bool relay = is_relay_end(&q, &a, 0) || is_relay_end(&q, &a, 1);
    f.leg = p->signaling    ? LEG_SIGNALING
            : p->client_leg ? LEG_CLIENT_RELAY
            : relay         ? LEG_RELAY_PEER
                            : LEG_DIRECT;
    if (p->note && note_of(j, p)->partner[0])
        f.partner = note_of(j, p)->partner;
    if (p->client_leg)
        describe_client_leg(j, &f, p);
    else
        describe_client(&f, p, &a);
    if (p->own) {
        f.medium = p->own->medium;
        f.call_id = p->own->call_id;
        f.allocation_row = p->own->id;
    }
    if (p->call)
        describe_call(&f, p->call, p->medium);
    for (int e = 0; e < 2 && !p->client_leg && (p->call || p->own); e++)
        candidate_text(e == a.near ? f.local_candidate : f.remote_candidate, a.candidate[e],
                       a.preset[e], &q.end[e].pub, p->proto, q.end[e].allocation != NULL);
    f.info = pair_is_info(j, p, f.grade);
    f.event_id = event_id(j, &p->first_src, &p->first_dst, p->first_isn, p->first, NULL);
    p->info = f.info;
    pair_context(j, p, &q, &a, &f, &ctx);
    if (findings_endpoint_agrees(&f, &ctx)) {
        f.keys |= KEY_MEDIA_DEBUG;
        f.confidence = (uint8_t)match_confidence(f.keys, a.both_ends);
    }
    uint64_t now = digest(&f, &ctx);
    if (p->shown && now == p->digest) {
        emit_link(j, p);
        return;
    }
    if (!p->failure)
        p->failure = ++j->last_failure;
    f.id = p->failure;
    p->digest = now;
    p->shown = true;
    send_failure(j, &f, &ctx);
    emit_link(j, p);
}

/* ---- what was never seen on the wire ---- */

static void blank(struct failure *f, enum verdict v, uint8_t proto)
{
    *f = (struct failure){
        .verdict = (uint8_t)v, .proto = proto, .rtt_us = -1, .icmp_type = -1, .icmp_code = -1};
}

/* The address a side expected to be reached at: its relay if it offered one, else its default. */
static const struct fact_candidate *relay_of(const struct fact_side *s)
{
    for (unsigned i = 0; i < s->n_candidates; i++)
        if (s->candidates[i].type == CAND_RELAY)
            return &s->candidates[i];
    return NULL;
}

/* A pair of the medium that the sensor saw in one direction only lends its addresses. */
static void describe_half_seen(struct failure *f, const struct scope *s, unsigned medium)
{
    const struct pair *p = s->pairs;
    while (p && (p->medium != medium || !p->verdict_known || p->best.verdict != VERDICT_UNSEEN))
        p = p->next;
    if (p)
        describe_attempt(f, p);
}

void emit_medium(struct joiner *j, struct fact_call *c, unsigned medium, enum verdict v)
{
    struct scope *s = scope_of_call(c);
    const struct fact_media *m = &c->media[medium];
    const struct fact_allocation *own = NULL;
    const struct fact_candidate *relay[CALL_SIDES];
    struct failure f;
    int near = SIDE_OFFER;
    blank(&f, v, m->side[SIDE_OFFER].tcp ? PROTO_TCP : PROTO_UDP);
    for (int side = 0; side < CALL_SIDES; side++) {
        relay[side] = relay_of(&m->side[side]);
        const struct fact_allocation *a =
            relay[side] ? index_allocation_at(j, &relay[side]->at, c->started) : NULL;
        if (a && !own) {
            own = a;
            near = side;
        }
    }
    for (int side = 0; side < CALL_SIDES; side++)
        candidate_text(side == near ? f.local_candidate : f.remote_candidate, relay[side], true,
                       relay[side] ? &relay[side]->at : &m->side[side].preset, f.proto, false);
    f.leg = own || relay[0] || relay[1] ? LEG_RELAY_PEER : LEG_DIRECT;
    describe_half_seen(&f, s, medium);
    describe_call(&f, c, medium);
    f.info = true;
    f.confidence = own ? CONFIDENCE_CONFIRMED : CONFIDENCE_PROBABLE;
    f.keys = own ? KEY_RELAY_ADDRESS | KEY_CANDIDATE : KEY_CANDIDATE;
    f.first = c->answered != TICK_NONE ? c->answered : c->started;
    f.last = c->ended != TICK_NONE ? c->ended : f.first;
    if (own) {
        f.client = own->client;
        f.allocation_row = own->id;
    }
    struct endpoint none = {.port = (uint16_t)medium};
    f.event_id = event_id(j, &none, &none, 0, c->started, c->call_id);
    f.id = s->verdict_row[medium] = ++j->last_failure;
    struct failure_context ctx = {
        .call = c, .allocation = own, .tls_instead = -1, .near_side = own ? near : -1};
    send_failure(j, &f, &ctx);
}

void emit_allocation(struct joiner *j, struct fact_allocation *a, enum verdict v)
{
    struct scope *s = scope_of_allocation(a);
    const struct fact_call *call = NULL;
    struct failure f;
    blank(&f, v, a->proto);
    f.first = a->started;
    f.last = a->ended != TICK_NONE ? a->ended : a->started;
    f.client = a->client;
    f.medium = a->medium;
    f.call_id = a->call_id;
    f.grade = 'B';
    f.allocation_row = a->id;
    f.error_code = a->error_code;
    f.info = v == VERDICT_UNSEEN || index_client_served(j, &a->client.addr, a->started);
    if (v == VERDICT_ALLOC_FAIL) {
        f.leg = LEG_CLIENT_RELAY;
        f.src = a->client;
        f.dst = a->server;
        f.attempts = 1;
        call = concern_call(j, &f, a->started);
    } else {
        const struct fact_send *last = &a->sends[a->n_sends - 1];
        f.leg = LEG_RELAY_PEER;
        f.keys = KEY_RELAY_ADDRESS | KEY_SEND_DESTINATION;
        f.confidence = CONFIDENCE_CONFIRMED;
        candidate_text(f.local_candidate, NULL, false, &a->relay, a->proto, true);
        candidate_text(f.remote_candidate, NULL, false, &last->peer, a->proto, false);
    }
    f.event_id = event_id(j, &a->client, &a->server, 0, a->started, NULL);
    f.id = s->verdict_row[0] = ++j->last_failure;
    struct failure_context ctx = {.call = call,
                                  .allocation = a,
                                  .tls_instead = -1,
                                  .near_side = -1,
                                  .send = a->n_sends ? &a->sends[a->n_sends - 1] : NULL};
    send_failure(j, &f, &ctx);
}
