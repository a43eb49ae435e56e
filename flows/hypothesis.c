/* Evidence lists as JSON, and one failure in the words that the rules share. */
#include "flows/hypothesis.h"

#include <jansson.h>
#include <stdarg.h>
#include <string.h>

#include "flows/wire/framing.h"

/* ---- evidence ---- */

void evidence_begin(struct evidence_lists *e)
{
    e->used = 0;
    for (int i = 0; i < EVIDENCE_LISTS; i++)
        e->n[i] = 0;
}

/* How many bytes at the front of s stand in a JSON string as they are: ASCII that needs no escape.
 */
static size_t plain(const char *s, size_t n)
{
    size_t i = 0;
    for (; n - i >= 8; i += 8) {
        uint64_t w = text_word((const uint8_t *)s + i);
        uint64_t marks = text_below(w, ' ') | text_equal(w, '"') | text_equal(w, '\\') |
                         (w & UINT64_C(0x8080808080808080));
        if (marks)
            return i + text_first(marks);
    }
    while (i < n && (unsigned char)s[i] >= ' ' && s[i] != '"' && s[i] != '\\' &&
           (unsigned char)s[i] < 0x80)
        i++;
    return i;
}

static bool is_utf8(const char *s)
{
    json_t *text = json_string(s);
    json_decref(text);
    return text != NULL;
}

/* One byte of a JSON string. Returns the end. */
static char *put_escaped(char *out, unsigned char c)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* byte, and what stands behind the \ */
    for (const char *k = named; *k; k += 2)
        if ((unsigned char)*k == c) {
            *out++ = '\\';
            *out++ = k[1];
            return out;
        }
    if (c >= 0x20) {
        *out++ = (char)c;
        return out;
    }
    memcpy(out, "\\u00", 4);
    out[4] = hex[c >> 4];
    out[5] = hex[c & 15];
    return out + 6;
}

/* Most lines are plain from end to end. If one is not UTF-8, bytes of the wire are in it. */
static char *put_line(char *out, const char *s)
{
    size_t n = strlen(s), run = plain(s, n);
    bool utf8 = run == n || is_utf8(s + run);
    for (;;) {
        memcpy(out, s, run);
        out += run, s += run, n -= run;
        if (!n)
            return out;
        unsigned char c = (unsigned char)*s++;
        if (c >= 0x80 && utf8)
            *out++ = (char)c;
        else
            out = put_escaped(out, c < 0x80 ? c : '?');
        run = plain(s, --n);
    }
}

void evidence_add(struct evidence_lists *e, enum evidence_list which, const char *format, ...)
{
    char line[FINDING_TEXT / 2];
    va_list args;
    va_start(args, format);
    format_args(line, sizeof line, format, args);
    va_end(args);
    if (e->n[which] == EVIDENCE_LINES || EVIDENCE_ROOM - e->used < 6 * strlen(line) + 2)
        return;
    char *begin = e->text + e->used, *out = begin;
    *out++ = '"';
    out = put_line(out, line);
    *out++ = '"';
    e->line[which][e->n[which]++] = (struct evidence_line){e->used, (unsigned)(out - begin)};
    e->used += (unsigned)(out - begin);
}

static const char *const list_names[EVIDENCE_LISTS] = {
    [EVIDENCE_FOR] = "{\"for\":[",
    [EVIDENCE_AGAINST] = "],\"against\":[",
    [EVIDENCE_SETTLE] = "],\"settle\":[",
};

static size_t length_of(const struct evidence_lists *e)
{
    size_t n = sizeof "]}";
    for (int i = 0; i < EVIDENCE_LISTS; i++) {
        n += strlen(list_names[i]) + (e->n[i] ? e->n[i] - 1 : 0);
        for (unsigned k = 0; k < e->n[i]; k++)
            n += e->line[i][k].n;
    }
    return n;
}

static void drop_last_of_longest(struct evidence_lists *e)
{
    int longest = EVIDENCE_FOR;
    for (int i = 0; i < EVIDENCE_LISTS; i++)
        if (e->n[i] > e->n[longest])
            longest = i;
    e->n[longest]--;
}

