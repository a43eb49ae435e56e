/*
 * What decryption needs of OpenSSL's libcrypto, and nothing else of it: secrets derived, records
 * opened, private keys applied. Records are authenticated before a byte of them is given out.
 *
 * Secrets live in OpenSSL's secure heap (locked, not dumped) and are wiped when given back.
 */
#ifndef EW_FLOWS_TLS_CRYPTO_H
#define EW_FLOWS_TLS_CRYPTO_H

#include "capture/bytes.h"
#include "flows/tls_suites.h"

enum { TLS_MASTER = 48, TLS_HASH_MAX = 48, TLS_PLAIN_MAX = (1 << 14) + 2048 };

/* Once per process, before any key is read. False: the library has no memory to begin with, and
 * must not be called. *locked: secrets are locked into memory; else they may be swapped out, all
 * else works. */
bool tls_crypto_start(bool *locked);
/* Zeroed memory for secrets; NULL when the heap for them is full. Wiped at the end. */
void *tls_secret_new(size_t n);
void tls_secret_free(void *p, size_t n);
void tls_wipe(void *p, size_t n);

/* ---- derivation ---- */

/* Before TLS 1.3; hash: of the suite, from TLS 1.2 on. */
struct tls_prf {
    uint16_t version;
    uint8_t hash;
};
/* PRF(secret, label, seed) into n bytes; SSL 3.0 has its own without a label. */
bool tls_prf(struct tls_prf f, struct slice secret, const char *label, struct slice seed,
             uint8_t *out, size_t n);
/* The hash over handshake messages that the extended master secret is made of (RFC 7627). Returns
 * its size, 0 = failed. */
size_t tls_transcript_hash(struct tls_prf f, struct slice messages, uint8_t out[TLS_HASH_MAX]);
/* HKDF-Expand-Label with an empty context (RFC 8446 7.1). */
bool tls_expand(uint8_t hash, struct slice secret, const char *label, uint8_t *out, size_t n);
size_t tls_hash_size(uint8_t hash);
/* SHA-256 */
bool tls_fingerprint(struct slice in, uint8_t out[32]);

/* ---- records of one direction ---- */

struct tls_shield;

struct tls_shape {
    const struct tls_suite *suite;
    uint16_t version;
    bool encrypt_then_mac;
};
/* Bytes of each part in the key block, before TLS 1.3; of key and iv from it on. */
struct tls_parts {
    size_t mac, key, iv;
};
struct tls_parts tls_shape_parts(const struct tls_shape *s);
/* False: this program (or this OpenSSL) cannot open such records. */
bool tls_shape_supported(const struct tls_shape *s);
/* The three parts are copied. NULL: not supported, no memory. */
struct tls_shield *tls_shield_new(const struct tls_shape *s, const uint8_t *mac, const uint8_t *key,
                                  const uint8_t *iv);
void tls_shield_free(struct tls_shield *s);

struct tls_sealed {
    uint8_t type;
    struct slice header; /* the record's 5 bytes */
    struct slice body;
    uint64_t number; /* of the record in its direction, from 0 */
};
/* Opens a record into out (TLS_PLAIN_MAX bytes). Returns the length of the plain text and sets
 * *type (TLS 1.3 hides it inside); -1: not authentic, out is wiped. Where a cipher's state runs
 * through records (CBC of TLS 1.0, RC4) a failed record leaves the state as it was for CBC. */
int tls_shield_open(struct tls_shield *s, const struct tls_sealed *r, uint8_t *out, uint8_t *type);
/* CBC before TLS 1.1: the next record's IV is the last block of this one, unread as it may be. */
void tls_shield_follow(struct tls_shield *s, struct slice body);
/* Is the next record's IV in the one before? Without it, encrypt-then-MAC would be authentic and
 * its first block be garbage all the same. */
bool tls_shield_chained(const struct tls_shield *s);
/* Can a record be opened without all records before it, if its number is known? */
bool tls_shield_can_skip(const struct tls_shield *s);

/* ---- private keys ---- */

struct tls_private;

/* What asks for the passphrase of an encrypted key: its length in out, or -1. */
typedef int tls_passphrase_fn(void *arg, const char *file, char *out, int room);

/* A key out of a file's bytes: PEM (traditional, PKCS#8, encrypted), DER, PKCS#12. NULL with a
 * reason in *why. */
struct tls_private *tls_private_read(struct slice bytes, const char *file, tls_passphrase_fn *ask,
                                     void *arg, const char **why);
void tls_private_free(struct tls_private *k);
/* SHA-256 over the public key (SubjectPublicKeyInfo), as tls_cert gives it of a certificate. */
const uint8_t *tls_private_id(const struct tls_private *k);
bool tls_private_is_rsa(const struct tls_private *k);
/* The pre-master secret out of its encrypted form (PKCS #1 v1.5). False: it is none. */
bool tls_private_premaster(const struct tls_private *k, struct slice encrypted,
                           uint8_t out[TLS_MASTER]);

#endif
