/* What top reads, once a second at most. */
#include "cli/top.h"

#include "report/row.h"
#include "report/story.h"
#include "storage/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR (3600 * TICK_S)
#define DAY (24 * HOUR)

static bool failed(struct top *t, struct query_db *db)
{
    snprintf(t->why, sizeof t->why, "%s", query_error(db));
    return false;
}

static void read_failure(struct top *t, struct rows *r, struct top_failure *f)
{
    char one[128], other[128], severity[16];
    *f = (struct top_failure){.id = row_int(r, "id", 0), .first = row_tick(r, "first_seen")};
    row_text(r, "verdict", f->verdict, sizeof f->verdict);
    row_text(r, "finding", f->finding, sizeof f->finding);
    row_endpoint(r, "dst_addr", "dst_port", f->to, sizeof f->to);
    row_user(r, "caller", one, 78);
    row_user(r, "callee", other, 78);
    if (*one || *other)
        snprintf(f->who, sizeof f->who, "%.76s > %.76s", *one ? one : "?", *other ? other : "?");
    f->info = strcmp(row_text(r, "severity", severity, sizeof severity), "info") == 0;
    f->fresh = t->known && f->id > t->known;
}

static bool load_failures(struct top *t, struct query_db *db)
{
    struct query_filter f = {.since = TICK_NONE,
                             .until = TICK_NONE,
                             .with_info = t->with_info,
                             .partner = *t->partner ? t->partner : NULL,
                             .limit = TOP_FAILURES};
    int64_t chosen =
        t->at_failure > 0 && t->at_failure < t->n_failures ? t->failures[t->at_failure].id : 0;
    int64_t highest = t->known;
    bool bad;
    int got = -1, n = 0;
    struct rows *r = page_view(db, VIEW_FAILURES, &f, NULL, &bad);
    while (r && (got = rows_next(r)) == 1) {
        read_failure(t, r, &t->failures[n]);
        if (t->failures[n].id > highest)
            highest = t->failures[n].id;
        if (t->failures[n].id == chosen)
            t->at_failure = n;
        n++;
    }
    rows_close(r);
    if (got < 0)
        return failed(t, db);
    t->n_failures = n;
    t->known = highest ? highest : 1;
    if (t->at_failure >= n)
        t->at_failure = n ? n - 1 : 0;
    return true;
}

static bool load_partners(struct top *t, struct query_db *db)
{
    int got = -1, n = 0;
    struct rows *r = query_sum(db, SUM_BY_PARTNER, t->since, t->until);
    while (r && (got = rows_next(r)) == 1 && n < TOP_PARTNERS) {
        struct top_partner *p = &t->partners[n++];
        row_text(r, "partner", p->partner, sizeof p->partner);
        row_text(r, "users", p->users, sizeof p->users);
        p->failures = row_int(r, "failures", 0);
        p->attempts = row_int(r, "attempts", 0);
        p->connected = row_int(r, "connected", 0);
        p->last = row_tick(r, "last_seen");
    }
    rows_close(r);
    if (got < 0)
        return failed(t, db);
    t->n_partners = n;
    if (t->at_partner >= n)
        t->at_partner = n ? n - 1 : 0;
    return true;
}

static bool load_interfaces(struct top *t, struct query_db *db)
{
    int got = -1, n = 0;
    struct rows *r = query_sum(db, SUM_HEALTH, t->until - HOUR, t->until);
    while (r && (got = rows_next(r)) == 1 && n < TOP_INTERFACES) {
        struct top_interface *i = &t->interfaces[n++];
        row_text(r, "interface", i->name, sizeof i->name);
        i->packets = row_int(r, "packets", 0);
        i->drops = row_int(r, "kernel_drops", 0) + row_int(r, "nic_drops", 0) +
                   row_int(r, "ring_drops", 0);
        i->gaps = row_int(r, "stream_gaps", 0);
        i->lost = row_int(r, "queue_lost", 0);
        i->blind = row_int(r, "blind_spans", 0);
        i->last = row_tick(r, "to_time");
    }
    rows_close(r);
    if (got < 0)
        return failed(t, db);
    t->n_interfaces = n;
    return true;
}

static bool load_totals(struct top *t, struct query_db *db, tick_t now)
{
    struct rows *r = query_sum(db, SUM_LAST, TICK_NONE, TICK_NONE);
    int got = r ? rows_next(r) : -1;
    tick_t last = got == 1 ? row_tick(r, "last") : TICK_NONE;
    rows_close(r);
    if (got < 0)
        return failed(t, db);
    t->old = last != TICK_NONE && last < now - HOUR;
    t->until = t->old ? last : now;
    t->since = t->until - DAY;
    r = query_sum(db, SUM_TOTALS, t->since, t->until);
    got = r ? rows_next(r) : -1;
    t->day_failures = got == 1 ? row_int(r, "failures", 0) : 0;
    rows_close(r);
    return got < 0 ? failed(t, db) : true;
}

void top_load(struct top *t, tick_t now)
{
    bool busy;
    struct query_db *db = handles_take(t->handles, &busy, t->why);
    if (!db)
        return;
    t->why[0] = 0;
    if (load_totals(t, db, now) && load_failures(t, db) && load_partners(t, db))
        load_interfaces(t, db);
    handles_give(t->handles, db);
}

/* ---- stories ---- */

static void split(struct top *t)
{
    int n = 1;
    for (const char *p = t->text; *p; p++)
        n += *p == '\n';
    t->lines = calloc((size_t)n, sizeof *t->lines);
    t->n_lines = 0;
    for (char *line = t->text; t->lines && line && *line;) {
        char *end = strchr(line, '\n');
        t->lines[t->n_lines++] = line;
        if (end)
            *end++ = 0;
        line = end;
    }
}

void top_close_story(struct top *t)
{
    free(t->lines);
    free(t->text);
    t->lines = NULL;
    t->text = NULL;
    t->n_lines = t->from_line = 0;
    t->story = 0;
}

static void tell(struct top *t, struct query_db *db, int64_t id, int columns)
{
    struct story_facts facts;
    size_t n;
    switch (story_load(db, id, &facts)) {
    case STORY_NO_ID:
        snprintf(t->why, sizeof t->why, "failure %lld is gone", (long long)id);
        return;
    case STORY_DB_FAILED:
        failed(t, db);
        return;
    case STORY_OK:
        break;
    }
    unsigned width = columns < 40 ? 40 : columns > 160 ? 160 : (unsigned)columns;
    struct prose page = {.out = open_memstream(&t->text, &n), .width = width};
    if (page.out) {
        char again[600];
        snprintf(again, sizeof again, "edgewatch --db %s", t->path);
        story_print(&facts, &page, again);
        if (fclose(page.out) == 0 && t->text) {
            split(t);
            t->story = id;
        }
    }
    story_unload(&facts);
}

void top_open_story(struct top *t, int columns)
{
    bool busy;
    int64_t id = t->story                        ? t->story
                 : t->at_failure < t->n_failures ? t->failures[t->at_failure].id
                                                 : 0;
    int from = t->from_line;
    if (!id)
        return;
    struct query_db *db = handles_take(t->handles, &busy, t->why);
    if (!db)
        return;
    top_close_story(t);
    t->why[0] = 0;
    tell(t, db, id, columns);
    t->from_line = from < t->n_lines ? from : 0;
    handles_give(t->handles, db);
}
