/*
 * The pulling side: frames of all sources in the order of packet time.
 *
 * Within one source the order is kept as it is. Among files the merge is exact: a file whose ring
 * is empty is waited for. A silent interface is waited for only so long that its frames, if it has
 * any, would have arrived.
 */
#include "capture/source_inner.h"

#include <time.h>

enum {
    HOLD_MS = 50, /* longest wait for a silent interface: more than two poll periods */
    IDLE_MS =
        100,  /* idle time given out lies this far behind the clock: nothing older is under way */
    NEXT = 8, /* frames ahead, whose place is asked for */
    WAIT_MS = 200, /* one sleep for a file; it is only a net under the bell */
};

static int64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static tick_t clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (tick_t)t.tv_sec * TICK_S + t.tv_nsec;
}

static const struct batch_packet *head(const struct source *src)
{
    return &src->batch->packets[src->next];
}

/* Makes src->batch hold a frame, if the ring has one. */
static bool source_ready(struct source *src)
{
    while (!src->ended) {
        if (src->batch && src->next < src->batch->count)
            return true;
        if (src->batch)
            ring_release(src->ring);
        src->next = 0;
        src->batch = ring_peek(src->ring);
        if (!src->batch) {
            src->ended = ring_ended(src->ring);
            if (!src->ended)
                return false;
        }
    }
    return false;
}

/* What a look at all sources found. */
struct look {
    struct source *first; /* has the oldest frame */
    tick_t second;        /* time of the next source's frame */
    bool file_missing, live_missing, all_ended;
};

static struct look look_at_all(struct sources *s)
{
    struct look l = {.second = INT64_MAX, .all_ended = true};
    for (size_t i = 0; i < s->count; i++) {
        struct source *src = s->list[i];
        if (source_ready(src)) {
            tick_t t = head(src)->time;
            if (!l.first || t < head(l.first)->time) {
                l.second = l.first ? head(l.first)->time : INT64_MAX;
                l.first = src;
            } else if (t < l.second) {
                l.second = t;
            }
        } else if (!src->ended) {
            *(src->file ? &l.file_missing : &l.live_missing) = true;
        }
        l.all_ended &= src->ended;
    }
    return l;
}

/* May the oldest frame go although an interface has nothing? Yes once it is older than anything
 * that can still come, or was held for the whole wait (its clock may be ahead of ours). */
static bool live_may_go(struct sources *s, tick_t t)
{
    if (t <= s->safe_time)
        return true;
    s->safe_time = clock_now() - HOLD_MS * TICK_MS;
    int64_t now = clock_ms();
    if (!s->held_since)
        s->held_since = now;
    return t <= s->safe_time || now - s->held_since >= HOLD_MS;
}

static enum source_pull hand_out(struct source *src, struct raw_packet *out)
{
    *out = source_frame(src->batch, src->next++);
    __builtin_prefetch(head(src) + NEXT); /* out of another processor's cache */
    return PULL_PACKET;
}

/* The source of the next frame, NULL if it is not known yet. From then on the same source may go on
 * as long as it stays ahead of the others' oldest frames and of what a silent one may still send.
 */
static struct source *choose(struct sources *s, const struct look *l)
{
    if (!l->first || l->file_missing)
        return NULL;
    if (l->live_missing && !live_may_go(s, head(l->first)->time))
        return NULL;
    s->held_since = 0;
    s->current = l->first;
    s->run_until = l->live_missing && s->safe_time < l->second ? s->safe_time : l->second;
    return l->first;
}

static void set_idle(const struct look *l, tick_t *idle_now)
{
    tick_t t = clock_now() - IDLE_MS * TICK_MS;
    *idle_now = l->first && head(l->first)->time < t ? head(l->first)->time : t;
}

enum source_pull sources_next(struct sources *s, int wait_ms, struct raw_packet *out,
                              tick_t *idle_now)
{
    struct source *cur = s->current;
    if (cur && source_ready(cur) && head(cur)->time <= s->run_until)
        return hand_out(cur, out);
    s->current = NULL;
    int64_t deadline = 0;
    for (;;) {
        uint32_t seen = bell_now(&s->bell);
        struct look l = look_at_all(s);
        struct source *src = choose(s, &l);
        if (src)
            return hand_out(src, out);
        if (l.all_ended)
            return PULL_END;
        int64_t now = clock_ms();
        if (!deadline)
            deadline = now + wait_ms;
        if (s->has_live && now >= deadline) {
            set_idle(&l, idle_now);
            return PULL_IDLE;
        }
        int64_t wait = s->has_live ? deadline - now : WAIT_MS;
        if (l.first && !l.file_missing && wait > HOLD_MS / 5)
            wait = HOLD_MS / 5;
        bell_wait(&s->bell, seen, (int)wait);
    }
}

unsigned sources_more(struct sources *s, struct raw_packet *out, unsigned max)
{
    struct source *cur = s->current;
    unsigned n = 0;
    while (n < max && cur && cur->batch && cur->next < cur->batch->count &&
           head(cur)->time <= s->run_until)
        hand_out(cur, &out[n++]);
    return n;
}
