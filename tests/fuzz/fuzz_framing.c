/* Every framing of framing.h on the same bytes, walked to the end. */
#include <stdlib.h>

#include "flows/wire/framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool fact)
{
    if (!fact)
        abort();
}

/* A frame lies in front, and its payload ends with it: each walk below gets nearer the end. */
static struct slice behind(struct slice in, size_t size, struct slice payload)
{
    expect(size > 0 && size <= in.n && payload.p + payload.n == in.p + size);
    return slice_of(in.p + size, in.n - size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_fault fault;
    struct slice in = slice_of(data, size);
    struct turn_frame turn;
    while (turn_frame_parse(in, &turn, &fault) == WIRE_OK)
        in = behind(in, turn.size, turn.payload);
    in = slice_of(data, size);
    struct rfc4571_frame rfc;
    while (rfc4571_parse(in, &rfc, &fault) == WIRE_OK)
        in = behind(in, rfc.size, rfc.payload);
    in = slice_of(data, size);
    struct mux_frame mux;
    while (mux_parse(in, &mux, &fault) == WIRE_OK)
        in = behind(in, mux.size, mux.data);
    in = slice_of(data, size);
    struct tls_record rec;
    while (tls_record_parse(in, &rec, &fault) == WIRE_OK && rec.body.n == rec.length)
        in = behind(in, 5 + (size_t)rec.length, rec.body);
    return 0;
}
