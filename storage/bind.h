/*
 * One row's values in the order of its columns, lent until the row is written: the parameters of a
 * statement, or a row of a batch (rowset.h). Absent things (NULL, TICK_NONE, address none, port 0)
 * are SQL NULL, foreign bytes become UTF-8.
 */
#ifndef EW_STORAGE_BIND_H
#define EW_STORAGE_BIND_H

#include <sqlite3.h>

#include "capture/endpoint.h"
#include "capture/tick.h"

enum { BIND_CELLS = 44, BIND_SCRATCH = 12 };
enum cell_kind { CELL_NULL, CELL_INT, CELL_TEXT, CELL_BLOB };

struct cell {
    uint8_t kind; /* enum cell_kind */
    uint32_t n;   /* bytes at p */
    union {
        int64_t i;
        const void *p;
    };
};

struct binds {
    unsigned n, used; /* cells; places of scratch */
    struct cell cell[BIND_CELLS];
    char scratch[BIND_SCRATCH][ENDPOINT_TEXT];
    struct bind_clean *clean; /* texts that had to be mended */
};

/* Begins a row: what the last one lent is over. Zeroed before the first time. */
void bind_start(struct binds *b);
void bind_free(struct binds *b);
/* The row as parameters of a statement, for its next step. */
void bind_to(const struct binds *b, sqlite3_stmt *s);
/* A cell as what a function or a virtual table gives. */
void bind_result(const struct cell *c, sqlite3_context *out);

static inline void bind_int(struct binds *b, int64_t v)
{
    b->cell[b->n++] = (struct cell){.kind = CELL_INT, .i = v};
}

static inline void bind_null(struct binds *b)
{
    b->cell[b->n++].kind = CELL_NULL;
}

/* NULL if v is negative */
static inline void bind_known(struct binds *b, int64_t v)
{
    if (v < 0)
        bind_null(b);
    else
        bind_int(b, v);
}

/* NULL if v is 0 */
static inline void bind_nonzero(struct binds *b, int64_t v)
{
    if (v)
        bind_int(b, v);
    else
        bind_null(b);
}

static inline void bind_chars(struct binds *b, const char *p, size_t n)
{
    b->cell[b->n++] = (struct cell){.kind = CELL_TEXT, .n = (uint32_t)n, .p = p};
}

static inline void bind_bytes(struct binds *b, const void *p, size_t n)
{
    b->cell[b->n++] = (struct cell){.kind = CELL_BLOB, .n = (uint32_t)n, .p = p};
}

/* literals and texts known to be UTF-8 */
static inline void bind_word(struct binds *b, const char *s)
{
    if (s && *s)
        bind_chars(b, s, strlen(s));
    else
        bind_null(b);
}

static inline void bind_tick(struct binds *b, tick_t t)
{
    if (t == TICK_NONE)
        bind_null(b);
    else
        bind_int(b, t / TICK_US);
}

/* texts from outside: bytes that are no UTF-8 are replaced; "" is NULL */
void bind_text(struct binds *b, const char *s);
void bind_addr(struct binds *b, const struct addr *a);
void bind_endpoint(struct binds *b, const struct endpoint *e); /* two cells */
/* one cell, "addr:port"; NULL for NULL */
void bind_endpoint_text(struct binds *b, const struct endpoint *e);

#endif
