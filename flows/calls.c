/*
 * Calls: dialogs of INVITE with their offers, answers, candidates and diagnostics.
 *
 * One record per Call-ID, whatever forks and hops it crosses: the same message seen on several legs
 * changes nothing, another leg's other SDP adds candidates. Who sent the first SDP is the offerer;
 * later bodies are told apart by the sender's tag.
 */
#include <stdlib.h>

#include "flows/arena.h"
#include "flows/limits.h"
#include "flows/multimap.h"
#include "flows/session.h"
#include "flows/wire/ms_diag.h"
#include "flows/wire/sdp.h"

#define CALL_INTERIM (120 * TICK_S) /* a call this old gets a row while it still runs */
#define SWEEP_EVERY (30 * TICK_S)   /* for calls that never end; the others wait in a queue */
enum { TEXT_MAX = 512, DIAG_TEXT_MAX = 2048 };

struct call {
    struct fact_call fact;
    struct arena arena;
    struct call *next, *prev;         /* by age */
    struct call *due_next, *due_prev; /* ended ones, by the time they ended */
    bool queued;
    uint32_t node;
    uint64_t caller_tag;       /* hash, 0 = unknown */
    uint64_t body[CALL_SIDES]; /* hash of the last SDP of a side: retransmissions cost no parsing */
    uint32_t body_candidates[CALL_SIDES];
    uint32_t invite_cseq;
    unsigned media_room;
    bool offered, offerer_is_caller;
    bool dirty, emitted;
};

struct calls {
    struct joiner *joiner;
    const struct engine_out *out;
    bool interim;
    uint64_t seed;
    struct multimap by_id;
    struct arena_pool pool;
    struct call *oldest, *newest;
    struct call *first_due, *last_due;
    uint32_t n;
    int64_t last_id;
    tick_t swept;
    struct sdp sdp; /* parser's output: too large for the stack */
    struct calls_counts counts;
};

struct calls *calls_new(struct joiner *j, const struct engine_out *out, bool interim, uint64_t seed)
{
    struct calls *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->joiner = j;
    c->out = out;
    c->interim = interim;
    c->seed = seed | 1;
    c->swept = TICK_NONE;
    arena_pool_init(&c->pool, (size_t)LIMIT_CALLS * 4096);
    if (multimap_init(&c->by_id, LIMIT_CALLS) != 0) {
        free(c);
        return NULL;
    }
    return c;
}

