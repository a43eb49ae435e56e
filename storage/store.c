/* Records into rows: all but failures (store_failure.c), calls and allocations (store_facts.c). */
#include "storage/store.h"

#include <stdio.h>
#include <stdlib.h>

struct binds *store_bind(struct store *s, enum write_sql which)
{
    bind_start(&s->binds, s->sql[which]);
    return &s->binds;
}

int store_run(struct store *s, enum write_sql which)
{
    return db_run(&s->db, s->sql[which]);
}

int store_begin(struct store *s)
{
    s->first = s->last = TICK_NONE;
    return write_sql_prepare(&s->db, s->sql);
}

void store_end(struct store *s)
{
    write_sql_finalize(s->sql);
    ids_free(&s->ids);
    for (int i = 0; i < 3; i++)
        text_free(&s->json[i]);
    text_free(&s->bytes);
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

/* ---- attempts and their packets ---- */

/* 0 stays 0: unknown */
static int64_t row_of(struct store *s, enum ids_kind kind, int64_t engine)
{
    return engine > 0 ? ids_row(&s->ids, &s->db, kind, engine) : 0;
}

const char *store_proto(uint8_t proto)
{
    return proto == PROTO_UDP ? "UDP" : "TCP";
}

static int store_evidence(struct store *s, int64_t row, const struct evidence *ev, unsigned n)
{
    struct text *list = &s->json[0], *bytes = &s->bytes;
    list->n = bytes->n = 0;
    for (unsigned i = 0; i < n; i++) {
        const int64_t item[] = {ev[i].time / TICK_US, ev[i].iface, ev[i].linktype,
                                ev[i].caplen,         ev[i].len,   (int64_t)bytes->n};
        for (unsigned k = 0; k < sizeof item / sizeof *item; k++) {
            text_put(list, k ? "," : i ? ",[" : "[[");
            text_int(list, item[k]);
        }
        text_put(list, "]");
        text_raw(bytes, (const char *)ev[i].bytes, ev[i].caplen);
    }
    text_put(list, "]");
    struct binds *b = store_bind(s, WRITE_EVIDENCE);
    bind_int(b, row);
    bind_int(b, s->run);
    bind_int(b, n);
    bind_chars(b, list->p, list->n);
    bind_bytes(b, bytes->p, bytes->n);
    if (list->failed || bytes->failed)
        return db_no_memory(&s->db);
    return store_run(s, WRITE_EVIDENCE);
}

static int store_attempt(struct store *s, const struct record_attempt *r)
{
    const struct attempt *a = &r->attempt;
    int64_t row = ids_row(&s->ids, &s->db, IDS_ATTEMPT, (int64_t)a->id);
    if (row < 0)
        return -1;
    struct binds *b = store_bind(s, WRITE_ATTEMPT);
    bind_int(b, row);
    bind_int(b, s->run);
    bind_endpoint(b, &a->src);
    bind_endpoint(b, &a->dst);
    bind_word(b, store_proto(a->proto));
    bind_int(b, a->isn);
    bind_word(b, verdict_name((enum verdict)a->verdict));
    bind_word(b, quality_name((enum quality)a->quality));
    bind_int(b, a->peek_out | a->peek_in << 4);
    bind_int(b, a->wanted);
    bind_int(b, a->syns);
    bind_int(b, a->synacks);
    bind_int(b, a->rsts);
    bind_tick(b, a->first);
    bind_tick(b, a->last);
    bind_known(b, a->rtt_us);
    bind_known(b, a->answer_ttl);
    bind_known(b, a->answer_ipid);
    bind_known(b, a->icmp_type);
    bind_known(b, a->icmp_code);
    bind_addr(b, &a->icmp_from);
    bind_int(b, (int64_t)a->bytes_out);
    bind_int(b, (int64_t)a->bytes_in);
    bind_int(b, a->concurrency);
    saw(s, a->first);
    saw(s, a->last);
    if (store_run(s, WRITE_ATTEMPT))
        return -1;
    /* evidence is for what failed */
    return a->verdict == VERDICT_CONNECTED || !r->n ? 0 : store_evidence(s, row, r->evidence, r->n);
}

int store_link(struct store *s, int64_t attempt_row, int64_t failure_row)
{
    struct binds *b = store_bind(s, WRITE_LINK);
    bind_int(b, attempt_row);
    bind_int(b, s->run);
    if (failure_row)
        bind_int(b, failure_row);
    else
        bind_null(b);
    return store_run(s, WRITE_LINK);
}

/* What has no attempt of its own (trouble above TCP) has no link either. */
static int store_linked(struct store *s, const struct record_link *r)
{
    int64_t attempt = row_of(s, IDS_ATTEMPT, (int64_t)r->attempt);
    int64_t failure = row_of(s, IDS_FAILURE, r->failure);
    if (attempt < 0 || failure < 0)
        return -1;
    if (!attempt)
        return 0;
    return store_link(s, attempt, failure);
}

/* ---- counters ---- */

static int store_traffic(struct store *s, const struct traffic_row *r)
{
    char net[NET_TEXT];
    struct binds *b = store_bind(s, WRITE_TRAFFIC);
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
    struct binds *b = store_bind(s, WRITE_INTERFACE);
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
    struct binds *b = store_bind(s, WRITE_HEALTH);
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
    bind_addr(store_bind(s, WRITE_RELAY), a);
    return store_run(s, WRITE_RELAY);
}

static int store_alias(struct store *s, const struct fact_alias *a)
{
    if (store_relay(s, &a->private_addr) || store_relay(s, &a->public_addr))
        return -1;
    struct binds *b = store_bind(s, WRITE_ALIAS_OVER);
    bind_addr(b, &a->private_addr);
    bind_addr(b, &a->public_addr);
    bind_int(b, s->run);
    if (a->configured && store_run(s, WRITE_ALIAS_OVER))
        return -1;
    b = store_bind(s, WRITE_ALIAS);
    bind_addr(b, &a->private_addr);
    bind_addr(b, &a->public_addr);
    bind_int(b, a->configured ? s->run : 0);
    bind_int(b, a->ports_seen);
    return store_run(s, WRITE_ALIAS);
}

static int store_trouble(struct store *s, const struct relay_trouble *t)
{
    struct binds *b = store_bind(s, WRITE_TROUBLE);
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
    struct binds *b = store_bind(s, WRITE_FEED);
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
    struct binds *b = store_bind(s, WRITE_LOG);
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

static int store_told(struct store *s, const struct record_failure *record)
{
    struct record_failure r = *record;
    struct failure *f = &r.failure;
    int64_t row = row_of(s, IDS_FAILURE, f->id);
    int64_t attempt = row_of(s, IDS_ATTEMPT, (int64_t)f->attempt);
    f->call_row = row_of(s, IDS_CALL, f->call_row);
    f->allocation_row = row_of(s, IDS_ALLOCATION, f->allocation_row);
    f->attempt = (uint64_t)attempt;
    if (row < 0 || attempt < 0 || f->call_row < 0 || f->allocation_row < 0)
        return -1;
    bool again = record->failure.id <= s->top_failure;
    if (!again)
        s->top_failure = record->failure.id;
    return store_failure_row(s, row, s->run, &r, again);
}

static int store_pending(struct store *s)
{
    int result = 0;
    for (unsigned i = 0; i < s->pending.n && result == 0; i++) {
        const struct record_failure *r = pending_at(&s->pending, i);
        result = r ? store_told(s, r) : 0;
    }
    pending_clear(&s->pending);
    return result;
}

static int store_new_failure(struct store *s, const struct record_failure *r)
{
    if (pending_put(&s->pending, r))
        return 0;
    return store_pending(s) || store_told(s, r) ? -1 : 0;
}

int store_record(struct store *s, enum record_kind kind, const void *record)
{
    switch (kind) {
    case RECORD_ATTEMPT:
        return store_attempt(s, record);
    case RECORD_LINK:
        return store_linked(s, record);
    case RECORD_CALL:
        return store_call(s, record);
    case RECORD_ALLOCATION:
        return store_allocation(s, record);
    case RECORD_ALIAS:
        return store_alias(s, record);
    case RECORD_FAILURE:
        return store_new_failure(s, record);
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
    if (store_pending(s))
        return -1;
    for (size_t i = 0; i < s->n_crowded; i++) {
        struct binds *b = store_bind(s, WRITE_EVIDENCE_CAP);
        bind_int(b, s->crowded[i]);
        bind_int(b, EVIDENCE_PER_FAILURE);
        if (store_run(s, WRITE_EVIDENCE_CAP))
            return -1;
    }
    s->n_crowded = 0;
    if (s->first == TICK_NONE)
        return 0;
    struct binds *b = store_bind(s, WRITE_RUN_SPAN);
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
