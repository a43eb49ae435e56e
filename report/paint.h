/*
 * Colour for text that people read on a terminal: headings, verdicts, grades, resets, judgements of
 * doctor. Pages are written plain and laid out as such; paint goes between their words, line by
 * line, and never carries what the words do not say.
 */
#ifndef EW_REPORT_PAINT_H
#define EW_REPORT_PAINT_H

#include <stdbool.h>
#include <stdio.h>

/* when: "always", "never", or "auto" (NULL): only on a terminal that is not "dumb", and not where
 * $NO_COLOR is set (no-color.org). */
bool paint_wanted(FILE *out, const char *when);

/* A stream that paints what is written to it on its way to out; out itself if that is not wanted,
 * or without memory. */
FILE *paint_begin(FILE *out, const char *when);
/* Ends the last line. */
void paint_end(FILE *page, FILE *out);

#endif
