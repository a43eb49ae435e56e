/*
 * Facts of several runs of one sensor through one joiner.
 *
 *   stretch: packet time where this run and others lie within NEAR of each other
 *   scopes:  calls and allocations whose life touches the stretch, whole
 *   attempts: over the stretch and over the whole life of these scopes
 *   slice:   so much of it as is in memory at one time (rejoin_sweep.c)
 *
 * Only of one sensor at a time: its name is part of each event_id, and another sensor may see the
 * same packets from elsewhere. A run of packets is joined with those of its sensor and with
 * imported logs whose clock is known; an imported log with the packets of every sensor that it may
 * belong to.
 *
 * So every scope is judged on all its attempts, and the failures of these scopes, with those of the
 * stretch that have none, are exactly the ones to replace. A failure that has the same event_id
 * keeps its row id.
 */
#include "storage/rejoin.h"

#include <stdlib.h>

#include "storage/clocks.h"
#include "storage/rejoin_inner.h"

/* us: verdicts come up to a call's grace late, and spans' clocks differ */
#define NEAR ((300 * TICK_S + CALL_GRACE) / TICK_US)

/* ---- what the joiner says ---- */

static bool failures_room(struct rejoin *r, size_t id)
{
    if (id <= r->n_failures)
        return true;
    size_t n = id * 2;
    struct block **p = realloc(r->failure, n * sizeof *p);
    if (!p)
        return false;
    r->failure = p;
    int64_t *rows = realloc(r->rows, n * sizeof *rows);
    if (!rows)
        return false;
    r->rows = rows;
    memset(p + r->n_failures, 0, (n - r->n_failures) * sizeof *p);
    memset(rows + r->n_failures, 0, (n - r->n_failures) * sizeof *rows);
    r->n_failures = n;
    return true;
}

/* A block of the very size: there may be a hundred thousand. */
static struct block *failure_copy(struct block *scratch, const struct failure *f,
                                  const struct finding *list, unsigned n)
{
    scratch->used = 0;
    struct block *b = record_failure(scratch, f, list, n) ? block_new(scratch->used) : NULL;
    if (b && record_failure(b, f, list, n))
        return b;
    free(b);
    return NULL;
}

static void on_failure(void *arg, const struct failure *f, const struct finding *list, unsigned n)
{
    struct rejoin *r = arg;
    size_t id = (size_t)f->id;
    struct block *b = failures_room(r, id) ? failure_copy(r->scratch, f, list, n) : NULL;
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
    if ((size_t)id > r->n_failures)
        return;
    free(r->failure[id - 1]);
    r->failure[id - 1] = NULL;
    if (r->rows[id - 1] > 0)
        r->rows[id - 1] = -r->rows[id - 1];
}

static void on_attempt_failure(void *arg, uint64_t attempt, int64_t failure)
{
    struct rejoin *r = arg;
    if (r->n_links == r->room_links) {
        size_t room = r->room_links * 2 + 256;
        struct rejoin_link *p = realloc(r->links, room * sizeof *p);
        if (!p) {
            r->failed = true;
            return;
        }
        r->links = p;
        r->room_links = room;
    }
    r->links[r->n_links++] = (struct rejoin_link){(int64_t)attempt, failure};
}

static void on_alias(void *arg, const struct fact_alias *a)
{
    struct rejoin *r = arg;
    r->alias_failed |= store_record(r->s, RECORD_ALIAS, a) != 0;
}

/* ---- what the joiner is told ---- */

/* Logs are joined with packets, not with each other. */
#define IS_LOG(run) run " IN " SIP_LOGS
#define IS_TIMELESS(run) run " IN " TIMELESS_LOGS

/* The stretch, or false if no other run is near. */
static int find_stretch(struct rejoin *r, bool *any)
{
    sqlite3_stmt *q = db_prepare(
        &r->s->db, "SELECT min(max(n.first_us, o.first_us - ?2)) - ?2, max(min(n.last_us, "
                   "o.last_us + ?2)) + ?2"
                   " FROM run n JOIN run o ON o.id <> n.id AND o.sensor IN (?3, '*') AND"
                   " o.first_us <= n.last_us + ?2 AND o.last_us >= n.first_us - ?2"
                   " WHERE n.id = ?1 AND NOT " IS_TIMELESS("n.id") " AND NOT " IS_TIMELESS(
                       "o.id") " AND NOT (" IS_LOG("n.id") " AND " IS_LOG("o.id") ")");
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, r->run);
    sqlite3_bind_int64(q, 2, NEAR);
    sqlite3_bind_text(q, 3, r->sensor, -1, SQLITE_STATIC);
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
        db_prepare(&r->s->db, "SELECT edges, relay_low, relay_high FROM run WHERE"
                              " first_us <= ?2 AND last_us >= ?1 AND sensor = ?3 ORDER BY id");
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, r->first);
    sqlite3_bind_int64(q, 2, r->last);
    sqlite3_bind_text(q, 3, r->sensor, -1, SQLITE_STATIC);
    int rc;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        take_edges(r, (const char *)sqlite3_column_text(q, 0));
        if (sqlite3_column_int(q, 2)) {
            r->relay_low = (uint16_t)sqlite3_column_int(q, 1);
            r->relay_high = (uint16_t)sqlite3_column_int(q, 2);
        }
    }
    int result = rc == SQLITE_DONE ? 0 : db_fault(&r->s->db, "read");
    sqlite3_finalize(q);
    return result;
}

