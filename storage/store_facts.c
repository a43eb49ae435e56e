/* Calls and allocations into rows: what lists need in columns, the rest as compact JSON. */
#include "storage/facts_json.h"
#include "storage/store_inner.h"

const char *store_outcome(uint8_t outcome)
{
    static const char *const words[] = {
        [CALL_UNKNOWN] = "unknown",
        [CALL_CONNECTED] = "connected",
        [CALL_FAILED] = "failed",
    };
    return words[outcome];
}

/* The side's relay candidate of one medium: the default address if that is one, else the first. */
static const struct endpoint *relay_of(const struct fact_side *s)
{
    const struct endpoint *first = NULL;
    for (unsigned i = 0; s->present && i < s->n_candidates; i++) {
        const struct fact_candidate *k = &s->candidates[i];
        if (k->type != CAND_RELAY || addr_none(&k->at.addr))
            continue;
        if (endpoint_eq(&k->at, &s->preset))
            return &k->at;
        if (!first)
            first = &k->at;
    }
    return first;
}

/* Where relay lines are missing (excerpts, cut SDP) the default address is the relay of a Lync
 * client (P§2.3), if it is a public one of a host that no other candidate names. */
static const struct endpoint *default_relay_of(const struct fact_side *s)
{
    if (!s->present || !s->n_candidates || !s->preset.port || addr_none(&s->preset.addr) ||
        addr_is_private(&s->preset.addr))
        return NULL;
    for (unsigned i = 0; i < s->n_candidates; i++)
        if (s->candidates[i].dialect != DIALECT_DEFAULT &&
            addr_eq(&s->candidates[i].at.addr, &s->preset.addr))
            return NULL;
    return &s->preset;
}

static void bind_relay(struct binds *b, const struct fact_call *c, enum call_side side)
{
    const struct endpoint *relay = NULL;
    for (unsigned i = 0; !relay && i < c->n_media; i++)
        relay = relay_of(&c->media[i].side[side]);
    for (unsigned i = 0; !relay && i < c->n_media; i++)
        relay = default_relay_of(&c->media[i].side[side]);
    bind_endpoint_text(b, relay);
}

/* "audio,video": each word once, in SDP order. */
static void media_words(const struct fact_call *c, struct text *out)
{
    out->n = 0;
    for (unsigned i = 0; i < c->n_media; i++) {
        bool again = !c->media[i].medium;
        for (unsigned k = 0; !again && k < i; k++)
            again = c->media[k].medium && strcmp(c->media[k].medium, c->media[i].medium) == 0;
        if (again)
            continue;
        if (out->n)
            text_put(out, ",");
        text_put(out, c->media[i].medium);
    }
    text_raw(out, "", 1); /* NUL: bound as foreign text */
}

bool store_sdp_row(struct store *s, struct binds *b, const struct batch_row *held)
{
    const struct fact_call *c = held->record;
    bind_int(b, held->row);
    for (int i = 0; i < 3; i++) {
        struct text *t = &s->json[i];
        t->n = 0;
        bool any = i < 2 ? facts_json_side(t, c, (enum call_side)i) : facts_json_diags(t, c);
        if (t->failed)
            return false;
        if (any)
            bind_chars(b, t->p, t->n);
        else
            bind_null(b);
    }
    bind_nonzero(b, s->log_row ? s->run : 0);
    return true;
}

static bool call_row(struct store *s, struct binds *b, int64_t row, const struct fact_call *c)
{
    media_words(c, &s->bytes);
    bind_int(b, row);
    bind_int(b, s->run);
    bind_text(b, c->call_id);
    bind_text(b, c->caller);
    bind_text(b, c->callee);
    bind_text(b, c->conversation_id);
    bind_tick(b, c->started);
    bind_tick(b, c->answered);
    bind_tick(b, c->ended);
    bind_nonzero(b, c->status);
    bind_word(b, store_outcome(c->outcome));
    bind_text(b, s->bytes.p);
    bind_relay(b, c, SIDE_OFFER);
    bind_relay(b, c, SIDE_ANSWER);
    bind_word(b, c->n_media ? "A" : NULL);
    bind_text(b, c->origin);
    bind_int(b, c->media_failed_diag);
    return !s->bytes.failed;
}

int store_call(struct store *s, const struct fact_call *c)
{
    int64_t row = ids_row(&s->ids, &s->db, IDS_CALL, c->id);
    if (row < 0)
        return -1;
    if (!call_row(s, store_bind(s), row, c))
        return db_no_memory(&s->db);
    if (store_shelve(s, SHELF_CALL, row))
        return -1;
    return c->n_media || c->n_diags ? store_hold(s, BATCH_SDP, row, c) : 0;
}

static bool allocation_row(struct store *s, struct binds *b, int64_t row,
                           const struct fact_allocation *a)
{
    bind_int(b, row);
    bind_int(b, s->run);
    bind_endpoint(b, &a->client);
    bind_endpoint(b, &a->server);
    bind_word(b, store_proto(a->proto));
    bind_int(b, (a->granted ? ALLOCATION_GRANTED : 0) | (a->ms ? ALLOCATION_MS : 0) |
                    (a->heard ? ALLOCATION_HEARD : 0));
    bind_endpoint(b, &a->relay);
    bind_endpoint(b, &a->relay2);
    bind_addr(b, &a->wire_addr);
    bind_endpoint(b, &a->reflexive);
    bind_text(b, a->medium);
    bind_tick(b, a->started);
    bind_tick(b, a->ended);
    bind_word(b, a->end_reason);
    bind_nonzero(b, a->error_code);
    bind_int(b, a->requests);
    bind_text(b, a->call_id);
    if (a->has_connection_id)
        bind_bytes(b, a->connection_id, sizeof a->connection_id);
    else
        bind_null(b);
    bind_endpoint(b, &a->active);
    bind_tick(b, a->granted_at);
    struct text *sends = &s->json[0];
    sends->n = 0;
    if (facts_json_sends(sends, a))
        bind_chars(b, sends->p, sends->n);
    else
        bind_null(b);
    return !sends->failed;
}

int store_allocation(struct store *s, const struct fact_allocation *a)
{
    int64_t row = ids_row(&s->ids, &s->db, IDS_ALLOCATION, a->id);
    if (row < 0 || store_relay(s, &a->relay.addr) || store_relay(s, &a->relay2.addr) ||
        store_relay(s, &a->wire_addr))
        return -1;
    if (!allocation_row(s, store_bind(s), row, a))
        return db_no_memory(&s->db);
    return store_shelve(s, SHELF_ALLOCATION, row);
}
