/* Deep copies into blocks. */
#include "storage/record.h"

#include <stdio.h>
#include <stdlib.h>

struct record_head {
    uint32_t kind, size; /* size: with this head, a multiple of 8 */
};

struct block *block_new(size_t room)
{
    struct block *b = malloc(sizeof *b + room);
    if (b) {
        b->next = NULL;
        b->veil = NULL;
        b->used = 0;
        b->room = room;
        b->full = false;
    }
    return b;
}

static void *take(struct block *b, size_t n)
{
    n = (n + 7) & ~(size_t)7;
    if (b->room - b->used < n) {
        b->full = true;
        return NULL;
    }
    void *p = b->data + b->used;
    b->used += n;
    return p;
}

static void *copy(struct block *b, const void *from, size_t n)
{
    void *p = n ? take(b, n) : NULL;
    return p ? memcpy(p, from, n) : NULL;
}

static const char *text(struct block *b, const char *s)
{
    return s ? copy(b, s, strlen(s) + 1) : NULL;
}

/* Text that may name users and addresses. */
static const char *prose(struct block *b, const char *s)
{
    return text(b, privacy_text(b->veil, s));
}

static void prose_in_place(struct block *b, char *s, size_t room)
{
    const char *veiled = privacy_text(b->veil, s);
    if (veiled != s)
        snprintf(s, room, "%s", veiled);
}

/* A record is begun, filled as far as it fits, and kept or taken back as a whole. */
static size_t begin(struct block *b)
{
    size_t start = b->used;
    b->full = false;
    take(b, sizeof(struct record_head));
    return start;
}

static bool end(struct block *b, size_t start, enum record_kind kind)
{
    if (b->full) {
        b->used = start;
        return false;
    }
    struct record_head h = {(uint32_t)kind, (uint32_t)(b->used - start)};
    memcpy(b->data + start, &h, sizeof h);
    return true;
}

const void *record_next(const struct block *b, size_t *at, enum record_kind *kind)
{
    struct record_head h;
    if (*at >= b->used)
        return NULL;
    memcpy(&h, b->data + *at, sizeof h);
    const void *record = b->data + *at + sizeof h;
    *at += h.size;
    *kind = (enum record_kind)h.kind;
    return record;
}

bool record_flat(struct block *b, enum record_kind kind, const void *bytes, size_t n)
{
    size_t start = begin(b);
    copy(b, bytes, n);
    return end(b, start, kind);
}

static void copy_packet(struct block *b, struct evidence *e)
{
    uint8_t anew[PRIVACY_PACKET];
    if (privacy_packets(b->veil)) {
        e->caplen = (uint32_t)privacy_packet(b->veil, e->linktype, slice_of(e->bytes, e->caplen),
                                             e->len, anew, &e->len);
        e->linktype = PRIVACY_LINKTYPE;
        e->bytes = anew;
    }
    e->bytes = copy(b, e->bytes, e->caplen);
}

bool record_attempt(struct block *b, const struct attempt *a, const struct evidence *ev, unsigned n)
{
    size_t start = begin(b);
    struct record_attempt *r = take(b, sizeof *r);
    if (r) {
        *r = (struct record_attempt){.attempt = *a, .n = n};
        privacy_endpoint(b->veil, &r->attempt.src);
        privacy_endpoint(b->veil, &r->attempt.dst);
        privacy_addr(b->veil, &r->attempt.icmp_from);
        r->evidence = copy(b, ev, n * sizeof *ev);
        for (unsigned i = 0; !b->full && i < n; i++)
            copy_packet(b, &r->evidence[i]);
    }
    return end(b, start, RECORD_ATTEMPT);
}

static void copy_side(struct block *b, struct fact_side *s)
{
    s->ufrag = text(b, s->ufrag);
    privacy_endpoint(b->veil, &s->preset);
    s->candidates = copy(b, s->candidates, s->n_candidates * sizeof *s->candidates);
    s->ports = NULL; /* they stay with the engine */
    for (unsigned i = 0; !b->full && i < s->n_candidates; i++) {
        struct fact_candidate *k = &s->candidates[i];
        privacy_endpoint(b->veil, &k->at);
        privacy_endpoint(b->veil, &k->related);
        k->foundation = text(b, privacy_token(b->veil, k->foundation));
        k->name = text(b, k->name);
    }
}

static void copy_media(struct block *b, struct fact_call *c)
{
    c->media = copy(b, c->media, c->n_media * sizeof *c->media);
    for (unsigned i = 0; !b->full && i < c->n_media; i++) {
        struct fact_media *m = &c->media[i];
        m->medium = text(b, m->medium);
        for (unsigned side = 0; side < CALL_SIDES; side++)
            copy_side(b, &m->side[side]);
    }
}

static void copy_diags(struct block *b, struct fact_call *c)
{
    c->diags = copy(b, c->diags, c->n_diags * sizeof *c->diags);
    for (unsigned i = 0; !b->full && i < c->n_diags; i++) {
        struct fact_diag *d = &c->diags[i];
        d->header = text(b, d->header);
        d->reason = prose(b, d->reason);
        d->side = text(b, d->side);
        d->medium = text(b, d->medium);
        d->value = prose(b, d->value);
        d->said = NULL; /* it stays with the engine */
    }
}

