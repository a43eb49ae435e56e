/*
 * Facts of several runs through one joiner.
 *
 *   stretch: packet time where this run and others lie within NEAR of each other
 *   scopes:  calls and allocations whose life touches the stretch, whole
 *   attempts: over the stretch and over the whole life of these scopes
 *
 * So every scope is judged on all its attempts, and the failures of these scopes, with those of the
 * stretch that have none, are exactly the ones to replace. A failure that has the same event_id
 * keeps its row id.
 */
#include "storage/rejoin.h"

#include <stdlib.h>

#include "flows/limits.h"
#include "storage/load.h"

/* us: verdicts come up to a call's grace late, and spans' clocks differ */
#define NEAR ((300 * TICK_S + CALL_GRACE) / TICK_US)

struct link {
    int64_t attempt, failure;
};

struct rejoin {
    struct store *s;
    int64_t first, last; /* the stretch, us */
    struct loaded facts;
    struct block **failure; /* record_failure by joiner's id - 1; NULL = withdrawn */
    size_t n_failures;
    struct link *links;
    size_t n_links, room_links;
    struct addr edges[LIMIT_ALIASES];
    unsigned n_edges;
    struct fact_alias aliases[LIMIT_ALIASES];
    unsigned n_aliases;
    char *sensor;
    uint16_t relay_low, relay_high;
    bool failed;       /* no memory inside a hook */
    bool alias_failed; /* no writing inside a hook: db.why tells */
};

/* ---- what the joiner says ---- */

static bool failures_room(struct rejoin *r, size_t id)
{
    if (id <= r->n_failures)
        return true;
    size_t n = id * 2;
    struct block **p = realloc(r->failure, n * sizeof *p);
    if (!p)
        return false;
    memset(p + r->n_failures, 0, (n - r->n_failures) * sizeof(*p));
    r->failure = p;
    r->n_failures = n;
    return true;
}

static struct block *failure_copy(const struct failure *f, const struct finding *list, unsigned n)
{
    for (size_t room = 4096; room < (size_t)1 << 20; room *= 2) {
        struct block *b = block_new(room);
        if (!b || record_failure(b, f, list, n))
            return b;
        free(b);
    }
    return NULL;
}

static void on_failure(void *arg, const struct failure *f, const struct finding *list, unsigned n)
{
    struct rejoin *r = arg;
    size_t id = (size_t)f->id;
    struct block *b = failures_room(r, id) ? failure_copy(f, list, n) : NULL;
    if (!b) {
        r->failed = true;
        return;
    }
    free(r->failure[id - 1]);
    r->failure[id - 1] = b;
}

static void on_failure_gone(void *arg, int64_t id)
{
    struct rejoin *r = arg;
    if ((size_t)id <= r->n_failures) {
        free(r->failure[id - 1]);
        r->failure[id - 1] = NULL;
    }
}

static void on_attempt_failure(void *arg, uint64_t attempt, int64_t failure)
{
    struct rejoin *r = arg;
    if (r->n_links == r->room_links) {
        size_t room = r->room_links * 2 + 256;
        struct link *p = realloc(r->links, room * sizeof *p);
        if (!p) {
            r->failed = true;
            return;
        }
        r->links = p;
        r->room_links = room;
    }
    r->links[r->n_links++] = (struct link){(int64_t)attempt, failure};
}

static void on_alias(void *arg, const struct fact_alias *a)
{
    struct rejoin *r = arg;
    r->alias_failed |= store_record(r->s, RECORD_ALIAS, a) != 0;
}

/* ---- what the joiner is told ---- */

