/*
 * The stretch in slices of packet time, so that a night of calls needs no more memory than the
 * engine needed for it: scopes are loaded when their slice begins, and forgotten some time after
 * their grace. What is smaller than a slice goes through the joiner in one.
 *
 *   slice: its calls, its allocations, its attempts in order of time, its troubles; then the ends
 * of scopes whose grace is over by now; then its failures are stored
 */
#include <assert.h>
#include <stdlib.h>

#include "storage/rejoin_inner.h"

/* Of one slice, at most; and how many scopes that are over stay: the joiner may still ask an
 * allocation for the start of a long call. */
enum { SLICE_SCOPES = 1024, SLICE_ATTEMPTS = 4096, KEPT_SCOPES = 8192 };

/* A call or an allocation in memory. It lives in its own arena. */
struct held {
    struct held *next;
    struct arena arena;
    bool call;
    struct call_state state; /* calls */
    struct addr wire_addr;   /* allocations: as stored */
    union {
        struct fact_call of_call;
        struct fact_allocation of_allocation;
    };
};

struct held_list {
    struct held *first, **end;
    size_t n;
};

/* A query over the table of scopes, one row ahead. */
struct row_cursor {
    sqlite3_stmt *q;
    bool row;
};

struct sweep {
    struct rejoin *r;
    struct joiner *j;
    struct arena_pool pool;
    struct row_cursor cursor[2];  /* allocations, calls */
    struct held_list open[2];     /* as cursor: in order of time */
    struct held_list over;        /* told so */
    struct held *unconnected;     /* the first allocation whose connection is not told yet */
    uint64_t told;                /* how many were */
    int64_t from, until;          /* the slice, us; until: INT64_MAX for the last one */
    int64_t first, last;          /* of attempts, us */
    sqlite3_stmt *outcome, *wire; /* see forget() */
};

#define HELD_BYTES ((size_t)1 << 30) /* beyond it the joining is given up */

static void list_add(struct held_list *l, struct held *h)
{
    h->next = NULL;
    *l->end = h;
    l->end = &h->next;
    l->n++;
}

static struct db *db_of(const struct sweep *w)
{
    return &w->r->s->db;
}

/* ---- loading ---- */

static int cursor_step(struct sweep *w, bool calls)
{
    struct row_cursor *c = &w->cursor[calls];
    int rc = sqlite3_step(c->q);
    c->row = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : db_fault(db_of(w), "read");
}

static struct held *load_one(struct sweep *w, bool calls)
{
    struct arena a;
    arena_init(&a, &w->pool);
    struct held *h = arena_get(&a, sizeof *h);
    sqlite3_stmt *q = w->cursor[calls].q;
    if (!h || !(calls ? load_call(&a, q, &h->of_call, &h->state)
                      : load_allocation(&a, q, &h->of_allocation))) {
        arena_free(&a);
        (void)db_no_memory(db_of(w));
        return NULL;
    }
    h->arena = a;
    h->call = calls;
    if (!calls)
        h->wire_addr = h->of_allocation.wire_addr;
    return h;
}

static void join_call(struct joiner *j, struct fact_call *c)
{
    for (unsigned m = 0; m < c->n_media; m++)
        for (unsigned side = 0; side < CALL_SIDES; side++)
            joiner_hint_side(j, &c->media[m].side[side]);
    joiner_call(j, c);
}

static int load_slice(struct sweep *w, bool calls)
{
    struct row_cursor *c = &w->cursor[calls];
    while (c->row && load_scope_at(c->q) < w->until) {
        struct held *h = load_one(w, calls);
        if (!h)
            return -1;
        list_add(&w->open[calls], h);
        if (calls)
            join_call(w->j, &h->of_call);
        else
            joiner_allocation(w->j, &h->of_allocation);
        if (!calls && !w->unconnected)
            w->unconnected = h;
        if (cursor_step(w, calls))
            return -1;
    }
    return 0;
}

/* Where the slice ends that begins at w->from. */
static int find_end(struct sweep *w)
{
    static const char *const nth[] = {
        "SELECT at_us FROM temp.scope WHERE call = 0 AND at_us >= ?1 ORDER BY at_us LIMIT 1 OFFSET"
        " ?2",
        "SELECT at_us FROM temp.scope WHERE call = 1 AND at_us >= ?1 ORDER BY at_us LIMIT 1 OFFSET"
        " ?2",
        "SELECT first_us FROM attempt WHERE first_us BETWEEN ?1 AND ?3 ORDER BY first_us LIMIT 1"
        " OFFSET ?2"};
    w->until = INT64_MAX;
    for (int i = 0; i < 3; i++) {
        sqlite3_stmt *q = db_prepare(db_of(w), nth[i]);
        if (!q)
            return -1;
        sqlite3_bind_int64(q, 1, w->from);
        sqlite3_bind_int64(q, 2, i < 2 ? SLICE_SCOPES : SLICE_ATTEMPTS);
        if (i == 2)
            sqlite3_bind_int64(q, 3, w->last);
        int rc = sqlite3_step(q);
        int64_t at = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : INT64_MAX;
        sqlite3_finalize(q);
        if (rc != SQLITE_ROW && rc != SQLITE_DONE)
            return db_fault(db_of(w), "read");
        w->until = at < w->until ? at : w->until;
    }
    if (w->until <= w->from)
        w->until = w->from + 1; /* so many in one microsecond */
    return 0;
}

