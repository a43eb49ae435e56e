/* One pass over the failures of a period: a table of groups in memory, and a slim row of each. */
#include "storage/period_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* 4 MiB of groups; when they are all taken, they are written, and it begins anew. */
enum { SLOTS = 1 << 16, MOST_GROUPS = SLOTS / 4 * 3, PORTS = 65536 };

/* The columns of raw_text, in its order. */
enum {
    ID,
    FIRST_US,
    LAST_US,
    ATTEMPTS,
    SYNS,
    LOSSY,
    INFO,
    DST_PORT,
    PEER_PORT,
    CALL_ID,
    INBOUND,
    LEG,
    PARTNER,
    SRC_ADDR,
    SRC_PUBLIC,
    DST_ADDR,
    DST_PUBLIC,
    CALLER,
    CALLEE,
    TRANSPORT, /* from here on: not of a group of the week before */
    VERDICT,
    LOCAL,
    REMOTE,
};

/* + leaves the index of last_us: of a large database the end of a period is mostly its end, too. */
#define WITHIN " FROM failure_ends WHERE +first_us <= ?1 AND last_us >= ?2"
#define ENDS "inbound, leg, partner, src_addr, src_public, dst_addr, dst_public, caller, callee"
static const char raw_text[] =
    "SELECT id, first_us, last_us, attempts, syns, quality = 'lossy', info, dst_port,"
    " CASE WHEN inbound THEN src_port ELSE dst_port END, call_id, " ENDS
    ", transport, verdict, local_candidate, remote_candidate" WITHIN;
static const char raw_partners[] =
    "SELECT id, first_us, last_us, 0, 0, 0, 0, NULL, NULL, NULL, " ENDS WITHIN " AND of_partner";

struct hash {
    uint64_t a, b; /* two of them: equal only for equal texts */
};

struct group {
    struct hash hash;
    int64_t key, failures, first_us, last_us, attempts, syns, lossy, example;
};

struct loader {
    struct db *db;
    struct hash seed; /* drawn: nobody can make texts that meet */
    struct group *groups;
    unsigned used;
    bool slim;
    uint16_t *stretch; /* of each port: between the ends of ranges that traffic is counted in */
    sqlite3_stmt *raw, *put_group, *put_row;
};

/* ---- hashes ---- */

static struct hash hash_text(struct hash h, const char *p, size_t n)
{
    uint8_t last[8] = {0};
    uint64_t v = n + 1; /* absent is 0 */
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t x = hash_load((const uint8_t *)p);
        h.a = hash_fold(h.a ^ x, UINT64_C(0x9e3779b97f4a7c15));
        h.b = hash_fold(h.b ^ x, UINT64_C(0xd6e8feb86659fd93)) + x;
    }
    memcpy(last, p, n);
    v = v << 56 ^ v ^ hash_load(last);
    h.a = hash_fold(h.a ^ v, UINT64_C(0xa0761d6478bd642f));
    h.b = hash_fold(h.b ^ v, UINT64_C(0xe7037ed1a0b428db)) + v;
    return h;
}

/* The text of a column as a group knows it: of a user its domain, of a candidate its kind. */
static struct hash hash_column(struct hash h, sqlite3_stmt *s, int column)
{
    const char *p = (const char *)sqlite3_column_text(s, column);
    size_t n = p ? (size_t)sqlite3_column_bytes(s, column) : 0;
    if (p && (column == CALLER || column == CALLEE)) {
        const char *at = memchr(p, '@', n);
        n = at ? n - (size_t)(at + 1 - p) : 0;
        p = at ? at + 1 : NULL;
    } else if (p && (column == LOCAL || column == REMOTE)) {
        while (n && memchr("0123456789abcdef.:[]", p[n - 1], 20))
            n--;
        while (n && p[n - 1] == ' ')
            n--;
    }
    return p ? hash_text(h, p, n) : hash_text(h, "\xff", 1); /* no UTF-8 text is that */
}

static uint64_t stretch_of(const struct loader *l, int column)
{
    int64_t port = sqlite3_column_int64(l->raw, column);
    return l->slim || port < 1 || port > PORTS - 1 ? 0 : l->stretch[port];
}

static struct hash hash_row(const struct loader *l)
{
    struct hash h = l->seed;
    int last = l->slim ? CALLEE : REMOTE;
    h.a ^= (uint64_t)sqlite3_column_int64(l->raw, INBOUND) << 1 |
           (uint64_t)sqlite3_column_int64(l->raw, INFO) << 2 | stretch_of(l, DST_PORT) << 16 |
           stretch_of(l, PEER_PORT) << 32;
    for (int c = LEG; c <= last; c++)
        h = hash_column(h, l->raw, c);
    return h;
}

/* ---- groups ---- */

static int put_ints(struct loader *l, sqlite3_stmt *s, const int64_t *v, int n)
{
    for (int i = 0; i < n; i++)
        sqlite3_bind_int64(s, i + 1, v[i]);
    return db_run(l->db, s);
}

static int write_groups(struct loader *l)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        const struct group *g = &l->groups[i];
        int64_t v[] = {g->key,      g->failures, g->first_us, g->last_us,
                       g->attempts, g->syns,     g->lossy,    g->example};
        if (g->failures && put_ints(l, l->put_group, v, sizeof v / sizeof *v) != 0)
            return -1;
    }
    memset(l->groups, 0, SLOTS * sizeof *l->groups);
    l->used = 0;
    return 0;
}

