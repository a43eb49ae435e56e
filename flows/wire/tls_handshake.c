/* TLS handshake messages: one walk over nested lists, each cut out by its declared length. */
#include "flows/wire/tls_handshake.h"

enum {
    EXT_SERVER_NAME = 0,
    EXT_ALPN = 16,
    EXT_ENCRYPT_THEN_MAC = 22,
    EXT_EXTENDED_MASTER = 23,
    EXT_TICKET = 35,
    EXT_PSK = 41,
    EXT_EARLY_DATA = 42,
    EXT_VERSIONS = 43,
};

enum { MESSAGE_MAX = 1 << 17 }; /* longer than any certificate list that anyone sends */

/* SHA-256 of "HelloRetryRequest": the random of a ServerHello that asks again (RFC 8446 4.1.3). */
static const uint8_t retry_random[TLS_RANDOM] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

static bool get_u24(struct cursor *c, uint32_t *out)
{
    struct slice s;
    if (!get_slice(c, 3, &s))
        return false;
    *out = (uint32_t)s.p[0] << 16 | be16(s.p + 1);
    return true;
}

/* A list behind its own length. */
static bool get_list8(struct cursor *c, struct slice *out)
{
    struct cursor at = *c;
    uint8_t n;
    if (!get_u8(&at, &n) || !get_slice(&at, n, out))
        return false;
    *c = at;
    return true;
}

static bool get_list16(struct cursor *c, struct slice *out)
{
    struct cursor at = *c;
    uint16_t n;
    if (!get_u16(&at, &n) || !get_slice(&at, n, out))
        return false;
    *c = at;
    return true;
}

static bool get_list24(struct cursor *c, struct slice *out)
{
    struct cursor at = *c;
    uint32_t n;
    if (!get_u24(&at, &n) || !get_slice(&at, n, out))
        return false;
    *c = at;
    return true;
}

static size_t offset_of(const struct cursor *c, struct slice in)
{
    return (size_t)(c->p - in.p);
}

enum wire_result tls_message_parse(struct slice in, struct tls_message *out,
                                   struct wire_fault *fault)
{
    struct cursor c = cursor_on(in);
    struct slice body;
    uint8_t type;
    uint32_t n;
    if (!get_u8(&c, &type))
        return WIRE_MORE;
    if (type > TLS_KEY_UPDATE)
        return wire_bad(fault, "no TLS handshake message", 0);
    if (!get_u24(&c, &n))
        return WIRE_MORE;
    if (n > MESSAGE_MAX)
        return wire_bad(fault, "TLS handshake message of absurd length", 1);
    if (!get_slice(&c, n, &body))
        return WIRE_MORE;
    *out = (struct tls_message){.type = type, .body = body, .size = TLS_MESSAGE_HEADER + n};
    return WIRE_OK;
}

/* ---- extensions ---- */

static struct slice server_name(struct slice value)
{
    struct cursor c = cursor_on(value), names;
    struct slice list, name = {NULL, 0};
    uint8_t type;
    if (!get_list16(&c, &list))
        return slice_of(NULL, 0);
    names = cursor_on(list);
    while (get_u8(&names, &type) && get_list16(&names, &name))
        if (type == 0)
            return name;
    return slice_of(NULL, 0);
}

static struct slice first_protocol(struct slice value)
{
    struct cursor c = cursor_on(value), names;
    struct slice list, name;
    if (!get_list16(&c, &list))
        return slice_of(NULL, 0);
    names = cursor_on(list);
    return get_list8(&names, &name) ? name : slice_of(NULL, 0);
}

/* GREASE (RFC 8701) and drafts are no versions. */
static uint16_t highest_version(struct slice value)
{
    struct cursor c = cursor_on(value), versions;
    struct slice list;
    uint16_t v, highest = 0;
    if (!get_list8(&c, &list))
        return 0;
    versions = cursor_on(list);
    while (get_u16(&versions, &v))
        if (v > highest && v >= SSL_30 && v <= TLS_13)
            highest = v;
    return highest;
}

