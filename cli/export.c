/* export ID -o FILE: the evidence packets of one failure. */
#include "cli/opened.h"

#include "capture/log.h"
#include "report/export.h"

#include <inttypes.h>

/* 1 = there is such a row, 0 = no, -1 = the database failed. */
static int exists(struct query_db *db, enum query_view view, const struct query_filter *f)
{
    struct rows *r = query_view(db, view, f);
    int got = r ? rows_next(r) : -1;
    rows_close(r);
    return got;
}

/* A file without packets helps nobody, and what was there stays. */
static int no_packets(int64_t id)
{
    log_error("failure %" PRId64
              ": no packets are kept of it; those of handshakes and ICMP errors are, until "
              "--keep-evidence drops them, not those of what failed above TCP",
              id);
    return EXIT_NO_INPUT;
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
    if (code == EXIT_DONE)
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
    const struct query_filter one = {
        .since = TICK_NONE, .until = TICK_NONE, .id = id, .with_info = true};
    const struct query_filter packets = {
        .since = TICK_NONE, .until = TICK_NONE, .failure_id = id, .limit = 1};
    int found = id ? exists(db, VIEW_FAILURES, &one) : 0;
    int kept = found == 1 ? exists(db, VIEW_PACKETS, &packets) : found;
    if (kept == 1)
        code = write_file(s, db, id);
    else if (kept < 0)
        code = database_failed(s, db);
    else
        code = found ? no_packets(id) : no_such_failure(s, id);
    query_close(db);
    return code;
}
