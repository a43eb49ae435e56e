/*
 * Text from the wire on its way to a terminal or a parser of ours: what could move the cursor,
 * change the title, turn the reading direction, or is not UTF-8, is replaced.
 */
#ifndef EW_REPORT_SAFE_H
#define EW_REPORT_SAFE_H

#include <stdbool.h>
#include <stddef.h>

/* How many bytes of valid, printable UTF-8 stand at p (1 to 4), 0 if the byte must be replaced.
 * p ends with NUL. */
size_t safe_length(const char *p);

/* Copies text with every unsafe byte as '?', cut at a character to fit room. Line feeds and tabs
 * become blanks. Returns out; "" for NULL. */
char *safe_text(const char *text, char *out, size_t room);

/* The same in memory of its own; NULL without memory. "" for NULL. */
char *safe_copy(const char *text);

/* Every character beyond ASCII becomes one '?', in place: for locales that cannot show it, and for
 * pictures made of columns. Returns text. */
char *safe_ascii(char *text);
/* Does the locale (LC_CTYPE) show UTF-8? */
bool safe_utf8_shown(void);

#endif
