/*
 * One ICE candidate line, in every dialect. A single walk over its words: millions of these lines
 * are read, so numbers are made by hand while walking.
 */
#include "flows/wire/sdp.h"

#include "flows/wire/headers.h"

/* The transport word as written; CAND_* and more */
enum { WORD_TCP = CAND_TCP_SO + 1, WORD_OTHER };

const char *cand_transport_name(uint8_t t)
{
    static const char *const names[] = {"UDP", "TCP-PASS", "TCP-ACT", "TCP-SO"};
    return t <= CAND_TCP_SO ? names[t] : "";
}

const char *cand_type_name(uint8_t t)
{
    static const char *const names[] = {"host", "srflx", "prflx", "relay"};
    return t < CAND_TYPE_UNKNOWN ? names[t] : NULL;
}

const char *cand_dialect_name(uint8_t d)
{
    static const char *const names[] = {"ms-ice", "ms-ice2", "rfc5245", "rfc6544", "default"};
    return d <= DIALECT_DEFAULT ? names[d] : "";
}

/* The first byte up to a space, or end. */
static inline const uint8_t *word_end(const uint8_t *p, const uint8_t *end)
{
    while (end - p >= 8) {
        uint64_t marks = text_below(text_word(p), ' ' + 1);
        if (marks)
            return p + text_first(marks);
        p += 8;
    }
    while (p<end && * p> ' ')
        p++;
    return p;
}

/* Next word; empty at the end. */
static inline struct slice next_word(struct cursor *c)
{
    const uint8_t *p = c->p;
    while (p < c->end && *p <= ' ')
        p++;
    const uint8_t *from = p;
    c->p = word_end(p, c->end);
    return slice_of(from, (size_t)(c->p - from));
}

/* "0.830" is 830 */
static bool fraction(struct slice w, uint32_t *out)
{
    uint32_t n = 0, digit;
    size_t i = 0, decimals = 0;
    for (; i < w.n && i < 4 && w.p[i] != '.'; i++) {
        if (!slice_decimal(slice_of(w.p + i, 1), 9, &digit))
            return false;
        n = n * 10 + digit;
    }
    if (i == 0 || (i < w.n && w.p[i] != '.'))
        return false;
    for (i++; decimals < 3; i++, decimals++) {
        digit = 0;
        if (i < w.n && !slice_decimal(slice_of(w.p + i, 1), 9, &digit))
            return false;
        n = n * 10 + digit;
    }
    *out = n;
    return true;
}

static unsigned transport_of(struct slice w)
{
    switch (w.n) {
    case 3:
        return slice_is(w, "UDP") ? CAND_UDP : slice_is(w, "TCP") ? WORD_TCP : WORD_OTHER;
    case 6:
        return slice_is(w, "TCP-SO") ? CAND_TCP_SO : WORD_OTHER;
    case 7:
        return slice_is(w, "TCP-ACT") ? CAND_TCP_ACT : WORD_OTHER;
    case 8:
        return slice_is(w, "TCP-PASS") ? CAND_TCP_PASS : WORD_OTHER;
    default:
        return WORD_OTHER;
    }
}

static uint8_t type_of(struct slice w)
{
    switch (w.n ? ascii_lower(w.p[0]) : 0) {
    case 'h':
        return slice_is(w, "host") ? CAND_HOST : CAND_TYPE_UNKNOWN;
    case 'r':
        return slice_is(w, "relay") ? CAND_RELAY : CAND_TYPE_UNKNOWN;
    case 's':
        return slice_is(w, "srflx") ? CAND_SRFLX : CAND_TYPE_UNKNOWN;
    default:
        return slice_is(w, "prflx") ? CAND_PRFLX : CAND_TYPE_UNKNOWN;
    }
}

/* Type preference in the top byte (P§2.4), for a line that was cut off before "typ". */
static uint8_t type_of_priority(uint32_t priority)
{
    switch (priority >> 24) {
    case 126:
        return CAND_HOST;
    case 110:
        return CAND_PRFLX;
    case 100:
        return CAND_SRFLX;
    case 0:
        return CAND_RELAY;
    default:
        return CAND_TYPE_UNKNOWN;
    }
}

