/*
 * TLS cipher suites: names (IANA) and what decrypting their records takes.
 */
#ifndef EW_FLOWS_TLS_SUITES_H
#define EW_FLOWS_TLS_SUITES_H

#include <stdbool.h>
#include <stdint.h>

enum tls_exchange { EXCHANGE_RSA, EXCHANGE_DHE, EXCHANGE_ECDHE, EXCHANGE_TLS13, EXCHANGE_OTHER };

enum tls_cipher {
    CIPHER_NONE, /* integrity only */
    CIPHER_RC4,
    CIPHER_3DES_CBC,
    CIPHER_AES128_CBC,
    CIPHER_AES256_CBC,
    CIPHER_CAMELLIA128_CBC,
    CIPHER_CAMELLIA256_CBC,
    CIPHER_AES128_GCM, /* AEAD from here on */
    CIPHER_AES256_GCM,
    CIPHER_AES128_CCM,
    CIPHER_AES256_CCM,
    CIPHER_AES128_CCM8,
    CIPHER_AES256_CCM8,
    CIPHER_CHACHA20,
    TLS_CIPHERS,
    CIPHER_UNKNOWN = TLS_CIPHERS /* named here, not decrypted */
};

enum tls_hash { HASH_MD5, HASH_SHA1, HASH_SHA256, HASH_SHA384, TLS_HASHES };

struct tls_suite {
    uint16_t id;
    const char *name;
    uint8_t exchange, cipher;
    uint8_t mac; /* enum tls_hash, of the records; no meaning with AEAD */
    uint8_t prf; /* enum tls_hash, from TLS 1.2 on */
};

/* NULL: not known. */
const struct tls_suite *tls_suite(uint16_t id);
/* "RSA", "DHE", "ECDHE", "TLS 1.3"; NULL = none of these */
const char *tls_exchange_name(enum tls_exchange x);

static inline bool tls_cipher_is_aead(uint8_t cipher)
{
    return cipher >= CIPHER_AES128_GCM && cipher <= CIPHER_CHACHA20;
}

static inline bool tls_cipher_is_cbc(uint8_t cipher)
{
    return cipher >= CIPHER_3DES_CBC && cipher <= CIPHER_CAMELLIA256_CBC;
}

#endif
