/* What a TLS connection has to tell: the row, the sentences of a failure, and what to do so that it
 * can be read. */
#include "flows/tls_link_state.h"

#include <stdarg.h>
#include <stdio.h>

const char *tls_state_name(enum tls_state s)
{
    static const char *const names[TLS_STATES] = {
        [TLS_IN_HANDSHAKE] = "handshake",
        [TLS_FAILED] = "failed",
        [TLS_WAITING] = "waiting",
        [TLS_DECRYPTED] = "decrypted",
        [TLS_NO_KEY] = "no-key",
        [TLS_BAD_MAC] = "bad-mac",
        [TLS_GAP] = "gap",
        [TLS_UNSUPPORTED] = "unsupported",
        [TLS_MID_STREAM] = "mid-stream",
    };
    return names[s];
}

enum tls_state tls_link_state(const struct tls_link *l)
{
    return l->state;
}

bool tls_link_done(const struct tls_link *l)
{
    return l->done;
}

enum tls_failure tls_link_failure(const struct tls_link *l)
{
    return l->failure;
}

tick_t tls_link_waiting(const struct tls_link *l)
{
    return l->waiting;
}

enum stream_side tls_link_client(const struct tls_link *l)
{
    return (enum stream_side)l->client;
}

void *tls_link_owner(const struct tls_link *l)
{
    return l->owner;
}

bool tls_link_has_key(const struct tls_link *l)
{
    return l->has_key || l->source >= 0;
}

/* ---- is it SIP? ---- */

/* "sip.contoso.com", "sipfed.online.lync.com": how its servers are called. */
static bool sip_name(const char *name, size_t n)
{
    struct slice s = slice_of(name, n);
    return slice_starts(s, "sip.") || slice_starts(s, "sipfed.") || slice_starts(s, "sips.") ||
           slice_starts(s, "sipinternal.") || slice_starts(s, "sipexternal.") ||
           slice_starts(s, "sipdir.") || slice_starts(s, "sipalg.");
}

static bool any_sip_name(const char *list)
{
    while (*list) {
        size_t n = strcspn(list, ",");
        if (sip_name(list, n))
            return true;
        list += n + (list[n] != 0);
    }
    return false;
}

bool tls_link_is_sip(const struct tls_link *l)
{
    if (slice_starts(slice_str(l->alpn), "sip") || any_sip_name(l->sni))
        return true;
    for (int i = 0; i < 2; i++)
        if (l->cert[i] && (any_sip_name(l->cert[i]->names) || any_sip_name(l->cert[i]->common)))
            return true;
    return false;
}

bool tls_link_is_other(const struct tls_link *l)
{
    return l->known && (l->sni[0] || l->alpn[0]) && !tls_link_is_sip(l);
}

/* ---- texts ---- */

/* Appends; what does not fit is cut. */
__attribute__((format(printf, 3, 4))) static void add(char *out, size_t room, const char *fmt, ...)
{
    size_t used = strlen(out);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(out + used, room - used, fmt, ap);
    va_end(ap);
}

void tls_link_name(const struct tls_link *l, bool server, char out[TLS_PARTNER])
{
    const struct tls_cert *c = l->cert[server];
    out[0] = 0;
    if (c && c->common[0])
        add(out, TLS_PARTNER, "%s", c->common);
    else if (c && c->names[0])
        add(out, TLS_PARTNER, "%.*s", (int)strcspn(c->names, ","), c->names);
    else if (server && l->sni[0])
        add(out, TLS_PARTNER, "%s", l->sni);
}

static const char *role_name(const struct tls_link *l, unsigned side)
{
    return side == l->client ? "client" : "server";
}

static void alert_text(const struct tls_link *l, char out[64])
{
    const char *name = tls_alert_name(l->alert_code);
    if (l->alert_sealed)
        snprintf(out, 64, "encrypted");
    else if (name)
        snprintf(out, 64, "%s%s (%u)", l->alert_fatal ? "" : "warning ", name, l->alert_code);
    else
        snprintf(out, 64, "%salert %u", l->alert_fatal ? "" : "warning ", l->alert_code);
}

static void cipher_text(const struct tls_link *l, char out[64])
{
    if (l->g.shape.suite)
        snprintf(out, 64, "%s", l->g.shape.suite->name);
    else
        snprintf(out, 64, "0x%04X", l->g.suite);
}

static const char *exchange_text(const struct tls_link *l)
{
    return l->g.shape.suite ? tls_exchange_name((enum tls_exchange)l->g.shape.suite->exchange)
                            : NULL;
}

/* ---- what to do so that it can be read ---- */

