/* Records of SIP logs: from a log's lines back to the message, and a server's diagnostics. */
#include "flows/wire/siplog.h"

/* ---- kinds of lines ---- */

static bool is_elision(struct slice line)
{
    struct slice s = slice_trim(line);
    return slice_is(s, "...") || slice_is(s, "\xe2\x80\xa6");
}

static bool is_token(uint8_t c)
{
    uint8_t l = ascii_lower(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-.!%*_+`'~", c));
}

/* "Name:", and its value */
static bool is_header(struct slice line, struct slice *name, struct slice *value)
{
    size_t n = 0, at;
    while (n < line.n && is_token(line.p[n]))
        n++;
    for (at = n; at < line.n && (line.p[at] == ' ' || line.p[at] == '\t');)
        at++;
    if (!n || at == line.n || line.p[at] != ':')
        return false;
    *name = slice_of(line.p, n);
    *value = slice_of(line.p + at + 1, line.n - at - 1);
    return true;
}

static bool is_folded(struct slice line)
{
    return line.n && (line.p[0] == ' ' || line.p[0] == '\t') && !siplog_blank(line);
}

static bool is_sdp(struct slice line)
{
    return line.n > 1 && line.p[0] >= 'a' && line.p[0] <= 'z' && line.p[1] == '=';
}

static bool is_first_sdp(struct slice line)
{
    return slice_starts(line, "v=");
}

static bool is_start_line(struct slice line)
{
    struct slice s = line;
    if (slice_starts(line, "SIP/2.0 "))
        return true;
    while (s.n && is_token(*s.p))
        s.p++, s.n--;
    static const char version[] = " SIP/2.0";
    size_t n = sizeof version - 1;
    return s.n > n && s.p > line.p && *s.p == ' ' &&
           slice_ieq(slice_of(line.p + line.n - n, n), slice_of(version, n));
}

/* ---- writing ---- */

enum where { BEFORE, HEAD, BODY };

struct writing {
    uint8_t *out;
    size_t room, n;
    bool full;
    enum where where;
    bool spaced; /* a web copy: each line has an empty one behind it */
    bool typed;  /* Content-Type was there */
    bool sdp;    /* the body is one SDP */
    bool begun;  /* the body's first line came */
    unsigned lines;
};

static void put(struct writing *w, struct slice s)
{
    if (w->full || s.n + 2 > w->room - w->n) {
        w->full = true;
        return;
    }
    if (s.n)
        memcpy(w->out + w->n, s.p, s.n);
    memcpy(w->out + w->n + s.n, "\r\n", 2);
    w->n += s.n + 2;
}

static void body_line(struct writing *w, struct slice line)
{
    if (!w->begun) {
        if (siplog_blank(line))
            return;
        w->begun = true;
        w->sdp = is_first_sdp(line);
        if (w->sdp && !w->typed)
            put(w, slice_str("Content-Type: application/sdp"));
        put(w, slice_of(NULL, 0));
    }
    if (!w->sdp || is_sdp(line))
        put(w, w->sdp ? slice_trim(line) : siplog_blank(line) ? slice_of(NULL, 0) : line);
}

/* Content-Length is left out: line ends and elisions have changed what it counts. */
static void head_field(struct writing *w, struct slice line, struct slice name)
{
    if (slice_is(name, "Content-Length") || slice_is(name, "l"))
        return;
    w->typed |= slice_is(name, "Content-Type") || slice_is(name, "c");
    put(w, line);
}

static void head_line(struct writing *w, struct slice line, bool server)
{
    struct slice name, value;
    if (!w->lines++ && !line.n && !server) {
        w->spaced = true;
        return;
    }
    bool header = is_header(line, &name, &value);
    if (server && header && slice_is(name, "Message-Body")) {
        w->where = BODY;
        value = slice_trim(value);
        if (!slice_is(value, "-"))
            body_line(w, value);
    } else if (header) {
        head_field(w, line, name);
    } else if (is_folded(line)) {
        put(w, line);
    } else if (is_first_sdp(line) || (w->spaced ? !siplog_blank(line) : siplog_blank(line))) {
        w->where = BODY;
        body_line(w, line);
    }
}

static void before_line(struct writing *w, struct slice line, bool server)
{
    struct slice name, value;
    if (server) {
        if (!is_header(line, &name, &value) || !slice_is(name, "Start-Line"))
            return;
        line = value;
    }
    line = slice_trim(line);
    if (!is_start_line(line))
        return;
    put(w, line);
    w->where = HEAD;
}

static void one_line(struct writing *w, struct slice line, bool server)
{
    if (w->where == BEFORE)
        before_line(w, line, server);
    else if (w->where == HEAD)
        head_line(w, line, server);
    else if (line.n || !w->spaced)
        body_line(w, line);
}

enum wire_result siplog_message(struct slice record, bool server, uint8_t *out, size_t room,
                                struct siplog_text *text, struct wire_fault *fault)
{
    struct writing w = {.out = out, .room = room};
    struct siplog_text t = {0};
    struct slice line;
    for (size_t at = 0; siplog_next_line(record, &at, &line);) {
        if (is_elision(line)) {
            t.elided = true;
            continue;
        }
        t.original += line.n + 2;
        one_line(&w, line, server);
    }
    if (w.where == BEFORE)
        return wire_bad(fault, "no SIP start line in the record", 0);
    if (!w.begun)
        put(&w, slice_of(NULL, 0));
    if (w.full)
        return wire_bad(fault, "message too long", record.n);
    t.n = w.n;
    *text = t;
    return WIRE_OK;
}

/* ---- diagnostics ---- */

bool siplog_field(struct slice record, const char *name, struct slice *value)
{
    struct slice line, n, v;
    for (size_t at = 0; siplog_next_line(record, &at, &line);) {
        if (!is_header(line, &n, &v))
            continue;
        if (slice_is(n, name)) {
            *value = slice_trim(v);
            return true;
        }
        if (slice_is(n, "Message-Body"))
            break;
    }
    return false;
}

static bool hex_digit(uint8_t c, uint32_t *out)
{
    uint8_t l = ascii_lower(c);
    if (c >= '0' && c <= '9')
        *out = (uint32_t)(c - '0');
    else if (l >= 'a' && l <= 'f')
        *out = (uint32_t)(l - 'a') + 10;
    else
        return false;
    return true;
}

/* "0xC3E93C0D SIPPROXY_E_CONNECTION_..." */
static void take_result(struct slice s, struct siplog_diag *d)
{
    uint32_t digit;
    size_t n = 2;
    if (!slice_starts(s, "0x")) {
        d->result = s;
        return;
    }
    for (d->code = 0; n < s.n && n < 10 && hex_digit(s.p[n], &digit); n++)
        d->code = d->code << 4 | digit;
    d->has_code = n > 2;
    d->result = slice_trim(slice_of(s.p + n, s.n - n));
}

enum wire_result siplog_diag(struct slice record, struct siplog_diag *out, struct wire_fault *fault)
{
    struct siplog_diag d = {.severity = {0}};
    struct slice result = {0};
    const struct {
        const char *name;
        struct slice *to;
    } fields[] = {
        {"Severity", &d.severity},   {"Text", &d.text},
        {"Result-Code", &result},    {"SIP-Start-Line", &d.start_line},
        {"SIP-Call-ID", &d.call_id}, {"SIP-CSeq", &d.cseq},
        {"Peer", &d.peer},           {"Data", &d.data},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        (void)siplog_field(record, fields[i].name, fields[i].to);
    take_result(result, &d);
    if (!d.text.n && !d.result.n && !d.has_code)
        return wire_bad(fault, "no text and no result code", 0);
    *out = d;
    return WIRE_OK;
}
