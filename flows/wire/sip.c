/*
 * SIP messages: start line, headers, body. One walk over the head's lines; a line is looked at only
 * if the first letter of its name is one that matters, and split only if the first eight letters
 * are.
 */
#include "flows/wire/sip.h"

#include "flows/wire/headers.h"

enum {
    MAX_METHOD = 32,
    MAX_START_LINE = 8192, /* a stream without line end is given up after this */
    MAX_LENGTH_DIGITS = 9, /* of Content-Length: a body of a gigabyte is a damaged number */
};

#define WORD(s)                             \
    {                                       \
        (const uint8_t *)(s), sizeof(s) - 1 \
    }

static const struct slice method_words[SIP_METHODS] = {
    [SIP_NO_METHOD] = WORD(""),
    [SIP_INVITE] = WORD("INVITE"),
    [SIP_ACK] = WORD("ACK"),
    [SIP_BYE] = WORD("BYE"),
    [SIP_CANCEL] = WORD("CANCEL"),
    [SIP_UPDATE] = WORD("UPDATE"),
    [SIP_PRACK] = WORD("PRACK"),
    [SIP_OPTIONS] = WORD("OPTIONS"),
    [SIP_REGISTER] = WORD("REGISTER"),
    [SIP_INFO] = WORD("INFO"),
    [SIP_SUBSCRIBE] = WORD("SUBSCRIBE"),
    [SIP_NOTIFY] = WORD("NOTIFY"),
    [SIP_REFER] = WORD("REFER"),
    [SIP_MESSAGE] = WORD("MESSAGE"),
    [SIP_PUBLISH] = WORD("PUBLISH"),
    [SIP_SERVICE] = WORD("SERVICE"),
    [SIP_NEGOTIATE] = WORD("NEGOTIATE"),
    [SIP_BENOTIFY] = WORD("BENOTIFY"),
    [SIP_OTHER_METHOD] = WORD("OTHER"),
};

static const struct slice version = WORD("SIP/2.0");

const char *sip_method_name(enum sip_method m)
{
    return (const char *)method_words[m < SIP_METHODS ? m : SIP_NO_METHOD].p;
}

