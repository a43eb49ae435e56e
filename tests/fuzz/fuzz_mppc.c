/* MPPC, and a connection behind compression headers: bounded output, progress, never garbage. */
#include "flows/sipcomp.h"
#include "flows/wire/mppc.h"
#include "tests/fuzz/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t out[1 << 14];
    static struct mppc m;
    struct slice in = slice_of(data, size);
    struct sip_msg msg;
    size_t n = 0, used, at = 0;
    m.seen = 0;
    if (mppc_decode(&m, in, out, sizeof out, &n, NULL) == WIRE_OK)
        must(n <= sizeof out && n == m.seen);
    struct sipcomp *c = sipcomp_new();
    must(c != NULL);
    while (at < size) {
        enum wire_result r =
            sipcomp_next(c, SIDE_CLIENT, slice_of(data + at, size - at), &msg, &used);
        must(used <= size - at);
        if (r != WIRE_OK)
            break;
        must(used > 0 && (msg.request || msg.status >= 100));
        at += used;
    }
    sipcomp_free(c);
    return 0;
}
