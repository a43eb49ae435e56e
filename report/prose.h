/*
 * Text for people, wrapped to the width of the page, every character made safe first (safe.h).
 */
#ifndef EW_REPORT_PROSE_H
#define EW_REPORT_PROSE_H

#include <stdio.h>

struct prose {
    FILE *out;
    unsigned width; /* columns; at least 40 */
};

/* The page for out: the terminal's width within 80 to 120, 80 in a pipe. */
struct prose prose_on(FILE *out);

/* A heading with an empty line before it. */
void prose_heading(const struct prose *p, const char *text);

/* One paragraph. The lead stands at column indent; text begins at column hang (>= indent) on the
 * same line, or on the next if the lead is too long. Words longer than a line stay whole. */
void prose_lead(const struct prose *p, unsigned indent, unsigned hang, const char *lead,
                const char *text);

/* A paragraph whose lines all begin at column indent. */
__attribute__((format(printf, 3, 4))) void prose_text(const struct prose *p, unsigned indent,
                                                      const char *fmt, ...);
/* prose_lead with a formatted text. */
__attribute__((format(printf, 5, 6))) void prose_item(const struct prose *p, unsigned indent,
                                                      unsigned hang, const char *lead,
                                                      const char *fmt, ...);

/* Columns that a safe text takes: characters, not bytes. */
unsigned prose_columns(const char *text, size_t bytes);

#endif
