/*
 * The listing commands: failures, calls, allocations, health. What differs stands in the table here
 * and in report/listing.c.
 */
#include "cli/opened.h"
#include "cli/period.h"
#include "cli/when.h"

#include "capture/log.h"
#include "report/clock.h"
#include "report/csv.h"
#include "report/json.h"
#include "report/listing.h"
#include "report/paint.h"
#include "report/row.h"
#include "report/table.h"

#include <string.h>

static const struct list_kind {
    const char *command;
    enum query_view view;
    const char *empty; /* said on stderr when there is no row */
} kinds[] = {
    {"failures", VIEW_FAILURES,
     "no failures here; --all also lists failed pairs beside a working one"},
    {"calls", VIEW_CALLS, "no calls here; only calls whose signaling is readable are listed"},
    {"allocations", VIEW_ALLOCATIONS, "no relay allocations here"},
    {"health", VIEW_HEALTH, "no rows here"},
};

static const struct list_kind *find_kind(const char *command)
{
    size_t i = 0;
    while (strcmp(kinds[i].command, command) != 0)
        i++;
    return &kinds[i];
}

static int64_t print(const struct settings *s, enum query_view view, struct rows *r)
{
    const char *form = s->format ? s->format : "table";
    if (strcmp(form, "csv") == 0) {
        if (s->bom)
            fputs(CSV_BOM, stdout);
        return csv_rows(r, stdout);
    }
    if (strncmp(form, "json", 4) == 0)
        return json_rows(r, stdout, strcmp(form, "jsonl") == 0);
    FILE *page = paint_begin(stdout, s->color);
    int64_t n = listing_print(view, r, page, table_width(stdout));
    paint_end(page, stdout);
    return n;
}

/* An empty list is often just the wrong time. "" without any failure. */
static const char *where(struct query_db *db, char *out, size_t room)
{
    char from[TICK_TEXT], to[TICK_TEXT];
    tick_t first, last;
    out[0] = 0;
    if (query_failure_span(db, &first, &last))
        snprintf(out, room, "; the database holds failures from %s to %s", clock_stamp(first, from),
                 clock_stamp(last, to));
    return out;
}

static int list(const struct settings *s, const struct list_kind *kind, struct query_db *db,
                const struct query_filter *f)
{
    struct rows *r = query_view(db, kind->view, f);
    int64_t n = r ? print(s, kind->view, r) : -1;
    int code = n < 0 ? database_failed(s, db) : EXIT_DONE;
    rows_close(r);
    char place[2 * TICK_TEXT + 64];
    if (n == 0)
        log_info("%s%s", kind->empty, where(db, place, sizeof place));
    return n > 0 && s->exit_code ? EXIT_FOUND : code;
}

int list_run(const struct command *self, const struct settings *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    struct query_filter f = {.user = s->user,
                             .call = s->call,
                             .addr = s->addr,
                             .verdict = s->verdict,
                             .finding = s->finding,
                             .with_info = s->all,
                             .limit = s->limit};
    int code = period_read(s, when_now(), &f.since, &f.until);
    struct query_db *db;
    if (code != EXIT_DONE || (code = open_database(s, &db)) != EXIT_DONE)
        return code;
    code = list(s, find_kind(self->name), db, &f);
    query_close(db);
    return code;
}