/* Attempts are wanted of the stretch and of the whole life of its scopes. */
static int find_span(struct sweep *w)
{
    static const char sql[] =
        "SELECT min(?1, ifnull(min(started_us) - ?3, ?1)), max(?2, ifnull(max(ended_us) + ?4, ?2))"
        " FROM temp.scope";
    static_assert(CALL_GRACE == ALLOCATION_GRACE, "one grace for both kinds of scope");
    sqlite3_stmt *q = db_prepare(db_of(w), sql);
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, w->r->first);
    sqlite3_bind_int64(q, 2, w->r->last);
    sqlite3_bind_int64(q, 3, MATCH_SLACK / TICK_US);
    sqlite3_bind_int64(q, 4, CALL_GRACE / TICK_US);
    int rc = sqlite3_step(q);
    w->first = sqlite3_column_int64(q, 0);
    w->last = sqlite3_column_int64(q, 1);
    int result = rc == SQLITE_ROW ? 0 : db_fault(db_of(w), "read");
    sqlite3_finalize(q);
    return result;
}

/* ---- telling the joiner ---- */

#define LONGEST_ATTEMPT (60 * TICK_S) /* undecided, by any deadline of limits.h */

/* Is one of the first n attempts the connection that the request came over? Then it tells itself
 * what became of it: opened and reset, for example. */
static bool told_by_attempt(const struct loaded *l, size_t n, const struct fact_allocation *a)
{
    while (n-- && l->attempts[n].first >= a->started - LONGEST_ATTEMPT) {
        const struct attempt *t = &l->attempts[n];
        if (t->proto == PROTO_TCP && t->first <= a->started && t->last >= a->started &&
            endpoint_eq(&t->src, &a->client) && endpoint_eq(&t->dst, &a->server))
            return true;
    }
    return false;
}

/* A client's connected relay connection is stored as its allocation only. */
static void tell_connection(struct joiner *j, const struct fact_allocation *a, uint64_t id)
{
    struct attempt c = {
        .id = id,
        .src = a->client,
        .dst = a->server,
        .proto = PROTO_TCP,
        .verdict = VERDICT_CONNECTED,
        .first = a->started,
        .last = a->started,
        .rtt_us = -1,
        .answer_ttl = -1,
        .answer_ipid = -1,
        .icmp_type = -1,
        .icmp_code = -1,
    };
    if (a->proto == PROTO_TCP && a->started != TICK_NONE)
        joiner_attempt(j, &c);
}

/* Connections of the allocations that began by then. l: attempts, of which n began by then. */
static void tell_connections(struct sweep *w, const struct loaded *l, size_t n, tick_t by)
{
    for (; w->unconnected && w->unconnected->of_allocation.started <= by;
         w->unconnected = w->unconnected->next, w->told++) {
        const struct fact_allocation *a = &w->unconnected->of_allocation;
        if (a->granted || !told_by_attempt(l, n, a))
            tell_connection(w->j, a, UINT64_MAX - w->told);
    }
}

/* From where on attempts are loaded, us: those shortly before the slice once more, if
 * told_by_attempt() will be asked. */
static int64_t attempts_from(const struct sweep *w, int64_t begin)
{
    for (const struct held *h = w->unconnected; h; h = h->next)
        if (!h->of_allocation.granted)
            return begin - LONGEST_ATTEMPT / TICK_US;
    return begin;
}

static int tell_attempts(struct sweep *w)
{
    struct loaded l;
    int64_t begin = w->from > w->first ? w->from : w->first;
    int64_t end = w->until <= w->last ? w->until - 1 : w->last;
    load_begin(&l, w->r->sensor);
    int result = load_attempts(&l, db_of(w), attempts_from(w, begin), end);
    for (size_t i = 0; i < l.n_attempts && result == 0; i++) {
        if (l.attempts[i].first / TICK_US < begin)
            continue;
        tell_connections(w, &l, i + 1, l.attempts[i].first);
        joiner_attempt(w->j, &l.attempts[i]);
    }
    if (result == 0)
        tell_connections(w, &l, l.n_attempts, INT64_MAX);
    if (result == 0)
        result = load_troubles(&l, db_of(w), begin, end);
    for (size_t i = 0; i < l.n_troubles && result == 0; i++)
        joiner_relay_trouble(w->j, &l.troubles[i]);
    load_free(&l);
    return result;
}

/* ---- ends ---- */