/* The stretch, or false if no other run is near. */
static int find_stretch(struct rejoin *r, bool *any)
{
    sqlite3_stmt *q = db_prepare(
        &r->s->db, "SELECT min(max(n.first_us, o.first_us - ?2)) - ?2, max(min(n.last_us, "
                   "o.last_us + ?2)) + ?2"
                   " FROM run n JOIN run o ON o.id <> n.id AND o.first_us <= n.last_us + ?2 AND"
                   " o.last_us >= n.first_us - ?2 WHERE n.id = ?1");
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, r->s->run);
    sqlite3_bind_int64(q, 2, NEAR);
    int rc = sqlite3_step(q);
    *any = rc == SQLITE_ROW && sqlite3_column_type(q, 0) != SQLITE_NULL;
    r->first = sqlite3_column_int64(q, 0);
    r->last = sqlite3_column_int64(q, 1);
    int result = rc == SQLITE_ROW ? 0 : db_fault(&r->s->db, "read");
    sqlite3_finalize(q);
    return result;
}

static void take_edges(struct rejoin *r, const char *list)
{
    while (list && *list) {
        size_t n = strcspn(list, ",");
        struct addr a;
        if (r->n_edges < LIMIT_ALIASES && addr_parse(slice_of(list, n), &a))
            r->edges[r->n_edges++] = a;
        list += n + (list[n] == ',');
    }
}

/* Of all runs of the stretch alike, so that it does not matter which of them came last. */
static int read_config(struct rejoin *r)
{
    sqlite3_stmt *q =
        db_prepare(&r->s->db, "SELECT sensor, edges, relay_low, relay_high FROM run WHERE"
                              " first_us <= ?2 AND last_us >= ?1 ORDER BY sensor, id");
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, r->first);
    sqlite3_bind_int64(q, 2, r->last);
    int rc;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        if (!r->sensor)
            r->sensor = strdup((const char *)sqlite3_column_text(q, 0));
        take_edges(r, (const char *)sqlite3_column_text(q, 1));
        if (sqlite3_column_int(q, 3)) {
            r->relay_low = (uint16_t)sqlite3_column_int(q, 2);
            r->relay_high = (uint16_t)sqlite3_column_int(q, 3);
        }
    }
    int result = rc == SQLITE_DONE ? 0 : db_fault(&r->s->db, "read");
    sqlite3_finalize(q);
    return result;
}

static int read_aliases(struct rejoin *r)
{
    sqlite3_stmt *q = db_prepare(&r->s->db, "SELECT private_addr, public_addr, configured,"
                                            " ports_seen FROM alias WHERE configured OR"
                                            " ports_seen >= ?1 ORDER BY 1, 2 LIMIT ?2");
    if (!q)
        return -1;
    sqlite3_bind_int(q, 1, ALIAS_TRUSTED_PORTS);
    sqlite3_bind_int(q, 2, LIMIT_ALIASES);
    int rc;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW && r->n_aliases < LIMIT_ALIASES)
        r->aliases[r->n_aliases++] =
            (struct fact_alias){load_addr(q, 0), load_addr(q, 1), sqlite3_column_int(q, 2) != 0,
                                (uint32_t)sqlite3_column_int(q, 3)};
    int result = rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : db_fault(&r->s->db, "read");
    sqlite3_finalize(q);
    return result;
}

static void widen(int64_t *first, int64_t *last, tick_t from, tick_t to)
{
    if (from != TICK_NONE && from / TICK_US < *first)
        *first = from / TICK_US;
    if (to != TICK_NONE && to / TICK_US > *last)
        *last = to / TICK_US;
}

