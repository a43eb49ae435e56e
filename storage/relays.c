/* Known relays out of the database. See relays.h. */
#include "storage/relays.h"

#include <stdlib.h>
#include <string.h>

static const char addrs_sql[] = "SELECT addr FROM relay_addr ORDER BY addr";

/* Of an address with several aliases, the first row is the one that counts. */
static const char names_sql[] = "SELECT private_addr, public_addr FROM alias"
                                " WHERE private_addr IS NOT NULL AND public_addr IS NOT NULL"
                                " ORDER BY private_addr, configured DESC, ports_seen DESC";

/* One more of size bytes behind the n there are; NULL without memory. */
static void *one_more(struct db *db, void *list, size_t n, size_t size)
{
    if (n & (n - 1)) /* room for the next power of two */
        return list;
    void *p = realloc(list, (n ? n * 2 : 1) * size);
    if (!p)
        (void)db_no_memory(db);
    return p;
}

static char *copy(sqlite3_stmt *q, int column)
{
    const char *text = (const char *)sqlite3_column_text(q, column);
    return strdup(text ? text : "");
}

static int take_addr(struct relays *r, struct db *db, sqlite3_stmt *q)
{
    char **p = one_more(db, r->addrs, r->n_addrs, sizeof *p);
    if (!p)
        return -1;
    r->addrs = p;
    p[r->n_addrs] = copy(q, 0);
    return p[r->n_addrs] ? (r->n_addrs++, 0) : db_no_memory(db);
}

static int take_name(struct relays *r, struct db *db, sqlite3_stmt *q)
{
    const char *addr = (const char *)sqlite3_column_text(q, 0);
    if (r->n_names && addr && strcmp(r->names[r->n_names - 1].addr, addr) == 0)
        return 0;
    struct relay_name *p = one_more(db, r->names, r->n_names, sizeof *p);
    if (!p)
        return -1;
    r->names = p;
    struct relay_name *name = &p[r->n_names++];
    *name = (struct relay_name){copy(q, 0), copy(q, 1)};
    return name->addr && name->public_addr ? 0 : db_no_memory(db);
}

static int each(struct relays *r, struct db *db, const char *sql,
                int (*take)(struct relays *, struct db *, sqlite3_stmt *))
{
    sqlite3_stmt *q = db_prepare(db, sql);
    int rc = SQLITE_ERROR, result = 0;
    if (!q)
        return -1;
    while (result == 0 && (rc = sqlite3_step(q)) == SQLITE_ROW)
        result = take(r, db, q);
    if (result == 0 && rc != SQLITE_DONE)
        result = db_fault(db, "read");
    sqlite3_finalize(q);
    return result;
}

int relays_load(struct relays *r, struct db *db)
{
    *r = (struct relays){.n_addrs = 0};
    return each(r, db, addrs_sql, take_addr) || each(r, db, names_sql, take_name) ? -1 : 0;
}

void relays_free(struct relays *r)
{
    for (size_t i = 0; i < r->n_addrs; i++)
        free(r->addrs[i]);
    for (size_t i = 0; i < r->n_names; i++) {
        free(r->names[i].addr);
        free(r->names[i].public_addr);
    }
    free(r->addrs);
    free(r->names);
    *r = (struct relays){.n_addrs = 0};
}

static int compare_addr(const void *key, const void *entry)
{
    return strcmp(key, *(char *const *)entry);
}

static int compare_name(const void *key, const void *entry)
{
    return strcmp(key, ((const struct relay_name *)entry)->addr);
}

bool relays_has(const struct relays *r, const char *addr)
{
    return addr && r->n_addrs &&
           bsearch(addr, r->addrs, r->n_addrs, sizeof *r->addrs, compare_addr);
}

const char *relays_public(const struct relays *r, const char *addr)
{
    const struct relay_name *n =
        addr && r->n_names ? bsearch(addr, r->names, r->n_names, sizeof *r->names, compare_name)
                           : NULL;
    return n ? n->public_addr : NULL;
}
