/*
 * Door to libcrypto: the protection of records in one direction.
 *
 *   stream  RC4, NULL:   cipher(text | MAC)
 *   CBC, MAC first:      [IV] cipher(text | MAC | padding)          RFC 5246 6.2.3.2
 *   CBC, encrypt first:  [IV] cipher(text | padding) | MAC          RFC 7366
 *   AEAD:                [nonce 8] cipher(text) | tag               RFC 5246 6.2.3.3, 5288, 6655,
 * 7905 TLS 1.3:             cipher(text | type | zeroes) | tag         RFC 8446 5.2
 *
 * The MAC is HMAC, or in SSL 3.0 two nested hashes with other pads. Both begin with a block that
 * depends on the key alone: it is hashed once, and copied for each record.
 */
#include "flows/tls_crypto.h"

#include "flows/tls_crypto_inner.h"
#include "flows/wire/tls_handshake.h"
#include "flows/memory.h"

#include <openssl/crypto.h>
#include <openssl/provider.h>

#include <stdlib.h>

enum { KEY_MAX = 32, IV_MAX = 16, BLOCK_MAX = 16, PAD_MAX = 128, NONCE = 12, SALT = 4 };

struct cipher_def {
    const char *name;
    uint8_t key, block, salt, explicit, tag; /* bytes; salt: of the IV in the key block */
};

static const struct cipher_def defs[TLS_CIPHERS] = {
    [CIPHER_NONE] = {NULL, 0, 0, 0, 0, 0},
    [CIPHER_RC4] = {"RC4", 16, 0, 0, 0, 0},
    [CIPHER_3DES_CBC] = {"DES-EDE3-CBC", 24, 8, 8, 0, 0},
    [CIPHER_AES128_CBC] = {"AES-128-CBC", 16, 16, 16, 0, 0},
    [CIPHER_AES256_CBC] = {"AES-256-CBC", 32, 16, 16, 0, 0},
    [CIPHER_CAMELLIA128_CBC] = {"CAMELLIA-128-CBC", 16, 16, 16, 0, 0},
    [CIPHER_CAMELLIA256_CBC] = {"CAMELLIA-256-CBC", 32, 16, 16, 0, 0},
    [CIPHER_AES128_GCM] = {"AES-128-GCM", 16, 0, SALT, 8, 16},
    [CIPHER_AES256_GCM] = {"AES-256-GCM", 32, 0, SALT, 8, 16},
    [CIPHER_AES128_CCM] = {"AES-128-CCM", 16, 0, SALT, 8, 16},
    [CIPHER_AES256_CCM] = {"AES-256-CCM", 32, 0, SALT, 8, 16},
    [CIPHER_AES128_CCM8] = {"AES-128-CCM", 16, 0, SALT, 8, 8},
    [CIPHER_AES256_CCM8] = {"AES-256-CCM", 32, 0, SALT, 8, 8},
    [CIPHER_CHACHA20] = {"ChaCha20-Poly1305", 32, 0, NONCE, 0, 16},
};

struct tls_shield {
    struct tls_shape shape;
    const struct cipher_def *def;
    EVP_CIPHER_CTX *cipher;
    EVP_MD_CTX *inner, *outer, *work; /* MAC: what was hashed of the key, and a record's copy */
    size_t mac;                       /* its bytes; 0 = AEAD */
    bool implicit;                    /* CBC whose IV is the last block of the record before */
    uint8_t iv[IV_MAX];
};

/* RC4 is in OpenSSL's legacy provider, which not everybody installs. One for the process, like the
 * library's own state: loaded at the start, because a sandboxed process may open no more files. */
static OSSL_LIB_CTX *legacy;

static EVP_CIPHER *fetch(uint8_t cipher);

void tls_shield_start(void)
{
    if (legacy)
        return;
    legacy = OSSL_LIB_CTX_new();
    if (legacy)
        OSSL_PROVIDER_load(legacy, "legacy");
    EVP_CIPHER_free(fetch(CIPHER_AES128_GCM)); /* the library reads its configuration by now */
}

