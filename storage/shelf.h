/*
 * Rows that wait for the end of their transaction, to be written in the order of their ids. Calls
 * and allocations end in another order than they began: one at a time, each would look for its
 * place among thousands of pages that no cache holds any more; sorted, they fill one page after the
 * other.
 */
#ifndef EW_STORAGE_SHELF_H
#define EW_STORAGE_SHELF_H

#include "storage/bind.h"
#include "storage/text.h"

/* Zeroed = empty. */
struct shelf {
    struct text bytes; /* the values of all rows, copied */
    struct shelf_place *list;
    size_t n, room;
};

/* False without memory: then it is not kept. */
bool shelf_put(struct shelf *s, int64_t row, const struct binds *b);
/* By id; rows of the same id stay in order. */
void shelf_sort(struct shelf *s);
/* The i-th row, lent as long as it is on the shelf, behind what *out has. */
void shelf_row(const struct shelf *s, size_t i, struct binds *out);
void shelf_clear(struct shelf *s);
void shelf_free(struct shelf *s);

#endif
