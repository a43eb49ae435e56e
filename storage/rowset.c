/* The virtual table "batch": its one cursor walks along the rows once, from the first to the last.
 */
#include "storage/rowset.h"

#include <stdio.h>

struct rowset_table {
    sqlite3_vtab base;
    struct rowset *rows;
};

struct rowset_cursor {
    sqlite3_vtab_cursor base;
    struct rowset *rows;
    int64_t at;
    bool end;
};

char *rowset_columns(char *to, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        to += sprintf(to, i ? ", c%u" : "c%u", i);
    return to;
}

static int rowset_connect(sqlite3 *handle, void *arg, int argc, const char *const *argv,
                          sqlite3_vtab **out, char **why)
{
    char sql[32 + BIND_CELLS * 6] = "CREATE TABLE batch(";
    (void)argc, (void)argv, (void)why;
    strcpy(rowset_columns(sql + strlen(sql), BIND_CELLS), ")");
    struct rowset_table *t = sqlite3_malloc(sizeof *t);
    if (!t)
        return SQLITE_NOMEM;
    *t = (struct rowset_table){.rows = arg};
    int rc = sqlite3_declare_vtab(handle, sql);
    if (rc == SQLITE_OK)
        *out = &t->base;
    else
        sqlite3_free(t);
    return rc;
}

static int rowset_disconnect(sqlite3_vtab *table)
{
    sqlite3_free(table);
    return SQLITE_OK;
}

static int rowset_plan(sqlite3_vtab *table, sqlite3_index_info *info)
{
    (void)table;
    info->estimatedRows = 100; /* there is one way only */
    info->estimatedCost = 100;
    return SQLITE_OK;
}

static int rowset_open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
    struct rowset_cursor *c = sqlite3_malloc(sizeof *c);
    if (!c)
        return SQLITE_NOMEM;
    *c = (struct rowset_cursor){.rows = ((struct rowset_table *)table)->rows};
    *out = &c->base;
    return SQLITE_OK;
}

static int rowset_close_cursor(sqlite3_vtab_cursor *cursor)
{
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static int rowset_step(sqlite3_vtab_cursor *cursor)
{
    struct rowset_cursor *c = (struct rowset_cursor *)cursor;
    struct rowset *r = c->rows;
    bind_start(r->row);
    enum rowset_next next = r->next ? r->next(r->arg, r->row) : ROWSET_END;
    c->at++;
    c->end = next != ROWSET_ONE;
    return next == ROWSET_NO_MEMORY ? SQLITE_NOMEM : SQLITE_OK;
}

static int rowset_first(sqlite3_vtab_cursor *cursor, int plan, const char *name, int argc,
                        sqlite3_value **argv)
{
    (void)plan, (void)name, (void)argc, (void)argv;
    return rowset_step(cursor);
}

static int rowset_at_end(sqlite3_vtab_cursor *cursor)
{
    return ((struct rowset_cursor *)cursor)->end;
}

static int rowset_column(sqlite3_vtab_cursor *cursor, sqlite3_context *out, int column)
{
    const struct binds *row = ((struct rowset_cursor *)cursor)->rows->row;
    if ((unsigned)column < row->n)
        bind_result(&row->cell[column], out);
    return SQLITE_OK;
}

static int rowset_rowid(sqlite3_vtab_cursor *cursor, sqlite_int64 *out)
{
    *out = ((struct rowset_cursor *)cursor)->at;
    return SQLITE_OK;
}

int rowset_open(struct db *db, struct rowset *r)
{
    static const sqlite3_module module = {
        .xConnect = rowset_connect, /* no xCreate: it is there by its name alone */
        .xBestIndex = rowset_plan,
        .xDisconnect = rowset_disconnect,
        .xOpen = rowset_open_cursor,
        .xClose = rowset_close_cursor,
        .xFilter = rowset_first,
        .xNext = rowset_step,
        .xEof = rowset_at_end,
        .xColumn = rowset_column,
        .xRowid = rowset_rowid,
    };
    return sqlite3_create_module(db->handle, "batch", &module, r) == SQLITE_OK
               ? 0
               : db_fault(db, "prepare a statement");
}

int rowset_run(struct db *db, sqlite3_stmt *s, struct rowset *r, rowset_fn *next, void *arg)
{
    r->next = next;
    r->arg = arg;
    int result = db_run(db, s);
    r->next = NULL;
    return result;
}
