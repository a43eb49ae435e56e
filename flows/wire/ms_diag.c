/* The diagnostics headers of Lync: error id, parameters, MediaDebug blocks. */
#include "flows/wire/ms_diag.h"

#include "flows/wire/headers.h"

/* ---- parameters ---- */

static bool is_gap(uint8_t c)
{
    return c <= ' ' || c == ';';
}

/* Length of the typographic quote U+201C or U+201D at the front of s, else 0. */
static size_t curly_quote(struct slice s)
{
    return s.n >= 3 && s.p[0] == 0xe2 && s.p[1] == 0x80 && (s.p[2] == 0x9c || s.p[2] == 0x9d) ? 3
                                                                                              : 0;
}

/* Text pasted through a word processor: the closing quote may be of either kind. *n: bytes used. */
static struct slice curly_text(struct slice s, size_t *n)
{
    for (size_t i = 3; i < s.n; i++) {
        size_t quote = s.p[i] == '"' ? 1 : curly_quote(slice_from(s, i));
        if (quote) {
            *n = i + quote;
            return slice_of(s.p + 3, i - 3);
        }
    }
    *n = s.n;
    return slice_from(s, 3);
}

static struct slice quoted_text(struct slice s, size_t *n)
{
    *n = header_quoted(s);
    bool closed = *n > 1 && s.p[*n - 1] == '"';
    return slice_of(s.p + 1, *n - 1 - closed);
}

/* Value at the front of s: quoted in some way, or up to the next semicolon. *n: bytes used. */
static struct slice take_value(struct slice s, size_t *n)
{
    if (s.n && s.p[0] == '"')
        return quoted_text(s, n);
    if (curly_quote(s))
        return curly_text(s, n);
    struct slice token = slice_before(s, ';');
    *n = token.n;
    return slice_trim(token);
}

static size_t find2(struct slice s, size_t from, uint8_t a, uint8_t b)
{
    while (from < s.n && s.p[from] != a && s.p[from] != b)
        from++;
    return from;
}

bool ms_diag_param(struct slice params, size_t *pos, struct slice *name, struct slice *value)
{
    size_t i = *pos, used;
    while (i < params.n && is_gap(params.p[i]))
        i++;
    if (i >= params.n)
        return false;
    size_t end = find2(params, i, '=', ';');
    *name = slice_trim(slice_of(params.p + i, end - i));
    *value = slice_of(params.p + end, 0);
    if (end < params.n && params.p[end] == '=') {
        for (end++; end < params.n && params.p[end] <= ' ';)
            end++;
        *value = take_value(slice_from(params, end), &used);
        end = find2(params, end + used, ';', ';');
    }
    *pos = end;
    return true;
}

/* ---- MediaDebug ---- */

bool media_debug_field(struct slice fields, size_t *pos, struct slice *key, struct slice *value)
{
    while (*pos < fields.n) {
        struct slice item = slice_before(slice_from(fields, *pos), ',');
        *pos += item.n + 1;
        struct slice left = slice_before(item, '=');
        *key = slice_trim(left);
        *value = slice_trim(slice_from(item, left.n + (left.n < item.n)));
        if (key->n)
            return true;
    }
    return false;
}

