/*
 * TLS handshake messages as they cross in clear (RFC 5246, RFC 8446, SSL 3.0: RFC 6101).
 *
 *   message: type 1 | length 3 | body         in records of type 22, cut and packed at will
 *
 * Every parser but the first takes a whole body: it says OK or BAD, never MORE.
 */
#ifndef EW_FLOWS_WIRE_TLS_HANDSHAKE_H
#define EW_FLOWS_WIRE_TLS_HANDSHAKE_H

#include "flows/wire/wire.h"

/* Record types. */
enum { TLS_CHANGE_CIPHER = 20, TLS_ALERTS = 21, TLS_HANDSHAKES = 22, TLS_DATA = 23 };

enum tls_message_type {
    TLS_HELLO_REQUEST = 0,
    TLS_CLIENT_HELLO = 1,
    TLS_SERVER_HELLO = 2,
    TLS_NEW_TICKET = 4,
    TLS_END_OF_EARLY_DATA = 5,
    TLS_ENCRYPTED_EXTENSIONS = 8,
    TLS_CERTIFICATES = 11,
    TLS_SERVER_KEY = 12,
    TLS_CERTIFICATE_REQUEST = 13,
    TLS_SERVER_DONE = 14,
    TLS_CLIENT_KEY = 16,
    TLS_FINISHED = 20,
    TLS_KEY_UPDATE = 24,
};

enum { SSL_30 = 0x300, TLS_10 = 0x301, TLS_11 = 0x302, TLS_12 = 0x303, TLS_13 = 0x304 };
enum { TLS_RANDOM = 32, TLS_MESSAGE_HEADER = 4 };

struct tls_message {
    uint8_t type;
    struct slice body;
    size_t size; /* header included */
};
/* MORE until the whole message is there. */
enum wire_result tls_message_parse(struct slice in, struct tls_message *out,
                                   struct wire_fault *fault);

/* Either hello. */
struct tls_hello {
    uint16_t version;      /* server: the one chosen; client: the highest that it offers */
    const uint8_t *random; /* TLS_RANDOM bytes */
    struct slice session;  /* session id, up to 32 bytes */
    struct slice suites;   /* client: all, 2 bytes each; server: the one chosen */
    uint8_t compression;   /* server's choice; 0 = none */
    struct slice sni;      /* client's host_name; n = 0: none */
    struct slice alpn;     /* the first protocol name of the extension */
    struct slice ticket;   /* client: the ticket that it wants to resume with (RFC 5077) */
    bool extended_master;  /* RFC 7627 */
    bool encrypt_then_mac; /* RFC 7366 */
    bool psk;              /* TLS 1.3: pre_shared_key; server: resumed */
    bool early_data;       /* client sends data before the server's answer */
    bool retry;            /* server: a HelloRetryRequest */
};
enum wire_result tls_client_hello_parse(struct slice body, struct tls_hello *out,
                                        struct wire_fault *fault);
/* The hello of old clients, in no record (RFC 5246 E.2): 80 | length 1 | 1 | version 2 | three
 * lengths 2 each | cipher specs | session id | challenge. *size: of all of it. random: TLS_RANDOM
 * bytes for the caller to keep, out->random points there. */
enum wire_result tls_old_hello_parse(struct slice in, uint8_t random[TLS_RANDOM],
                                     struct tls_hello *out, size_t *size, struct wire_fault *fault);
enum wire_result tls_server_hello_parse(struct slice body, struct tls_hello *out,
                                        struct wire_fault *fault);

/* The sender's own certificate of a Certificate message, the first one (DER); n = 0: it has none
 * to show. tls13: with the request context and extensions of RFC 8446. */
enum wire_result tls_certificates_parse(struct slice body, bool tls13, struct slice *own,
                                        struct wire_fault *fault);
/* The ticket of a NewSessionTicket before TLS 1.3. */
enum wire_result tls_new_ticket_parse(struct slice body, struct slice *ticket,
                                      struct wire_fault *fault);
/* The pre-master secret under the server's RSA key. Without a length in SSL 3.0. */
enum wire_result tls_client_key_parse(struct slice body, uint16_t version, struct slice *encrypted,
                                      struct wire_fault *fault);
/* TLS 1.3's EncryptedExtensions: alpn (n = 0: none) and early_data (the server takes it). */
enum wire_result tls_extensions_parse(struct slice body, struct tls_hello *out,
                                      struct wire_fault *fault);

struct tls_alert {
    bool fatal;
    uint8_t code;
};
enum wire_result tls_alert_parse(struct slice body, struct tls_alert *out,
                                 struct wire_fault *fault);

/* "TLS 1.2", "certificate_expired" (RFC 8446 section 6 and its predecessors); NULL: unknown. */
const char *tls_version_name(uint16_t version);
const char *tls_alert_name(uint8_t code);

#endif
