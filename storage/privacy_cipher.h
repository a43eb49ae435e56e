/* The keyed functions behind pseudonyms (libcrypto), and the key's file. */
#ifndef EW_STORAGE_PRIVACY_CIPHER_H
#define EW_STORAGE_PRIVACY_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PRIVACY_KEY = 32 }; /* bytes: 16 for AES, 16 to pad with, as Crypto-PAn has them */

struct cipher;

/* NULL without memory. */
struct cipher *cipher_new(const uint8_t key[PRIVACY_KEY]);
void cipher_free(struct cipher *c);
/* One block of AES-128 under the key's first half. False if the library fails. */
bool cipher_block(struct cipher *c, const uint8_t in[16], uint8_t out[16]);
/* HMAC-SHA-256 under the whole key, in 16 bytes. False if the library fails. */
bool cipher_digest(struct cipher *c, const void *bytes, size_t n, uint8_t out[16]);

/* The key out of a file of 64 hexadecimal digits. make: a file that does not exist is made, for its
 * owner only. 0, or -1 with a reason that names the file. */
int privacy_key_read(const char *path, bool make, uint8_t key[PRIVACY_KEY], char *why, size_t room);

#endif
