/* The process that runs commands for failures. */
#include "cli/runner.h"

#include "capture/log.h"
#include "capture/privs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LAST_SECONDS = 5, BUFFER = 512 << 10, LOOK_MS = 10, PATIENCE_S = LAST_SECONDS + 2 };

struct runner {
    int fd;
    pid_t pid;
};

/* ---- words ---- */

int runner_split(char *text, char *words[RUNNER_WORDS + 1])
{
    int n = 0;
    char *in = text, *out = text, quote = 0;
    for (;;) {
        while (*in == ' ' || *in == '\t')
            in++;
        if (!*in)
            break;
        if (n == RUNNER_WORDS)
            return -1;
        words[n++] = out;
        for (; *in && (quote || (*in != ' ' && *in != '\t')); in++) {
            if (*in == '\\' && quote != '\'') {
                if (!*++in)
                    return -1;
                *out++ = *in;
            } else if (quote ? *in == quote : *in == '\'' || *in == '"') {
                quote = quote ? 0 : *in;
            } else {
                *out++ = *in;
            }
        }
        bool more = *in != 0;
        *out++ = 0; /* never ahead of in: a blank or the end was read */
        in += more;
    }
    words[n] = NULL;
    return quote ? -1 : n;
}

const char *runner_check(const char *command)
{
    char *words[RUNNER_WORDS + 1], *copy = strdup(command);
    const char *wrong = NULL;
    int n = copy ? runner_split(copy, words) : -1;
    if (n < 0)
        wrong = "has an open quote, ends in \\ or has more than 32 words";
    else if (n == 0 || words[0][0] != '/')
        wrong = "does not begin with the absolute path of a program";
    free(copy);
    return wrong;
}

/* ---- in the process ---- */

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Writes what the command takes; it may not read it at all. */
static bool write_some(int fd, const char *text, size_t *done, size_t n)
{
    ssize_t put = write(fd, text + *done, n - *done);
    if (put > 0)
        *done += (size_t)put;
    return *done < n && (put >= 0 || errno == EAGAIN || errno == EINTR);
}

static int start(char *const *words, int in, pid_t *pid)
{
    extern char **environ;
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
    posix_spawnattr_init(&how);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&how, &none);
    int bad = posix_spawn(pid, words[0], &files, &how, words, environ);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    return bad;
}

/* The work of the process. */
struct work {
    int fd; /* from the monitor */
    char **words;
    int64_t over; /* ms: when the monitor has gone, its last commands must have ended by then; 0 */
};

/* A short sleep, and whether the monitor is still there. */
static void look_for_monitor(struct work *k)
{
    struct pollfd fd = {.fd = k->fd};
    if (poll(&fd, 1, k->over ? 0 : LOOK_MS) > 0 && !k->over)
        k->over = now_ms() + LAST_SECONDS * 1000;
    if (k->over)
        poll(NULL, 0, LOOK_MS);
}

static void run(struct work *k, const char *json, size_t n)
{
    char *const *words = k->words;
    int ends[2], status = 0;
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    int bad = start(words, ends[0], &pid);
    close(ends[0]);
    if (bad)
        log_error("%s: %s", words[0], strerror(bad));
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    size_t done = 0;
    bool writing = !bad;
    int64_t end = now_ms() + RUNNER_SECONDS * 1000;
    while (!bad && waitpid(pid, &status, WNOHANG) == 0) {
        if (writing && !(writing = write_some(ends[1], json, &done, n)))
            close(ends[1]);
        look_for_monitor(k);
        end = k->over && k->over < end ? k->over : end;
        if (now_ms() > end) {
            log_error("%s: stopped, it took too long", words[0]);
            kill(-pid, SIGKILL);
            waitpid(pid, &status, 0);
            break;
        }
    }
    if (writing || bad)
        close(ends[1]);
    if (!bad && now_ms() <= end && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
        log_warn("%s: ended with %s %d", words[0], WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

/* Until the monitor closes its end. It may be killed: then that is so, too. */
static void work(int fd, char *words[])
{
    static char json[RUNNER_MESSAGE];
    struct work k = {.fd = fd, .words = words};
    ssize_t n;
    prctl(PR_SET_NAME, "edgewatch-run");
    signal(SIGINT, SIG_IGN); /* of the terminal: the monitor's business */
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    while ((n = recv(fd, json, sizeof json, 0)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0 && (!k.over || now_ms() < k.over))
            run(&k, json, (size_t)n);
}

/* ---- in the monitor ---- */

/* Nothing of the monitor's: no right, no interface, no feed, no file, no passphrase. */
static void become_runner(const struct runner_config *c, int fd, char *words[])
{
    char why[PRIVS_TEXT];
    if (c->secret) {
        char *value = getenv(c->secret);
        if (value)
            explicit_bzero(value, strlen(value));
        unsetenv(c->secret);
    }
    fd = dup2(fd, STDERR_FILENO + 1);
    close_range(STDERR_FILENO + 2, ~0u, 0);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (!c->drop || privs_drop(c->account, why) == 0) /* else the monitor says why */
        work(fd, words);
    _exit(0);
}

struct runner *runner_new(const struct runner_config *c, char *why, size_t room)
{
    const char *command = c->command;
    char *words[RUNNER_WORDS + 1], *copy = strdup(command);
    int ends[2] = {-1, -1}, buffer = BUFFER;
    struct runner *r = calloc(1, sizeof *r);
    if (!r || !copy || runner_split(copy, words) < 1 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        goto failed;
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    r->pid = fork();
    if (r->pid < 0)
        goto failed;
    if (r->pid == 0)
        become_runner(c, ends[1], words);
    close(ends[1]);
    r->fd = ends[0];
    free(copy);
    return r;
failed:
    snprintf(why, room, "%s: %s", command, strerror(errno));
    if (ends[0] >= 0)
        close(ends[0]), close(ends[1]);
    free(copy);
    free(r);
    return NULL;
}

bool runner_send(struct runner *r, const char *json, size_t n)
{
    return n <= RUNNER_MESSAGE && send(r->fd, json, n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n;
}

void runner_free(struct runner *r)
{
    if (!r)
        return;
    close(r->fd); /* it sees that, and ends */
    int64_t end = now_ms() + PATIENCE_S * 1000;
    while (waitpid(r->pid, NULL, WNOHANG) == 0 && now_ms() < end)
        poll(NULL, 0, LOOK_MS);
    free(r);
}
