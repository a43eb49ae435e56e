/* Reads what belongs to one failure. */
#include "report/story_facts.h"

#include "report/field.h"

#include <stdlib.h>
#include <string.h>

#define ENDED_SLACK (60 * TICK_S) /* two spans may have clocks that are apart */

/* All rows of a view as an array; NULL if the database or memory fails. */
static json_t *load(struct query_db *db, enum query_view view, const struct query_filter *f)
{
    struct rows *r = query_view(db, view, f);
    json_t *list = r ? json_array() : NULL;
    int got = list ? 1 : -1;
    while (got == 1 && (got = rows_next(r)) == 1)
        if (json_array_append_new(list, json_row(r)) != 0)
            got = -1;
    rows_close(r);
    if (got < 0) {
        json_decref(list);
        return NULL;
    }
    return list;
}

static struct query_filter nothing(void)
{
    return (struct query_filter){.since = TICK_NONE, .until = TICK_NONE};
}

static bool same(const json_t *a, const char *name, const json_t *b, const char *other)
{
    const char *text = field_text(a, name);
    return *text && strcmp(text, field_text(b, other)) == 0;
}

static bool same_port(const json_t *a, const char *name, const json_t *b, const char *other)
{
    int64_t port = field_int(a, name, 0);
    return port && port == field_int(b, other, 0);
}

/* Does the allocation own this end of the failure? */
static bool owns(const json_t *alloc, const json_t *failure, const char *addr, const char *port,
                 const char *public)
{
    return same_port(alloc, "relay_port", failure, port) &&
           (same(alloc, "relay_addr", failure, addr) || same(alloc, "wire_addr", failure, addr) ||
            (public && same(alloc, "relay_addr", failure, public)));
}

static bool by_client(const json_t *alloc, const json_t *failure)
{
    return same(alloc, "client_addr", failure, "client_addr") &&
           same_port(alloc, "client_port", failure, "client_port");
}

/* Did it live when the failure began, or shortly before? Ports are used again. */
static bool alive(const json_t *alloc, const json_t *failure)
{
    tick_t at = field_tick(failure, "last_seen"), ended = field_tick(alloc, "ended");
    tick_t first = field_tick(failure, "first_seen");
    return field_tick(alloc, "started") <= at &&
           (ended == TICK_NONE || ended + ENDED_SLACK >= first);
}

static int find_allocations(struct query_db *db, struct story_facts *f)
{
    struct query_filter q = nothing();
    static const char *const ends[] = {"src_addr", "dst_addr", "src_public", "client_addr"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        q.addr = field_text(f->failure, ends[i]);
        json_t *list = *q.addr ? load(db, VIEW_ALLOCATIONS, &q) : json_array(), *a;
        size_t k;
        if (!list)
            return -1;
        json_array_foreach(list, k, a)
        {
            if (!alive(a, f->failure))
                continue;
            bool near = owns(a, f->failure, "src_addr", "src_port", "src_public") ||
                        by_client(a, f->failure);
            if (near && !f->allocation)
                f->allocation = json_incref(a);
            else if (!near && !f->far && owns(a, f->failure, "dst_addr", "dst_port", NULL))
                f->far = json_incref(a);
        }
        json_decref(list);
    }
    return 0;
}

/* Whom the client of the near relay port asked for. */
static int find_sends(struct query_db *db, struct story_facts *f)
{
    struct query_filter q = nothing();
    q.id = field_int(f->allocation, "id", 0);
    if (q.id == 0)
        return 0;
    f->sends = load(db, VIEW_SENDS, &q);
    return f->sends ? 0 : -1;
}

static bool is_alias(const json_t *alias, const struct story_facts *f)
{
    return (same(alias, "private_addr", f->failure, "src_addr") &&
            same(alias, "public_addr", f->failure, "src_public")) ||
           (same(alias, "private_addr", f->allocation, "wire_addr") &&
            same(alias, "public_addr", f->allocation, "relay_addr"));
}

static int find_alias(struct query_db *db, struct story_facts *f)
{
    struct query_filter q = nothing();
    json_t *list = load(db, VIEW_ALIASES, &q), *a;
    size_t k;
    if (!list)
        return -1;
    json_array_foreach(list, k, a)
    {
        if (!f->alias && is_alias(a, f))
            f->alias = json_incref(a);
    }
    json_decref(list);
    return 0;
}

