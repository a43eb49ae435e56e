/* The tracker's table: chains, pool and age lists. See flowtable.h. */
#include "flows/flowtable.h"

#include "flows/pages.h"

enum {
    GROW = 4096,         /* entries touched at a time */
    FIRST_BUCKETS = 1024 /* the index grows with use: a small one stays in the cache */
};

static size_t index_bytes(const struct flowtable *t)
{
    return 2 * t->size * sizeof *t->index;
}

int flowtable_open(struct flowtable *t, uint32_t flows, uint64_t seed)
{
    *t = (struct flowtable){
        .most = flows, .size = flows + LIMIT_QUESTIONS + 1, .grown = 1, .buckets = 1, .seed = seed};
    while (t->buckets < FIRST_BUCKETS && t->buckets <= flows)
        t->buckets *= 2;
    for (int i = 0; i < FLOW_LISTS; i++)
        t->due[i] = INT64_MAX;
    t->hot = pages_reserve(t->size * sizeof *t->hot);
    t->cold = pages_reserve(t->size * sizeof *t->cold);
    t->index = pages_reserve(index_bytes(t));
    if (!t->hot || !t->cold || !t->index) {
        flowtable_close(t);
        return -1;
    }
    return 0;
}

void flowtable_close(struct flowtable *t)
{
    pages_release(t->hot, t->size * sizeof *t->hot);
    pages_release(t->cold, t->size * sizeof *t->cold);
    pages_release(t->index, index_bytes(t));
    *t = (struct flowtable){0};
}

static uint32_t *bucket(const struct flowtable *t, uint32_t hash)
{
    return &t->index[hash & (t->buckets - 1)];
}

static uint32_t hash_of(const struct flowtable *t, uint32_t n)
{
    const struct flow *f = &t->hot[n].flow;
    return endpoint_hash_pair(&f->client, &f->server, t->seed);
}

/* Twice as many buckets: each chain is split in two by the next bit of the hash. */
static void grow_index(struct flowtable *t)
{
    uint32_t old = t->buckets;
    pages_touch(t->index, old * sizeof *t->index, 2 * old * sizeof *t->index);
    for (uint32_t i = 0; i < old; i++) {
        uint32_t n = t->index[i], *low = &t->index[i], *high = &t->index[i + old];
        while (n) {
            struct entry *e = &t->hot[n];
            uint32_t **end = hash_of(t, n) & old ? &high : &low;
            **end = n;
            *end = &e->next;
            n = e->next;
        }
        *low = *high = 0;
    }
    t->buckets = 2 * old;
}

static bool pair_at(const struct flowtable *t, uint32_t n, const struct endpoint *src,
                    const struct endpoint *dst, bool *forward)
{
    const struct flow *f = &t->hot[n].flow;
    uint64_t there = endpoint_diff(&f->client, src) | endpoint_diff(&f->server, dst);
    uint64_t back = endpoint_diff(&f->client, dst) | endpoint_diff(&f->server, src);
    *forward = there == 0;
    return (there == 0) | (back == 0); /* one branch, nearly always the same way */
}

uint32_t flowtable_find(const struct flowtable *t, uint32_t hash, const struct endpoint *src,
                        const struct endpoint *dst, bool *forward)
{
    uint32_t n = *bucket(t, hash);
    while (n && !pair_at(t, n, src, dst, forward))
        n = t->hot[n].next;
    return n;
}

void flowtable_hint(const struct flowtable *t, uint32_t hash)
{
    __builtin_prefetch(bucket(t, hash));
}

void flowtable_hint_entry(const struct flowtable *t, uint32_t hash)
{
    uint32_t n = *bucket(t, hash);
    if (!n)
        return;
    __builtin_prefetch(&t->hot[n], 1);
    __builtin_prefetch((const char *)&t->hot[n] + 64, 1);
}

const struct flow *flowtable_hint_flow(const struct flowtable *t, uint32_t hash)
{
    uint32_t n = *bucket(t, hash);
    if (!n)
        return NULL;
    if (t->hot[n].hs.state != HS_LIVE)
        __builtin_prefetch(&t->cold[n], 1);
    return &t->hot[n].flow;
}

uint32_t flowtable_sibling(const struct flowtable *t, uint32_t n)
{
    const struct flow *f = &t->hot[n].flow;
    bool forward;
    do
        n = t->hot[n].next;
    while (n && !pair_at(t, n, &f->client, &f->server, &forward));
    return n;
}

static uint32_t new_slot(struct flowtable *t)
{
    uint32_t n = t->free;
    if (n) {
        t->free = t->hot[n].next;
        return n;
    }
    if (t->grown == t->size)
        return 0;
    n = t->grown++;
    if (n % GROW == 1) {
        uint32_t end = n + GROW < t->size ? n + GROW : t->size;
        pages_touch(t->hot, n * sizeof *t->hot, end * sizeof *t->hot);
        pages_touch(t->cold, n * sizeof *t->cold, end * sizeof *t->cold);
    }
    return n;
}