static enum sip_method method_of(struct slice word)
{
    for (unsigned m = SIP_INVITE; m < SIP_OTHER_METHOD; m++)
        if (slice_eq(word, method_words[m]))
            return (enum sip_method)m;
    return word.n ? SIP_OTHER_METHOD : SIP_NO_METHOD;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* RFC 3261 §25.1 token, without the marks that no method uses */
static bool is_token(uint8_t c)
{
    return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || is_digit(c) || c == '-' ||
           c == '_' || c == '.' || c == '+' || c == '!' || c == '*';
}

static struct slice token_of(struct slice s)
{
    size_t n = 0;
    while (n < s.n && is_token(s.p[n]))
        n++;
    return slice_of(s.p, n);
}

/* ---- start line ---- */

/* "SIP/2.0 200 OK", "SIP/2.0 183" */
static bool status_line(struct slice line, struct sip_msg *m)
{
    size_t at = version.n + 1;
    if (line.n < at + 3 || !slice_eq(slice_of(line.p, version.n), version) ||
        line.p[version.n] != ' ')
        return false;
    const uint8_t *d = line.p + at;
    if (d[0] < '1' || d[0] > '6' || !is_digit(d[1]) || !is_digit(d[2]))
        return false;
    if (line.n > at + 3 && !header_is_space(d[3]))
        return false;
    m->status = (d[0] - '0') * 100 + (d[1] - '0') * 10 + (d[2] - '0');
    m->reason = slice_trim(slice_from(line, at + 3));
    return true;
}

/* METHOD SP URI SP "SIP/2.0" */
static bool request_line(struct slice line, struct sip_msg *m)
{
    struct slice method = token_of(line);
    line = slice_trim(line);
    if (!method.n || method.n > MAX_METHOD || line.n < method.n + 3 + version.n ||
        line.p[method.n] != ' ')
        return false;
    size_t uri_end = line.n - version.n - 1;
    if (line.p[uri_end] != ' ' || !slice_eq(slice_from(line, uri_end + 1), version))
        return false;
    m->request = true;
    m->method_text = method;
    m->method = method_of(method);
    m->uri = slice_trim(slice_between(line.p + method.n, line.p + uri_end));
    return m->uri.n > 0;
}

/* A NUL in it: not text, or damaged text */
static bool start_line(struct slice line, struct sip_msg *m)
{
    if (line.n && memchr(line.p, 0, line.n))
        return false;
    return status_line(line, m) || request_line(line, m);
}

/* Can bytes without a line end grow into a start line? */
static bool may_start(struct slice part)
{
    if (part.n > MAX_START_LINE)
        return false;
    size_t n = part.n < version.n ? part.n : version.n;
    if (memcmp(part.p, version.p, n) == 0)
        return true;
    struct slice method = token_of(part);
    return method.n && method.n <= MAX_METHOD && (method.n == part.n || part.p[method.n] == ' ');
}

static void skip_keepalives(struct cursor *c)
{
    while (c->p < c->end && (*c->p == '\r' || *c->p == '\n'))
        c->p++;
}

/* Start line at the cursor, into m. MORE: no line end yet. */
static enum wire_result read_start(struct cursor *c, struct sip_msg *m)
{
    struct slice line;
    if (head_plain_line(c, &line) != HEAD_CUT)
        return start_line(line, m) ? WIRE_OK : WIRE_BAD;
    return cursor_left(c) == 0 || may_start(cursor_rest(c)) ? WIRE_MORE : WIRE_BAD;
}

enum wire_result sip_looks_like(struct slice in)
{
    struct sip_msg m = {0};
    struct cursor c = cursor_on(in);
    skip_keepalives(&c);
    return read_start(&c, &m);
}

size_t sip_resync(struct slice in, size_t from)
{
    struct sip_msg m = {0};
    struct slice line;
    if (from >= in.n)
        return in.n;
    struct cursor c = cursor_on(slice_from(in, from));
    bool inside_line = from > 0 && in.p[from - 1] != '\n';
    if (inside_line && head_plain_line(&c, &line) == HEAD_CUT)
        return in.n;
    while (cursor_left(&c)) {
        size_t at = (size_t)(c.p - in.p);
        if (head_plain_line(&c, &line) == HEAD_CUT)
            return may_start(cursor_rest(&c)) ? at : in.n;
        if (start_line(line, &m))
            return at;
    }
    return in.n;
}

/* ---- header values ---- */

/* Parameters of a name-addr or addr-spec begin behind the bracket, or at the first semicolon. */
static size_t after_address(struct slice v)
{
    size_t open = v.n && v.p[0] == '<' ? 0 : header_find(v, '<', ';');
    if (open < v.n && v.p[open] == '<')
        open += slice_before(slice_from(v, open), '>').n;
    return open;
}

static int64_t length_of(struct slice v)
{
    int64_t n = 0;
    size_t i = 0;
    while (i + 1 < v.n && v.p[i] == '0')
        i++;
    if (v.n == 0 || v.n - i > MAX_LENGTH_DIGITS)
        return -2;
    for (; i < v.n; i++) {
        if (!is_digit(v.p[i]))
            return -2;
        n = n * 10 + (v.p[i] - '0');
    }
    return n;
}

/* "4711 INVITE"; a number that does not fit stays 0 */
static void take_cseq(struct sip_msg *m, struct slice v)
{
    uint64_t n = 0;
    size_t i = 0;
    for (; i < v.n && is_digit(v.p[i]); i++)
        n = n > UINT32_MAX ? n : n * 10 + (uint64_t)(v.p[i] - '0');
    m->cseq = n > UINT32_MAX ? 0 : (uint32_t)n;
    if (!m->request) {
        m->method_text = token_of(slice_trim(slice_from(v, i)));
        m->method = method_of(m->method_text);
    }
}

/* The tag of a From or To value. Behind the address comes nearly always just that. */
static struct slice tag_of(struct slice v)
{
    static const char plain[] = ">;tag=";
    const size_t n = sizeof plain - 1;
    struct slice rest = slice_from(v, after_address(v));
    if (rest.n >= n && memcmp(rest.p, plain, n) == 0)
        return header_param_value(slice_from(rest, n));
    return header_param(rest, "tag");
}

static void take_once(struct slice *field, struct slice v)
{
    if (!field->n)
        *field = v;
}

/* The value of a line whose name is all of its first n bytes. False: the name goes on. */
static bool value_behind(struct slice line, size_t n, struct slice *value)
{
    while (n < line.n && header_is_space(line.p[n]))
        n++;
    if (n == line.n || line.p[n] != ':')
        return false;
    const uint8_t *p = line.p + n + 1, *end = line.p + line.n;
    if (p < end && *p == ' ')
        p++;
    *value = slice_between(p, end);
    if (p < end && (*p <= ' ' || end[-1] <= ' ')) /* more white space, at an end or by folding */
        *value = slice_trim(*value);
    return true;
}

/* The value of a line if this is its name. */
static bool value_of(struct slice line, const char *name, struct slice *value)
{
    size_t n = strlen(name);
    return slice_starts(line, name) && value_behind(line, n, value);
}

static void take_long(struct slice *field, struct slice line, const char *name)
{
    struct slice value;
    if (value_of(line, name, &value))
        take_once(field, value);
}

static void take_content(struct sip_msg *m, struct slice line)
{
    struct slice value;
    if (line.n > 8 && ascii_lower(line.p[8]) == 't')
        take_long(&m->content_type, line, "Content-Type");
    else if (m->content_length == -1 && value_of(line, "Content-Length", &value))
        m->content_length = length_of(value);
}

static void take_diag(struct sip_msg *m, struct slice line)
{
    static const char *const names[] = {"ms-diagnostics", "ms-diagnostics-public",
                                        "ms-client-diagnostics"};
    struct slice value;
    for (size_t i = 0; i < sizeof names / sizeof *names && m->n_diag < SIP_MAX_DIAG; i++)
        if (value_of(line, names[i], &value)) {
            m->diag[m->n_diag++] =
                (struct sip_header_ref){slice_of(line.p, strlen(names[i])), value};
            return;
        }
}

/* The lines whose names have eight letters and more, of which the key holds eight. */
static void take_long_header(struct sip_msg *m, uint64_t key, struct slice line)
{
    if (key == TEXT_KEY("content-"))
        take_content(m, line);
    else if (key == TEXT_KEY("user-age"))
        take_long(&m->user_agent, line, "User-Agent");
    else if (key == TEXT_KEY("ms-endpo"))
        take_long(&m->location, line, "ms-endpoint-location-data");
    else if (key == TEXT_KEY("ms-diagn") || key == TEXT_KEY("ms-clien"))
        take_diag(m, line);
    else if (key == TEXT_KEY("ms-conve"))
        take_long(&m->conversation_id, line, "Ms-Conversation-ID");
    else if (key == TEXT_KEY("compress"))
        take_long(&m->compression, line, "Compression");
}

/* The others; compact forms: RFC 3261 §7.3.3. */
static void take_short_header(struct sip_msg *m, uint64_t key, struct slice value)
{
    if (key == TEXT_KEY("from") || key == TEXT_KEY("f"))
        take_once(&m->from, value);
    else if (key == TEXT_KEY("to") || key == TEXT_KEY("t"))
        take_once(&m->to, value);
    else if (key == TEXT_KEY("call-id") || key == TEXT_KEY("i"))
        take_once(&m->call_id, value);
    else if (key == TEXT_KEY("contact") || key == TEXT_KEY("m"))
        take_once(&m->contact, value);
    else if (key == TEXT_KEY("c"))
        take_once(&m->content_type, value);
    else if (key == TEXT_KEY("cseq") && !m->cseq && !(m->method_text.n && !m->request))
        take_cseq(m, value);
    else if (key == TEXT_KEY("l") && m->content_length == -1)
        m->content_length = length_of(value);
}

/* No header that sip_msg keeps begins with another letter. Most lines of a Lync message do. */
static bool letter_matters(uint8_t c)
{
    const uint32_t letters = 1u << ('c' - 'a') | 1u << ('f' - 'a') | 1u << ('i' - 'a') |
                             1u << ('l' - 'a') | 1u << ('m' - 'a') | 1u << ('t' - 'a') |
                             1u << ('u' - 'a');
    uint8_t letter = (uint8_t)((c | 0x20) - 'a');
    return letter < 26 && letters >> letter & 1;
}

static void take_header(struct sip_msg *m, struct slice line)
{
    struct slice value;
    if (!letter_matters(line.p[0]))
        return;
    uint64_t front = text_word_upto(line.p, line.p + line.n);
    uint64_t marks = text_equal(front, ':') | text_below(front, ' ' + 1);
    uint64_t key = text_key(front, marks);
    if (!marks)
        take_long_header(m, key, line);
    else if (value_behind(line, text_first(marks), &value))
        take_short_header(m, key, value);
}

/* ---- message ---- */

static enum wire_result more(struct wire_fault *fault, size_t enough)
{
    if (fault)
        *fault = (struct wire_fault){NULL, enough};
    return WIRE_MORE;
}

/* The slices of a head, moved to where it stands now. */
static void move_head(struct sip_msg *m, const uint8_t *to)
{
    struct slice *const all[] = {&m->method_text,  &m->uri,         &m->reason,
                                 &m->call_id,      &m->from,        &m->to,
                                 &m->contact,      &m->user_agent,  &m->conversation_id,
                                 &m->content_type, &m->compression, &m->location};
    const uint8_t *was = m->head.p;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i]->p)
            all[i]->p = to + (all[i]->p - was);
    for (unsigned i = 0; i < m->n_diag; i++) {
        m->diag[i].name.p = to + (m->diag[i].name.p - was);
        m->diag[i].value.p = to + (m->diag[i].value.p - was);
    }
    m->head.p = to;
}

