/* Memory that the joiner will need, asked for ahead: who owns the ends of an attempt is found at
 * random places, each of which says where the next one is; and what ends has waited for a minute
 * and is in no cache any more. */
#include "flows/joiner_state.h"
#include "flows/wire/sdp.h"

void joiner_hint(const struct joiner *j, const struct endpoint *src, const struct endpoint *dst,
                 struct joiner_hint *out)
{
    const struct endpoint *const wire[2] = {src, dst};
    for (int e = 0; e < 2; e++) {
        struct pair_end end;
        out->key[e] = 0;
        out->port[e] = wire[e]->port;
        if (!j->ports_known[wire[e]->port])
            continue;
        alias_resolve(j, wire[e], &end);
        out->key[e] = index_key(j, &end.pub);
        multimap_prefetch(&j->by_endpoint, multimap_tag(out->key[e]));
    }
}

static const struct multimap_slot *first(const struct joiner *j, const struct joiner_hint *h, int e)
{
    return h->key[e] ? multimap_first(&j->by_endpoint, h->key[e], h->port[e]) : NULL;
}

void joiner_hint_owners(const struct joiner *j, const struct joiner_hint *h)
{
    for (int e = 0; e < 2; e++)
        for (const struct multimap_slot *n = first(j, h, e); n;
             n = multimap_next(&j->by_endpoint, n)) {
            const size_t size =
                n->kind == NODE_CALL ? sizeof(struct fact_call) : sizeof(struct fact_allocation);
            for (size_t at = 0; at < size; at += 64)
                __builtin_prefetch((const char *)n->owner + at);
        }
}

void joiner_hint_media(const struct joiner *j, const struct joiner_hint *h)
{
    for (int e = 0; e < 2; e++)
        for (const struct multimap_slot *n = first(j, h, e); n;
             n = multimap_next(&j->by_endpoint, n)) {
            const struct fact_call *c = n->owner;
            const struct fact_allocation *a = n->owner;
            const char *media = n->kind == NODE_CALL ? (const char *)(c->media + n->medium) : NULL;
            __builtin_prefetch(n->kind == NODE_CALL ? c->join : a->join);
            __builtin_prefetch(media ? media : (const char *)a->sends);
            if (media)
                __builtin_prefetch(media + 64);
        }
}

/* The medium in which a call names the endpoint; NULL: it is an allocation's. */
static const struct fact_media *medium_of(const struct multimap_slot *n)
{
    const struct fact_call *c = n->owner;
    return n->kind == NODE_CALL && n->medium < c->n_media ? &c->media[n->medium] : NULL;
}

void joiner_hint_ports(const struct joiner *j, const struct joiner_hint *h)
{
    for (int e = 0; e < 2; e++)
        for (const struct multimap_slot *n = first(j, h, e); n;
             n = multimap_next(&j->by_endpoint, n)) {
            const struct fact_media *m = medium_of(n);
            for (int side = 0; m && side < CALL_SIDES; side++) {
                __builtin_prefetch(m->side[side].ports);
                __builtin_prefetch(m->side[side].ufrag);
            }
        }
}

/* The first candidate of this side at that port. */
static void hint_candidate(const struct fact_side *s, uint16_t port)
{
    unsigned i = fact_next_at(s, 0, port);
    if (i < s->n_candidates)
        __builtin_prefetch(&s->candidates[i]);
}

void joiner_hint_candidates(const struct joiner *j, const struct joiner_hint *h)
{
    for (int e = 0; e < 2; e++)
        for (const struct multimap_slot *n = first(j, h, e); n;
             n = multimap_next(&j->by_endpoint, n)) {
            const struct fact_media *m = medium_of(n);
            if (!m)
                continue;
            hint_candidate(&m->side[n->side], h->port[e]);
            hint_candidate(&m->side[!n->side], h->port[!e]);
        }
}

/* A side's endpoints are at random places of maps of many megabytes. */
void joiner_hint_endpoint(const struct joiner *j, const struct endpoint *e, bool host)
{
    multimap_prefetch(&j->by_endpoint, multimap_tag(index_key(j, e)));
    if (host)
        chains_prefetch(&j->by_client, index_client_key(j, &e->addr));
}

void joiner_hint_side(const struct joiner *j, const struct fact_side *f)
{
    if (f->present)
        joiner_hint_endpoint(j, &f->preset, false);
    for (unsigned i = 0; i < f->n_candidates; i++)
        joiner_hint_endpoint(j, &f->candidates[i].at, f->candidates[i].type == CAND_HOST);
}

void joiner_hint_scope(const void *join)
{
    for (size_t at = 0; join && at < sizeof(struct scope); at += 64)
        __builtin_prefetch((const char *)join + at, 1);
}

void joiner_hint_forget(const struct joiner *j, const void *join)
{
    const struct scope *s = join;
    if (!s)
        return;
    index_prefetch(j, s);
    __builtin_prefetch(s->pairs);
    __builtin_prefetch(s->borrowed);
}
