/*
 * The database, opened for reading, with the words that help when it cannot be.
 */
#ifndef EW_CLI_OPENED_H
#define EW_CLI_OPENED_H

#include "cli/command.h"
#include "storage/query.h"

#include <stdio.h>

/* 0, or an exit code after a message on stderr. */
int open_database(const struct settings *s, struct query_db **out);

/* After a query failed: says why and gives the exit code. */
int database_failed(const struct settings *s, const struct query_db *db);

/* Reads an ID from the command line. False after a message: not a number above 0. */
bool read_id(const struct command *self, const char *text, int64_t *out);

/* Says so; EXIT_NO_INPUT. */
int no_such_failure(const struct settings *s, int64_t id);

/* How this program was called, for suggested commands: "edgewatch", "edgewatch --db x.db". */
char *called_as(const struct settings *s, char *out, size_t room);

/* The file of -o, or stdout for NULL and "-". NULL after a message. */
FILE *open_output(const char *path);
/* Closes it. 0, or EXIT_NO_OUTPUT after a message. */
int close_output(FILE *out, const char *path);

#endif
