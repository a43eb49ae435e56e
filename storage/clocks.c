/* The logs whose clocks are asked for, and what follows from an answer. */
#include "storage/clocks_inner.h"

#include <stdio.h>
#include <stdlib.h>

#define SECOND 1e6
#define NEAR_US INT64_C(360000000) /* as far as joining looks beyond a run */

/* One statement with up to three integers. 0 or -1. */
static int run_with(struct store *s, const char *sql, int64_t a, int64_t b, int64_t c)
{
    sqlite3_stmt *q = db_prepare(&s->db, sql);
    if (!q)
        return -1;
    const int64_t values[] = {a, b, c};
    for (int i = 0; i < sqlite3_bind_parameter_count(q) && i < 3; i++)
        sqlite3_bind_int64(q, i + 1, values[i]);
    int result = db_run(&s->db, q);
    sqlite3_finalize(q);
    return result;
}

/* ---- the same log again ---- */

static const char known_sql[] =
    "SELECT o.id FROM log n JOIN log o ON o.content = n.content AND o.kind IS n.kind AND o.id <> "
    "n.id"
    " JOIN run a ON a.id = n.run_id JOIN run b ON b.id = o.run_id AND b.sensor = a.sensor"
    " WHERE n.id = ? ORDER BY o.id LIMIT 1";

static int take_back(struct store *s)
{
    static const char *const steps[] = {
        "DELETE FROM sdp WHERE call_row IN (SELECT id FROM call WHERE run_id = ?1)",
        "DELETE FROM call WHERE run_id = ?1",
        "DELETE FROM log WHERE run_id = ?1",
        "DELETE FROM run WHERE id = ?1",
    };
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++)
        if (run_with(s, steps[i], s->run, 0, 0))
            return -1;
    return 0;
}

int clocks_known_log(struct store *s, struct log_result *result)
{
    sqlite3_stmt *q = s->log_row ? db_prepare(&s->db, known_sql) : NULL;
    *result = (struct log_result){.id = s->log_row};
    if (!s->log_row)
        return 0;
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, s->log_row);
    int rc = sqlite3_step(q);
    int64_t earlier = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
    int failed = rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : db_fault(&s->db, "read");
    sqlite3_finalize(q);
    if (failed || !earlier)
        return failed;
    if (take_back(s))
        return -1;
    s->log_row = earlier;
    if (clocks_result(s, result))
        return -1;
    result->known = true;
    return 0;
}

/* ---- one log ---- */

static int64_t bound_of(sqlite3_stmt *q, int column, int64_t open, int64_t zone_us)
{
    return sqlite3_column_type(q, column) == SQLITE_NULL
               ? open
               : (int64_t)(sqlite3_column_double(q, column) * SECOND +
                           (sqlite3_column_double(q, column) < 0 ? -0.5 : 0.5)) -
                     zone_us;
}

/* Columns: run_id, first_us, last_us, shift_us, skew_low_s, skew_high_s, zone_offset_h, agreed */
static struct log_clock clock_of(sqlite3_stmt *q)
{
    int64_t zone_us = sqlite3_column_int64(q, 6) * 3600 * 1000000;
    struct log_clock l = {
        .run = sqlite3_column_int64(q, 0),
        .first = sqlite3_column_int64(q, 1),
        .last = sqlite3_column_int64(q, 2),
        .known = sqlite3_column_type(q, 3) != SQLITE_NULL,
        .shift = sqlite3_column_int64(q, 3),
    };
    if (l.known)
        l.skew = (struct skew){
            .known = true,
            .low = bound_of(q, 4, -SKEW_LIMIT_US, zone_us),
            .high = bound_of(q, 5, SKEW_LIMIT_US, zone_us),
            .agreed = (uint32_t)sqlite3_column_int64(q, 7),
        };
    return l;
}

static int store_skew(struct store *s, const struct log_clock *l, const struct skew *k)
{
    sqlite3_stmt *q = db_prepare(
        &s->db, "UPDATE log SET shift_us = ?, skew_low_s = ?, skew_high_s = ?, zone_offset_h = ?,"
                " agreed = ? WHERE run_id = ?");
    if (!q)
        return -1;
    int zone_h = skew_zone_h(k);
    int64_t zone_us = (int64_t)zone_h * 3600 * 1000000;
    sqlite3_bind_int64(q, 1, skew_point(k));
    if (k->low > -SKEW_LIMIT_US)
        sqlite3_bind_double(q, 2, (double)(k->low + zone_us) / SECOND);
    if (k->high < SKEW_LIMIT_US)
        sqlite3_bind_double(q, 3, (double)(k->high + zone_us) / SECOND);
    sqlite3_bind_int(q, 4, zone_h);
    sqlite3_bind_int64(q, 5, k->agreed);
    sqlite3_bind_int64(q, 6, l->run);
    int result = db_run(&s->db, q);
    sqlite3_finalize(q);
    return result;
}

