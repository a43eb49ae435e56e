/* Client and server of libssl, joined by memory; what they send is kept on its way. */
#define OPENSSL_SUPPRESS_DEPRECATED /* RAND_set_rand_method() */
#include "tests/help/tls_talk.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/bytes.h"

enum { ROUNDS = 4, EARLY_MOST = 4096, RANDOMS = 64 };

static EVP_PKEY *rsa_key, *ec_key;
static X509 *rsa_cert, *ec_cert;
static BIO *pem;

static void must(bool ok)
{
    if (ok)
        return;
    ERR_print_errors_fp(stderr);
    abort();
}

/* ---- random numbers that are remembered: among them are private keys of X25519 ---- */

static struct {
    uint8_t b[RANDOMS][32];
    unsigned n;
    uint64_t state;
} dice;

static int roll(unsigned char *out, int n)
{
    for (int i = 0; i < n; i++) { /* xorshift64 */
        dice.state ^= dice.state << 13;
        dice.state ^= dice.state >> 7;
        dice.state ^= dice.state << 17;
        out[i] = (uint8_t)(dice.state >> 24);
    }
    if (n == 32)
        memcpy(dice.b[dice.n++ % RANDOMS], out, 32);
    return 1;
}

static int rolls(void)
{
    return 1;
}

static const RAND_METHOD known_dice = {NULL, roll, NULL, NULL, roll, rolls};

/* ---- keys ---- */

static X509 *certificate(EVP_PKEY *key)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"sip.contoso.com", -1, -1,
                               0);
    X509_set_issuer_name(x, name);
    X509_set_pubkey(x, key);
    must(X509_sign(x, key, EVP_sha256()) > 0);
    return x;
}

const char *tls_talk_start(size_t *n)
{
    char *text;
    rsa_key = EVP_RSA_gen(2048);
    ec_key = EVP_EC_gen("P-256");
    must(rsa_key && ec_key);
    rsa_cert = certificate(rsa_key);
    ec_cert = certificate(ec_key);
    pem = BIO_new(BIO_s_mem());
    must(PEM_write_bio_PrivateKey(pem, rsa_key, NULL, NULL, 0, NULL, NULL));
    *n = (size_t)BIO_get_mem_data(pem, &text);
    dice.state = 0x9e3779b97f4a7c15u;
    RAND_set_rand_method(&known_dice);
    return text;
}

void tls_talk_end(void)
{
    RAND_set_rand_method(NULL);
    EVP_PKEY_free(rsa_key);
    EVP_PKEY_free(ec_key);
    X509_free(rsa_cert);
    X509_free(ec_cert);
    BIO_free(pem);
}

/* ---- two ends ---- */

struct ends {
    const struct tls_talk_plan *plan;
    SSL_CTX *ctx[2];
    SSL *ssl[2];
    SSL_SESSION *session; /* the newest that the client may resume */
    struct tls_talk *out;
};

static void on_line(const SSL *s, const char *line)
{
    struct tls_talk *t = SSL_get_app_data(s);
    size_t used = t ? strlen(t->keylog) : 0;
    if (t)
        snprintf(t->keylog + used, sizeof t->keylog - used, "%s\n", line);
}

static int on_session(SSL *s, SSL_SESSION *session)
{
    struct ends *e = SSL_CTX_get_app_data(SSL_get_SSL_CTX(s));
    SSL_SESSION_free(e->session);
    e->session = session;
    return 1;
}

static int any_certificate(int ok, X509_STORE_CTX *x)
{
    (void)ok, (void)x;
    return 1;
}

