/* Input right in front of an inaccessible page. */
#include "tests/help/guard.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t pages_for(size_t n, size_t page)
{
    return (n + page - 1) / page * page + page;
}

uint8_t *guard_copy(const void *bytes, size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = pages_for(n, page);
    uint8_t *m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED || mprotect(m + size - page, page, PROT_NONE) != 0)
        abort();
    uint8_t *at = m + size - page - n;
    if (n)
        memcpy(at, bytes, n);
    return at;
}

void guard_free(uint8_t *copy, size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = pages_for(n, page);
    munmap(copy + n + page - size, size);
}