enum wire_result sip_body(struct slice in, bool datagram, struct sip_msg *m,
                          struct wire_fault *fault)
{
    size_t front = m->size, left = in.n - front;
    size_t want = datagram ? left : 0;
    if (m->content_length >= 0)
        want = (size_t)m->content_length;
    if (want > left && !datagram)
        return more(fault, front + want);
    if (m->head.p + m->head.n != in.p + front)
        move_head(m, in.p + front - m->head.n);
    m->from_tag = tag_of(m->from);
    m->to_tag = tag_of(m->to);
    m->body_cut = want > left;
    m->body = slice_of(in.p + front, m->body_cut ? left : want);
    m->size = front + m->body.n;
    return WIRE_OK;
}

/* What only some heads set. One by one: all 560 bytes at once take longer than a few lines to read.
 */
static void clear_head(struct sip_msg *m)
{
    static const struct slice none;
    m->request = false;
    m->method = SIP_NO_METHOD;
    m->status = 0;
    m->cseq = 0;
    m->n_diag = 0;
    m->content_length = -1;
    m->method_text = m->uri = m->reason = none;
    m->call_id = m->from = m->to = m->contact = none;
    m->user_agent = m->conversation_id = none;
    m->content_type = m->compression = m->location = none;
}

enum wire_result sip_head(struct slice in, bool datagram, struct sip_msg *m,
                          struct wire_fault *fault)
{
    struct cursor c = cursor_on(in);
    struct slice line;
    enum head_line kind;

