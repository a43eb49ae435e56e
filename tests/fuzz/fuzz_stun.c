/* Whole STUN messages and ChannelData; the first byte chooses datagram or stream. */
#include <stdlib.h>

#include "flows/wire/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool fact)
{
    if (!fact)
        abort();
}

static void expect_inside(struct slice part, struct slice whole)
{
    expect(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    bool datagram = data[0] & 1;
    struct slice in = slice_of(data + 1, size - 1), remote, local;
    struct stun_msg m, nested;
    struct wire_fault fault;
    struct channel_data cd;
    bool looks = stun_looks_like(in, datagram);
    enum wire_result r = stun_parse(in, datagram, &m, &fault);
    if (r == WIRE_BAD)
        expect(fault.reason && fault.offset <= in.n);
    if (datagram)
        expect(r != WIRE_MORE && (!looks || r == WIRE_OK));
    if (r == WIRE_OK) {
        expect(m.size >= 20 && m.size <= in.n && stun_kind_name(m.kind));
        expect_inside(m.username, in);
        expect_inside(m.data, in);
        if (stun_ufrags(m.username, &remote, &local)) {
            expect_inside(remote, m.username);
            expect_inside(local, m.username);
        }
        if (stun_nested(m.data, &nested))
            expect(nested.size <= m.data.n);
    }
    if (channel_data_parse(in, !datagram, &cd, &fault) == WIRE_OK) {
        expect(cd.size >= 4 && cd.size <= in.n);
        expect_inside(cd.data, in);
    }
    return 0;
}