static bool set_up(struct ends *e, int side)
{
    const struct tls_talk_plan *p = e->plan;
    SSL_CTX *c = e->ctx[side] = SSL_CTX_new(side ? TLS_server_method() : TLS_client_method());
    bool early = p->how == TALK_EARLY || p->how == TALK_EARLY_REFUSED;
    SSL_CTX_set_security_level(c, 0);
    SSL_CTX_set_app_data(c, e);
    SSL_CTX_set_dh_auto(c, 1);
    SSL_CTX_set_options(c,
                        (p->no_etm ? SSL_OP_NO_ENCRYPT_THEN_MAC : 0) |
                            (p->no_ems ? SSL_OP_NO_EXTENDED_MASTER_SECRET : 0) |
                            (p->how == TALK_RESUMED_ID ? SSL_OP_NO_TICKET : 0) |
                            (p->how == TALK_RENEGOTIATED ? SSL_OP_ALLOW_CLIENT_RENEGOTIATION : 0));
    SSL_CTX_set_session_id_context(c, (const uint8_t *)"talk", 4);
    if (!SSL_CTX_set_min_proto_version(c, p->version) ||
        !SSL_CTX_set_max_proto_version(c, p->version) ||
        !(p->version == TLS1_3_VERSION ? SSL_CTX_set_ciphersuites(c, p->ciphers)
                                       : SSL_CTX_set_cipher_list(c, p->ciphers)) ||
        (p->groups && side && !SSL_CTX_set1_groups_list(c, p->groups)))
        return false;
    if (side == 1) {
        must(SSL_CTX_use_certificate(c, p->ec ? ec_cert : rsa_cert) &&
             SSL_CTX_use_PrivateKey(c, p->ec ? ec_key : rsa_key));
        SSL_CTX_set_max_early_data(c, early ? EARLY_MOST : 0);
        SSL_CTX_set_options(c, SSL_OP_NO_ANTI_REPLAY);
        if (p->how == TALK_MUTUAL)
            SSL_CTX_set_verify(c, SSL_VERIFY_PEER, any_certificate);
    } else {
        SSL_CTX_set_keylog_callback(c, on_line);
        SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT);
        SSL_CTX_sess_set_new_cb(c, on_session);
        if (p->how == TALK_MUTUAL)
            must(SSL_CTX_use_certificate(c, ec_cert) && SSL_CTX_use_PrivateKey(c, ec_key));
    }
    return true;
}

