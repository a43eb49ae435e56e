/*
 * What the messages of a call carry: offers and answers with their candidates, and diagnostics. The
 * first SDP tells which party offers; later bodies are told apart by the sender's tag.
 */
#include "flows/calls_state.h"
#include "flows/limits.h"
#include "flows/wire/ms_diag.h"

enum { DIAG_TEXT_MAX = 2048 };

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
    struct fact_candidate *grown = arena_get(&k->arena, want * (sizeof *grown + sizeof *s->ports));
    if (!grown)
        return false;
    uint16_t *ports = (uint16_t *)(grown + want);
    if (s->n_candidates) {
        memcpy(grown, s->candidates, s->n_candidates * sizeof *grown);
        memcpy(ports, s->ports, s->n_candidates * sizeof *ports);
    }
    s->candidates = grown;
    s->ports = ports;
    s->room = (uint16_t)want;
    return true;
}

/* Returns how many found no room. */
static unsigned take_candidates(struct call *k, struct fact_side *s, const struct sdp *sdp,
                                const struct sdp_media *m)
{
    unsigned before = s->n_candidates, dropped = 0;
    const char *foundation = NULL;
    struct slice last = {0};
    if (!m->n_candidates || !side_room(k, s, m->n_candidates))
        return m->n_candidates;
    for (unsigned i = 0; i < m->n_candidates; i++) {
        const struct candidate *c = &sdp->candidates[m->first_candidate + i];
        if (has_candidate(s, before, c))
            continue;
        if (s->n_candidates == s->room) {
            dropped++;
            continue;
        }
        if (!foundation || !slice_eq(last, c->foundation))
            foundation = arena_text(&k->arena, c->foundation, 64);
        last = c->foundation;
        s->ports[s->n_candidates] = c->at.port;
        s->candidates[s->n_candidates++] = (struct fact_candidate){
            c->at,        c->related,   c->priority,
            c->component, c->transport, c->type,
            c->dialect,   foundation,   c->name.n ? arena_text(&k->arena, c->name, 128) : NULL};
    }
    return dropped;
}

/* A default address that another replaces may have been tried before: it stays as a candidate. */
static void remember_preset(struct call *k, struct fact_side *s)
{
    for (unsigned i = 0; i < s->n_candidates; i++)
        if (endpoint_eq(&s->candidates[i].at, &s->preset))
            return;
    if (!side_room(k, s, 1) || s->n_candidates == s->room)
        return;
    s->ports[s->n_candidates] = s->preset.port;
    s->candidates[s->n_candidates++] =
        (struct fact_candidate){.at = s->preset,
                                .component = 1,
                                .transport = s->tcp ? CAND_TCP_PASS : CAND_UDP,
                                .type = CAND_TYPE_UNKNOWN,
                                .dialect = DIALECT_DEFAULT};
}

/* The newest c= and m= hold (of several forks, the one that answers speaks last), but not those
 * that only say what ICE chose. */
static void take_preset(struct call *k, struct fact_side *s, const struct sdp_media *m, bool chosen)
{
    struct endpoint preset = {m->conn, m->port};
    bool has_one = !endpoint_none(&s->preset);
    if (!m->port || addr_none(&m->conn) || (has_one && chosen))
        return;
    if (has_one && !endpoint_eq(&s->preset, &preset))
        remember_preset(k, s);
    s->preset = preset;
    s->tcp = m->tcp;
}

/* Returns how many media and candidates found no room. */
static unsigned take_medium(struct call *k, enum call_side side, const struct sdp *sdp,
                            const struct sdp_media *m, unsigned nth, tick_t time)
{
    struct fact_media *f = media_slot(k, medium_word(k, m), nth);
    if (!f)
        return 1u + m->n_candidates;
    struct fact_side *s = &f->side[side];
    bool first = !s->present || s->rejected;
    unsigned before = s->n_candidates, dropped;
    struct endpoint preset = s->preset;
    if (!s->present)
        s->told = s->added = time;
    s->present = true;
    s->rejected = first && m->port == 0 && !m->n_candidates;
    f->concluded |= m->remote_candidates;
    take_preset(k, s, m, f->concluded);
    if (m->ufrag.n && (!s->ufrag || !slice_eq(slice_str(s->ufrag), m->ufrag)))
        s->ufrag = arena_text(&k->arena, m->ufrag, 256);
    dropped = take_candidates(k, s, sdp, m);
    if (s->n_candidates > before || !endpoint_eq(&preset, &s->preset))
        s->added = time;
    return dropped;
}

/* Legacy candidates don't say their type: P§2.2. A relay that nobody knows yet passes for the
 * client's reflexive address. */
static uint8_t legacy_type(const struct calls *c, const struct candidate *k)
{
    if (k->name.n)
        return CAND_TYPE_UNKNOWN;
    if (joiner_relay_addr(c->joiner, &k->at.addr))
        return CAND_RELAY;
    return addr_is_private(&k->at.addr) ? CAND_HOST : CAND_SRFLX;
}

/* Who else names these endpoints is asked in a moment. */
static void hint(const struct calls *c)
{
    for (unsigned i = 0; i < c->sdp.n_media; i++) {
        const struct endpoint preset = {c->sdp.media[i].conn, c->sdp.media[i].port};
        joiner_hint_endpoint(c->joiner, &preset, false);
    }
    for (unsigned i = 0; i < c->sdp.n_candidates; i++) {
        const struct candidate *k = &c->sdp.candidates[i];
        if (!i || !endpoint_eq(&k->at, &k[-1].at)) /* the next component's */
            joiner_hint_endpoint(c->joiner, &k->at, k->type == CAND_HOST);
    }
}

