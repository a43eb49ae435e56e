/*
 * Runs a command again and again, each time with another call failing (shim.c), and judges how it
 * ends.
 *
 * usage: sweep [-j AT-ONCE] [-n LIST|-e EVERY] [-s START] [-m SECONDS] [-d FIRST-DB] [-a] [-k] SHIM
 *              KIND ERRNO[+] NAME -- COMMAND...
 *
 *   ERRNO+    every later call fails, too
 *   -n LIST   a file with one n a line; else START, START + EVERY, ... until no fault is made
 *   -m        begin no more runs after so many seconds
 *   -d        each run begins with a copy of this database
 *   -a        after a run that failed the same command without faults must give what it gives alone
 *   -u        the folder of a run is open to every user
 *   -k        the command may lose rows: what counts is how it ends
 *
 * In the command, @DB is the database of this run and @DIR its folder. A run is fine if
 *   - it ends by itself, within 30 s, with an exit code of the contract;
 *   - a code other than 0 comes with a message on stderr that names something;
 *   - its database passes integrity_check, or is not one yet;
 *   - with code 0 it holds the rows that the command gives without faults, or tells in health or
 *     runs.damaged that something is missing.
 * A crash inside of libcrypto at the start that shim.c knows is counted, not judged.
 * Prints "ok NAME: ..." or "not ok NAME: ..." with a line for each bad run.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

enum { ROOM = 640, PATIENCE_S = 30, WORDS = 64, SHOWN = 20, AT_ONCE = 16 };

/* What a run leaves. */
struct result {
    int status;
    bool fired, known, hung, sound, admits, fresh;
    char said[ROOM], rows[ROOM / 2], flaw[ROOM];
};

/* Shared with the workers. */
struct board {
    _Atomic uint64_t next, runs, bad, known, codes[256], over;
    char flaws[SHOWN][ROOM * 3];
};

static const char *shim, *kind, *code, *name, *first_db, *list;
static char **command;
static uint64_t every = 1, start = 1, *ns, n_ns;
static int at_once = 2, seconds;
static bool again, lossy, open_folder;
static char work[64];
static struct board *board;

static const char rows_sql[] =
    "SELECT 'failures ' || (SELECT count(*) || '/' || coalesce(sum(attempts), 0) || '/' ||"
    " count(finding) FROM failures) || ', attempts ' || (SELECT count(*) FROM attempts) ||"
    " ', calls ' || (SELECT count(*) || '/' || count(caller) || '/' || count(ended) FROM calls) ||"
    " ', candidates ' || (SELECT count(*) FROM candidates) || ', allocations ' ||"
    " (SELECT count(*) || '/' || count(ended) FROM allocations) || ', diagnostics ' ||"
    " (SELECT count(*) FROM diagnostics) || ', packets ' ||"
    " (SELECT count(*) FROM (SELECT DISTINCT seen, bytes FROM packets)) || ', findings ' ||"
    " (SELECT count(*) FROM findings WHERE scope LIKE 'failure:%') || ', logs ' ||"
    " (SELECT count(DISTINCT file) FROM logs) || ', aliases ' || (SELECT count(*) FROM aliases)";

/* Does the database itself say that something is missing? */
static const char admits_sql[] =
    "SELECT (SELECT count(*) FROM health WHERE queue_lost OR table_evictions OR decode_errors OR"
    " stream_gaps OR ring_drops OR event IS NOT NULL) + (SELECT count(*) FROM runs WHERE damaged"
    " IS NOT NULL)";

static void ask(sqlite3 *db, const char *sql, char out[ROOM])
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        snprintf(out, ROOM, "%s", sqlite3_column_text(s, 0));
    else
        snprintf(out, ROOM, "error: %s", sqlite3_errmsg(db));
    sqlite3_finalize(s);
}

static void look(const char *path, struct result *r)
{
    char text[ROOM];
    struct stat st;
    sqlite3 *db = NULL;
    r->sound = r->fresh = true;
    if (stat(path, &st) != 0 || st.st_size == 0)
        return;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
        sqlite3_busy_timeout(db, 3000);
        ask(db, "PRAGMA integrity_check", text);
        r->sound = strcmp(text, "ok") == 0;
        if (!r->sound)
            snprintf(r->flaw, ROOM, "integrity_check: %.400s", text);
        ask(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'failures'", text);
        r->fresh = atoi(text) == 0;
        if (!r->fresh) {
            ask(db, rows_sql, text);
            snprintf(r->rows, sizeof r->rows, "%.*s", (int)sizeof r->rows - 1, text);
            ask(db, admits_sql, text);
            r->admits = atoi(text) > 0;
        }
    }
    sqlite3_close(db);
}

static void copy_file(const char *from, const char *to)
{
    static char bytes[1 << 16];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ssize_t n;
    while ((n = read(in, bytes, sizeof bytes)) > 0)
        if (write(out, bytes, (size_t)n) != n)
            break;
    close(in);
    close(out);
}

