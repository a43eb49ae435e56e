/*
 * Relay control and ICE over TCP: pseudo-TLS and TURN framing (P§1.1, 1.2), TURN over TCP (RFC
 * 8656), RFC 4571 peer connections.
 */
#include "flows/conversation.h"
#include "flows/limits.h"
#include "flows/wire/framing.h"

/* ---- troubles of the relay connection ---- */

void relay_tell(struct proto *p, struct stream *s, struct conversation *c,
                const struct relay_trouble *what)
{
    const struct flow *f = s->flow;
    struct relay_trouble t = *what;
    if (c->troubled)
        return;
    c->troubled = true;
    t.client = f->client;
    t.server = f->server;
    t.first = c->first;
    t.last = s->time;
    t.isn = f->client_isn;
    handover_trouble(p->config.handover, &t);
}

static void tell_pseudo_tls(struct proto *p, struct stream *s, struct conversation *c,
                            enum tls_instead instead)
{
    relay_tell(p, s, c,
               &(struct relay_trouble){.verdict = VERDICT_PSEUDOTLS_FAIL, .instead = (int)instead});
}

/* ---- pseudo-TLS ---- */

/* Consumes the hello or its answer. True when frames may follow at *used. */
static bool greet(struct proto *p, struct stream *s, struct conversation *c, enum stream_side side,
                  struct slice avail, struct stream_take *take)
{
    struct half *h = &c->half[side];
    enum tls_instead instead;
    if (h->greeted)
        return true;
    enum wire_result r =
        side == SIDE_CLIENT ? pseudo_tls_hello(avail, NULL) : pseudo_tls_answer(avail, NULL);
    if (r == WIRE_OK) {
        h->greeted = true;
        take->used = side == SIDE_CLIENT ? PSEUDO_TLS_HELLO : PSEUDO_TLS_ANSWER;
        return true;
    }
    if (r == WIRE_MORE)
        return false;
    if (side == SIDE_SERVER && pseudo_tls_instead(avail, &instead) == WIRE_MORE &&
        avail.n < LIMIT_PROBE_BYTES)
        return false;
    if (side == SIDE_SERVER)
        tell_pseudo_tls(p, s, c, instead);
    take->release = true;
    return false;
}

/* ---- TURN framing ---- */

static void control_message(struct proto *p, struct stream *s, struct half *h,
                            enum stream_side side, struct slice payload)
{
    struct mux_frame mux;
    struct stun_msg m;
    struct message_at at;
    if (mux_parse(payload, &mux, NULL) == WIRE_OK)
        payload = mux.data;
    if (stun_parse(payload, true, &m, NULL) != WIRE_OK) {
        p->counts.bad_frames++;
        return;
    }
    h->media = 0;
    conversation_at(p, s, side, &at);
    handover_turn(p->config.handover, &m, &at);
}

/* Neither side has sent control for long: the connection carries media now. */
static bool is_bulk(struct proto *p, const struct conversation *c)
{
    if (c->half[0].media < LIMIT_RELAY_CONTROL && c->half[1].media < LIMIT_RELAY_CONTROL)
        return false;
    p->counts.bulk_released++;
    return true;
}

/* After a hole, frames can't be found again inside payload by guessing (P§1.2): only a control
 * frame that begins a segment is taken up again. */
static bool back_in_step(struct half *h, struct slice rest)
{
    struct turn_frame f;
    if (!h->lost)
        return true;
    if (turn_frame_parse(rest, &f, NULL) != WIRE_OK || f.type != 2 ||
        !stun_looks_like(f.payload, true))
        return false;
    h->lost = false;
    return true;
}

struct stream_take relay_ms_turn(struct proto *p, struct stream *s, struct conversation *c,
                                 enum stream_side side, struct slice avail)
{
    struct half *h = &c->half[side];
    struct stream_take take = {0};
    struct turn_frame f;
    if (!greet(p, s, c, side, avail, &take))
        return take;
    while (take.used < avail.n) {
        struct slice rest = slice_of(avail.p + take.used, avail.n - take.used);
        if (!back_in_step(h, rest)) {
            h->media += (uint32_t)rest.n;
            take.used = avail.n;
            break;
        }
        enum wire_result r = turn_frame_parse(rest, &f, NULL);
        if (r == WIRE_MORE)
            break;
        if (r == WIRE_BAD) {
            p->counts.bad_frames++;
            take.release = true;
            return take;
        }
        if (f.type == 2 && f.payload.n)
            control_message(p, s, h, side, f.payload);
        else
            h->media += (uint32_t)f.size;
        take.used += f.size;
    }
    take.release = is_bulk(p, c);
    return take;
}

/* ---- TURN over TCP ---- */

struct stream_take relay_turn(struct proto *p, struct stream *s, struct conversation *c,
                              enum stream_side side, struct slice avail)
{
    struct half *h = &c->half[side];
    struct stream_take take = {0};
    struct message_at at;
    conversation_at(p, s, side, &at);
    while (take.used < avail.n) {
        struct slice rest = slice_of(avail.p + take.used, avail.n - take.used);
        struct stun_msg m;
        struct channel_data d;
        enum wire_result r = WIRE_BAD;
        if (rest.p[0] < 4 && (!h->lost || stun_looks_like(rest, false)))
            r = stun_parse(rest, false, &m, NULL);
        if (r == WIRE_OK) {
            h->lost = false;
            h->media = 0;
            handover_turn(p->config.handover, &m, &at);
            take.used += m.size;
            continue;
        }
        if (r == WIRE_BAD && !h->lost &&
            (r = channel_data_parse(rest, true, &d, NULL)) == WIRE_OK) {
            h->media += (uint32_t)d.size;
            handover_channel(p->config.handover, d.channel, &at);
            take.used += d.size;
            continue;
        }
        if (r == WIRE_MORE)
            break;
        /* after a hole: wait for a segment that begins with a message */
        p->counts.bad_frames += !h->lost;
        h->lost = true;
        h->media += (uint32_t)rest.n;
        take.used = avail.n;
    }
    take.release = is_bulk(p, c);
    return take;
}

/* ---- RFC 4571 ---- */

struct stream_take relay_ice(struct proto *p, struct stream *s, struct conversation *c,
                             enum stream_side side, struct slice avail)
{
    struct half *h = &c->half[side];
    struct stream_take take = {0};
    struct rfc4571_frame f;
    (void)s;
    while (take.used < avail.n && !h->lost) {
        struct slice rest = slice_of(avail.p + take.used, avail.n - take.used);
        if (rfc4571_parse(rest, &f, NULL) != WIRE_OK)
            break;
        if (stun_looks_like(f.payload, true)) {
            p->counts.ice_messages++;
            h->media = 0;
        } else {
            h->media += (uint32_t)f.size;
        }
        take.used += f.size;
    }
    take.release = h->lost || is_bulk(p, c);
    return take;
}

void relay_over(struct proto *p, struct stream *s, struct conversation *c, bool closed)
{
    bool hello_unanswered = c->kind == STREAM_MS_TURN && s->from_start &&
                            c->half[SIDE_CLIENT].greeted && !c->half[SIDE_SERVER].greeted &&
                            !c->half[SIDE_SERVER].lost;
    if (!closed)
        return;
    if (hello_unanswered)
        tell_pseudo_tls(p, s, c, TLS_NOT_TLS);
    if (c->kind == STREAM_MS_TURN || c->kind == STREAM_TURN)
        handover_closed(p->config.handover, handover_ref(p->config.handover, c->number),
                        &s->flow->client, &s->flow->server, s->time);
}
