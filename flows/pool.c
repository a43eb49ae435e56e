/* Records of one size in blocks of huge pages. */
#include "flows/pool.h"

#include <assert.h>

#include "flows/pages.h"
#include "flows/memory.h"

enum { BLOCK = 2 << 20, ALIGN = 16, HEAD = 64 };

void pool_init(struct pool *p, size_t size)
{
    assert(size >= sizeof(void *) && size <= 65536);
    *p = (struct pool){.size = (size + ALIGN - 1) / ALIGN * ALIGN};
}

void pool_clear(struct pool *p)
{
    while (p->blocks) {
        void *b = p->blocks;
        p->blocks = *(void **)b;
        pages_release(b, BLOCK);
    }
    pool_init(p, p->size);
}

void *pool_take(struct pool *p)
{
    if (p->spare) {
        void *r = p->spare;
        p->spare = *(void **)r;
        __builtin_prefetch(p->spare, 1); /* the one behind it is read out of it next time */
        return r;
    }
    if (p->left < p->size) {
        void *b = memory_got(pages_reserve(BLOCK));
        if (!b)
            return NULL;
        *(void **)b = p->blocks;
        p->blocks = b;
        p->fresh = (char *)b + HEAD;
        p->left = BLOCK - HEAD;
    }
    void *r = p->fresh;
    p->fresh += p->size;
    p->left -= p->size;
    return r;
}

void pool_give(struct pool *p, void *record)
{
    *(void **)record = p->spare;
    p->spare = record;
}
