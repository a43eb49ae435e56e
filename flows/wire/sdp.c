/* SDP bodies, line by line. A line that makes no sense is skipped: the next one may be the
 * candidate. */
#include "flows/wire/candidate.h"
#include "flows/wire/headers.h"

/* Where the walk is. */
struct place {
    struct sdp *out;
    const uint8_t *p, *end;  /* what is left of the body */
    const uint8_t *last_gap; /* see struct words */
    uint8_t line_end;        /* LF, or CR */
    struct sdp_media *media; /* NULL: session level, or a medium beyond SDP_MAX_MEDIA */
    bool dropping;           /* in a medium beyond SDP_MAX_MEDIA */
    bool implicit;           /* media[0] of a fragment without m= lines */
    bool ms;                 /* this medium shows signs of MS-ICE2 */
    bool session_end;        /* a=end-of-candidates before any medium: holds for all */
    struct addr session_conn;
    struct slice session_ufrag;
};

/* CR alone ends a line only where there is no LF at all. */
static uint8_t line_end_of(struct slice body)
{
    return body.n && memchr(body.p, '\n', body.n) ? '\n' : '\r';
}

/* The rest of the line, without the white space at its end; moves on to the next one. */
static inline struct slice take_rest(struct place *at)
{
    const uint8_t *from = at->p, *to = memchr(from, at->line_end, (size_t)(at->end - from));
    at->p = to ? to + 1 : at->end;
    if (!to)
        to = at->end;
    while (to > from && to[-1] <= ' ')
        to--;
    return slice_between(from, to);
}

/* The words of a part that reaches to the end of its line. */
static struct words words_at(const struct place *at, struct slice part)
{
    return words_from(part.p, at->last_gap, at->end, at->line_end);
}

static bool is_sdp_line(struct slice line)
{
    return line.n >= 2 && line.p[1] == '=' && line.p[0] >= 'a' && line.p[0] <= 'z';
}

/* Decimal digits at the front, as a port; 0 if none or too large. */
static uint16_t port_of(struct slice s)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
        n = n * 10 + (uint32_t)(s.p[i] - '0');
        if (n > 65535)
            return 0;
    }
    return (uint16_t)n;
}

/* "IN IP4 224.2.1.1/127" */
static struct addr conn_of(struct words w)
{
    struct addr a = {0};
    struct slice word;
    (void)words_next(&w);
    (void)words_next(&w);
    if (!words_addr(&w, &word, &a) && !addr_parse(slice_before(word, '/'), &a))
        return a;
    return addr_none(&a) ? (struct addr){0} : a;
}

/* "- 0 0 IN IP4 2.2.2.2" */
static struct addr origin_of(struct words w)
{
    for (int i = 0; i < 3; i++)
        (void)words_next(&w);
    return conn_of(w);
}

/* ---- media ---- */

/* The end of a medium: MS-ICE2 sends RFC-looking UDP lines, told apart by their company. */
static void close_media(struct place *at)
{
    if (at->media && at->ms)
        for (unsigned i = 0; i < at->media->n_candidates; i++) {
            struct candidate *k = &at->out->candidates[at->media->first_candidate + i];
            if (k->dialect == DIALECT_RFC5245)
                k->dialect = DIALECT_MS_ICE2;
        }
    at->media = NULL;
    at->ms = false;
}

static void open_media(struct place *at)
{
    struct sdp *out = at->out;
    close_media(at);
    at->dropping = out->n_media == SDP_MAX_MEDIA;
    if (at->dropping) {
        out->dropped_media++;
        return;
    }
    at->media = &out->media[out->n_media++];
    *at->media = (struct sdp_media){.conn = at->session_conn,
                                    .ufrag = at->session_ufrag,
                                    .end_of_candidates = at->session_end,
                                    .first_candidate = (uint16_t)out->n_candidates};
}

/* The medium that an attribute of media level belongs to: a fragment has none at first. */
static struct sdp_media *media_here(struct place *at)
{
    if (!at->media && !at->dropping) {
        open_media(at);
        at->implicit = true;
    }
    return at->media;
}

/* m=<kind> <port>[/<n>] <proto> <formats> */
static void take_media(struct place *at, struct words w)
{
    open_media(at);
    at->implicit = false;
    if (!at->media)
        return;
    at->media->kind = words_next(&w).text;
    at->media->port = port_of(words_next(&w).text);
    at->media->proto = words_next(&w).text;
    at->media->tcp = slice_starts(at->media->proto, "TCP");
}

/* ---- attributes ---- */

/* Components 1 and 2 of one MS-ICE2 candidate: 0x201 apart (P§2.4). */
static bool ms_priorities(const struct candidate *a, const struct candidate *b)
{
    return a->priority - b->priority == 0x201 && a->component + 1 == b->component &&
           slice_eq(a->foundation, b->foundation);
}

static void take_candidate(struct place *at, struct words *w)
{
    struct sdp *out = at->out;
    struct sdp_media *m = media_here(at);
    if (!m || out->n_candidates == SDP_MAX_CANDIDATES) {
        out->dropped_candidates++;
        return;
    }
    struct candidate *k = &out->candidates[out->n_candidates];
    if (candidate_read(w, k)) {
        out->bad_candidates++;
        return;
    }
    out->n_candidates++;
    m->n_candidates++;
    if (k->dialect == DIALECT_MS_ICE2 || (m->n_candidates > 1 && ms_priorities(k - 1, k)))
        at->ms = true;
}