static void extension(struct tls_hello *h, bool client, uint16_t type, struct slice value)
{
    uint16_t version;
    switch (type) {
    case EXT_SERVER_NAME:
        h->sni = client ? server_name(value) : h->sni;
        break;
    case EXT_ALPN:
        h->alpn = first_protocol(value);
        break;
    case EXT_ENCRYPT_THEN_MAC:
        h->encrypt_then_mac = true;
        break;
    case EXT_EXTENDED_MASTER:
        h->extended_master = true;
        break;
    case EXT_TICKET:
        h->ticket = value;
        break;
    case EXT_PSK:
        h->psk = true;
        break;
    case EXT_EARLY_DATA:
        h->early_data = true;
        break;
    case EXT_VERSIONS:
        version = client ? highest_version(value) : value.n == 2 ? be16(value.p) : 0;
        h->version = version ? version : h->version;
        break;
    default:
        break;
    }
}

/* What follows the fixed part; SSL 3.0 and old clients have nothing there. */
static bool extensions(struct tls_hello *h, bool client, struct cursor *c)
{
    struct slice list, value;
    struct cursor e;
    uint16_t type;
    if (!cursor_left(c))
        return true;
    if (!get_list16(c, &list))
        return false;
    e = cursor_on(list);
    while (cursor_left(&e)) {
        if (!get_u16(&e, &type) || !get_list16(&e, &value))
            return false;
        extension(h, client, type, value);
    }
    return true;
}

/* ---- hellos ---- */

static bool hello_start(struct cursor *c, struct tls_hello *h)
{
    struct slice random;
    if (!get_u16(c, &h->version) || !get_slice(c, TLS_RANDOM, &random) ||
        !get_list8(c, &h->session))
        return false;
    h->random = random.p;
    return h->version >> 8 == 3 && h->session.n <= 32;
}

enum wire_result tls_client_hello_parse(struct slice body, struct tls_hello *out,
                                        struct wire_fault *fault)
{
    struct cursor c = cursor_on(body);
    struct tls_hello h = {0};
    struct slice compressions;
    if (!hello_start(&c, &h))
        return wire_bad(fault, "ClientHello without version, random and session id",
                        offset_of(&c, body));
    if (!get_list16(&c, &h.suites) || h.suites.n < 2 || h.suites.n % 2 ||
        !get_list8(&c, &compressions))
        return wire_bad(fault, "ClientHello without cipher suites", offset_of(&c, body));
    if (!extensions(&h, true, &c))
        return wire_bad(fault, "ClientHello with damaged extensions", offset_of(&c, body));
    *out = h;
    return WIRE_OK;
}

enum wire_result tls_old_hello_parse(struct slice in, uint8_t random[TLS_RANDOM],
                                     struct tls_hello *out, size_t *size, struct wire_fault *fault)
{
    enum { HEAD = 2, FIXED = 11, CHALLENGE_MIN = 16 };
    if ((in.n >= 1 && in.p[0] != 0x80) || (in.n >= 3 && in.p[2] != TLS_CLIENT_HELLO) ||
        (in.n >= 4 && in.p[3] != 3) || (in.n >= 5 && in.p[4] > 3))
        return wire_bad(fault, "no hello of an old client", 0);
    if (in.n < FIXED)
        return WIRE_MORE;
    size_t specs = be16(in.p + 5), session = be16(in.p + 7), challenge = be16(in.p + 9);
    size_t whole = HEAD + (size_t)in.p[1];
    if (specs % 3 || !specs || session > 32 || challenge < CHALLENGE_MIN ||
        challenge > TLS_RANDOM || FIXED + specs + session + challenge != whole)
        return wire_bad(fault, "lengths of an old client's hello that do not add up", 5);
    if (in.n < whole)
        return WIRE_MORE;
    memset(random, 0, TLS_RANDOM);
    memcpy(random + TLS_RANDOM - challenge, in.p + whole - challenge, challenge);
    *out = (struct tls_hello){.version = be16(in.p + 3),
                              .random = random,
                              .session = slice_of(in.p + FIXED + specs, session),
                              .suites = slice_of(in.p + FIXED, specs)};
    *size = whole;
    return WIRE_OK;
}

