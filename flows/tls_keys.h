/*
 * What TLS connections may be read with: servers' private keys, and secrets by client random,
 * session id or ticket, out of key logs and out of handshakes that were read.
 *
 * Private keys are in OpenSSL's secure heap; the secrets are in memory of their own, locked and
 * kept out of core files, and wiped at the end. The oldest secret makes room for the newest.
 */
#ifndef EW_FLOWS_TLS_KEYS_H
#define EW_FLOWS_TLS_KEYS_H

#include "flows/tls_crypto.h"
#include "flows/wire/keylog.h"

struct tls_keys;

struct tls_keys_counts {
    uint64_t lines, secrets,
        bad_lines; /* of key logs; comments and unknown labels are no bad ones */
    uint64_t evicted;
    unsigned keys;
    bool unlocked; /* some of it could not be locked into memory */
};

/* NULL: no memory. */
struct tls_keys *tls_keys_new(void);
void tls_keys_free(struct tls_keys *k);
void tls_keys_counts(const struct tls_keys *k, struct tls_keys_counts *out);

/* Takes the key over; name is what it is called in rows (the file's name). 0 or -1 (too many, no
 * memory), then the caller keeps the key. */
int tls_keys_add(struct tls_keys *k, struct tls_private *key, const char *name);
/* The key whose public half this is; NULL = none. */
const struct tls_private *tls_keys_private(const struct tls_keys *k, const uint8_t id[32],
                                           int *source);

/* A key log as a source of secrets: its number for tls_keys_log(), from 0; -1 = too many. */
int tls_keys_source(struct tls_keys *k, const char *name);
/* The next bytes of that key log, cut anywhere; what is left of a line waits for the rest of it.
 * end: no more of this source comes; a last line without its end counts. */
void tls_keys_log(struct tls_keys *k, int source, struct slice bytes, bool end);

/* It had lines, and none that a key log may have: another kind of file. An empty one is not. */
bool tls_keys_is_foreign(const struct tls_keys *k, int source);

/* Nothing was given, and nothing may come. */
bool tls_keys_empty(const struct tls_keys *k);
/* Lines may still come: a connection without its secret is worth waiting for. */
bool tls_keys_growing(const struct tls_keys *k);
void tls_keys_set_growing(struct tls_keys *k, bool growing);
/* Changes with every secret that comes in. */
uint64_t tls_keys_version(const struct tls_keys *k);

/* Keeps a secret that a handshake gave away. id: up to 32 bytes. source: as found with. */
void tls_keys_put(struct tls_keys *k, enum tls_secret kind, struct slice id, struct slice secret,
                  int source);
/* The secret in secret (SECRET_MAX bytes) and its length, 0 = unknown. *source may be given to
 * tls_keys_source_name(). */
size_t tls_keys_find(const struct tls_keys *k, enum tls_secret kind, struct slice id,
                     uint8_t secret[SECRET_MAX], int *source);
/* The same, lent until the next secret comes in: for pre-master secrets, which may be longer than
 * SECRET_MAX. n = 0: unknown. */
struct slice tls_keys_lend(const struct tls_keys *k, enum tls_secret kind, struct slice id,
                           int *source);
/* What the source is called, lent for the life of k; NULL for -1. */
const char *tls_keys_source_name(const struct tls_keys *k, int source);

#endif