static char *filled(const char *word, const char *dir, const char *db)
{
    static char room[WORDS][ROOM];
    static unsigned at;
    char *out = room[at++ % WORDS];
    const char *p = strstr(word, "@D");
    if (!p)
        return strcpy(out, word);
    bool file = strncmp(p, "@DB", 3) == 0;
    snprintf(out, ROOM, "%.*s%s%s", (int)(p - word), word, file ? db : dir, p + (file ? 3 : 4));
    return out;
}

static void become(const char *dir, const char *db, uint64_t n, const char *said)
{
    char text[32], shm[128], *args[WORDS] = {0};
    int err = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0600), none = open("/dev/null", O_RDWR);
    snprintf(shm, sizeof shm, "%s/shm", dir);
    for (int i = 0; command[i] && i < WORDS - 1; i++)
        args[i] = filled(command[i], dir, db);
    if (n != UINT64_MAX) {
        snprintf(text, sizeof text, "%llu", (unsigned long long)n);
        setenv("FAULT_KIND", kind, 1);
        setenv("FAULT_AT", text, 1);
        setenv("FAULT_ERRNO", code, 1);
        setenv("FAULT_SHM", shm, 1);
        if (strchr(code, '+'))
            setenv("FAULT_ON", "1", 1);
        setenv("LD_PRELOAD", shim, 1);
    }
    setpgid(0, 0);
    dup2(none, 0);
    dup2(none, 1);
    dup2(err, 2);
    execvp(args[0], args);
    _exit(127);
}

static int wait_for(pid_t child, bool *hung)
{
    int status = 0;
    struct timespec nap = {.tv_nsec = 2000000};
    for (int ms = 0; waitpid(child, &status, WNOHANG) == 0; ms += 2) {
        nanosleep(&nap, NULL);
        if (ms < PATIENCE_S * 1000)
            continue;
        *hung = true;
        kill(-child, SIGKILL);
        waitpid(child, &status, 0);
        break;
    }
    kill(-child, SIGKILL); /* whatever it started */
    return status;
}

/* n UINT64_MAX: without the shim. */
static void run_once(const char *dir, uint64_t n, bool keep_db, struct result *r)
{
    char db[128], path[160], said[128];
    static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
    *r = (struct result){0};
    mkdir(dir, 0700);
    if (open_folder && (chmod(work, 0711) != 0 || chmod(dir, 0777) != 0))
        perror(dir);
    snprintf(db, sizeof db, "%s/db", dir);
    snprintf(said, sizeof said, "%s/said", dir);
    for (unsigned i = 0; i < 4 && !keep_db; i++) {
        snprintf(path, sizeof path, "%s%s", db, tails[i]);
        unlink(path);
    }
    if (first_db && !keep_db)
        copy_file(first_db, db);
    snprintf(path, sizeof path, "%s/shm", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    uint64_t counted[3] = {0};
    if (write(fd, counted, sizeof counted) != sizeof counted)
        perror(path);
    pid_t child = fork();
    if (child == 0)
        become(dir, db, n, said);
    r->status = wait_for(child, &r->hung);
    if (pread(fd, counted, sizeof counted, 0) != sizeof counted)
        perror(path);
    close(fd);
    r->fired = counted[1] > 0;
    r->known = counted[2] > 0;
    FILE *f = fopen(said, "r");
    size_t got = f ? fread(r->said, 1, sizeof r->said - 1, f) : 0;
    r->said[got] = 0;
    if (f)
        fclose(f);
    look(db, r);
}

static bool of_contract(int status)
{
    static const int codes[] = {0, 1, 64, 65, 66, 69, 73, 74, 77, 78};
    for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++)
        if (status == codes[i])
            return true;
    return false;
}

static bool judge(struct result *r, const struct result *plain)
{
    int status = WIFEXITED(r->status) ? WEXITSTATUS(r->status) : -1;
    const char *line = strstr(r->said, "edgewatch: ");
    if (r->hung)
        snprintf(r->flaw, ROOM, "hung for %d s", PATIENCE_S);
    else if (WIFSIGNALED(r->status))
        snprintf(r->flaw, ROOM, "killed by signal %d", WTERMSIG(r->status));
    else if (!of_contract(status))
        snprintf(r->flaw, ROOM, "exit code %d", status);
    else if (status > 1 && (!line || strlen(line) < 20))
        snprintf(r->flaw, ROOM, "exit code %d without a message", status);
    else if (strstr(r->said, "(null)") || strstr(r->said, ": Success"))
        snprintf(r->flaw, ROOM, "exit code %d with an empty reason", status);
    else if (status == 0 && !lossy && strcmp(r->rows, plain->rows) != 0 && !r->admits)
        snprintf(r->flaw, ROOM, "exit code 0, but %s", r->fresh ? "no rows" : r->rows);
    return !*r->flaw;
}

static bool judge_again(const char *dir, struct result *r, const struct result *plain)
{
    struct result second;
    run_once(dir, UINT64_MAX, true, &second);
    int status = WIFEXITED(second.status) ? WEXITSTATUS(second.status) : -1;
    if (status == 0 && strcmp(second.rows, plain->rows) == 0)
        return true;
    snprintf(r->flaw, ROOM, "afterwards, exit code %d: %.150s %.200s", status, second.said,
             second.rows);
    return false;
}

