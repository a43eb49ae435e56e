/* What every harness asserts of a parser's output: its slices lie in the input. */
#ifndef EW_TESTS_FUZZ_INSIDE_H
#define EW_TESTS_FUZZ_INSIDE_H

#include <stdlib.h>

#include "capture/bytes.h"

static inline void must(bool claim)
{
    if (!claim)
        abort();
}

static inline void must_be_inside(struct slice s, struct slice in)
{
    must(s.n == 0 || (s.p >= in.p && s.n <= in.n && (size_t)(s.p - in.p) <= in.n - s.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
