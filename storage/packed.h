/*
 * Reads the packed columns that facts_json.c writes: JSON arrays of integers, strings, null and
 * arrays, without white space. A rejoined capture has two such texts for each call, so there is no
 * tree: the text is looked through once, and then read in order.
 */
#ifndef EW_STORAGE_PACKED_H
#define EW_STORAGE_PACKED_H

#include "flows/arena.h"

/* Stands before an element of an array or before its end. A copy looks ahead. */
struct packed {
    const uint8_t *p;
};

/* Inside the outermost array; json is lent as long as anything is read. False if it is no such
 * text, or nests deeper than ours do. */
bool packed_open(struct slice json, struct packed *out);

static inline bool packed_more(const struct packed *r)
{
    return *r->p != ']';
}

/* Goes into the array that comes next; false, and past it, if something else does. At the end of an
 * array all of these stay where they are: what is missing is like null. */
bool packed_enter(struct packed *r);
/* Out of the array, whatever is left of it. */
void packed_leave(struct packed *r);
void packed_skip(struct packed *r);
/* False for what is no integer: *out is 0 then. */
bool packed_int(struct packed *r, int64_t *out);
/* A string's bytes as they stand there, with escapes; false and empty for something else. */
bool packed_raw(struct packed *r, struct slice *out);
/* A copy without escapes, NULL for what is no string, or without memory (its pool tells). */
const char *packed_text(struct packed *r, struct arena *a);

#endif
