/* Headers of synthetic IPv4 TCP segments. */
#include "flows/synth.h"

#include "capture/frame.h"

enum { WINDOW = 65535, WINDOW_SCALE = 14, TTL = 64 };

static uint8_t *put16(uint8_t *at, uint32_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
    return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t v)
{
    return put16(put16(at, v >> 16), v & 0xffff);
}

static uint8_t *put_ip(uint8_t *at, const struct synth *s, size_t total)
{
    uint32_t client = SYNTH_CLIENT + s->stream;
    at = put16(at, 0x4500);
    at = put16(at, (uint32_t)total);
    at = put32(at, 0); /* identification, never a fragment */
    at = put16(at, TTL << 8 | PROTO_TCP);
    at = put16(at, 0); /* checksum: libnids is told not to look */
    at = put32(at, s->from_client ? client : SYNTH_SERVER);
    return put32(at, s->from_client ? SYNTH_SERVER : client);
}

size_t synth_headers(const struct synth *s, size_t n, uint8_t out[SYNTH_HEADERS_MAX])
{
    bool syn = s->flags & TCP_SYN;
    size_t headers = syn ? SYNTH_HEADERS_MAX : SYNTH_HEADERS;
    uint8_t *at = put_ip(out, s, headers + n);
    at = put16(at, s->from_client ? SYNTH_CLIENT_PORT : SYNTH_SERVER_PORT);
    at = put16(at, s->from_client ? SYNTH_SERVER_PORT : SYNTH_CLIENT_PORT);
    at = put32(at, s->seq);
    at = put32(at, s->ack);
    at = put16(at, (syn ? 0x6000u : 0x5000u) | s->flags);
    at = put16(at, WINDOW);
    at = put32(at, 0); /* checksum, urgent pointer */
    if (syn)
        put32(at, 0x01030300 | WINDOW_SCALE); /* no-op, window scale of length 3 */
    return headers;
}
