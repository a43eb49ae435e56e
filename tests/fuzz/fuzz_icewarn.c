/* ICEWarn: every bit of a value has an entry, and one bit's entry is that bit's. */
#include "flows/wire/ms_diag.h"
#include "tests/fuzz/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    uint32_t value = be32(data);
    must(icewarn_bit(value) != NULL && icewarn_bit(value)->text != NULL);
    for (uint32_t rest = value; rest; rest &= rest - 1) {
        uint32_t bit = rest & -rest;
        must(icewarn_bit(bit)->bit == bit);
    }
    return 0;
}
