/* SDN messages out of XML, read by expat. */
#include "flows/sdn.h"

#include <expat.h>
#include <stdlib.h>
#include <time.h>

/* Newer versions (and older ones with security fixes) may put off the end of a document until more
 * bytes come, which then would be taken for a part of it. Our pieces are large: we need no delay.
 */
extern XML_Bool XML_SetReparseDeferralEnabled(XML_Parser parser, XML_Bool enabled)
    __attribute__((weak));

enum { TEXT_MAX = 512, DIAG_MAX = 4096, PIECE = 1 << 20 };
/* A parser begins anew with each document, which costs as much as reading some hundred bytes. No
 * message of the SDN API is that short: more documents than this in so few bytes are no messages.
 */
enum { DOCUMENTS = 64, DOCUMENT_LEAST = 256 };

struct text {
    char *p;
    size_t n, room;
};

enum field {
    FIELD_CALL_ID,
    FIELD_CONVERSATION,
    FIELD_CALLER,
    FIELD_CALLEE,
    FIELD_CSEQ,
    FIELD_TIME,
    FIELD_STATUS,
    FIELD_DIAG,
    FIELD_SDP = FIELD_DIAG + SDN_DIAGS,
    FIELDS
};

static const size_t field_room[FIELDS] = {
    [FIELD_CALL_ID] = TEXT_MAX,  [FIELD_CONVERSATION] = TEXT_MAX,
    [FIELD_CALLER] = TEXT_MAX,   [FIELD_CALLEE] = TEXT_MAX,
    [FIELD_CSEQ] = 16,           [FIELD_TIME] = 64,
    [FIELD_STATUS] = 16,         [FIELD_DIAG] = DIAG_MAX,
    [FIELD_DIAG + 1] = DIAG_MAX, [FIELD_DIAG + 2] = DIAG_MAX,
    [FIELD_SDP] = SDN_SDP_MAX,
};

struct sdn {
    XML_Parser xml;
    const char *encoding; /* NULL: as the text says */
    void (*take)(void *arg, const struct sdn_msg *m);
    void *arg;
    char *memory;
    struct text field[FIELDS];
    struct text *current;  /* where text goes, NULL = nowhere */
    unsigned depth, begun; /* begun: depth of the message under way, 0 = none */
    enum sdn_kind kind;
    bool far, cut;      /* inside the callee's end */
    bool parsing, dead; /* since the last document's end; since damage */
    const char *why;
    uint64_t documents;         /* so far */
    uint64_t base, done, ended; /* bytes before this document; given in all; end of the document */
};

/* ---- elements ---- */

static bool is(const char *name, const char *want)
{
    const char *colon = strrchr(name, ':');
    return slice_is(slice_str(colon ? colon + 1 : name), want);
}