/* The call that lived at that moment, among those with the Call-ID (it may have been read twice).
 */
static int find_call(struct query_db *db, struct story_facts *f)
{
    struct query_filter q = nothing();
    q.call = field_text(f->failure, "call_id");
    if (!*q.call)
        return 0;
    json_t *list = load(db, VIEW_CALLS, &q);
    f->candidates = load(db, VIEW_CANDIDATES, &q);
    f->diagnostics = load(db, VIEW_DIAGNOSTICS, &q);
    if (!list || !f->candidates || !f->diagnostics) {
        json_decref(list);
        return -1;
    }
    f->call = json_incref(json_array_get(list, 0));
    json_decref(list);
    return 0;
}

/* The last word of "relay TCP-PASS 2.2.2.2:58138". */
static const char *candidate_endpoint(const char *text)
{
    const char *blank = strrchr(text, ' ');
    return blank ? blank + 1 : text;
}

static bool has_candidate(const struct story_facts *f, const char *side, const char *endpoint)
{
    size_t k;
    json_t *c;
    char at[96];
    json_array_foreach(f->candidates, k, c)
    {
        if (strcmp(field_text(c, "side"), side) == 0 &&
            strcmp(field_endpoint(c, "addr", "port", at, sizeof at), endpoint) == 0)
            return true;
    }
    return false;
}

static void find_near_side(struct story_facts *f)
{
    const char *local = candidate_endpoint(field_text(f->failure, "local_candidate"));
    if (!*local || !f->call)
        return;
    bool offer =
        strcmp(local, field_text(f->call, "offer_relay")) == 0 || has_candidate(f, "offer", local);
    bool answer = strcmp(local, field_text(f->call, "answer_relay")) == 0 ||
                  has_candidate(f, "answer", local);
    f->near_known = offer != answer;
    f->near_is_offer = offer;
}

static json_t *list_of_failure(struct query_db *db, enum query_view view, int64_t id)
{
    struct query_filter q = nothing();
    q.failure_id = id;
    return load(db, view, &q);
}

static int load_rest(struct query_db *db, int64_t id, struct story_facts *f)
{
    f->attempts = list_of_failure(db, VIEW_ATTEMPTS, id);
    f->findings = list_of_failure(db, VIEW_FINDINGS, id);
    int64_t n = evidence_load(db, id, &f->packets);
    f->n_packets = n > 0 ? (size_t)n : 0;
    if (!f->attempts || !f->findings || n < 0)
        return -1;
    if (find_allocations(db, f) != 0 || find_sends(db, f) != 0 || find_alias(db, f) != 0 ||
        find_call(db, f) != 0)
        return -1;
    find_near_side(f);
    return 0;
}

enum story_found story_load(struct query_db *db, int64_t id, struct story_facts *out)
{
    struct query_filter q = nothing();
    q.id = id;
    q.with_info = true;
    json_t *list = load(db, VIEW_FAILURES, &q);
    if (!list)
        return STORY_DB_FAILED;
    struct story_facts f = {.failure = json_incref(json_array_get(list, 0))};
    json_decref(list);
    if (!f.failure)
        return STORY_NO_ID;
    if (load_rest(db, id, &f) != 0) {
        story_unload(&f);
        return STORY_DB_FAILED;
    }
    *out = f;
    return STORY_OK;
}

void story_unload(struct story_facts *f)
{
    json_decref(f->failure);
    json_decref(f->attempts);
    json_decref(f->candidates);
    json_decref(f->diagnostics);
    json_decref(f->findings);
    json_decref(f->sends);
    json_decref(f->call);
    json_decref(f->allocation);
    json_decref(f->far);
    json_decref(f->alias);
    free(f->packets);
}

json_t *story_json(const struct story_facts *f)
{
    return json_pack("{sO sO? sO? sO? sO? sO? sO? sO? sO? sO?}", "failure", f->failure, "call",
                     f->call, "allocation", f->allocation, "far_allocation", f->far, "alias",
                     f->alias, "attempts", f->attempts, "candidates", f->candidates, "diagnostics",
                     f->diagnostics, "findings", f->findings, "sends", f->sends);
}
