/*
 * Calls: dialogs of INVITE, from the first message to the end of their grace. What the messages
 * carry is offer.c's.
 *
 * One record per Call-ID, whatever forks and hops it crosses: the same message seen on several legs
 * changes nothing, another leg's other SDP adds candidates.
 */
#include <stdlib.h>

#include "flows/calls_state.h"
#include "flows/limits.h"

#define CALL_INTERIM (120 * TICK_S) /* a call this old gets a row while it still runs */
#define SWEEP_EVERY (30 * TICK_S)   /* for calls that never end; the others wait in a queue */

struct calls *calls_new(struct joiner *j, const struct engine_out *out, bool interim, uint64_t seed)
{
    struct calls *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->joiner = j;
    c->out = out;
    c->interim = interim;
    c->seed = seed | 1;
    c->swept = TICK_NONE;
    arena_pool_init(&c->pool, (size_t)LIMIT_CALLS * 4096);
    if (multimap_init(&c->by_id, LIMIT_CALLS) != 0) {
        free(c);
        return NULL;
    }
    return c;
}

/* Bodies of a kilobyte or two come with every second message: two chains of multiplications, as one
 * would wait for each of its own. */
uint64_t calls_hash(uint64_t h, struct slice s)
{
    const uint64_t k = h ^ UINT64_C(0x9e3779b97f4a7c15);
    uint64_t other = h, tail[2] = {0, 0};
    size_t n = s.n;
    for (; s.n >= 32; s.p += 32, s.n -= 32) {
        h = hash_fold(hash_load(s.p) ^ k, hash_load(s.p + 8) ^ h);
        other = hash_fold(hash_load(s.p + 16) ^ k, hash_load(s.p + 24) ^ other);
    }
    h ^= n >= 32 ? other ^ n : n; /* other is still h: the seed must not go */
    if (s.n >= 16) {
        h = hash_fold(hash_load(s.p) ^ k, hash_load(s.p + 8) ^ h);
        s.p += 16, s.n -= 16;
    }
    if (s.n)
        memcpy(tail, s.p, s.n);
    return hash_fold(tail[0] ^ k, tail[1] ^ h);
}

/* ---- life of a call ---- */

static void due_remove(struct calls *c, struct call *k)
{
    if (!k->queued)
        return;
    k->queued = false;
    if (k->due_prev)
        k->due_prev->due_next = k->due_next;
    else
        c->first_due = k->due_next;
    if (k->due_next)
        k->due_next->due_prev = k->due_prev;
    else
        c->last_due = k->due_prev;
}

/* Ended calls queue up, a call that goes on (another fork, credentials) leaves the queue. */
static void due_update(struct calls *c, struct call *k)
{
    bool ended = k->fact.ended != TICK_NONE;
    if (ended == k->queued)
        return;
    if (!ended) {
        due_remove(c, k);
        return;
    }
    k->queued = true;
    k->leapt = 0;
    k->due_next = NULL;
    k->due_prev = c->last_due;
    if (c->last_due)
        c->last_due->due_next = k;
    else
        c->first_due = k;
    c->last_due = k;
}

static void call_end(struct calls *c, struct call *k)
{
    joiner_call_over(c->joiner, &k->fact);
    c->out->call(c->out->arg, &k->fact);
    joiner_call_forget(c->joiner, &k->fact);
    due_remove(c, k);
    multimap_remove(&c->by_id, k->tag, k);
    if (k->prev)
        k->prev->next = k->next;
    else
        c->oldest = k->next;
    if (k->next)
        k->next->prev = k->prev;
    else
        c->newest = k->prev;
    struct arena a = k->arena; /* k itself lives in it */
    arena_free(&a);
    c->n--;
}

static struct call *call_find(const struct calls *c, const struct call_message *m)
{
    const uint64_t key = m->call;
    for (const struct multimap_slot *at = multimap_first(&c->by_id, key, multimap_more(key)); at;
         at = multimap_next(&c->by_id, at)) {
        struct call *k = at->owner;
        __builtin_prefetch(k + 1); /* where its Call-ID stands: call_new() */
        if (slice_eq(slice_str(k->fact.call_id), m->call_id))
            return k;
    }
    return NULL;
}

static struct call *call_new(struct calls *c, const struct call_message *m,
                             const struct message_at *at)
{
    struct arena a;
    if (c->n == LIMIT_CALLS) {
        c->counts.evicted++;
        call_end(c, c->oldest);
    }
    arena_init(&a, &c->pool);
    struct call *k = arena_get(&a, sizeof *k);
    char *id = k ? arena_text(&a, m->call_id, CALL_TEXT_MAX) : NULL;
    if (!id || !*id) {
        arena_free(&a);
        return NULL;
    }
    k->fact = (struct fact_call){.id = ++c->last_id,
                                 .call_id = id,
                                 .started = at->time,
                                 .answered = TICK_NONE,
                                 .ended = TICK_NONE,
                                 .origin = at->origin};
    k->arena = a;
    k->tag = multimap_tag(m->call);
    multimap_add(&c->by_id, m->call, multimap_more(m->call), k, 0, 0, 0);
    k->prev = c->newest;
    if (c->newest)
        c->newest->next = k;
    else
        c->oldest = k;
    c->newest = k;
    c->n++;
    c->counts.calls++;
    return k;
}

