/* A few handles under one lock. */
#include "report/handles.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { MS_BETWEEN_LOOKS = 100, MS_LOOK = 50 };

struct handle {
    struct query_db *db;
    dev_t dev;
    ino_t ino;
    bool taken;
};

struct handles {
    const char *path;
    int64_t ms;
    pthread_mutex_t lock;
    pthread_cond_t given;
    struct handle all[HANDLES];
    /* the watcher has a lock of its own: a question must not wait for it */
    pthread_mutex_t watch_lock;
    struct handle watch;
    int64_t looked_ms, raw, version;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct handles *handles_new(const char *path, int64_t ms)
{
    struct handles *h = calloc(1, sizeof *h);
    pthread_condattr_t attr;
    if (!h)
        return NULL;
    h->path = path;
    h->ms = ms;
    h->raw = -1;
    h->looked_ms = INT64_MIN / 2;
    pthread_mutex_init(&h->lock, NULL);
    pthread_mutex_init(&h->watch_lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&h->given, &attr);
    pthread_condattr_destroy(&attr);
    return h;
}

void handles_free(struct handles *h)
{
    if (!h)
        return;
    for (unsigned i = 0; i < HANDLES; i++)
        query_close(h->all[i].db);
    query_close(h->watch.db);
    pthread_mutex_destroy(&h->lock);
    pthread_mutex_destroy(&h->watch_lock);
    pthread_cond_destroy(&h->given);
    free(h);
}

/* Opens what is not open, and anew what is another file by now. False with a reason. */
static bool ready(const struct handles *h, struct handle *one, bool *fresh, char why[HANDLES_WHY])
{
    struct stat st = {0};
    bool there = stat(h->path, &st) == 0;
    *fresh = false;
    if (one->db && there && st.st_dev == one->dev && st.st_ino == one->ino)
        return true;
    query_close(one->db);
    one->db = NULL;
    if (query_open(h->path, &one->db, why, HANDLES_WHY) != DB_OK) {
        one->db = NULL;
        return false;
    }
    one->dev = st.st_dev;
    one->ino = st.st_ino;
    *fresh = true;
    return true;
}

/* Under the lock. The open ones first: the others stay closed as long as few ask. */
static struct handle *free_one(struct handles *h)
{
    struct handle *found = NULL;
    for (unsigned i = 0; i < HANDLES; i++)
        if (!h->all[i].taken && (!found || (!found->db && h->all[i].db)))
            found = &h->all[i];
    return found;
}

static struct handle *wait_for_one(struct handles *h)
{
    struct handle *one;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += h->ms / 1000 + 1;
    pthread_mutex_lock(&h->lock);
    while (!(one = free_one(h)))
        if (pthread_cond_timedwait(&h->given, &h->lock, &until) != 0)
            break;
    if (one)
        one->taken = true;
    pthread_mutex_unlock(&h->lock);
    return one;
}

static void put_back(struct handles *h, struct handle *one)
{
    pthread_mutex_lock(&h->lock);
    one->taken = false;
    pthread_cond_signal(&h->given);
    pthread_mutex_unlock(&h->lock);
}

struct query_db *handles_take(struct handles *h, bool *busy, char why[HANDLES_WHY])
{
    bool fresh;
    struct handle *one = wait_for_one(h);
    *busy = !one;
    if (!one) {
        snprintf(why, HANDLES_WHY, "too many questions at once");
        return NULL;
    }
    if (!ready(h, one, &fresh, why)) {
        put_back(h, one);
        return NULL;
    }
    query_limit(one->db, h->ms);
    return one->db;
}

void handles_give(struct handles *h, struct query_db *db)
{
    for (unsigned i = 0; db && i < HANDLES; i++)
        if (h->all[i].db == db) {
            query_limit(db, 0);
            put_back(h, &h->all[i]);
            return;
        }
}

int64_t handles_version(struct handles *h)
{
    char why[HANDLES_WHY];
    bool fresh;
    pthread_mutex_lock(&h->watch_lock);
    if (now_ms() - h->looked_ms >= MS_BETWEEN_LOOKS) {
        int64_t raw = -1;
        if (ready(h, &h->watch, &fresh, why)) {
            query_limit(h->watch.db, MS_LOOK);
            raw = query_version(h->watch.db);
        }
        if (raw != h->raw || fresh || raw < 0)
            h->version++;
        h->raw = raw;
        h->looked_ms = now_ms();
    }
    int64_t version = h->version;
    pthread_mutex_unlock(&h->watch_lock);
    return version;
}
