/*
 * STUN, TURN (RFC 5389/8489, 5766/8656, 6062), classic STUN (RFC 3489) and MS-TURN (P§1.3, 1.4):
 * one message struct for all, because the header is the same; what differs (padding, attribute
 * numbers, XOR rule, raw types) is settled here and nowhere else.
 *
 *   0      2        4                       8 / 20
 *   | type | length | cookie 2112A442 + 12 id, or 16 id | attributes ...
 *
 * An MS-TURN message is known by its first attribute 00 0F 00 04 72 C6 4B C6 (P§1.3).
 */
#ifndef EW_FLOWS_WIRE_STUN_H
#define EW_FLOWS_WIRE_STUN_H

#include "flows/wire/wire.h"

/* What the message says, over all dialects. */
enum stun_kind {
    STUN_BINDING_REQ,
    STUN_BINDING_OK,
    STUN_BINDING_ERR,
    STUN_BINDING_IND,
    STUN_ALLOCATE_REQ,
    STUN_ALLOCATE_OK,
    STUN_ALLOCATE_ERR,
    STUN_REFRESH_REQ, /* RFC only: MS-TURN refreshes with Allocate + LIFETIME */
    STUN_REFRESH_OK,
    STUN_REFRESH_ERR,
    STUN_SEND, /* RFC Send indication, MS Send request 0x0004: both carry peer + data */
    STUN_DATA, /* RFC Data indication, MS Data indication 0x0115 */
    STUN_PERMISSION_REQ,
    STUN_PERMISSION_OK,
    STUN_PERMISSION_ERR,
    STUN_CHANNEL_REQ,
    STUN_CHANNEL_OK,
    STUN_CHANNEL_ERR,
    STUN_CONNECT_REQ, /* RFC 6062 */
    STUN_CONNECT_OK,
    STUN_CONNECT_ERR,
    STUN_CONNBIND_REQ,
    STUN_CONNBIND_OK,
    STUN_CONNBIND_ERR,
    STUN_CONNATTEMPT_IND,
    STUN_ACTIVE_DEST_REQ, /* MS Set Active Destination */
    STUN_ACTIVE_DEST_OK,
    STUN_ACTIVE_DEST_ERR,
    STUN_SHARED_SECRET, /* RFC 3489, any class */
    STUN_UNKNOWN,
    STUN_KINDS
};

enum stun_dialect { STUN_RFC, STUN_CLASSIC, STUN_MS };

/* Which optional fields of struct stun_msg are set. */
enum {
    STUN_HAS_MAPPED = 1 << 0,
    STUN_HAS_RELAY = 1 << 1,
    STUN_HAS_PEER = 1 << 2,
    STUN_HAS_LIFETIME = 1 << 3,
    STUN_HAS_ERROR = 1 << 4,
    STUN_HAS_DATA = 1 << 5,
    STUN_HAS_USERNAME = 1 << 6,
    STUN_HAS_INTEGRITY = 1 << 7,
    STUN_HAS_PRIORITY = 1 << 8,
    STUN_HAS_CONTROLLING = 1 << 9,
    STUN_HAS_CONTROLLED = 1 << 10,
    STUN_HAS_USE_CANDIDATE = 1 << 11,
    STUN_HAS_CHANNEL = 1 << 12,
    STUN_HAS_ALTERNATE = 1 << 13,
    STUN_HAS_CONNECTION = 1 << 14, /* RFC 6062 CONNECTION-ID */
    STUN_HAS_SEQUENCE = 1 << 15,   /* MS-SEQUENCE-NUMBER: connection id + sequence */
    STUN_HAS_QUALITY = 1 << 16,
    STUN_HAS_MS_VERSION = 1 << 17,
    STUN_HAS_TRANSPORT = 1 << 18,
    STUN_HAS_SIP_CALL = 1 << 19,
    STUN_HAS_SESSION = 1 << 20, /* MS multiplexed session id */
    STUN_HAS_RELAY2 = 1 << 21,  /* second relay of the other family */
    STUN_HAS_FOUNDATION = 1 << 22,
    STUN_HAS_ICE_VERSION = 1 << 23, /* MS-IMPLEMENTATION-VERSION */
    STUN_HAS_REALM = 1 << 24,
    STUN_HAS_NONCE = 1 << 25,
    STUN_HAS_FINGERPRINT = 1 << 26,
};

