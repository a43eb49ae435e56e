/* Frames on streams of Edge traffic: TURN framing, RFC 4571, multiplexed TURN, TLS records. */
#include "flows/wire/framing.h"

enum {
    TURN_HEADER = 4,
    TURN_CONTROL = 2,
    TURN_DATA = 3,
    RFC4571_HEADER = 2,
    MUX_HEADER = 4,
    TLS_HEADER = 5,
    TLS_LENGTH_MAX = (1 << 14) + 2048,
};

enum wire_result turn_frame_parse(struct slice in, struct turn_frame *out, struct wire_fault *fault)
{
    if (in.n >= 1 && in.p[0] != TURN_CONTROL && in.p[0] != TURN_DATA)
        return wire_bad(fault, "TURN frame type is neither 2 nor 3", 0);
    if (in.n >= 2 && in.p[1] != 0)
        return wire_bad(fault, "reserved byte of a TURN frame is not 0", 1);
    if (in.n < TURN_HEADER || in.n - TURN_HEADER < be16(in.p + 2))
        return WIRE_MORE;
    *out = (struct turn_frame){
        .type = in.p[0],
        .payload = slice_of(in.p + TURN_HEADER, be16(in.p + 2)),
        .size = TURN_HEADER + (size_t)be16(in.p + 2),
    };
    return WIRE_OK;
}

enum wire_result rfc4571_parse(struct slice in, struct rfc4571_frame *out, struct wire_fault *fault)
{
    (void)fault; /* every length is legal */
    if (in.n < RFC4571_HEADER || in.n - RFC4571_HEADER < be16(in.p))
        return WIRE_MORE;
    *out = (struct rfc4571_frame){
        .payload = slice_of(in.p + RFC4571_HEADER, be16(in.p)),
        .size = RFC4571_HEADER + (size_t)be16(in.p),
    };
    return WIRE_OK;
}

enum wire_result mux_parse(struct slice in, struct mux_frame *out, struct wire_fault *fault)
{
    if ((in.n >= 1 && in.p[0] != 0xff) || (in.n >= 2 && in.p[1] != 0x10))
        return wire_bad(fault, "multiplexed TURN begins with FF10", in.p[0] == 0xff);
    if (in.n < MUX_HEADER)
        return WIRE_MORE;
    size_t length = be16(in.p + 2), session = sizeof out->session;
    if (length < session)
        return wire_bad(fault, "multiplexed TURN frame too short for its session id", 2);
    if (in.n - MUX_HEADER < length)
        return WIRE_MORE;
    out->data = slice_of(in.p + MUX_HEADER + session, length - session);
    out->size = MUX_HEADER + length;
    memcpy(out->session, in.p + MUX_HEADER, session);
    return WIRE_OK;
}

enum wire_result tls_record_parse(struct slice in, struct tls_record *out, struct wire_fault *fault)
{
    if (in.n >= 1 && (in.p[0] < 20 || in.p[0] > 24))
        return wire_bad(fault, "no TLS record type", 0);
    if ((in.n >= 2 && in.p[1] != 3) || (in.n >= 3 && in.p[2] > 4))
        return wire_bad(fault, "no TLS version", 1);
    if (in.n < TLS_HEADER)
        return WIRE_MORE;
    uint16_t length = be16(in.p + 3);
    if (length > TLS_LENGTH_MAX)
        return wire_bad(fault, "TLS record longer than the protocol allows", 3);
    size_t there = in.n - TLS_HEADER;
    *out = (struct tls_record){
        .type = in.p[0],
        .version = be16(in.p + 1),
        .body = slice_of(in.p + TLS_HEADER, there < length ? there : length),
        .length = length,
    };
    return WIRE_OK;
}
