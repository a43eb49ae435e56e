/* Facts to JSON. */
#include "storage/facts_json.h"

#include "flows/wire/ms_diag.h"

/* ---- sides ---- */

static char *put_endpoint(char *p, const struct endpoint *e)
{
    p = json_put_addr(p, &e->addr);
    *p++ = ',';
    return json_put_port(p, e->port);
}

static void json_endpoint(struct text *t, const struct endpoint *e)
{
    char *p = text_room(t, JSON_ADDR + 1 + JSON_PORT);
    if (p)
        text_to(t, put_endpoint(p, e));
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Nothing but the next component's number and the priority tells b from a. */
static bool next_component(const struct fact_candidate *a, const struct fact_candidate *b)
{
    return b->component == a->component + 1 && b->transport == a->transport && b->type == a->type &&
           b->dialect == a->dialect && endpoint_eq(&b->at, &a->at) &&
           endpoint_eq(&b->related, &a->related) && same_text(b->foundation, a->foundation) &&
           same_text(b->name, a->name);
}

/* How many candidates from the first of n on go into one entry. */
static unsigned components(const struct fact_candidate *k, unsigned n)
{
    unsigned run = 1;
    while (run < n && next_component(&k[run - 1], &k[run]))
        run++;
    return run;
}

/* One entry for n components: room for all of it is made once. */
static void json_candidate(struct text *t, const struct fact_candidate *k, unsigned n)
{
    enum { FIXED = 2 * (JSON_ADDR + JSON_PORT) + 4 * JSON_INT + 24 }; /* 24: what is between */
    struct slice name = slice_of(NULL, 0), foundation = slice_of(NULL, 0);
    if (k->name)
        name = slice_str(k->name);
    if (k->foundation)
        foundation = slice_str(k->foundation);
    char *p = text_room(t, FIXED + n * (JSON_INT + 1) + json_string_most(name.n) +
                               json_string_most(foundation.n));
    if (!p)
        return;
    *p++ = '[';
    p = digits_put(p, k->component);
    *p++ = ',';
    p = digits_put(p, k->transport);
    *p++ = ',';
    p = digits_put(p, k->type);
    *p++ = ',';
    p = name.n ? json_put_string(p, name) : json_put_addr(p, &k->at.addr);
    *p++ = ',';
    p = json_put_port(p, k->at.port);
    for (unsigned i = 0; i < n; i++) {
        *p++ = ',';
        if (!i)
            *p++ = '[';
        p = digits_put(p, k[i].priority);
    }
    *p++ = ']';
    *p++ = ',';
    p = k->foundation ? json_put_string(p, foundation) : json_put_null(p);
    *p++ = ',';
    p = digits_put(p, k->dialect);
    if (!endpoint_none(&k->related)) {
        *p++ = ',';
        p = put_endpoint(p, &k->related);
    }
    *p++ = ']';
    text_to(t, p);
}

/* The default address counts as a candidate of its own where no line names it: MOC 2005 sends
 * nothing else (P§2.2), excerpts and B2BUAs cut lines off. */
static bool default_candidate(const struct fact_side *s, struct fact_candidate *out)
{
    for (unsigned i = 0; i < s->n_candidates; i++)
        if (endpoint_eq(&s->candidates[i].at, &s->preset))
            return false;
    *out = (struct fact_candidate){.at = s->preset,
                                   .component = 1,
                                   .type = CAND_TYPE_UNKNOWN,
                                   .transport = s->tcp ? CAND_TCP_PASS : CAND_UDP,
                                   .dialect = DIALECT_DEFAULT};
    return s->preset.port && !addr_none(&s->preset.addr);
}

static void json_medium(struct text *t, const struct fact_media *m, const struct fact_side *s,
                        bool logged)
{
    int flags = s->present ? MEDIA_PRESENT | (s->rejected ? MEDIA_REJECTED : 0) |
                                 (s->tcp ? MEDIA_TCP : 0) | (m->concluded ? MEDIA_CONCLUDED : 0)
                           : 0;
    text_char(t, '[');
    text_json(t, m->medium);
    text_char(t, ',');
    text_int(t, flags);
    if (s->present) {
        text_char(t, ',');
        json_endpoint(t, &s->preset);
        text_char(t, ',');
        text_json(t, s->ufrag);
        text_raw(t, ",[", 2);
        struct fact_candidate preset;
        bool alone = default_candidate(s, &preset);
        for (unsigned i = 0, n; i < s->n_candidates; i += n) {
            n = components(&s->candidates[i], s->n_candidates - i);
            if (i)
                text_char(t, ',');
            json_candidate(t, &s->candidates[i], n);
        }
        if (alone && s->n_candidates)
            text_char(t, ',');
        if (alone)
            json_candidate(t, &preset, 1);
        text_char(t, ']');
        if (logged) {
            text_char(t, ',');
            text_json_tick(t, s->told);
            text_char(t, ',');
            text_json_tick(t, s->added);
        }
    }
    text_char(t, ']');
}

bool facts_json_side(struct text *out, const struct fact_call *c, enum call_side side)
{
    bool any = false, logged = c->origin && strcmp(c->origin, "wire") != 0;
    for (unsigned i = 0; i < c->n_media; i++)
        any |= c->media[i].side[side].present;
    if (!any)
        return false;
    for (unsigned i = 0; i < c->n_media; i++) {
        text_put(out, i ? "," : "[");
        json_medium(out, &c->media[i], &c->media[i].side[side], logged);
    }
    text_char(out, ']');
    return true;
}

/* ---- diagnostics ---- */

/* One sentence per set bit. */
static void icewarn_sentences(struct text *t, uint32_t value)
{
    bool any = false;
    for (uint32_t bit = 1; bit; bit <<= 1) {
        const struct icewarn_bit *w = value & bit ? icewarn_bit(bit) : NULL;
        struct slice text = w ? slice_str(w->text) : slice_of(NULL, 0);
        char *p = text.n ? text_room(t, json_string_most(text.n) + 2) : NULL;
        if (!p)
            continue;
        *p++ = any ? ' ' : '"';
        p = json_put_chars(p, text);
        if (text.p[text.n - 1] != '.')
            *p++ = '.';
        text_to(t, p);
        any = true;
    }
    text_put(t, any ? "\"" : "null");
}

static bool same_word(struct slice s, const char *word)
{
    size_t n = strlen(word), k = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '-') /* "application-sharing" is m=applicationsharing */
            continue;
        if (k >= n || (s.p[i] | 0x20) != (uint8_t)word[k++])
            return false;
    }
    return k == n;
}