const char *calls_text(struct call *k, struct slice s)
{
    return s.n ? arena_text(&k->arena, s, CALL_TEXT_MAX) : NULL;
}

static bool names_parties(bool request, unsigned method)
{
    return !request || method == SIP_INVITE;
}

static void describe(struct call *k, const struct call_message *m)
{
    struct fact_call *f = &k->fact;
    if (!f->caller)
        f->caller = calls_text(k, sip_uri_of(m->from));
    if (!f->callee)
        f->callee = calls_text(k, sip_uri_of(m->to));
    if (!k->caller_tag && m->from_tag.n && names_parties(m->request, m->method))
        k->caller_tag = calls_hash(1, m->from_tag) | 1;
    if (!f->conversation_id)
        f->conversation_id = calls_text(k, m->conversation_id);
}

/* ---- dialog ---- */

static void tell_status(struct call *k)
{
    if (k->news < NEWS_STATUS)
        k->news = NEWS_STATUS;
}

static void on_response(struct call *k, const struct call_message *m, tick_t time)
{
    struct fact_call *f = &k->fact;
    if (m->method != SIP_INVITE || m->status < 200)
        return;
    if (m->status < 300) {
        if (f->answered == TICK_NONE)
            f->answered = time;
        if (f->status < 200 || f->status >= 300) {
            f->status = m->status;
            f->ended = TICK_NONE; /* another fork had failed */
            tell_status(k);
        }
    } else if (f->answered == TICK_NONE && m->cseq >= k->invite_cseq) {
        f->status = m->status;
        f->ended = time;
        tell_status(k);
    }
}

static void on_request(struct call *k, const struct call_message *m, tick_t time)
{
    struct fact_call *f = &k->fact;
    if (m->method == SIP_INVITE) {
        k->invited = true;
        /* after 401/407 the same dialog asks again */
        if (f->answered == TICK_NONE && m->cseq > k->invite_cseq) {
            f->ended = TICK_NONE;
            f->status = 0;
        }
        if (m->cseq > k->invite_cseq)
            k->invite_cseq = m->cseq;
    } else if (m->method == SIP_BYE && f->ended == TICK_NONE) {
        f->ended = time;
        tell_status(k);
    }
}

static bool begins_call(const struct call_message *m)
{
    if (m->request)
        return m->method == SIP_INVITE || (m->method == SIP_BYE && m->n_diag);
    return m->method == SIP_INVITE && m->status > 100;
}

static bool concerns_calls(const struct sip_msg *m)
{
    switch (m->method) {
    case SIP_INVITE:
    case SIP_ACK:
    case SIP_BYE:
    case SIP_CANCEL:
    case SIP_UPDATE:
    case SIP_PRACK:
    case SIP_INFO:
        return m->call_id.n > 0;
    default:
        return false;
    }
}

void calls_message(const struct calls *c, const struct sip_msg *m, struct call_message *out)
{
    static const struct slice none;
    out->call = 0;
    if (!concerns_calls(m))
        return;
    const bool parties = names_parties(m->request, m->method);
    out->call_id = slice_trim(m->call_id);
    if (out->call_id.n > CALL_TEXT_MAX)
        out->call_id.n = CALL_TEXT_MAX;
    out->call = calls_hash(c->seed, out->call_id) | 1;
    out->content = m->body.n ? calls_hash(c->seed, m->body) : 0;
    out->from = parties ? m->from : none;
    out->to = parties ? m->to : none;
    out->from_tag = m->from_tag;
    out->to_tag = m->to_tag;
    out->conversation_id = m->conversation_id;
    out->content_type = m->content_type;
    out->body = m->body;
    out->cseq = m->cseq;
    out->status = (uint16_t)m->status;
    out->method = (uint8_t)m->method;
    out->request = m->request;
    out->n_diag = m->n_diag;
    for (unsigned i = 0; i < m->n_diag; i++)
        out->diag[i] = m->diag[i];
}

void calls_hint(const struct calls *c, const struct call_message *m)
{
    if (m->call)
        multimap_prefetch(&c->by_id, multimap_tag(m->call));
}

/* Probably the call's; NULL: it is new. */
static const struct call *call_of(const struct calls *c, const struct call_message *m)
{
    const struct multimap_slot *at =
        m->call ? multimap_first(&c->by_id, m->call, multimap_more(m->call)) : NULL;
    return at ? at->owner : NULL;
}

void calls_hint_call(const struct calls *c, const struct call_message *m)
{
    const char *k = (const char *)call_of(c, m);
    for (size_t at = 0; k && at < sizeof(struct call) + 64; at += 64) /* its Call-ID is behind it */
        __builtin_prefetch(k + at);
}

