/*
 * Capture files that arrive piece by piece, as through a pipe. The first byte says how large the
 * pieces are; the result must not depend on it.
 */
#include "capture/capfile.h"

#include <stdlib.h>

enum { ROOM = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint16_t on_iface(void *ctx, unsigned number, struct slice name)
{
    unsigned *sum = ctx;
    for (size_t i = 0; i < name.n; i++)
        *sum += name.p[i];
    return (uint16_t)number;
}

/* Returns how many frames there are; every one must lie within what has arrived. */
static size_t walk(const uint8_t *data, size_t size, size_t step, bool *damaged)
{
    struct batch_packet packets[ROOM];
    struct batch b = {.bytes = malloc(size + 1), .size = size, .packets = packets, .room = ROOM};
    unsigned sum = 0;
    size_t frames = 0;
    struct capfile *c = capfile_new(on_iface, &sum);
    if (!c || !b.bytes)
        abort();
    memcpy(b.bytes, data, size);
    for (bool full = false; full || b.end < size;) {
        if (!full)
            b.end = size - b.end < step ? size : b.end + step;
        b.count = 0;
        capfile_walk(c, &b);
        for (size_t i = 0; i < b.count; i++)
            if ((size_t)packets[i].offset + packets[i].caplen > b.at ||
                packets[i].caplen > packets[i].len)
                abort();
        frames += b.count;
        full = b.count == ROOM;
    }
    capfile_finish(c, b.end - b.at);
    *damaged = capfile_damage(c) != NULL;
    capfile_free(c);
    free(b.bytes);
    return frames;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool a, b;
    if (size < 1)
        return 0;
    size_t whole = walk(data + 1, size - 1, size, &a);
    if (whole != walk(data + 1, size - 1, data[0] + 1u, &b) || a != b)
        abort();
    return 0;
}
