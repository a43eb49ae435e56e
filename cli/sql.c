/* sql [SQL...]: the database in sqlite3(1), read-only. The views are the contract, so nothing of
 * our own stands between them and the user. */
#include "cli/opened.h"

#include "capture/log.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
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

/* sqlite3(1) ends with SQLite's result code. What the statement is to blame for is a mistake of
 * usage, what the file is to blame for one of the database. */
static int exit_of(int status)
{
    enum { NOT_STARTED = 127 };
    /* SQLITE_ERROR READONLY SCHEMA TOOBIG CONSTRAINT MISMATCH MISUSE AUTH RANGE */
    static const int statement[] = {1, 8, 17, 18, 19, 20, 21, 23, 25};
    if (status == 0)
        return EXIT_DONE;
    for (unsigned i = 0; i < sizeof statement / sizeof *statement; i++)
        if (status == statement[i])
            return EXIT_USAGE;
    return status == NOT_STARTED ? EXIT_UNAVAILABLE : EXIT_DATABASE;
}

/* The keyboard's signals are for sqlite3 alone. */
static int run_program(char **args)
{
    void (*interrupt)(int) = signal(SIGINT, SIG_IGN), (*quit)(int) = signal(SIGQUIT, SIG_IGN);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGINT, interrupt);
        signal(SIGQUIT, quit);
        execvp(args[0], args);
        log_error("%s: %s%s", args[0], strerror(errno),
                  errno == ENOENT ? "; Debian has it in the package sqlite3" : "");
        _exit(127);
    }
    int status = 0;
    pid_t got = child;
    while (child > 0 && (got = waitpid(child, &status, 0)) < 0 && errno == EINTR)
        ;
    if (got < 0)
        log_error("%s: %s", args[0], strerror(errno));
    signal(SIGINT, interrupt);
    signal(SIGQUIT, quit);
    if (got < 0)
        return EXIT_UNAVAILABLE;
    if (WIFSIGNALED(status)) /* the shell is to see it, too */
        raise(WTERMSIG(status));
    return WIFEXITED(status) ? exit_of(WEXITSTATUS(status)) : EXIT_UNAVAILABLE;
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
    int code = run_program(args);
    free(db), free(args);
    return code;
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
