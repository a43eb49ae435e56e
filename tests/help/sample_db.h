/*
 * A small database with the facts of the first field report, written through the writer: a call, an
 * allocation, one refused attempt with six packets, its failure with two findings.
 */
#ifndef EW_TESTS_HELP_SAMPLE_DB_H
#define EW_TESTS_HELP_SAMPLE_DB_H

#include "storage/query.h"

enum { SAMPLE_PATH = 64 };

/* Makes it at a fresh path, which is returned in path. Aborts on any failure. */
void sample_make(char path[SAMPLE_PATH]);
/* Opened for reading. Aborts on any failure. */
struct query_db *sample_open(const char *path);
/* Removes the file and what SQLite left beside it. */
void sample_remove(const char *path);

#endif
