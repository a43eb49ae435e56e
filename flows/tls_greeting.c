/*
 * Handshake messages of one connection, whether they cross in clear or were opened.
 *
 *   full:       ClientHello  ServerHello Certificate [..] Done  ClientKeyExchange CCS  [Ticket] CCS
 *   resumed:    ClientHello  ServerHello [Ticket] CCS  CCS
 *   TLS 1.3:    ClientHello  ServerHello | EncryptedExtensions Certificate Finished | Finished
 *
 * A renegotiation is the same again inside the first one's protection.
 */
#include "flows/tls_link_state.h"
#include "flows/memory.h"

#include <stdlib.h>

/* Text that is safe to store and show. */
static void copy_text(char *out, size_t room, struct slice in)
{
    size_t n = in.n < room - 1 ? in.n : room - 1;
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(in.p[i] >= 0x20 && in.p[i] < 0x7f ? in.p[i] : '?');
    out[n] = 0;
}

static bool take_client_hello(struct tls_link *l, enum stream_side side,
                              const struct tls_hello *from)
{
    struct tls_hello h = *from;
    struct tls_greeting g = {0};
    if (l->known && side != (enum stream_side)l->client)
        return false;
    bool again = l->g.client_hello && !l->g.server_hello; /* after a HelloRetryRequest */
    l->known = true;
    l->client = (uint8_t)side;
    memcpy(g.random[0], h.random, TLS_RANDOM);
    if (h.session.n)
        memcpy(g.offered, h.session.p, h.session.n);
    g.offered_n = (uint8_t)h.session.n;
    g.has_ticket = h.ticket.n && tls_fingerprint(h.ticket, g.ticket);
    g.early_data = h.early_data;
    g.client_hello = true;
    l->g = g;
    if (!l->handshakes && !again) {
        l->offered_version = h.version;
        l->hello = be64(h.random);
        copy_text(l->sni, sizeof l->sni, h.sni);
        copy_text(l->alpn, sizeof l->alpn, h.alpn);
    }
    return true;
}

static bool client_hello(struct tls_link *l, enum stream_side side, struct slice body)
{
    struct tls_hello h;
    return tls_client_hello_parse(body, &h, NULL) == WIRE_OK && take_client_hello(l, side, &h);
}

size_t tls_greeting_old(struct tls_link *l, enum stream_side side, struct slice in, bool *more)
{
    struct tls_hello h;
    uint8_t random[TLS_RANDOM];
    size_t size = 0;
    enum wire_result r = tls_old_hello_parse(in, random, &h, &size, NULL);
    *more = r == WIRE_MORE;
    return r == WIRE_OK && take_client_hello(l, side, &h) ? size : 0;
}

static bool server_hello(struct tls_link *l, enum stream_side side, struct slice body)
{
    struct tls_hello h;
    struct tls_greeting *g = &l->g;
    if (tls_server_hello_parse(body, &h, NULL) != WIRE_OK || !g->client_hello ||
        side == (enum stream_side)l->client)
        return false;
    if (h.retry) {
        l->retried = true;
        return true;
    }
    memcpy(g->random[1], h.random, TLS_RANDOM);
    if (h.session.n)
        memcpy(g->session, h.session.p, h.session.n);
    g->session_n = (uint8_t)h.session.n;
    g->suite = be16(h.suites.p);
    g->shape = (struct tls_shape){tls_suite(g->suite), h.version, h.encrypt_then_mac};
    if (g->shape.suite && !tls_cipher_is_cbc(g->shape.suite->cipher))
        g->shape.encrypt_then_mac = false;
    g->extended_master = h.extended_master;
    g->compression = h.compression;
    g->server_hello = true;
    g->psk = h.psk;
    if (h.alpn.n)
        copy_text(l->alpn, sizeof l->alpn, h.alpn);
    else if (h.version < TLS_13)
        l->alpn[0] = 0; /* offered, not taken up */
    if (h.version == TLS_13) {
        l->resumed = h.psk;
        for (int i = 0; i < 2; i++)
            tls_secrets_epoch(l, (enum stream_side)i, EPOCH_HANDSHAKE);
        g->early_open = g->early_data && h.psk;
        if (!g->early_open)
            tls_early_drop(l);
    }
    return true;
}

static bool certificates(struct tls_link *l, enum stream_side side, struct slice body)
{
    struct slice own;
    struct tls_cert c;
    unsigned role = tls_role(l, side);
    if (tls_certificates_parse(body, l->g.shape.version == TLS_13, &own, NULL) != WIRE_OK)
        return false;
    l->g.server_cert |= role == 1;
    if (!own.n || !tls_cert_read(own, &c))
        return true;
    if (!l->cert[role])
        l->cert[role] = memory_got(malloc(sizeof c));
    if (l->cert[role])
        *l->cert[role] = c;
    if (role == 0)
        l->mutual = true;
    if (role == 1 && l->sni[0])
        l->name_mismatch = !tls_cert_names_host(own, slice_str(l->sni));
    if (role == 1 && l->reader->keys)
        l->has_key = tls_keys_private(l->reader->keys, c.key_id, &l->key_source) != NULL;
    return true;
}

