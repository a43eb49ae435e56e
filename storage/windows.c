/* Findings across failures: the rows of a stretch of time, judged together. */
#include "storage/windows.h"

#include <stdio.h>
#include <stdlib.h>

#include "storage/load.h"
#include "storage/relays.h"

/* More rows than this say nothing new, and 10 million of them would be a gigabyte. */
enum { WINDOW_ROWS = 2000000 };
#define DAY_US INT64_C(86400000000)

struct window {
    struct window_row *rows;
    size_t n, room;
    double blind;
};

/* The index on time is no help to a run that wrote most of the table itself: a plus takes it away.
 */
#define BY_INDEX ""
#define NO_INDEX "+"

/* Failures, with who asked: our end is the one that did, or that was asked from outside. How many
 * connections were open then is asked of timeouts. */
#define FAILURES_SQL(how)                                                                        \
    "SELECT first_us, coalesce(src_public, src_addr), coalesce(dst_public, dst_addr), src_port," \
    " dst_port, transport, inbound, verdict, leg, info, icmp_type, icmp_code, icmp_from,"        \
    " error_code, id, CASE verdict WHEN 'timeout' THEN"                                          \
    " (SELECT concurrency FROM attempt a WHERE a.id = attempt_row) END"                          \
    " FROM failure_ends WHERE " how "first_us BETWEEN ?1 AND ?2"

/* Connected attempts, of which those of relays are held against them. */
#define CONNECTED_SQL(how)                                                                 \
    "SELECT first_us, src_addr, dst_addr, src_port, dst_port, transport, concurrency FROM" \
    " attempt WHERE " how "first_us BETWEEN ?1 AND ?2 AND verdict = 'connected'"

static const char blind_sql[] =
    "SELECT ifnull(sum(min(to_us, ?2) - max(from_us, ?1)), 0) FROM (SELECT DISTINCT from_us, to_us"
    " FROM health_span WHERE from_us <= ?2 AND to_us >= ?1 AND"
    " kernel_drops + nic_drops + ring_drops > 0)";

static bool room_for_one(struct window *w)
{
    if (w->n < w->room)
        return true;
    size_t room = w->room * 2 + 1024;
    struct window_row *p = realloc(w->rows, room * sizeof *p);
    if (!p)
        return false;
    w->rows = p;
    w->room = room;
    return true;
}

static uint8_t leg_of(const char *name)
{
    uint8_t leg = LEG_CLIENT_RELAY;
    while (name && leg < LEG_SIGNALING && strcmp(name, leg_name((enum leg)leg)) != 0)
        leg++;
    return leg;
}

static int16_t small(sqlite3_stmt *q, int column)
{
    return sqlite3_column_type(q, column) == SQLITE_NULL ? -1
                                                         : (int16_t)sqlite3_column_int(q, column);
}

static uint8_t proto_of(sqlite3_stmt *q, int column)
{
    const char *transport = (const char *)sqlite3_column_text(q, column);
    return transport && transport[0] == 'U' ? PROTO_UDP : PROTO_TCP;
}

/* False: not of a relay. A relay goes by its public address. */
static bool fill_connected(struct window_row *r, sqlite3_stmt *q, const struct relays *relays)
{
    const char *src = (const char *)sqlite3_column_text(q, 1);
    const char *dst = (const char *)sqlite3_column_text(q, 2);
    bool ours = relays_has(relays, src);
    if (!ours && !relays_has(relays, dst))
        return false;
    const char *name = relays_public(relays, ours ? src : dst);
    *r = (struct window_row){
        .first = load_tick(q, 0),
        .edge = load_addr(q, ours ? 1 : 2),
        .peer = load_addr(q, ours ? 2 : 1),
        .peer_port = (uint16_t)sqlite3_column_int(q, ours ? 4 : 3),
        .verdict = VERDICT_CONNECTED,
        .leg = LEG_RELAY_PEER,
        .proto = proto_of(q, 5),
        .from_peer = !ours,
        .icmp_type = -1,
        .icmp_code = -1,
        .concurrency = (uint32_t)sqlite3_column_int64(q, 6),
    };
    if (name) {
        r->edge = (struct addr){{0}};
        addr_parse(slice_str(name), &r->edge);
    }
    return true;
}

static bool fill_failure(struct window_row *r, sqlite3_stmt *q, const struct relays *relays)
{
    const bool inbound = sqlite3_column_int(q, 6) != 0;
    (void)relays;
    *r = (struct window_row){
        .first = load_tick(q, 0),
        .edge = load_addr(q, inbound ? 2 : 1),
        .peer = load_addr(q, inbound ? 1 : 2),
        .peer_port = (uint16_t)sqlite3_column_int(q, inbound ? 3 : 4),
        .proto = proto_of(q, 5),
        .from_peer = inbound,
        .verdict = (uint8_t)verdict_by_name((const char *)sqlite3_column_text(q, 7)),
        .leg = leg_of((const char *)sqlite3_column_text(q, 8)),
        .info = sqlite3_column_int(q, 9) != 0,
        .icmp_type = small(q, 10),
        .icmp_code = small(q, 11),
        .icmp_from = load_addr(q, 12),
        .error_code = (uint16_t)sqlite3_column_int(q, 13),
        .failure = sqlite3_column_int64(q, 14),
        .concurrency = (uint32_t)sqlite3_column_int64(q, 15),
    };
    return true;
}

