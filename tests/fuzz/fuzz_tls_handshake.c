/* Every handshake parser on the same bytes: whatever they say, slices lie inside the input. */
#include <stdlib.h>

#include "flows/wire/tls_handshake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice whole;

static void inside(struct slice s)
{
    if (s.n && (s.p < whole.p || s.p + s.n > whole.p + whole.n))
        abort();
}

static void hello(const struct tls_hello *h)
{
    inside(h->session);
    inside(h->suites);
    inside(h->sni);
    inside(h->alpn);
    inside(h->ticket);
    if (h->session.n > 32)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tls_message m;
    struct tls_hello h;
    struct tls_alert a;
    struct slice s;
    struct wire_fault fault;
    uint8_t random[TLS_RANDOM];
    size_t used;
    whole = slice_of(data, size);
    if (tls_message_parse(whole, &m, &fault) == WIRE_OK) {
        inside(m.body);
        if (m.size != m.body.n + TLS_MESSAGE_HEADER || m.size > size)
            abort();
    }
    if (tls_client_hello_parse(whole, &h, &fault) == WIRE_OK)
        hello(&h);
    if (tls_server_hello_parse(whole, &h, &fault) == WIRE_OK)
        hello(&h);
    if (tls_old_hello_parse(whole, random, &h, &used, &fault) == WIRE_OK) {
        hello(&h);
        if (used > size)
            abort();
    }
    for (int tls13 = 0; tls13 < 2; tls13++)
        if (tls_certificates_parse(whole, tls13, &s, &fault) == WIRE_OK)
            inside(s);
    if (tls_new_ticket_parse(whole, &s, &fault) == WIRE_OK)
        inside(s);
    if (tls_client_key_parse(whole, TLS_12, &s, &fault) == WIRE_OK)
        inside(s);
    if (tls_extensions_parse(whole, &h, &fault) == WIRE_OK)
        hello(&h);
    (void)!tls_alert_parse(whole, &a, &fault);
    return 0;
}
