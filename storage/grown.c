/* Indexes of large tables, and their lists of users. */
#include "storage/grown.h"

#include <stdio.h>
#include <string.h>

#define HOUR "3600000000"
/* Rows that the index of their beginning does not find: what lasts long, has not ended, has no
 * beginning. They are few. */
#define SPANS(table)                                                                      \
    {table, table "_long", "(ended_us, started_us) WHERE ended_us - started_us > " HOUR}, \
        {table, table "_open", "(started_us, run_id) WHERE ended_us IS NULL"},            \
    {                                                                                     \
        table, table "_undated", "(started_us) WHERE started_us IS NULL"                  \
    }
/* as the view health has it */
#define FROM_TIME                                                   \
    "strftime('%Y-%m-%dT%H:%M:%S', from_us / 1000000, 'unixepoch')" \
    " || printf('.%06dZ', from_us % 1000000)"

/* clang-format off */
/* A part of a user is looked for among different users, who are few at a site. Each is listed once, as
 * long as a row has him: what retention takes away is in no list either. A row written over goes by
 * these, too (recursive_triggers; another program's may leave a name, which then finds nothing). */
#define ENTER(table, who) \
    "INSERT INTO " table "_user SELECT NEW." who " WHERE NEW." who " IS NOT NULL" \
    " AND NOT EXISTS (SELECT 1 FROM " table "_user WHERE name = NEW." who ");"
#define LEAVE(table, who) \
    "DELETE FROM " table "_user WHERE name = OLD." who \
    " AND NOT EXISTS (SELECT 1 FROM " table " WHERE caller = OLD." who ")" \
    " AND NOT EXISTS (SELECT 1 FROM " table " WHERE callee = OLD." who ");"
/* those there are, by leaps through the index */
#define LEAPS(table, who) \
    "INSERT OR IGNORE INTO " table "_user WITH RECURSIVE each(u) AS (SELECT min(" who ") FROM " table \
    " UNION ALL SELECT (SELECT min(" who ") FROM " table " WHERE " who " > u) FROM each" \
    " WHERE u IS NOT NULL) SELECT u FROM each WHERE u IS NOT NULL;"
#define USERS(table) \
    "CREATE TABLE " table "_user(name TEXT PRIMARY KEY) WITHOUT ROWID;" \
    LEAPS(table, "caller") LEAPS(table, "callee") \
    "CREATE TRIGGER " table "_user_in AFTER INSERT ON " table " BEGIN " \
    ENTER(table, "caller") ENTER(table, "callee") "END;" \
    "CREATE TRIGGER " table "_user_out AFTER DELETE ON " table " BEGIN " \
    LEAVE(table, "caller") LEAVE(table, "callee") "END;" \
    "CREATE TRIGGER " table "_user_change AFTER UPDATE OF caller, callee ON " table " BEGIN " \
    ENTER(table, "caller") ENTER(table, "callee") LEAVE(table, "caller") LEAVE(table, "callee") \
    "END;"

static const struct grown {
    const char *table, *name, *what; /* what: columns of the table, or of another one if it says
                                        which, or the statements that make it */
} list[] = {
    {"failure", "failure_long", "(last_us, first_us) WHERE last_us - first_us > " HOUR},
    {"failure", "failure_caller", "(caller)"},
    {"failure", "failure_callee", "(callee)"},
    {"failure", "failure_call", "(call_id)"},
    {"failure", "failure_src", "(src_addr)"},
    {"failure", "failure_public", "(src_public)"},
    {"failure", "failure_dst", "(dst_addr)"},
    {"failure", "failure_client", "(client_addr)"},
    {"failure", "failure_icmp", "(icmp_from) WHERE icmp_from IS NOT NULL"},
    {"failure", "failure_allocation", "(allocation_row) WHERE allocation_row IS NOT NULL"},
    {"failure", "failure_verdict", "(verdict, first_us)"},
    {"failure", "failure_finding", "(finding)"},
    {"failure", "finding_code", "finding(code)"},
    {"failure", "failure_user", USERS("failure")},
    SPANS("call"),
    {"call", "call_caller", "(caller)"},
    {"call", "call_callee", "(callee)"},
    {"call", "call_name", "(call_id)"},
    {"call", "call_user", USERS("call")},
    SPANS("allocation"),
    {"allocation", "allocation_client", "(client_addr)"},
    {"allocation", "allocation_server", "(server_addr)"},
    {"allocation", "allocation_relay", "(relay_addr)"},
    {"allocation", "allocation_wire", "(wire_addr)"},
    {"allocation", "allocation_reflexive", "(reflexive_addr)"},
    {"health_span", "health_time", "(" FROM_TIME ")"},
};
/* clang-format on */
enum { LIST = sizeof list / sizeof *list };

static int there(struct db *db, const char *name, bool *yes)
{
    char sql[160];
    int64_t n;
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM sqlite_schema WHERE type IN ('index', 'table') AND name = '%s'",
             name);
    if (db_int(db, sql, 0, &n))
        return -1;
    *yes = n > 0;
    return 0;
}

/* Ids count up, so the highest one tells how many rows there are or were. */
static int large(struct db *db, const char *table, bool *yes)
{
    char sql[96];
    int64_t top;
    snprintf(sql, sizeof sql, "SELECT max(rowid) FROM \"%s\"", table);
    if (db_int(db, sql, 0, &top))
        return -1;
    *yes = top >= GROWN_ROWS;
    return 0;
}

/* Another process may have made it while this one waited to write. */
static int make_users(struct db *db, const struct grown *g)
{
    bool has = true;
    int result = db_begin(db) || there(db, g->name, &has) ||
                         (!has && (db_exec(db, g->what) || db_commit(db)))
                     ? -1
                     : 0;
    db_rollback(db);
    return result;
}

static int make(struct db *db, const struct grown *g)
{
    char sql[320];
    if (strncmp(g->what, "CREATE", 6) == 0)
        return make_users(db, g);
    snprintf(sql, sizeof sql, "CREATE INDEX IF NOT EXISTS %s ON %s%s", g->name,
             g->what[0] == '(' ? g->table : "", g->what);
    return db_exec(db, sql);
}

int grown_step(struct db *db, bool *made)
{
    const char *table = "";
    bool wanted = false, has;
    *made = false;
    for (int i = 0; i < LIST; i++) {
        if (strcmp(table, list[i].table) != 0 && large(db, table = list[i].table, &wanted))
            return -1;
        if (!wanted)
            continue;
        if (there(db, list[i].name, &has))
            return -1;
        if (has)
            continue;
        *made = true;
        return make(db, &list[i]);
    }
    return 0;
}

/* They are made in order. */
bool grown_has(struct db *db, const char *table)
{
    const char *last = NULL;
    bool has = false;
    for (int i = 0; i < LIST; i++)
        if (strcmp(list[i].table, table) == 0)
            last = list[i].name;
    return last && there(db, last, &has) == 0 && has;
}