static uint64_t hash_slice(uint64_t h, struct slice s)
{
    __extension__ typedef unsigned __int128 u128;
    uint64_t w = 0;
    for (; s.n >= 8; s.p += 8, s.n -= 8) {
        memcpy(&w, s.p, 8);
        u128 m = (u128)(h ^ w) * UINT64_C(0x9e3779b97f4a7c15);
        h = (uint64_t)m ^ (uint64_t)(m >> 64);
    }
    w = s.n;
    if (s.n)
        memcpy(&w, s.p, s.n);
    u128 m = (u128)(h ^ w ^ (uint64_t)s.n << 56) * UINT64_C(0xe7037ed1a0b428db);
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* ---- life of a call ---- */

static void due_remove(struct calls *c, struct call *k)
{
    if (!k->queued)
        return;
    k->queued = false;
    if (k->due_prev)
        k->due_prev->due_next = k->due_next;
    else
        c->first_due = k->due_next;
    if (k->due_next)
        k->due_next->due_prev = k->due_prev;
    else
        c->last_due = k->due_prev;
}

/* Ended calls queue up, a call that goes on (another fork, credentials) leaves the queue. */
static void due_update(struct calls *c, struct call *k)
{
    bool ended = k->fact.ended != TICK_NONE;
    if (ended == k->queued)
        return;
    if (!ended) {
        due_remove(c, k);
        return;
    }
    k->queued = true;
    k->due_next = NULL;
    k->due_prev = c->last_due;
    if (c->last_due)
        c->last_due->due_next = k;
    else
        c->first_due = k;
    c->last_due = k;
}

static void call_end(struct calls *c, struct call *k)
{
    joiner_call_over(c->joiner, &k->fact);
    c->out->call(c->out->arg, &k->fact);
    joiner_call_forget(c->joiner, &k->fact);
    due_remove(c, k);
    multimap_remove(&c->by_id, k->node);
    if (k->prev)
        k->prev->next = k->next;
    else
        c->oldest = k->next;
    if (k->next)
        k->next->prev = k->prev;
    else
        c->newest = k->prev;
    struct arena a = k->arena; /* k itself lives in it */
    arena_free(&a);
    c->n--;
}

static struct slice id_of(const struct sip_msg *m)
{
    struct slice id = slice_trim(m->call_id);
    return id.n > TEXT_MAX ? slice_of(id.p, TEXT_MAX) : id;
}

static struct call *call_find(const struct calls *c, struct slice call_id)
{
    uint64_t key = hash_slice(c->seed, call_id);
    for (uint32_t h = multimap_first(&c->by_id, key); h; h = multimap_next(&c->by_id, h)) {
        struct call *k = c->by_id.nodes[h].owner;
        if (slice_eq(slice_str(k->fact.call_id), call_id))
            return k;
    }
    return NULL;
}

static struct call *call_new(struct calls *c, const struct sip_msg *m, const struct message_at *at)
{
    struct arena a;
    if (c->n == LIMIT_CALLS) {
        c->counts.evicted++;
        call_end(c, c->oldest);
    }
    arena_init(&a, &c->pool);
    struct call *k = arena_get(&a, sizeof *k);
    char *id = k ? arena_text(&a, id_of(m), TEXT_MAX) : NULL;
    if (!id || !*id) {
        arena_free(&a);
        return NULL;
    }
    k->fact = (struct fact_call){.id = ++c->last_id,
                                 .call_id = id,
                                 .started = at->time,
                                 .answered = TICK_NONE,
                                 .ended = TICK_NONE,
                                 .origin = at->origin};
    k->arena = a;
    k->node = multimap_add(&c->by_id, hash_slice(c->seed, id_of(m)), k, 0, 0, 0);
    k->prev = c->newest;
    if (c->newest)
        c->newest->next = k;
    else
        c->oldest = k;
    c->newest = k;
    c->n++;
    c->counts.calls++;
    return k;
}

static const char *text_or_null(struct call *k, struct slice s)
{
    return s.n ? arena_text(&k->arena, s, TEXT_MAX) : NULL;
}

static void describe(struct call *k, const struct sip_msg *m)
{
    struct fact_call *f = &k->fact;
    bool initial = !m->request || m->method == SIP_INVITE;
    if (initial && !f->caller)
        f->caller = text_or_null(k, m->from_uri);
    if (initial && !f->callee)
        f->callee = text_or_null(k, m->to_uri);
    if (initial && !k->caller_tag && m->from_tag.n)
        k->caller_tag = hash_slice(1, m->from_tag) | 1;
    if (!f->conversation_id)
        f->conversation_id = text_or_null(k, m->conversation_id);
}

/* ---- SDP ---- */

static const char *medium_word(struct call *k, const struct sdp_media *m)
{
    static const struct {
        const char *as_written, *word;
    } words[] = {{"audio", "audio"},
                 {"video", "video"},
                 {"applicationsharing", "applicationsharing"},
                 {"application-sharing", "applicationsharing"},
                 {"data", "data"},
                 {"applicationsharing-video", "applicationsharing-video"}};
    if (slice_is(m->label, "applicationsharing-video"))
        return "applicationsharing-video";
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_is(m->kind, words[i].as_written))
            return words[i].word;
    char *t = arena_text(&k->arena, m->kind, 32);
    for (char *p = t; p && *p; p++)
        *p = (char)ascii_lower((uint8_t)*p);
    return t ? t : "";
}

/* Most calls have one medium, so room for all of them comes with the second. */
static bool media_room(struct call *k)
{
    struct fact_call *f = &k->fact;
    if (f->n_media != k->media_room)
        return true;
    unsigned room = k->media_room ? LIMIT_MEDIA_PER_CALL : 1;
    struct fact_media *grown =
        f->n_media < room ? arena_get(&k->arena, room * sizeof *grown) : NULL;
    if (!grown)
        return false;
    if (f->n_media)
        memcpy(grown, f->media, f->n_media * sizeof *grown);
    f->media = grown;
    k->media_room = room;
    return true;
}

