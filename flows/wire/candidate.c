/* One ICE candidate line, in every dialect: a single walk over its words. */
#include "flows/wire/candidate.h"

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

static unsigned transport_of(const struct word *w)
{
    return w->key == TEXT_KEY("udp")        ? CAND_UDP
           : w->key == TEXT_KEY("tcp")      ? WORD_TCP
           : w->key == TEXT_KEY("tcp-so")   ? CAND_TCP_SO
           : w->key == TEXT_KEY("tcp-act")  ? CAND_TCP_ACT
           : w->key != TEXT_KEY("tcp-pass") ? WORD_OTHER
           : w->text.n == 8                 ? CAND_TCP_PASS
                                            : WORD_OTHER;
}

/* The next word; those that nearly all lines have are known at sight. */
static unsigned read_transport(struct words *w)
{
    if (words_skip(w, "TCP-PASS"))
        return CAND_TCP_PASS;
    if (words_skip(w, "TCP-ACT"))
        return CAND_TCP_ACT;
    if (words_skip(w, "UDP"))
        return CAND_UDP;
    struct word word = words_next(w);
    return transport_of(&word);
}

static uint8_t type_of(uint64_t key)
{
    return key == TEXT_KEY("host")    ? CAND_HOST
           : key == TEXT_KEY("relay") ? CAND_RELAY
           : key == TEXT_KEY("srflx") ? CAND_SRFLX
           : key == TEXT_KEY("prflx") ? CAND_PRFLX
                                      : CAND_TYPE_UNKNOWN;
}

/* The word behind "typ". False if there is none. */
static bool read_type(struct words *w, uint8_t *type)
{
    if (words_skip(w, "host")) {
        *type = CAND_HOST;
        return true;
    }
    struct word word = words_next(w);
    if (word.text.n)
        *type = type_of(word.key);
    return word.text.n > 0;
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
static const char *read_base(struct words *w, struct candidate *k)
{
    struct slice address;
    uint32_t port;
    if (!words_addr(w, &address, &k->at.addr)) {
        if (!is_name(address))
            return "candidate address";
        k->name = address;
    }
    if (!words_number(w, 65535, &port))
        return "candidate port";
    k->at.port = (uint16_t)port;
    return NULL;
}

/* tcptype (RFC 6544 §4.5). A word that is none of the three leaves what the port suggests. */
static void take_tcptype(struct candidate *k, uint64_t key)
{
    if (k->dialect != DIALECT_RFC6544)
        return;
    if (key == TEXT_KEY("active"))
        k->transport = CAND_TCP_ACT;
    else if (key == TEXT_KEY("passive"))
        k->transport = CAND_TCP_PASS;
    else if (key == TEXT_KEY("so"))
        k->transport = CAND_TCP_SO;
}

static void read_related(struct words *w, struct candidate *k)
{
    struct slice word;
    if (words_addr(w, &word, &k->related.addr) && addr_none(&k->related.addr))
        k->related.addr = (struct addr){0}; /* 0.0.0.0 hides it (RFC 8828) */
}

/* "name value" pairs behind the port, "typ" first as a rule. A pair that is cut off or makes no
 * sense is skipped. */
static void read_extensions(struct words *w, struct candidate *k)
{
    uint32_t rport = 0;
    bool typ = words_skip(w, "typ") && read_type(w, &k->type);
    while (w->p<w->end && * w->p> ' ') {
        if (words_skip(w, "raddr")) {
            read_related(w, k);
            continue;
        }
        if (words_skip(w, "rport")) {
            (void)words_number(w, 65535, &rport);
            continue;
        }
        struct word name = words_next(w), value;
        if (name.key == TEXT_KEY("typ")) {
            typ |= read_type(w, &k->type);
        } else if (name.key == TEXT_KEY("raddr")) {
            read_related(w, k);
        } else if (name.key == TEXT_KEY("rport")) {
            (void)words_number(w, 65535, &rport);
        } else if ((value = words_next(w)).text.n == 0) {
            break;
        } else if (name.key == TEXT_KEY("ufrag")) {
            k->ufrag = value.text;
        } else if (name.key == TEXT_KEY("tcptype")) {
            take_tcptype(k, value.key);
        }
    }
    if (!typ)
        k->type = type_of_priority(k->priority);
    if (rport && !addr_none(&k->related.addr))
        k->related.port = (uint16_t)rport;
}

/* <priority> SP <address> SP <port> ... of the RFC and MS-ICE2 forms */
static const char *read_rfc(struct words *w, unsigned transport, struct candidate *k)
{
    if (!words_number(w, UINT32_MAX, &k->priority))
        return "candidate priority";
    const char *wrong = read_base(w, k);
    if (wrong)
        return wrong;
    if (transport == WORD_TCP) { /* without tcptype: nobody listens on the discard port */
        k->dialect = DIALECT_RFC6544;
        k->transport = k->at.port == 0 || k->at.port == 9 ? CAND_TCP_ACT : CAND_TCP_PASS;
    } else {
        k->dialect = transport == CAND_UDP ? DIALECT_RFC5245 : DIALECT_MS_ICE2;
        k->transport = (uint8_t)transport;
    }
    read_extensions(w, k);
    return NULL;
}

/* UDP|TCP SP 0.ddd SP <address> SP <port> of the legacy form */
static const char *read_legacy(struct words *w, struct candidate *k)
{
    unsigned transport = read_transport(w);
    if (transport != CAND_UDP && transport != WORD_TCP)
        return "candidate transport";
    k->dialect = DIALECT_MS_ICE;
    k->type = CAND_TYPE_UNKNOWN;
    k->transport = transport == CAND_UDP ? CAND_UDP : CAND_TCP_PASS;
    if (!fraction(words_next(w).text, &k->priority))
        return "candidate priority";
    return read_base(w, k);
}

const char *candidate_read(struct words *w, struct candidate *k)
{
    uint32_t component;
    k->foundation = words_next(w).text;
    k->name = k->ufrag = (struct slice){0};
    k->at = k->related = (struct endpoint){0};
    if (!words_number(w, 999, &component))
        return "candidate component";
    k->component = (uint16_t)component;
    unsigned transport = read_transport(w);
    return transport == WORD_OTHER ? read_legacy(w, k) : read_rfc(w, transport, k);
}

enum wire_result candidate_parse(struct slice value, struct candidate *out,
                                 struct wire_fault *fault)
{
    struct words w = words_of(value);
    struct candidate k;
    const char *wrong = candidate_read(&w, &k);
    if (wrong)
        return wire_bad(fault, wrong, (size_t)(w.p - value.p));
    *out = k;
    return WIRE_OK;
}