bool record_call(struct block *b, const struct fact_call *call)
{
    size_t start = begin(b);
    struct fact_call *c = copy(b, call, sizeof *call);
    if (c) {
        c->call_id = text(b, privacy_id(b->veil, c->call_id));
        c->caller = prose(b, c->caller);
        c->callee = prose(b, c->callee);
        c->conversation_id = text(b, privacy_id(b->veil, c->conversation_id));
        c->origin = text(b, privacy_id(b->veil, c->origin));
        copy_media(b, c);
        copy_diags(b, c);
    }
    return end(b, start, RECORD_CALL);
}

bool record_allocation(struct block *b, const struct fact_allocation *allocation)
{
    size_t start = begin(b);
    struct fact_allocation *a = copy(b, allocation, sizeof *allocation);
    if (a) {
        a->medium = text(b, a->medium);
        a->end_reason = text(b, a->end_reason);
        a->call_id = text(b, privacy_id(b->veil, a->call_id));
        struct endpoint *const ends[] = {&a->client, &a->server,    &a->relay,
                                         &a->relay2, &a->reflexive, &a->active};
        for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++)
            privacy_endpoint(b->veil, ends[i]);
        privacy_addr(b->veil, &a->wire_addr);
        a->sends = copy(b, a->sends, a->n_sends * sizeof *a->sends);
        for (unsigned i = 0; !b->full && i < a->n_sends; i++) {
            privacy_endpoint(b->veil, &a->sends[i].peer);
            a->sends[i].remote_ufrag = text(b, a->sends[i].remote_ufrag);
            a->sends[i].local_ufrag = text(b, a->sends[i].local_ufrag);
        }
    }
    return end(b, start, RECORD_ALLOCATION);
}

static void copy_failure_texts(struct block *b, struct failure *f)
{
    f->call_id = text(b, privacy_id(b->veil, f->call_id));
    f->caller = prose(b, f->caller);
    f->callee = prose(b, f->callee);
    f->medium = text(b, f->medium);
    f->finding = text(b, f->finding);
    f->explanation = prose(b, f->explanation);
    f->advice = prose(b, f->advice);
    prose_in_place(b, f->local_candidate, sizeof f->local_candidate);
    prose_in_place(b, f->remote_candidate, sizeof f->remote_candidate);
    struct addr *const addrs[] = {&f->src.addr,   &f->dst.addr,  &f->src_public,
                                  &f->dst_public, &f->icmp_from, &f->client.addr};
    for (unsigned i = 0; i < sizeof addrs / sizeof *addrs; i++)
        privacy_addr(b->veil, addrs[i]);
    f->partner = prose(b, f->partner);
}

bool record_failure(struct block *b, const struct failure *failure, const struct finding *list,
                    unsigned n)
{
    size_t start = begin(b);
    struct record_failure *r = take(b, sizeof *r);
    if (r) {
        r->failure = *failure;
        copy_failure_texts(b, &r->failure);
        r->n = n;
        r->list = take(b, n * sizeof *r->list);
        for (unsigned i = 0; !b->full && i < n; i++) {
            r->list[i] = (struct record_finding){text(b, list[i].code), prose(b, list[i].evidence),
                                                 prose(b, list[i].advice), list[i].likely};
        }
    }
    return end(b, start, RECORD_FAILURE);
}

struct block *record_failure_alone(const struct record_failure *from)
{
    struct record_head h; /* it says how much room that takes */
    memcpy(&h, (const uint8_t *)from - sizeof h, sizeof h);
    struct block *b = block_new(h.size);
    if (!b)
        return NULL;
    size_t start = begin(b);
    struct record_failure *r = copy(b, from, sizeof *from);
    if (r) {
        copy_failure_texts(b, &r->failure);
        r->list = copy(b, from->list, from->n * sizeof *from->list);
        for (unsigned i = 0; !b->full && i < r->n; i++) {
            r->list[i].code = text(b, from->list[i].code);
            r->list[i].evidence = text(b, from->list[i].evidence);
            r->list[i].advice = text(b, from->list[i].advice);
        }
    }
    if (end(b, start, RECORD_FAILURE))
        return b;
    free(b);
    return NULL;
}

bool record_tls(struct block *b, const struct fact_tls *tls)
{
    size_t start = begin(b);
    struct fact_tls *t = copy(b, tls, sizeof *tls);
    if (t) {
        const char **const texts[] = {&t->version,
                                      &t->cipher,
                                      &t->exchange,
                                      &t->sni,
                                      &t->alpn,
                                      &t->mutual,
                                      &t->alert,
                                      &t->alert_from,
                                      &t->handshake,
                                      &t->state,
                                      &t->key,
                                      &t->advice,
                                      &t->partner_client,
                                      &t->partner_server,
                                      &t->client_end.subject,
                                      &t->client_end.issuer,
                                      &t->client_end.names,
                                      &t->server_end.subject,
                                      &t->server_end.issuer,
                                      &t->server_end.names};
        for (unsigned i = 0; !b->full && i < sizeof texts / sizeof *texts; i++)
            *texts[i] = prose(b, *texts[i]);
        privacy_endpoint(b->veil, &t->client);
        privacy_endpoint(b->veil, &t->server);
    }
    return end(b, start, RECORD_TLS);
}

bool record_health(struct block *b, const struct health_row *h, const char *interface,
                   uint64_t lost)
{
    size_t start = begin(b);
    struct record_health *r = take(b, sizeof *r);
    if (r)
        *r = (struct record_health){*h, text(b, interface), lost};
    if (r)
        r->row.event = text(b, h->event);
    return end(b, start, RECORD_HEALTH);
}
