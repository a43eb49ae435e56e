/* Indexes of large tables. */
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
static const struct grown {
    const char *table, *name, *what; /* what: columns, of another table than the one that is large
                                        if it says which */
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
    SPANS("call"),
    {"call", "call_caller", "(caller)"},
    {"call", "call_callee", "(callee)"},
    {"call", "call_name", "(call_id)"},
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
             "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name = '%s'", name);
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

static int make(struct db *db, const struct grown *g)
{
    char sql[320];
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
