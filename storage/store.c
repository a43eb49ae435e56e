/* Records into rows: which file makes what, and the small kinds. */
#include "storage/store_inner.h"

#include <stdio.h>
#include <stdlib.h>

struct binds *store_bind(struct store *s)
{
    bind_start(&s->binds);
    return &s->binds;
}

int store_run(struct store *s, enum write_sql which)
{
    return db_run_with(&s->db, s->sql[which], &s->binds);
}

int store_begin(struct store *s)
{
    s->first = s->last = TICK_NONE;
    s->rows.row = &s->binds;
    return rowset_open(&s->db, &s->rows) || write_sql_prepare(&s->db, s->sql) ? -1 : 0;
}

void store_end(struct store *s)
{
    write_sql_finalize(s->sql);
    ids_free(&s->ids);
    for (int i = 0; i < 3; i++)
        text_free(&s->json[i]);
    text_free(&s->bytes);
    bind_free(&s->binds);
    for (int i = 0; i < SHELVES; i++)
        shelf_free(&s->shelf[i]);
    free(s->crowded);
    pending_free(&s->pending);
}

static void saw(struct store *s, tick_t t)
{
    if (t == TICK_NONE)
        return;
    if (s->first == TICK_NONE || t < s->first)
        s->first = t;
    if (s->last == TICK_NONE || t > s->last)
        s->last = t;
}

int64_t store_row_of(struct store *s, enum ids_kind kind, int64_t engine)
{
    return engine > 0 ? ids_row(&s->ids, &s->db, kind, engine) : 0;
}

/* ---- counters ---- */

static int store_traffic(struct store *s, const struct traffic_row *r)
{
    char net[NET_TEXT];
    struct binds *b = store_bind(s);
    bind_int(b, s->run);
    bind_tick(b, r->hour);
    bind_addr(b, &r->src);
    bind_word(b, text_of_net(&r->dst_net, net));
    bind_int(b, r->port_from);
    bind_int(b, r->port_to);
    bind_word(b, store_proto(r->proto));
    bind_int(b, r->connected);
    bind_int(b, r->refused);
    bind_int(b, r->timeout);
    bind_int(b, r->other);
    return store_run(s, WRITE_TRAFFIC);
}

static int store_interface(struct store *s, int number, const char *name)
{
    struct binds *b = store_bind(s);
    bind_int(b, s->run);
    bind_int(b, number);
    bind_text(b, name);
    return store_run(s, WRITE_INTERFACE);
}

static int store_health(struct store *s, const struct record_health *r)
{
    const struct health_row *h = &r->row;
    const uint64_t counts[] = {h->packets,    h->bytes,         h->kernel_drops,    h->nic_drops,
                               h->ring_drops, h->decode_errors, h->table_evictions, h->stream_gaps,
                               r->queue_lost, h->duplicates,    h->one_way_flows,   h->aggregated,
                               h->not_ip,     h->fragments,     h->handled};
    const uint64_t shed[] = {h->shed_cut, h->shed_dropped};
    if (h->iface >= 0 && r->interface && store_interface(s, h->iface, r->interface))
        return -1;
    struct binds *b = store_bind(s);
    bind_int(b, s->run);
    bind_text(b, r->interface);
    bind_tick(b, h->from);
    bind_tick(b, h->to);
    for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++)
        bind_int(b, (int64_t)counts[i]);
    bind_text(b, h->event);
    for (unsigned i = 0; i < sizeof shed / sizeof *shed; i++)
        bind_int(b, (int64_t)shed[i]);
    saw(s, h->from);
    saw(s, h->to);
    return store_run(s, WRITE_HEALTH);
}

int store_relay(struct store *s, const struct addr *a)
{
    struct endpoint e = {.addr = *a};
    struct addr *known = &s->relays[endpoint_hash(&e, 1) % STORE_RELAYS];
    if (addr_none(a) || addr_eq(known, a))
        return 0;
    *known = *a;
    bind_addr(store_bind(s), a);
    return store_run(s, WRITE_RELAY);
}

static int store_alias(struct store *s, const struct fact_alias *a)
{
    if (store_relay(s, &a->private_addr) || store_relay(s, &a->public_addr))
        return -1;
    struct binds *b = store_bind(s);
    bind_addr(b, &a->private_addr);
    bind_addr(b, &a->public_addr);
    bind_int(b, s->run);
    if (a->configured && store_run(s, WRITE_ALIAS_OVER))
        return -1;
    b = store_bind(s);
    bind_addr(b, &a->private_addr);
    bind_addr(b, &a->public_addr);
    bind_int(b, a->configured ? s->run : 0);
    bind_int(b, a->ports_seen);
    return store_run(s, WRITE_ALIAS);
}

static int store_trouble(struct store *s, const struct relay_trouble *t)
{
    struct binds *b = store_bind(s);
    bind_int(b, s->run);
    bind_endpoint(b, &t->client);
    bind_endpoint(b, &t->server);
    bind_tick(b, t->first);
    bind_tick(b, t->last);
    bind_word(b, verdict_name((enum verdict)t->verdict));
    bind_int(b, t->isn);
    bind_int(b, t->instead);
    bind_int(b, t->signaling);
    bind_text(b, t->detail);
    bind_text(b, t->partner);
    return store_run(s, WRITE_TROUBLE);
}

static int store_feed(struct store *s, const struct feed_log *l)
{
    static const char *const kinds[FEED_KINDS] = {[FEED_HEP] = "hep", [FEED_SDN] = "sdn"};
    struct binds *b = store_bind(s);
    bind_int(b, s->run);
    bind_text(b, l->name);
    bind_word(b, kinds[l->kind]);
    bind_tick(b, l->first);
    bind_tick(b, l->last);
    bind_int(b, (int64_t)l->messages);
    bind_int(b, (int64_t)l->calls);
    bind_tick(b, l->behind_most);
    return store_run(s, WRITE_FEED);
}