/* The header's block for this record: of its medium and side, else the first. */
static const struct media_debug *block_of(const struct ms_diag *d, const struct fact_diag *f)
{
    for (unsigned i = 0; i < d->n_media; i++) {
        const struct media_debug *m = &d->media[i];
        const char *side = m->side == DIAG_CALLER   ? "caller"
                           : m->side == DIAG_CALLEE ? "callee"
                                                    : NULL;
        bool sides = !side || !f->side || strcmp(side, f->side) == 0;
        if (sides && (!f->medium || same_word(m->medium, f->medium)))
            return m;
    }
    return d->n_media ? &d->media[0] : NULL;
}

/* Keys of MediaDebug; without one, the header's own parameters. */
static void json_fields(struct text *t, const struct fact_diag *f)
{
    struct ms_diag d;
    struct slice key, value;
    size_t pos = 0;
    bool any = false;
    if (!f->value || ms_diag_parse(slice_str(f->value), &d, NULL) != WIRE_OK) {
        text_json(t, NULL);
        return;
    }
    const struct media_debug *m = block_of(&d, f);
    struct text object = {0};
    while (m ? media_debug_field(m->fields, &pos, &key, &value)
             : ms_diag_param(d.params, &pos, &key, &value)) {
        text_put(&object, any ? "," : "{");
        text_json_slice(&object, key);
        text_put(&object, ":");
        text_json_slice(&object, value);
        any = true;
    }
    text_put(&object, any ? "}" : "");
    if (object.n) /* a text inside the array, so that the view gives it back unchanged */
        text_json_slice(t, slice_of(object.p, object.n));
    else
        text_json(t, NULL);
    text_free(&object);
}

static void json_diag(struct text *t, const struct fact_diag *d)
{
    text_char(t, '[');
    text_json_tick(t, d->seen);
    text_char(t, ',');
    text_json(t, d->header);
    text_char(t, ',');
    text_int(t, d->code);
    text_char(t, ',');
    text_json(t, d->reason);
    text_char(t, ',');
    text_json(t, d->side);
    text_char(t, ',');
    text_json(t, d->medium);
    text_char(t, ',');
    if (d->has_icewarn) {
        text_int(t, d->icewarn);
        text_char(t, ',');
        icewarn_sentences(t, d->icewarn);
    } else {
        text_put(t, "null,null");
    }
    text_char(t, ',');
    json_fields(t, d);
    text_char(t, ',');
    text_json(t, d->value);
    text_char(t, ']');
}

bool facts_json_diags(struct text *out, const struct fact_call *c)
{
    for (unsigned i = 0; i < c->n_diags; i++) {
        text_put(out, i ? "," : "[");
        json_diag(out, &c->diags[i]);
    }
    text_put(out, c->n_diags ? "]" : "");
    return c->n_diags > 0;
}

/* ---- sends ---- */

static void json_send(struct text *t, const struct fact_send *s)
{
    text_char(t, '[');
    json_endpoint(t, &s->peer);
    text_char(t, ',');
    text_json_tick(t, s->first);
    text_char(t, ',');
    text_json_tick(t, s->last);
    text_char(t, ',');
    text_int(t, s->count);
    text_char(t, ',');
    text_json_tick(t, s->answered);
    text_char(t, ',');
    text_int(t, s->by_connection);
    text_char(t, ',');
    text_json(t, s->remote_ufrag);
    text_char(t, ',');
    text_json(t, s->local_ufrag);
    text_char(t, ']');
}

bool facts_json_sends(struct text *out, const struct fact_allocation *a)
{
    for (unsigned i = 0; i < a->n_sends; i++) {
        text_put(out, i ? "," : "[");
        json_send(out, &a->sends[i]);
    }
    text_put(out, a->n_sends ? "]" : "");
    return a->n_sends > 0;
}