static int load_all(struct rejoin *r)
{
    struct loaded *l = &r->facts;
    int64_t first = r->first, last = r->last;
    if (load_facts(l, &r->s->db, first, last))
        return -1;
    for (size_t i = 0; i < l->n_calls; i++)
        widen(&first, &last, l->calls[i].started - MATCH_SLACK, l->calls[i].ended + CALL_GRACE);
    for (size_t i = 0; i < l->n_allocations; i++)
        widen(&first, &last, l->allocations[i].started - MATCH_SLACK,
              l->allocations[i].ended + ALLOCATION_GRACE);
    return load_attempts(l, &r->s->db, first, last);
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

/* What was negotiated first, then what was tried, in order of time. */
static void tell(struct joiner *j, struct loaded *l)
{
    size_t k = 0;
    for (size_t i = 0; i < l->n_calls; i++)
        joiner_call(j, &l->calls[i]);
    for (size_t i = 0; i < l->n_allocations; i++)
        joiner_allocation(j, &l->allocations[i]);
    for (size_t i = 0; i < l->n_attempts; i++) {
        for (; k < l->n_allocations && l->allocations[k].started <= l->attempts[i].first; k++)
            tell_connection(j, &l->allocations[k], UINT64_MAX - k);
        joiner_attempt(j, &l->attempts[i]);
    }
    for (; k < l->n_allocations; k++)
        tell_connection(j, &l->allocations[k], UINT64_MAX - k);
    for (size_t i = 0; i < l->n_troubles; i++)
        joiner_relay_trouble(j, &l->troubles[i]);
    for (size_t i = 0; i < l->n_allocations; i++)
        joiner_allocation_over(j, &l->allocations[i]);
    for (size_t i = 0; i < l->n_calls; i++)
        joiner_call_over(j, &l->calls[i]);
    for (size_t i = 0; i < l->n_calls; i++)
        joiner_call_forget(j, &l->calls[i]);
    for (size_t i = 0; i < l->n_allocations; i++)
        joiner_allocation_forget(j, &l->allocations[i]);
}

/* Addresses come from the wire: whoever chose them must not choose hash buckets. Never 0. */
static uint64_t hash_seed(void)
{
    uint64_t seed;
    sqlite3_randomness(sizeof seed, &seed);
    return seed | 1;
}

static int judge(struct rejoin *r)
{
    struct joiner_config config = {
        .sensor = r->sensor,
        .aliases = r->aliases,
        .n_aliases = r->n_aliases,
        .edges = r->edges,
        .n_edges = r->n_edges,
        .relay_low = r->relay_low,
        .relay_high = r->relay_high,
        .seed = hash_seed(),
    };
    struct joiner_hooks hooks = {r, on_failure, on_failure_gone, on_attempt_failure, on_alias};
    struct joiner *j = r->sensor ? joiner_new(&config, &hooks) : NULL;
    if (j)
        tell(j, &r->facts);
    joiner_free(j);
    if (r->alias_failed)
        return -1;
    if (j && !r->failed)
        return 0;
    return db_no_memory(&r->s->db);
}

/* ---- what becomes of it ---- */

/* Runs a statement with up to three integers. */
static int run3(struct db *db, const char *sql, int64_t a, int64_t b, int64_t c)
{
    sqlite3_stmt *q = db_prepare(db, sql);
    if (!q)
        return -1;
    const int64_t values[] = {a, b, c};
    for (int i = 0; i < sqlite3_bind_parameter_count(q) && i < 3; i++)
        sqlite3_bind_int64(q, i + 1, values[i]);
    int result = db_run(db, q);
    sqlite3_finalize(q);
    return result;
}

static int list_scopes(struct rejoin *r)
{
    struct db *db = &r->s->db;
    sqlite3_stmt *q;
    if (db_exec(db, "CREATE TEMP TABLE scope (call INTEGER, id INTEGER, PRIMARY KEY (call, id))"
                    " WITHOUT ROWID") ||
        !(q = db_prepare(db, "INSERT INTO temp.scope VALUES (?, ?)")))
        return -1;
    int result = 0;
    for (int call = 0; call < 2; call++) {
        size_t n = call ? r->facts.n_calls : r->facts.n_allocations;
        sqlite3_bind_int(q, 1, call);
        for (size_t i = 0; i < n && result == 0; i++) {
            sqlite3_bind_int64(q, 2, call ? r->facts.calls[i].id : r->facts.allocations[i].id);
            result = db_run(db, q);
        }
    }
    sqlite3_finalize(q);
    return result;
}

static int remove_old(struct rejoin *r)
{
    struct db *db = &r->s->db;
    return run3(db,
                "CREATE TEMP TABLE gone AS SELECT id, event_id FROM failure WHERE first_us BETWEEN"
                " CAST(?1 AS INTEGER) AND CAST(?2 AS INTEGER) OR EXISTS (SELECT 1 FROM temp.scope"
                " WHERE call = 1 AND scope.id = call_row) OR EXISTS (SELECT 1 FROM temp.scope WHERE"
                " call = 0 AND scope.id = allocation_row)",
                r->first, r->last, 0) ||
                   db_exec(db, "CREATE INDEX temp.gone_event ON gone(event_id);"
                               "DELETE FROM failure WHERE id IN (SELECT id FROM temp.gone);"
                               "DELETE FROM finding WHERE failure_id IN (SELECT id FROM temp.gone);"
                               "UPDATE attempt SET failure_id = NULL WHERE failure_id IN"
                               " (SELECT id FROM temp.gone)")
               ? -1
               : 0;
}

/* The row of the same event, now taken, or a new one. */
static int64_t row_for(struct rejoin *r, sqlite3_stmt *find, sqlite3_stmt *taken, uint64_t event)
{
    sqlite3_bind_int64(find, 1, (int64_t)event);
    int64_t row = sqlite3_step(find) == SQLITE_ROW ? sqlite3_column_int64(find, 0) : 0;
    sqlite3_reset(find);
    if (!row)
        return ids_extra(&r->s->db, IDS_FAILURE);
    sqlite3_bind_int64(taken, 1, row);
    return db_run(&r->s->db, taken) ? -1 : row;
}

/* The run that saw it: of the attempt, else of what was allocated or called. */
static int64_t run_of(struct rejoin *r, sqlite3_stmt *find, const struct failure *f)
{
    sqlite3_bind_int64(find, 1, (int64_t)f->attempt);
    sqlite3_bind_int64(find, 2, f->allocation_row);
    sqlite3_bind_int64(find, 3, f->call_row);
    bool found = sqlite3_step(find) == SQLITE_ROW && sqlite3_column_type(find, 0) != SQLITE_NULL;
    int64_t run = found ? sqlite3_column_int64(find, 0) : r->s->run;
    sqlite3_reset(find);
    return run;
}

static const struct record_failure *failure_in(const struct block *b)
{
    size_t at = 0;
    enum record_kind kind;
    return record_next(b, &at, &kind);
}

/* A failure without scope outside the stretch was judged on half its facts: the old row stands. */
static bool ours(const struct rejoin *r, const struct failure *f)
{
    int64_t us = f->first / TICK_US;
    return f->call_row || f->allocation_row || (us >= r->first && us <= r->last);
}

/* Stores the failures; rows[] gets the row id of each, 0 for those that were not stored. */
static int store_new(struct rejoin *r, int64_t *rows)
{
    struct db *db = &r->s->db;
    sqlite3_stmt *find = db_prepare(db, "SELECT min(id) FROM temp.gone WHERE event_id = ?");
    sqlite3_stmt *taken = db_prepare(db, "DELETE FROM temp.gone WHERE id = ?");
    sqlite3_stmt *run = db_prepare(
        db, "SELECT coalesce((SELECT run_id FROM attempt WHERE id = ?), (SELECT run_id FROM"
            " allocation WHERE id = ?), (SELECT run_id FROM call WHERE id = ?))");
    int result = find && taken && run ? 0 : -1;
    for (size_t i = 0; i < r->n_failures && result == 0; i++) {
        const struct record_failure *f = r->failure[i] ? failure_in(r->failure[i]) : NULL;
        if (!f || !ours(r, &f->failure))
            continue;
        rows[i] = row_for(r, find, taken, f->failure.event_id);
        result = rows[i] < 0 ? -1 : store_failure(r->s, rows[i], run_of(r, run, &f->failure), f);
    }
    sqlite3_finalize(find);
    sqlite3_finalize(taken);
    sqlite3_finalize(run);
    return result;
}

static int store_links(struct rejoin *r, const int64_t *rows)
{
    sqlite3_stmt *q = db_prepare(&r->s->db, "UPDATE attempt SET failure_id = ? WHERE id = ?");
    int result = q ? 0 : -1;
    for (size_t i = 0; i < r->n_links && result == 0; i++) {
        int64_t row = r->links[i].failure ? rows[r->links[i].failure - 1] : 0;
        if (row)
            sqlite3_bind_int64(q, 1, row);
        else
            sqlite3_bind_null(q, 1);
        sqlite3_bind_int64(q, 2, r->links[i].attempt);
        result = db_run(&r->s->db, q);
    }
    sqlite3_finalize(q);
    return result;
}

/* The joiner concludes how a call went ... */
static int store_outcomes(struct rejoin *r)
{
    const struct loaded *l = &r->facts;
    sqlite3_stmt *q = db_prepare(&r->s->db, "UPDATE call SET outcome = ? WHERE id = ?");
    int result = q ? 0 : -1;
    for (size_t i = 0; i < l->n_calls && result == 0; i++) {
        struct binds b;
        if (l->calls[i].outcome == l->outcomes[i])
            continue;
        bind_start(&b, q);
        bind_word(&b, store_outcome(l->calls[i].outcome));
        bind_int(&b, l->calls[i].id);
        result = db_run(&r->s->db, q);
    }
    sqlite3_finalize(q);
    return result;
}

/* ... and where a relay was seen on the wire. */
static int store_wire_addrs(struct rejoin *r)
{
    const struct loaded *l = &r->facts;
    sqlite3_stmt *q = db_prepare(&r->s->db, "UPDATE allocation SET wire_addr = ? WHERE id = ?");
    int result = q ? 0 : -1;
    for (size_t i = 0; i < l->n_allocations && result == 0; i++) {
        const struct addr *wire = &l->allocations[i].wire_addr;
        struct binds b;
        if (addr_eq(wire, &l->wire_addrs[i]))
            continue;
        bind_start(&b, q);
        bind_addr(&b, wire);
        bind_int(&b, l->allocations[i].id);
        result = store_relay(r->s, wire) ? -1 : db_run(&r->s->db, q);
    }
    sqlite3_finalize(q);
    return result;
}

static int replace(struct rejoin *r)
{
    int64_t *rows = calloc(r->n_failures + 1, sizeof *rows);
    if (!rows)
        return db_no_memory(&r->s->db);
    int result = list_scopes(r) == 0 && remove_old(r) == 0 && store_new(r, rows) == 0 &&
                         store_links(r, rows) == 0 && store_outcomes(r) == 0 &&
                         store_wire_addrs(r) == 0 && store_settle_batch(r->s) == 0 &&
                         db_exec(&r->s->db, "DROP TABLE temp.scope; DROP TABLE temp.gone") == 0
                     ? 0
                     : -1;
    free(rows);
    return result;
}

int rejoin_run(struct store *s)
{
    struct rejoin *r = calloc(1, sizeof *r);
    bool any = false;
    if (!r)
        return db_no_memory(&s->db);
    *r = (struct rejoin){.s = s, .relay_low = 50000, .relay_high = 59999};
    load_begin(&r->facts);
    int result = find_stretch(r, &any);
    if (result == 0 && any)
        result =
            read_config(r) || read_aliases(r) || load_all(r) || judge(r) || replace(r) ? -1 : 0;
    for (size_t i = 0; i < r->n_failures; i++)
        free(r->failure[i]);
    load_free(&r->facts);
    free(r->failure);
    free(r->links);
    free(r->sensor);
    free(r);
    return result;
}