void evidence_end(struct evidence_lists *e, char out[FINDING_TEXT])
{
    while (length_of(e) > FINDING_TEXT)
        drop_last_of_longest(e);
    for (int i = 0; i < EVIDENCE_LISTS; i++) {
        out = stpcpy(out, list_names[i]);
        for (unsigned k = 0; k < e->n[i]; k++) {
            if (k)
                *out++ = ',';
            memcpy(out, e->text + e->line[i][k].at, e->line[i][k].n);
            out += e->line[i][k].n;
        }
    }
    strcpy(out, "]}");
}

/* ---- words ---- */

/* To the second, as people type it into a log search. */
static char *second_text(tick_t t, char out[TICK_TEXT])
{
    tick_text(t, out);
    if (out[0]) {
        out[10] = ' ';
        out[19] = 0;
    }
    return out;
}

const char *hypothesis_when(tick_t first, tick_t last, char out[64])
{
    char from[TICK_TEXT], to[TICK_TEXT];
    second_text(first, from);
    if (first >= 0 && last >= first && last / TICK_S == first / TICK_S)
        memcpy(to, from, sizeof to);
    else
        second_text(last, to);
    if (!from[0])
        format_text(out, 64, "an unknown time");
    else if (strcmp(from, to) == 0 || !to[0])
        format_text(out, 64, "%.19s UTC", from);
    else if (memcmp(from, to, 10) == 0)
        format_text(out, 64, "%.19s to %.8s UTC", from, to + 11);
    else
        format_text(out, 64, "%.19s to %.19s UTC", from, to);
    return out;
}

const char *hypothesis_seen(const struct endpoint *wire, const struct addr *alias,
                            char out[SEEN_TEXT])
{
    char seen[ENDPOINT_TEXT], real[ENDPOINT_TEXT];
    endpoint_text(wire, seen);
    if (addr_none(alias) || addr_eq(alias, &wire->addr)) {
        format_text(out, SEEN_TEXT, "%s", seen);
        return out;
    }
    struct endpoint public_end = {*alias, wire->port};
    format_text(out, SEEN_TEXT, "%s (%s)", endpoint_text(&public_end, real), seen);
    return out;
}

static struct endpoint public_of(const struct endpoint *wire, const struct addr *alias)
{
    return (struct endpoint){addr_none(alias) ? wire->addr : *alias, wire->port};
}

void hypothesis_case_of(const struct failure *f, const struct failure_context *ctx,
                        struct hypothesis_case *out)
{
    *out = (struct hypothesis_case){
        .f = f,
        .ctx = ctx,
        .src = public_of(&f->src, &f->src_public),
        .dst = public_of(&f->dst, &f->dst_public),
        .proto = f->proto == PROTO_UDP ? "UDP" : "TCP",
        .request = f->proto == PROTO_UDP ? "check" : "SYN",
    };
    hypothesis_seen(&f->src, &f->src_public, out->src_text);
    hypothesis_seen(&f->dst, &f->dst_public, out->dst_text);
    hypothesis_when(f->first, f->last, out->when);
}

bool hypothesis_credentials(uint16_t error)
{
    static const uint16_t codes[] = {401, 430, 431, 432, 434, 435, 436, 438, 439, 441};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i] == error)
            return true;
    return false;
}

bool hypothesis_prohibited(bool v4, int type, int code)
{
    if (v4)
        return type == 3 && (code == 9 || code == 10 || code == 13);
    return type == 1 && (code == 1 || code == 5 || code == 6); /* RFC 4443 §3.1 */
}

const char *hypothesis_instead(int tls_instead)
{
    switch (tls_instead) {
    case TLS_NOT_TLS:
        return "bytes that are no TLS";
    case TLS_ALERT:
        return "a TLS alert";
    case TLS_SPLIT_HELLO:
        return "ServerHello and ServerHelloDone in separate records";
    case TLS_CERTIFICATE:
        return "a certificate where none belongs";
    case TLS_OTHER_HELLO:
        return "a ServerHello of another shape";
    default:
        return "nothing";
    }
}