static void advice_no_key(const struct tls_link *l, const char *key, char *out)
{
    char name[TLS_PARTNER];
    enum { ROOM = TLS_ADVICE };
    uint8_t x = l->g.shape.suite ? l->g.shape.suite->exchange : EXCHANGE_OTHER;
    tls_link_name(l, true, name);
    if (l->resumed && l->g.shape.version < TLS_13)
        add(out, ROOM,
            "It was resumed from a session whose full handshake was not read. It can be read from "
            "the next full handshake on, or with a key log.");
    else if (x == EXCHANGE_RSA)
        add(out, ROOM,
            "Give the private key of %s (--tls-key): RSA key exchange, so that key opens "
            "it.",
            name[0] ? name : "the server");
    else if (x == EXCHANGE_TLS13)
        add(out, ROOM,
            "TLS 1.3: no private key opens it. Supply a key log of client or server "
            "(--keylog), or import logs (edgewatch import).");
    else if (key)
        add(out, ROOM,
            "This server prefers %s, so %s does not help. Import its logs (edgewatch "
            "import), supply a key log (--keylog), or let it prefer RSA key exchange.",
            tls_exchange_name((enum tls_exchange)x) ? tls_exchange_name((enum tls_exchange)x)
                                                    : "another key exchange",
            key);
    else
        add(out, ROOM,
            "%s key exchange: the server's private key would not help. Supply a key log "
            "(--keylog), or import logs (edgewatch import).",
            tls_exchange_name((enum tls_exchange)x) ? tls_exchange_name((enum tls_exchange)x)
                                                    : "This");
}

static void advice_unsupported(const struct tls_link *l, char *out)
{
    char cipher[64];
    cipher_text(l, cipher);
    if (l->g.compression)
        add(out, TLS_ADVICE, "TLS compression is not read; let the server switch it off.");
    else if (l->g.shape.suite && l->g.shape.suite->cipher == CIPHER_RC4)
        add(out, TLS_ADVICE, "RC4 needs OpenSSL's legacy provider, which is not installed here.");
    else
        add(out, TLS_ADVICE, "%s is not read; let the server prefer another cipher.", cipher);
}

static void advice_text(const struct tls_link *l, const char *key, char out[TLS_ADVICE])
{
    out[0] = 0;
    switch (l->state) {
    case TLS_NO_KEY:
    case TLS_WAITING:
        advice_no_key(l, key, out);
        break;
    case TLS_BAD_MAC:
        add(out, TLS_ADVICE, "The secret from %s does not open it: it is of another connection.",
            l->source >= 0 ? tls_keys_source_name(l->reader->keys, l->source) : "the key log");
        break;
    case TLS_GAP:
        add(out, TLS_ADVICE,
            "Packets are missing from the capture: see health. It can be read "
            "from its next handshake on.");
        break;
    case TLS_UNSUPPORTED:
        advice_unsupported(l, out);
        break;
    case TLS_MID_STREAM:
        add(out, TLS_ADVICE,
            "It began before the capture. It can be read from its next handshake "
            "on: let one of the ends connect again.");
        break;
    case TLS_DECRYPTED:
        if (l->early_unread)
            add(out, TLS_ADVICE,
                "Early data of the client (0-RTT) was not read, or not all of it: no key log has "
                "its "
                "CLIENT_EARLY_TRAFFIC_SECRET, or it was damaged.");
        break;
    default:
        break;
    }
}

/* ---- the row ---- */

static const char *known(const char *s)
{
    return s && s[0] ? s : NULL;
}

static void end_facts(const struct tls_cert *c, struct fact_tls_end *out)
{
    *out = (struct fact_tls_end){.not_before = TICK_NONE, .not_after = TICK_NONE};
    if (c)
        *out = (struct fact_tls_end){known(c->subject), known(c->issuer), known(c->names),
                                     c->not_before, c->not_after};
}

