/* WebSocket frames and the HTTP upgrade in front of them. */
#include "flows/wire/websocket.h"

#include "flows/wire/headers.h"

enum { MAX_HTTP_HEAD = 16384 };

/* Does the first line fit? Cut short it need only be a beginning. */
static bool fits(struct slice line, bool whole, const char *want)
{
    struct slice w = slice_str(want);
    if (!whole && line.n < w.n)
        w.n = line.n;
    return line.n >= w.n && slice_eq(slice_of(line.p, w.n), w);
}

/* "websocket" in a comma list; RFC 6455 §4.2.1 asks for a match in any case */
static bool names_websocket(struct slice value)
{
    while (value.n) {
        struct slice item = slice_before(value, ',');
        if (slice_is(slice_trim(item), "websocket"))
            return true;
        value = slice_from(value, item.n + (item.n < value.n));
    }
    return false;
}

enum wire_result websocket_upgrade(struct slice in, bool client, size_t *size,
                                   struct wire_fault *fault)
{
    const char *first = client ? "GET " : "HTTP/1.1 101";
    struct cursor c = cursor_on(in);
    struct slice line, name, value;
    bool upgrades = false;

    enum head_line kind = head_plain_line(&c, &line);
    if (!fits(kind == HEAD_CUT ? in : line, kind != HEAD_CUT, first))
        return wire_bad(fault, "not an HTTP upgrade", 0);
    if (kind != HEAD_CUT)
        while ((kind = head_next(&c, &line)) == HEAD_FIELD)
            if (header_split(line, &name, &value) && slice_is(name, "Upgrade"))
                upgrades = upgrades || names_websocket(value);

    if (kind == HEAD_CUT)
        return in.n > MAX_HTTP_HEAD ? wire_bad(fault, "HTTP head too long", in.n) : WIRE_MORE;
    if (!upgrades)
        return wire_bad(fault, "HTTP without upgrade to websocket", 0);
    *size = in.n - cursor_left(&c);
    return WIRE_OK;
}

static bool known_opcode(uint8_t opcode)
{
    return opcode <= 2 || (opcode >= 8 && opcode <= 10);
}

/* Payload length in its 7, 16 or 64 bit form. */
static bool read_length(struct cursor *c, uint8_t seven, uint64_t *out)
{
    uint16_t n16;
    *out = seven;
    if (seven < 126)
        return true;
    if (seven == 127)
        return get_u64(c, out);
    if (!get_u16(c, &n16))
        return false;
    *out = n16;
    return true;
}

enum wire_result websocket_parse(struct slice in, size_t max_payload, struct websocket_frame *out,
                                 struct wire_fault *fault)
{
    struct websocket_frame f = {0};
    struct cursor c = cursor_on(in);
    struct slice mask;
    uint8_t head, length;
    uint64_t n;

    if (!get_u8(&c, &head))
        return WIRE_MORE;
    f.fin = head & 0x80;
    f.opcode = head & 0x0f;
    if (head & 0x70)
        return wire_bad(fault, "reserved bits in a WebSocket frame", 0);
    if (!known_opcode(f.opcode))
        return wire_bad(fault, "reserved WebSocket opcode", 0);
    if (!get_u8(&c, &length))
        return WIRE_MORE;
    f.masked = length & 0x80;
    length &= 0x7f;
    if (f.opcode >= 8 && (length > 125 || !f.fin))
        return wire_bad(fault, "long or split WebSocket control frame", 1);
    if (!read_length(&c, length, &n))
        return WIRE_MORE;
    if (n > max_payload)
        return wire_bad(fault, "WebSocket payload too long", 1);
    if (f.masked) {
        if (!get_slice(&c, sizeof f.mask, &mask))
            return WIRE_MORE;
        memcpy(f.mask, mask.p, sizeof f.mask);
    }
    if (!get_slice(&c, (size_t)n, &f.payload))
        return WIRE_MORE;
    f.size = in.n - cursor_left(&c);
    *out = f;
    return WIRE_OK;
}

void websocket_unmask(const struct websocket_frame *f, uint8_t *out)
{
    for (size_t i = 0; i < f->payload.n; i++)
        out[i] = f->payload.p[i] ^ f->mask[i & 3]; /* the mask of an unmasked frame is zero */
}