static void connect_ends(struct ends *e, struct tls_talk *out)
{
    e->out = out;
    memset(out, 0, sizeof *out);
    for (int side = 0; side < 2; side++) {
        SSL *s = e->ssl[side] = SSL_new(e->ctx[side]);
        SSL_set_bio(s, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_app_data(s, out);
        if (side)
            SSL_set_accept_state(s);
        else
            SSL_set_connect_state(s);
    }
    SSL_set_tlsext_host_name(e->ssl[0], "sip.contoso.com");
}

static void part_ends(struct ends *e)
{
    for (int side = 0; side < 2; side++) {
        SSL_set_shutdown(e->ssl[side], SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(e->ssl[side]);
        e->ssl[side] = NULL;
    }
}

/* What a side has written goes to the other, and is kept. */
static bool carry(struct ends *e, int side)
{
    struct tls_talk *t = e->out;
    uint8_t *to = t->wire[side] + t->n[side];
    int n = BIO_read(SSL_get_wbio(e->ssl[side]), to, (int)(TALK_ROOM - t->n[side]));
    if (n <= 0)
        return false;
    must(t->n_steps < TALK_STEPS);
    t->steps[t->n_steps++] = (struct tls_talk_step){(uint8_t)side, t->n[side], (size_t)n};
    t->n[side] += (size_t)n;
    must(BIO_write(SSL_get_rbio(e->ssl[!side]), to, n) == n);
    return true;
}

static void drain(SSL *s)
{
    char sink[EARLY_MOST];
    while (SSL_read(s, sink, sizeof sink) > 0)
        ;
}

/* Both read what is there, and write what follows from it, until nothing moves. */
static void settle(struct ends *e)
{
    bool moved = true;
    while (moved) {
        moved = carry(e, 0);
        drain(e->ssl[1]);
        moved |= carry(e, 1);
        drain(e->ssl[0]);
    }
    ERR_clear_error();
}

static void say(struct ends *e, int side, const char *text)
{
    struct tls_talk *t = e->out;
    size_t n = strlen(text), used = strlen(t->text[side]);
    must(used + n < TALK_TEXT && SSL_write(e->ssl[side], text, (int)n) == (int)n);
    memcpy(t->text[side] + used, text, n + 1);
}

/* Words that stand nowhere else, records of several sizes, one and two in a segment. */
static void exchange(struct ends *e, int from, int to)
{
    char text[1200];
    for (int round = from; round < to; round++)
        for (int side = 0; side < 2; side++) {
            for (int part = 0; part <= round % 2; part++) {
                int n = snprintf(text, sizeof text, "<%c%d.%d %s", side ? 's' : 'c', round, part,
                                 side ? "SIP/2.0 200 OK" : "INVITE sip:user2@fabrikam.com SIP/2.0");
                for (int fill = 0; fill < round * 90; fill++)
                    n += snprintf(text + n, sizeof text - (size_t)n, "%c", 'a' + fill % 23);
                snprintf(text + n, sizeof text - (size_t)n, ">");
                say(e, side, text);
            }
            carry(e, side);
            settle(e);
        }
}

static bool shake_hands(struct ends *e)
{
    for (int i = 0; i < 10 && !(SSL_is_init_finished(e->ssl[0]) && SSL_is_init_finished(e->ssl[1]));
         i++) {
        for (int side = 0; side < 2; side++) {
            SSL_do_handshake(e->ssl[side]);
            carry(e, side);
        }
    }
    bool done = SSL_is_init_finished(e->ssl[0]) && SSL_is_init_finished(e->ssl[1]);
    settle(e);
    e->out->handshake = e->out->n_steps;
    return done;
}

static void early(struct ends *e)
{
    static const char text[] = "<c-early OPTIONS sip:fabrikam.com SIP/2.0>",
                      more[] = "<c-early once more>";
    char sink[EARLY_MOST];
    size_t n;
    bool taken = e->plan->how == TALK_EARLY;
    must(SSL_write_early_data(e->ssl[0], text, sizeof text - 1, &n) == 1);
    carry(e, 0);
    must(SSL_write_early_data(e->ssl[0], more, sizeof more - 1, &n) == 1);
    carry(e, 0);
    if (taken)
        while (SSL_read_early_data(e->ssl[1], sink, sizeof sink, &n) == SSL_READ_EARLY_DATA_SUCCESS)
            ;
    if (taken)
        e->out->early = (size_t)sprintf(e->out->text[0], "%s%s", text, more);
}

/* ---- what opens it ---- */

static void hex(char *out, size_t room, const uint8_t *p, size_t n)
{
    size_t used = strlen(out);
    for (size_t i = 0; i < n && used + 3 < room; i++)
        used += (size_t)snprintf(out + used, room - used, "%02x", p[i]);
}

/* Body of the first handshake message of that type that crossed in clear, without any knowledge of
 * ours of records: they are walked here. Reassembled from records, which OpenSSL's may span. */
static size_t message(const struct tls_talk *t, int side, uint8_t type, uint8_t *out, size_t room)
{
    static uint8_t all[TALK_ROOM];
    size_t n = 0, at = 0;
    while (at + 5 <= t->n[side] && t->wire[side][at] == 22) {
        size_t size = be16(t->wire[side] + at + 3);
        memcpy(all + n, t->wire[side] + at + 5, size);
        n += size;
        at += 5 + size;
    }
    for (at = 0; at + 4 <= n;) {
        size_t size = (size_t)all[at + 1] << 16 | be16(all + at + 2);
        if (all[at] == type && size <= room && at + 4 + size <= n) {
            memcpy(out, all + at + 4, size);
            return size;
        }
        at += 4 + size;
    }
    return 0;
}

static size_t agree(EVP_PKEY *own, EVP_PKEY *other, uint8_t *out, size_t room)
{
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(own, NULL);
    size_t n = room;
    must(c && EVP_PKEY_derive_init(c) > 0 && EVP_PKEY_derive_set_peer(c, other) > 0 &&
         EVP_PKEY_derive(c, out, &n) > 0);
    EVP_PKEY_CTX_free(c);
    return n;
}

/* The client's private key was one of the random numbers: the one whose public half is in its
 * ClientKeyExchange. */
static size_t premaster_x25519(const struct tls_talk *t, uint8_t *out, size_t room)
{
    uint8_t client[128], server[4096], public[32];
    size_t n = sizeof public, made = 0;
    if (message(t, 0, 16, client, sizeof client) != 33 ||
        message(t, 1, 12, server, sizeof server) < 36 || server[0] != 3 || server[3] != 32)
        return 0;
    EVP_PKEY *other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, server + 4, 32);
    for (unsigned i = 0; i < RANDOMS && !made; i++) {
        EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, dice.b[i], 32);
        if (own && EVP_PKEY_get_raw_public_key(own, public, &n) &&
            memcmp(public, client + 1, 32) == 0)
            made = agree(own, other, out, room);
        EVP_PKEY_free(own);
    }
    EVP_PKEY_free(other);
    return made;
}

