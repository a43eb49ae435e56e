/* Rows into facts. The JSON columns are read by load_json.c. */
#include "storage/load.h"

#include <stdio.h>

#include "capture/frame.h"
#include "flows/verdict.h"
#include "storage/clocks.h"
#include "storage/facts_json.h"
#include "storage/load_json.h"

/* Beyond this the joining is given up. */
#define LOAD_BYTES ((size_t)2 << 30)

/* Runs of sensor ?3 (* is any), and of logs that may be of any sensor; not logs whose time nobody
 * knows yet. */
#define OF_SENSOR \
    "(SELECT id FROM run WHERE (?3 = '*' OR sensor IN (?3, '*')) AND id NOT IN " TIMELESS_LOGS ")"

void load_begin(struct loaded *l, const char *sensor)
{
    *l = (struct loaded){.sensor = sensor};
    arena_pool_init(&l->pool, LOAD_BYTES);
    arena_init(&l->arena, &l->pool);
}

void load_free(struct loaded *l)
{
    arena_free(&l->arena);
    arena_pool_clear(&l->pool);
}

/* ---- columns ---- */

tick_t load_tick(sqlite3_stmt *q, int column)
{
    return sqlite3_column_type(q, column) == SQLITE_NULL
               ? TICK_NONE
               : sqlite3_column_int64(q, column) * TICK_US;
}

struct addr load_addr(sqlite3_stmt *q, int column)
{
    struct addr a = {{0}};
    const void *text = sqlite3_column_text(q, column);
    if (text)
        addr_parse(slice_of(text, (size_t)sqlite3_column_bytes(q, column)), &a);
    return a;
}

struct endpoint load_endpoint(sqlite3_stmt *q, int column)
{
    return (struct endpoint){load_addr(q, column), (uint16_t)sqlite3_column_int(q, column + 1)};
}

static struct slice bytes_of(sqlite3_stmt *q, int column)
{
    const void *p = sqlite3_column_blob(q, column);
    return slice_of(p, (size_t)sqlite3_column_bytes(q, column));
}

/* NULL for NULL, or without memory (pool.refused tells) */
static const char *text_of(struct arena *a, sqlite3_stmt *q, int column)
{
    struct slice s = bytes_of(q, column);
    return s.p ? load_text(a, s) : NULL;
}

/* -1 if the column is NULL */
static int known(sqlite3_stmt *q, int column)
{
    return sqlite3_column_type(q, column) == SQLITE_NULL ? -1 : sqlite3_column_int(q, column);
}

static uint8_t proto_of(sqlite3_stmt *q, int column)
{
    const unsigned char *t = sqlite3_column_text(q, column);
    return t && t[0] == 'U' ? PROTO_UDP : PROTO_TCP;
}

/* ---- one kind of rows at a time ---- */

/* Fills the next element from the statement's row. False without memory. */
typedef bool fill_row(struct loaded *l, size_t i, sqlite3_stmt *q);

static sqlite3_stmt *query_over(struct db *db, const char *sql, const char *sensor, int64_t first,
                                int64_t last)
{
    sqlite3_stmt *q = db_prepare(db, sql);
    if (q) {
        sqlite3_bind_int64(q, 1, first);
        sqlite3_bind_int64(q, 2, last);
        sqlite3_bind_text(q, 3, sensor, -1, SQLITE_STATIC);
    }
    return q;
}

/* How many rows a query gives over [first, last]. 0 or -1. */
static int count_rows(struct db *db, const char *sql, const char *sensor, int64_t first,
                      int64_t last, size_t *n)
{
    char *text = sqlite3_mprintf("SELECT count(*) FROM (%s)", sql);
    if (!text)
        return db_no_memory(db);
    sqlite3_stmt *q = query_over(db, text, sensor, first, last);
    sqlite3_free(text);
    if (!q)
        return -1;
    int rc = sqlite3_step(q);
    *n = (size_t)sqlite3_column_int64(q, 0);
    int result = rc == SQLITE_ROW ? 0 : db_fault(db, "read");
    sqlite3_finalize(q);
    return result;
}

