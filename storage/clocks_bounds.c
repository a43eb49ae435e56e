/* What packets and one log both know, as bounds of the log's clock. */
#include "storage/clocks_inner.h"

#include <stdlib.h>

#include "storage/load.h"
#include "storage/load_json.h"

enum { BOUNDS_MAX = 1 << 20 };            /* 24 bytes each */
#define STAMP_US 1000                     /* a stamp is cut to a millisecond */
#define LONG_CALL_US INT64_C(43200000000) /* calls of a known clock that began this long before */
#define NEAR_US INT64_C(360000000)
#define TRANSIT_US INT64_C(32000000) /* an INVITE's way: timer B, RFC 3261 §17.1.1.2 */

struct relay_key {
    struct endpoint at;
    const struct fact_allocation *allocation;
};

struct weighing {
    struct store *s;
    const struct log_clock *log;
    struct loaded packets;
    struct relay_key *relays; /* in order of `at` */
    size_t n_relays;
    const struct attempt **attempts; /* in order of dst */
    struct skew_bound *bounds;
    size_t n, room;
    uint32_t group;
    bool failed;
};

/* One call of the log, by the log's clock. */
struct logged_call {
    struct fact_call fact;
    int64_t ended; /* us, 0 = not known, or not by this clock */
};

/* ---- bounds ---- */

static void add_bound(struct weighing *w, int64_t low, int64_t high)
{
    if (low > high || w->n == BOUNDS_MAX)
        return;
    if (w->n == w->room) {
        size_t room = w->room * 2 + 256;
        struct skew_bound *more = realloc(w->bounds, room * sizeof *more);
        if (!more) {
            w->failed = true;
            return;
        }
        w->bounds = more;
        w->room = room;
    }
    w->bounds[w->n++] = (struct skew_bound){low, high, w->group};
}

static int64_t us_of(tick_t t)
{
    return t / TICK_US;
}

/* The addresses that a side named: i = 0 is the default one. NULL behind the last. */
static const struct endpoint *address(const struct fact_side *s, unsigned i)
{
    if (i == 0)
        return &s->preset;
    return i <= s->n_candidates ? &s->candidates[i - 1].at : NULL;
}

static bool names(const struct fact_side *s, const struct endpoint *e)
{
    const struct endpoint *a;
    for (unsigned i = 0; (a = address(s, i)); i++)
        if (a->port && endpoint_eq(a, e))
            return true;
    return false;
}

static bool same_text(const char *a, const char *b)
{
    return a && b && *a && strcmp(a, b) == 0;
}

/* Something beside the relay port says that the allocation belongs to this side. */
static bool agrees(const struct fact_allocation *a, const struct endpoint *related,
                   const struct fact_side *mine, const struct fact_side *other)
{
    if (related && related->port &&
        (endpoint_eq(related, &a->client) || endpoint_eq(related, &a->reflexive)))
        return true;
    for (unsigned i = 0; i < a->n_sends; i++) {
        const struct fact_send *s = &a->sends[i];
        if (names(other, &s->peer) || same_text(s->local_ufrag, mine->ufrag) ||
            same_text(s->remote_ufrag, other->ufrag))
            return true;
    }
    return false;
}

/* The first request to reach an address of the other side; TICK_NONE without. */
static tick_t first_send(const struct fact_allocation *a, const struct fact_side *other)
{
    tick_t first = TICK_NONE;
    for (unsigned i = 0; i < a->n_sends; i++)
        if (names(other, &a->sends[i].peer) && (first == TICK_NONE || a->sends[i].first < first))
            first = a->sends[i].first;
    return first;
}

/* An allocation against the side that names its port. */
static void bound_allocation(struct weighing *w, const struct fact_allocation *a,
                             const struct logged_call *c, const struct fact_side *mine,
                             const struct fact_side *other)
{
    int64_t low = -SKEW_LIMIT_US, high = SKEW_LIMIT_US;
    tick_t granted = a->granted_at != TICK_NONE ? a->granted_at : a->started;
    tick_t send = first_send(a, other);
    if (granted != TICK_NONE)
        low = us_of(granted) - us_of(mine->added) - STAMP_US;
    if (a->ended != TICK_NONE)
        high = us_of(a->ended) - us_of(mine->told);
    if (send != TICK_NONE) {
        /* an answer before the one in the log (183, or elided) would make the first one too small
         */
        int64_t by_answer = other->told != TICK_NONE ? us_of(send) - us_of(other->told) : high;
        int64_t by_offer = us_of(send) - us_of(mine->told);
        int64_t by = by_answer >= low ? by_answer : by_offer;
        if (by >= low && by < high)
            high = by;
        int64_t by_end = c->ended ? us_of(send) - c->ended - STAMP_US : low;
        if (by_end > low && by_end <= high)
            low = by_end;
    }
    add_bound(w, low, high);
}

/* ---- looking up ---- */