static EVP_CIPHER *fetch(uint8_t cipher)
{
    if (cipher != CIPHER_RC4)
        return EVP_CIPHER_fetch(NULL, defs[cipher].name, NULL);
    return legacy ? EVP_CIPHER_fetch(legacy, "RC4", NULL) : NULL;
}

struct tls_parts tls_shape_parts(const struct tls_shape *s)
{
    const struct cipher_def *d = &defs[s->suite->cipher];
    bool aead = tls_cipher_is_aead(s->suite->cipher);
    struct tls_parts p = {aead ? 0 : tls_hash_size(s->suite->mac), d->key, d->salt};
    if (s->version == TLS_13)
        p.iv = NONCE;
    else if (tls_cipher_is_cbc(s->suite->cipher) && s->version > TLS_10)
        p.iv = 0;
    return p;
}

bool tls_shape_supported(const struct tls_shape *s)
{
    if (s->suite->cipher >= TLS_CIPHERS ||
        (s->version == TLS_13) != (s->suite->exchange == EXCHANGE_TLS13) ||
        (tls_cipher_is_aead(s->suite->cipher) && s->version < TLS_12))
        return false;
    if (s->suite->cipher == CIPHER_NONE)
        return true;
    EVP_CIPHER *c = fetch(s->suite->cipher);
    EVP_CIPHER_free(c);
    return c != NULL;
}

/* ---- the MAC ---- */

/* What both hashes of the MAC begin with. */
static bool mac_key(struct tls_shield *s, const uint8_t *key)
{
    const EVP_MD *md = tls_md(s->shape.suite->mac);
    bool ssl3 = s->shape.version == SSL_30;
    size_t block = (size_t)EVP_MD_get_block_size(md);
    uint8_t pad[2][PAD_MAX];
    if (ssl3)
        block = s->mac + (s->mac == 16 ? 48 : 40);
    memset(pad[0], 0x36, block);
    memset(pad[1], 0x5c, block);
    for (size_t i = 0; i < s->mac; i++) {
        pad[0][i] = (uint8_t)(ssl3 ? key[i] : key[i] ^ 0x36);
        pad[1][i] = (uint8_t)(ssl3 ? key[i] : key[i] ^ 0x5c);
    }
    bool ok = EVP_DigestInit_ex(s->inner, md, NULL) && EVP_DigestUpdate(s->inner, pad[0], block) &&
              EVP_DigestInit_ex(s->outer, md, NULL) && EVP_DigestUpdate(s->outer, pad[1], block);
    tls_wipe(pad, sizeof pad);
    return ok;
}

static size_t number_to(uint8_t *out, uint64_t number)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(number >> (56 - 8 * i));
    return 8;
}

/* number 8 | type | version (not in SSL 3.0) | length 2 */
static size_t pseudo_header(const struct tls_shield *s, const struct tls_sealed *r, size_t n,
                            uint8_t out[13])
{
    size_t at = number_to(out, r->number);
    out[at++] = r->type;
    if (s->shape.version != SSL_30) {
        out[at++] = r->header.p[1];
        out[at++] = r->header.p[2];
    }
    out[at++] = (uint8_t)(n >> 8);
    out[at++] = (uint8_t)n;
    return at;
}

static bool mac_holds(struct tls_shield *s, const struct tls_sealed *r, struct slice text,
                      const uint8_t *mac)
{
    uint8_t head[13], sum[EVP_MAX_MD_SIZE];
    size_t n = pseudo_header(s, r, text.n, head);
    return EVP_MD_CTX_copy_ex(s->work, s->inner) && EVP_DigestUpdate(s->work, head, n) &&
           EVP_DigestUpdate(s->work, text.p, text.n) && EVP_DigestFinal_ex(s->work, sum, NULL) &&
           EVP_MD_CTX_copy_ex(s->work, s->outer) && EVP_DigestUpdate(s->work, sum, s->mac) &&
           EVP_DigestFinal_ex(s->work, sum, NULL) && CRYPTO_memcmp(sum, mac, s->mac) == 0;
}

/* ---- life ---- */

