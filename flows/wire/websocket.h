/*
 * WebSocket frames (RFC 6455 §5.2) and the HTTP upgrade in front of them (RFC 7118 for SIP).
 */
#ifndef EW_FLOWS_WIRE_WEBSOCKET_H
#define EW_FLOWS_WIRE_WEBSOCKET_H

#include "flows/wire/wire.h"

/* HTTP head of an upgrade at the front of in: OK with *size = bytes of the head if it upgrades to
 * websocket; BAD if it is something else. client: request or response expected. */
enum wire_result websocket_upgrade(struct slice in, bool client, size_t *size,
                                   struct wire_fault *fault);

struct websocket_frame {
    bool fin, masked;
    uint8_t opcode; /* 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong */
    uint8_t mask[4];
    struct slice payload; /* still masked */
    size_t size;
};
/* BAD: reserved bits or opcodes, payload over max_payload. */
enum wire_result websocket_parse(struct slice in, size_t max_payload, struct websocket_frame *out,
                                 struct wire_fault *fault);

/* Copies the payload into out (room for payload.n bytes), unmasked if it was masked. */
void websocket_unmask(const struct websocket_frame *f, uint8_t *out);

#endif