    clear_head(m);
    skip_keepalives(&c);
    const uint8_t *start = c.p;
    bool capped = cursor_left(&c) > SIP_MAX_HEADER;
    if (capped)
        c.end = start + SIP_MAX_HEADER;

    enum wire_result r = read_start(&c, m);
    if (r == WIRE_BAD || (r == WIRE_MORE && datagram))
        return wire_bad(fault, "not a SIP start line", (size_t)(start - in.p));
    if (r == WIRE_MORE)
        return more(fault, in.n + 1);

    while ((kind = head_next(&c, &line)) == HEAD_FIELD)
        take_header(m, line);
    if (kind == HEAD_CUT) {
        if (capped)
            return wire_bad(fault, "SIP head too long", (size_t)(c.p - in.p));
        if (!datagram)
            return more(fault, in.n + 1);
        c.p = c.end; /* an unfinished last line may lie: it is not used */
    }
    m->head = slice_between(start, c.p);
    m->size = (size_t)(c.p - in.p);
    return WIRE_OK;
}

enum wire_result sip_parse(struct slice in, bool datagram, struct sip_msg *out,
                           struct wire_fault *fault)
{
    struct sip_msg m;
    enum wire_result r = sip_head(in, datagram, &m, fault);
    if (r == WIRE_OK)
        r = sip_body(in, datagram, &m, fault);
    if (r == WIRE_OK)
        *out = m;
    return r;
}
