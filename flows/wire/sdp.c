/* SDP bodies, line by line. A line that makes no sense is skipped: the next one may be the
 * candidate. */
#include "flows/wire/sdp.h"

#include "flows/wire/headers.h"

/* Where the walk is. */
struct place {
    struct sdp *out;
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

static bool next_line(struct slice *rest, uint8_t end, struct slice *line)
{
    if (rest->n == 0)
        return false;
    struct slice l = slice_before(*rest, end);
    *rest = slice_from(*rest, l.n + (l.n < rest->n));
    while (l.n && l.p[l.n - 1] <= ' ')
        l.n--;
    *line = l;
    return true;
}

static bool is_sdp_line(struct slice line)
{
    return line.n >= 2 && line.p[1] == '=' && line.p[0] >= 'a' && line.p[0] <= 'z';
}

static struct slice take_word(struct slice *s)
{
    *s = slice_trim(*s);
    struct slice w = slice_before(*s, ' ');
    *s = slice_from(*s, w.n);
    return w;
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
static struct addr conn_of(struct slice value)
{
    struct addr a = {0};
    (void)take_word(&value);
    (void)take_word(&value);
    if (!addr_parse(slice_before(take_word(&value), '/'), &a) || addr_none(&a))
        return (struct addr){0};
    return a;
}

/* "- 0 0 IN IP4 2.2.2.2" */
static struct addr origin_of(struct slice value)
{
    for (int i = 0; i < 3; i++)
        (void)take_word(&value);
    return conn_of(value);
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
static void take_media(struct place *at, struct slice value)
{
    open_media(at);
    at->implicit = false;
    if (!at->media)
        return;
    at->media->kind = take_word(&value);
    at->media->port = port_of(take_word(&value));
    at->media->proto = take_word(&value);
    at->media->tcp = slice_starts(at->media->proto, "TCP");
}

/* ---- attributes ---- */

/* Components 1 and 2 of one MS-ICE2 candidate: 0x201 apart (P§2.4). */
static bool ms_priorities(const struct candidate *a, const struct candidate *b)
{
    return a->priority - b->priority == 0x201 && a->component + 1 == b->component &&
           slice_eq(a->foundation, b->foundation);
}

static void take_candidate(struct place *at, struct slice value)
{
    struct sdp *out = at->out;
    struct sdp_media *m = media_here(at);
    if (!m || out->n_candidates == SDP_MAX_CANDIDATES) {
        out->dropped_candidates++;
        return;
    }
    struct candidate *k = &out->candidates[out->n_candidates];
    if (candidate_parse(value, k, NULL) != WIRE_OK) {
        out->bad_candidates++;
        return;
    }
    out->n_candidates++;
    m->n_candidates++;
    if (k->dialect == DIALECT_MS_ICE2 || (m->n_candidates > 1 && ms_priorities(k - 1, k)))
        at->ms = true;
}

/* 1*( <component> <address> <port> ), or a user name in the legacy dialect */
static void take_remote(struct place *at, struct slice value)
{
    struct sdp_media *m = media_here(at);
    struct endpoint e = {0};
    if (!m)
        return;
    m->remote_candidates = true;
    (void)take_word(&value);
    if (!endpoint_none(&m->remote1) || !addr_parse(take_word(&value), &e.addr))
        return;
    e.port = port_of(take_word(&value));
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

static void take_ice_options(struct place *at, struct slice value)
{
    while (value.n)
        if (slice_is(take_word(&value), "trickle"))
            at->out->trickle = true;
}

/* Attributes that only a medium has. */
static void take_media_attribute(struct sdp_media *m, struct slice name, struct slice value)
{
    switch (name.p[0]) {
    case 'c':
        m->crypto = m->crypto || slice_is(name, "crypto");
        break;
    case 'l':
        if (slice_is(name, "label"))
            m->label = value;
        break;
    case 'r':
        if (slice_is(name, "rtcp"))
            m->rtcp_port = port_of(value);
        break;
    default:
        break;
    }
}

static void take_attribute(struct place *at, struct slice attribute)
{
    struct slice name = slice_before(attribute, ':');
    struct slice value = slice_from(attribute, name.n + (name.n < attribute.n));
    if (!name.n)
        return;
    if (slice_is(name, "candidate") || slice_is(name, "x-candidate-ipv6"))
        take_candidate(at, value);
    else if (slice_is(name, "ice-ufrag"))
        take_ufrag(at, slice_trim(value));
    else if (slice_is(name, "remote-candidates") || slice_is(name, "remote-candidate"))
        take_remote(at, value);
    else if (slice_is(name, "ice-lite"))
        at->out->ice_lite = true;
    else if (slice_is(name, "ice-options"))
        take_ice_options(at, value);
    else if (slice_is(name, "mid"))
        take_mid(at, slice_trim(value));
    else if (slice_is(name, "end-of-candidates"))
        take_end(at);
    else if (at->media)
        take_media_attribute(at->media, name, slice_trim(value));
}

static void take_conn(struct place *at, struct slice value)
{
    if (at->media)
        at->media->conn = conn_of(value);
    else if (!at->dropping)
        at->session_conn = conn_of(value);
}

static void take_line(struct place *at, struct slice line)
{
    struct slice value = slice_from(line, 2);
    switch (line.p[0]) {
    case 'a':
        take_attribute(at, value);
        break;
    case 'c':
        take_conn(at, value);
        break;
    case 'm':
        take_media(at, value);
        break;
    case 'o':
        at->out->origin = origin_of(value);
        break;
    default:
        break;
    }
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
    struct place at = {.out = out};
    struct slice line, rest = body;
    uint8_t end = line_end_of(body);

    do {
        if (!next_line(&rest, end, &line))
            return wire_bad(fault, "no SDP line", 0);
    } while (!is_sdp_line(line));

    clear(out);
    do {
        if (is_sdp_line(line))
            take_line(&at, line);
    } while (next_line(&rest, end, &line));
    if (at.session_end && out->n_media == 0) /* a fragment that only says: no more */
        open_media(&at);
    close_media(&at);
    return WIRE_OK;
}