/* What was learned and what this run was told, that first; not what an earlier one was told: it may
 * have been wrong. */
static int read_aliases(struct rejoin *r)
{
    sqlite3_stmt *q =
        db_prepare(&r->s->db, "SELECT private_addr, public_addr, configured = ?3,"
                              " ports_seen FROM alias WHERE configured = ?3 OR"
                              " ports_seen >= ?1 ORDER BY configured = ?3 DESC, 1, 2 LIMIT ?2");
    if (!q)
        return -1;
    sqlite3_bind_int(q, 1, ALIAS_TRUSTED_PORTS);
    sqlite3_bind_int(q, 2, LIMIT_ALIASES);
    sqlite3_bind_int64(q, 3, r->packets);
    int rc;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW && r->n_aliases < LIMIT_ALIASES)
        r->aliases[r->n_aliases++] =
            (struct fact_alias){load_addr(q, 0), load_addr(q, 1), sqlite3_column_int(q, 2) != 0,
                                (uint32_t)sqlite3_column_int(q, 3)};
    int result = rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : db_fault(&r->s->db, "read");
    sqlite3_finalize(q);
    return result;
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
    struct joiner *j = joiner_new(&config, &hooks);
    int result = j ? rejoin_sweep(r, j) : db_no_memory(&r->s->db);
    joiner_free(j);
    return result;
}

/* The run itself, or for a log the latest run of the sensor in the stretch: what it was told holds,
 * and what no packet of its own proves is filed under it. */
static int find_packets(struct rejoin *r)
{
    sqlite3_stmt *q = db_prepare(
        &r->s->db, "SELECT max(o.id) FROM run o WHERE o.id = ?1 AND NOT " IS_LOG(
                       "o.id") " OR ?1 IN " SIP_LOGS
                               " AND o.sensor = ?2 AND o.first_us <= ?4 AND o.last_us >= ?3 AND"
                               " NOT " IS_LOG("o.id"));
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, r->run);
    sqlite3_bind_text(q, 2, r->sensor, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 3, r->first);
    sqlite3_bind_int64(q, 4, r->last);
    int rc = sqlite3_step(q);
    r->packets = sqlite3_column_int64(q, 0);
    int result = rc == SQLITE_ROW ? 0 : db_fault(&r->s->db, "read");
    sqlite3_finalize(q);
    return result;
}

static int rejoin_sensor(struct store *s, int64_t run, const char *sensor)
{
    struct rejoin *r = calloc(1, sizeof *r);
    bool any = false;
    if (!r)
        return db_no_memory(&s->db);
    *r = (struct rejoin){
        .s = s, .run = run, .sensor = sensor, .relay_low = 50000, .relay_high = 59999};
    r->scratch = block_new(FAILURE_BYTES);
    int result = r->scratch ? find_stretch(r, &any) : db_no_memory(&s->db);
    if (result == 0 && any)
        result = find_packets(r) || read_config(r) || read_aliases(r) || rejoin_open(r) ||
                         judge(r) || rejoin_close(r)
                     ? -1
                     : 0;
    rejoin_statements_free(r);
    for (size_t i = 0; i < r->n_failures; i++)
        free(r->failure[i]);
    free(r->failure);
    free(r->rows);
    free(r->links);
    free(r->scratch);
    free(r);
    return result;
}

/* Names of sensors, one string behind the other, an empty one last; the caller frees it. A run of
 * packets has one; a log that is not bound to a sensor has all that saw packets. */
static int list_sensors(struct store *s, int64_t run, struct text *out)
{
    sqlite3_stmt *q = db_prepare(
        &s->db, "SELECT DISTINCT o.sensor FROM run n JOIN run o ON o.sensor = n.sensor OR n.sensor"
                " = '*' WHERE n.id = ? AND o.sensor <> '*' ORDER BY 1");
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, run);
    int rc;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW)
        text_raw(out, (const char *)sqlite3_column_text(q, 0),
                 (size_t)sqlite3_column_bytes(q, 0) + 1);
    int result = rc == SQLITE_DONE ? 0 : db_fault(&s->db, "read");
    sqlite3_finalize(q);
    if (out->failed)
        return db_no_memory(&s->db);
    return result;
}

int rejoin_with(struct store *s, int64_t run)
{
    struct text sensors = {0};
    int result = list_sensors(s, run, &sensors);
    for (size_t at = 0; at < sensors.n && result == 0; at += strlen(sensors.p + at) + 1)
        result = rejoin_sensor(s, run, sensors.p + at);
    text_free(&sensors);
    return result;
}

int rejoin_run(struct store *s)
{
    return rejoin_with(s, s->run);
}
