/* Records out of lines, messages out of records. */
#include "flows/logbook.h"

#include <stdio.h>
#include <stdlib.h>

#include "flows/limits.h"
#include "flows/sdn.h"
#include "flows/wire/siplog.h"

enum { STAMP = 64, DIAG_VALUE = 1024 };

struct logbook {
    struct calls *calls;
    const char *origin;
    struct logbook_counts counts;
    tick_t clock;    /* of its messages, as they go on */
    struct sdn *sdn; /* the log is XML */
    bool sdn_damaged;
    /* the record under way */
    bool open, server, all_stamped, over;
    enum siplog_mark mark;
    enum siplog_flag flag;
    struct siplog_line head;
    uint8_t stamp[STAMP];
    size_t stamp_n, n;
    unsigned lines; /* that are not blank */
    uint64_t first_line;
    bool promised; /* what ended last was shorter than told, and nothing was taken out */
    uint8_t record[LIMIT_LOG_RECORD], message[LIMIT_LOG_RECORD + 64];
};

const char *logbook_kind_name(enum logbook_kind k)
{
    static const char *const names[] = {NULL, "uccapi", "sipstack", "sdn"};
    return names[k];
}

struct logbook *logbook_new(struct calls *calls, const char *origin)
{
    struct logbook *b = malloc(sizeof *b);
    if (!b)
        return NULL;
    memset(b, 0, offsetof(struct logbook, record));
    b->calls = calls;
    b->origin = origin;
    b->counts.first = b->counts.last = b->clock = TICK_NONE;
    return b;
}

void logbook_free(struct logbook *b)
{
    if (b)
        sdn_free(b->sdn);
    free(b);
}

/* ---- what a record says ---- */

static void saw(struct logbook *b, tick_t t)
{
    if (b->counts.first == TICK_NONE || t < b->counts.first)
        b->counts.first = t;
    if (b->counts.last == TICK_NONE || t > b->counts.last)
        b->counts.last = t;
}

/* A log put together of several steps back: its clock begins anew, else no call of the later pieces
 * would ever have been over for long enough, and all of them would be kept. */
static void advance(struct logbook *b, tick_t t)
{
    if (b->clock == TICK_NONE || b->clock - t > LOG_STEP_BACK) {
        calls_anew(b->calls, t);
        b->clock = t;
    }
    if (t > b->clock)
        b->clock = t;
    calls_advance(b->calls, b->clock);
}

static struct message_at place(const struct logbook *b)
{
    bool sent = b->mark == SIPLOG_SENT;
    return (struct message_at){
        .time = b->head.time_us * TICK_US,
        .src = sent ? b->head.local : b->head.peer,
        .dst = sent ? b->head.peer : b->head.local,
        .proto = PROTO_TCP,
        .origin = b->origin,
        .both_ways = true,
    };
}

static void take_message(struct logbook *b, bool ended)
{
    struct siplog_text text;
    struct sip_msg m;
    struct slice record = slice_of(b->record, b->n);
    if (siplog_message(record, b->server, b->message, sizeof b->message, &text, NULL) != WIRE_OK ||
        sip_parse(slice_of(b->message, text.n), true, &m, NULL) != WIRE_OK) {
        b->counts.unread++;
        b->promised = !ended;
        return;
    }
    bool longer =
        b->server ? !ended : b->head.size >= 0 && text.original + 2 < (size_t)b->head.size;
    b->counts.messages++;
    b->counts.incomplete += text.elided || longer || b->over;
    b->promised = longer && !text.elided && !b->over;
    struct message_at at = place(b);
    saw(b, at.time);
    calls_sip(b->calls, &m, &at);
    advance(b, at.time);
}

/* Values end up between quotes. */
static int plain(struct slice s, char *out, size_t room)
{
    size_t n = 0;
    for (; n < s.n && n + 1 < room; n++)
        out[n] = s.p[n] == '"' || s.p[n] == '\\' ? '\'' : (char)s.p[n];
    out[n] = 0;
    return (int)n;
}

/* A server's diagnostics as a header of the call: what a message's own diagnostics go through. */
static void take_diag(struct logbook *b)
{
    struct siplog_diag d;
    char text[256], result[128], peer[128], data[256], value[DIAG_VALUE];
    if (siplog_diag(slice_of(b->record, b->n), &d, NULL) != WIRE_OK || !d.call_id.n)
        return;
    plain(d.text, text, sizeof text);
    plain(d.result, result, sizeof result);
    plain(d.peer, peer, sizeof peer);
    plain(d.data, data, sizeof data);
    int n = snprintf(value, sizeof value, "%lu;reason=\"%s\";result=\"%s\";peer=\"%s\";data=\"%s\"",
                     (unsigned long)d.code, text, result, peer, data);
    struct sip_msg m = {.request = true,
                        .method = SIP_INFO,
                        .call_id = d.call_id,
                        .content_length = -1,
                        .n_diag = 1};
    m.diag[0] = (struct sip_header_ref){slice_str("tf-diag"), slice_of(value, (size_t)n)};
    struct message_at at = place(b);
    calls_sip(b->calls, &m, &at);
    b->counts.diags++;
}

/* ---- records ---- */

