/*
 * Messages between a client and its relay: MS-TURN as Lync speaks it (protocol dossier section 1),
 * TURN and STUN of RFC 5389/5766, and ICE checks. Every writer appends one whole message to `b`.
 * Integrity values are invented, fingerprints are right.
 */
#ifndef EW_PCAPS_TURN_H
#define EW_PCAPS_TURN_H

#include "pcaps/make/buf.h"
#include "pcaps/make/packet.h"

enum { TURN_TOKEN = 56, TURN_NONCE = 22, TURN_CONNECTION = 20 };

/* MS-SERVICE-QUALITY stream types */
enum turn_stream { STREAM_AUDIO = 1, STREAM_VIDEO = 2, STREAM_DATA = 4 };

/* What one client keeps between the messages of one MS-TURN session. */
struct turn {
    uint64_t random;
    enum turn_stream stream;
    uint32_t sequence;
    uint8_t id[16]; /* of the transaction under way */
    uint8_t token[TURN_TOKEN];
    uint8_t nonce[TURN_NONCE];
    uint8_t connection[TURN_CONNECTION];
};

/* One ICE check: who asks whom, by user fragments. */
struct check {
    const char *remote_ufrag, *local_ufrag;
    uint32_t priority;
    bool controlling;
};

void turn_start(struct turn *t, uint64_t seed, enum turn_stream stream);

void pseudo_tls_hello(struct buf *b, uint64_t *random);
void pseudo_tls_answer(struct buf *b, uint64_t *random);

/* MS-TURN, unframed. `authenticated` adds nonce, realm and integrity. */
void ms_allocate(struct buf *b, struct turn *t, bool authenticated);
void ms_allocate_release(struct buf *b, struct turn *t);
void ms_error(struct buf *b, struct turn *t, unsigned code, const char *text, bool challenge);
void ms_challenge(struct buf *b, struct turn *t); /* the normal first 401 */
void ms_allocated(struct buf *b, struct turn *t, struct endpoint4 relay,
                  struct endpoint4 reflexive);
void ms_send(struct buf *b, struct turn *t, struct endpoint4 to, const struct buf *data);
void ms_data(struct buf *b, struct turn *t, struct endpoint4 from, const struct buf *data);
void ms_set_active(struct buf *b, struct turn *t, struct endpoint4 to);
void ms_set_active_done(struct buf *b, struct turn *t);

/* MS-TURN over TCP: type 2 = control, 3 = end-to-end data; then the RFC 4571 length of a packet. */
void ms_frame(struct buf *b, unsigned type, const struct buf *payload);
void rfc4571(struct buf *b, const struct buf *packet);

/* ICE checks. The MS-ICE2 form has no padding except the NULs inside the user name. */
void ms_check(struct buf *b, uint64_t *random, const struct check *c);
void ms_check_answer(struct buf *b, const uint8_t id[16], struct endpoint4 seen_from);
void ice_check(struct buf *b, uint64_t *random, const struct check *c, bool nominate);
void ice_check_answer(struct buf *b, const uint8_t id[16], struct endpoint4 seen_from);
void ice_check_error(struct buf *b, const uint8_t id[16], unsigned code, const char *text);

/* RFC 5766 over UDP. `id` is the transaction: 16 bytes, cookie first (rfc_transaction). */
void rfc_transaction(uint8_t id[16], uint64_t *random);
void rfc_allocate(struct buf *b, const uint8_t id[16], const char *user);
void rfc_error(struct buf *b, unsigned type, const uint8_t id[16], unsigned code, const char *text);
void rfc_allocated(struct buf *b, const uint8_t id[16], struct endpoint4 relay,
                   struct endpoint4 reflexive);
void rfc_permit(struct buf *b, const uint8_t id[16], struct endpoint4 peer, const char *user);
void rfc_success(struct buf *b, unsigned type, const uint8_t id[16]);
void rfc_relay(struct buf *b, unsigned type, const uint8_t id[16], struct endpoint4 peer,
               const struct buf *data);

enum {
    STUN_BINDING = 0x0001,
    STUN_BINDING_OK = 0x0101,
    STUN_BINDING_ERROR = 0x0111,
    TURN_ALLOCATE = 0x0003,
    TURN_ALLOCATE_OK = 0x0103,
    TURN_ALLOCATE_ERROR = 0x0113,
    TURN_REFRESH = 0x0004,
    TURN_REFRESH_OK = 0x0104,
    TURN_PERMIT = 0x0008,
    TURN_PERMIT_OK = 0x0108,
    TURN_SEND = 0x0016,
    TURN_DATA = 0x0017
};

#endif
