/* Failures on their way, by engine id: a list in order of arrival, found through open addressing.
 */
#include "storage/pending.h"

#include <stdlib.h>

enum { SLOTS = PENDING_MAX * 2 }; /* a power of two */

struct pending_table {
    uint16_t slot[SLOTS]; /* 0, or 1 + place in the list */
    int64_t id[PENDING_MAX];
    struct block *copy[PENDING_MAX]; /* NULL: dropped */
};

void pending_clear(struct pending *p)
{
    for (unsigned i = 0; i < p->n; i++)
        free(p->table->copy[i]);
    if (p->n)
        memset(p->table->slot, 0, sizeof p->table->slot);
    p->n = 0;
}

void pending_free(struct pending *p)
{
    pending_clear(p);
    free(p->table);
    p->table = NULL;
}

/* Where the id is or belongs. Engine ids count up: their low bits spread them. */
static uint16_t *slot_of(const struct pending *p, int64_t id)
{
    struct pending_table *t = p->table;
    unsigned at = (unsigned)id % SLOTS;
    while (t->slot[at] && t->id[t->slot[at] - 1] != id)
        at = (at + 1) % SLOTS;
    return &t->slot[at];
}

bool pending_put(struct pending *p, const struct record_failure *r)
{
    if (!p->table && !(p->table = calloc(1, sizeof *p->table)))
        return false;
    uint16_t *slot = slot_of(p, r->failure.id);
    struct block *b = *slot || p->n < PENDING_MAX ? record_failure_alone(r) : NULL;
    if (!b)
        return false;
    if (*slot) {
        free(p->table->copy[*slot - 1]);
    } else {
        p->table->id[p->n++] = r->failure.id;
        *slot = (uint16_t)p->n;
    }
    p->table->copy[*slot - 1] = b;
    return true;
}

void pending_drop(struct pending *p, int64_t id)
{
    uint16_t *slot = p->n ? slot_of(p, id) : NULL;
    if (!slot || !*slot)
        return;
    free(p->table->copy[*slot - 1]);
    p->table->copy[*slot - 1] = NULL;
}

struct record_failure *pending_at(const struct pending *p, unsigned i)
{
    size_t at = 0;
    enum record_kind kind;
    const struct block *b = p->table->copy[i];
    return b ? (struct record_failure *)record_next(b, &at, &kind) : NULL;
}
