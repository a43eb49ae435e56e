/* Header values by themselves: the URI taken out of any of them lies inside it. */
#include "flows/wire/sip.h"
#include "tests/fuzz/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of(data, size), value;
    struct sip_msg m = {.head = in};
    size_t pos = 0, last = 0;
    must_be_inside(sip_uri_of(in), in);
    while (sip_header_next(&m, "Contact", &pos, &value)) {
        must_be_inside(value, in);
        must_be_inside(sip_uri_of(value), value);
        must(pos > last && pos <= in.n);
        last = pos;
    }
    return 0;
}
