/*
 * One line of an NSS key log (SSLKEYLOGFILE), as Wireshark takes it:
 *
 *   CLIENT_RANDOM <64 hex> <96 hex>            master secret, up to TLS 1.2
 *   CLIENT_HANDSHAKE_TRAFFIC_SECRET <64> <64 or 96> ... TLS 1.3, five such labels
 *   RSA <16 hex> <96 hex>                      first 8 bytes of the encrypted pre-master, itself
 *   PMS_CLIENT_RANDOM <64 hex> <hex>           pre-master secret; DHE and ECDHE have any length
 *   RSA Session-ID:<hex> Master-Key:<96 hex>
 */
#ifndef EW_FLOWS_WIRE_KEYLOG_H
#define EW_FLOWS_WIRE_KEYLOG_H

#include "flows/wire/wire.h"

enum tls_secret {
    SECRET_MASTER, /* by client random */
    SECRET_CLIENT_EARLY,
    SECRET_CLIENT_HANDSHAKE,
    SECRET_SERVER_HANDSHAKE,
    SECRET_CLIENT_DATA,
    SECRET_SERVER_DATA,
    SECRET_PREMASTER, /* by client random */
    SECRET_ENCRYPTED, /* pre-master, by the first 8 bytes of its encrypted form */
    SECRET_SESSION,   /* master, by session id */
    SECRET_TICKET,    /* master, by the hash of a ticket; never in a key log */
    TLS_SECRETS
};

enum { SECRET_ID = 32, SECRET_MAX = 48, SECRET_MIN = 32 };
/* of a Diffie-Hellman group of 8192 bits; what is longer is no secret */
enum { PREMASTER_MAX = 1024, KEYLOG_LINE = 2 * PREMASTER_MAX + 128 };

struct keylog_line {
    uint8_t kind;          /* enum tls_secret */
    uint16_t n;            /* bytes of the secret: more than SECRET_MAX of a pre-master only */
    uint8_t id[SECRET_ID]; /* shorter ones end in zeroes */
    uint8_t secret[PREMASTER_MAX];
};

/* Could this stand in a key log: empty, a comment, or a label in capitals with hex words behind it,
 * whether we know the label or not? */
bool keylog_looks_like(struct slice line);
/* A whole line without its end. BAD: a comment, a label that serves no decryption, or damage. */
enum wire_result keylog_parse(struct slice line, struct keylog_line *out, struct wire_fault *fault);

#endif
