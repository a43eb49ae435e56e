/* Typed binds in order: absent things become SQL NULL, foreign bytes become UTF-8. */
#include "storage/db.h"
#include "storage/text.h"

#include <stdlib.h>

void bind_start(struct binds *b, sqlite3_stmt *s)
{
    b->s = s;
    b->at = 1;
    b->used = 0;
}

void bind_int(struct binds *b, int64_t v)
{
    sqlite3_bind_int64(b->s, b->at++, v);
}

void bind_null(struct binds *b)
{
    sqlite3_bind_null(b->s, b->at++);
}

void bind_known(struct binds *b, int64_t v)
{
    if (v < 0)
        bind_null(b);
    else
        bind_int(b, v);
}

void bind_chars(struct binds *b, const char *p, size_t n)
{
    sqlite3_bind_text64(b->s, b->at++, p, n, SQLITE_STATIC, SQLITE_UTF8);
}

void bind_word(struct binds *b, const char *s)
{
    if (s && *s)
        bind_chars(b, s, strlen(s));
    else
        bind_null(b);
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

void bind_text(struct binds *b, const char *s)
{
    size_t n = s ? strlen(s) : 0;
    size_t good = good_prefix((const uint8_t *)s, n);
    if (n == 0) {
        bind_null(b);
        return;
    }
    if (good == n) {
        bind_chars(b, s, n);
        return;
    }
    char *clean = strdup(s);
    while (clean && good < n) {
        clean[good] = '?';
        good += good_prefix((const uint8_t *)clean + good, n - good);
    }
    if (clean)
        sqlite3_bind_text64(b->s, b->at++, clean, n, free, SQLITE_UTF8);
    else
        bind_null(b);
}

void bind_bytes(struct binds *b, const void *p, size_t n)
{
    sqlite3_bind_blob64(b->s, b->at++, p, n, SQLITE_STATIC);
}

void bind_tick(struct binds *b, tick_t t)
{
    if (t == TICK_NONE)
        bind_null(b);
    else
        bind_int(b, t / TICK_US);
}

void bind_addr(struct binds *b, const struct addr *a)
{
    char *out = b->scratch[b->used++ % DB_SCRATCH];
    size_t n = text_of_addr(a, out);
    if (n)
        bind_chars(b, out, n);
    else
        bind_null(b);
}

void bind_endpoint(struct binds *b, const struct endpoint *e)
{
    bind_addr(b, &e->addr);
    if (e->port)
        bind_int(b, e->port);
    else
        bind_null(b);
}
