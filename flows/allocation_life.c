/*
 * How allocations come, wait, end and go. What ended stays for a while: calls that end with it are
 * judged later and still look at it.
 */
#include <stdlib.h>

#include "flows/allocations_state.h"
#include "flows/limits.h"

#define ALLOCATION_INTERIM (120 * TICK_S) /* a row while it still lives */
#define FAILED_AFTER_ERROR (10 * TICK_S)  /* an error, and the client did not ask again */
#define FAILED_AFTER_SILENCE (40 * TICK_S)
#define SWEEP_EVERY (20 * TICK_S) /* for those that expire in silence */

struct allocations *allocations_new(struct joiner *j, const struct engine_out *out, bool interim,
                                    uint64_t seed)
{
    struct allocations *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    pool_init(&s->pool, sizeof(struct allocation));
    s->joiner = j;
    s->out = out;
    s->interim = interim;
    s->seed = seed;
    s->swept = TICK_NONE;
    if (multimap_init(&s->by_tuple, LIMIT_ALLOCATIONS) != 0 ||
        multimap_init(&s->by_connection, LIMIT_ALLOCATIONS) != 0) {
        multimap_clear(&s->by_tuple);
        free(s);
        return NULL;
    }
    return s;
}

/* ---- life ---- */

static void fact_clear(struct fact_allocation *f)
{
    for (unsigned i = 0; i < f->n_sends; i++) {
        free((char *)f->sends[i].remote_ufrag);
        free((char *)f->sends[i].local_ufrag);
    }
    free(f->sends);
    free((char *)f->call_id);
}

static void allocation_over(struct allocations *s, struct allocation *a, const char *reason)
{
    if (a->over)
        return;
    a->over = true;
    if (!a->fact.end_reason)
        a->fact.end_reason = reason;
    joiner_allocation_over(s->joiner, &a->fact);
    s->out->allocation(s->out->arg, &a->fact);
}

static void ended_remove(struct allocations *s, struct allocation *a)
{
    if (a->fact.ended == TICK_NONE)
        return;
    if (s->first_due == a)
        s->first_due = a->due_next;
    if (a->due_prev)
        a->due_prev->due_next = a->due_next;
    else
        s->first_ended = a->due_next;
    if (a->due_next)
        a->due_next->due_prev = a->due_prev;
    else
        s->last_ended = a->due_prev;
}

static void wait_add(struct allocations *s, struct allocation *a)
{
    a->waiting = true;
    a->wait_prev = s->last_waiting;
    if (s->last_waiting)
        s->last_waiting->wait_next = a;
    else
        s->first_waiting = a;
    s->last_waiting = a;
}

void allocation_settled(struct allocations *s, struct allocation *a)
{
    if (!a->waiting)
        return;
    a->waiting = false;
    if (a->wait_prev)
        a->wait_prev->wait_next = a->wait_next;
    else
        s->first_waiting = a->wait_next;
    if (a->wait_next)
        a->wait_next->wait_prev = a->wait_prev;
    else
        s->last_waiting = a->wait_prev;
}

static void allocation_drop(struct allocations *s, struct allocation *a)
{
    joiner_allocation_forget(s->joiner, &a->fact);
    ended_remove(s, a);
    allocation_settled(s, a);
    if (s->young == a)
        s->young = a->next;
    multimap_remove(&s->by_tuple, a->tag, a);
    multimap_remove(&s->by_connection, a->id_tag, a);
    if (a->prev)
        a->prev->next = a->next;
    else
        s->oldest = a->next;
    if (a->next)
        a->next->prev = a->prev;
    else
        s->newest = a->prev;
    fact_clear(&a->fact);
    free(a->channels);
    pool_give(&s->pool, a);
    s->n--;
}

struct allocation *allocation_find(const struct allocations *s, const struct endpoint *client,
                                   const struct endpoint *server, uint8_t proto)
{
    uint64_t key = endpoint_hash2(client, server, s->seed);
    for (const struct multimap_slot *at = multimap_first(&s->by_tuple, key, multimap_more(key)); at;
         at = multimap_next(&s->by_tuple, at)) {
        struct allocation *a = at->owner;
        if (a->fact.proto == proto && endpoint_eq(&a->fact.client, client) &&
            endpoint_eq(&a->fact.server, server))
            return a; /* newest first */
    }
    return NULL;
}

struct allocation *allocation_new(struct allocations *s, const struct endpoint *client,
                                  const struct endpoint *server, const struct message_at *at)
{
    if (s->n == LIMIT_ALLOCATIONS) {
        s->counts.evicted++;
        allocation_over(s, s->oldest, "expired");
        allocation_drop(s, s->oldest);
    }
    struct allocation *a = pool_take(&s->pool);
    if (!a)
        return NULL;
    *a = (struct allocation){.expires = TICK_NONE};
    a->fact = (struct fact_allocation){.id = ++s->last_id,
                                       .client = *client,
                                       .server = *server,
                                       .proto = at->proto,
                                       .started = at->time,
                                       .granted_at = TICK_NONE,
                                       .ended = TICK_NONE};
    uint64_t key = endpoint_hash2(client, server, s->seed);
    a->tag = multimap_tag(key);
    multimap_add(&s->by_tuple, key, multimap_more(key), a, 0, 0, 0);
    a->prev = s->newest;
    if (s->newest)
        s->newest->next = a;
    else
        s->oldest = a;
    s->newest = a;
    if (!s->young)
        s->young = a;
    wait_add(s, a);
    s->n++;
    s->counts.allocations++;
    return a;
}

