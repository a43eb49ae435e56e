/* The engine's second half at work: takes the items off the belt, and asks ahead for the memory
 * that those to come will need. */
#include "flows/handover_inner.h"
#include "flows/memory.h"

/* ---- the second half ---- */

static void on_trouble(struct handover *h, const struct relay_trouble *t)
{
    const struct engine_out *out = h->to.out;
    joiner_relay_trouble(h->to.joiner, t);
    if (out && out->trouble)
        out->trouble(out->arg, t);
}

static void on_signaling(struct handover *h, uint16_t port)
{
    const struct engine_out *out = h->to.out;
    if (out && out->signaling)
        out->signaling(out->arg, port);
}

bool handover_is_server(const struct handover *h, const struct endpoint *e)
{
    return joiner_relay_server(h->to.joiner, e) || joiner_relay_addr(h->to.joiner, &e->addr);
}

void handover_handle_tls(struct handover *h, const struct tls_news *n)
{
    const struct engine_out *out = h->to.out;
    int64_t none = 0, *row = n->conversation < REFS ? &h->places[n->conversation].tls_row : &none;
    if (n->fresh)
        *row = 0;
    if (!out || !out->tls || (n->relay && !handover_is_server(h, n->relay)))
        return;
    if (!*row && !allowance_take(&h->tls_allowed, n->time, LIMIT_TLS_ROWS)) {
        h->tls_refused++;
        return;
    }
    if (!*row)
        *row = ++h->tls_rows;
    struct fact_tls t = *n->t;
    t.id = *row;
    out->tls(out->arg, &t);
}

void handover_set_answer(struct answers *a, uint64_t id, bool yes)
{
    atomic_store(&a->at[id % LIMIT_QUESTIONS], id << 1 | yes);
}

static void on_attempt(struct handover *h, struct item_attempt *i)
{
    struct attempt *a = &i->a;
    if (a->asking)
        a->wanted = handover_answer_of(&h->wanted, a->id);
    a->asking = false;
    h->to.attempt(h->to.arg, a, i->final, i->list, i->n, i->now);
}

void handover_handle(struct handover *h, struct belt_item *item)
{
    void *i = item;
    switch ((enum item_kind)item->kind) {
    case ITEM_SIP: {
        const struct item_sip *s = i;
        calls_take(h->to.calls, &s->m, &s->at);
        break;
    }
    case ITEM_TURN:
        allocations_turn(h->to.allocations, &((struct item_turn *)i)->m,
                         &((struct item_turn *)i)->at);
        break;
    case ITEM_CHANNEL: {
        const struct item_channel *c = i;
        if (allocations_known(h->to.allocations, &c->at))
            allocations_channel(h->to.allocations, c->channel, &c->at);
        break;
    }
    case ITEM_CLOSED: {
        const struct item_closed *c = i;
        allocations_closed_at(h->to.allocations, c->ref, &c->client, &c->server, c->when);
        break;
    }
    case ITEM_TROUBLE:
        on_trouble(h, &((struct item_trouble *)i)->t);
        break;
    case ITEM_SIGNALING:
        on_signaling(h, ((struct item_signaling *)i)->port);
        break;
    case ITEM_TLS:
        handover_handle_tls(h, &((struct item_tls *)i)->news);
        break;
    case ITEM_ATTEMPT:
        on_attempt(h, i);
        break;
    case ITEM_WANTED: {
        const struct item_question *q = i;
        handover_set_answer(&h->wanted, q->id, joiner_wanted(h->to.joiner, &q->src, &q->dst));
        break;
    }
    case ITEM_SERVER: {
        const struct item_question *q = i;
        handover_set_answer(&h->servers, q->id, handover_is_server(h, &q->dst));
        break;
    }
    case ITEM_TIME:
        h->to.advance(h->to.arg, ((struct item_time *)i)->now);
        break;
    }
}

/* ---- what will be needed ---- */