/* Moves the log's rows by that much. Times inside sdp's sides stay the log's own. */
static int move_rows(struct store *s, int64_t run, int64_t by)
{
    static const char *const steps[] = {
        "UPDATE call SET started_us = started_us + ?2, answered_us = answered_us + ?2,"
        " ended_us = ended_us + ?2 WHERE run_id = ?1",
        "UPDATE sdp SET diags = (SELECT json_group_array(json(json_set(d.value, '$[0]',"
        " (d.value ->> 0) + ?2))) FROM json_each(sdp.diags) d)"
        " WHERE log_run = ?1 AND diags IS NOT NULL",
        "UPDATE run SET first_us = first_us + ?2, last_us = last_us + ?2 WHERE id = ?1",
    };
    for (unsigned i = 0; by && i < sizeof steps / sizeof *steps; i++)
        if (run_with(s, steps[i], run, by, 0))
            return -1;
    return 0;
}

/* Asks packets in [first, last] about a log; *found: its time has become known just now. */
static int ask(struct store *s, const struct log_clock *l, int64_t first, int64_t last, bool *found)
{
    struct skew news, k;
    if (clocks_bounds(s, l, first, last, &news))
        return -1;
    k = skew_both(&l->skew, &news);
    if (!news.known)
        return 0;
    *found = !l->known;
    return store_skew(s, l, &k) || move_rows(s, l->run, skew_point(&k) - l->shift) ? -1 : 0;
}

static const char one_sql[] =
    "SELECT run_id, first_us, last_us, shift_us, skew_low_s, skew_high_s, zone_offset_h, agreed"
    " FROM log WHERE id = ? AND first_us IS NOT NULL";

int clocks_of_log(struct store *s)
{
    bool found = false;
    sqlite3_stmt *q = db_prepare(&s->db, one_sql);
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, s->log_row);
    int rc = sqlite3_step(q);
    struct log_clock l = rc == SQLITE_ROW ? clock_of(q) : (struct log_clock){0};
    int result = rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : db_fault(&s->db, "read");
    sqlite3_finalize(q);
    if (result || rc != SQLITE_ROW)
        return result;
    return ask(s, &l, l.first - SKEW_LIMIT_US, l.last + SKEW_LIMIT_US, &found);
}

/* ---- logs near a run of packets ---- */

static const char near_sql[] =
    "SELECT l.run_id, l.first_us, l.last_us, l.shift_us, l.skew_low_s, l.skew_high_s,"
    " l.zone_offset_h, l.agreed FROM log l JOIN run o ON o.id = l.run_id JOIN run n ON n.id = ?1"
    " WHERE l.kind IN ('uccapi', 'sipstack') AND (o.sensor = n.sensor OR o.sensor = '*') AND"
    " l.first_us + ifnull(l.shift_us - ?3, -?2) <= n.last_us AND"
    " l.last_us + ifnull(l.shift_us + ?3, ?2) >= n.first_us ORDER BY l.id";

/* The list, so that no statement is open while rows change. */
static int list_near(struct store *s, struct log_clock **out, size_t *n)
{
    sqlite3_stmt *q = db_prepare(&s->db, near_sql);
    int rc = SQLITE_DONE, result = 0;
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, s->run);
    sqlite3_bind_int64(q, 2, SKEW_LIMIT_US);
    sqlite3_bind_int64(q, 3, NEAR_US);
    while (result == 0 && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct log_clock *more = realloc(*out, (*n + 1) * sizeof **out);
        result = more ? 0 : db_no_memory(&s->db);
        if (more)
            *out = more;
        if (more)
            more[(*n)++] = clock_of(q);
    }
    if (result == 0 && rc != SQLITE_DONE)
        result = db_fault(&s->db, "read");
    sqlite3_finalize(q);
    return result;
}

int clocks_of_logs(struct store *s, struct clocks_found *found)
{
    struct log_clock *logs = NULL;
    size_t n = 0;
    int64_t first, last;
    int result = list_near(s, &logs, &n);
    found->n = 0;
    if (result == 0 && n)
        result = store_run_span(s, &first, &last);
    for (size_t i = 0; i < n && result == 0; i++) {
        bool new = false;
        result = ask(s, &logs[i], first - NEAR_US, last + NEAR_US, &new);
        if (new && found->n < CLOCKS_FOUND)
            found->run[found->n++] = logs[i].run;
    }
    free(logs);
    return result;
}

/* ---- what is known ---- */

int clocks_result(struct store *s, struct log_result *r)
{
    sqlite3_stmt *q = db_prepare(&s->db, "SELECT shift_us, skew_low_s, skew_high_s, zone_offset_h,"
                                         " agreed FROM log WHERE id = ?");
    if (!q)
        return -1;
    sqlite3_bind_int64(q, 1, s->log_row);
    int rc = sqlite3_step(q);
    if (rc == SQLITE_ROW)
        *r = (struct log_result){
            .id = s->log_row,
            .joined = sqlite3_column_type(q, 0) != SQLITE_NULL,
            .low = sqlite3_column_type(q, 1) != SQLITE_NULL,
            .high = sqlite3_column_type(q, 2) != SQLITE_NULL,
            .skew_low_s = sqlite3_column_double(q, 1),
            .skew_high_s = sqlite3_column_double(q, 2),
            .zone_h = sqlite3_column_int(q, 3),
            .agreed = sqlite3_column_int64(q, 4),
        };
    int result = rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : db_fault(&s->db, "read");
    sqlite3_finalize(q);
    return result;
}
