/*
 * How messages are delimited on streams of Edge traffic.
 *
 *   pseudo-TLS (P§1.1)    fake hello of 50 bytes, answer of 83, then clear frames
 *   TURN framing (P§1.2)  02|03 00 len16 payload       after the pseudo-TLS hello
 *   RFC 4571              len16 payload                ICE-TCP peer connections, type 03 payload
 *   multiplexed (P§1.8)   FF10 len16 session[8] data
 */
#ifndef EW_FLOWS_WIRE_FRAMING_H
#define EW_FLOWS_WIRE_FRAMING_H

#include "flows/wire/wire.h"

enum { PSEUDO_TLS_HELLO = 50, PSEUDO_TLS_ANSWER = 83 };

/* Is the front of in the fixed client hello / server answer? MORE while all bytes so far agree. */
enum wire_result pseudo_tls_hello(struct slice in, struct wire_fault *fault);
enum wire_result pseudo_tls_answer(struct slice in, struct wire_fault *fault);

/* What came instead of the 83-byte answer (verdict pseudotls-fail, finding tls-inspection-on-443).
 */
enum tls_instead {
    TLS_NOT_TLS, /* other bytes, HTTP for example */
    TLS_ALERT,
    TLS_SPLIT_HELLO, /* ServerHello and ServerHelloDone not in one record (P§1.1, field.md row 39)
                      */
    TLS_CERTIFICATE, /* a certificate where none belongs */
    TLS_OTHER_HELLO, /* a ServerHello of another shape */
};
/* Judges the first bytes of a server that answered a pseudo-TLS hello with something else. MORE
 * while too little is there to tell. */
enum wire_result pseudo_tls_instead(struct slice in, enum tls_instead *out);

struct turn_frame {
    uint8_t type; /* 2 control, 3 data */
    struct slice payload;
    size_t size; /* frame header included */
};
enum wire_result turn_frame_parse(struct slice in, struct turn_frame *out,
                                  struct wire_fault *fault);

struct rfc4571_frame {
    struct slice payload;
    size_t size;
};
/* A zero length is a legal empty frame. */
enum wire_result rfc4571_parse(struct slice in, struct rfc4571_frame *out,
                               struct wire_fault *fault);

struct mux_frame {
    uint8_t session[8];
    struct slice data;
    size_t size;
};
enum wire_result mux_parse(struct slice in, struct mux_frame *out, struct wire_fault *fault);

/* A TLS record header: type 20-24, version 3.0-3.4, length <= 2^14+2048. */
struct tls_record {
    uint8_t type;
    uint16_t version;
    struct slice body; /* what is there of it */
    uint16_t length;   /* declared */
};
/* OK as soon as the 5-byte header is there and plausible. */
enum wire_result tls_record_parse(struct slice in, struct tls_record *out,
                                  struct wire_fault *fault);

#endif