/* Counts the rows, makes room for all of them at once, and fills it. */
static int load_rows(struct loaded *l, struct db *db, const char *sql, int64_t first, int64_t last,
                     bool (*room)(struct loaded *l, size_t n), fill_row *fill)
{
    size_t n = 0, i = 0;
    if (count_rows(db, sql, l->sensor, first, last, &n))
        return -1;
    if (n && !room(l, n))
        return db_no_memory(db);
    sqlite3_stmt *q = query_over(db, sql, l->sensor, first, last);
    if (!q)
        return -1;
    int rc = SQLITE_DONE, result = 0;
    while (result == 0 && i < n && (rc = sqlite3_step(q)) == SQLITE_ROW)
        result = fill(l, i++, q) ? 0 : db_no_memory(db);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        result = db_fault(db, "read");
    sqlite3_finalize(q);
    return result;
}

/* ---- calls ---- */

static uint8_t outcome_of(sqlite3_stmt *q, int column)
{
    const char *t = (const char *)sqlite3_column_text(q, column);
    return t && strcmp(t, "connected") == 0 ? CALL_CONNECTED
           : t && strcmp(t, "failed") == 0  ? CALL_FAILED
                                            : CALL_UNKNOWN;
}

bool load_call(struct arena *a, sqlite3_stmt *q, struct fact_call *c, struct call_state *state)
{
    *c = (struct fact_call){
        .id = sqlite3_column_int64(q, 0),
        .call_id = text_of(a, q, 1),
        .caller = text_of(a, q, 2),
        .callee = text_of(a, q, 3),
        .conversation_id = text_of(a, q, 4),
        .origin = text_of(a, q, 5),
        .started = load_tick(q, 6),
        .answered = load_tick(q, 7),
        .ended = load_tick(q, 8),
        .status = sqlite3_column_int(q, 9),
        .outcome = outcome_of(q, 10),
        .media_failed_diag = sqlite3_column_int(q, 11) != 0,
    };
    *state = (struct call_state){c->outcome, sqlite3_column_int(q, 15) != 0};
    return load_json_side(a, bytes_of(q, 12), c, SIDE_OFFER) &&
           load_json_side(a, bytes_of(q, 13), c, SIDE_ANSWER) &&
           load_json_diags(a, bytes_of(q, 14), c) && !a->pool->refused;
}

/* ---- allocations ---- */

#define ALLOCATION_COLUMNS                                                                \
    "a.id, a.client_addr, a.client_port, a.server_addr, a.server_port, a.transport,"      \
    " a.flags, a.relay_addr, a.relay_port, a.relay2_addr, a.relay2_port, a.wire_addr,"    \
    " a.reflexive_addr, a.reflexive_port, a.medium, a.started_us, a.ended_us,"            \
    " a.end_reason, a.error_code, a.requests, a.call_id, a.connection_id, a.active_addr," \
    " a.active_port, a.sends, a.granted_us"

#define ALLOCATION_TOUCHES                                                  \
    "coalesce(started_us, ended_us) <= ?2 AND coalesce(ended_us,"           \
    " (SELECT last_us FROM run WHERE run.id = a.run_id), started_us) >= ?1" \
    " AND run_id IN " OF_SENSOR

static const char allocations_sql[] =
    "SELECT " ALLOCATION_COLUMNS " FROM allocation a WHERE " ALLOCATION_TOUCHES
    " ORDER BY started_us, id";

static bool allocations_room(struct loaded *l, size_t n)
{
    l->allocations = arena_get(&l->arena, n * sizeof *l->allocations);
    return l->allocations;
}

bool load_allocation(struct arena *arena, sqlite3_stmt *q, struct fact_allocation *a)
{
    int flags = sqlite3_column_int(q, 6);
    *a = (struct fact_allocation){
        .id = sqlite3_column_int64(q, 0),
        .client = load_endpoint(q, 1),
        .server = load_endpoint(q, 3),
        .proto = proto_of(q, 5),
        .granted = flags & ALLOCATION_GRANTED,
        .ms = flags & ALLOCATION_MS,
        .heard = flags & ALLOCATION_HEARD,
        .relay = load_endpoint(q, 7),
        .relay2 = load_endpoint(q, 9),
        .wire_addr = load_addr(q, 11),
        .reflexive = load_endpoint(q, 12),
        .medium = text_of(arena, q, 14),
        .started = load_tick(q, 15),
        .ended = load_tick(q, 16),
        .end_reason = text_of(arena, q, 17),
        .error_code = (uint16_t)sqlite3_column_int(q, 18),
        .requests = (uint32_t)sqlite3_column_int64(q, 19),
        .call_id = text_of(arena, q, 20),
        .active = load_endpoint(q, 22),
        .granted_at = load_tick(q, 25),
    };
    struct slice id = bytes_of(q, 21);
    a->has_connection_id = id.n == sizeof a->connection_id;
    if (a->has_connection_id)
        memcpy(a->connection_id, id.p, id.n);
    return load_json_sends(arena, bytes_of(q, 24), a) && !arena->pool->refused;
}

