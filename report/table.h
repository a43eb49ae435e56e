/*
 * Aligned columns for the eye, through libsmartcols. On a terminal a table is fitted to its width
 * (cells are cut or wrapped); in a pipe nothing is cut.
 */
#ifndef EW_REPORT_TABLE_H
#define EW_REPORT_TABLE_H

#include <stdio.h>

enum table_flags {
    TABLE_RIGHT = 1, /* numbers */
    TABLE_CUT = 2,   /* may be cut when the terminal is narrow */
    TABLE_WRAP = 4,  /* may become several lines */
};

struct table_column {
    const char *title;
    unsigned flags;
};

struct table;

/* indent: blanks before each line. width: columns of the terminal, 0 = a pipe (never cut). NULL
 * without memory. */
struct table *table_new(const struct table_column *columns, unsigned n, unsigned indent,
                        unsigned width);
void table_free(struct table *t);

/* One row of n cells; NULL prints as "-". Texts are copied and made safe. */
void table_row(struct table *t, const char *const cells[]);

/* Prints header and rows. 0, or -1 without memory. */
int table_print(struct table *t, FILE *out);

/* Columns of the terminal behind out, 0 if it is none. $COLUMNS overrides a terminal's own number.
 */
unsigned table_width(FILE *out);

#endif
