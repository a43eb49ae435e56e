/*
 * Pseudo-TLS: the fake handshake in front of MS-TURN on port 443 (P§1.1), and what a middlebox
 * sends in its place. Declared in framing.h.
 *
 * Hello and answer are fixed but for the random and session id bytes, so each is one template and
 * the ranges that must agree.
 */
#include "flows/wire/framing.h"

enum { RANDOM = 32, TLS_HEADER = 5, HANDSHAKE_HEADER = 4 };
enum { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22 };
enum { SERVER_HELLO = 2, CERTIFICATE = 11, SERVER_HELLO_DONE = 14 };

/* Fixed bytes, random bytes (the first gap), fixed bytes, and so on. */
struct piece {
    const char *bytes;
    size_t n, gap;
};

static const struct piece hello[] = {
    {"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x01", 11, RANDOM},
    {"\x00\x00\x02\x00\x18\x01\x00", 7, 0}, /* no session, suite 0x0018, no compression */
};
static const struct piece answer[] = {
    {"\x16\x03\x01\x00\x4e\x02\x00\x00\x46\x03\x01", 11, RANDOM},
    {"\x20", 1, RANDOM},                    /* session id */
    {"\x00\x18\x00\x0e\x00\x00\x00", 7, 0}, /* suite, no compression, ServerHelloDone */
};

static enum wire_result match(struct slice in, const struct piece *pieces, size_t n,
                              const char *reason, struct wire_fault *fault)
{
    size_t at = 0;
    for (const struct piece *p = pieces; p < pieces + n; p++) {
        for (size_t i = 0; i < p->n; i++, at++) {
            if (at == in.n)
                return WIRE_MORE;
            if (in.p[at] != (uint8_t)p->bytes[i])
                return wire_bad(fault, reason, at);
        }
        if (in.n - at < p->gap)
            return WIRE_MORE;
        at += p->gap;
    }
    return WIRE_OK;
}

enum wire_result pseudo_tls_hello(struct slice in, struct wire_fault *fault)
{
    return match(in, hello, sizeof hello / sizeof *hello, "not the pseudo-TLS hello", fault);
}

enum wire_result pseudo_tls_answer(struct slice in, struct wire_fault *fault)
{
    return match(in, answer, sizeof answer / sizeof *answer, "not the pseudo-TLS answer", fault);
}

/* What the handshake record behind the one with the ServerHello begins with. */
static enum wire_result judge_next_record(struct slice in, enum tls_instead *out)
{
    struct tls_record rec;
    enum wire_result r = tls_record_parse(in, &rec, NULL);
    if (r == WIRE_MORE || (r == WIRE_OK && rec.length && !rec.body.n))
        return WIRE_MORE;
    *out = TLS_OTHER_HELLO;
    if (r == WIRE_OK && rec.type == RECORD_ALERT)
        *out = TLS_ALERT;
    else if (r == WIRE_OK && rec.type == RECORD_HANDSHAKE && rec.length) {
        if (rec.body.p[0] == CERTIFICATE)
            *out = TLS_CERTIFICATE;
        else if (rec.body.p[0] == SERVER_HELLO_DONE)
            *out = TLS_SPLIT_HELLO;
    }
    return WIRE_OK;
}

/* in begins with the handshake record rec, whose first message is a ServerHello of this length. */
static enum wire_result judge_hello(struct slice in, const struct tls_record *rec, size_t length,
                                    enum tls_instead *out)
{
    size_t end = HANDSHAKE_HEADER + length; /* of the ServerHello, in the record */
    if (end > rec->length) {
        *out = TLS_SPLIT_HELLO;
        return WIRE_OK;
    }
    if (rec->body.n < end)
        return WIRE_MORE;
    if (end == rec->length)
        return judge_next_record(slice_of(in.p + TLS_HEADER + end, in.n - TLS_HEADER - end), out);
    if (rec->body.n == end)
        return WIRE_MORE;
    *out = rec->body.p[end] == CERTIFICATE ? TLS_CERTIFICATE : TLS_OTHER_HELLO;
    return WIRE_OK;
}

enum wire_result pseudo_tls_instead(struct slice in, enum tls_instead *out)
{
    struct tls_record rec;
    enum wire_result r = tls_record_parse(in, &rec, NULL);
    if (r == WIRE_MORE)
        return WIRE_MORE;
    if (r == WIRE_OK && rec.type == RECORD_ALERT) {
        *out = TLS_ALERT;
        return WIRE_OK;
    }
    if (r == WIRE_BAD || rec.type != RECORD_HANDSHAKE) {
        *out = TLS_NOT_TLS;
        return WIRE_OK;
    }
    if (rec.length < HANDSHAKE_HEADER) {
        *out = TLS_SPLIT_HELLO;
        return WIRE_OK;
    }
    if (rec.body.n < HANDSHAKE_HEADER)
        return WIRE_MORE;
    if (rec.body.p[0] != SERVER_HELLO) {
        *out = rec.body.p[0] == CERTIFICATE ? TLS_CERTIFICATE : TLS_OTHER_HELLO;
        return WIRE_OK;
    }
    size_t length = (size_t)be32(rec.body.p) & 0xffffff;
    return judge_hello(in, &rec, length, out);
}