/* 1*( <component> <address> <port> ), or a user name in the legacy dialect */
static void take_remote(struct place *at, struct words w)
{
    struct sdp_media *m = media_here(at);
    struct endpoint e = {0};
    struct slice word;
    if (!m)
        return;
    m->remote_candidates = true;
    (void)words_next(&w);
    if (!endpoint_none(&m->remote1) || !words_addr(&w, &word, &e.addr))
        return;
    e.port = port_of(words_next(&w).text);
    m->remote1 = e;
}

/* A fragment without m= lines names its media by mid alone (RFC 8840 §9). */
static void take_mid(struct place *at, struct slice value)
{
    if (at->implicit && at->media && at->media->mid.n)
        open_media(at);
    struct sdp_media *m = media_here(at);
    if (m)
        m->mid = value;
}

static void take_ufrag(struct place *at, struct slice value)
{
    if (at->media)
        at->media->ufrag = value;
    else if (!at->dropping)
        at->session_ufrag = value;
}

static void take_end(struct place *at)
{
    if (at->media)
        at->media->end_of_candidates = true;
    else if (!at->dropping)
        at->session_end = true;
}

static void take_ice_options(struct place *at, struct words w)
{
    struct word word;
    while ((word = words_next(&w)).text.n)
        if (word.key == TEXT_KEY("trickle"))
            at->out->trickle = true;
}

/* What follows the colon, if there is one. */
static struct slice value_of(struct slice attribute)
{
    size_t n = slice_before(attribute, ':').n;
    return slice_from(attribute, n + (n < attribute.n));
}

static struct words words_of_value(const struct place *at, struct slice attribute)
{
    return words_at(at, value_of(attribute));
}

/* Asked once the key of the name fits: not inline, it would be there ten times. */
__attribute__((noinline)) static bool name_is(struct slice attribute, const char *name)
{
    return slice_is(slice_before(attribute, ':'), name);
}

/* Most attributes are none of these, as the key of their name tells. */
static void take_attribute(struct place *at, struct slice attribute)
{
    uint64_t front = text_word_upto(attribute.p, at->end); /* white space ends the line */
    uint64_t key = text_key(front, text_equal(front, ':') | text_below(front, ' ' + 1));
#define NAMED(literal) (key == TEXT_KEY(literal) && name_is(attribute, literal))
    if (NAMED("candidate") || NAMED("x-candidate-ipv6")) {
        struct words words = words_of_value(at, attribute);
        take_candidate(at, &words);
    } else if (NAMED("ice-ufrag")) {
        take_ufrag(at, slice_trim(value_of(attribute)));
    } else if (NAMED("remote-candidates") || NAMED("remote-candidate")) {
        take_remote(at, words_of_value(at, attribute));
    } else if (NAMED("ice-lite")) {
        at->out->ice_lite = true;
    } else if (NAMED("ice-options")) {
        take_ice_options(at, words_of_value(at, attribute));
    } else if (NAMED("mid")) {
        take_mid(at, slice_trim(value_of(attribute)));
    } else if (NAMED("end-of-candidates")) {
        take_end(at);
    } else if (at->media && NAMED("label")) {
        at->media->label = slice_trim(value_of(attribute));
    } else if (at->media && NAMED("crypto")) {
        at->media->crypto = true;
    } else if (at->media && NAMED("rtcp")) {
        at->media->rtcp_port = port_of(slice_trim(value_of(attribute)));
    }
#undef NAMED
}

static void take_conn(struct place *at, struct words w)
{
    if (at->media)
        at->media->conn = conn_of(w);
    else if (!at->dropping)
        at->session_conn = conn_of(w);
}

static void take_line(struct place *at, struct slice line)
{
    struct slice value = slice_from(line, 2);
    switch (line.p[0]) {
    case 'a':
        take_attribute(at, value);
        break;
    case 'c':
        take_conn(at, words_at(at, value));
        break;
    case 'm':
        take_media(at, words_at(at, value));
        break;
    case 'o':
        at->out->origin = origin_of(words_at(at, value));
        break;
    default:
        break;
    }
}

/* Most lines are candidates. Their end is where their words end. */
static bool candidate_line(struct place *at)
{
    static const char start[] = "a=candidate:";
    const size_t n = sizeof start - 1;
    if ((size_t)(at->end - at->p) < n || memcmp(at->p, start, n) != 0)
        return false;
    struct words words = words_from(at->p + n, at->last_gap, at->end, at->line_end);
    take_candidate(at, &words);
    at->p = words.p;
    if (words.p < at->end && *words.p == at->line_end)
        at->p++;
    else
        (void)take_rest(at);
    return true;
}

/* Only the counts are cleared: 40 kB of zeros per body would cost more than most bodies. */
static void clear(struct sdp *out)
{
    out->n_media = out->n_candidates = 0;
    out->origin = (struct addr){0};
    out->ice_lite = out->trickle = false;
    out->bad_candidates = out->dropped_candidates = out->dropped_media = 0;
}

enum wire_result sdp_parse(struct slice body, struct sdp *out, struct wire_fault *fault)
{
    const uint8_t *end = body.p + body.n;
    struct place at = {.out = out,
                       .p = body.p,
                       .end = end,
                       .last_gap = words_last_gap(body.p, end),
                       .line_end = line_end_of(body)};
    struct slice line;

    do {
        if (at.p == at.end)
            return wire_bad(fault, "no SDP line", 0);
        line = take_rest(&at);
    } while (!is_sdp_line(line));

    clear(out);
    take_line(&at, line);
    while (at.p < at.end) {
        if (candidate_line(&at))
            continue;
        line = take_rest(&at);
        if (is_sdp_line(line))
            take_line(&at, line);
    }
    if (at.session_end && out->n_media == 0) /* a fragment that only says: no more */
        open_media(&at);
    close_media(&at);
    return WIRE_OK;
}
