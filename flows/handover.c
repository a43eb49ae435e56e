/* The way to the engine's second half. See handover.h. */
#include "flows/handover_inner.h"

#include <signal.h>
#include <stdlib.h>

#include "flows/memory.h"
#include "flows/pages.h"

/* ---- life ---- */

static void begin_thread(struct handover *h)
{
    sigset_t all, before;
    h->belt = memory_got(belt_new());
    if (!h->belt)
        return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&h->thread, NULL, handover_thread, h) != 0) {
        belt_free(h->belt);
        h->belt = NULL;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct handover *handover_new(const struct handover_to *to, bool thread)
{
    struct handover *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->to = *to;
    h->places = pages_reserve(REFS * sizeof *h->places);
    if (!h->places) {
        free(h);
        return NULL;
    }
    if (thread)
        begin_thread(h);
    return h;
}

void handover_free(struct handover *h)
{
    if (!h)
        return;
    handover_finish(h);
    pages_release(h->places, REFS * sizeof *h->places);
    free(h);
}

void handover_group_over(struct handover *h, bool idle)
{
    if (!h->belt)
        return;
    if (idle)
        belt_flush(h->belt);
    else
        belt_send(h->belt);
}

void handover_settle(struct handover *h)
{
    if (h->belt)
        belt_settle(h->belt);
}

void handover_finish(struct handover *h)
{
    if (!h->belt)
        return;
    belt_close(h->belt);
    pthread_join(h->thread, NULL);
    belt_free(h->belt);
    h->belt = NULL;
}

void handover_counts(const struct handover *h, struct handover_counts *out)
{
    *out = h->passed;
    out->refused = h->refused;
    out->tls_refused = h->tls_refused;
}

/* ---- the first half ---- */

/* Room for a small item: on the belt, or own. */
static void *begin(struct handover *h, void *own, size_t bytes, enum item_kind kind)
{
    if (h->belt)
        return belt_claim(h->belt, bytes, kind);
    *(struct belt_item *)own = (struct belt_item){(uint32_t)bytes, kind};
    return own;
}

static void end(struct handover *h, void *item)
{
    if (!h->belt)
        handover_handle(h, item);
}

static void take_along(struct slice *s, uint8_t **to)
{
    if (s->n)
        memcpy(*to, s->p, s->n);
    s->p = *to;
    *to += s->n;
}

void handover_sip(struct handover *h, const struct sip_msg *m, const struct message_at *at)
{
    struct call_message own;
    if (!h->belt) {
        calls_sip(h->to.calls, m, at);
        return;
    }
    calls_message(h->to.calls, m, &own);
    if (!own.call) {
        h->passed.sip_messages++;
        return;
    }
    size_t text = own.call_id.n + own.from.n + own.to.n + own.from_tag.n + own.to_tag.n +
                  own.conversation_id.n + own.content_type.n + own.body.n;
    for (unsigned k = 0; k < own.n_diag; k++)
        text += own.diag[k].name.n + own.diag[k].value.n;
    if (sizeof(struct item_sip) + text > BELT_ITEM_MOST) {
        belt_settle(h->belt);
        calls_take(h->to.calls, &own, at);
        return;
    }
    struct item_sip *i = (void *)belt_claim(h->belt, sizeof *i + text, ITEM_SIP);
    uint8_t *to = i->text;
    i->at = *at;
    memcpy(&i->m, &own, offsetof(struct call_message, diag));
    take_along(&i->m.call_id, &to);
    take_along(&i->m.from, &to);
    take_along(&i->m.to, &to);
    take_along(&i->m.from_tag, &to);
    take_along(&i->m.to_tag, &to);
    take_along(&i->m.conversation_id, &to);
    take_along(&i->m.content_type, &to);
    take_along(&i->m.body, &to);
    for (unsigned k = 0; k < own.n_diag; k++) {
        i->m.diag[k] = own.diag[k];
        take_along(&i->m.diag[k].name, &to);
        take_along(&i->m.diag[k].value, &to);
    }
}

void handover_turn(struct handover *h, const struct stun_msg *m, const struct message_at *at)
{
    if (!h->belt) {
        allocations_turn(h->to.allocations, m, at);
        return;
    }
    static const struct slice none;
    if (!allocations_concerned(m)) {
        h->passed.stun_messages++;
        return;
    }
    const bool check = m->kind == STUN_SEND && stun_looks_nested(m->data); /* media stay behind */
    const size_t text = m->sip_call_id.n + (check ? m->data.n : 0);
    if (sizeof(struct item_turn) + text > BELT_ITEM_MOST) {
        belt_settle(h->belt);
        allocations_turn(h->to.allocations, m, at);
        return;
    }
    struct item_turn *i = (void *)belt_claim(h->belt, sizeof *i + text, ITEM_TURN);
    uint8_t *to = i->text;
    i->at = *at;
    i->m = *m;
    i->m.error_text = i->m.username = i->m.realm = i->m.foundation = none;
    if (!check)
        i->m.data = none;
    take_along(&i->m.sip_call_id, &to);
    take_along(&i->m.data, &to);
}

void handover_channel(struct handover *h, uint16_t channel, const struct message_at *at)
{
    struct item_channel own, *i = begin(h, &own, sizeof own, ITEM_CHANNEL);
    i->at = *at;
    i->channel = channel;
    end(h, i);
}

void handover_closed(struct handover *h, const struct allocation_ref *ref,
                     const struct endpoint *client, const struct endpoint *server, tick_t when)
{
    struct item_closed own, *i = begin(h, &own, sizeof own, ITEM_CLOSED);
    i->ref = ref;
    i->client = *client;
    i->server = *server;
    i->when = when;
    end(h, i);
}

void handover_trouble(struct handover *h, const struct relay_trouble *t)
{
    struct item_trouble own, *i = begin(h, &own, sizeof own, ITEM_TROUBLE);
    i->t = *t;
    end(h, i);
}

void handover_signaling(struct handover *h, uint16_t port)
{
    struct item_signaling own, *i = begin(h, &own, sizeof own, ITEM_SIGNALING);
    i->port = port;
    end(h, i);
}

void handover_tls(struct handover *h, const struct tls_news *news)
{
    if (!h->belt) {
        handover_handle_tls(h, news);
        return;
    }
    struct fact_tls own = *news->t;
    const char **texts[] = {&own.version,
                            &own.cipher,
                            &own.exchange,
                            &own.sni,
                            &own.alpn,
                            &own.mutual,
                            &own.client_end.subject,
                            &own.client_end.issuer,
                            &own.client_end.names,
                            &own.server_end.subject,
                            &own.server_end.issuer,
                            &own.server_end.names,
                            &own.alert,
                            &own.alert_from,
                            &own.handshake,
                            &own.state,
                            &own.key,
                            &own.advice,
                            &own.partner_client,
                            &own.partner_server};
    enum { TEXTS = sizeof texts / sizeof *texts };
    size_t n[TEXTS], all = 0;
    for (int k = 0; k < TEXTS; k++)
        all += n[k] = *texts[k] ? strlen(*texts[k]) + 1 : 0;
    if (sizeof(struct item_tls) + all > BELT_ITEM_MOST) {
        belt_settle(h->belt);
        handover_handle_tls(h, news);
        return;
    }
    struct item_tls *i = (void *)belt_claim(h->belt, sizeof *i + all, ITEM_TLS);
    char *to = i->text;
    for (int k = 0; k < TEXTS; k++) {
        if (!n[k])
            continue;
        memcpy(to, *texts[k], n[k]);
        *texts[k] = to;
        to += n[k];
    }
    i->t = own;
    i->news = *news;
    i->news.t = &i->t;
    if (news->relay) {
        i->relay = *news->relay;
        i->news.relay = &i->relay;
    }
}

void handover_attempt(struct handover *h, const struct attempt *a, bool final,
                      const struct evidence *ev, unsigned n_ev, tick_t now)
{
    if (!h->belt) {
        h->to.attempt(h->to.arg, a, final, ev, n_ev, now);
        return;
    }
    size_t bytes = 0;
    for (unsigned k = 0; k < n_ev; k++)
        bytes += ev[k].caplen;
    struct item_attempt *i =
        (void *)belt_claim(h->belt, sizeof *i + n_ev * sizeof *ev + bytes, ITEM_ATTEMPT);
    uint8_t *to = (uint8_t *)&i->list[n_ev];
    i->a = *a;
    i->hint = (struct joiner_hint){.key = {0, 0}};
    i->now = now;
    i->final = final;
    i->n = n_ev;
    for (unsigned k = 0; k < n_ev; k++) {
        i->list[k] = ev[k];
        i->list[k].bytes = to;
        if (ev[k].caplen)
            memcpy(to, ev[k].bytes, ev[k].caplen);
        to += ev[k].caplen;
    }
}

void handover_advance(struct handover *h, tick_t now)
{
    struct item_time own, *i = begin(h, &own, sizeof own, ITEM_TIME);
    i->now = now;
    end(h, i);
}

struct allocation_ref *handover_ref(struct handover *h, uint32_t n)
{
    return n < REFS ? &h->places[n].allocation : NULL;
}

/* ---- the way back ---- */

static void ask(struct handover *h, enum item_kind kind, uint64_t id, const struct endpoint *src,
                const struct endpoint *dst)
{
    struct item_question *q = (void *)belt_claim(h->belt, sizeof *q, kind);
    q->id = id;
    q->src = *src;
    q->dst = *dst;
}

/* Whoever has to wait lets the other half come on a good deal, or he would wait again at once. */
static bool await_answer(struct handover *h, const struct answers *a, uint64_t id)
{
    const _Atomic uint64_t *at = &a->at[id % LIMIT_QUESTIONS];
    while (h->belt && atomic_load_explicit(at, memory_order_acquire) >> 1 != id)
        belt_halve(h->belt);
    return handover_answer_of(a, id);
}

enum wanted handover_ask(struct handover *h, uint64_t id, const struct endpoint *src,
                         const struct endpoint *dst)
{
    if (!h->belt)
        return joiner_wanted(h->to.joiner, src, dst) ? WANTED_YES : WANTED_NO;
    ask(h, ITEM_WANTED, id, src, dst);
    return WANTED_LATER;
}

bool handover_answer(struct handover *h, uint64_t id)
{
    return await_answer(h, &h->wanted, id);
}

uint64_t handover_ask_server(struct handover *h, const struct endpoint *e)
{
    uint64_t id = ++h->servers_asked;
    if (h->belt)
        ask(h, ITEM_SERVER, id, e, e);
    else
        handover_set_answer(&h->servers, id, handover_is_server(h, e));
    return id;
}

uint64_t handover_newest(const struct handover *h)
{
    return h->servers_asked;
}

bool handover_server(struct handover *h, uint64_t question)
{
    return await_answer(h, &h->servers, question);
}
