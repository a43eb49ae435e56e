/* The thread that tells of failures. */
#include "cli/teller.h"

#include "capture/log.h"
#include "cli/journal.h"
#include "report/json.h"
#include "report/row.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PERIOD_S = 1 };

struct watched {
    int64_t id;
    int64_t due; /* monotonic seconds */
    int tries;
};

struct teller {
    struct query_db *db;
    int64_t run, after; /* rows up to this id are known */
    struct runner *runner;
    bool journal, complained;
    struct watched watched[TELLER_WATCHED];
    unsigned n;
    int64_t minute; /* of the command's rate */
    unsigned in_minute;
    _Atomic uint64_t told, limited, lost;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop;
    bool stopping;
};

static int64_t now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

/* ---- one failure ---- */

static bool within_rate(struct teller *t)
{
    int64_t minute = now_s() / 60;
    if (minute != t->minute) {
        t->minute = minute;
        t->in_minute = 0;
    }
    return t->in_minute++ < RUNNER_PER_MINUTE;
}

static void run_command(struct teller *t, struct rows *r)
{
    char *text = NULL;
    size_t n = 0;
    if (!within_rate(t)) {
        t->limited++;
        return;
    }
    json_t *row = json_row(r);
    FILE *out = row ? open_memstream(&text, &n) : NULL;
    if (out) {
        json_write(row, JSON_COMPACT, out);
        fputc('\n', out);
    }
    bool whole = out && fclose(out) == 0;
    if (!whole || !runner_send(t->runner, text, n))
        t->lost++;
    free(text);
    json_decref(row);
}

static void tell(struct teller *t, struct rows *r)
{
    if (t->journal)
        journal_failure(r);
    if (t->runner)
        run_command(t, r);
    t->told++;
}

/* Says once that the database cannot be read; it may pass. */
static void complain(struct teller *t)
{
    if (!t->complained)
        log_warn("failures cannot be told at present: %s", query_error(t->db));
    t->complained = true;
}

/* True if it was told. */
static bool look_at(struct teller *t, int64_t id)
{
    struct query_filter f = {
        .since = TICK_NONE, .until = TICK_NONE, .id = id, .with_info = true, .limit = 1};
    struct rows *r = query_view(t->db, VIEW_FAILURES, &f);
    char severity[16];
    bool failed = r && rows_next(r) == 1 &&
                  strcmp(row_text(r, "severity", severity, sizeof severity), "failure") == 0;
    if (failed)
        tell(t, r);
    if (r)
        rows_close(r);
    else
        complain(t);
    return failed;
}

/* ---- all ---- */

static void forget(struct teller *t, unsigned i)
{
    memmove(&t->watched[i], &t->watched[i + 1], (t->n - i - 1) * sizeof *t->watched);
    t->n--;
}

static void watch(struct teller *t, int64_t id)
{
    unsigned oldest = 0;
    if (t->n == TELLER_WATCHED) {
        while (oldest < t->n - 1 && !t->watched[oldest].tries)
            oldest++;
        if (!look_at(t, t->watched[oldest].id) && !t->watched[oldest].tries)
            t->lost++;
        forget(t, oldest);
    }
    t->watched[t->n++] = (struct watched){.id = id, .due = now_s() + TELLER_SETTLE_S};
}

static void take_new(struct teller *t)
{
    struct query_filter f = {
        .since = TICK_NONE, .until = TICK_NONE, .after_id = t->after, .with_info = true};
    struct rows *r = query_view(t->db, VIEW_FAILURES, &f);
    int more = 0;
    int64_t after = t->after;
    while (r && (more = rows_next(r)) == 1) {
        int64_t id = row_int(r, "id", 0);
        if (row_int(r, "run_id", 0) != t->run)
            continue;
        watch(t, id);
        after = id > after ? id : after;
    }
    if (r)
        rows_close(r);
    if (!r || more < 0)
        complain(t);
    else
        t->complained = false;
    t->after = after;
}

/* last: no more time for anything to settle. */
static void pass(struct teller *t, bool last)
{
    int64_t now = now_s();
    take_new(t);
    for (unsigned i = t->n; i-- > 0;) {
        struct watched *w = &t->watched[i];
        if (!last && w->due > now)
            continue;
        w->due = now + TELLER_AGAIN_S;
        if (look_at(t, w->id) || ++w->tries > TELLER_TRIES)
            forget(t, i);
    }
}

static void *main_of(void *arg)
{
    struct teller *t = arg;
    pthread_setname_np(pthread_self(), "ew-teller"); /* in top -H */
    pthread_mutex_lock(&t->lock);
    while (!t->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += PERIOD_S;
        pthread_cond_timedwait(&t->stop, &t->lock, &until);
        bool last = t->stopping;
        pthread_mutex_unlock(&t->lock);
        pass(t, last);
        pthread_mutex_lock(&t->lock);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

static int start(struct teller *t)
{
    pthread_condattr_t monotonic;
    sigset_t all, before;
    pthread_mutex_init(&t->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&t->stop, &monotonic);
    pthread_condattr_destroy(&monotonic);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int bad = pthread_create(&t->thread, NULL, main_of, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return bad;
}

struct teller *teller_new(const char *db, int64_t run, struct runner *runner, bool journal,
                          char *why, size_t room)
{
    struct teller *t = calloc(1, sizeof *t);
    if (!t) {
        snprintf(why, room, "no memory");
        return NULL;
    }
    t->run = run;
    t->runner = runner;
    t->journal = journal;
    if (query_open(db, &t->db, why, room) != DB_OK) {
        free(t);
        return NULL;
    }
    t->after = query_last_failure(t->db);
    int bad = start(t);
    if (!bad)
        return t;
    snprintf(why, room, "a thread: %s", strerror(bad));
    query_close(t->db);
    free(t);
    return NULL;
}

void teller_counts(const struct teller *t, struct teller_counts *out)
{
    *out = (struct teller_counts){t->told, t->limited, t->lost};
}

void teller_free(struct teller *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->stopping = true;
    pthread_cond_signal(&t->stop);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    query_close(t->db);
    pthread_cond_destroy(&t->stop);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