static enum sdn_kind kind_of(const char *name)
{
    static const struct {
        const char *name;
        enum sdn_kind kind;
    } kinds[] = {{"Invite", SDN_INVITE},       {"Start", SDN_START}, {"Update", SDN_START},
                 {"StartOrUpdate", SDN_START}, {"Ended", SDN_ENDED}, {"Bye", SDN_ENDED},
                 {"Error", SDN_ERROR}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (is(name, kinds[i].name))
            return kinds[i].kind;
    return SDN_NONE;
}

static struct text *field_of(struct sdn *s, const char *name)
{
    static const struct {
        const char *name;
        enum field field;
    } fields[] = {{"CallId", FIELD_CALL_ID},
                  {"ConversationId", FIELD_CONVERSATION},
                  {"CSEQ", FIELD_CSEQ},
                  {"TimeStamp", FIELD_TIME},
                  {"ResponseCode", FIELD_STATUS},
                  {"MSDiagnostics", FIELD_DIAG},
                  {"MSDiagnosticsPublic", FIELD_DIAG + 1},
                  {"MSDiagnosticsClient", FIELD_DIAG + 2},
                  {"RawSDP", FIELD_SDP}};
    if (is(name, "URI"))
        return &s->field[s->far ? FIELD_CALLEE : FIELD_CALLER];
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (is(name, fields[i].name))
            return &s->field[fields[i].field];
    return NULL;
}

static void add_text(struct sdn *s, struct text *t, const char *p, size_t n)
{
    size_t room = t->room - t->n;
    s->cut |= n > room;
    n = n < room ? n : room;
    memcpy(t->p + t->n, p, n);
    t->n += n;
}

static void message_begin(struct sdn *s)
{
    s->begun = s->depth;
    s->kind = SDN_NONE;
    s->far = s->cut = false;
    for (int i = 0; i < FIELDS; i++)
        s->field[i].n = 0;
}

static void stop(struct sdn *s, const char *why)
{
    s->why = why;
    XML_StopParser(s->xml, XML_FALSE);
}

static void on_start(void *user, const char *name, const char **attributes)
{
    struct sdn *s = user;
    s->current = NULL;
    if (++s->depth > SDN_DEPTH_MAX) {
        stop(s, "elements nested too deep");
        return;
    }
    if (!s->begun) {
        if (is(name, "LyncDiagnostics"))
            message_begin(s);
        return;
    }
    if (s->depth == s->begun + 1 && s->kind == SDN_NONE)
        s->kind = kind_of(name);
    if (is(name, "Caller") || is(name, "From"))
        s->far = false;
    else if (is(name, "Callee") || is(name, "To"))
        s->far = true;
    struct text *t = field_of(s, name);
    if (t && !t->n) /* the first of a kind counts */
        s->current = t;
    for (; t == &s->field[FIELD_STATUS] && *attributes; attributes += 2)
        if (is(attributes[0], "Code") && !t->n)
            add_text(s, t, attributes[1], strlen(attributes[1])), s->current = NULL;
}

static void on_text(void *user, const char *p, int n)
{
    struct sdn *s = user;
    if (s->current)
        add_text(s, s->current, p, (size_t)n);
}

static void on_doctype(void *user, const char *name, const char *system, const char *public,
                       int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    stop(user, "a document type declaration");
}

/* ---- messages ---- */

static struct slice text_of(const struct sdn *s, unsigned field)
{
    return slice_trim(slice_of(s->field[field].p, s->field[field].n));
}

static uint32_t number_of(const struct sdn *s, enum field field)
{
    struct slice t = text_of(s, field);
    uint32_t n = 0;
    if (t.n == 0 || t.n > 9)
        return 0;
    for (size_t i = 0; i < t.n; i++) {
        if (t.p[i] < '0' || t.p[i] > '9')
            return 0;
        n = n * 10 + (uint32_t)(t.p[i] - '0');
    }
    return n;
}

/* n digits at *p, which moves behind them and one of the characters in after; -1 if there are none.
 */
static int digits(const char **p, int n, const char *after)
{
    int v = 0;
    for (int i = 0; i < n; i++, ++*p) {
        if (**p < '0' || **p > '9')
            return -1;
        v = v * 10 + (**p - '0');
    }
    if (!*after)
        return v;
    if (!**p || !strchr(after, **p))
        return -1;
    ++*p;
    return v;
}

/* xs:dateTime: 2016-06-17T16:36:16.0502033Z, or with +02:00 */
static tick_t time_of(const struct sdn *s)
{
    char text[64];
    struct slice t = text_of(s, FIELD_TIME);
    if (t.n >= sizeof text)
        return TICK_NONE;
    memcpy(text, t.p, t.n);
    text[t.n] = 0;
    const char *p = text;
    struct tm tm = {.tm_year = digits(&p, 4, "-") - 1900};
    tm.tm_mon = digits(&p, 2, "-") - 1;
    tm.tm_mday = digits(&p, 2, "T");
    tm.tm_hour = digits(&p, 2, ":");
    tm.tm_min = digits(&p, 2, ":");
    tm.tm_sec = digits(&p, 2, "");
    if (tm.tm_year < 70 || tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
        tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 ||
        tm.tm_sec > 60 || tm.tm_year > 300)
        return TICK_NONE;
    tick_t fraction = 0, unit = TICK_S / 10;
    if (*p == '.')
        for (p++; *p >= '0' && *p <= '9'; p++, unit /= 10)
            fraction += (*p - '0') * unit;
    tick_t zone = 0;
    if (*p == '+' || *p == '-') {
        tick_t sign = *p++ == '+' ? 1 : -1;
        int hours = digits(&p, 2, ":"), minutes = digits(&p, 2, "");
        if (hours < 0 || hours > 14 || minutes < 0 || minutes > 59)
            return TICK_NONE;
        zone = sign * (hours * 60 + minutes) * 60;
    } else if (*p == 'Z') {
        p++;
    }
    return *p ? TICK_NONE : ((tick_t)timegm(&tm) - zone) * TICK_S + fraction;
}

static void message_end(struct sdn *s)
{
    struct sdn_msg m = {.kind = s->kind == SDN_NONE ? SDN_OTHER : s->kind,
                        .call_id = text_of(s, FIELD_CALL_ID),
                        .conversation_id = text_of(s, FIELD_CONVERSATION),
                        .caller = text_of(s, FIELD_CALLER),
                        .callee = text_of(s, FIELD_CALLEE),
                        .sdp = text_of(s, FIELD_SDP),
                        .cseq = number_of(s, FIELD_CSEQ),
                        .status = number_of(s, FIELD_STATUS),
                        .time = time_of(s),
                        .cut = s->cut};
    for (unsigned i = 0; i < SDN_DIAGS; i++)
        m.diag[i] = text_of(s, FIELD_DIAG + i);
    s->begun = 0;
    s->take(s->arg, &m);
}

static void on_end(void *user, const char *name)
{
    struct sdn *s = user;
    (void)name;
    s->current = NULL;
    if (s->begun == s->depth)
        message_end(s);
    if (--s->depth)
        return;
    s->ended = s->base + (uint64_t)XML_GetCurrentByteIndex(s->xml) +
               (uint64_t)XML_GetCurrentByteCount(s->xml);
    XML_StopParser(s->xml, XML_FALSE); /* another document may follow */
}

/* ---- documents ---- */

static void document_begin(struct sdn *s)
{
    if (XML_SetReparseDeferralEnabled)
        XML_SetReparseDeferralEnabled(s->xml, XML_FALSE);
    XML_SetUserData(s->xml, s);
    XML_SetElementHandler(s->xml, on_start, on_end);
    XML_SetCharacterDataHandler(s->xml, on_text);
    XML_SetStartDoctypeDeclHandler(s->xml, on_doctype);
    s->depth = s->begun = 0;
    s->current = NULL;
    s->why = NULL;
    s->ended = 0;
    s->parsing = false;
}

struct sdn *sdn_new(void (*take)(void *arg, const struct sdn_msg *m), void *arg, bool utf8)
{
    struct sdn *s = calloc(1, sizeof *s);
    size_t room = 0, at = 0;
    for (int i = 0; i < FIELDS; i++)
        room += field_room[i];
    if (!s)
        return NULL;
    s->take = take;
    s->arg = arg;
    s->memory = malloc(room);
    s->encoding = utf8 ? "UTF-8" : NULL;
    s->xml = XML_ParserCreate(s->encoding);
    if (!s->memory || !s->xml) {
        sdn_free(s);
        return NULL;
    }
    for (int i = 0; i < FIELDS; at += field_room[i++])
        s->field[i] = (struct text){.p = s->memory + at, .room = field_room[i]};
    document_begin(s);
    return s;
}

void sdn_free(struct sdn *s)
{
    if (!s)
        return;
    if (s->xml)
        XML_ParserFree(s->xml);
    free(s->memory);
    free(s);
}

static void next_document(struct sdn *s)
{
    XML_ParserReset(s->xml, s->encoding);
    document_begin(s);
    s->base = s->done;
    s->documents++;
}

static bool damaged(struct sdn *s, const char **why, uint64_t *offset)
{
    *why = s->why ? s->why : XML_ErrorString(XML_GetErrorCode(s->xml));
    *offset = s->base + (uint64_t)XML_GetCurrentByteIndex(s->xml);
    s->dead = true;
    return false;
}

/* Blank bytes between documents, in UTF-16 as well. */
static bool blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0;
}