static struct group *group_of(struct loader *l, struct hash h)
{
    uint64_t i = h.a % SLOTS;
    while (l->groups[i].failures && (l->groups[i].hash.a != h.a || l->groups[i].hash.b != h.b))
        i = (i + 1) % SLOTS;
    return &l->groups[i];
}

static struct group *add_to_group(struct loader *l)
{
    sqlite3_stmt *s = l->raw;
    int64_t id = sqlite3_column_int64(s, ID), first = sqlite3_column_int64(s, FIRST_US),
            last = sqlite3_column_int64(s, LAST_US);
    struct hash h = hash_row(l);
    struct group *g = group_of(l, h);
    if (g->failures == 0) {
        if (l->used >= MOST_GROUPS) {
            if (write_groups(l) != 0)
                return NULL;
            g = group_of(l, h);
        }
        *g =
            (struct group){.hash = h, .key = id, .first_us = first, .last_us = last, .example = id};
        l->used++;
    }
    g->failures++;
    g->first_us = first < g->first_us ? first : g->first_us;
    g->last_us = last > g->last_us ? last : g->last_us;
    g->example = id < g->example ? id : g->example;
    g->attempts += sqlite3_column_int64(s, ATTEMPTS);
    g->syns += sqlite3_column_int64(s, SYNS);
    g->lossy += sqlite3_column_int64(s, LOSSY);
    return g;
}

static int put_row(struct loader *l, const struct group *g)
{
    sqlite3_stmt *s = l->raw, *put = l->put_row;
    sqlite3_bind_int64(put, 1, sqlite3_column_int64(s, ID));
    sqlite3_bind_int64(put, 2, g->key);
    sqlite3_bind_int64(put, 3, sqlite3_column_int64(s, INFO));
    sqlite3_bind_int64(put, 4, sqlite3_column_int64(s, FIRST_US));
    if (sqlite3_column_type(s, CALL_ID) == SQLITE_NULL)
        sqlite3_bind_null(put, 5);
    else
        sqlite3_bind_int64(put, 5, (int64_t)hash_column(l->seed, s, CALL_ID).b);
    return db_run(l->db, put);
}

/* ---- ports ---- */

/* Ports between two ends of ranges are in the same ranges, however those overlap. */
static int find_stretches(struct loader *l, const struct period_load *what)
{
    l->stretch = calloc(PORTS + 1, sizeof *l->stretch);
    sqlite3_stmt *s =
        db_prepare(l->db, "SELECT port_from, port_to + 1 FROM traffic_hour WHERE"
                          " hour_us <= ?1 AND hour_us > ?2 - 3600000000 GROUP BY 1, 2");
    int rc = l->stretch ? SQLITE_DONE : SQLITE_NOMEM;
    if (s && l->stretch) {
        sqlite3_bind_int64(s, 1, what->until_us);
        sqlite3_bind_int64(s, 2, what->since_us);
        while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
            l->stretch[sqlite3_column_int64(s, 0) & (PORTS - 1)] = 1;
            l->stretch[sqlite3_column_int64(s, 1) & (PORTS - 1)] = 1;
        }
    }
    int result = !s                   ? -1
                 : rc == SQLITE_DONE  ? 0
                 : rc == SQLITE_NOMEM ? db_no_memory(l->db)
                                      : db_fault(l->db, "read");
    sqlite3_finalize(s);
    for (unsigned i = 1; l->stretch && i < PORTS; i++)
        l->stretch[i] = (uint16_t)(l->stretch[i] + l->stretch[i - 1]);
    return result;
}

/* ---- the whole ---- */

static int go_through(struct loader *l)
{
    int rc;
    while ((rc = sqlite3_step(l->raw)) == SQLITE_ROW) {
        const struct group *g = add_to_group(l);
        if (!g || (!l->slim && put_row(l, g) != 0))
            return -1;
    }
    return rc == SQLITE_DONE ? write_groups(l) : db_fault(l->db, "read");
}

static sqlite3_stmt *prepare(struct db *db, const char *form, const char *table)
{
    char sql[160];
    snprintf(sql, sizeof sql, form, table);
    return db_prepare(db, sql);
}

static int load(struct loader *l, const struct period_load *load)
{
    l->slim = !load->rows;
    l->raw = db_prepare(l->db, l->slim ? raw_partners : raw_text);
    l->put_group =
        prepare(l->db, "INSERT INTO temp.%s VALUES (?, ?, ?, ?, ?, ?, ?, ?)", load->counts);
    if (!l->slim)
        l->put_row = prepare(l->db, "INSERT INTO temp.%s VALUES (?, ?, ?, ?, ?)", load->rows);
    if (!l->slim && find_stretches(l, load) != 0)
        return -1;
    if (!l->raw || !l->put_group || (!l->slim && !l->put_row))
        return -1;
    sqlite3_bind_int64(l->raw, 1, load->until_us);
    sqlite3_bind_int64(l->raw, 2, load->since_us);
    return go_through(l);
}

int period_load(struct db *db, const struct period_load *what)
{
    struct loader l = {.db = db, .groups = calloc(SLOTS, sizeof *l.groups)};
    if (!l.groups || getrandom(&l.seed, sizeof l.seed, 0) != sizeof l.seed) {
        free(l.groups);
        return db_no_memory(db);
    }
    int result = load(&l, what);
    sqlite3_finalize(l.raw);
    sqlite3_finalize(l.put_group);
    sqlite3_finalize(l.put_row);
    free(l.groups);
    free(l.stretch);
    return result;
}
