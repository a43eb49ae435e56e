/* WebSocket: an upgrade head of either side, then frames, to the end. */
#include "flows/wire/websocket.h"
#include "tests/fuzz/inside.h"

enum { MAX_PAYLOAD = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of(data, size);
    struct websocket_frame f;
    uint8_t text[MAX_PAYLOAD];
    size_t head = 0;

    if (websocket_upgrade(in, true, &head, NULL) == WIRE_OK ||
        websocket_upgrade(in, false, &head, NULL) == WIRE_OK)
        must(head > 0 && head <= in.n);
    in = slice_of(in.p + head, in.n - head);
    while (websocket_parse(in, MAX_PAYLOAD, &f, NULL) == WIRE_OK) {
        must_be_inside(f.payload, in);
        must(f.size >= 2 && f.size <= in.n && f.payload.n <= MAX_PAYLOAD);
        websocket_unmask(&f, text);
        in = slice_of(in.p + f.size, in.n - f.size);
    }
    return 0;
}
