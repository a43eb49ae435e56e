/*
 * An encoder for tests, written from RFC 2118: tokens to bits, and whole texts with the longest
 * copies that their history offers.
 */
#ifndef EW_TESTS_HELP_MPPC_MAKE_H
#define EW_TESTS_HELP_MPPC_MAKE_H

#include <stddef.h>
#include <stdint.h>

enum { MPPC_MAKE = 1 << 16 };

struct mppc_made {
    uint8_t p[MPPC_MAKE];
    size_t bits;
};

void mppc_literal(struct mppc_made *m, uint8_t c);
void mppc_copy(struct mppc_made *m, unsigned offset, unsigned length);
/* text, of which the first `known` bytes went before. */
void mppc_text(struct mppc_made *m, const char *text, size_t known, size_t n);
size_t mppc_bytes(const struct mppc_made *m);

#endif
