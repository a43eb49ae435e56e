/*
 * Rows one behind the other: [kind, value] for each cell, without padding. A value is an integer of
 * 8 bytes, or the length in 4 and the bytes of a text or blob.
 */
#include "storage/shelf.h"

#include <stdlib.h>

struct shelf_place {
    int64_t row;
    size_t at, n; /* in bytes; cells */
};

static bool room_for_one(struct shelf *s)
{
    if (s->n < s->room)
        return true;
    size_t room = s->room * 2 + 256;
    struct shelf_place *p = realloc(s->list, room * sizeof *p);
    if (!p)
        return false;
    s->list = p;
    s->room = room;
    return true;
}

static void put_cell(struct text *t, const struct cell *c)
{
    text_raw(t, (const char *)&c->kind, sizeof c->kind);
    if (c->kind == CELL_INT)
        text_raw(t, (const char *)&c->i, sizeof c->i);
    if (c->kind != CELL_TEXT && c->kind != CELL_BLOB)
        return;
    text_raw(t, (const char *)&c->n, sizeof c->n);
    text_raw(t, c->p, c->n);
}

bool shelf_put(struct shelf *s, int64_t row, const struct binds *b)
{
    size_t at = s->bytes.n;
    if (!room_for_one(s))
        return false;
    for (unsigned i = 0; i < b->n; i++)
        put_cell(&s->bytes, &b->cell[i]);
    if (s->bytes.failed) {
        s->bytes.failed = false;
        s->bytes.n = at;
        return false;
    }
    s->list[s->n++] = (struct shelf_place){row, at, b->n};
    return true;
}

static int compare(const void *pa, const void *pb)
{
    const struct shelf_place *a = pa, *b = pb;
    if (a->row != b->row)
        return a->row < b->row ? -1 : 1;
    return a->at < b->at ? -1 : 1;
}

void shelf_sort(struct shelf *s)
{
    if (s->n)
        qsort(s->list, s->n, sizeof *s->list, compare);
}

static const char *take_cell(const char *p, struct cell *c)
{
    memcpy(&c->kind, p, sizeof c->kind);
    p += sizeof c->kind;
    if (c->kind == CELL_INT) {
        memcpy(&c->i, p, sizeof c->i);
        return p + sizeof c->i;
    }
    if (c->kind != CELL_TEXT && c->kind != CELL_BLOB)
        return p;
    memcpy(&c->n, p, sizeof c->n);
    c->p = p + sizeof c->n;
    return p + sizeof c->n + c->n;
}

/* Sorted, they are at random places: the bytes of one that will be asked for soon. */
static void hint(const struct shelf *s, size_t i)
{
    enum { MOST = 320 };
    if (i >= s->n)
        return;
    const size_t from = s->list[i].at, end = from + MOST < s->bytes.n ? from + MOST : s->bytes.n;
    for (size_t at = from; at < end; at += 64)
        __builtin_prefetch(s->bytes.p + at);
}

void shelf_row(const struct shelf *s, size_t i, struct binds *out)
{
    const char *p = s->bytes.p + s->list[i].at;
    hint(s, i + 2);
    for (size_t k = 0; k < s->list[i].n; k++)
        p = take_cell(p, &out->cell[out->n++]);
}

void shelf_clear(struct shelf *s)
{
    s->n = s->bytes.n = 0;
}

void shelf_free(struct shelf *s)
{
    text_free(&s->bytes);
    free(s->list);
    *s = (struct shelf){0};
}
