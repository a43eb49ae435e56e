/* Door to libcrypto: derivation of secrets, and private keys. Records: tls_shield.c. */
#include "flows/tls_crypto.h"

#include "flows/tls_crypto_inner.h"
#include "flows/wire/tls_handshake.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>

#include <stdio.h>
#include <stdlib.h>

enum { SECURE_HEAP = 1 << 20, SECURE_MIN = 64 };

bool tls_crypto_start(bool *locked)
{
    /* without its own state the library crashes in the first call that needs it */
    if (!OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) || !OSSL_LIB_CTX_get0_global_default())
        return false;
    tls_shield_start();
    *locked = CRYPTO_secure_malloc_initialized() ||
              CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_MIN) == 1;
    return true;
}

void *tls_secret_new(size_t n)
{
    return OPENSSL_secure_zalloc(n);
}

void tls_secret_free(void *p, size_t n)
{
    OPENSSL_secure_clear_free(p, n);
}

void tls_wipe(void *p, size_t n)
{
    OPENSSL_cleanse(p, n);
}

/* ---- hashes ---- */

const EVP_MD *tls_md(uint8_t hash)
{
    switch (hash) {
    case HASH_MD5:
        return EVP_md5();
    case HASH_SHA1:
        return EVP_sha1();
    case HASH_SHA384:
        return EVP_sha384();
    default:
        return EVP_sha256();
    }
}

size_t tls_hash_size(uint8_t hash)
{
    static const size_t sizes[TLS_HASHES] = {16, 20, 32, 48};
    return sizes[hash];
}

static const char *md_name(uint8_t hash)
{
    static const char *const names[TLS_HASHES] = {"MD5", "SHA1", "SHA256", "SHA384"};
    return names[hash];
}

static bool digest(const EVP_MD *md, const struct slice *parts, unsigned n, uint8_t *out)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool ok = c && EVP_DigestInit_ex(c, md, NULL);
    for (unsigned i = 0; ok && i < n; i++)
        ok = EVP_DigestUpdate(c, parts[i].p, parts[i].n);
    ok = ok && EVP_DigestFinal_ex(c, out, NULL);
    EVP_MD_CTX_free(c);
    return ok;
}

bool tls_fingerprint(struct slice in, uint8_t out[32])
{
    return digest(EVP_sha256(), &in, 1, out);
}

/* MD5 and SHA-1 side by side before TLS 1.2. */
size_t tls_transcript_hash(struct tls_prf f, struct slice messages, uint8_t out[TLS_HASH_MAX])
{
    if (f.version < TLS_12)
        return digest(EVP_md5(), &messages, 1, out) && digest(EVP_sha1(), &messages, 1, out + 16)
                   ? 36
                   : 0;
    return digest(tls_md(f.hash), &messages, 1, out) ? tls_hash_size(f.hash) : 0;
}

/* ---- derivation ---- */

static bool derive(const char *kdf_name, const OSSL_PARAM *params, uint8_t *out, size_t n)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, kdf_name, NULL);
    EVP_KDF_CTX *c = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    bool ok = c && EVP_KDF_derive(c, out, n, params) > 0;
    EVP_KDF_CTX_free(c);
    EVP_KDF_free(kdf);
    return ok;
}

static OSSL_PARAM octets(const char *name, struct slice s)
{
    return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)s.p, s.n);
}

static OSSL_PARAM name_param(const char *name, const char *value)
{
    return OSSL_PARAM_construct_utf8_string(name, (char *)(uintptr_t)value, 0);
}

/* RFC 6101 6.1, 6.2.2: MD5(secret + SHA('A' + secret + seed)), 'BB', 'CCC' ... */
static bool ssl3_prf(struct slice secret, struct slice seed, uint8_t *out, size_t n)
{
    uint8_t inner[20], block[16], letters[16];
    bool ok = true;
    for (size_t at = 0, round = 1; ok && at < n; at += sizeof block, round++) {
        if (round > sizeof letters)
            return false;
        memset(letters, (int)('A' + round - 1), round);
        struct slice in[] = {slice_of(letters, round), secret, seed};
        struct slice outer[] = {secret, slice_of(inner, sizeof inner)};
        ok = digest(EVP_sha1(), in, 3, inner) && digest(EVP_md5(), outer, 2, block);
        memcpy(out + at, block, n - at < sizeof block ? n - at : sizeof block);
    }
    tls_wipe(inner, sizeof inner);
    tls_wipe(block, sizeof block);
    return ok;
}

bool tls_prf(struct tls_prf f, struct slice secret, const char *label, struct slice seed,
             uint8_t *out, size_t n)
{
    if (f.version == SSL_30)
        return ssl3_prf(secret, seed, out, n);
    const OSSL_PARAM params[] = {
        name_param(OSSL_KDF_PARAM_DIGEST, f.version < TLS_12 ? "MD5-SHA1" : md_name(f.hash)),
        octets(OSSL_KDF_PARAM_SECRET, secret),
        octets(OSSL_KDF_PARAM_SEED, slice_str(label)),
        octets(OSSL_KDF_PARAM_SEED, seed),
        OSSL_PARAM_construct_end(),
    };
    return derive("TLS1-PRF", params, out, n);
}

