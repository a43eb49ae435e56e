/* sql [SQL...]: the database in sqlite3(1), read-only. The views are the contract, so nothing of
 * our own stands between them and the user. */
#include "cli/opened.h"

#include "capture/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS = 20 }; /* before the SQL */

static void list_views(const char *db)
{
    static const char line[] = "  %-13s%-13s%-13s%-13s%s\n";
    fprintf(stderr, "%s, read-only. The views, each with SELECT * FROM name:\n", db);
    for (int v = 0; v < VIEWS; v += 5) {
        const char *name[5];
        for (int i = 0; i < 5; i++)
            name[i] = v + i < VIEWS ? query_view_name((enum query_view)(v + i)) : "";
        fprintf(stderr, line, name[0], name[1], name[2], name[3], name[4]);
    }
    fputs("edgewatch-schema(5) explains their columns; .schema NAME shows them, .quit ends.\n",
          stderr);
}

/* A reader who may not write beside the database can only take the file as it is. */
static bool file_alone(const char *path)
{
    char *dir = strdup(path), *wal = NULL;
    char *slash = dir ? strrchr(dir, '/') : NULL;
    if (slash)
        *slash = 0;
    bool alone = dir &&
                 access(!slash ? "."
                        : *dir ? dir
                               : "/",
                        W_OK) != 0 &&
                 asprintf(&wal, "%s-wal", path) >= 0 && access(wal, F_OK) != 0;
    free(dir);
    free(wal);
    return alone;
}

/* What sqlite3 is to open: it takes a leading - for an option, and a URI for what is no path. */
static char *name_for(const char *path)
{
    char *out = NULL, *p;
    if (!file_alone(path))
        return asprintf(&out, "%s%s", *path == '/' ? "" : "./", path) < 0 ? NULL : out;
    if (!(out = malloc(3 * strlen(path) + 32)))
        return NULL;
    p = stpcpy(out, "file:");
    for (const char *c = path; *c; c++)
        p += sprintf(p, strchr("?#%", *c) ? "%%%02x" : "%c", *c);
    strcpy(p, "?immutable=1");
    return out;
}

static int run(const struct settings *s, int argc, char **argv)
{
    const char *form = s->format ? s->format : "table";
    char *db = name_for(s->db), **args = calloc((size_t)argc + WORDS, sizeof *args);
    char program[] = "sqlite3", readonly[] = "-readonly", header[] = "-header", init[] = "-init",
         none[] = "/dev/null", bail[] = "-bail", table[] = "-column", csv[] = "-csv",
         json[] = "-json", box[] = "-box", newline[] = "-newline", crlf[] = "\r\n";
    int n = 0;
    if (!db || !args) {
        log_error("out of memory");
        free(db), free(args);
        return EXIT_UNAVAILABLE;
    }
    args[n++] = program;
    args[n++] = readonly;
    args[n++] = header;
    if (argc) { /* for a script's eyes: nobody's habits */
        args[n++] = init;
        args[n++] = none;
        args[n++] = bail;
    }
    if (*form == 'c') { /* RFC 4180 */
        args[n++] = newline;
        args[n++] = crlf;
    }
    args[n++] = *form == 'c' ? csv : *form == 'j' ? json : isatty(STDOUT_FILENO) ? box : table;
    args[n++] = db;
    memcpy(args + n, argv, (size_t)argc * sizeof *args);
    fflush(stdout);
    execvp(program, args);
    log_error("sqlite3: %s%s", strerror(errno),
              errno == ENOENT ? "; Debian has it in the package sqlite3" : "");
    free(db), free(args);
    return EXIT_UNAVAILABLE;
}

int sql_run(const struct command *self, const struct settings *s, int argc, char **argv)
{
    (void)self;
    struct query_db *db;
    int code = open_database(s, &db);
    if (code != EXIT_DONE)
        return code;
    query_close(db);
    if (argc == 0 && isatty(STDIN_FILENO) && !s->quiet)
        list_views(s->db);
    return run(s, argc, argv);
}
