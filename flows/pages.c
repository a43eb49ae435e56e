/* Memory of the large tables: anonymous mappings with huge pages. See pages.h. */
#include "flows/pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE = 2 << 20, PAGE = 4096, LINE = 64 };

static size_t whole(size_t bytes)
{
    return (bytes + HUGE - 1) / HUGE * HUGE;
}

void *pages_reserve(size_t bytes)
{
    size_t size = whole(bytes), room = size + HUGE;
    uint8_t *m = mmap(NULL, room, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (m == MAP_FAILED)
        return NULL;
    size_t front = (HUGE - (uintptr_t)m % HUGE) % HUGE;
    if (front)
        munmap(m, front);
    if (HUGE - front)
        munmap(m + front + size, HUGE - front);
    (void)madvise(m + front, size, MADV_HUGEPAGE); /* a wish: it works without */
    return m + front;
}

void pages_release(void *p, size_t bytes)
{
    if (p)
        munmap(p, whole(bytes));
}

void pages_touch(void *p, size_t from, size_t to)
{
    volatile uint8_t *b = p;
    for (size_t at = from; at < to; at += PAGE)
        b[at] = b[at];
}

void *pages_table(size_t bytes)
{
    if (bytes >= HUGE)
        return pages_reserve(bytes);
    void *p = aligned_alloc(LINE, (bytes + LINE - 1) / LINE * LINE);
    return p ? memset(p, 0, bytes) : NULL;
}

void pages_table_free(void *p, size_t bytes)
{
    if (bytes < HUGE)
        free(p);
    else
        pages_release(p, bytes);
}
