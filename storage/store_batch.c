/* Records of a block that are held back, so that those of a kind are written by one statement. */
#include "storage/store_inner.h"

static const struct {
    enum write_sql sql;
    bool (*row)(struct store *s, struct binds *b, const struct batch_row *r);
} kinds[BATCHES] = {
    [BATCH_CALL] = {WRITE_CALL, store_call_row},
    [BATCH_SDP] = {WRITE_SDP, store_sdp_row},
    [BATCH_ALLOCATION] = {WRITE_ALLOCATION, store_allocation_row},
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
}

int store_hold(struct store *s, enum batch_kind kind, int64_t row, const void *record)
{
    struct batch *b = &s->batch[kind];
    if (b->n == BATCH_ROWS && store_flush(s))
        return -1;
    b->list[b->n++] = (struct batch_row){.row = row, .record = record};
    return 0;
}