static void record_close(struct logbook *b, bool ended)
{
    if (!b->open)
        return;
    b->open = false;
    b->promised = false;
    if (!b->server || b->flag == SIPLOG_PROTOCOL)
        take_message(b, ended);
    else if (b->flag == SIPLOG_DIAG && ended)
        take_diag(b);
    else
        b->promised = !ended;
}

static void record_open(struct logbook *b, const struct siplog_line *l, uint64_t number)
{
    record_close(b, false);
    b->open = true;
    b->server = l->mark == SIPLOG_BEGIN;
    b->all_stamped = b->over = false;
    b->mark = l->mark;
    b->flag = l->flag;
    b->head = *l;
    b->n = b->lines = 0;
    b->first_line = number;
    b->stamp_n = l->stamp.n < STAMP ? l->stamp.n : STAMP;
    memcpy(b->stamp, l->stamp.p, b->stamp_n);
    if (b->counts.kind == LOGBOOK_NO_KIND)
        b->counts.kind = b->server ? LOGBOOK_SIPSTACK : LOGBOOK_UCCAPI;
}

static void record_line(struct logbook *b, struct slice line, bool stamped)
{
    if (b->server && b->flag == SIPLOG_OTHER_FLAG)
        return;
    if (b->over || line.n + 1 > sizeof b->record - b->n) {
        b->over = true;
        return;
    }
    if (line.n)
        memcpy(b->record + b->n, line.p, line.n);
    b->n += line.n;
    b->record[b->n++] = '\n';
    if (siplog_blank(line))
        return;
    b->all_stamped = stamped && (b->all_stamped || !b->lines);
    b->lines++;
}

static bool begins_message(struct slice text)
{
    static const char version[] = " SIP/2.0";
    struct slice s = slice_trim(text);
    size_t n = sizeof version - 1;
    return slice_starts(s, "SIP/2.0 ") ||
           (s.n > n && slice_ieq(slice_of(s.p + s.n - n, n), slice_of(version, n)));
}

/* A stamp inside a record: the message's first line has one, in some logs all lines have it; any
 * other is something else and ends an excerpt's message (P§4.1). */
static void stamped_line(struct logbook *b, const struct siplog_line *l)
{
    if (!b->open || b->server)
        return;
    bool same = slice_eq(l->stamp, slice_of(b->stamp, b->stamp_n));
    if (!b->lines) {
        if (same || begins_message(l->text))
            record_line(b, l->text, true);
    } else if (same && b->all_stamped) {
        record_line(b, l->text, true);
    } else {
        record_close(b, false);
    }
}

/* ---- SDN messages ---- */

static void take_sdn(void *arg, const struct sdn_msg *m)
{
    struct logbook *b = arg;
    struct message_at at = {.time = m->time, .proto = PROTO_TCP, .origin = b->origin};
    struct sip_msg sip;
    b->counts.kind = LOGBOOK_SDN;
    if (m->time != TICK_NONE)
        saw(b, m->time);
    else
        at.time = b->counts.last;
    if (!sdn_sip(m, &sip) || at.time == TICK_NONE) { /* quality and the like; of no time */
        b->counts.unread++;
        return;
    }
    b->counts.messages++;
    b->counts.incomplete += m->cut;
    calls_sip(b->calls, &sip, &at);
}

/* A log that begins with < is XML. True: the line was taken as such. */
static bool sdn_line(struct logbook *b, struct slice line, uint64_t number)
{
    struct slice text = slice_trim(line);
    const char *why;
    uint64_t offset;
    if (!b->sdn && b->counts.kind == LOGBOOK_NO_KIND && !b->open && text.n && text.p[0] == '<')
        b->sdn = sdn_new(take_sdn, b, true);
    if (!b->sdn)
        return false;
    bool fine = sdn_push(b->sdn, line, false, &why, &offset) &&
                sdn_push(b->sdn, slice_str("\n"), false, &why, &offset);
    if (!fine && !b->sdn_damaged) {
        b->sdn_damaged = true;
        b->first_line = number;
    } else if (!b->sdn_damaged) {
        b->first_line = number; /* should it end too early: about here */
    }
    return true;
}

void logbook_line(struct logbook *b, struct slice line, uint64_t number, bool unended)
{
    struct siplog_line l;
    if (sdn_line(b, line, number))
        return;
    siplog_line(line, &l);
    switch (l.mark) {
    case SIPLOG_SENT:
    case SIPLOG_RECEIVED:
    case SIPLOG_BEGIN:
        record_open(b, &l, number);
        break;
    case SIPLOG_ENDED:
        if (!b->server)
            record_close(b, true);
        break;
    case SIPLOG_END:
        if (b->server)
            record_close(b, true);
        break;
    case SIPLOG_STAMPED:
        stamped_line(b, &l);
        break;
    case SIPLOG_BARE:
        if (b->open && !unended) /* half a line may lie: half a port is another port */
            record_line(b, line, false);
        break;
    }
}

bool logbook_finish(struct logbook *b, uint64_t *line)
{
    bool was_open = b->open;
    if (b->sdn) {
        const char *why;
        uint64_t offset;
        *line = b->first_line;
        return sdn_push(b->sdn, (struct slice){0}, true, &why, &offset) && !b->sdn_damaged;
    }
    record_close(b, false);
    *line = b->first_line;
    return !was_open || !b->promised;
}

void logbook_counts(const struct logbook *b, struct logbook_counts *out)
{
    *out = b->counts;
}