static bool cipher_begin(struct tls_shield *s, const uint8_t *key, const uint8_t *iv)
{
    uint8_t id = s->shape.suite->cipher;
    if (id == CIPHER_NONE)
        return true;
    EVP_CIPHER *c = fetch(id);
    s->cipher = EVP_CIPHER_CTX_new();
    bool ok = c && s->cipher && EVP_DecryptInit_ex(s->cipher, c, NULL, NULL, NULL);
    if (ok && s->def->tag)
        ok = EVP_CIPHER_CTX_ctrl(s->cipher, EVP_CTRL_AEAD_SET_IVLEN, NONCE, NULL) > 0;
    if (ok && s->def->tag && id >= CIPHER_AES128_CCM && id <= CIPHER_AES256_CCM8)
        ok = EVP_CIPHER_CTX_ctrl(s->cipher, EVP_CTRL_AEAD_SET_TAG, s->def->tag, NULL) > 0;
    ok = ok && EVP_DecryptInit_ex(s->cipher, NULL, NULL, key, NULL) &&
         EVP_CIPHER_CTX_set_padding(s->cipher, 0);
    EVP_CIPHER_free(c);
    memcpy(s->iv, iv, tls_shape_parts(&s->shape).iv);
    return ok;
}

struct tls_shield *tls_shield_new(const struct tls_shape *shape, const uint8_t *mac,
                                  const uint8_t *key, const uint8_t *iv)
{
    if (!tls_shape_supported(shape))
        return NULL;
    struct tls_shield *s = memory_got(calloc(1, sizeof *s));
    if (!s)
        return NULL;
    s->shape = *shape;
    s->def = &defs[shape->suite->cipher];
    s->mac = tls_shape_parts(shape).mac;
    s->implicit = tls_cipher_is_cbc(shape->suite->cipher) && shape->version <= TLS_10;
    bool ok = cipher_begin(s, key, iv);
    if (ok && s->mac) {
        s->inner = EVP_MD_CTX_new();
        s->outer = EVP_MD_CTX_new();
        s->work = EVP_MD_CTX_new();
        ok = s->inner && s->outer && s->work && mac_key(s, mac);
    }
    if (ok)
        return s;
    tls_shield_free(s);
    return memory_got(NULL);
}

void tls_shield_free(struct tls_shield *s)
{
    if (!s)
        return;
    EVP_CIPHER_CTX_free(s->cipher);
    EVP_MD_CTX_free(s->inner);
    EVP_MD_CTX_free(s->outer);
    EVP_MD_CTX_free(s->work);
    tls_wipe(s, sizeof *s);
    free(s);
}

/* ---- records ---- */

static int open_stream(struct tls_shield *s, const struct tls_sealed *r, uint8_t *out)
{
    int n = (int)r->body.n;
    if (r->body.n < s->mac)
        return -1;
    if (!s->cipher)
        memcpy(out, r->body.p, r->body.n);
    else if (!EVP_DecryptUpdate(s->cipher, out, &n, r->body.p, n))
        return -1;
    size_t text = r->body.n - s->mac;
    return mac_holds(s, r, slice_of(out, text), out + text) ? (int)text : -1;
}

/* Bytes of padding with its length byte, as far as the version defines them; 0 = damaged. */
static size_t padding(const struct tls_shield *s, const uint8_t *text, size_t n)
{
    size_t pad = (size_t)text[n - 1] + 1;
    if (pad > n || (s->shape.version == SSL_30 && pad > s->def->block))
        return 0;
    for (size_t i = 1; s->shape.version != SSL_30 && i < pad; i++)
        if (text[n - 1 - i] != text[n - 1])
            return 0;
    return pad;
}

static int open_cbc(struct tls_shield *s, const struct tls_sealed *r, uint8_t *out)
{
    size_t block = s->def->block, mac = s->shape.encrypt_then_mac ? s->mac : 0;
    size_t explicit = s->implicit ? 0 : block;
    if (r->body.n < mac + explicit + block || (r->body.n - mac) % block)
        return -1;
    struct slice sealed = slice_of(r->body.p, r->body.n - mac);
    const uint8_t *iv = s->implicit ? s->iv : sealed.p, *text = sealed.p + explicit;
    size_t n = sealed.n - explicit;
    int got = 0;
    if (mac && !mac_holds(s, r, sealed, sealed.p + sealed.n))
        return -1;
    if (!EVP_DecryptInit_ex(s->cipher, NULL, NULL, NULL, iv) ||
        !EVP_DecryptUpdate(s->cipher, out, &got, text, (int)n) || (size_t)got != n)
        return -1;
    size_t pad = padding(s, out, n);
    if (!pad || (!mac && n - pad < s->mac))
        return -1;
    n -= pad;
    if (!mac) {
        n -= s->mac;
        if (!mac_holds(s, r, slice_of(out, n), out + n))
            return -1;
    }
    if (s->implicit)
        memcpy(s->iv, sealed.p + sealed.n - block, block);
    return (int)n;
}

