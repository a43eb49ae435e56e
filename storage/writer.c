/* The writer: its thread and the life of a run; what it is given comes by writer_put.c. */
#include "storage/writer_inner.h"

#include <stdio.h>
#include <stdlib.h>

#include "storage/grown.h"
#include "storage/run.h"
#include "storage/windows.h"

#define LOG_BYTES (INT64_C(1) << 30)

enum {
    BATCH_RECORDS = 10000, /* per transaction */
    HELD_BYTES = 16 << 20, /* live: or blocks held, a quarter of the queue */
    BULK_RECORDS = 40000,  /* the same where nobody reads yet */
    BATCH_MS = 1000,       /* or wall time */
    LIVE_BATCH_MS = 500, /* live: with the time in a block, what happened is stored within a second,
                            and a crash costs no more */
    GROW_MS = 5000,      /* live: between two indexes of a table that has become large */
    GROWN_LOOK_MS = 60000,  /* ... and between two looks for one */
    SQUEEZE_BATCH_MS = 100, /* while the file is too large: between transactions rows go */
    UPKEEP_MS = 60,         /* so long, and the last step, */
    UPKEEP_MOST_MS = 600, /* and longer by that for each percent that it is too large, up to this */
    RETRY_MS = 1000,      /* live: how often a database that can't be written is tried again */
};

/* ---- the thread ---- */

static int ms_since(const struct timespec *t)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ns = (now.tv_sec - t->tv_sec) * TICK_S + now.tv_nsec - t->tv_nsec;
    return (int)(ns / TICK_MS);
}

static void fail(struct writer *w)
{
    char why[DB_WHY];
    memcpy(why, w->store.db.why, sizeof why);
    /* the failed statement left no trace; what came before it in the batch is kept if it can be */
    if (w->open && (store_settle_batch(&w->store) || db_commit(&w->store.db)))
        db_rollback(&w->store.db);
    w->open = false;
    memcpy(w->store.db.why, why, sizeof why);
    atomic_store_explicit(&w->failed, true, memory_order_release);
}

/* Live: the blocks of a transaction stay until it is committed. */
static void hold(struct writer *w, struct block *b)
{
    b->next = NULL;
    *w->held_end = b;
    w->held_end = &b->next;
    w->held_bytes += b->room;
}

static void release(struct writer *w)
{
    while (w->held) {
        struct block *next = w->held->next;
        queue_done(w->queue, w->held);
        w->held = next;
    }
    w->held_end = &w->held;
    w->held_bytes = 0;
}

static int begin(struct writer *w)
{
    if (w->open)
        return 0;
    if ((w->live && db_log_within(&w->store.db, w->log_bytes)) || db_begin(&w->store.db))
        return -1;
    w->open = true;
    w->records = 0;
    clock_gettime(CLOCK_MONOTONIC, &w->begun);
    return 0;
}

static int commit(struct writer *w)
{
    if (!w->open)
        return 0;
    if (store_settle_batch(&w->store) || db_commit(&w->store.db))
        return -1;
    w->open = false;
    store_keep(&w->store);
    release(w);
    return 0;
}

/* Live: a new hour has begun, so the day's findings across failures are drawn again. */
static int hourly(struct writer *w, tick_t now)
{
    tick_t hour = now / (3600 * TICK_S);
    if (!w->live || hour == w->hour)
        return 0;
    bool first = w->hour == TICK_NONE;
    w->hour = hour;
    return first ? 0 : store_flush(&w->store) || windows_night(&w->store, now - TICK_S) ? -1 : 0;
}

static unsigned batch_records(const struct writer *w)
{
    return w->store.db.bulk ? BULK_RECORDS : BATCH_RECORDS;
}

static int store_block(struct writer *w, const struct block *b)
{
    enum record_kind kind;
    const void *record;
    unsigned most = batch_records(w);
    for (size_t at = 0; (record = record_next(b, &at, &kind));) {
        if (begin(w) || store_record(&w->store, kind, record))
            return -1;
        if (kind == RECORD_ADVANCE && hourly(w, *(const tick_t *)record))
            return -1;
        if (++w->records >= most && !w->live && commit(w))
            return -1;
    }
    return store_flush(&w->store);
}

/* What was held, once more, in one transaction. */
static int replay(struct writer *w)
{
    for (const struct block *b = w->held; b; b = b->next)
        if (store_block(w, b))
            return -1;
    return commit(w);
}

static void give_back(struct writer *w)
{
    db_rollback(&w->store.db);
    store_undo(&w->store);
    w->open = false;
}

static void tell_waiting(struct writer *w)
{
    pthread_mutex_lock(&w->told);
    memcpy(w->waits_why, w->store.db.why, sizeof w->waits_why);
    pthread_mutex_unlock(&w->told);
    atomic_store_explicit(&w->waits, true, memory_order_release);
}

/* A statement has failed. Live, what may pass is waited for: the queue fills meanwhile, and beyond
 * that loses and counts. The last try is after the end of the run. */
static void trouble(struct writer *w)
{
    bool closed = false;
    while (w->live && !closed && db_may_pass(&w->store.db)) {
        give_back(w);
        tell_waiting(w);
        closed = queue_pause(w->queue, RETRY_MS);
        if (replay(w) == 0) {
            atomic_store_explicit(&w->waits, false, memory_order_release);
            return;
        }
    }
    fail(w);
    release(w);
}

static void take_block(struct writer *w, struct block *b)
{
    bool well = !atomic_load_explicit(&w->failed, memory_order_relaxed);
    if (!w->live || !well) {
        if (well && store_block(w, b))
            trouble(w);
        queue_done(w->queue, b);
        return;
    }
    hold(w, b);
    if (store_block(w, b))
        trouble(w);
}