enum wire_result tls_server_hello_parse(struct slice body, struct tls_hello *out,
                                        struct wire_fault *fault)
{
    struct cursor c = cursor_on(body);
    struct tls_hello h = {0};
    if (!hello_start(&c, &h))
        return wire_bad(fault, "ServerHello without version, random and session id",
                        offset_of(&c, body));
    if (!get_slice(&c, 2, &h.suites) || !get_u8(&c, &h.compression))
        return wire_bad(fault, "ServerHello without a cipher suite", offset_of(&c, body));
    if (!extensions(&h, false, &c))
        return wire_bad(fault, "ServerHello with damaged extensions", offset_of(&c, body));
    h.retry = memcmp(h.random, retry_random, TLS_RANDOM) == 0;
    *out = h;
    return WIRE_OK;
}

/* ---- the rest ---- */

enum wire_result tls_certificates_parse(struct slice body, bool tls13, struct slice *own,
                                        struct wire_fault *fault)
{
    struct cursor c = cursor_on(body), certificates;
    struct slice context, list, first = {NULL, 0};
    if ((tls13 && !get_list8(&c, &context)) || !get_list24(&c, &list))
        return wire_bad(fault, "Certificate message without its list", offset_of(&c, body));
    certificates = cursor_on(list);
    if (list.n && !get_list24(&certificates, &first))
        return wire_bad(fault, "Certificate message with a cut certificate", offset_of(&c, body));
    *own = first;
    return WIRE_OK;
}

enum wire_result tls_new_ticket_parse(struct slice body, struct slice *ticket,
                                      struct wire_fault *fault)
{
    struct cursor c = cursor_on(body);
    struct slice t;
    if (!get_skip(&c, 4) || !get_list16(&c, &t))
        return wire_bad(fault, "NewSessionTicket without a ticket", offset_of(&c, body));
    *ticket = t;
    return WIRE_OK;
}

enum wire_result tls_client_key_parse(struct slice body, uint16_t version, struct slice *encrypted,
                                      struct wire_fault *fault)
{
    struct cursor c = cursor_on(body);
    struct slice e = body;
    if (version > SSL_30 && !get_list16(&c, &e))
        return wire_bad(fault, "ClientKeyExchange shorter than it says", 0);
    *encrypted = e;
    return WIRE_OK;
}

enum wire_result tls_extensions_parse(struct slice body, struct tls_hello *out,
                                      struct wire_fault *fault)
{
    struct cursor c = cursor_on(body);
    struct tls_hello h = {0};
    if (!extensions(&h, false, &c))
        return wire_bad(fault, "EncryptedExtensions are damaged", offset_of(&c, body));
    *out = h;
    return WIRE_OK;
}

enum wire_result tls_alert_parse(struct slice body, struct tls_alert *out, struct wire_fault *fault)
{
    if (body.n != 2 || body.p[0] < 1 || body.p[0] > 2)
        return wire_bad(fault, "no TLS alert", 0);
    *out = (struct tls_alert){.fatal = body.p[0] == 2, .code = body.p[1]};
    return WIRE_OK;
}

const char *tls_version_name(uint16_t version)
{
    static const char *const names[] = {"SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"};
    return version >= SSL_30 && version <= TLS_13 ? names[version - SSL_30] : NULL;
}

const char *tls_alert_name(uint8_t code)
{
    static const char *const names[] = {
        [0] = "close_notify",
        [10] = "unexpected_message",
        [20] = "bad_record_mac",
        [21] = "decryption_failed",
        [22] = "record_overflow",
        [30] = "decompression_failure",
        [40] = "handshake_failure",
        [41] = "no_certificate",
        [42] = "bad_certificate",
        [43] = "unsupported_certificate",
        [44] = "certificate_revoked",
        [45] = "certificate_expired",
        [46] = "certificate_unknown",
        [47] = "illegal_parameter",
        [48] = "unknown_ca",
        [49] = "access_denied",
        [50] = "decode_error",
        [51] = "decrypt_error",
        [60] = "export_restriction",
        [70] = "protocol_version",
        [71] = "insufficient_security",
        [80] = "internal_error",
        [86] = "inappropriate_fallback",
        [90] = "user_canceled",
        [100] = "no_renegotiation",
        [109] = "missing_extension",
        [110] = "unsupported_extension",
        [111] = "certificate_unobtainable",
        [112] = "unrecognized_name",
        [113] = "bad_certificate_status_response",
        [115] = "unknown_psk_identity",
        [116] = "certificate_required",
        [120] = "no_application_protocol",
    };
    return code < sizeof names / sizeof *names ? names[code] : NULL;
}
