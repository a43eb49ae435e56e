/* Packed columns into facts. Elements are read in the order that schema.sql has them in. */
#include "storage/load_json.h"

#include "storage/facts_json.h"
#include "storage/packed.h"

const char *load_text(struct arena *a, struct slice s)
{
    char *out = arena_get(a, s.n + 1);
    if (!out)
        return NULL;
    if (s.n)
        memcpy(out, s.p, s.n);
    return out;
}

/* 0 for what is none */
static int64_t next_int(struct packed *r)
{
    int64_t v;
    (void)packed_int(r, &v);
    return v;
}

static tick_t next_tick(struct packed *r)
{
    int64_t v;
    return packed_int(r, &v) ? v * TICK_US : TICK_NONE;
}

/* two elements */
static struct endpoint next_endpoint(struct packed *r)
{
    struct endpoint e = {.port = 0};
    struct slice text;
    if (packed_raw(r, &text))
        addr_parse(text, &e.addr);
    e.port = (uint16_t)next_int(r);
    return e;
}

/* ---- sides ---- */

/* How many elements are left in the array. */
static size_t count_left(struct packed r)
{
    size_t n = 0;
    for (; packed_more(&r); n++)
        packed_skip(&r);
    return n;
}

/* How many elements the array has that comes next. */
static size_t next_count(struct packed *r)
{
    if (!packed_enter(r))
        return 0;
    size_t n = count_left(*r);
    packed_leave(r);
    return n;
}

/* Of a list of candidates, each with an array of priorities as its sixth element: how many
 * priorities all of them have. r: in the list; a copy goes through it. */
static size_t count_priorities(struct packed r)
{
    size_t n = 0;
    while (packed_more(&r)) {
        if (!packed_enter(&r))
            continue;
        for (int i = 0; i < 5; i++)
            packed_skip(&r);
        n += next_count(&r);
        packed_leave(&r);
    }
    return n;
}

/* r: in the candidate. *priorities: at the array of them. */
static void next_candidate(struct arena *a, struct packed *r, struct fact_candidate *k,
                           struct packed *priorities)
{
    struct packed name;
    *k = (struct fact_candidate){.component = (uint16_t)next_int(r)};
    k->transport = (uint8_t)next_int(r);
    k->type = (uint8_t)next_int(r);
    name = *r;
    k->at = next_endpoint(r);
    *priorities = *r;
    packed_skip(r);
    k->foundation = packed_text(r, a);
    k->dialect = (uint8_t)next_int(r);
    k->related = next_endpoint(r);
    if (addr_none(&k->at.addr)) /* what is no address is a name */
        k->name = packed_text(&name, a);
}

/* An entry may stand for several components: one candidate for each priority. */
static void add_candidates(struct arena *a, struct packed *r, struct fact_side *s)
{
    struct fact_candidate k;
    struct packed priorities;
    next_candidate(a, r, &k, &priorities);
    if ((k.dialect == DIALECT_DEFAULT && endpoint_eq(&k.at, &s->preset)) ||
        !packed_enter(&priorities))
        return;
    for (; packed_more(&priorities); k.component++) {
        k.priority = (uint32_t)next_int(&priorities);
        s->candidates[s->n_candidates++] = k;
    }
}

static bool next_candidates(struct arena *a, struct packed *r, struct fact_side *s)
{
    if (!packed_enter(r))
        return true;
    size_t n = count_priorities(*r);
    s->candidates = n ? arena_get(a, n * sizeof *s->candidates) : NULL;
    s->room = (uint16_t)n;
    while (s->candidates && packed_more(r))
        if (packed_enter(r)) {
            add_candidates(a, r, s);
            packed_leave(r);
        }
    packed_leave(r);
    return s->candidates || !n;
}

/* r: in the medium */
static bool next_side(struct arena *a, struct packed *r, struct fact_media *m, enum call_side side)
{
    struct fact_side *s = &m->side[side];
    if (m->medium)
        packed_skip(r);
    else
        m->medium = packed_text(r, a);
    int64_t flags = next_int(r);
    m->concluded |= (flags & MEDIA_CONCLUDED) != 0;
    *s = (struct fact_side){
        .present = flags & MEDIA_PRESENT,
        .rejected = flags & MEDIA_REJECTED,
        .tcp = flags & MEDIA_TCP,
    };
    s->preset = next_endpoint(r);
    s->ufrag = packed_text(r, a);
    bool well = next_candidates(a, r, s);
    s->told = next_tick(r);
    s->added = next_tick(r);
    return well;
}

bool load_json_side(struct arena *a, struct slice json, struct fact_call *c, enum call_side side)
{
    struct packed r;
    if (!packed_open(json, &r))
        return true;
    size_t n = count_left(r);
    bool well = true;
    if (n && !c->media) {
        c->media = arena_get(a, n * sizeof *c->media);
        c->n_media = c->media ? (unsigned)n : 0;
        well = c->media;
    }
    for (size_t i = 0; well && i < n && i < c->n_media; i++)
        if (packed_enter(&r)) {
            well = next_side(a, &r, &c->media[i], side);
            packed_leave(&r);
        }
    return well;
}

/* ---- diagnostics and sends ---- */

/* r: in the entry */
static struct fact_diag next_diag(struct arena *a, struct packed *r)
{
    struct fact_diag d = {.seen = next_tick(r)};
    int64_t icewarn;
    d.header = packed_text(r, a);
    d.code = (uint32_t)next_int(r);
    d.reason = packed_text(r, a);
    d.side = packed_text(r, a);
    d.medium = packed_text(r, a);
    d.has_icewarn = packed_int(r, &icewarn);
    d.icewarn = (uint32_t)icewarn;
    packed_skip(r); /* its text */
    packed_skip(r); /* fields */
    d.value = packed_text(r, a);
    return d;
}

bool load_json_diags(struct arena *a, struct slice json, struct fact_call *c)
{
    struct packed r;
    size_t n = packed_open(json, &r) ? count_left(r) : 0;
    c->diags = n ? arena_get(a, n * sizeof *c->diags) : NULL;
    while (c->diags && packed_more(&r))
        if (packed_enter(&r)) {
            c->diags[c->n_diags++] = next_diag(a, &r);
            packed_leave(&r);
        }
    return c->diags || !n;
}

/* r: in the entry */
static struct fact_send next_send(struct arena *a, struct packed *r)
{
    struct fact_send s = {.peer = next_endpoint(r)};
    s.first = next_tick(r);
    s.last = next_tick(r);
    s.count = (uint32_t)next_int(r);
    s.answered = next_tick(r);
    s.by_connection = next_int(r) != 0;
    s.remote_ufrag = packed_text(r, a);
    s.local_ufrag = packed_text(r, a);
    return s;
}

bool load_json_sends(struct arena *a, struct slice json, struct fact_allocation *f)
{
    struct packed r;
    size_t n = packed_open(json, &r) ? count_left(r) : 0;
    f->sends = n ? arena_get(a, n * sizeof *f->sends) : NULL;
    while (f->sends && packed_more(&r))
        if (packed_enter(&r)) {
            f->sends[f->n_sends++] = next_send(a, &r);
            packed_leave(&r);
        }
    return f->sends || !n;
}