static int batch_ms(const struct writer *w)
{
    if (w->retention.urgent)
        return SQUEEZE_BATCH_MS;
    return w->live ? LIVE_BATCH_MS : BATCH_MS;
}

/* Is it time to commit? */
static bool due(const struct writer *w, enum queue_took took)
{
    return w->open && (took != QUEUE_BLOCK_TAKEN || ms_since(&w->begun) >= batch_ms(w) ||
                       w->records >= batch_records(w) || w->held_bytes >= HELD_BYTES);
}

/* The first time that a table is large, its indexes cost some tenths of a second each. */
static int grow(struct writer *w)
{
    bool made = false;
    if (w->grown_ms && ms_since(&w->looked) < w->grown_ms)
        return 0;
    int result = grown_step(&w->store.db, &made);
    w->grown_ms = made && result == 0 ? GROW_MS : GROWN_LOOK_MS;
    clock_gettime(CLOCK_MONOTONIC, &w->looked);
    return result;
}

/* Between two transactions: one step of deleting, or, while the file is too large, as many as fit
 * into a time that nobody notices. */
static void upkeep(struct writer *w)
{
    struct timespec begun;
    if (!w->live || w->open || atomic_load_explicit(&w->failed, memory_order_relaxed))
        return;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    int most;
    do {
        if (retention_step(&w->retention, &w->store.db) || grow(w)) {
            if (!db_may_pass(&w->store.db))
                fail(w);
            return;
        }
        most = UPKEEP_MS * (1 + w->retention.over);
        most = most < UPKEEP_MOST_MS ? most : UPKEEP_MOST_MS;
    } while (w->retention.urgent && ms_since(&begun) < most);
}

static void *writer_thread(void *arg)
{
    struct writer *w = arg;
    pthread_setname_np(pthread_self(), "ew-writer"); /* in top -H */
    for (;;) {
        struct block *b;
        int wait = w->live ? retention_wait_ms(&w->retention) : -1;
        if (w->open) {
            int age = ms_since(&w->begun);
            wait = age < batch_ms(w) ? batch_ms(w) - age : 0;
        }
        enum queue_took took = queue_take(w->queue, wait, &b);
        if (took == QUEUE_BLOCK_TAKEN)
            take_block(w, b);
        if (due(w, took) && !atomic_load_explicit(&w->failed, memory_order_relaxed) && commit(w))
            trouble(w);
        if (took == QUEUE_CLOSED)
            return NULL;
        upkeep(w);
    }
}

/* ---- the life of a run ---- */

static void writer_free(struct writer *w)
{
    pthread_mutex_destroy(&w->told);
    retention_end(&w->retention);
    privacy_free(w->privacy);
    store_end(&w->store);
    (void)db_bulk_end(&w->store.db);
    db_close(&w->store.db);
    queue_free(w->queue);
    free(w);
}

static void veil_addr(void *privacy, struct addr *a)
{
    privacy_addr(privacy, a);
}

static const char *veil_id(void *privacy, const char *s)
{
    return privacy_id(privacy, s);
}

const struct joiner_veil *writer_veil(const struct writer *w)
{
    return w->privacy ? &w->veil : NULL;
}

struct writer *writer_open(const char *path, const struct run_info *run, char *why, size_t room)
{
    struct writer *w = calloc(1, sizeof *w);
    if (!w) {
        snprintf(why, room, "%s: out of memory", path);
        return NULL;
    }
    w->live = run->live;
    w->log = run->log;
    w->found = run->found;
    w->want = QUEUE_BLOCK;
    w->shipped = w->hour = TICK_NONE;
    w->held_end = &w->held;
    w->log_bytes = run->keep.log_bytes ? run->keep.log_bytes : LOG_BYTES;
    pthread_mutex_init(&w->told, NULL);
    retention_begin(&w->retention, &run->keep);
    w->queue = queue_new(run->live ? QUEUE_LIVE_BYTES : QUEUE_BYTES);
    if (!w->queue)
        snprintf(w->store.db.why, DB_WHY, "%s: out of memory", path);
    else if (privacy_open(&run->privacy, path, &w->privacy, w->store.db.why, DB_WHY) == 0 &&
             db_open(&w->store.db, path, &schema_edgewatch) == DB_OK &&
             (run->live || db_bulk_begin(&w->store.db) == 0) &&
             run_begin(&w->store, run, w->privacy) == 0) {
        w->veil = (struct joiner_veil){w->privacy, veil_addr, veil_id};
        if (pthread_create(&w->thread, NULL, writer_thread, w) == 0)
            return w;
        snprintf(w->store.db.why, DB_WHY, "%s: cannot start the writer's thread", path);
    }
    snprintf(why, room, "%s", w->store.db.why);
    writer_free(w);
    return NULL;
}

enum db_result writer_close(struct writer *w, tick_t first, tick_t last, const char *damaged,
                            char *why, size_t room)
{
    if (w->current)
        queue_ship(w->queue, w->current);
    w->current = NULL;
    queue_close(w->queue);
    pthread_join(w->thread, NULL);
    enum db_result result = DB_OK;
    const struct run_end end = {.first = first,
                                .last = last,
                                .damaged = damaged,
                                .lost = w->lost - w->lost_told,
                                .privacy = w->privacy,
                                .log = w->log,
                                .found = w->found};
    if (atomic_load(&w->failed) || run_end(&w->store, &end)) {
        result = DB_FAILED;
        snprintf(why, room, "%s", w->store.db.why);
    }
    for (bool made = !w->live && result == DB_OK; made;) /* a comfort: no reason to fail */
        if (grown_step(&w->store.db, &made))
            break;
    writer_free(w);
    return result;
}