static void nonce_of(const struct tls_shield *s, const struct tls_sealed *r, uint8_t nonce[NONCE])
{
    bool explicit = s->def->explicit && s->shape.version != TLS_13;
    memcpy(nonce, s->iv, NONCE);
    if (explicit) {
        memcpy(nonce + SALT, r->body.p, s->def->explicit);
        return;
    }
    uint8_t number[8];
    number_to(number, r->number);
    for (int i = 0; i < 8; i++)
        nonce[4 + i] ^= number[i];
}

static bool aead_text(struct tls_shield *s, const uint8_t nonce[NONCE], struct slice aad,
                      struct slice sealed, const uint8_t *tag, uint8_t *out)
{
    uint8_t id = s->shape.suite->cipher;
    bool ccm = id >= CIPHER_AES128_CCM && id <= CIPHER_AES256_CCM8;
    EVP_CIPHER_CTX *c = s->cipher;
    int n, last = 0;
    if (EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, s->def->tag, (void *)(uintptr_t)tag) <= 0 ||
        !EVP_DecryptInit_ex(c, NULL, NULL, NULL, nonce))
        return false;
    if (ccm && !EVP_DecryptUpdate(c, NULL, &n, NULL, (int)sealed.n))
        return false;
    if (!EVP_DecryptUpdate(c, NULL, &n, aad.p, (int)aad.n) ||
        EVP_DecryptUpdate(c, out, &n, sealed.p, (int)sealed.n) <= 0)
        return false;
    return ccm || EVP_DecryptFinal_ex(c, out + n, &last) > 0;
}

static int open_aead(struct tls_shield *s, const struct tls_sealed *r, uint8_t *out, uint8_t *type)
{
    bool tls13 = s->shape.version == TLS_13;
    size_t front = tls13 ? 0 : s->def->explicit;
    uint8_t nonce[NONCE], head[13];
    if (r->body.n < front + s->def->tag)
        return -1;
    struct slice sealed = slice_of(r->body.p + front, r->body.n - front - s->def->tag), aad;
    nonce_of(s, r, nonce);
    aad = tls13 ? r->header : slice_of(head, pseudo_header(s, r, sealed.n, head));
    if (!aead_text(s, nonce, aad, sealed, sealed.p + sealed.n, out))
        return -1;
    size_t n = sealed.n;
    if (!tls13)
        return (int)n;
    while (n && !out[n - 1])
        n--;
    if (!n)
        return -1;
    *type = out[n - 1];
    return (int)n - 1;
}

int tls_shield_open(struct tls_shield *s, const struct tls_sealed *r, uint8_t *out, uint8_t *type)
{
    int n;
    if (r->body.n > TLS_PLAIN_MAX)
        return -1;
    *type = r->type;
    if (s->def->tag)
        n = open_aead(s, r, out, type);
    else if (s->def->block)
        n = open_cbc(s, r, out);
    else
        n = open_stream(s, r, out);
    if (n < 0)
        tls_wipe(out, r->body.n);
    return n;
}

void tls_shield_follow(struct tls_shield *s, struct slice body)
{
    size_t mac = s->shape.encrypt_then_mac ? s->mac : 0;
    if (s->implicit && body.n >= mac + s->def->block)
        memcpy(s->iv, body.p + body.n - mac - s->def->block, s->def->block);
}

bool tls_shield_chained(const struct tls_shield *s)
{
    return s->implicit;
}

bool tls_shield_can_skip(const struct tls_shield *s)
{
    return s->shape.suite->cipher != CIPHER_RC4;
}