static int hex_digit(uint8_t c)
{
    uint8_t l = ascii_lower(c);
    return c >= '0' && c <= '9' ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/* Up to 32 bits, with or without 0x. Hexadecimal even where no letter occurs. */
static bool hexadecimal(struct slice s, uint32_t *out)
{
    uint64_t n = 0;
    if (slice_starts(s, "0x"))
        s = slice_from(s, 2);
    for (size_t i = 0; i < s.n; i++) {
        int digit = hex_digit(s.p[i]);
        if (digit < 0)
            return false;
        n = n << 4 | (unsigned)digit;
        if (n > UINT32_MAX)
            return false;
    }
    *out = (uint32_t)n;
    return s.n > 0;
}

/* "1.2.3.4:5"; also "1.2.3.4::5". Masked ("x.x.x.x:x") and others are none. */
static struct endpoint site_of(struct slice v)
{
    struct endpoint e = {0};
    uint32_t port;
    if (endpoint_parse(v, &e))
        return e;
    struct slice host = slice_before(v, ':');
    size_t i = host.n;
    while (i < v.n && v.p[i] == ':')
        i++;
    if (slice_decimal(slice_from(v, i), 65535, &port) && addr_parse(host, &e.addr) && port)
        e.port = (uint16_t)port;
    else
        e = (struct endpoint){0};
    return e;
}

static uint16_t port_of(struct slice v)
{
    uint32_t n;
    return slice_decimal(v, 65535, &n) ? (uint16_t)n : 0;
}

/* A location or federation code; -1 if it is not a small number. */
static int8_t code_of(struct slice v)
{
    uint32_t n;
    return slice_decimal(v, INT8_MAX, &n) ? (int8_t)n : (int8_t)-1;
}

static void take_range(struct media_debug *m, struct slice v)
{
    size_t colon = find2(v, 0, ':', '-');
    uint16_t low = port_of(slice_trim(slice_of(v.p, colon)));
    if (colon == v.n || !low)
        return;
    m->port_low = low;
    m->port_high = port_of(slice_trim(slice_from(v, colon + 1)));
}

static void take_relay(struct slice v, struct endpoint *at, bool *has)
{
    *at = site_of(v);
    *has = v.n > 0;
}

static void take_field(struct media_debug *m, struct slice key, struct slice v)
{
    if (slice_is(key, "ICEWarn"))
        m->has_icewarn = hexadecimal(v, &m->icewarn);
    else if (slice_is(key, "ICEWarnEx"))
        m->has_icewarn_ex = hexadecimal(v, &m->icewarn_ex);
    else if (slice_is(key, "LocalSite"))
        m->local_site = site_of(v);
    else if (slice_is(key, "RemoteSite"))
        m->remote_site = site_of(v);
    else if (slice_is(key, "LocalMR"))
        take_relay(v, &m->local_mr, &m->has_local_mr);
    else if (slice_is(key, "RemoteMR"))
        take_relay(v, &m->remote_mr, &m->has_remote_mr);
    else if (slice_is(key, "LocalMRTCPPort"))
        m->local_mrtcp = port_of(v);
    else if (slice_is(key, "RemoteMRTCPPort"))
        m->remote_mrtcp = port_of(v);
    else if (slice_is(key, "PortRange"))
        take_range(m, v);
    else if (slice_is(key, "LocalLocation"))
        m->local_location = code_of(v);
    else if (slice_is(key, "RemoteLocation"))
        m->remote_location = code_of(v);
    else if (slice_is(key, "FederationType"))
        m->federation = code_of(v);
}

/* One "<medium>:k=v,k=v". The medium is what stands before a colon that precedes the first "=". */
static struct media_debug block_of(struct slice text, enum diag_side side)
{
    struct media_debug m = {
        .side = side, .local_location = -1, .remote_location = -1, .federation = -1};
    struct slice first = slice_before(text, '='), key, value;
    struct slice medium = slice_before(first, ':');
    size_t pos = 0;
    m.fields = text;
    if (medium.n < first.n) {
        m.medium = slice_trim(medium);
        m.fields = slice_trim(slice_from(text, medium.n + 1));
    }
    while (media_debug_field(m.fields, &pos, &key, &value))
        take_field(&m, key, value);
    return m;
}

/* Blocks of several media are joined with semicolons. */
static void take_media(struct ms_diag *d, enum diag_side side, struct slice value)
{
    while (value.n && d->n_media < DIAG_MAX_MEDIA) {
        struct slice text = slice_before(value, ';');
        value = slice_from(value, text.n + (text.n < value.n));
        text = slice_trim(text);
        if (text.n)
            d->media[d->n_media++] = block_of(text, side);
    }
}

/* ---- the header ---- */

static void take_param(struct ms_diag *d, struct slice name, struct slice value)
{
    if (slice_is(name, "reason"))
        d->reason = value;
    else if (slice_is(name, "source"))
        d->source = value;
    else if (slice_is(name, "CallerMediaDebug"))
        take_media(d, DIAG_CALLER, value);
    else if (slice_is(name, "CalleeMediaDebug"))
        take_media(d, DIAG_CALLEE, value);
    else if (slice_is(name, "MediaDebug"))
        take_media(d, DIAG_NO_SIDE, value);
}

enum wire_result ms_diag_parse(struct slice value, struct ms_diag *out, struct wire_fault *fault)
{
    struct slice name, v;
    uint32_t code;
    size_t pos = 0, digits = 0, at = 0;
    while (at < value.n && value.p[at] <= ' ')
        at++;
    while (at + digits < value.n && value.p[at + digits] >= '0' && value.p[at + digits] <= '9')
        digits++;
    if (!digits)
        return wire_bad(fault, "diagnostics without an error id", at);
    if (!slice_decimal(slice_of(value.p + at, digits), UINT32_MAX, &code))
        return wire_bad(fault, "diagnostics error id too large", at);
    out->code = code;
    out->reason = out->source = slice_of(NULL, 0);
    out->params = slice_trim(slice_from(value, at + digits));
    out->n_media = 0; /* the blocks themselves, most of the struct, are set one by one */
    while (ms_diag_param(out->params, &pos, &name, &v))
        take_param(out, name, v);
    return WIRE_OK;
}

/* ---- what an id means ---- */

const char *ms_diag_code_text(uint32_t code)
{
    static const struct {
        uint32_t code;
        const char *text;
    } texts[] = {
        {4, "There was not enough bandwidth for the call and no other route."},
        {21, "No media path could be set up; where one of the endpoints is, is not known."},
        {22, "No media path could be set up although both endpoints are internal."},
        {23, "No media path could be set up between an internal and a remote endpoint."},
        {24, "No media path could be set up between two remote endpoints."},
        {7000, "The A/V conferencing server is busy."},
        {7001, "The A/V conferencing server has no NAT traversal service."},
        {7003, "An INVITE of the A/V conferencing server was not answered in time."},
        {7008, "The A/V conferencing server could not read the session description."},
        {7009, "The A/V conferencing server does not support the IPv6 address offered."},
        {51004, "A user ended the call."},
        {51007, "The called side reports its media setup; for information, not an error."},
        {52017, "The encryption levels of the two sides do not match."},
        {52031, "The call ended because no media path could be set up or kept."},
        {52035, "A second instant messaging conversation with the same party was refused."},
        {52063, "The session description is not supported."},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].code == code)
            return texts[i].text;
    if (code >= 25 && code <= 36)
        return "No media path could be set up or kept (federated or mid-call variant).";
    if (code >= 1000 && code <= 1999)
        return "The access proxy could not route, secure or federate the request.";
    return NULL;
}

static bool says(struct slice text, const char *words)
{
    size_t n = strlen(words);
    for (size_t i = 0; i + n <= text.n; i++)
        if (slice_starts(slice_from(text, i), words))
            return true;
    return false;
}

bool ms_diag_is_media_failure(const struct ms_diag *d)
{
    if ((d->code >= 21 && d->code <= 36) || d->code == 52031)
        return true;
    return says(d->reason, "fail") &&
           (says(d->reason, "media connectivity") || says(d->reason, "mid-call media"));
}
