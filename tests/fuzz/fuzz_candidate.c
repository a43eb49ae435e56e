/* One candidate line. */
#include "flows/wire/sdp.h"
#include "tests/fuzz/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of(data, size);
    struct candidate k;
    struct wire_fault fault = {0};
    enum wire_result r = candidate_parse(in, &k, &fault);
    must(r != WIRE_MORE);
    if (r == WIRE_BAD) {
        must(fault.reason && fault.offset <= size);
        return 0;
    }
    must_be_inside(k.foundation, in);
    must_be_inside(k.name, in);
    must_be_inside(k.ufrag, in);
    must(k.foundation.n > 0 && k.component <= 999);
    must(k.transport <= CAND_TCP_SO && k.type <= CAND_TYPE_UNKNOWN && k.dialect < DIALECT_DEFAULT);
    must(k.name.n == 0 || addr_none(&k.at.addr));
    return 0;
}