void allocation_end(struct allocations *s, struct allocation *a, tick_t when, const char *reason)
{
    if (a->fact.ended != TICK_NONE)
        return;
    allocation_settled(s, a);
    a->fact.ended = when;
    a->leapt = 0;
    a->fact.end_reason = reason;
    a->due_prev = s->last_ended;
    if (s->last_ended)
        s->last_ended->due_next = a;
    else
        s->first_ended = a;
    s->last_ended = a;
    if (!s->first_due)
        s->first_due = a;
}

/* ---- time ---- */

static void check_silent(struct allocations *s, struct allocation *a, tick_t now)
{
    tick_t wait = a->fact.error_code ? FAILED_AFTER_ERROR : FAILED_AFTER_SILENCE;
    if (a->fact.granted && a->expires != TICK_NONE && now > a->expires + TICK_S)
        allocation_end(s, a, a->expires, "expired");
    if (a->fact.granted || now - a->active_at <= wait)
        return;
    allocation_end(s, a, a->active_at, "failed");
    allocation_over(s, a, "failed"); /* no call can still need it: it is told at once */
}

/* How long ago it began, or if it ended, when it did. */
static tick_t since(const struct allocation *a, tick_t now)
{
    return now - a->leapt - (a->fact.ended == TICK_NONE ? a->fact.started : a->fact.ended);
}

/* They ended a minute ago and are in no cache any more: those behind a are looked at in steps, one
 * apart, as each step reads what the one before asked for. The next one is returned. */
static const struct allocation *look_ahead(const struct allocation *a)
{
    const struct allocation *next = a->due_next, *second = next ? next->due_next : NULL,
                            *third = second ? second->due_next : NULL;
    for (size_t at = 0; third && at < sizeof *third; at += 64)
        __builtin_prefetch((const char *)third + at, 1);
    if (second) {
        joiner_hint_scope(second->fact.join);
        __builtin_prefetch(second->fact.sends);
    }
    return next;
}

/* In the list by age: it is linked anew. */
static void hint_neighbour(const struct allocation *a)
{
    if (a)
        __builtin_prefetch(&a->next, 1);
}

static void look_ahead_of_drop(const struct allocations *s, const struct allocation *a)
{
    const struct allocation *next = look_ahead(a);
    if (!next)
        return;
    joiner_hint_forget(s->joiner, next->fact.join);
    multimap_prefetch(&s->by_tuple, next->tag);
    multimap_prefetch(&s->by_connection, next->id_tag);
    hint_neighbour(next->prev);
    hint_neighbour(next->next);
}

void allocations_advance(struct allocations *s, tick_t now)
{
    for (; s->first_due && since(s->first_due, now) > ALLOCATION_GRACE;
         s->first_due = s->first_due->due_next) {
        (void)look_ahead(s->first_due);
        allocation_over(s, s->first_due, "expired");
    }
    /* calls that end with it are judged up to CALL_GRACE later and still look at it */
    while (s->first_ended && since(s->first_ended, now) > 2 * CALL_GRACE) {
        look_ahead_of_drop(s, s->first_ended);
        allocation_drop(s, s->first_ended);
    }
    if (s->swept != TICK_NONE && now - s->swept < SWEEP_EVERY && now >= s->swept)
        return;
    s->swept = now;
    for (struct allocation *a = s->first_waiting, *next; a; a = next) {
        next = a->wait_next;
        check_silent(s, a, now);
    }
    for (; s->young && now - s->young->fact.started > ALLOCATION_INTERIM; s->young = s->young->next)
        if (s->interim && !s->young->over)
            s->out->allocation(s->out->arg, &s->young->fact);
}

void allocations_leap(struct allocations *s, tick_t from, tick_t to)
{
    for (struct allocation *a = s->oldest; a; a = a->next) {
        a->active_at += to - from;
        if (a->expires != TICK_NONE)
            a->expires += to - from;
        a->leapt += to - from;
    }
    s->swept = to;
}

/* A request whose answer may have come after the capture's end did not fail. */
static bool undecided(const struct allocation *a, tick_t now)
{
    return !a->fact.granted && now - a->active_at < DEADLINE_SINGLE_SYN;
}

void allocations_finish(struct allocations *s, tick_t now)
{
    for (struct allocation *a = s->oldest; a; a = a->next) {
        bool alive = a->fact.ended == TICK_NONE && (a->fact.granted || undecided(a, now));
        if (alive && undecided(a, now)) {
            a->over = true;
            a->fact.end_reason = "capture-end";
            s->out->allocation(s->out->arg, &a->fact);
        } else {
            allocation_over(s, a, alive ? "capture-end" : "failed");
        }
    }
}

void allocations_free(struct allocations *s)
{
    if (!s)
        return;
    while (s->oldest)
        allocation_drop(s, s->oldest);
    multimap_clear(&s->by_tuple);
    multimap_clear(&s->by_connection);
    pool_clear(&s->pool);
    free(s);
}

void allocations_counts(const struct allocations *s, struct allocations_counts *out)
{
    *out = s->counts;
}