static int store_log(struct store *s, const struct sip_log *l)
{
    struct binds *b = store_bind(s);
    if (s->log_row)
        bind_int(b, s->log_row);
    else
        bind_null(b);
    bind_int(b, s->run);
    bind_text(b, l->file);
    bind_word(b, l->kind);
    bind_tick(b, l->first);
    bind_tick(b, l->last);
    bind_int(b, (int64_t)l->messages);
    bind_int(b, (int64_t)l->calls);
    if (l->fingerprint)
        bind_int(b, (int64_t)l->fingerprint);
    else
        bind_null(b);
    saw(s, l->first);
    saw(s, l->last);
    if (store_run(s, WRITE_LOG))
        return -1;
    if (!s->log_row)
        s->log_row = sqlite3_last_insert_rowid(s->db.handle);
    return 0;
}

/* ---- all ---- */

/* Its ids become those of rows. */
static int with_rows(struct store *s, struct record_failure *r, struct failure_row *out)
{
    struct failure *f = &r->failure;
    int64_t engine = f->id, row = store_row_of(s, IDS_FAILURE, engine);
    int64_t attempt = store_row_of(s, IDS_ATTEMPT, (int64_t)f->attempt);
    f->call_row = store_row_of(s, IDS_CALL, f->call_row);
    f->allocation_row = store_row_of(s, IDS_ALLOCATION, f->allocation_row);
    f->attempt = (uint64_t)attempt;
    if (row < 0 || attempt < 0 || f->call_row < 0 || f->allocation_row < 0)
        return -1;
    *out = (struct failure_row){row, s->run, r, engine <= s->top_failure};
    if (!out->again)
        s->top_failure = engine;
    return 0;
}

static int store_pending(struct store *s)
{
    struct failure_row list[BATCH_ROWS];
    unsigned n = 0;
    int result = 0;
    for (unsigned i = 0; i < s->pending.n && result == 0; i++) {
        struct record_failure *r = pending_at(&s->pending, i);
        if (!r)
            continue;
        result = with_rows(s, r, &list[n]) ? -1 : 0;
        if (result == 0 && ++n == BATCH_ROWS) {
            result = store_failures(s, list, n);
            n = 0;
        }
    }
    if (result == 0)
        result = store_failures(s, list, n);
    pending_clear(&s->pending);
    return result;
}

/* Too many wait, or there is no memory for one more. */
static int store_now(struct store *s, const struct record_failure *record)
{
    struct record_failure r = *record;
    struct failure_row row;
    return store_pending(s) || with_rows(s, &r, &row) || store_failures(s, &row, 1) ? -1 : 0;
}

int store_record(struct store *s, enum record_kind kind, const void *record)
{
    switch (kind) {
    case RECORD_ATTEMPT:
        saw(s, ((const struct record_attempt *)record)->attempt.first);
        saw(s, ((const struct record_attempt *)record)->attempt.last);
        return store_attempt(s, record);
    case RECORD_LINK:
        return store_link(s, record);
    case RECORD_CALL:
        return store_call(s, record);
    case RECORD_ALLOCATION:
        return store_allocation(s, record);
    case RECORD_ALIAS:
        return store_alias(s, record);
    case RECORD_FAILURE:
        return pending_put(&s->pending, record) ? 0 : store_now(s, record);
    case RECORD_GONE:
        return store_gone(s, *(const int64_t *)record);
    case RECORD_TRAFFIC:
        return store_traffic(s, record);
    case RECORD_HEALTH:
        return store_health(s, record);
    case RECORD_TROUBLE:
        return store_trouble(s, record);
    case RECORD_FEED:
        return store_feed(s, record);
    case RECORD_LOG:
        return store_log(s, record);
    case RECORD_TLS:
        return store_tls(s, record);
    case RECORD_ADVANCE:
        saw(s, *(const tick_t *)record);
        return 0;
    case RECORDS:
        break;
    }
    return 0;
}

int store_settle_batch(struct store *s)
{
    if (store_flush(s) || store_unshelve(s) || store_pending(s))
        return -1;
    for (size_t i = 0; i < s->n_crowded; i++) {
        struct binds *b = store_bind(s);
        bind_int(b, s->crowded[i]);
        bind_int(b, EVIDENCE_PER_FAILURE);
        if (store_run(s, WRITE_EVIDENCE_CAP))
            return -1;
    }
    s->n_crowded = 0;
    if (s->first == TICK_NONE)
        return 0;
    struct binds *b = store_bind(s);
    bind_tick(b, s->first);
    bind_tick(b, s->last);
    bind_int(b, s->run);
    return store_run(s, WRITE_RUN_SPAN);
}

void store_keep(struct store *s)
{
    ids_keep(&s->ids);
}

void store_undo(struct store *s)
{
    ids_undo(&s->ids);
    store_forget(s);
    pending_clear(&s->pending);
    memset(s->relays, 0, sizeof s->relays);
    s->n_crowded = 0;
}

int store_run_span(struct store *s, int64_t *first, int64_t *last)
{
    char sql[80];
    snprintf(sql, sizeof sql, "SELECT first_us FROM run WHERE id = %lld", (long long)s->run);
    if (db_int(&s->db, sql, 0, first))
        return -1;
    snprintf(sql, sizeof sql, "SELECT last_us FROM run WHERE id = %lld", (long long)s->run);
    return db_int(&s->db, sql, 0, last);
}