static int relay_order(const void *a, const void *b)
{
    return endpoint_cmp(&((const struct relay_key *)a)->at, &((const struct relay_key *)b)->at);
}

static int attempt_order(const void *a, const void *b)
{
    return endpoint_cmp(&(*(const struct attempt *const *)a)->dst,
                        &(*(const struct attempt *const *)b)->dst);
}

static size_t first_relay(const struct weighing *w, const struct endpoint *e)
{
    size_t low = 0, high = w->n_relays;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (endpoint_cmp(&w->relays[mid].at, e) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static size_t first_attempt(const struct weighing *w, const struct endpoint *e)
{
    size_t low = 0, high = w->packets.n_attempts;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (endpoint_cmp(&w->attempts[mid]->dst, e) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void weigh_allocations(struct weighing *w, const struct logged_call *c,
                              const struct fact_side *mine, const struct fact_side *other)
{
    const struct endpoint *e;
    for (unsigned i = 0; (e = address(mine, i)); i++) {
        const struct endpoint *related = i ? &mine->candidates[i - 1].related : NULL;
        for (size_t k = e->port ? first_relay(w, e) : w->n_relays;
             k < w->n_relays && endpoint_eq(&w->relays[k].at, e); k++)
            if (agrees(w->relays[k].allocation, related, mine, other))
                bound_allocation(w, w->relays[k].allocation, c, mine, other);
    }
    w->group++;
}

static bool has_port(const struct fact_side *s, uint16_t port)
{
    const struct endpoint *e;
    for (unsigned i = 0; (e = address(s, i)); i++)
        if (e->port == port)
            return true;
    return false;
}

/* A connect between the two sides, or from an alias of ours with the same port. */
static void weigh_attempts(struct weighing *w, const struct logged_call *c,
                           const struct fact_side *mine, const struct fact_side *other)
{
    const struct endpoint *e;
    if (other->told == TICK_NONE)
        return;
    int64_t told = us_of(mine->told > other->told ? mine->told : other->told);
    for (unsigned i = 0; (e = address(other, i)); i++)
        for (size_t k = e->port ? first_attempt(w, e) : w->packets.n_attempts;
             k < w->packets.n_attempts && endpoint_eq(&w->attempts[k]->dst, e); k++) {
            int64_t first = us_of(w->attempts[k]->first);
            if (has_port(mine, w->attempts[k]->src.port))
                add_bound(w, c->ended ? first - c->ended - STAMP_US : -SKEW_LIMIT_US, first - told);
        }
    w->group++;
}

static void weigh_call(struct weighing *w, const struct logged_call *c)
{
    for (unsigned m = 0; m < c->fact.n_media; m++)
        for (int side = 0; side < CALL_SIDES; side++) {
            const struct fact_side *mine = &c->fact.media[m].side[side],
                                   *other = &c->fact.media[m].side[1 - side];
            if (!mine->present || mine->told == TICK_NONE)
                continue;
            weigh_allocations(w, c, mine, other);
            if (other->present)
                weigh_attempts(w, c, mine, other);
        }
}

/* ---- the packets ---- */

static bool index_packets(struct weighing *w)
{
    const struct loaded *l = &w->packets;
    w->relays = calloc(l->n_allocations * 2 + 1, sizeof *w->relays);
    w->attempts = calloc(l->n_attempts + 1, sizeof *w->attempts);
    if (!w->relays || !w->attempts)
        return false;
    for (size_t i = 0; i < l->n_allocations; i++) {
        const struct fact_allocation *a = &l->allocations[i];
        if (a->granted && a->relay.port)
            w->relays[w->n_relays++] = (struct relay_key){a->relay, a};
        if (a->granted && a->relay2.port)
            w->relays[w->n_relays++] = (struct relay_key){a->relay2, a};
    }
    for (size_t i = 0; i < l->n_attempts; i++)
        w->attempts[i] = &l->attempts[i];
    qsort(w->relays, w->n_relays, sizeof *w->relays, relay_order);
    qsort(w->attempts, l->n_attempts, sizeof *w->attempts, attempt_order);
    return true;
}

/* ---- the log's calls ---- */

static const char calls_sql[] =
    "SELECT s.offer, s.answer, iif(c.run_id = ?1, c.ended_us - ?2, NULL)"
    " FROM sdp s JOIN call c ON c.id = s.call_row WHERE s.log_run = ?1"
    " AND c.started_us BETWEEN ?3 AND ?4";

static struct slice text_at(sqlite3_stmt *q, int column)
{
    const void *p = sqlite3_column_blob(q, column);
    return slice_of(p, (size_t)sqlite3_column_bytes(q, column));
}

/* Call by call: the memory of one at a time. */
static int weigh_calls(struct weighing *w, int64_t first, int64_t last)
{
    struct db *db = &w->s->db;
    sqlite3_stmt *q = db_prepare(db, calls_sql);
    int rc = SQLITE_DONE;
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, w->log->run);
    sqlite3_bind_int64(q, 2, w->log->shift);
    sqlite3_bind_int64(q, 3, w->log->known ? first - LONG_CALL_US : INT64_MIN);
    sqlite3_bind_int64(q, 4, w->log->known ? last + NEAR_US : INT64_MAX);
    while (!w->failed && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct arena a;
        struct logged_call c = {.ended = sqlite3_column_int64(q, 2)};
        arena_init(&a, &w->packets.pool);
        w->failed |= !load_json_side(&a, text_at(q, 0), &c.fact, SIDE_OFFER) ||
                     !load_json_side(&a, text_at(q, 1), &c.fact, SIDE_ANSWER);
        if (!w->failed)
            weigh_call(w, &c);
        arena_free(&a);
    }
    int result = w->failed ? db_no_memory(db) : rc == SQLITE_DONE ? 0 : db_fault(db, "read");
    sqlite3_finalize(q);
    return result;
}

/* Calls that were read from packets, or from a log whose clock is known, too. */
static const char both_sql[] =
    "SELECT w.started_us, w.answered_us, l.started_us - ?2, l.answered_us - ?2"
    " FROM (SELECT call_id, started_us, answered_us FROM call WHERE run_id = ?1"
    " AND started_us BETWEEN ?3 AND ?4) l JOIN (SELECT call_id, started_us, answered_us FROM call"
    " WHERE started_us BETWEEN ?5 AND ?6 AND run_id IN (SELECT id FROM run WHERE (?7 = '*' OR"
    " sensor IN (?7, '*')) AND id <> ?1 AND id NOT IN " TIMELESS_LOGS
    ")) w ON w.call_id = l.call_id";

static int weigh_ids(struct weighing *w, int64_t first, int64_t last)
{
    struct db *db = &w->s->db;
    sqlite3_stmt *q = db_prepare(db, both_sql);
    int rc;
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, w->log->run);
    sqlite3_bind_int64(q, 2, w->log->shift);
    sqlite3_bind_int64(q, 3, w->log->known ? first - LONG_CALL_US : INT64_MIN);
    sqlite3_bind_int64(q, 4, w->log->known ? last + NEAR_US : INT64_MAX);
    sqlite3_bind_int64(q, 5, first);
    sqlite3_bind_int64(q, 6, last);
    sqlite3_bind_text(q, 7, w->packets.sensor, -1, SQLITE_STATIC);
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        int64_t began = sqlite3_column_int64(q, 0), asked = sqlite3_column_int64(q, 2);
        int64_t low = began - asked - TRANSIT_US, high = began - asked + TRANSIT_US;
        if (sqlite3_column_type(q, 3) != SQLITE_NULL) {
            int64_t by = began - sqlite3_column_int64(q, 3) - STAMP_US;
            low = by > low && by <= high ? by : low;
        }
        if (sqlite3_column_type(q, 1) != SQLITE_NULL) {
            int64_t by = sqlite3_column_int64(q, 1) - asked;
            high = by < high && by >= low ? by : high;
        }
        add_bound(w, low, high);
        w->group++;
    }
    int result = rc == SQLITE_DONE ? 0 : db_fault(db, "read");
    sqlite3_finalize(q);
    return result;
}

/* ---- all ---- */

/* The log's sensor, * for all. The caller frees it; NULL with db.why. */
static char *sensor_of(struct store *s, int64_t run)
{
    char *name = NULL;
    sqlite3_stmt *q = db_prepare(&s->db, "SELECT sensor FROM run WHERE id = ?");
    if (!q)
        return NULL;
    sqlite3_bind_int64(q, 1, run);
    if (sqlite3_step(q) == SQLITE_ROW)
        name = strdup((const char *)sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
    if (!name)
        db_no_memory(&s->db);
    return name;
}

static int weigh(struct weighing *w, int64_t first, int64_t last, struct skew *out)
{
    struct db *db = &w->s->db;
    if (load_allocations(&w->packets, db, first, last) ||
        load_attempts(&w->packets, db, first, last))
        return -1;
    if (!index_packets(w))
        return db_no_memory(db);
    if (weigh_calls(w, first, last) || weigh_ids(w, first, last))
        return -1;
    return w->failed || skew_solve(w->bounds, w->n, out) ? db_no_memory(db) : 0;
}

int clocks_bounds(struct store *s, const struct log_clock *l, int64_t first, int64_t last,
                  struct skew *out)
{
    struct weighing w = {.s = s, .log = l};
    char *sensor = sensor_of(s, l->run);
    *out = (struct skew){0};
    if (!sensor)
        return -1;
    load_begin(&w.packets, sensor);
    int result = weigh(&w, first, last, out);
    load_free(&w.packets);
    free(w.relays);
    free(w.attempts);
    free(w.bounds);
    free(sensor);
    return result;
}