static void take_sdp(struct calls *c, struct call *k, enum call_side side, struct slice body,
                     tick_t time)
{
    if (sdp_parse(body, &c->sdp, NULL) != WIRE_OK) {
        c->counts.bad_sdp++;
        return;
    }
    hint(c);
    c->counts.sdp_bodies++;
    c->counts.sdp_candidates += c->sdp.n_candidates + c->sdp.dropped_candidates;
    c->counts.dropped += c->sdp.dropped_candidates + c->sdp.dropped_media;
    k->body_candidates[side] += c->sdp.n_candidates + c->sdp.dropped_candidates;
    for (unsigned i = 0; i < c->sdp.n_candidates; i++)
        if (c->sdp.candidates[i].dialect == DIALECT_MS_ICE)
            c->sdp.candidates[i].type = legacy_type(c, &c->sdp.candidates[i]);
    for (unsigned i = 0; i < c->sdp.n_media; i++) {
        unsigned nth = 0;
        for (unsigned b = 0; b < i; b++)
            nth += slice_ieq(c->sdp.media[b].kind, c->sdp.media[i].kind) &&
                   slice_ieq(c->sdp.media[b].label, c->sdp.media[i].label);
        c->counts.dropped += take_medium(k, side, &c->sdp, &c->sdp.media[i], nth, time);
    }
}

static bool by_caller(const struct call *k, const struct call_message *m)
{
    struct slice tag = m->request ? m->from_tag : m->to_tag;
    return tag.n ? (calls_hash(1, tag) | 1) == k->caller_tag : m->request;
}

/* The first description is the offer, unless the message can only carry an answer: a response whose
 * INVITE was not seen, an ACK. */
static enum call_side side_of(const struct call *k, const struct call_message *m, bool caller)
{
    if (k->offered)
        return caller == k->offerer_is_caller ? SIDE_OFFER : SIDE_ANSWER;
    return (m->request ? m->method == SIP_ACK : !k->invited) ? SIDE_ANSWER : SIDE_OFFER;
}

void offer_body(struct calls *c, struct call *k, const struct call_message *m, tick_t time)
{
    struct mime_walk w;
    struct slice type, disposition, part;
    if (!m->body.n || slice_starts(m->content_type, "application/dtmf"))
        return;
    if (!m->request && m->status < 200 && k->fact.answered != TICK_NONE)
        return; /* of a fork that was not taken */
    bool caller = by_caller(k, m), any = false;
    enum call_side side = side_of(k, m, caller);
    if (k->offered && k->body[side] == m->content) {
        c->counts.sdp_bodies++;
        c->counts.sdp_candidates += k->body_candidates[side];
        return;
    }
    mime_start(&w, m->content_type, m->body);
    while (mime_next(&w, &type, &disposition, &part)) {
        if (!slice_starts(type, "application/sdp") &&
            !slice_starts(type, "application/trickle-ice-sdpfrag"))
            continue;
        if (!any)
            k->body_candidates[side] = 0;
        any = true;
        take_sdp(c, k, side, part, time);
    }
    if (!any)
        return;
    if (!k->offered)
        k->offerer_is_caller = caller == (side == SIDE_OFFER);
    k->offered = true;
    k->news = NEWS_FACTS;
    k->body[side] = m->content;
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
    base.reason = calls_text(k, d->reason);
    if (b) {
        base.side = sides[b->side];
        base.medium = debug_medium(k, b->medium);
        base.has_icewarn = b->has_icewarn;
        base.icewarn = b->icewarn;
    }
    k->fact.diags[k->fact.n_diags++] = base;
}

/* Every failure of the call asks what the header says. */
static const struct ms_diag *taken_apart(struct call *k, const char *value)
{
    struct ms_diag *d = value ? arena_get(&k->arena, sizeof *d) : NULL;
    return d && ms_diag_parse(slice_str(value), d, NULL) == WIRE_OK ? d : NULL;
}

/* A row for each medium it speaks of; none, and no memory, once there are enough. */
static void keep_diag(struct call *k, const struct ms_diag *d, const struct sip_header_ref *h,
                      tick_t time)
{
    if (k->fact.n_diags == LIMIT_DIAGS_PER_CALL)
        return;
    char *name = arena_text(&k->arena, h->name, 64);
    for (char *p = name; p && *p; p++)
        *p = (char)ascii_lower((uint8_t)*p);
    struct fact_diag base = {
        .seen = time, .header = name, .value = arena_text(&k->arena, h->value, DIAG_TEXT_MAX)};
    base.said = taken_apart(k, base.value);
    take_diag_block(k, d, d->n_media ? &d->media[0] : NULL, base);
    for (unsigned b = 1; b < d->n_media; b++)
        take_diag_block(k, d, &d->media[b], base);
}

void offer_diags(struct call *k, const struct call_message *m, tick_t time)
{
    if (!k->fact.diags)
        k->fact.diags = arena_get(&k->arena, LIMIT_DIAGS_PER_CALL * sizeof *k->fact.diags);
    for (unsigned i = 0; i < m->n_diag; i++) {
        struct ms_diag d;
        if (!k->fact.diags || diag_known(&k->fact, m->diag[i].value) ||
            ms_diag_parse(m->diag[i].value, &d, NULL) != WIRE_OK)
            continue;
        keep_diag(k, &d, &m->diag[i], time);
        k->fact.media_failed_diag |= ms_diag_is_media_failure(&d);
        k->news = NEWS_FACTS;
    }
}
