/* The encrypting half, written from the RFCs: MAC-then-encrypt and AEAD (RFC 5246 6.2.3, RFC
 * 8446 5.2). */
#include "tests/help/tls_make.h"

#include "flows/wire/tls_handshake.h"

#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

static void must(bool ok)
{
    if (!ok)
        abort();
}

static const char *cipher_name(uint8_t cipher)
{
    switch (cipher) {
    case CIPHER_AES128_CBC:
        return "AES-128-CBC";
    case CIPHER_AES128_GCM:
        return "AES-128-GCM";
    case CIPHER_AES256_GCM:
        return "AES-256-GCM";
    default:
        return "ChaCha20-Poly1305";
    }
}

static void keys_into(struct tls_maker *m, struct tls_wire *w, const uint8_t *key,
                      const uint8_t *iv, size_t n_iv)
{
    w->cipher = EVP_CIPHER_CTX_new();
    EVP_CIPHER *c = EVP_CIPHER_fetch(NULL, cipher_name(m->shape.suite->cipher), NULL);
    must(w->cipher && c && EVP_EncryptInit_ex(w->cipher, c, NULL, key, NULL));
    EVP_CIPHER_CTX_set_padding(w->cipher, 0);
    EVP_CIPHER_free(c);
    memcpy(w->iv, iv, n_iv);
}

/* Secret of a side in TLS 1.3: its kind repeated. */
static void traffic(int side, bool data, uint8_t out[48])
{
    memset(out, (data ? 0xd0 : 0xa0) + side, 48);
}

static void keys_13(struct tls_maker *m, int side, bool data)
{
    uint8_t secret[48], key[32], iv[12];
    struct tls_parts p = tls_shape_parts(&m->shape);
    size_t n = tls_hash_size(m->shape.suite->prf);
    traffic(side, data, secret);
    must(tls_expand(m->shape.suite->prf, slice_of(secret, n), "key", key, p.key) &&
         tls_expand(m->shape.suite->prf, slice_of(secret, n), "iv", iv, p.iv));
    EVP_CIPHER_CTX_free(m->wire[side].cipher);
    keys_into(m, &m->wire[side], key, iv, sizeof iv);
    m->wire[side].number = 0;
}

static void keys_12(struct tls_maker *m)
{
    uint8_t seed[64], block[320];
    struct tls_parts p = tls_shape_parts(&m->shape);
    memcpy(seed, m->random[1], 32);
    memcpy(seed + 32, m->random[0], 32);
    must(tls_prf((struct tls_prf){m->shape.version, m->shape.suite->prf}, slice_of(m->master, 48),
                 "key expansion", slice_of(seed, 64), block, 2 * (p.mac + p.key + p.iv)));
    for (int side = 0; side < 2; side++) {
        size_t s = (size_t)side;
        memcpy(m->wire[side].mac, block + s * p.mac, p.mac);
        keys_into(m, &m->wire[side], block + 2 * p.mac + s * p.key,
                  block + 2 * (p.mac + p.key) + s * p.iv, p.iv);
    }
}

void tls_make_begin(struct tls_maker *m, uint16_t version, uint16_t suite, bool etm)
{
    memset(m, 0, sizeof *m);
    m->shape = (struct tls_shape){tls_suite(suite), version, etm};
    for (int i = 0; i < 48; i++)
        m->master[i] = (uint8_t)(0x40 + i);
    for (int i = 0; i < 32; i++) {
        m->random[0][i] = (uint8_t)i;
        m->random[1][i] = (uint8_t)(0x20 + i);
    }
    if (version == TLS_13)
        for (int side = 0; side < 2; side++)
            keys_13(m, side, false);
    else
        keys_12(m);
}

void tls_make_end(struct tls_maker *m)
{
    for (int side = 0; side < 2; side++)
        EVP_CIPHER_CTX_free(m->wire[side].cipher);
}

/* ---- records ---- */

static uint8_t *header(struct tls_maker *m, struct tls_wire *w, uint8_t type, size_t n)
{
    uint8_t *p = w->b + w->n;
    uint16_t version = m->shape.version > TLS_12 ? TLS_12 : m->shape.version;
    must(w->n + 5 + n <= sizeof w->b);
    p[0] = type;
    p[1] = (uint8_t)(version >> 8);
    p[2] = (uint8_t)version;
    p[3] = (uint8_t)(n >> 8);
    p[4] = (uint8_t)n;
    w->n += 5 + n;
    return p + 5;
}