/* Was its end judged when it was read? Not of one that goes on, or whose answer may have come after
 * the capture's end. */
static bool allocation_judged(const struct fact_allocation *a)
{
    return a->end_reason && (a->granted || strcmp(a->end_reason, "capture-end") != 0);
}

static void tell_end(struct sweep *w, struct held *h)
{
    if (!h->call && allocation_judged(&h->of_allocation))
        joiner_allocation_over(w->j, &h->of_allocation);
    else if (h->call && !h->state.open)
        joiner_call_over(w->j, &h->of_call);
}

/* Nothing that belongs to it can come any more. */
static bool past(const struct sweep *w, const struct held *h)
{
    tick_t ended = h->call ? h->of_call.ended : h->of_allocation.ended;
    return w->until == INT64_MAX ||
           (ended != TICK_NONE && ended / TICK_US + CALL_GRACE / TICK_US < w->until);
}

static void tell_ends(struct sweep *w, bool calls)
{
    struct held_list old = w->open[calls];
    w->open[calls] = (struct held_list){.end = &w->open[calls].first};
    for (struct held *h = old.first, *next; h; h = next) {
        next = h->next;
        if (past(w, h)) {
            tell_end(w, h);
            list_add(&w->over, h);
        } else {
            list_add(&w->open[calls], h);
        }
    }
}

/* What the joiner concluded of it is stored: how a call went, and where a relay was seen. */
static int store_scope(struct sweep *w, const struct held *h)
{
    struct store *s = w->r->s;
    if (h->call && h->of_call.outcome != h->state.outcome) {
        struct binds *b = store_bind(s);
        bind_word(b, store_outcome(h->of_call.outcome));
        bind_int(b, h->of_call.id);
        return db_run_with(&s->db, w->outcome, b);
    }
    const struct fact_allocation *a = &h->of_allocation;
    if (!h->call && !addr_eq(&a->wire_addr, &h->wire_addr)) {
        if (store_relay(s, &a->wire_addr))
            return -1;
        struct binds *b = store_bind(s);
        bind_addr(b, &a->wire_addr);
        bind_int(b, a->id);
        return db_run_with(&s->db, w->wire, b);
    }
    return 0;
}

/* The ones that ended first, as long as there are more than keep. */
static int forget(struct sweep *w, size_t keep)
{
    int result = 0;
    while (w->over.n > keep && result == 0) {
        struct held *h = w->over.first;
        w->over.first = h->next;
        w->over.n--;
        if (!h->next)
            w->over.end = &w->over.first;
        if (h->call)
            joiner_call_forget(w->j, &h->of_call);
        else
            joiner_allocation_forget(w->j, &h->of_allocation);
        result = store_scope(w, h);
        struct arena a = h->arena; /* h lives in it */
        arena_free(&a);
    }
    return result;
}

/* ---- the whole ---- */

static int slice(struct sweep *w)
{
    if (find_end(w) || load_slice(w, true) || load_slice(w, false) || tell_attempts(w))
        return -1;
    tell_ends(w, false);
    tell_ends(w, true);
    if (w->r->alias_failed || forget(w, w->until == INT64_MAX ? 0 : KEPT_SCOPES))
        return -1;
    return w->r->failed ? db_no_memory(db_of(w)) : rejoin_store(w->r);
}

static int begin(struct sweep *w)
{
    struct db *db = db_of(w);
    for (int calls = 0; calls < 2; calls++)
        w->open[calls].end = &w->open[calls].first;
    w->over.end = &w->over.first;
    w->outcome = db_prepare(db, "UPDATE call SET outcome = ? WHERE id = ?");
    w->wire = db_prepare(db, "UPDATE allocation SET wire_addr = ? WHERE id = ?");
    for (int calls = 0; calls < 2; calls++) {
        w->cursor[calls].q = load_scopes(db, calls);
        if (!w->cursor[calls].q || cursor_step(w, calls))
            return -1;
    }
    return w->outcome && w->wire ? find_span(w) : -1;
}

int rejoin_sweep(struct rejoin *r, struct joiner *j)
{
    struct sweep w = {.r = r, .j = j, .from = INT64_MIN};
    arena_pool_init(&w.pool, HELD_BYTES);
    int result = begin(&w);
    while (result == 0 && w.until != INT64_MAX) {
        result = slice(&w);
        w.from = w.until;
    }
    /* the pool goes with what a failure left in it, the joiner never looks again; but chunks larger
     * than usual are not the pool's */
    for (int i = 0; i < 3; i++)
        for (struct held *h = i < 2 ? w.open[i].first : w.over.first, *next; h; h = next) {
            next = h->next;
            struct arena a = h->arena;
            arena_free(&a);
        }
    arena_pool_clear(&w.pool);
    sqlite3_finalize(w.cursor[0].q);
    sqlite3_finalize(w.cursor[1].q);
    sqlite3_finalize(w.outcome);
    sqlite3_finalize(w.wire);
    return result;
}