static bool fill_allocation(struct loaded *l, size_t i, sqlite3_stmt *q)
{
    l->n_allocations = i + 1;
    return load_allocation(&l->arena, q, &l->allocations[i]);
}

int load_allocations(struct loaded *l, struct db *db, int64_t first, int64_t last)
{
    return load_rows(l, db, allocations_sql, first, last, allocations_room, fill_allocation);
}

/* ---- scopes: calls and allocations, one by one ---- */

int load_list_scopes(struct db *db, const char *sensor, int64_t first, int64_t last)
{
    static const char *const fill[] = {
        "INSERT INTO temp.scope SELECT 1, coalesce(c.started_us, c.answered_us, c.ended_us), c.id,"
        " c.started_us, c.ended_us FROM call c LEFT JOIN run r ON r.id = c.run_id"
        " WHERE coalesce(c.started_us, c.answered_us, c.ended_us) <= ?2 AND coalesce(c.ended_us,"
        " r.last_us, c.started_us) >= ?1 AND c.run_id IN " OF_SENSOR,
        "INSERT INTO temp.scope SELECT 0, coalesce(started_us, ended_us), id, started_us, ended_us"
        " FROM allocation a WHERE " ALLOCATION_TOUCHES,
    };
    if (db_exec(db, "CREATE TEMP TABLE scope (call INTEGER, at_us INTEGER, id INTEGER,"
                    " started_us INTEGER, ended_us INTEGER, PRIMARY KEY (call, at_us, id))"
                    " WITHOUT ROWID"))
        return -1;
    for (int i = 0; i < 2; i++) {
        sqlite3_stmt *q = query_over(db, fill[i], sensor, first, last);
        int result = q ? db_run(db, q) : -1;
        sqlite3_finalize(q);
        if (result)
            return -1;
    }
    return db_exec(db, "CREATE INDEX temp.scope_id ON scope(call, id)");
}

sqlite3_stmt *load_scopes(struct db *db, bool calls)
{
    return db_prepare(
        db, calls
                ? "SELECT c.id, c.call_id, c.caller, c.callee, c.conversation_id, c.origin,"
                  " c.started_us, c.answered_us, c.ended_us, c.status, c.outcome, c.media_failed,"
                  " s.offer, s.answer, s.diags, c.ended_us IS NULL AND r.ended_us IS NULL, o.at_us"
                  " FROM temp.scope o CROSS JOIN call c ON c.id = o.id"
                  " LEFT JOIN sdp s ON s.call_row = c.id LEFT JOIN run r ON r.id = c.run_id"
                  " WHERE o.call = 1 ORDER BY o.at_us, o.id"
                : "SELECT " ALLOCATION_COLUMNS ", o.at_us"
                  " FROM temp.scope o CROSS JOIN allocation a ON a.id = o.id"
                  " WHERE o.call = 0 ORDER BY o.at_us, o.id");
}

int64_t load_scope_at(sqlite3_stmt *q)
{
    return sqlite3_column_int64(q, sqlite3_column_count(q) - 1);
}

/* ---- attempts ---- */

static const char attempts_sql[] =
    "SELECT id, src_addr, src_port, dst_addr, dst_port, transport, isn, verdict,"
    " quality, peeks, wanted, syns, synacks, rsts, first_us, last_us, rtt_us, answer_ttl,"
    " answer_ipid, icmp_type, icmp_code, icmp_from, bytes_out, bytes_in, concurrency"
    " FROM attempt"
    " WHERE first_us BETWEEN ?1 AND ?2 AND verdict IS NOT NULL AND run_id IN " OF_SENSOR
    " ORDER BY first_us, id";