static bool client_key(struct tls_link *l, struct slice body)
{
    struct slice encrypted;
    struct tls_greeting *g = &l->g;
    g->client_key = true;
    if (!g->shape.suite || g->shape.suite->exchange != EXCHANGE_RSA)
        encrypted = slice_of(NULL, 0);
    else if (tls_client_key_parse(body, g->shape.version, &encrypted, NULL) != WIRE_OK)
        return false;
    if (encrypted.n >= sizeof g->encrypted_id) {
        memcpy(g->encrypted_id, encrypted.p, sizeof g->encrypted_id);
        g->has_encrypted_id = true;
    }
    tls_secrets_client_key(l, encrypted);
    return true;
}

static bool new_ticket(struct tls_link *l, struct slice body)
{
    struct slice ticket;
    if (l->g.shape.version == TLS_13)
        return true;
    if (tls_new_ticket_parse(body, &ticket, NULL) != WIRE_OK)
        return false;
    l->g.has_new_ticket = ticket.n && tls_fingerprint(ticket, l->g.new_ticket);
    tls_secrets_remember(l);
    return true;
}

static void encrypted_extensions(struct tls_link *l, struct slice body)
{
    struct tls_hello h;
    if (tls_extensions_parse(body, &h, NULL) != WIRE_OK)
        return;
    copy_text(l->alpn, sizeof l->alpn, h.alpn);
    tls_early_decided(l, h.early_data);
}

static bool finished(struct tls_link *l, enum stream_side side)
{
    struct tls_way *w = &l->way[side];
    w->finished = true;
    if (l->g.shape.version == TLS_13)
        tls_secrets_epoch(l, side, EPOCH_DATA);
    if (l->way[0].finished && l->way[1].finished) {
        l->done = true;
        l->handshakes = l->handshakes < UINT8_MAX ? (uint8_t)(l->handshakes + 1) : UINT8_MAX;
    }
    return true;
}

static bool message(struct tls_link *l, enum stream_side side, const struct tls_message *m)
{
    switch (m->type) {
    case TLS_CLIENT_HELLO:
        l->way[0].finished = l->way[1].finished = false;
        return client_hello(l, side, m->body);
    case TLS_SERVER_HELLO:
        return server_hello(l, side, m->body);
    case TLS_ENCRYPTED_EXTENSIONS:
        encrypted_extensions(l, m->body);
        return true;
    case TLS_END_OF_EARLY_DATA:
        if (l->way[side].epoch == EPOCH_EARLY)
            tls_secrets_epoch(l, side, EPOCH_HANDSHAKE);
        return true;
    case TLS_CERTIFICATES:
        return certificates(l, side, m->body);
    case TLS_CERTIFICATE_REQUEST:
        l->mutual_asked = true;
        return true;
    case TLS_SERVER_DONE:
        l->g.server_done = true;
        return true;
    case TLS_CLIENT_KEY:
        return client_key(l, m->body);
    case TLS_NEW_TICKET:
        return new_ticket(l, m->body);
    case TLS_FINISHED:
        return finished(l, side);
    case TLS_KEY_UPDATE:
        return l->g.shape.version == TLS_13 && tls_secrets_update(l, side);
    default:
        return true;
    }
}

/* Who sent it is known once the ClientHello is read. */
static bool begin_flights(struct tls_link *l, struct slice hello)
{
    l->flight[0].n = l->flight[1].n = 0;
    l->hello_n = hello.n;
    return !l->reader->keys || tls_bytes_add(&l->flight[0], hello, LIMIT_TLS_HANDSHAKE);
}

/* What the extended master secret is made of ends with the ClientKeyExchange; a new ticket comes
 * behind that, whatever the order in the capture (RFC 5077 3.3). */
static bool keep_of_flight(struct tls_link *l, enum stream_side side, const struct tls_message *m,
                           struct slice whole)
{
    if (!l->reader->keys || l->g.client_key || m->type == TLS_HELLO_REQUEST ||
        m->type == TLS_NEW_TICKET)
        return true;
    return tls_bytes_add(&l->flight[tls_role(l, side)], whole, LIMIT_TLS_HANDSHAKE);
}

bool tls_greeting_read(struct tls_link *l, enum stream_side side)
{
    struct tls_bytes *b = &l->way[side].messages;
    struct tls_message m;
    size_t at = 0;
    for (;;) {
        enum wire_result r = tls_message_parse(slice_of(b->p + at, b->n - at), &m, NULL);
        if (r == WIRE_BAD)
            return false;
        if (r == WIRE_MORE)
            break;
        struct slice whole = slice_of(b->p + at, m.size);
        bool hello = m.type == TLS_CLIENT_HELLO;
        if (!hello && !keep_of_flight(l, side, &m, whole))
            return false;
        if (!message(l, side, &m))
            return false;
        if (hello && !begin_flights(l, whole))
            return false;
        at += m.size;
    }
    if (at && b->n > at)
        memmove(b->p, b->p + at, b->n - at);
    b->n -= at;
    return true;
}