static size_t premaster_rsa(struct tls_talk *t, uint8_t *out, size_t room)
{
    uint8_t body[512];
    size_t size = message(t, 0, 16, body, sizeof body), n = room;
    if (size != 258)
        return 0;
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(rsa_key, NULL);
    must(c && EVP_PKEY_decrypt_init(c) > 0 &&
         EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) > 0 &&
         EVP_PKEY_decrypt(c, out, &n, body + 2, size - 2) > 0 && n == 48);
    EVP_PKEY_CTX_free(c);
    strcpy(t->encrypted, "RSA ");
    hex(t->encrypted, sizeof t->encrypted, body + 2, 8);
    strcat(t->encrypted, " ");
    hex(t->encrypted, sizeof t->encrypted, out, n);
    strcat(t->encrypted, "\n");
    return n;
}

static void key_lines(struct ends *e)
{
    struct tls_talk *t = e->out;
    uint8_t secret[1024], random[32];
    unsigned n_id;
    SSL *client = e->ssl[0];
    SSL_SESSION *s = SSL_get_session(client);
    const char *cipher = SSL_get_cipher_name(client);
    t->rsa = e->plan->version < TLS1_3_VERSION && strncmp(cipher, "ECDHE", 5) != 0 &&
             strncmp(cipher, "DHE", 3) != 0;
    if (e->plan->version == TLS1_3_VERSION)
        return;
    const uint8_t *id = SSL_SESSION_get_id(s, &n_id);
    size_t n = SSL_SESSION_get_master_key(s, secret, sizeof secret);
    if (n_id) {
        strcpy(t->session, "RSA Session-ID:");
        hex(t->session, sizeof t->session, id, n_id);
        strcat(t->session, " Master-Key:");
        hex(t->session, sizeof t->session, secret, n);
        strcat(t->session, "\n");
    }
    n = t->rsa ? premaster_rsa(t, secret, sizeof secret)
               : premaster_x25519(t, secret, sizeof secret);
    if (!n)
        return;
    SSL_get_client_random(client, random, sizeof random);
    strcpy(t->premaster, "PMS_CLIENT_RANDOM ");
    hex(t->premaster, sizeof t->premaster, random, sizeof random);
    strcat(t->premaster, " ");
    hex(t->premaster, sizeof t->premaster, secret, n);
    strcat(t->premaster, "\n");
}

/* ---- all of it ---- */

static bool one(struct ends *e, struct tls_talk *out, SSL_SESSION *resume)
{
    enum tls_talk_how how = e->plan->how;
    connect_ends(e, out);
    if (resume)
        must(SSL_set_session(e->ssl[0], resume));
    if (resume && how == TALK_EARLY_REFUSED) /* as after a change of its configuration */
        SSL_set_max_early_data(e->ssl[1], 0);
    if (resume && (how == TALK_EARLY || how == TALK_EARLY_REFUSED))
        early(e);
    if (!shake_hands(e) || (resume && !SSL_session_reused(e->ssl[0]))) {
        part_ends(e);
        return false;
    }
    key_lines(e);
    exchange(e, 0, ROUNDS / 2);
    if (how == TALK_RENEGOTIATED) {
        SSL_renegotiate(e->ssl[0]);
        SSL_do_handshake(e->ssl[0]);
        settle(e);
    } else if (how == TALK_UPDATED) {
        SSL_key_update(e->ssl[0], SSL_KEY_UPDATE_REQUESTED);
        SSL_do_handshake(e->ssl[0]);
        settle(e);
    }
    exchange(e, ROUNDS / 2, ROUNDS);
    part_ends(e);
    return true;
}

const char *tls_talk(const struct tls_talk_plan *p, struct tls_talk *before, struct tls_talk *out)
{
    bool resumed = p->how == TALK_RESUMED_ID || p->how == TALK_RESUMED_TICKET ||
                   p->how == TALK_EARLY || p->how == TALK_EARLY_REFUSED;
    struct ends e = {.plan = p};
    const char *wrong = NULL;
    if (!set_up(&e, 0) || !set_up(&e, 1))
        wrong = "OpenSSL does not have it";
    else if (!one(&e, resumed ? before : out, NULL))
        wrong = "the handshake failed";
    else if (resumed && (!e.session || !one(&e, out, e.session)))
        wrong = "it could not be resumed";
    SSL_SESSION_free(e.session);
    SSL_CTX_free(e.ctx[0]);
    SSL_CTX_free(e.ctx[1]);
    ERR_clear_error();
    return wrong;
}
