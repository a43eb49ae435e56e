/* JSON arrays of the packed columns into facts. */
#include "storage/load_json.h"

#include <jansson.h>

#include "storage/facts_json.h"

const char *load_text(struct arena *a, struct slice s)
{
    char *out = arena_get(a, s.n + 1);
    if (!out)
        return NULL;
    if (s.n)
        memcpy(out, s.p, s.n);
    return out;
}

static const char *text_at(struct arena *a, const json_t *array, size_t i)
{
    const json_t *v = json_array_get(array, i);
    return json_is_string(v) ? load_text(a, slice_str(json_string_value(v))) : NULL;
}

static json_int_t int_at(const json_t *array, size_t i)
{
    return json_integer_value(json_array_get(array, i));
}

static tick_t tick_at(const json_t *array, size_t i)
{
    const json_t *v = json_array_get(array, i);
    return json_is_integer(v) ? json_integer_value(v) * TICK_US : TICK_NONE;
}

/* two elements */
static struct endpoint endpoint_at(const json_t *array, size_t i)
{
    struct endpoint e = {.port = (uint16_t)int_at(array, i + 1)};
    const char *text = json_string_value(json_array_get(array, i));
    if (text)
        addr_parse(slice_str(text), &e.addr);
    return e;
}

static json_t *parsed(struct slice json)
{
    return json.n ? json_loadb((const char *)json.p, json.n, 0, NULL) : NULL;
}

/* ---- sides ---- */

static void candidate_of(struct arena *a, const json_t *from, struct fact_candidate *k)
{
    *k = (struct fact_candidate){
        .component = (uint16_t)int_at(from, 0),
        .transport = (uint8_t)int_at(from, 1),
        .type = (uint8_t)int_at(from, 2),
        .at = endpoint_at(from, 3),
        .foundation = text_at(a, from, 6),
        .dialect = (uint8_t)int_at(from, 7),
        .related = endpoint_at(from, 8),
    };
    if (addr_none(&k->at.addr)) /* what is no address is a name */
        k->name = text_at(a, from, 3);
}

static const json_t *priorities(const json_t *candidate)
{
    return json_array_get(candidate, 5);
}

/* An entry may stand for several components: one candidate for each priority. */
static void add_candidates(struct arena *a, const json_t *from, struct fact_side *s)
{
    struct fact_candidate k;
    candidate_of(a, from, &k);
    if (k.dialect == DIALECT_DEFAULT && endpoint_eq(&k.at, &s->preset))
        return;
    size_t n = json_array_size(priorities(from));
    for (size_t i = 0; i < n; i++, k.component++) {
        k.priority = (uint32_t)int_at(priorities(from), i);
        s->candidates[s->n_candidates++] = k;
    }
}

static bool side_of(struct arena *a, const json_t *from, struct fact_media *m, enum call_side side)
{
    struct fact_side *s = &m->side[side];
    json_int_t flags = int_at(from, 1);
    const json_t *list = json_array_get(from, 5);
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(list); i++)
        n += json_array_size(priorities(json_array_get(list, i)));
    if (!m->medium)
        m->medium = text_at(a, from, 0);
    m->concluded |= (flags & MEDIA_CONCLUDED) != 0;
    *s = (struct fact_side){
        .present = flags & MEDIA_PRESENT,
        .rejected = flags & MEDIA_REJECTED,
        .tcp = flags & MEDIA_TCP,
        .preset = endpoint_at(from, 2),
        .told = tick_at(from, 6),
        .added = tick_at(from, 7),
        .ufrag = text_at(a, from, 4),
        .candidates = n ? arena_get(a, n * sizeof *s->candidates) : NULL,
    };
    if (n && !s->candidates)
        return false;
    for (size_t i = 0; i < json_array_size(list); i++)
        add_candidates(a, json_array_get(list, i), s);
    s->room = (uint16_t)n;
    return true;
}

bool load_json_side(struct arena *a, struct slice json, struct fact_call *c, enum call_side side)
{
    json_t *root = parsed(json);
    size_t n = json_array_size(root);
    bool well = true;
    if (n && !c->media) {
        c->media = arena_get(a, n * sizeof *c->media);
        c->n_media = c->media ? (unsigned)n : 0;
        well = c->media;
    }
    for (size_t i = 0; well && i < n && i < c->n_media; i++)
        well = side_of(a, json_array_get(root, i), &c->media[i], side);
    json_decref(root);
    return well;
}

/* ---- diagnostics and sends ---- */

bool load_json_diags(struct arena *a, struct slice json, struct fact_call *c)
{
    json_t *root = parsed(json);
    size_t n = json_array_size(root);
    c->diags = n ? arena_get(a, n * sizeof *c->diags) : NULL;
    for (size_t i = 0; c->diags && i < n; i++) {
        const json_t *d = json_array_get(root, i);
        c->diags[i] = (struct fact_diag){
            .seen = tick_at(d, 0),
            .header = text_at(a, d, 1),
            .code = (uint32_t)int_at(d, 2),
            .reason = text_at(a, d, 3),
            .side = text_at(a, d, 4),
            .medium = text_at(a, d, 5),
            .has_icewarn = json_is_integer(json_array_get(d, 6)),
            .icewarn = (uint32_t)int_at(d, 6),
            .value = text_at(a, d, 9),
        };
        c->n_diags = (unsigned)i + 1;
    }
    json_decref(root);
    return c->diags || !n;
}

bool load_json_sends(struct arena *a, struct slice json, struct fact_allocation *f)
{
    json_t *root = parsed(json);
    size_t n = json_array_size(root);
    f->sends = n ? arena_get(a, n * sizeof *f->sends) : NULL;
    for (size_t i = 0; f->sends && i < n; i++) {
        const json_t *s = json_array_get(root, i);
        f->sends[i] = (struct fact_send){
            .peer = endpoint_at(s, 0),
            .first = tick_at(s, 2),
            .last = tick_at(s, 3),
            .count = (uint32_t)int_at(s, 4),
            .answered = tick_at(s, 5),
            .by_connection = int_at(s, 6) != 0,
            .remote_ufrag = text_at(a, s, 7),
            .local_ufrag = text_at(a, s, 8),
        };
        f->n_sends = (unsigned)i + 1;
    }
    json_decref(root);
    return f->sends || !n;
}