/* The items on their way are looked at in steps, several items apart: each asks for the memory that
 * the next one reads, so that little is waited for when the item is handled. */
enum { STEP = 3 };

/* The item itself comes out of another processor's cache. */
static void hint_item(const struct belt_item *item)
{
    enum { MOST = 512 };
    for (size_t at = 0; at < MOST; at += 64)
        __builtin_prefetch((const char *)item + at);
}

static void hint_place(struct handover *h, struct belt_item *item)
{
    void *i = item;
    if (item->kind == ITEM_SIP) {
        calls_hint(h->to.calls, &((struct item_sip *)i)->m);
    } else if (item->kind == ITEM_TURN) {
        __builtin_prefetch(((struct item_turn *)i)->at.ref);
    } else if (item->kind == ITEM_CLOSED) {
        __builtin_prefetch(((struct item_closed *)i)->ref);
    } else if (item->kind == ITEM_ATTEMPT) {
        struct item_attempt *a = i;
        joiner_hint(h->to.joiner, &a->a.src, &a->a.dst, &a->hint);
    } else if (item->kind == ITEM_WANTED) {
        const struct item_question *q = i;
        struct joiner_hint none;
        joiner_hint(h->to.joiner, &q->src, &q->dst, &none);
    }
}

static void hint_object(struct handover *h, struct belt_item *item)
{
    void *i = item;
    if (item->kind == ITEM_SIP) {
        calls_hint_call(h->to.calls, &((struct item_sip *)i)->m);
    } else if (item->kind == ITEM_TURN) {
        const struct item_turn *t = i;
        allocations_hint(h->to.allocations, &t->m, &t->at);
    } else if (item->kind == ITEM_ATTEMPT) {
        joiner_hint_owners(h->to.joiner, &((struct item_attempt *)i)->hint);
    }
}

static void hint_parts(struct handover *h, struct belt_item *item)
{
    void *i = item;
    if (item->kind == ITEM_SIP) {
        calls_hint_media(h->to.calls, &((struct item_sip *)i)->m);
    } else if (item->kind == ITEM_TURN) {
        allocations_hint_scope(((struct item_turn *)i)->at.ref);
    } else if (item->kind == ITEM_ATTEMPT) {
        joiner_hint_media(h->to.joiner, &((struct item_attempt *)i)->hint);
    }
}

static void hint_ports(struct handover *h, struct belt_item *item)
{
    void *i = item;
    if (item->kind == ITEM_ATTEMPT)
        joiner_hint_ports(h->to.joiner, &((struct item_attempt *)i)->hint);
}

static void hint_candidates(struct handover *h, struct belt_item *item)
{
    void *i = item;
    if (item->kind == ITEM_ATTEMPT)
        joiner_hint_candidates(h->to.joiner, &((struct item_attempt *)i)->hint);
}

/* ---- the thread ---- */

static void handle_all(struct handover *h, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n < to; n++) {
        if (n + 5 * STEP < to)
            hint_item(belt_at(h->belt, n + 5 * STEP));
        if (n + 4 * STEP < to)
            hint_place(h, belt_at(h->belt, n + 4 * STEP));
        if (n + 3 * STEP < to)
            hint_object(h, belt_at(h->belt, n + 3 * STEP));
        if (n + 2 * STEP < to)
            hint_parts(h, belt_at(h->belt, n + 2 * STEP));
        if (n + STEP < to)
            hint_ports(h, belt_at(h->belt, n + STEP));
        if (n + 1 < to)
            hint_candidates(h, belt_at(h->belt, n + 1));
        handover_handle(h, belt_at(h->belt, n));
        h->refused = memory_refused();
        belt_done(h->belt, n + 1);
    }
}

void *handover_thread(void *arg)
{
    struct handover *h = arg;
    uint64_t from, to;
    pthread_setname_np(pthread_self(), "ew-joiner"); /* in top -H */
    while (belt_await(h->belt, &from, &to))
        handle_all(h, from, to);
    return NULL;
}