static bool push(struct sdn *s, struct slice bytes, const char **why, uint64_t *offset)
{
    while (bytes.n) {
        if (!s->parsing && blank(*bytes.p)) {
            bytes = slice_of(bytes.p + 1, bytes.n - 1);
            s->base = ++s->done;
            continue;
        }
        s->parsing = true;
        size_t n = bytes.n < PIECE ? bytes.n : PIECE;
        bool fine = XML_Parse(s->xml, (const char *)bytes.p, (int)n, 0) != XML_STATUS_ERROR;
        if (!fine && !s->ended)
            return damaged(s, why, offset);
        if (s->ended)
            n = (size_t)(s->ended - s->done);
        s->done += n;
        bytes = slice_of(bytes.p + n, bytes.n - n);
        if (s->ended)
            next_document(s);
        if (s->documents > DOCUMENTS && s->done / DOCUMENT_LEAST < s->documents) {
            s->why = "more documents than its size has room for";
            return damaged(s, why, offset);
        }
    }
    return true;
}

bool sdn_push(struct sdn *s, struct slice bytes, bool last, const char **why, uint64_t *offset)
{
    bool fine = s->dead || push(s, bytes, why, offset);
    if (!last)
        return fine;
    if (fine && !s->dead && s->parsing) {
        s->why = "ends in the middle of an element";
        fine = damaged(s, why, offset);
    }
    s->done = s->base = 0;
    s->dead = false;
    next_document(s);
    s->documents = 0;
    return fine;
}

/* ---- as SIP ---- */

static void take_diags(const struct sdn_msg *m, struct sip_msg *out)
{
    static const char *const names[SDN_DIAGS] = {"ms-diagnostics", "ms-diagnostics-public",
                                                 "ms-client-diagnostics"};
    for (unsigned i = 0; i < SDN_DIAGS; i++)
        if (m->diag[i].n)
            out->diag[out->n_diag++] = (struct sip_header_ref){slice_str(names[i]), m->diag[i]};
}

bool sdn_sip(const struct sdn_msg *m, struct sip_msg *out)
{
    if (m->kind == SDN_NONE || m->kind == SDN_OTHER || !m->call_id.n)
        return false;
    *out = (struct sip_msg){.request = true,
                            .method = SIP_INVITE,
                            .call_id = m->call_id,
                            .conversation_id = m->conversation_id,
                            .from = m->caller,
                            .to = m->callee,
                            .cseq = m->cseq,
                            .content_length = (int64_t)m->sdp.n,
                            .body = m->sdp};
    if (m->sdp.n)
        out->content_type = slice_str("application/sdp");
    take_diags(m, out);
    if (m->kind == SDN_START || (m->kind == SDN_ERROR && m->status >= 300 && m->status < 700)) {
        out->request = false;
        out->status = m->kind == SDN_START ? 200 : (int)m->status;
    } else if (m->kind != SDN_INVITE) {
        out->method = SIP_BYE; /* over, for a reason that has no status */
    }
    return true;
}