static void note(uint64_t n, const struct result *r)
{
    uint64_t k = board->bad++;
    if (k < SHOWN)
        snprintf(board->flaws[k], sizeof board->flaws[k], "n = %llu: %s; it said: %.300s",
                 (unsigned long long)n, r->flaw, *r->said ? r->said : "nothing");
}

static void worker(int id, const struct result *plain, time_t until)
{
    char dir[96];
    struct result r;
    snprintf(dir, sizeof dir, "%s/%d", work, id);
    while (!board->over && (!seconds || time(NULL) < until)) {
        uint64_t k = board->next++, n = ns ? (k < n_ns ? ns[k] : 0) : start + k * every;
        if (!n)
            return;
        run_once(dir, n, false, &r);
        if (!r.fired) {
            board->over |= !ns;
            continue;
        }
        board->runs++;
        if (r.known && WIFSIGNALED(r.status) && !r.hung) {
            board->known++;
            continue;
        }
        if (WIFEXITED(r.status))
            board->codes[WEXITSTATUS(r.status)]++;
        bool fine = judge(&r, plain);
        if (fine && again && WIFEXITED(r.status) && WEXITSTATUS(r.status) > 1)
            fine = judge_again(dir, &r, plain);
        if (!fine)
            note(n, &r);
    }
}

static void read_list(void)
{
    char line[32];
    FILE *f = fopen(list, "r");
    size_t room = 1 << 20;
    ns = calloc(room, sizeof *ns);
    for (uint64_t i = 0; f && ns && n_ns < room && fgets(line, sizeof line, f); i++)
        if (i % every == start % every)
            ns[n_ns++] = strtoull(line, NULL, 10);
    if (f)
        fclose(f);
}

static int tell(const struct result *plain)
{
    char codes[ROOM] = "";
    for (int i = 0; i < 256; i++)
        if (board->codes[i])
            snprintf(codes + strlen(codes), sizeof codes - strlen(codes), " %d:%llu", i,
                     (unsigned long long)board->codes[i]);
    bool fine = !board->bad && board->runs;
    printf("%s %s: %s %s: %llu runs%s, exit codes%s%s", fine ? "ok" : "not ok", name, kind, code,
           (unsigned long long)board->runs,
           board->over      ? ", to the end"
           : ns && !seconds ? ", of each place"
                            : "",
           codes, fine ? "\n" : "");
    if (board->known)
        printf("%s%llu crashes of libcrypto's own%s", fine ? "    " : ", ",
               (unsigned long long)board->known, fine ? "\n" : "");
    if (!fine)
        printf("; %llu bad (rows alone: %s)\n", (unsigned long long)board->bad, plain->rows);
    for (uint64_t i = 0; i < board->bad && i < SHOWN; i++) {
        for (char *p = board->flaws[i]; *p; p++)
            if (*p == '\n')
                *p = '|';
        printf("    %s\n", board->flaws[i]);
    }
    fflush(stdout);
    return !fine;
}

static void options(int argc, char **argv)
{
    int c;
    while ((c = getopt(argc, argv, "+j:n:e:s:m:d:aku")) != -1) {
        switch (c) {
        case 'j':
            at_once = atoi(optarg);
            break;
        case 'n':
            list = optarg;
            break;
        case 'e':
            every = strtoull(optarg, NULL, 10);
            break;
        case 's':
            start = strtoull(optarg, NULL, 10);
            break;
        case 'm':
            seconds = atoi(optarg);
            break;
        case 'd':
            first_db = optarg;
            break;
        case 'a':
            again = true;
            break;
        case 'u':
            open_folder = true;
            break;
        case 'k':
            lossy = true;
            break;
        default:
            exit(64);
        }
    }
    if (argc - optind < 6 || at_once < 1 || at_once > AT_ONCE || !every || !start)
        exit(64);
    shim = argv[optind];
    kind = argv[optind + 1];
    code = argv[optind + 2];
    name = argv[optind + 3];
    command = argv + optind + 5; /* behind -- */
}

int main(int argc, char **argv)
{
    struct result plain;
    char dir[96], text[128];
    options(argc, argv);
    snprintf(work, sizeof work, "/tmp/ew-faults-XXXXXX");
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!mkdtemp(work) || board == MAP_FAILED) {
        perror("sweep");
        return 69;
    }
    if (list)
        read_list();
    snprintf(dir, sizeof dir, "%s/plain", work);
    run_once(dir, UINT64_MAX, false, &plain);
    time_t until = time(NULL) + seconds;
    for (int i = 0; i < at_once; i++) {
        if (fork() == 0) {
            worker(i, &plain, until);
            _exit(0);
        }
    }
    while (wait(NULL) > 0)
        ;
    snprintf(text, sizeof text, "rm -rf '%s'", work);
    int gone = system(text);
    return WIFEXITED(plain.status) && gone == 0 ? tell(&plain) : 69;
}