uint32_t flowtable_take(struct flowtable *t, const struct endpoint *client,
                        const struct endpoint *server)
{
    bool forward;
    uint32_t n = new_slot(t);
    if (!n)
        return 0;
    if (2 * t->used >= t->buckets && t->buckets <= t->size)
        grow_index(t);
    uint32_t *head = bucket(t, endpoint_hash_pair(client, server, t->seed)), other = *head;
    t->hot[n] = (struct entry){.flow = {.client = *client, .server = *server}, .next = other};
    t->cold[n] = (struct entry_cold){
        .last = TICK_NONE, .asked = TICK_NONE, .rtt_us = UINT32_MAX, .list = -1};
    for (; other; other = t->hot[other].next)
        if (pair_at(t, other, client, server, &forward))
            t->hot[other].siblings = t->hot[n].siblings = 1;
    *head = n;
    t->used++;
    return n;
}

static void set_due(struct flowtable *t, int list)
{
    uint32_t n = t->list[list].oldest;
    tick_t wait = handshake_wait_time((enum handshake_wait)(list / FLOW_KINDS));
    /* nobody has looked at these for the whole wait: the entry is due next, then the one behind */
    __builtin_prefetch(&t->hot[n], 1);
    __builtin_prefetch((const char *)&t->hot[n] + 64, 1);
    __builtin_prefetch(&t->cold[t->cold[n].newer], 1);
    t->due[list] = n ? t->cold[n].armed + wait : INT64_MAX;
}

static void unlist(struct flowtable *t, uint32_t n)
{
    struct entry_cold *c = &t->cold[n];
    if (c->list < 0)
        return;
    struct flow_list *l = &t->list[c->list];
    if (l->placed == n)
        l->placed = c->older;
    if (c->newer)
        t->cold[c->newer].older = c->older;
    else
        l->newest = c->older;
    if (c->older) {
        t->cold[c->older].newer = c->newer;
    } else {
        l->oldest = c->newer;
        set_due(t, c->list);
    }
    l->count--;
    c->list = -1;
}

void flowtable_arm(struct flowtable *t, uint32_t n, tick_t now)
{
    struct entry_cold *c = &t->cold[n];
    const struct entry *e = &t->hot[n];
    int list = e->hs.wait * FLOW_KINDS + (e->asking ? FLOW_ASKING : e->wanted);
    unlist(t, n);
    struct flow_list *l = &t->list[list];
    c->list = (int8_t)list;
    c->armed = now;
    c->older = l->newest;
    c->newer = 0;
    l->newest = n;
    l->count++;
    if (c->older) {
        t->cold[c->older].newer = n;
    } else {
        l->oldest = n;
        set_due(t, list);
    }
}

void flowtable_asking(struct flowtable *t, uint32_t n)
{
    t->hot[n].asking = 1;
    t->asking++;
}

/* Behind which entry of the list one goes that was armed then; 0: it becomes the oldest. Answers
 * come in the order of the questions, so each place is near the one before. */
static uint32_t place_of(const struct flowtable *t, const struct flow_list *l, tick_t armed)
{
    uint32_t older = l->placed ? l->placed : l->newest, newer;
    while (older && t->cold[older].armed > armed)
        older = t->cold[older].older;
    while ((newer = older ? t->cold[older].newer : l->oldest) && t->cold[newer].armed <= armed)
        older = newer;
    return older;
}

void flowtable_answered(struct flowtable *t, uint32_t n, bool wanted)
{
    struct entry_cold *c = &t->cold[n];
    int list = c->list - FLOW_ASKING + wanted;
    t->hot[n].asking = 0;
    t->hot[n].wanted = wanted;
    t->asking--;
    if (c->list < 0)
        return;
    unlist(t, n);
    struct flow_list *l = &t->list[list];
    uint32_t older = place_of(t, l, c->armed), newer = older ? t->cold[older].newer : l->oldest;
    c->list = (int8_t)list;
    c->older = older;
    c->newer = newer;
    l->placed = n;
    l->count++;
    if (newer)
        t->cold[newer].older = n;
    else
        l->newest = n;
    if (older) {
        t->cold[older].newer = n;
    } else {
        l->oldest = n;
        set_due(t, list);
    }
}

void flowtable_remove(struct flowtable *t, uint32_t n)
{
    struct entry *e = &t->hot[n];
    uint32_t *link = bucket(t, hash_of(t, n));
    while (*link != n)
        link = &t->hot[*link].next;
    *link = e->next;
    unlist(t, n);
    t->asking -= e->asking;
    e->asking = 0;
    e->next = t->free;
    t->free = n;
    t->used--;
}

int flowtable_due(const struct flowtable *t, tick_t *due)
{
    int first = -1;
    *due = INT64_MAX;
    for (int i = 0; i < FLOW_LISTS; i++)
        if (t->due[i] < *due) {
            *due = t->due[i];
            first = i;
        }
    return first;
}

unsigned flowtable_bytes_per_flow(void)
{
    return sizeof(struct entry) + sizeof(struct entry_cold) + 2 * sizeof(uint32_t);
}
