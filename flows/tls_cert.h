/*
 * What a certificate says, by libcrypto: its names, who signed it, how long it holds.
 */
#ifndef EW_FLOWS_TLS_CERT_H
#define EW_FLOWS_TLS_CERT_H

#include "capture/bytes.h"
#include "capture/tick.h"

enum { CERT_TEXT = 256, CERT_NAMES = 512 };

struct tls_cert {
    char subject[CERT_TEXT]; /* "CN=sip.contoso.com,O=Contoso": RFC 2253, cut to fit */
    char issuer[CERT_TEXT];
    char common[CERT_TEXT]; /* CN alone; "" = none */
    char names[CERT_NAMES]; /* DNS names and addresses of its SAN, "a,b,c"; the last ones missing
                               if they do not fit */
    tick_t not_before, not_after;
    uint8_t key_id[32]; /* as tls_private_id(): SHA-256 of the public key */
    bool rsa;
};

/* False: no certificate that libcrypto reads. */
bool tls_cert_read(struct slice der, struct tls_cert *out);
/* Does it name this host, by SAN or (without one) by CN? Wildcards as in RFC 6125. */
bool tls_cert_names_host(struct slice der, struct slice host);

#endif
