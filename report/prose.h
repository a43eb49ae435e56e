/*
 * Text for people, every character made safe first: wrapped to the width of a page, or as HTML,
 * where a lead and its text become a list of terms, and a heading begins a section (html.h).
 */
#ifndef EW_REPORT_PROSE_H
#define EW_REPORT_PROSE_H

#include <stdbool.h>
#include <stdio.h>

/* What of a page of HTML is open. */
struct prose_html {
    bool section, list;
};

struct prose {
    FILE *out;
    unsigned width;          /* columns; at least 40 */
    struct prose_html *html; /* NULL: text */
    bool ascii;              /* text: what the locale cannot show becomes '?' */
};

/* The page for out: as wide as the terminal, within 60 to 160; 80 in a pipe. ascii as the locale
 * says, but not for what is no file (mail is UTF-8). */
struct prose prose_on(FILE *out);

/* A heading with an empty line before it. */
void prose_heading(const struct prose *p, const char *text);

/* One paragraph. The lead stands at column indent; text begins at column hang (>= indent) on the
 * same line, or on the next if the lead is too long. Words longer than a line stay whole. */
void prose_lead(const struct prose *p, unsigned indent, unsigned hang, const char *lead,
                const char *text);

/* Of HTML: closes what is open, before markup of another kind or the end. Nothing for text. */
void prose_close(const struct prose *p);

/* A heading of lower rank, for one of several things in a section. */
__attribute__((format(printf, 3, 4))) void prose_title(const struct prose *p, unsigned indent,
                                                       const char *fmt, ...);

/* A paragraph whose lines all begin at column indent. */
__attribute__((format(printf, 3, 4))) void prose_text(const struct prose *p, unsigned indent,
                                                      const char *fmt, ...);
/* prose_lead with a formatted text. */
__attribute__((format(printf, 5, 6))) void prose_item(const struct prose *p, unsigned indent,
                                                      unsigned hang, const char *lead,
                                                      const char *fmt, ...);

/* Columns that a safe text takes in the locale. */
unsigned prose_columns(const char *text, size_t bytes);

#endif