/* The nth medium of that word: m= lines keep their order, alternative parts repeat them. */
static struct fact_media *media_slot(struct call *k, const char *word, unsigned nth)
{
    struct fact_call *f = &k->fact;
    for (unsigned i = 0; i < f->n_media; i++)
        if (strcmp(f->media[i].medium, word) == 0 && nth-- == 0)
            return &f->media[i];
    if (!media_room(k))
        return NULL;
    struct fact_media *m = &f->media[f->n_media++];
    m->medium = word;
    return m;
}

static bool same_candidate(const struct fact_candidate *a, const struct candidate *b)
{
    return endpoint_eq(&a->at, &b->at) && a->component == b->component &&
           a->transport == b->transport && a->type == b->type &&
           (!a->name || slice_eq(slice_str(a->name), b->name));
}

static bool has_candidate(const struct fact_side *s, unsigned before, const struct candidate *c)
{
    for (unsigned i = 0; i < before; i++)
        if (same_candidate(&s->candidates[i], c))
            return true;
    return false;
}

static bool side_room(struct call *k, struct fact_side *s, unsigned more)
{
    unsigned want = s->n_candidates + more;
    if (want > LIMIT_CANDIDATES_PER_SIDE)
        want = LIMIT_CANDIDATES_PER_SIDE;
    if (want <= s->room)
        return true;
    struct fact_candidate *grown = arena_get(&k->arena, want * sizeof *grown);
    if (!grown)
        return false;
    if (s->n_candidates)
        memcpy(grown, s->candidates, s->n_candidates * sizeof *grown);
    s->candidates = grown;
    s->room = (uint16_t)want;
    return true;
}

static void take_candidates(struct call *k, struct fact_side *s, const struct sdp *sdp,
                            const struct sdp_media *m)
{
    unsigned before = s->n_candidates;
    const char *foundation = NULL;
    struct slice last = {0};
    if (!m->n_candidates || !side_room(k, s, m->n_candidates))
        return;
    for (unsigned i = 0; i < m->n_candidates && s->n_candidates < s->room; i++) {
        const struct candidate *c = &sdp->candidates[m->first_candidate + i];
        if (has_candidate(s, before, c))
            continue;
        if (!foundation || !slice_eq(last, c->foundation))
            foundation = arena_text(&k->arena, c->foundation, 64);
        last = c->foundation;
        s->candidates[s->n_candidates++] = (struct fact_candidate){
            c->at,        c->related,   c->priority,
            c->component, c->transport, c->type,
            c->dialect,   foundation,   c->name.n ? arena_text(&k->arena, c->name, 128) : NULL};
    }
}

static void take_medium(struct call *k, enum call_side side, const struct sdp *sdp,
                        const struct sdp_media *m, unsigned nth)
{
    struct fact_media *f = media_slot(k, medium_word(k, m), nth);
    if (!f)
        return;
    struct fact_side *s = &f->side[side];
    struct endpoint preset = {m->conn, m->port};
    bool first = !s->present || s->rejected;
    s->present = true;
    s->rejected = first && m->port == 0 && !m->n_candidates;
    if (first && m->port && !addr_none(&m->conn)) {
        s->preset = preset;
        s->tcp = m->tcp;
    }
    if (m->ufrag.n && (!s->ufrag || !slice_eq(slice_str(s->ufrag), m->ufrag)))
        s->ufrag = arena_text(&k->arena, m->ufrag, 256);
    f->concluded |= m->remote_candidates;
    take_candidates(k, s, sdp, m);
}

static void take_sdp(struct calls *c, struct call *k, enum call_side side, struct slice body)
{
    if (sdp_parse(body, &c->sdp, NULL) != WIRE_OK) {
        c->counts.bad_sdp++;
        return;
    }
    c->counts.sdp_bodies++;
    c->counts.sdp_candidates += c->sdp.n_candidates + c->sdp.dropped_candidates;
    k->body_candidates[side] += c->sdp.n_candidates + c->sdp.dropped_candidates;
    for (unsigned i = 0; i < c->sdp.n_media; i++) {
        unsigned nth = 0;
        for (unsigned b = 0; b < i; b++)
            nth += slice_ieq(c->sdp.media[b].kind, c->sdp.media[i].kind) &&
                   slice_ieq(c->sdp.media[b].label, c->sdp.media[i].label);
        take_medium(k, side, &c->sdp, &c->sdp.media[i], nth);
    }
}

