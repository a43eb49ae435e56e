/*
 * RFC 4180: a header line with the view's columns, CRLF, quotes where they are needed. NULL is an
 * empty field, the empty text a quoted one. Packet bytes are hexadecimal.
 */
#ifndef EW_REPORT_CSV_H
#define EW_REPORT_CSV_H

#include "storage/query.h"

#include <stdio.h>

/* Writes all rows. Returns how many, -1 if the database failed on the way. */
int64_t csv_rows(struct rows *r, FILE *out);

/* One text field, quoted if it holds a comma, a quote, a line end or nothing. */
void csv_text(const char *text, FILE *out);

#endif