void calls_hint_media(const struct calls *c, const struct call_message *m)
{
    const struct call *k = call_of(c, m);
    if (!k)
        return;
    if (k->fact.media) {
        __builtin_prefetch(k->fact.media);
        __builtin_prefetch((const char *)k->fact.media + 64);
    }
    __builtin_prefetch(k->fact.join);
    __builtin_prefetch(k->arena.first);
}

void calls_sip(struct calls *c, const struct sip_msg *m, const struct message_at *at)
{
    struct call_message message;
    calls_message(c, m, &message);
    calls_take(c, &message, at);
}

void calls_take(struct calls *c, const struct call_message *m, const struct message_at *at)
{
    c->counts.sip_messages++;
    if (!m->call)
        return;
    struct call *k = call_find(c, m);
    if (!k && begins_call(m))
        k = call_new(c, m, at);
    if (!k)
        return;
    if (!k->fact.caller || !k->fact.callee || !k->caller_tag)
        describe(k, m);
    if (m->request)
        on_request(k, m, at->time);
    else
        on_response(k, m, at->time);
    due_update(c, k);
    if (m->n_diag)
        offer_diags(k, m, at->time);
    offer_body(c, k, m, at->time);
    if (k->news == NEWS_FACTS)
        joiner_call(c->joiner, &k->fact);
    else if (k->news == NEWS_STATUS)
        joiner_call_status(c->joiner, &k->fact);
    k->news = NEWS_NONE;
}

/* ---- time ---- */

static bool given_up(const struct call *k, tick_t now)
{
    const struct fact_call *f = &k->fact;
    if (f->ended != TICK_NONE)
        return false;
    return now - k->leapt - f->started > (f->answered == TICK_NONE ? CALL_NO_ANSWER : CALL_MAX);
}

static bool is_due(const struct call *k, tick_t now)
{
    return k && now - k->leapt - k->fact.ended > CALL_GRACE;
}

/* Nothing is due yet, nor is it of those behind it: packets come at most some seconds out of order.
 * In feeds and logs an older one may stand there; it is seen when this one is not young any more.
 */
static bool is_young(const struct call *k, tick_t now)
{
    tick_t age = now - k->leapt - k->fact.started;
    return age >= 0 && age < CALL_INTERIM - 2 * SWEEP_EVERY;
}

/* In the list by age: it is linked anew. */
static void hint_neighbour(const struct call *k)
{
    if (k)
        __builtin_prefetch(&k->next, 1);
}

/* The calls behind k will end next: each is looked at in steps, a call apart, as each step reads
 * what the one before asked for. */
static void look_ahead(const struct calls *c, const struct call *k)
{
    const struct call *next = k->due_next, *second = next ? next->due_next : NULL,
                      *third = second ? second->due_next : NULL;
    for (size_t at = 0; third && at < sizeof *third; at += 64)
        __builtin_prefetch((const char *)third + at, 1);
    if (second) {
        joiner_hint_scope(second->fact.join);
        __builtin_prefetch(second->arena.first);
        hint_neighbour(second->prev);
        hint_neighbour(second->next);
    }
    if (next) {
        arena_prefetch(&next->arena);
        joiner_hint_forget(c->joiner, next->fact.join);
        multimap_prefetch(&c->by_id, next->tag);
    }
}

void calls_advance(struct calls *c, tick_t now)
{
    while (is_due(c->first_due, now)) {
        look_ahead(c, c->first_due);
        call_end(c, c->first_due);
    }
    if (c->swept != TICK_NONE && now - c->swept < SWEEP_EVERY && now >= c->swept)
        return;
    c->swept = now;
    for (struct call *k = c->oldest, *next; k && !is_young(k, now); k = next) {
        next = k->next;
        if (given_up(k, now)) {
            call_end(c, k);
        } else if (c->interim && !k->emitted && now - k->leapt - k->fact.started > CALL_INTERIM) {
            k->emitted = true;
            c->out->call(c->out->arg, &k->fact);
        }
    }
}

void calls_anew(struct calls *c, tick_t now)
{
    while (c->first_due)
        call_end(c, c->first_due);
    c->swept = now;
}

void calls_leap(struct calls *c, tick_t from, tick_t to)
{
    for (struct call *k = c->oldest; k; k = k->next)
        k->leapt += to - from;
    c->swept = to;
}

void calls_finish(struct calls *c)
{
    while (c->oldest)
        call_end(c, c->oldest);
}

void calls_free(struct calls *c)
{
    if (!c)
        return;
    for (struct call *k = c->oldest, *next; k; k = next) {
        next = k->next;
        joiner_call_forget(c->joiner, &k->fact);
        struct arena a = k->arena;
        arena_free(&a);
    }
    multimap_clear(&c->by_id);
    arena_pool_clear(&c->pool);
    free(c);
}

void calls_counts(const struct calls *c, struct calls_counts *out)
{
    *out = c->counts;
}
