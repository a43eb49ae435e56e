/* Opening what most commands need. */
#include "cli/opened.h"

#include "capture/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int open_database(const struct settings *s, struct query_db **out)
{
    char why[512];
    if (query_open(s->db, out, why, sizeof why) == DB_OK)
        return EXIT_DONE;
    log_error("%s", why);
    if (access(s->db, F_OK) != 0)
        log_info("edgewatch read FILE makes a database; --db FILE and $EDGEWATCH_DB name one");
    return EXIT_DATABASE;
}

int database_failed(const struct settings *s, const struct query_db *db)
{
    const char *why = query_error(db);
    log_error("%s: %s", s->db, why ? why : "cannot be read");
    return EXIT_DATABASE;
}

bool read_id(const struct command *self, const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    long long id = strtoll(text, &end, 10);
    if (end == text || *end || id < 0 || errno) {
        log_error("%s: \"%s\" is not an ID; edgewatch failures lists them", self->name, text);
        return false;
    }
    *out = id;
    return true;
}

int no_such_failure(const struct settings *s, int64_t id)
{
    log_error("%s: no failure %" PRId64 "; edgewatch failures --all lists them", s->db, id);
    return EXIT_NO_INPUT;
}

char *called_as(const struct settings *s, char *out, size_t room)
{
    const char *env = getenv("EDGEWATCH_DB");
    bool usual = strcmp(s->db, "edgewatch.db") == 0 || (env && strcmp(s->db, env) == 0);
    snprintf(out, room, "edgewatch%s%s", usual ? "" : " --db ", usual ? "" : s->db);
    return out;
}

static bool is_stdout(const char *path)
{
    return !path || strcmp(path, "-") == 0;
}

FILE *open_output(const char *path)
{
    if (is_stdout(path))
        return stdout;
    FILE *out = fopen(path, "wb");
    if (!out)
        log_error("%s: %s", path, strerror(errno));
    return out;
}

int close_output(FILE *out, const char *path)
{
    bool bad = fflush(out) != 0 || ferror(out);
    if (!is_stdout(path) && fclose(out) != 0)
        bad = true;
    if (bad)
        log_error("%s: cannot be written", is_stdout(path) ? "stdout" : path);
    return bad ? EXIT_NO_OUTPUT : EXIT_DONE;
}