void tls_make_clear(struct tls_maker *m, int side, uint8_t type, struct slice body)
{
    memcpy(header(m, &m->wire[side], type, body.n), body.p, body.n);
}

static size_t pseudo(const struct tls_maker *m, const struct tls_wire *w, uint8_t type, size_t n,
                     uint8_t out[13])
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(w->number >> (56 - 8 * i));
    out[8] = type;
    out[9] = 3;
    out[10] = (uint8_t)m->shape.version;
    out[11] = (uint8_t)(n >> 8);
    out[12] = (uint8_t)n;
    return 13;
}

static void hmac(const struct tls_maker *m, const struct tls_wire *w, uint8_t type,
                 struct slice text, uint8_t *out)
{
    static uint8_t all[TLS_PLAIN_MAX + 32];
    const EVP_MD *md = m->shape.suite->mac == HASH_SHA1 ? EVP_sha1() : EVP_sha256();
    size_t n = pseudo(m, w, type, text.n, all);
    memcpy(all + n, text.p, text.n);
    must(HMAC(md, w->mac, (int)tls_hash_size(m->shape.suite->mac), all, n + text.n, out, NULL) !=
         NULL);
}

static void seal_cbc(struct tls_maker *m, struct tls_wire *w, uint8_t type, struct slice text)
{
    uint8_t plain[TLS_PLAIN_MAX], iv[16];
    size_t mac = tls_hash_size(m->shape.suite->mac), n = text.n,
           front = m->shape.version > TLS_10 ? 16 : 0;
    bool etm = m->shape.encrypt_then_mac;
    int got;
    memcpy(plain, text.p, n);
    if (!etm) {
        hmac(m, w, type, text, plain + n);
        n += mac;
    }
    size_t pad = 16 - n % 16;
    memset(plain + n, (int)(pad - 1), pad);
    n += pad;
    memcpy(iv, w->iv, 16);
    if (front)
        memset(iv, (int)(0x11 + w->number), 16);
    uint8_t *out = header(m, w, type, front + n + (etm ? mac : 0));
    memcpy(out, iv, front);
    must(EVP_EncryptInit_ex(w->cipher, NULL, NULL, NULL, iv) &&
         EVP_EncryptUpdate(w->cipher, out + front, &got, plain, (int)n) && (size_t)got == n);
    memcpy(w->iv, out + front + n - 16, 16);
    if (etm)
        hmac(m, w, type, slice_of(out, front + n), out + front + n);
}

static void seal_aead(struct tls_maker *m, struct tls_wire *w, uint8_t type, struct slice text)
{
    bool tls13 = m->shape.version == TLS_13, chacha = m->shape.suite->cipher == CIPHER_CHACHA20;
    size_t front = tls13 || chacha ? 0 : 8, n = text.n + (tls13 ? 1 : 0);
    uint8_t plain[TLS_PLAIN_MAX], nonce[12], aad[13];
    int got;
    memcpy(plain, text.p, text.n);
    plain[text.n] = type;
    uint8_t *out = header(m, w, tls13 ? TLS_DATA : type, front + n + 16);
    size_t n_aad = tls13 ? 5 : pseudo(m, w, type, n, aad);
    if (tls13)
        memcpy(aad, out - 5, 5);
    memcpy(nonce, w->iv, 12);
    for (int i = 0; i < 8; i++) {
        uint8_t b = (uint8_t)(w->number >> (56 - 8 * i));
        if (front)
            out[i] = nonce[4 + i] = b;
        else
            nonce[4 + i] ^= b;
    }
    must(EVP_EncryptInit_ex(w->cipher, NULL, NULL, NULL, nonce) &&
         EVP_EncryptUpdate(w->cipher, NULL, &got, aad, (int)n_aad) &&
         EVP_EncryptUpdate(w->cipher, out + front, &got, plain, (int)n) &&
         EVP_EncryptFinal_ex(w->cipher, out + front + n, &got) &&
         EVP_CIPHER_CTX_ctrl(w->cipher, EVP_CTRL_AEAD_GET_TAG, 16, out + front + n));
}

