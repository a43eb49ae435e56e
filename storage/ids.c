/* Row ids in chunks. */
#include "storage/ids.h"

#include <stdio.h>
#include <stdlib.h>

enum { CHUNK = 4096 };

struct ids_taken {
    enum ids_kind kind;
    size_t chunk;
};

static const char *const kind_name[IDS_KINDS] = {
    [IDS_FAILURE] = "failure",       [IDS_ATTEMPT] = "attempt", [IDS_CALL] = "call",
    [IDS_ALLOCATION] = "allocation", [IDS_TLS] = "tls_session",
};

/* First of n new ids, -1 on failure. */
static int64_t take(struct db *db, enum ids_kind kind, int n)
{
    char sql[200];
    int64_t next;
    snprintf(sql, sizeof sql,
             "INSERT INTO next_id VALUES ('%s', %d) ON CONFLICT (kind) DO UPDATE SET "
             "next = next + %d RETURNING next",
             kind_name[kind], n + 1, n);
    return db_int(db, sql, -1, &next) ? -1 : next - n;
}

static int grow(struct ids *ids, enum ids_kind kind, size_t chunk)
{
    if (chunk < ids->room[kind])
        return 0;
    size_t room = chunk * 2 + 16;
    int64_t *p = realloc(ids->base[kind], room * sizeof *p);
    if (!p)
        return -1;
    memset(p + ids->room[kind], 0, (room - ids->room[kind]) * sizeof *p);
    ids->base[kind] = p;
    ids->room[kind] = room;
    return 0;
}

static int note(struct ids *ids, enum ids_kind kind, size_t chunk)
{
    if (ids->n_taken == ids->room_taken) {
        size_t room = ids->room_taken * 2 + 16;
        struct ids_taken *p = realloc(ids->taken, room * sizeof *p);
        if (!p)
            return -1;
        ids->taken = p;
        ids->room_taken = room;
    }
    ids->taken[ids->n_taken++] = (struct ids_taken){kind, chunk};
    return 0;
}

void ids_keep(struct ids *ids)
{
    ids->n_taken = 0;
}

void ids_undo(struct ids *ids)
{
    for (size_t i = 0; i < ids->n_taken; i++) {
        int64_t *base = &ids->base[ids->taken[i].kind][ids->taken[i].chunk];
        if (ids->last_base[ids->taken[i].kind] == *base)
            ids->last_base[ids->taken[i].kind] = 0;
        *base = 0;
    }
    ids->n_taken = 0;
}

int64_t ids_row(struct ids *ids, struct db *db, enum ids_kind kind, int64_t engine)
{
    size_t chunk = (size_t)(engine - 1) / CHUNK;
    if (grow(ids, kind, chunk))
        return db_no_memory(db);
    if (!ids->base[kind][chunk]) {
        if (note(ids, kind, chunk))
            return db_no_memory(db);
        int64_t base = take(db, kind, CHUNK);
        if (base < 0)
            return -1;
        ids->base[kind][chunk] = ids->last_base[kind] = base;
    }
    int64_t row = ids->base[kind][chunk] + (engine - 1) % CHUNK;
    if (row > ids->top[kind])
        ids->top[kind] = row;
    return row;
}

int64_t ids_extra(struct db *db, enum ids_kind kind)
{
    return take(db, kind, 1);
}

int ids_release(struct ids *ids, struct db *db)
{
    for (int k = 0; k < IDS_KINDS; k++) {
        char sql[160];
        if (!ids->last_base[k])
            continue;
        snprintf(sql, sizeof sql,
                 "UPDATE next_id SET next = %lld WHERE kind = '%s' AND next = %lld",
                 (long long)ids->top[k] + 1, kind_name[k], (long long)ids->last_base[k] + CHUNK);
        if (db_exec(db, sql))
            return -1;
    }
    return 0;
}

void ids_free(struct ids *ids)
{
    for (int k = 0; k < IDS_KINDS; k++)
        free(ids->base[k]);
    free(ids->taken);
    *ids = (struct ids){0};
}
