/*
 * TLS connections made in memory by libcrypto's encrypting half, for tests and benchmarks: hellos
 * in clear, then records sealed with keys from a master secret (or traffic secrets) that the test
 * tells the reader.
 */
#ifndef EW_TESTS_HELP_TLS_MAKE_H
#define EW_TESTS_HELP_TLS_MAKE_H

#include "flows/tls_crypto.h"

#include <openssl/evp.h>

enum { TLS_MAKE_ROOM = 1 << 17 };

/* One direction's wire. */
struct tls_wire {
    uint8_t b[TLS_MAKE_ROOM];
    size_t n;
    uint64_t number;
    EVP_CIPHER_CTX *cipher;
    uint8_t iv[16], mac[48];
};

struct tls_maker {
    struct tls_shape shape;
    uint8_t random[2][32], master[48];
    struct tls_wire wire[2]; /* client's, server's */
};

/* version, suite, encrypt-then-mac. Randoms 00.., 20..; master 40... Aborts if it cannot. */
void tls_make_begin(struct tls_maker *m, uint16_t version, uint16_t suite, bool etm);
void tls_make_end(struct tls_maker *m);
/* A record in clear. */
void tls_make_clear(struct tls_maker *m, int side, uint8_t type, struct slice body);
/* Hellos, a ClientKeyExchange of another key exchange than RSA, and both ChangeCipherSpec and
 * Finished; TLS 1.3: hellos and both Finished. */
void tls_make_handshake(struct tls_maker *m);
/* A sealed record; returns where it begins in the wire. */
size_t tls_make_seal(struct tls_maker *m, int side, uint8_t type, struct slice text);
/* The line of a key log that opens it, or lines. */
const char *tls_make_keylog(const struct tls_maker *m, char out[2048]);

#endif
