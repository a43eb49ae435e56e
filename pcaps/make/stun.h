/* STUN attributes, shared by the MS-TURN and the RFC writers. */
#ifndef EW_PCAPS_STUN_H
#define EW_PCAPS_STUN_H

#include "pcaps/make/buf.h"
#include "pcaps/make/packet.h"

enum {
    ATTR_MAPPED = 0x0001,
    ATTR_USERNAME = 0x0006,
    ATTR_INTEGRITY = 0x0008,
    ATTR_ERROR = 0x0009,
    ATTR_LIFETIME = 0x000d,
    ATTR_MS_COOKIE = 0x000f,
    ATTR_BANDWIDTH = 0x0010,
    ATTR_MS_DESTINATION = 0x0011,
    ATTR_MS_REMOTE = 0x0012,
    ATTR_XOR_PEER = 0x0012,
    ATTR_DATA = 0x0013,
    ATTR_MS_NONCE = 0x0014,
    ATTR_REALM = 0x0014,
    ATTR_MS_REALM = 0x0015,
    ATTR_NONCE = 0x0015,
    ATTR_XOR_RELAYED = 0x0016,
    ATTR_TRANSPORT = 0x0019,
    ATTR_XOR_MAPPED = 0x0020,
    ATTR_PRIORITY = 0x0024,
    ATTR_USE_CANDIDATE = 0x0025,
    ATTR_MS_8006 = 0x8006,
    ATTR_MS_VERSION = 0x8008,
    ATTR_MS_XOR_MAPPED = 0x8020,
    ATTR_SOFTWARE = 0x8022,
    ATTR_FINGERPRINT = 0x8028,
    ATTR_CONTROLLED = 0x8029,
    ATTR_CONTROLLING = 0x802a,
    ATTR_MS_SEQUENCE = 0x8050,
    ATTR_MS_CANDIDATE_ID = 0x8054,
    ATTR_MS_QUALITY = 0x8055,
    ATTR_MS_IMPLEMENTATION = 0x8070
};

/* A message being written: where it starts, and whether attributes are padded to 4 bytes. */
struct message {
    struct buf *b;
    size_t start;
    bool padded;
};

struct message stun_begin(struct buf *b, unsigned type, const uint8_t id[16], bool padded);
void stun_attr(struct message *m, unsigned type, const void *value, size_t n);
void stun_u32(struct message *m, unsigned type, uint32_t value);
void stun_address(struct message *m, unsigned type, struct endpoint4 e);
void stun_xor_address(struct message *m, unsigned type, struct endpoint4 e);
void stun_error(struct message *m, unsigned code, const char *text);
void stun_integrity(struct message *m, uint64_t *random);
void stun_fingerprint(struct message *m); /* must be the last attribute */
void stun_end(struct message *m);

#endif
