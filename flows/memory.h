/*
 * Memory that the engine asked for and did not get. The engine goes on without it, so something is
 * missing from the rows; it is told in health as table_evictions. Counted per thread: an engine has
 * one, and asks from no other.
 */
#ifndef EW_FLOWS_MEMORY_H
#define EW_FLOWS_MEMORY_H

#include <stdint.h>

/* p as it is; NULL is counted. Around every allocation whose failure only costs rows:
 * x = memory_got(malloc(n)). */
void *memory_got(void *p);
/* Of this thread, ever-growing. */
uint64_t memory_refused(void);

#endif
