/* Door to libcrypto: certificates. */
#include "flows/tls_cert.h"

#include "flows/tls_crypto_inner.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <stdio.h>

#include "capture/endpoint.h"

static X509 *parse(struct slice der)
{
    const unsigned char *p = der.p;
    return der.n ? d2i_X509(NULL, &p, (long)der.n) : NULL;
}

/* Text that is safe to store and show: what is no printable ASCII becomes '?'. */
static void put(char *out, size_t room, const char *text, size_t n)
{
    size_t used = strlen(out);
    for (size_t i = 0; i < n && used + 1 < room; i++)
        out[used++] = (char)(text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?');
    out[used] = 0;
}

static void name_text(const X509_NAME *name, char out[CERT_TEXT])
{
    BIO *b = BIO_new(BIO_s_mem());
    char *text;
    out[0] = 0;
    if (b && X509_NAME_print_ex(b, name, 0, XN_FLAG_RFC2253) >= 0) {
        long n = BIO_get_mem_data(b, &text);
        put(out, CERT_TEXT, text, n > 0 ? (size_t)n : 0);
    }
    BIO_free(b);
}

static void common_name(const X509_NAME *name, char out[CERT_TEXT])
{
    int at = -1, last;
    out[0] = 0;
    while ((last = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0)
        at = last;
    if (at < 0)
        return;
    unsigned char *utf8 = NULL;
    int n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (n > 0)
        put(out, CERT_TEXT, (const char *)utf8, (size_t)n);
    OPENSSL_free(utf8);
}

static void add_name(char out[CERT_NAMES], const char *text, size_t n)
{
    if (!n || strlen(out) + n + 2 > CERT_NAMES)
        return;
    if (out[0])
        put(out, CERT_NAMES, ",", 1);
    put(out, CERT_NAMES, text, n);
}

static void address_text(const ASN1_OCTET_STRING *s, char out[ADDR_TEXT])
{
    const uint8_t *p = ASN1_STRING_get0_data(s);
    struct addr a;
    out[0] = 0;
    if (ASN1_STRING_length(s) == 4)
        a = addr_v4(be32(p));
    else if (ASN1_STRING_length(s) == 16)
        a = addr_v6(p);
    else
        return;
    addr_text(&a, out);
}

static void alternative_names(const X509 *x, char out[CERT_NAMES])
{
    GENERAL_NAMES *list = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    out[0] = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(list, i);
        char address[ADDR_TEXT];
        if (g->type == GEN_DNS) {
            add_name(out, (const char *)ASN1_STRING_get0_data(g->d.dNSName),
                     (size_t)ASN1_STRING_length(g->d.dNSName));
        } else if (g->type == GEN_IPADD) {
            address_text(g->d.iPAddress, address);
            add_name(out, address, strlen(address));
        }
    }
    GENERAL_NAMES_free(list);
}

/* Seconds since 1970 by way of the days between the two dates. */
static tick_t time_of(const ASN1_TIME *t)
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0, seconds = 0;
    bool ok = epoch && ASN1_TIME_diff(&days, &seconds, epoch, t);
    ASN1_TIME_free(epoch);
    int64_t s = (int64_t)days * 86400 + seconds, most = INT64_MAX / TICK_S; /* the year 2262 */
    return !ok ? TICK_NONE : (s > most ? most : s < -most ? -most : s) * TICK_S;
}

bool tls_cert_read(struct slice der, struct tls_cert *out)
{
    X509 *x = parse(der);
    struct tls_cert c = {0};
    if (!x) {
        ERR_clear_error();
        return false;
    }
    name_text(X509_get_subject_name(x), c.subject);
    name_text(X509_get_issuer_name(x), c.issuer);
    common_name(X509_get_subject_name(x), c.common);
    alternative_names(x, c.names);
    c.not_before = time_of(X509_get0_notBefore(x));
    c.not_after = time_of(X509_get0_notAfter(x));
    EVP_PKEY *key = X509_get0_pubkey(x);
    if (key && tls_public_id(key, c.key_id))
        c.rsa = EVP_PKEY_is_a(key, "RSA");
    X509_free(x);
    ERR_clear_error();
    *out = c;
    return true;
}

bool tls_cert_names_host(struct slice der, struct slice host)
{
    X509 *x = parse(der);
    bool named = x && host.n && X509_check_host(x, (const char *)host.p, host.n, 0, NULL) == 1;
    X509_free(x);
    ERR_clear_error();
    return named;
}
