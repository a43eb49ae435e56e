/*
 * The human picture of a view: a chosen subset of its columns that can be read in 80 to 160
 * columns. csv and json have all of them.
 */
#ifndef EW_REPORT_LISTING_H
#define EW_REPORT_LISTING_H

#include "storage/query.h"

#include <stdio.h>

/* Prints the rows as a table. width: columns of the terminal, 0 = a pipe. Nothing is printed for no
 * rows. Returns how many rows, -1 on an error of the database or without memory. v: one of
 * failures, calls, allocations, health. */
int64_t listing_print(enum query_view v, struct rows *r, FILE *out, unsigned width);

#endif
