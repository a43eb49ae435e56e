/*
 * Stops one thread of a process for a while, and nothing else of it.
 *
 *   usage: freeze THREAD-ID MILLISECONDS
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    pid_t thread = argc == 3 ? (pid_t)atoi(argv[1]) : 0;
    if (!thread) {
        fprintf(stderr, "usage: freeze THREAD-ID MILLISECONDS\n");
        return 64;
    }
    if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) != 0 ||
        ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) != 0 || waitpid(thread, NULL, __WALL) < 0) {
        fprintf(stderr, "freeze: %s\n", strerror(errno));
        return 1;
    }
    usleep((useconds_t)atoi(argv[2]) * 1000);
    ptrace(PTRACE_DETACH, thread, NULL, NULL);
    return 0;
}
