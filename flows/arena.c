/* Chunked arenas. Chunks of the usual size return to the pool; larger ones to the system. */
#include "flows/arena.h"
#include "flows/memory.h"

#include <stdlib.h>

/* A usual call takes three (its own record, each side's dozen candidates); with 2048 bytes it was
 * four to six kB instead of three, times 25,000 calls at once. */
enum { CHUNK = 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* whole, this header included */
};

void arena_pool_init(struct arena_pool *p, size_t cap_bytes)
{
    *p = (struct arena_pool){.cap_bytes = cap_bytes};
    pool_init(&p->chunks, CHUNK);
}

void arena_pool_clear(struct arena_pool *p)
{
    pool_clear(&p->chunks);
}

void arena_init(struct arena *a, struct arena_pool *p)
{
    *a = (struct arena){.pool = p};
}

static struct arena_chunk *chunk_new(struct arena_pool *p, size_t size)
{
    struct arena_chunk *c = NULL;
    if (p->held + size <= p->cap_bytes)
        c = size == CHUNK ? pool_take(&p->chunks) : memory_got(malloc(size));
    if (!c) {
        p->refused++;
        return NULL;
    }
    p->held += size;
    c->size = size;
    return c;
}

/* Not zeroed. */
static void *room_for(struct arena *a, size_t n)
{
    n = (n + 7) & ~(size_t)7;
    if (n > a->left) {
        size_t size =
            n + sizeof(struct arena_chunk) <= CHUNK ? CHUNK : n + sizeof(struct arena_chunk);
        struct arena_chunk *c = chunk_new(a->pool, size);
        if (!c)
            return NULL;
        c->next = a->first;
        a->first = c;
        a->left = size - sizeof *c;
    }
    uint8_t *at = (uint8_t *)a->first + a->first->size - a->left;
    a->left -= n;
    return at;
}

void *arena_get(struct arena *a, size_t n)
{
    void *at = room_for(a, n);
    return at ? memset(at, 0, (n + 7) & ~(size_t)7) : NULL;
}

/* Copies the bytes at the front that stay as they are, as far as whole words of input tell. */
static size_t copy_plain(char *out, const uint8_t *in, size_t n)
{
    size_t used = 0;
    while (n - used >= 8) {
        uint64_t w = text_word(in + used);
        uint64_t marks = text_below(w, ' ' + 1) | text_equal(w, 0x7f);
        memcpy(out + used, in + used, 8);
        if (marks)
            return used + text_first(marks);
        used += 8;
    }
    return used;
}

char *arena_text(struct arena *a, struct slice s, size_t max)
{
    s = slice_trim(s);
    size_t n = s.n < max ? s.n : max, used = 0;
    char *out = room_for(a, n + 1);
    if (!out)
        return NULL;
    for (size_t i = 0; i < n;) {
        size_t plain = copy_plain(out + used, s.p + i, n - i);
        used += plain, i += plain;
        if (i == n)
            break;
        uint8_t c = s.p[i++];
        bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (blank && used && out[used - 1] == ' ')
            continue;
        out[used++] = blank ? ' ' : c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    out[used] = 0;
    return out;
}

void arena_free(struct arena *a)
{
    while (a->first) {
        struct arena_chunk *c = a->first;
        a->first = c->next;
        a->pool->held -= c->size;
        if (c->size == CHUNK)
            pool_give(&a->pool->chunks, c);
        else
            free(c);
    }
    a->left = 0;
}

void arena_prefetch(const struct arena *a)
{
    for (const struct arena_chunk *c = a->first; c; c = c->next)
        for (size_t at = 64; at < CHUNK; at += 64)
            __builtin_prefetch((const char *)c + at);
}
