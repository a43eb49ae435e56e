/* A child process that takes a message on its standard input. */
#include "cli/mail.h"

#include "capture/log.h"
#include "cli/exits.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *check_mail(const char *value)
{
    return mail_address(value) ? NULL : "is not an address like user@example.com";
}

static int start(const char *program, int in, pid_t *pid)
{
    extern char **environ;
    char *const words[] = {(char *)(uintptr_t)program, (char *)(uintptr_t) "-t",
                           (char *)(uintptr_t) "-i", NULL};
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
    int bad = posix_spawn(pid, program, &files, NULL, words, environ);
    posix_spawn_file_actions_destroy(&files);
    return bad;
}

int mail_send(const struct settings *s, const struct mail *m, const char *body, size_t n)
{
    const char *program = s->sendmail ? s->sendmail : SENDMAIL_DEFAULT;
    int ends[2], status = 0;
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        log_error("%s: %s", program, strerror(errno));
        return EXIT_UNAVAILABLE;
    }
    int bad = start(program, ends[0], &pid);
    close(ends[0]);
    if (bad) {
        close(ends[1]);
        log_error("%s: %s; sendmail = PATH under [report] names another", program, strerror(bad));
        return EXIT_UNAVAILABLE;
    }
    /* it may end before it has read all */
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    FILE *out = fdopen(ends[1], "w");
    if (out) {
        mail_write(out, m, body, n);
        bad = fclose(out) != 0;
    } else {
        close(ends[1]);
        bad = 1;
    }
    signal(SIGPIPE, before);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!bad && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return EXIT_DONE;
    if (WIFEXITED(status) && WEXITSTATUS(status))
        log_error("%s: the message was not taken (exit code %d)", program, WEXITSTATUS(status));
    else
        log_error("%s: the message was not taken", program);
    return EXIT_UNAVAILABLE;
}
