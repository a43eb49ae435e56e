/*
 * Memory of the large tables. Address space is reserved at once; physical pages come as the table
 * grows, in huge pages where the kernel has them, written once before the hot path meets them.
 */
#ifndef EW_FLOWS_PAGES_H
#define EW_FLOWS_PAGES_H

#include <stddef.h>

/* Zeroed memory at a 2 MB boundary; NULL without address space. */
void *pages_reserve(size_t bytes);
void pages_release(void *p, size_t bytes);

/* Touches bytes [from, to) of a reserved piece so that no fault comes later. */
void pages_touch(void *p, size_t from, size_t to);

/* Zeroed memory for a table that begins small: from malloc(), and in huge pages from 2 MB on, where
 * a step through it would cost a TLB miss besides the cache miss otherwise. NULL without memory. */
void *pages_table(size_t bytes);
/* The same bytes again. NULL is fine. */
void pages_table_free(void *p, size_t bytes);

#endif
