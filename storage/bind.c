/* Values of a row, and how SQLite gets them. */
#include "storage/bind.h"

#include <stdlib.h>

#include "storage/text.h"

/* A text that was mended, as long as the row is lent. */
struct bind_clean {
    struct bind_clean *next;
    char text[];
};

void bind_free(struct binds *b)
{
    while (b->clean) {
        struct bind_clean *next = b->clean->next;
        free(b->clean);
        b->clean = next;
    }
}

void bind_start(struct binds *b)
{
    bind_free(b);
    b->n = b->used = 0;
}

void bind_to(const struct binds *b, sqlite3_stmt *s)
{
    for (unsigned i = 0; i < b->n; i++) {
        const struct cell *c = &b->cell[i];
        int at = (int)i + 1;
        switch ((enum cell_kind)c->kind) {
        case CELL_NULL:
            sqlite3_bind_null(s, at);
            break;
        case CELL_INT:
            sqlite3_bind_int64(s, at, c->i);
            break;
        case CELL_TEXT:
            sqlite3_bind_text64(s, at, c->p, c->n, SQLITE_STATIC, SQLITE_UTF8);
            break;
        case CELL_BLOB:
            sqlite3_bind_blob64(s, at, c->p, c->n, SQLITE_STATIC);
            break;
        }
    }
}

void bind_result(const struct cell *c, sqlite3_context *out)
{
    switch ((enum cell_kind)c->kind) {
    case CELL_NULL: /* as it is */
        break;
    case CELL_INT:
        sqlite3_result_int64(out, c->i);
        break;
    case CELL_TEXT:
        sqlite3_result_text64(out, c->p, c->n, SQLITE_STATIC, SQLITE_UTF8);
        break;
    case CELL_BLOB:
        sqlite3_result_blob64(out, c->p, c->n, SQLITE_STATIC);
        break;
    }
}

/* First byte that is no UTF-8, or the end. */
static size_t good_prefix(const uint8_t *s, size_t n)
{
    size_t i = 0;
    while (i < n) {
        size_t step = n - i >= 8 && text_ascii(s + i) ? 8
                      : s[i] < 0x80                   ? 1
                                                      : text_utf8(s + i, n - i);
        if (!step)
            break;
        i += step;
    }
    return i;
}

/* NULL without memory */
static char *kept_copy(struct binds *b, const char *s, size_t n)
{
    struct bind_clean *c = malloc(sizeof *c + n);
    if (!c)
        return NULL;
    c->next = b->clean;
    b->clean = c;
    return memcpy(c->text, s, n);
}

void bind_text(struct binds *b, const char *s)
{
    size_t n = s ? strlen(s) : 0;
    size_t good = good_prefix((const uint8_t *)s, n);
    char *clean = good < n ? kept_copy(b, s, n) : NULL;
    if (n == 0 || (good < n && !clean)) {
        bind_null(b);
        return;
    }
    while (clean && good < n) {
        clean[good] = '?';
        good += good_prefix((const uint8_t *)clean + good, n - good);
    }
    bind_chars(b, clean ? clean : s, n);
}

static char *scratch(struct binds *b)
{
    return b->scratch[b->used++ % BIND_SCRATCH];
}

void bind_addr(struct binds *b, const struct addr *a)
{
    char *out = scratch(b);
    size_t n = text_of_addr(a, out);
    if (n)
        bind_chars(b, out, n);
    else
        bind_null(b);
}

void bind_endpoint(struct binds *b, const struct endpoint *e)
{
    bind_addr(b, &e->addr);
    bind_nonzero(b, e->port);
}

void bind_endpoint_text(struct binds *b, const struct endpoint *e)
{
    bind_word(b, e ? endpoint_text(e, scratch(b)) : NULL);
}
