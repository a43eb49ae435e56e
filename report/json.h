/*
 * Rows as JSON: objects whose keys are the view's columns. Numbers stay numbers, NULL is null,
 * columns that hold JSON (evidence, fields) are embedded as JSON, packet bytes are hexadecimal
 * text.
 */
#ifndef EW_REPORT_JSON_H
#define EW_REPORT_JSON_H

#include "storage/query.h"

#include <jansson.h>
#include <stdio.h>

/* One array, or a row per line (lines). Returns how many rows, -1 if the database failed on the
 * way or memory ran out. */
int64_t json_rows(struct rows *r, FILE *out, bool lines);

/* The current row as an object; NULL without memory. */
json_t *json_row(struct rows *r);

/* Like json_dumpf(), with \u escapes for what could turn a terminal's text around. */
void json_write(const json_t *all, size_t flags, FILE *out);

/* A text that may not be UTF-8: bytes that are not become '?'. null for NULL. */
json_t *json_safe(const char *text);

#endif
