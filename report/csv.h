/*
 * RFC 4180: a header line with the view's columns, CRLF, quotes where they are needed. NULL is an
 * empty field, the empty text a quoted one. Packet bytes are hexadecimal.
 *
 * Spreadsheets run what looks like a formula, and texts come from the wire: one that begins with
 * = + - @, a tab or a carriage return gets an apostrophe in front (numbers are numbers and do not).
 */
#ifndef EW_REPORT_CSV_H
#define EW_REPORT_CSV_H

#include "storage/query.h"

#include <stdio.h>

/* U+FEFF: makes some spreadsheets read UTF-8 as what it is, and other programs stumble. */
#define CSV_BOM "\xef\xbb\xbf"

/* Writes all rows. Returns how many, -1 if the database failed on the way. */
int64_t csv_rows(struct rows *r, FILE *out);

/* One text field, quoted if it holds a comma, a quote, a line end or nothing. */
void csv_text(const char *text, FILE *out);

#endif
