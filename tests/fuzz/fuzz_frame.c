/*
 * Frames of any link type through decoder, defragmenter and duplicate table.
 * Input: link type 2 (big-endian), then records of length 2 and that many bytes.
 */
#include "capture/dedup.h"
#include "capture/defrag.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_slice(struct slice s)
{
    static volatile uint8_t sink;
    if (s.n)
        sink = s.p[0] ^ s.p[s.n - 1];
    (void)sink;
}

static void one_frame(struct defrag *d, struct dedup *seen, struct slice s, uint16_t linktype,
                      tick_t now)
{
    struct raw_packet raw = {.time = now,
                             .data = s.p,
                             .caplen = (uint32_t)s.n,
                             .len = (uint32_t)(s.n + (s.n & 63)),
                             .linktype = linktype};
    struct packet p;
    struct fragment f;
    struct slice whole;
    enum frame_kind kind = frame_decode(&raw, &p, &f);
    while (kind == FRAME_FRAGMENT && defrag_add(d, &f, now, &whole))
        kind = frame_transport(&f, whole, &p, &f);
    if (kind != FRAME_PACKET)
        return;
    if (p.payload.n > p.payload_len)
        abort();
    check_slice(p.payload);
    check_slice(p.tcp_options);
    if (p.quoted.valid)
        check_slice(p.quoted.udp_payload);
    dedup_seen(seen, &p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dedup *seen;
    struct cursor c = cursor_on(slice_of(data, size));
    struct slice s;
    uint16_t linktype, n;
    struct defrag *d = defrag_new(1);
    if (!seen)
        seen = dedup_new(1);
    if (!d || !seen)
        abort();
    tick_t now = 0;
    if (get_u16(&c, &linktype))
        while (get_u16(&c, &n) && get_slice(&c, n, &s)) {
            /* memory of its own, so that the sanitizer sees its end */
            uint8_t *copy = malloc(s.n + !s.n);
            memcpy(copy, s.p, s.n);
            one_frame(d, seen, slice_of(copy, s.n), linktype, now += TICK_MS);
            free(copy);
        }
    defrag_free(d);
    return 0;
}
