/*
 * Running a command for each failure (--on-failure), in a process of its own that is made before
 * keys are read and the sandbox closes: it has none of the keys, the monitor itself can start no
 * program any more, and a command that is stuck is stuck there. No shell: the command is a
 * program's path and arguments.
 *
 *   monitor --(a packet per failure, never waited for)--> runner --(stdin)--> command
 *
 * One command runs at a time, RUNNER_SECONDS at most, RUNNER_PER_MINUTE times a minute.
 */
#ifndef EW_CLI_RUNNER_H
#define EW_CLI_RUNNER_H

#include <stdbool.h>
#include <stddef.h>

enum {
    RUNNER_WORDS = 32,
    RUNNER_SECONDS = 30,
    RUNNER_PER_MINUTE = 10,
    RUNNER_MESSAGE = 64 << 10, /* JSON of one failure: a few kB */
};

/* Splits a command into words, in place: blanks separate; '...' and "..." hold blanks; \ takes the
 * next character as it is, except inside '...'. Nothing else has a meaning. How many, -1 if a quote
 * is open, a \ is last, or they are more than RUNNER_WORDS. words is ended by NULL. */
int runner_split(char *text, char *words[RUNNER_WORDS + 1]);
/* NULL, or what is wrong with a command: as runner_split(), or the program is no path. */
const char *runner_check(const char *command);

struct runner;

struct runner_config {
    const char *command;
    bool drop;           /* gives up its rights at once, for account (privs.h) */
    const char *account; /* NULL: the usual one */
    const char *secret;  /* a variable that commands are not to find, NULL = none */
};

/* Makes the process; the caller has one thread. NULL with a message in why. */
struct runner *runner_new(const struct runner_config *c, char *why, size_t room);
/* False: it has too much to do already. Never waits. */
bool runner_send(struct runner *r, const char *json, size_t n);
/* Lets it finish what it has been given, for some seconds, and ends it. */
void runner_free(struct runner *r);

#endif
