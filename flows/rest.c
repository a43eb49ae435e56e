/* Collected bytes of one message; see rest.h. */
#include "flows/rest.h"

#include <stdlib.h>
#include <string.h>

static uint32_t size_for(uint32_t bytes)
{
    uint32_t size = REST_FIRST;
    while (size < bytes)
        size *= 2;
    return size;
}

static bool grow(struct rest *r, uint32_t bytes)
{
    uint32_t size = size_for(bytes);
    uint8_t *more = realloc(r->bytes, size);
    if (!more)
        return false;
    r->bytes = more;
    r->size = size;
    return true;
}

bool rest_add(struct rest_stock *stock, struct rest *r, struct slice more)
{
    if (more.n > UINT32_MAX / 4 - r->n)
        return false;
    if (!r->bytes && stock->n)
        *r = stock->spare[--stock->n];
    uint32_t n = r->n + (uint32_t)more.n;
    if (n > r->size && !grow(r, n)) {
        if (!r->n)
            rest_drop(stock, r);
        return false;
    }
    memcpy(r->bytes + r->n, more.p, more.n);
    r->n = n;
    return true;
}

void rest_taken(struct rest_stock *stock, struct rest *r, uint32_t left)
{
    if (!left) {
        rest_drop(stock, r);
        return;
    }
    if (left < r->n)
        memmove(r->bytes, r->bytes + (r->n - left), left);
    r->n = left;
}

void rest_drop(struct rest_stock *stock, struct rest *r)
{
    if (r->bytes && stock->n < REST_SPARES && r->size <= REST_SPARE_MAX)
        stock->spare[stock->n++] = (struct rest){.bytes = r->bytes, .size = r->size};
    else
        free(r->bytes);
    *r = (struct rest){0};
}

void rest_end(struct rest_stock *stock)
{
    while (stock->n)
        free(stock->spare[--stock->n].bytes);
}