void tls_link_facts(const struct tls_link *l, struct tls_texts *t, struct fact_tls *out)
{
    bool answered = l->g.server_hello || l->handshakes;
    const char *key = NULL;
    *t = (struct tls_texts){.alert = ""};
    if (l->reader->keys)
        key = tls_keys_source_name(l->reader->keys, l->source >= 0 ? l->source : l->key_source);
    if (answered)
        cipher_text(l, t->cipher);
    if (l->alerted)
        alert_text(l, t->alert);
    advice_text(l, key, t->advice);
    snprintf(t->sni, sizeof t->sni, "%s", l->sni);
    snprintf(t->alpn, sizeof t->alpn, "%s", l->alpn);
    snprintf(t->key, sizeof t->key, "%s", key ? key : "");
    *out = (struct fact_tls){
        .first = l->first,
        .last = l->last,
        .hello = l->hello,
        .version = tls_version_name(answered ? l->g.shape.version : l->offered_version),
        .cipher = known(t->cipher),
        .exchange = answered ? exchange_text(l) : NULL,
        .sni = known(t->sni),
        .alpn = known(t->alpn),
        .resumed = (int8_t)(!answered                     ? -1
                            : l->resumed                  ? 1
                            : l->done || l->g.server_cert ? 0
                                                          : -1),
        .mutual = !l->known                                    ? NULL
                  : l->mutual                                  ? "yes"
                  : l->mutual_asked                            ? "asked"
                  : l->g.shape.version == TLS_13 || l->resumed ? NULL
                  : l->g.server_done                           ? "no"
                                                               : NULL,
        .alert = known(t->alert),
        .alert_from = l->alerted ? role_name(l, l->alert_side) : NULL,
        .handshake = l->failure ? "failed"
                     : l->done  ? "done"
                     : l->known ? "unfinished"
                                : NULL,
        .state = tls_state_name(l->state),
        .readable = l->state == TLS_DECRYPTED,
        .key = known(t->key),
        .advice = known(t->advice),
    };
    end_facts(l->cert[0], &out->client_end);
    end_facts(l->cert[1], &out->server_end);
}

/* ---- a failed handshake ---- */

static void complaint(const struct tls_link *l, char out[TLS_DETAIL])
{
    char alert[64];
    alert_text(l, alert);
    add(out, TLS_DETAIL, "the %s sent the alert %s", role_name(l, l->alert_side), alert);
    if (l->alert_sealed)
        return;
    bool server = l->alert_side != l->client;
    const char *whose = server ? "the client's certificate" : "the server's certificate";
    switch (l->alert_code) {
    case 40:
    case 71:
        add(out, TLS_DETAIL, ": no cipher or parameter that both sides accept");
        break;
    case 70:
        add(out, TLS_DETAIL, ": no TLS version that both sides accept (the client offers up to %s)",
            tls_version_name(l->offered_version) ? tls_version_name(l->offered_version) : "none");
        break;
    case 42:
    case 43:
    case 44:
    case 45:
    case 46:
        add(out, TLS_DETAIL, ": it does not accept %s", whose);
        break;
    case 48:
        add(out, TLS_DETAIL, ": it does not know who signed %s", whose);
        break;
    case 112:
        add(out, TLS_DETAIL, ": it does not serve the name %s", l->sni[0] ? l->sni : "asked for");
        break;
    case 116:
        add(out, TLS_DETAIL, ": the client showed no certificate");
        break;
    default:
        if (!server && !l->g.server_hello && !l->handshakes)
            add(out, TLS_DETAIL, "; the server had not answered the ClientHello");
        break;
    }
}

static void day(tick_t t, char out[TICK_TEXT])
{
    tick_text(t, out);
    out[strlen(out) < 10 ? strlen(out) : 10] = 0;
}

/* What a certificate that was shown would be refused for. */
static void certificate_flaws(const struct tls_link *l, unsigned role, char out[TLS_DETAIL])
{
    const struct tls_cert *c = l->cert[role];
    char name[TLS_PARTNER], when[TICK_TEXT];
    if (!c)
        return;
    tls_link_name(l, role == 1, name);
    if (c->not_after != TICK_NONE && l->last > c->not_after) {
        day(c->not_after, when);
        add(out, TLS_DETAIL, "; the %s's certificate (%s) expired on %s",
            role ? "server" : "client", name, when);
    } else if (c->not_before != TICK_NONE && l->last < c->not_before) {
        day(c->not_before, when);
        add(out, TLS_DETAIL, "; the %s's certificate (%s) is not valid before %s",
            role ? "server" : "client", name, when);
    }
    if (role == 1 && l->name_mismatch)
        add(out, TLS_DETAIL,
            "; the client asked for %s, which the server's certificate (%s) does "
            "not name",
            l->sni, name);
}

void tls_link_detail(const struct tls_link *l, char out[TLS_DETAIL])
{
    out[0] = 0;
    switch (l->failure) {
    case TLS_REFUSED_BY_ALERT:
        complaint(l, out);
        break;
    case TLS_NO_ANSWER:
        add(out, TLS_DETAIL,
            l->was_closed ? "the connection was closed without an answer to the "
                            "ClientHello"
                          : "the ClientHello was not answered");
        break;
    case TLS_BROKEN_OFF:
        add(out, TLS_DETAIL,
            "the connection was closed in the middle of the handshake, without an "
            "alert%s",
            l->mutual_asked && !l->mutual ? "; the server had asked for a client certificate, and "
                                            "none was seen"
                                          : "");
        break;
    case TLS_NO_FAILURE:
        return;
    }
    certificate_flaws(l, 1, out);
    certificate_flaws(l, 0, out);
}