static enum call_side side_of(struct call *k, const struct sip_msg *m)
{
    struct slice tag = m->request ? m->from_tag : m->to_tag;
    bool by_caller = tag.n ? (hash_slice(1, tag) | 1) == k->caller_tag : m->request;
    if (!k->offered) {
        k->offered = true;
        k->offerer_is_caller = by_caller;
    }
    return by_caller == k->offerer_is_caller ? SIDE_OFFER : SIDE_ANSWER;
}

static void take_body(struct calls *c, struct call *k, const struct sip_msg *m)
{
    struct mime_walk w;
    struct slice type, disposition, part;
    if (!m->body.n || slice_starts(m->content_type, "application/dtmf"))
        return;
    uint64_t now = hash_slice(c->seed, m->body);
    struct slice tag = m->request ? m->from_tag : m->to_tag;
    bool by_caller = tag.n ? (hash_slice(1, tag) | 1) == k->caller_tag : m->request;
    enum call_side guess = by_caller == k->offerer_is_caller ? SIDE_OFFER : SIDE_ANSWER;
    if (k->offered && k->body[guess] == now) {
        c->counts.sdp_bodies++;
        c->counts.sdp_candidates += k->body_candidates[guess];
        return;
    }
    mime_start(&w, m->content_type, m->body);
    bool any = false;
    while (mime_next(&w, &type, &disposition, &part)) {
        if (!slice_starts(type, "application/sdp") &&
            !slice_starts(type, "application/trickle-ice-sdpfrag"))
            continue;
        enum call_side side = side_of(k, m);
        if (!any)
            k->body_candidates[side] = 0;
        any = true;
        k->body[side] = now;
        take_sdp(c, k, side, part);
    }
    k->dirty |= any;
}

/* ---- diagnostics ---- */

static bool diag_known(const struct fact_call *f, struct slice value)
{
    for (unsigned i = 0; i < f->n_diags; i++)
        if (f->diags[i].value && slice_eq(slice_str(f->diags[i].value), slice_trim(value)))
            return true;
    return false;
}

static const char *debug_medium(struct call *k, struct slice medium)
{
    struct sdp_media as_if = {.kind = medium};
    return medium.n ? medium_word(k, &as_if) : NULL;
}

static void take_diag_block(struct call *k, const struct ms_diag *d, const struct media_debug *b,
                            struct fact_diag base)
{
    static const char *const sides[] = {NULL, "caller", "callee"};
    if (k->fact.n_diags == LIMIT_DIAGS_PER_CALL)
        return;
    base.code = d->code;
    base.reason = text_or_null(k, d->reason);
    if (b) {
        base.side = sides[b->side];
        base.medium = debug_medium(k, b->medium);
        base.has_icewarn = b->has_icewarn;
        base.icewarn = b->icewarn;
    }
    k->fact.diags[k->fact.n_diags++] = base;
}

static void take_diags(struct call *k, const struct sip_msg *m, tick_t time)
{
    if (!k->fact.diags)
        k->fact.diags = arena_get(&k->arena, LIMIT_DIAGS_PER_CALL * sizeof *k->fact.diags);
    for (unsigned i = 0; i < m->n_diag; i++) {
        struct ms_diag d;
        if (!k->fact.diags || diag_known(&k->fact, m->diag[i].value) ||
            ms_diag_parse(m->diag[i].value, &d, NULL) != WIRE_OK)
            continue;
        char *name = arena_text(&k->arena, m->diag[i].name, 64);
        for (char *p = name; p && *p; p++)
            *p = (char)ascii_lower((uint8_t)*p);
        struct fact_diag base = {.seen = time,
                                 .header = name,
                                 .value = arena_text(&k->arena, m->diag[i].value, DIAG_TEXT_MAX)};
        take_diag_block(k, &d, d.n_media ? &d.media[0] : NULL, base);
        for (unsigned b = 1; b < d.n_media; b++)
            take_diag_block(k, &d, &d.media[b], base);
        k->fact.media_failed_diag |= ms_diag_is_media_failure(&d);
        k->dirty = true;
    }
}

