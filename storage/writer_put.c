/* The engine's side of the writer: records into the blocks of its queue. */
#include "storage/writer_inner.h"

#include <stdio.h>

enum { LIVE_BLOCK_MS = 200 };

/* Is there a block to write into? If not, the record is lost. */
static bool ready(struct writer *w)
{
    if (!w->current)
        w->current = queue_get(w->queue, w->want, !w->live);
    w->want = QUEUE_BLOCK;
    if (w->current)
        w->current->veil = w->privacy;
    else
        w->lost++;
    return w->current;
}

/* The record did not fit: a fresh block, or if it was fresh, a larger one. */
static void spill(struct writer *w)
{
    if (w->current->used) {
        queue_ship(w->queue, w->current);
    } else {
        w->want = w->current->room * 2;
        queue_done(w->queue, w->current);
    }
    w->current = NULL;
}

void writer_attempt(struct writer *w, const struct attempt *a, const struct evidence *ev,
                    unsigned n_ev)
{
    unsigned n = n_ev < ATTEMPT_MAX_EVIDENCE ? n_ev : ATTEMPT_MAX_EVIDENCE;
    while (ready(w) && !record_attempt(w->current, a, ev, n))
        spill(w);
}

static void put_flat(struct writer *w, enum record_kind kind, const void *bytes, size_t n)
{
    while (ready(w) && !record_flat(w->current, kind, bytes, n))
        spill(w);
}

void writer_attempt_failure(struct writer *w, uint64_t attempt, int64_t failure)
{
    struct record_link r = {attempt, failure};
    put_flat(w, RECORD_LINK, &r, sizeof r);
}

void writer_call(struct writer *w, const struct fact_call *c)
{
    while (ready(w) && !record_call(w->current, c))
        spill(w);
}

void writer_allocation(struct writer *w, const struct fact_allocation *a)
{
    while (ready(w) && !record_allocation(w->current, a))
        spill(w);
}

void writer_alias(struct writer *w, const struct fact_alias *a)
{
    struct fact_alias copy = *a;
    privacy_addr(w->privacy, &copy.private_addr);
    privacy_addr(w->privacy, &copy.public_addr);
    put_flat(w, RECORD_ALIAS, &copy, sizeof copy);
}

void writer_failure(struct writer *w, const struct failure *f, const struct finding *list,
                    unsigned n)
{
    while (ready(w) && !record_failure(w->current, f, list, n))
        spill(w);
}

void writer_failure_gone(struct writer *w, int64_t id)
{
    put_flat(w, RECORD_GONE, &id, sizeof id);
}

void writer_trouble(struct writer *w, const struct relay_trouble *t)
{
    struct relay_trouble copy = *t;
    privacy_endpoint(w->privacy, &copy.client);
    privacy_endpoint(w->privacy, &copy.server);
    if (w->privacy) {
        snprintf(copy.detail, sizeof copy.detail, "%s", privacy_text(w->privacy, t->detail));
        snprintf(copy.partner, sizeof copy.partner, "%s", privacy_text(w->privacy, t->partner));
    }
    put_flat(w, RECORD_TROUBLE, &copy, sizeof copy);
}

void writer_feed(struct writer *w, const struct feed_log *l)
{
    struct feed_log copy = *l;
    const char *name = privacy_id(w->privacy, l->name);
    if (name != l->name)
        snprintf(copy.name, sizeof copy.name, "%s", name);
    put_flat(w, RECORD_FEED, &copy, sizeof copy);
}

void writer_log(struct writer *w, const struct sip_log *l)
{
    put_flat(w, RECORD_LOG, l, sizeof *l);
}

void writer_tls(struct writer *w, const struct fact_tls *t)
{
    while (ready(w) && !record_tls(w->current, t))
        spill(w);
}

void writer_traffic(struct writer *w, const struct traffic_row *r)
{
    struct traffic_row copy = *r;
    privacy_addr(w->privacy, &copy.src);
    privacy_addr(w->privacy, &copy.dst_net);
    put_flat(w, RECORD_TRAFFIC, &copy, sizeof copy);
}

void writer_health(struct writer *w, const struct health_row *h, const char *iface_name)
{
    uint64_t lost = h->iface < 0 ? w->lost - w->lost_told : 0;
    while (ready(w)) {
        if (record_health(w->current, h, iface_name, lost)) {
            w->lost_told += lost;
            return;
        }
        spill(w);
    }
}

/* Ships early only to an idle thread: a busy one does better with full blocks. */
void writer_advance(struct writer *w, tick_t now)
{
    tick_t every = w->live ? LIVE_BLOCK_MS * TICK_MS : TICK_S;
    if (w->shipped != TICK_NONE && now >= w->shipped && now - w->shipped < every)
        return;
    w->shipped = now;
    put_flat(w, RECORD_ADVANCE, &now, sizeof now);
    if (w->current && queue_idle(w->queue)) {
        queue_ship(w->queue, w->current);
        w->current = NULL;
    }
}

bool writer_failed(struct writer *w, char *why, size_t room)
{
    if (!atomic_load_explicit(&w->failed, memory_order_acquire))
        return false;
    snprintf(why, room, "%s", w->store.db.why);
    return true;
}

bool writer_waits(struct writer *w, char *why, size_t room)
{
    if (!atomic_load_explicit(&w->waits, memory_order_acquire))
        return false;
    pthread_mutex_lock(&w->told);
    snprintf(why, room, "%s", w->waits_why);
    pthread_mutex_unlock(&w->told);
    return true;
}

uint64_t writer_lost(const struct writer *w)
{
    return w->lost;
}

int64_t writer_run(const struct writer *w)
{
    return w->store.run;
}
