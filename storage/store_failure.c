/* Failures and their findings into rows. */
#include "storage/store_inner.h"

#include <stdlib.h>

static int crowded(struct store *s, int64_t row)
{
    if (s->n_crowded == s->room_crowded) {
        size_t room = s->room_crowded * 2 + 64;
        int64_t *p = realloc(s->crowded, room * sizeof *p);
        if (!p)
            return db_no_memory(&s->db);
        s->crowded = p;
        s->room_crowded = room;
    }
    s->crowded[s->n_crowded++] = row;
    return 0;
}

/* Of a relay port or a medium nobody counts requests: 0 is unknown then. */
static void bind_count(struct binds *b, const struct failure *f, uint32_t n)
{
    bool counted = f->verdict != VERDICT_ALLOC_FAIL && f->verdict != VERDICT_NOT_TRIED &&
                   f->verdict != VERDICT_UNSEEN;
    if (n || counted)
        bind_int(b, n);
    else
        bind_null(b);
}

static void bind_failure_pair(struct binds *b, const struct failure *f)
{
    bind_word(b, leg_name((enum leg)f->leg));
    bind_word(b, store_proto(f->proto));
    bind_word(b, verdict_name((enum verdict)f->verdict));
    bind_int(b, f->info);
    bind_endpoint(b, &f->src);
    bind_addr(b, &f->src_public);
    bind_endpoint(b, &f->dst);
    bind_addr(b, &f->dst_public);
    bind_int(b, f->attempts);
    bind_count(b, f, f->syns);
    bind_count(b, f, f->rsts);
    bind_known(b, f->rtt_us);
    bind_known(b, f->icmp_type);
    bind_known(b, f->icmp_code);
    bind_addr(b, &f->icmp_from);
}

static void bind_row(struct binds *b, int64_t row)
{
    if (row > 0)
        bind_int(b, row);
    else
        bind_null(b);
}

struct walk {
    const struct failure_row *list;
    unsigned n, at, finding; /* which comes next */
    char keys[160];
};

static enum rowset_next next_failure(void *arg, struct binds *b)
{
    struct walk *w = arg;
    if (w->at == w->n)
        return ROWSET_END;
    const struct failure_row *row = &w->list[w->at++];
    const struct failure *f = &row->r->failure;
    bind_int(b, row->row);
    bind_int(b, (int64_t)f->event_id);
    bind_int(b, row->run);
    bind_tick(b, f->first);
    bind_tick(b, f->last);
    bind_failure_pair(b, f);
    bind_chars(b, &f->grade, f->grade ? 1 : 0);
    bind_word(b, match_keys_text(f->keys, w->keys));
    bind_word(b, confidence_name((enum confidence)f->confidence));
    bind_text(b, f->call_id);
    bind_text(b, f->caller);
    bind_text(b, f->callee);
    bind_text(b, f->medium);
    bind_text(b, f->local_candidate);
    bind_text(b, f->remote_candidate);
    bind_endpoint(b, &f->client);
    bind_word(b, f->finding);
    bind_text(b, f->explanation);
    bind_text(b, f->advice);
    bind_word(b, quality_name((enum quality)f->quality));
    bind_row(b, f->call_row);
    bind_row(b, f->allocation_row);
    bind_row(b, (int64_t)f->attempt);
    bind_nonzero(b, f->error_code);
    bind_text(b, f->partner);
    return ROWSET_ONE;
}

static enum rowset_next next_finding(void *arg, struct binds *b)
{
    struct walk *w = arg;
    for (; w->at < w->n && w->finding == w->list[w->at].r->n; w->at++)
        w->finding = 0;
    if (w->at == w->n)
        return ROWSET_END;
    const struct record_finding *f = &w->list[w->at].r->list[w->finding];
    bind_int(b, w->list[w->at].row);
    bind_int(b, w->finding++);
    bind_word(b, f->code);
    bind_word(b, f->likely ? "likely" : "possible");
    bind_text(b, f->evidence);
    bind_text(b, f->advice);
    return ROWSET_ONE;
}

int store_failures(struct store *s, const struct failure_row *list, unsigned n)
{
    struct walk failures = {.list = list, .n = n}, findings = failures;
    for (unsigned i = 0; i < n; i++)
        if (list[i].r->failure.attempts * ATTEMPT_MAX_EVIDENCE > EVIDENCE_PER_FAILURE &&
            crowded(s, list[i].row))
            return -1;
    if (n && (rowset_run(&s->db, s->sql[WRITE_FAILURE], &s->rows, next_failure, &failures) ||
              rowset_run(&s->db, s->sql[WRITE_FINDING], &s->rows, next_finding, &findings)))
        return -1;
    for (unsigned i = 0; i < n; i++) {
        if (!list[i].again)
            continue;
        struct binds *b = store_bind(s);
        bind_int(b, list[i].row);
        bind_int(b, list[i].r->n);
        if (store_run(s, WRITE_FINDINGS_REST))
            return -1;
    }
    return 0;
}

int store_failure(struct store *s, int64_t row, int64_t run, const struct record_failure *r)
{
    return store_failures(s, &(struct failure_row){row, run, r, true}, 1);
}

int store_gone(struct store *s, int64_t engine)
{
    static const enum write_sql steps[] = {WRITE_FAILURE_GONE, WRITE_FINDINGS_GONE, WRITE_UNLINK};
    pending_drop(&s->pending, engine);
    if (engine > s->top_failure)
        return 0; /* nobody has heard of it */
    int64_t row = ids_row(&s->ids, &s->db, IDS_FAILURE, engine);
    if (store_flush(s)) /* attempts are linked to it */
        return -1;
    for (unsigned i = 0; row > 0 && i < sizeof steps / sizeof *steps; i++) {
        bind_int(store_bind(s), row);
        if (store_run(s, steps[i]))
            return -1;
    }
    return row > 0 ? 0 : -1;
}
