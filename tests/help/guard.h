/*
 * Input right in front of an inaccessible page: a parser that reads one byte too far dies there.
 */
#ifndef EW_TESTS_HELP_GUARD_H
#define EW_TESTS_HELP_GUARD_H

#include "capture/bytes.h"

/* A copy of n bytes that ends exactly at the guard page. Never NULL (aborts). */
uint8_t *guard_copy(const void *bytes, size_t n);
void guard_free(uint8_t *copy, size_t n);

#endif
