/*
 * HTML, written into a stream (a file, or memory through open_memstream). This is the one place
 * where values become markup: whatever comes from the wire, a log or the database goes through
 * html_text() or a call that uses it. Escaped that way it is safe as text and inside an attribute
 * in double quotes; control characters, bidirectional overrides and bytes that are no UTF-8 are
 * replaced (safe.h).
 *
 * Pages carry no script, no style attribute and no event attribute, so that they stand under a
 * Content-Security-Policy of "default-src 'none'; style-src 'self'" (or the hash of the style).
 */
#ifndef EW_REPORT_HTML_H
#define EW_REPORT_HTML_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/* Escaped text; nothing for NULL. */
void html_text(FILE *out, const char *text);
/* The same after formatting; the format is ours, the values need not be. */
__attribute__((format(printf, 2, 3))) void html_format(FILE *out, const char *fmt, ...);
__attribute__((format(printf, 2, 0))) void html_vformat(FILE *out, const char *fmt, va_list args);
/* A value from the wire in an element of its own, so that right-to-left text in it stays inside it;
 * cut after most characters (0: never), with the whole value as its title. */
void html_wire(FILE *out, const char *text, size_t most);

/* <tag class="class">text</tag>; no attribute for a NULL class. */
void html_element(FILE *out, const char *tag, const char *class, const char *text);

/* How many bytes the first `most` characters of a safe text take. */
size_t html_cut(const char *text, size_t most);

/* From the doctype to <body>. style: NULL puts the style sheet inside, else it is linked there. */
void html_page_begin(FILE *out, const char *title, const char *style);
void html_page_end(FILE *out);

/* style.css as it is in the program; *n: its bytes. */
const char *html_style(size_t *n);

/* The start and end of a table in a frame that scrolls sideways where the screen is narrow.
 * caption is for readers that do not see the heading; with a leading '-' it is for them alone.
 * heads end with NULL. A leading '>' says that
 * the column holds numbers, a '~' before it that it is left out on paper; cells need the same
 * classes, "n" and "screen". */
void html_table_begin(FILE *out, const char *caption, const char *const heads[]);
void html_table_end(FILE *out);

#endif
