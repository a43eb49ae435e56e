/* What is held back, so that all of a kind are written by one statement: records of a block, and
 * rows of a transaction. */
#include "storage/store_inner.h"

static const struct {
    enum write_sql sql;
    bool (*row)(struct store *s, struct binds *b, const struct batch_row *r);
} kinds[BATCHES] = {
    [BATCH_SDP] = {WRITE_SDP, store_sdp_row},
    [BATCH_ATTEMPT] = {WRITE_ATTEMPT, store_attempt_row},
    [BATCH_LINK] = {WRITE_LINK, store_link_row}, /* of attempts that are there by then */
    [BATCH_EVIDENCE] = {WRITE_EVIDENCE, store_evidence_row},
};

struct walk {
    struct store *s;
    enum batch_kind kind;
    unsigned at;
};

static enum rowset_next next_row(void *arg, struct binds *row)
{
    struct walk *w = arg;
    const struct batch *b = &w->s->batch[w->kind];
    if (w->at == b->n)
        return ROWSET_END;
    return kinds[w->kind].row(w->s, row, &b->list[w->at++]) ? ROWSET_ONE : ROWSET_NO_MEMORY;
}

static int write_kind(struct store *s, enum batch_kind kind)
{
    struct walk w = {s, kind, 0};
    if (!s->batch[kind].n)
        return 0;
    int result = rowset_run(&s->db, s->sql[kinds[kind].sql], &s->rows, next_row, &w);
    s->batch[kind].n = 0; /* what cannot be written is not tried again with what can */
    return result;
}

int store_flush(struct store *s)
{
    for (int kind = 0; kind < BATCHES; kind++)
        if (write_kind(s, (enum batch_kind)kind))
            return -1;
    return 0;
}

void store_forget(struct store *s)
{
    for (int kind = 0; kind < BATCHES; kind++)
        s->batch[kind].n = 0;
    for (int kind = 0; kind < SHELVES; kind++)
        shelf_clear(&s->shelf[kind]);
}

/* ---- shelves ---- */

enum { SHELF_BYTES = 4 << 20 }; /* then they are emptied before the transaction ends */

struct shelf_walk {
    const struct shelf *shelf;
    size_t at;
};

static enum rowset_next next_on_shelf(void *arg, struct binds *row)
{
    struct shelf_walk *w = arg;
    if (w->at == w->shelf->n)
        return ROWSET_END;
    shelf_row(w->shelf, w->at++, row);
    return ROWSET_ONE;
}

int store_unshelve(struct store *s)
{
    static const enum write_sql sql[SHELVES] = {
        [SHELF_CALL] = WRITE_CALL,
        [SHELF_ALLOCATION] = WRITE_ALLOCATION,
    };
    int result = 0;
    for (int kind = 0; kind < SHELVES && result == 0; kind++) {
        struct shelf_walk w = {&s->shelf[kind], 0};
        if (!w.shelf->n)
            continue;
        shelf_sort(&s->shelf[kind]);
        result = rowset_run(&s->db, s->sql[sql[kind]], &s->rows, next_on_shelf, &w);
        shelf_clear(&s->shelf[kind]);
    }
    return result;
}

int store_shelve(struct store *s, enum shelf_kind kind, int64_t row)
{
    if (!shelf_put(&s->shelf[kind], row, &s->binds))
        return db_no_memory(&s->db);
    return s->shelf[kind].bytes.n < SHELF_BYTES ? 0 : store_unshelve(s);
}

int store_hold(struct store *s, enum batch_kind kind, int64_t row, const void *record)
{
    struct batch *b = &s->batch[kind];
    if (b->n == BATCH_ROWS && store_flush(s))
        return -1;
    b->list[b->n++] = (struct batch_row){.row = row, .record = record};
    return 0;
}
