/*
 * Shared by the files that are libcrypto's door (tls_crypto.c, tls_shield.c, tls_cert.c); nobody
 * else includes it.
 */
#ifndef EW_FLOWS_TLS_CRYPTO_INNER_H
#define EW_FLOWS_TLS_CRYPTO_INNER_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

const EVP_MD *tls_md(uint8_t hash);
/* Loads what files of the library would be needed later. */
void tls_shield_start(void);
/* SHA-256 over the SubjectPublicKeyInfo. */
bool tls_public_id(EVP_PKEY *key, uint8_t out[32]);

#endif
