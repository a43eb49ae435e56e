/*
 * Runs a command and says what it took: wall seconds, processor seconds, peak resident megabytes,
 * on one line at the end of FILE. Ends as the command does.
 *
 *   usage: measure FILE COMMAND [ARGUMENT...]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_USAGE = 64, EXIT_OUTPUT = 73, EXIT_NOT_RUN = 127 };

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    struct rusage use;
    int status = 0;
    if (argc < 3) {
        fprintf(stderr, "usage: measure FILE COMMAND [ARGUMENT...]\n");
        return EXIT_USAGE;
    }
    double begun = now();
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        fprintf(stderr, "measure: %s: %s\n", argv[2], strerror(errno));
        _exit(EXIT_NOT_RUN);
    }
    if (child < 0 || wait4(child, &status, 0, &use) < 0) {
        fprintf(stderr, "measure: %s\n", strerror(errno));
        return EXIT_NOT_RUN;
    }
    double wall = now() - begun;
    FILE *out = fopen(argv[1], "a");
    if (!out) {
        fprintf(stderr, "measure: %s: %s\n", argv[1], strerror(errno));
        return EXIT_OUTPUT;
    }
    fprintf(out, "%.3f %.3f %.1f\n", wall, seconds(use.ru_utime) + seconds(use.ru_stime),
            (double)use.ru_maxrss / 1024);
    fclose(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
