/* How often this thread's engine had to do without memory. */
#include "flows/memory.h"

#include <stddef.h>

static _Thread_local uint64_t refused;

void *memory_got(void *p)
{
    refused += p == NULL;
    return p;
}

uint64_t memory_refused(void)
{
    return refused;
}
