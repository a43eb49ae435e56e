/*
 * Reading the database: read-only handle, the contract's views (design §8), typed rows. All SQL of
 * the reading side lives behind these calls (storage/query.c, storage/statements.c).
 */
#ifndef EW_STORAGE_QUERY_H
#define EW_STORAGE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/tick.h"
#include "storage/writer.h" /* enum db_result */

struct query_db;
struct rows;

/* Read-only. *why names the database and the reason (missing, not a database, newer, locked). */
enum db_result query_open(const char *path, struct query_db **out, char *why, size_t room);
void query_close(struct query_db *db);
/* The largest id in view failures, 0 if there is none. */
int64_t query_last_failure(struct query_db *db);

/* From when to when there are failures; false if there is none. */
bool query_failure_span(struct query_db *db, tick_t *first, tick_t *last);

/* The listings: each is "SELECT * FROM view" in the contract's column order with filters. */
enum query_view {
    VIEW_FAILURES,
    VIEW_ATTEMPTS,
    VIEW_CALLS,
    VIEW_CANDIDATES,
    VIEW_ALLOCATIONS,
    VIEW_ALIASES,
    VIEW_DIAGNOSTICS,
    VIEW_PACKETS,
    VIEW_TRAFFIC,
    VIEW_HEALTH,
    VIEW_RUNS,
    VIEW_FINDINGS,
    VIEW_LOGS,
    VIEW_SENDS, /* beside the contract: peers that clients asked their relays to reach */
    VIEW_TLS_SESSIONS,
    VIEWS
};
const char *query_view_name(enum query_view v);

/* Unset: TICK_NONE, NULL, 0. Every filter that a view has no column for is ignored. */
struct query_filter {
    tick_t since, until; /* rows whose time span touches [since, until] */
    const char *user;    /* part of caller or callee, case-insensitive */
    const char *call;    /* call_id exactly */
    const char *addr;    /* any address column (src, dst, public, client, relay ...) */
    const char *verdict, *finding;
    int64_t id;         /* row id (failures, attempts, calls, allocations) */
    int64_t failure_id; /* attempts, packets, findings of one failure */
    bool with_info;     /* failures: also severity 'info' */
    int64_t limit;
    const char *partner; /* failures: address of the far end, or a domain of either user */
    const char *grade;   /* failures, calls */
    int64_t after_id;    /* failures: rows of larger ids, 0 = all */
};

/* NULL on error: query_error(). rows_next: 1 row, 0 end, -1 error. Texts live until the next call.
 */
struct rows *query_view(struct query_db *db, enum query_view v, const struct query_filter *f);
int rows_next(struct rows *r);
void rows_close(struct rows *r);
int rows_columns(const struct rows *r);
const char *rows_name(const struct rows *r, int column);
enum rows_type { ROWS_NULL, ROWS_INT, ROWS_REAL, ROWS_TEXT, ROWS_BLOB };
enum rows_type rows_type(struct rows *r, int column);
int64_t rows_int(struct rows *r, int column);
double rows_real(struct rows *r, int column);
const char *rows_text(struct rows *r, int column); /* NULL for NULL */
const void *rows_blob(struct rows *r, int column, size_t *n);
/* Column by its name, -1 if there is none. */
int rows_find(const struct rows *r, const char *name);
const char *query_error(const struct query_db *db);

/* What is asked from now on ends with an error after ms, locks included (0: no limit). For servers:
 * a question that is too big must not keep others waiting. */
void query_limit(struct query_db *db, int64_t ms);
/* Did the last question fail because of that? */
bool query_expired(const struct query_db *db);
/* A number that changes whenever somebody else has written; -1 on error. */
int64_t query_version(struct query_db *db);

/* Figures of a summary, each grouped and counted in SQL (report/summary.c). Parameters are since,
 * until. Columns are documented in statements_sum.c beside each text. */
enum query_sum {
    SUM_TOTALS,
    SUM_BY_PARTNER,
    SUM_BY_EDGE,
    SUM_BY_LEG,
    SUM_BY_VERDICT,
    SUM_BY_CANDIDATE,
    SUM_BY_PORT_RANGE,
    SUM_BY_HOUR,
    SUM_UNREACHABLE,      /* partners to which nothing connected, by range of ports */
    SUM_HEAT,             /* attempts by partner and range of ports */
    SUM_PARTNER_DETAIL,   /* failures by partner, Edge, leg, verdict */
    SUM_PARTNER_FINDINGS, /* findings by partner */
    SUM_FINDINGS,
    SUM_TABLE_LIMIT, /* open connections of an Edge against timeouts */
    SUM_HEALTH,
    SUM_BLIND,          /* stretches of time with drops */
    SUM_NEW_PARTNERS,   /* failing now, not in the seven days before */
    SUM_ENDED_PARTNERS, /* failed in the seven days before, not now */
    SUM_LAST,           /* time of the last packet, whatever the period */
    SUMS
};
struct rows *query_sum(struct query_db *db, enum query_sum s, tick_t since, tick_t until);

/* Between these two every query sees the database as it was at the first. 0 or -1. */
int query_begin(struct query_db *db);
int query_end(struct query_db *db);

#endif
