/* Failures and their findings into rows. */
#include "storage/store.h"

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

static int store_findings(struct store *s, int64_t row, const struct record_failure *r, bool again)
{
    for (unsigned i = 0; i < r->n; i++) {
        struct binds *b = store_bind(s, WRITE_FINDING);
        bind_int(b, row);
        bind_int(b, i);
        bind_word(b, r->list[i].code);
        bind_word(b, r->list[i].likely ? "likely" : "possible");
        bind_text(b, r->list[i].evidence);
        bind_text(b, r->list[i].advice);
        if (store_run(s, WRITE_FINDING))
            return -1;
    }
    if (!again)
        return 0;
    struct binds *b = store_bind(s, WRITE_FINDINGS_REST);
    bind_int(b, row);
    bind_int(b, r->n);
    return store_run(s, WRITE_FINDINGS_REST);
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

int store_failure_row(struct store *s, int64_t row, int64_t run, const struct record_failure *r,
                      bool again)
{
    const struct failure *f = &r->failure;
    char keys[160];
    struct binds *b = store_bind(s, WRITE_FAILURE);
    bind_int(b, row);
    bind_int(b, (int64_t)f->event_id);
    bind_int(b, run);
    bind_tick(b, f->first);
    bind_tick(b, f->last);
    bind_failure_pair(b, f);
    bind_chars(b, &f->grade, f->grade ? 1 : 0);
    bind_word(b, match_keys_text(f->keys, keys));
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
    if (f->error_code)
        bind_int(b, f->error_code);
    else
        bind_null(b);
    bind_text(b, f->partner);
    if (f->attempts * ATTEMPT_MAX_EVIDENCE > EVIDENCE_PER_FAILURE && crowded(s, row))
        return -1;
    return store_run(s, WRITE_FAILURE) ? -1 : store_findings(s, row, r, again);
}

int store_failure(struct store *s, int64_t row, int64_t run, const struct record_failure *r)
{
    return store_failure_row(s, row, run, r, true);
}

int store_gone(struct store *s, int64_t engine)
{
    static const enum write_sql steps[] = {WRITE_FAILURE_GONE, WRITE_FINDINGS_GONE, WRITE_UNLINK};
    pending_drop(&s->pending, engine);
    if (engine > s->top_failure)
        return 0; /* nobody has heard of it */
    int64_t row = ids_row(&s->ids, &s->db, IDS_FAILURE, engine);
    for (unsigned i = 0; row > 0 && i < sizeof steps / sizeof *steps; i++) {
        bind_int(store_bind(s, steps[i]), row);
        if (store_run(s, steps[i]))
            return -1;
    }
    return row > 0 ? 0 : -1;
}