struct stun_msg {
    enum stun_kind kind;
    enum stun_dialect dialect;
    uint16_t type;          /* raw */
    size_t size;            /* whole message in bytes, header included */
    uint8_t id[16];         /* transaction id; RFC: cookie + 96 bits */
    uint32_t has;           /* STUN_HAS_* */
    struct endpoint mapped; /* reflexive address of the client (MS: XOR-MAPPED 0x8020) */
    struct endpoint relay;  /* allocated relay (RFC XOR-RELAYED; MS Allocate ok: MAPPED 0x0001) */
    struct endpoint relay2; /* of the other address family */
    struct endpoint peer;   /* XOR-PEER / DESTINATION / REMOTE address; of several, the first */
    struct endpoint alternate; /* ALTERNATE-SERVER */
    uint32_t lifetime;         /* seconds */
    uint16_t error_code;       /* 300-699 */
    struct slice error_text;
    struct slice data;     /* DATA: nested message, may be empty */
    struct slice username; /* trailing NULs cut; a check's is remote:local ufrag */
    struct slice realm;
    uint32_t priority;
    uint16_t channel;
    uint32_t connection;
    uint8_t connection_id[20];
    uint32_t sequence;
    uint16_t stream_type, quality; /* MS-SERVICE-QUALITY: 1 audio 2 video 3 supplemental 4 data */
    uint32_t ms_version;
    uint8_t transport; /* REQUESTED-TRANSPORT: 6 or 17 */
    struct slice sip_call_id;
    uint8_t session[8];
    struct slice foundation; /* trailing NULs cut */
    uint32_t ice_version;
    bool damaged; /* an attribute did not fit: everything before it is set, nothing after */
};

/* Parses one message at the front of in. strict_end: the message must fill the slice exactly (UDP
 * datagram, TURN frame), otherwise more may follow (TCP).
 * MORE: header or body incomplete. BAD: not STUN, or lengths that can't be (over 64 KiB, type bits,
 * a datagram longer or shorter than declared). A message whose attributes lie inside a good
 * header is OK with damaged set. RFC 5389 §6, §15; P§1.3-1.9. */
enum wire_result stun_parse(struct slice in, bool strict_end, struct stun_msg *out,
                            struct wire_fault *fault);

/* The check or answer inside a message's DATA, with the RFC 4571 length in front that TCP
 * allocations have (P§1.4) or without. False, *out unchanged, if data is media. */
bool stun_nested(struct slice data, struct stun_msg *out);
/* May that be true? Cheap. */
bool stun_looks_nested(struct slice data);

/* True if in (the start of a datagram or stream) can only sensibly be STUN/MS-TURN: enough of the
 * header agrees. Cheap: called per UDP packet. Accepts classic STUN only when exact. Of a stream, 8
 * bytes are enough for RFC 5389, MS-TURN takes 28. */
bool stun_looks_like(struct slice in, bool datagram);

/* Name for people: "Allocate request", "Send request (MS)" ... */
const char *stun_kind_name(enum stun_kind k);

/* ChannelData (RFC 8656 §12.4): 0x4000-0x4FFF, u16 length, data; padded to 4 over streams. */
struct channel_data {
    uint16_t channel;
    struct slice data;
    size_t size;
};
enum wire_result channel_data_parse(struct slice in, bool stream, struct channel_data *out,
                                    struct wire_fault *fault);

/* A check's USERNAME "remote:local" in its parts (P§1.9, strips NULs). False if there is no colon.
 */
bool stun_ufrags(struct slice username, struct slice *remote, struct slice *local);

#endif
