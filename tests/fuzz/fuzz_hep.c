/* HEP of every version, as a datagram and as a stream to its end. */
#include "flows/wire/hep.h"
#include "tests/fuzz/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of(data, size);
    struct wire_fault fault = {0};
    struct hep_msg m;

    enum wire_result r = hep_parse(in, true, &m, &fault);
    must(r != WIRE_MORE);
    if (r == WIRE_OK) {
        must(hep_looks_like(in));
        must_be_inside(m.payload, in);
        must(m.size <= in.n && m.micros < 1000000);
    }
    while (hep_parse(in, false, &m, &fault) == WIRE_OK) {
        must_be_inside(m.payload, in);
        must(m.version == 3 && m.size >= 6 && m.size <= in.n);
        in = slice_of(in.p + m.size, in.n - m.size);
    }
    return 0;
}