/* What a statement's rows are made of. */
struct reading {
    const char *sql;
    bool (*fill)(struct window_row *r, sqlite3_stmt *q, const struct relays *relays);
    const struct relays *relays;
};

static int read_rows(struct store *s, struct window *w, const struct reading *how, int64_t first,
                     int64_t last)
{
    sqlite3_stmt *q = db_prepare(&s->db, how->sql);
    int rc = SQLITE_ERROR;
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, first);
    sqlite3_bind_int64(q, 2, last);
    int result = 0;
    while (w->n < WINDOW_ROWS && result == 0 && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        result = room_for_one(w) ? 0 : db_no_memory(&s->db);
        if (result == 0)
            w->n += how->fill(&w->rows[w->n], q, how->relays);
    }
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        result = db_fault(&s->db, "read");
    sqlite3_finalize(q);
    return result;
}

/* In order of time; a failure before what connected in the same microsecond. */
static int compare_rows(const void *pa, const void *pb)
{
    const struct window_row *a = pa, *b = pb;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    if (!a->failure != !b->failure)
        return a->failure ? -1 : 1;
    if (a->failure != b->failure)
        return a->failure < b->failure ? -1 : 1;
    int c = addr_cmp(&a->peer, &b->peer);
    return c ? c : (int)a->peer_port - (int)b->peer_port;
}

static int read_all(struct store *s, struct window *w, int64_t first, int64_t last)
{
    struct relays relays;
    const bool most = s->db.bulk;
    const struct reading failures = {most ? FAILURES_SQL(NO_INDEX) : FAILURES_SQL(BY_INDEX),
                                     fill_failure, NULL},
                         attempts = {most ? CONNECTED_SQL(NO_INDEX) : CONNECTED_SQL(BY_INDEX),
                                     fill_connected, &relays};
    bool bad = relays_load(&relays, &s->db) || read_rows(s, w, &failures, first, last) ||
               read_rows(s, w, &attempts, first, last);
    relays_free(&relays);
    if (bad)
        return -1;
    if (w->n)
        qsort(w->rows, w->n, sizeof *w->rows, compare_rows);
    return 0;
}

static int read_blind(struct store *s, struct window *w, int64_t first, int64_t last)
{
    sqlite3_stmt *q = db_prepare(&s->db, blind_sql);
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, first);
    sqlite3_bind_int64(q, 2, last);
    int rc = sqlite3_step(q);
    double blind = sqlite3_column_double(q, 0), span = (double)(last - first);
    w->blind = span <= 0 ? 0 : blind / span > 1 ? 1 : blind / span;
    int result = rc == SQLITE_ROW ? 0 : db_fault(&s->db, "read");
    sqlite3_finalize(q);
    return result;
}

static int store_found(struct store *s, const char *scope, int64_t first, int64_t last,
                       const struct finding *f)
{
    struct binds *b = store_bind(s);
    bind_word(b, scope);
    bind_int(b, s->run);
    bind_int(b, first);
    bind_int(b, last);
    bind_word(b, f->code);
    bind_word(b, f->likely ? "likely" : "possible");
    bind_text(b, f->evidence);
    bind_text(b, f->advice);
    return store_run(s, WRITE_WINDOW_FINDING);
}

/* What was found before for this scope and a part of this time is replaced. */
static int forget(struct store *s, const char *scope, int64_t first, int64_t last)
{
    sqlite3_stmt *q = db_prepare(&s->db, "DELETE FROM window_finding WHERE scope = ? AND"
                                         " first_us >= ? AND last_us <= ?");
    if (!q)
        return -1;
    struct binds *b = store_bind(s);
    bind_word(b, scope);
    bind_int(b, first);
    bind_int(b, last);
    int result = db_run_with(&s->db, q, b);
    sqlite3_finalize(q);
    return result;
}

/* Reading comes first: who writes beside us waits for the rows that are stored, no longer. */
static int draw(struct store *s, const char *scope, int64_t first, int64_t last, bool alone)
{
    struct window_finding *found = calloc(FINDINGS_MAX, sizeof *found);
    struct window w = {0};
    int result = -1;
    if (!found)
        db_no_memory(&s->db);
    else if (read_all(s, &w, first, last) == 0 && read_blind(s, &w, first, last) == 0)
        result = alone ? db_begin(&s->db) : 0;
    unsigned n = result == 0 ? findings_of_window(w.rows, w.n, w.blind, found) : 0;
    if (result == 0)
        result = forget(s, scope, first, last);
    for (unsigned i = 0; i < n && result == 0; i++)
        result = store_found(s, scope, first, last, &found[i].finding);
    if (alone && (result || db_commit(&s->db)))
        db_rollback(&s->db);
    free(w.rows);
    free(found);
    return result;
}

static int draw_night(struct store *s, int64_t start_us, bool alone)
{
    char text[TICK_TEXT], scope[32];
    snprintf(scope, sizeof scope, "night:%.10s", tick_text(start_us * TICK_US, text));
    return draw(s, scope, start_us, start_us + DAY_US - 1, alone);
}

int windows_run(struct store *s)
{
    int64_t first, last;
    if (store_run_span(s, &first, &last))
        return -1;
    return last ? draw(s, "window", first, last, false) : 0;
}

int windows_night(struct store *s, tick_t t)
{
    return draw_night(s, t / TICK_US / DAY_US * DAY_US, false);
}

int windows_night_alone(struct store *s, tick_t t)
{
    return draw_night(s, t / TICK_US / DAY_US * DAY_US, true);
}