/* A host name: letters, digits, dots and dashes, with a letter in the last label. */
static bool is_name(struct slice w)
{
    bool letter = false;
    for (size_t i = 0; i < w.n; i++) {
        uint8_t c = ascii_lower(w.p[i]);
        if (c >= 'a' && c <= 'z')
            letter = true;
        else if (c == '.')
            letter = false;
        else if (!(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return letter;
}

/* <address> SP <port> */
static const char *read_base(struct cursor *c, struct candidate *k)
{
    struct slice address = next_word(c);
    uint32_t port;
    if (!addr_parse(address, &k->at.addr)) {
        if (!is_name(address))
            return "candidate address";
        k->name = address;
    }
    if (!slice_decimal(next_word(c), 65535, &port))
        return "candidate port";
    k->at.port = (uint16_t)port;
    return NULL;
}

/* tcptype (RFC 6544 §4.5). A word that is none of the three leaves what the port suggests. */
static void take_tcptype(struct candidate *k, struct slice w)
{
    if (k->dialect != DIALECT_RFC6544)
        return;
    if (slice_is(w, "active"))
        k->transport = CAND_TCP_ACT;
    else if (slice_is(w, "passive"))
        k->transport = CAND_TCP_PASS;
    else if (slice_is(w, "so"))
        k->transport = CAND_TCP_SO;
}

/* "name value" pairs behind the port. A pair that is cut off or makes no sense is skipped. */
static void read_extensions(struct cursor *c, struct candidate *k)
{
    bool typ = false;
    uint32_t rport = 0;
    for (;;) {
        struct slice name = next_word(c), value = next_word(c);
        if (!value.n)
            break;
        switch (name.n) {
        case 3:
            if (slice_is(name, "typ")) {
                k->type = type_of(value);
                typ = true;
            }
            break;
        case 5:
            if (slice_is(name, "raddr"))
                (void)addr_parse(value, &k->related.addr);
            else if (slice_is(name, "rport"))
                (void)slice_decimal(value, 65535, &rport);
            else if (slice_is(name, "ufrag"))
                k->ufrag = value;
            break;
        case 7:
            if (slice_is(name, "tcptype"))
                take_tcptype(k, value);
            break;
        default:
            break;
        }
    }
    if (!typ)
        k->type = type_of_priority(k->priority);
    if (addr_none(&k->related.addr)) /* 0.0.0.0 hides it (RFC 8828) */
        k->related = (struct endpoint){0};
    else
        k->related.port = (uint16_t)rport;
}

/* <priority> SP <address> SP <port> ... of the RFC and MS-ICE2 forms */
static const char *read_rfc(struct cursor *c, struct slice priority, unsigned transport,
                            struct candidate *k)
{
    if (!slice_decimal(priority, UINT32_MAX, &k->priority))
        return "candidate priority";
    const char *fault = read_base(c, k);
    if (fault)
        return fault;
    if (transport == WORD_TCP) { /* without tcptype: nobody listens on the discard port */
        k->dialect = DIALECT_RFC6544;
        k->transport = k->at.port == 0 || k->at.port == 9 ? CAND_TCP_ACT : CAND_TCP_PASS;
    } else {
        k->dialect = transport == CAND_UDP ? DIALECT_RFC5245 : DIALECT_MS_ICE2;
        k->transport = (uint8_t)transport;
    }
    read_extensions(c, k);
    return NULL;
}

static const char *read_legacy(struct cursor *c, unsigned transport, struct candidate *k)
{
    if (transport != CAND_UDP && transport != WORD_TCP)
        return "candidate transport";
    k->dialect = DIALECT_MS_ICE;
    k->type = CAND_TYPE_UNKNOWN;
    k->transport = transport == CAND_UDP ? CAND_UDP : CAND_TCP_PASS;
    if (!fraction(next_word(c), &k->priority))
        return "candidate priority";
    return read_base(c, k);
}

enum wire_result candidate_parse(struct slice value, struct candidate *out,
                                 struct wire_fault *fault)
{
    struct candidate k = {0};
    struct cursor c = cursor_on(value);
    uint32_t component;

    k.foundation = next_word(&c);
    if (!slice_decimal(next_word(&c), 999, &component))
        return wire_bad(fault, "candidate component", (size_t)(c.p - value.p));
    k.component = (uint16_t)component;

    struct slice third = next_word(&c), fourth = next_word(&c);
    unsigned transport = transport_of(third);
    const char *wrong = transport == WORD_OTHER ? read_legacy(&c, transport_of(fourth), &k)
                                                : read_rfc(&c, fourth, transport, &k);
    if (wrong)
        return wire_bad(fault, wrong, (size_t)(c.p - value.p));
    *out = k;
    return WIRE_OK;
}