size_t tls_make_seal(struct tls_maker *m, int side, uint8_t type, struct slice text)
{
    struct tls_wire *w = &m->wire[side];
    size_t at = w->n;
    if (tls_cipher_is_cbc(m->shape.suite->cipher))
        seal_cbc(m, w, type, text);
    else
        seal_aead(m, w, type, text);
    w->number++;
    return at;
}

/* ---- the handshake ---- */

static void message(struct tls_maker *m, int side, uint8_t type, const void *body, size_t n,
                    bool sealed)
{
    uint8_t all[512] = {type, 0, (uint8_t)(n >> 8), (uint8_t)n};
    memcpy(all + 4, body, n);
    if (sealed)
        tls_make_seal(m, side, TLS_HANDSHAKES, slice_of(all, 4 + n));
    else
        tls_make_clear(m, side, TLS_HANDSHAKES, slice_of(all, 4 + n));
}

static void hello(struct tls_maker *m, int side)
{
    static const uint8_t versions[2][7] = {{0, 43, 0, 3, 2, 3, 4}, {0, 43, 0, 2, 3, 4, 0}};
    bool tls13 = m->shape.version == TLS_13;
    uint16_t suite = m->shape.suite->id;
    uint8_t b[128] = {3, tls13 ? 3 : (uint8_t)m->shape.version};
    size_t n = 2, length;
    memcpy(b + n, m->random[side], 32);
    n += 32;
    b[n++] = 0;
    if (side == 0)
        b[n++] = 0, b[n++] = 2;
    b[n++] = (uint8_t)(suite >> 8);
    b[n++] = (uint8_t)suite;
    if (side == 0)
        b[n++] = 1;
    b[n++] = 0;
    length = n;
    n += 2;
    if (tls13) {
        memcpy(b + n, versions[side], side ? 6 : 7);
        n += side ? 6 : 7;
    }
    if (m->shape.encrypt_then_mac) {
        memcpy(b + n, "\0\x16\0\0", 4);
        n += 4;
    }
    b[length] = 0;
    b[length + 1] = (uint8_t)(n - length - 2);
    message(m, side, side ? TLS_SERVER_HELLO : TLS_CLIENT_HELLO, b, n, false);
}

void tls_make_handshake(struct tls_maker *m)
{
    static const uint8_t change = 1, zeroes[12];
    bool tls13 = m->shape.version == TLS_13;
    for (int side = 0; side < 2; side++)
        hello(m, side);
    if (!tls13) {
        message(m, 1, TLS_SERVER_DONE, "", 0, false);
        message(m, 0, TLS_CLIENT_KEY, "\1\4", 2, false);
    }
    for (int side = 0; side < 2; side++) {
        tls_make_clear(m, side, TLS_CHANGE_CIPHER, slice_of(&change, 1));
        message(m, side, TLS_FINISHED, zeroes, 12, true);
        if (tls13)
            keys_13(m, side, true);
    }
}

/* ---- its key log ---- */

static int hex(char *out, const uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sprintf(out + 2 * i, "%02x", b[i]);
    return (int)(2 * n);
}

const char *tls_make_keylog(const struct tls_maker *m, char out[2048])
{
    static const char *const labels[2][2] = {
        {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET"},
        {"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"}};
    int n = 0;
    uint8_t secret[48];
    if (m->shape.version < TLS_13) {
        n = sprintf(out, "CLIENT_RANDOM ");
        n += hex(out + n, m->random[0], 32);
        n += sprintf(out + n, " ");
        n += hex(out + n, m->master, 48);
        sprintf(out + n, "\n");
        return out;
    }
    for (int data = 0; data < 2; data++)
        for (int side = 0; side < 2; side++) {
            n += sprintf(out + n, "%s ", labels[data][side]);
            n += hex(out + n, m->random[0], 32);
            n += sprintf(out + n, " ");
            traffic(side, data, secret);
            n += hex(out + n, secret, tls_hash_size(m->shape.suite->prf));
            n += sprintf(out + n, "\n");
        }
    return out;
}