static bool attempts_room(struct loaded *l, size_t n)
{
    l->attempts = arena_get(&l->arena, n * sizeof *l->attempts);
    return l->attempts;
}

static uint8_t quality_of(sqlite3_stmt *q, int column)
{
    const char *t = (const char *)sqlite3_column_text(q, column);
    uint8_t quality = QUALITY_GOOD;
    while (t && quality < QUALITY_LOSSY && strcmp(t, quality_name((enum quality)quality)) != 0)
        quality++;
    return quality;
}

static bool fill_attempt(struct loaded *l, size_t i, sqlite3_stmt *q)
{
    int peeks = sqlite3_column_int(q, 9);
    l->attempts[i] = (struct attempt){
        .id = (uint64_t)sqlite3_column_int64(q, 0),
        .src = load_endpoint(q, 1),
        .dst = load_endpoint(q, 3),
        .proto = proto_of(q, 5),
        .isn = (uint32_t)sqlite3_column_int64(q, 6),
        .verdict = (uint8_t)verdict_by_name((const char *)sqlite3_column_text(q, 7)),
        .quality = quality_of(q, 8),
        .peek_out = (uint8_t)(peeks & 15),
        .peek_in = (uint8_t)(peeks >> 4),
        .wanted = sqlite3_column_int(q, 10) != 0,
        .syns = (uint32_t)sqlite3_column_int64(q, 11),
        .synacks = (uint32_t)sqlite3_column_int64(q, 12),
        .rsts = (uint32_t)sqlite3_column_int64(q, 13),
        .first = load_tick(q, 14),
        .last = load_tick(q, 15),
        .rtt_us = sqlite3_column_type(q, 16) == SQLITE_NULL ? -1 : sqlite3_column_int64(q, 16),
        .answer_ttl = (int16_t)known(q, 17),
        .answer_ipid = known(q, 18),
        .icmp_type = (int16_t)known(q, 19),
        .icmp_code = (int16_t)known(q, 20),
        .icmp_from = load_addr(q, 21),
        .bytes_out = (uint64_t)sqlite3_column_int64(q, 22),
        .bytes_in = (uint64_t)sqlite3_column_int64(q, 23),
        .concurrency = (uint32_t)sqlite3_column_int64(q, 24),
    };
    l->n_attempts = i + 1;
    return l->attempts[i].verdict < VERDICTS;
}

int load_attempts(struct loaded *l, struct db *db, int64_t first, int64_t last)
{
    return load_rows(l, db, attempts_sql, first, last, attempts_room, fill_attempt);
}

/* ---- troubles ---- */

static const char troubles_sql[] =
    "SELECT client_addr, client_port, server_addr, server_port, first_us,"
    " last_us, verdict, isn, instead, signaling, detail, partner FROM trouble"
    " WHERE first_us BETWEEN ?1 AND ?2 AND run_id IN " OF_SENSOR " ORDER BY first_us, id";

static bool troubles_room(struct loaded *l, size_t n)
{
    l->troubles = arena_get(&l->arena, n * sizeof *l->troubles);
    return l->troubles;
}

static void copy_column(char *out, size_t room, sqlite3_stmt *q, int column)
{
    const char *text = (const char *)sqlite3_column_text(q, column);
    snprintf(out, room, "%s", text ? text : "");
}

static bool fill_trouble(struct loaded *l, size_t i, sqlite3_stmt *q)
{
    l->troubles[i] = (struct relay_trouble){
        .client = load_endpoint(q, 0),
        .server = load_endpoint(q, 2),
        .first = load_tick(q, 4),
        .last = load_tick(q, 5),
        .verdict = (uint8_t)verdict_by_name((const char *)sqlite3_column_text(q, 6)),
        .isn = (uint32_t)sqlite3_column_int64(q, 7),
        .instead = sqlite3_column_int(q, 8),
        .signaling = sqlite3_column_int(q, 9) != 0,
    };
    copy_column(l->troubles[i].detail, TROUBLE_DETAIL, q, 10);
    copy_column(l->troubles[i].partner, TROUBLE_PARTNER, q, 11);
    l->n_troubles = i + 1;
    return l->troubles[i].verdict < VERDICTS;
}

int load_troubles(struct loaded *l, struct db *db, int64_t first, int64_t last)
{
    return load_rows(l, db, troubles_sql, first, last, troubles_room, fill_trouble);
}