bool tls_expand(uint8_t hash, struct slice secret, const char *label, uint8_t *out, size_t n)
{
    uint8_t info[64] = {(uint8_t)(n >> 8), (uint8_t)n};
    size_t length = strlen(label);
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    if (length > 40)
        return false;
    info[2] = (uint8_t)(6 + length);
    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, length);
    info[9 + length] = 0; /* no context */
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        name_param(OSSL_KDF_PARAM_DIGEST, md_name(hash)),
        octets(OSSL_KDF_PARAM_KEY, secret),
        octets(OSSL_KDF_PARAM_INFO, slice_of(info, 10 + length)),
        OSSL_PARAM_construct_end(),
    };
    return derive("HKDF", params, out, n);
}

/* ---- private keys ---- */

struct tls_private {
    EVP_PKEY *key;
    uint8_t id[32];
};

bool tls_public_id(EVP_PKEY *key, uint8_t out[32])
{
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(key, &der);
    bool ok = n > 0 && tls_fingerprint(slice_of(der, (size_t)n), out);
    OPENSSL_free(der);
    return ok;
}

/* What the library's callback gets. */
struct asking {
    const char *file;
    tls_passphrase_fn *ask;
    void *arg;
    bool asked, refused;
};

static int on_passphrase(char *out, int room, int writing, void *arg)
{
    struct asking *a = arg;
    (void)writing;
    a->asked = true;
    int n = a->ask ? a->ask(a->arg, a->file, out, room) : -1;
    a->refused = n < 0;
    return n < 0 ? 0 : n;
}

/* Any PEM or DER form. */
static EVP_PKEY *read_plain(struct slice bytes, struct asking *a)
{
    BIO *in = BIO_new_mem_buf(bytes.p, (int)bytes.n);
    EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, on_passphrase, a) : NULL;
    BIO_free(in);
    if (key || a->asked)
        return key;
    in = BIO_new_mem_buf(bytes.p, (int)bytes.n);
    key = in ? d2i_PrivateKey_bio(in, NULL) : NULL;
    BIO_free(in);
    if (key)
        return key;
    in = BIO_new_mem_buf(bytes.p, (int)bytes.n);
    key = in ? d2i_PKCS8PrivateKey_bio(in, NULL, on_passphrase, a) : NULL;
    BIO_free(in);
    return key;
}

static EVP_PKEY *read_pkcs12(struct slice bytes, struct asking *a)
{
    const unsigned char *p = bytes.p;
    char *phrase = NULL;
    EVP_PKEY *key = NULL;
    PKCS12 *store = d2i_PKCS12(NULL, &p, (long)bytes.n);
    if (!store)
        return NULL;
    if (PKCS12_parse(store, "", &key, NULL, NULL) != 1) {
        phrase = tls_secret_new(1024);
        int n = phrase ? on_passphrase(phrase, 1023, 0, a) : 0;
        if (n > 0 && PKCS12_parse(store, phrase, &key, NULL, NULL) != 1)
            key = NULL;
    }
    if (phrase)
        tls_secret_free(phrase, 1024);
    PKCS12_free(store);
    return key;
}

struct tls_private *tls_private_read(struct slice bytes, const char *file, tls_passphrase_fn *ask,
                                     void *arg, const char **why)
{
    struct asking a = {.file = file, .ask = ask, .arg = arg};
    struct tls_private *k = calloc(1, sizeof *k);
    if (k)
        k->key = read_pkcs12(bytes, &a);
    if (k && !k->key && !a.asked)
        k->key = read_plain(bytes, &a);
    ERR_clear_error();
    if (k && k->key && tls_public_id(k->key, k->id))
        return k;
    *why = a.refused ? "is encrypted, and no passphrase was given (--tls-passphrase)"
           : a.asked ? "cannot be read: wrong passphrase, or damaged"
                     : "is no private key (PEM, DER, PKCS#8 or PKCS#12)";
    tls_private_free(k);
    return NULL;
}

void tls_private_free(struct tls_private *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->key);
    free(k);
}

const uint8_t *tls_private_id(const struct tls_private *k)
{
    return k->id;
}

bool tls_private_is_rsa(const struct tls_private *k)
{
    return EVP_PKEY_is_a(k->key, "RSA");
}

/* 00 02 padding 00 and 48 bytes. The padding is judged here: libcrypto may answer a wrong one with
 * made-up bytes (implicit rejection), to protect servers; a passive reader has nobody to betray. */
static bool unpad(const uint8_t *block, size_t n, uint8_t out[TLS_MASTER])
{
    if (n < TLS_MASTER + 11 || block[0] != 0 || block[1] != 2 || block[n - TLS_MASTER - 1] != 0)
        return false;
    for (size_t i = 2; i < n - TLS_MASTER - 1; i++)
        if (!block[i])
            return false;
    memcpy(out, block + n - TLS_MASTER, TLS_MASTER);
    return true;
}

bool tls_private_premaster(const struct tls_private *k, struct slice encrypted,
                           uint8_t out[TLS_MASTER])
{
    enum { KEY_MAX = 2048 };
    size_t n = KEY_MAX;
    uint8_t *block = tls_secret_new(KEY_MAX);
    EVP_PKEY_CTX *c = block ? EVP_PKEY_CTX_new(k->key, NULL) : NULL;
    bool ok = c && EVP_PKEY_decrypt_init(c) > 0 &&
              EVP_PKEY_CTX_set_rsa_padding(c, RSA_NO_PADDING) > 0 &&
              EVP_PKEY_decrypt(c, block, &n, encrypted.p, encrypted.n) > 0 && unpad(block, n, out);
    EVP_PKEY_CTX_free(c);
    if (block)
        tls_secret_free(block, KEY_MAX);
    ERR_clear_error();
    return ok;
}
