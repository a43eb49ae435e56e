/*
 * What a joiner says, written down: the failures that stand, as text that two tellings of the same
 * facts must have in common.
 */
#ifndef EW_TESTS_HELP_TELLING_H
#define EW_TESTS_HELP_TELLING_H

#include "flows/joiner.h"

enum { TELLING_ROWS = 16, TELLING_ROW_TEXT = 700 };

struct telling_row {
    int64_t id;
    char row[TELLING_ROW_TEXT];
    struct failure f; /* texts are gone */
};
struct telling {
    struct joiner *j;
    struct telling_row rows[TELLING_ROWS];
    unsigned n, linked, aliases;
};

/* A fresh joiner, configured so or plainly (NULL); joiner_free() ends it, the rows stay. */
void telling_begin(struct telling *t, const struct joiner_config *c);
/* Rows in the order of their text. */
void telling_sort(struct telling *t);
/* Fails the test, showing both, if they differ; order names the second one. */
void telling_expect_same(const struct telling *want, const struct telling *got, const char *order);

#endif
