/* export ID -o FILE: the evidence packets of one failure. */
#include "cli/opened.h"

#include "capture/log.h"
#include "report/export.h"

#include <inttypes.h>

/* 1 = the failure exists, 0 = no, -1 = the database failed. */
static int exists(struct query_db *db, int64_t id)
{
    struct query_filter f = {.since = TICK_NONE, .until = TICK_NONE, .id = id, .with_info = true};
    struct rows *r = query_view(db, VIEW_FAILURES, &f);
    int got = r ? rows_next(r) : -1;
    rows_close(r);
    return got;
}

static int write_file(const struct settings *s, struct query_db *db, int64_t id)
{
    FILE *out = open_output(s->output);
    if (!out)
        return EXIT_NO_OUTPUT;
    int64_t n = export_packets(db, id, out);
    int code = close_output(out, s->output);
    if (n < 0)
        return database_failed(s, db);
    if (code == EXIT_DONE && n == 0)
        log_info("no packets are kept for failure %" PRId64 ": the file is empty", id);
    else if (code == EXIT_DONE)
        log_info("%" PRId64 " packet%s of failure %" PRId64 " in %s", n, n == 1 ? "" : "s", id,
                 s->output);
    return code;
}

int export_run(const struct command *self, const struct settings *s, int argc, char **argv)
{
    (void)argc;
    int64_t id;
    struct query_db *db;
    if (!read_id(self, argv[0], &id))
        return EXIT_USAGE;
    if (!s->output) {
        log_error("%s: -o FILE.pcapng is missing (- for stdout)", self->name);
        return EXIT_USAGE;
    }
    int code = open_database(s, &db);
    if (code != EXIT_DONE)
        return code;
    int found = exists(db, id);
    if (found == 1)
        code = write_file(s, db, id);
    else
        code = found < 0 ? database_failed(s, db) : no_such_failure(s, id);
    query_close(db);
    return code;
}