/* ---- dialog ---- */

static void on_response(struct call *k, const struct sip_msg *m, tick_t time)
{
    struct fact_call *f = &k->fact;
    if (m->method != SIP_INVITE || m->status < 200)
        return;
    if (m->status < 300) {
        if (f->answered == TICK_NONE)
            f->answered = time;
        if (f->status < 200 || f->status >= 300) {
            f->status = m->status;
            f->ended = TICK_NONE; /* another fork had failed */
            k->dirty = true;
        }
    } else if (f->answered == TICK_NONE && m->cseq >= k->invite_cseq) {
        f->status = m->status;
        f->ended = time;
        k->dirty = true;
    }
}

static void on_request(struct call *k, const struct sip_msg *m, tick_t time)
{
    struct fact_call *f = &k->fact;
    if (m->method == SIP_INVITE) {
        /* after 401/407 the same dialog asks again */
        if (f->answered == TICK_NONE && m->cseq > k->invite_cseq) {
            f->ended = TICK_NONE;
            f->status = 0;
        }
        if (m->cseq > k->invite_cseq)
            k->invite_cseq = m->cseq;
    } else if (m->method == SIP_BYE && f->ended == TICK_NONE) {
        f->ended = time;
        k->dirty = true;
    }
}

static bool begins_call(const struct sip_msg *m)
{
    if (m->request)
        return m->method == SIP_INVITE || (m->method == SIP_BYE && m->n_diag);
    return m->method == SIP_INVITE && m->status > 100;
}

static bool concerns_calls(const struct sip_msg *m)
{
    switch (m->method) {
    case SIP_INVITE:
    case SIP_ACK:
    case SIP_BYE:
    case SIP_CANCEL:
    case SIP_UPDATE:
    case SIP_PRACK:
    case SIP_INFO:
        return m->call_id.n > 0;
    default:
        return false;
    }
}

void calls_sip(struct calls *c, const struct sip_msg *m, const struct message_at *at)
{
    c->counts.sip_messages++;
    if (!concerns_calls(m))
        return;
    struct call *k = call_find(c, id_of(m));
    if (!k && begins_call(m))
        k = call_new(c, m, at);
    if (!k)
        return;
    if (!k->fact.caller || !k->fact.callee || !k->caller_tag)
        describe(k, m);
    if (m->request)
        on_request(k, m, at->time);
    else
        on_response(k, m, at->time);
    due_update(c, k);
    if (m->n_diag)
        take_diags(k, m, at->time);
    take_body(c, k, m);
    if (k->dirty) {
        k->dirty = false;
        joiner_call(c->joiner, &k->fact);
    }
}

/* ---- time ---- */

static bool given_up(const struct fact_call *f, tick_t now)
{
    if (f->ended != TICK_NONE)
        return false;
    return now - f->started > (f->answered == TICK_NONE ? CALL_NO_ANSWER : CALL_MAX);
}

void calls_advance(struct calls *c, tick_t now)
{
    while (c->first_due && now - c->first_due->fact.ended > CALL_GRACE)
        call_end(c, c->first_due);
    if (c->swept != TICK_NONE && now - c->swept < SWEEP_EVERY && now >= c->swept)
        return;
    c->swept = now;
    for (struct call *k = c->oldest, *next; k; k = next) {
        next = k->next;
        if (given_up(&k->fact, now)) {
            call_end(c, k);
        } else if (c->interim && !k->emitted && now - k->fact.started > CALL_INTERIM) {
            k->emitted = true;
            c->out->call(c->out->arg, &k->fact);
        }
    }
}

void calls_finish(struct calls *c)
{
    while (c->oldest)
        call_end(c, c->oldest);
}

void calls_free(struct calls *c)
{
    if (!c)
        return;
    for (struct call *k = c->oldest, *next; k; k = next) {
        next = k->next;
        joiner_call_forget(c->joiner, &k->fact);
        struct arena a = k->arena;
        arena_free(&a);
    }
    multimap_clear(&c->by_id);
    arena_pool_clear(&c->pool);
    free(c);
}

void calls_counts(const struct calls *c, struct calls_counts *out)
{
    *out = c->counts;
}
