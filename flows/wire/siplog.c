/* Lines of SIP logs: stamps, and where records begin and end. */
#include "flows/wire/siplog.h"

/* ---- small readers on a slice that shrinks ---- */

static bool take(struct slice *s, char c)
{
    if (!s->n || *s->p != (uint8_t)c)
        return false;
    s->p++, s->n--;
    return true;
}

static bool take_word(struct slice *s, const char *word)
{
    size_t n = strlen(word);
    if (!slice_starts(*s, word))
        return false;
    s->p += n, s->n -= n;
    return true;
}

static void skip_spaces(struct slice *s)
{
    while (s->n && (*s->p == ' ' || *s->p == '\t'))
        s->p++, s->n--;
}

/* least to most decimal digits */
static bool take_number(struct slice *s, unsigned least, unsigned most, int64_t *out)
{
    int64_t v = 0;
    unsigned n = 0;
    for (; n < most && n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++)
        v = v * 10 + (s->p[n] - '0');
    if (n < least)
        return false;
    s->p += n, s->n -= n;
    *out = v;
    return true;
}

static bool is_hex(uint8_t c)
{
    uint8_t l = ascii_lower(c);
    return (c >= '0' && c <= '9') || (l >= 'a' && l <= 'f');
}

static bool take_hex(struct slice *s, unsigned most)
{
    unsigned n = 0;
    while (n < most && n < s->n && is_hex(s->p[n]))
        n++;
    s->p += n, s->n -= n;
    return n > 0;
}

/* ---- time ---- */

/* Days since 1970-01-01 of a proleptic Gregorian date. */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* MM/DD/YYYY<between>hh:mm:ss.mmm */
static bool take_time(struct slice *s, char between, int64_t *us)
{
    int64_t mo, d, y, h, mi, sec, ms;
    if (!take_number(s, 1, 2, &mo) || !take(s, '/') || !take_number(s, 1, 2, &d) || !take(s, '/') ||
        !take_number(s, 4, 4, &y) || !take(s, between) || !take_number(s, 1, 2, &h) ||
        !take(s, ':') || !take_number(s, 2, 2, &mi) || !take(s, ':') ||
        !take_number(s, 2, 2, &sec) || !take(s, '.') || !take_number(s, 3, 3, &ms))
        return false;
    if (mo < 1 || mo > 12 || d < 1 || d > 31 || y < 1601 || h > 23 || mi > 59 || sec > 60)
        return false;
    *us = ((days_of(y, mo, d) * 24 + h) * 60 + mi) * 60 + sec;
    *us = *us * 1000000 + ms * 1000;
    return true;
}

/* ---- client ---- */

/* "<ip:port> (<From|To> Local Address: <ip:port>) n bytes:", as far as it is there. */
static void take_ends(struct slice s, struct siplog_line *out)
{
    struct slice word = s;
    skip_spaces(&word);
    for (s = word, word.n = 0; s.n && *s.p != ' '; s.p++, s.n--)
        word.n++;
    (void)endpoint_parse(word, &out->peer);
    skip_spaces(&s);
    if (!take(&s, '(') || (!take_word(&s, "From ") && !take_word(&s, "To ")) ||
        !take_word(&s, "Local Address:"))
        return;
    skip_spaces(&s);
    for (word = slice_of(s.p, 0); s.n && *s.p != ')'; s.p++, s.n--)
        word.n++;
    (void)endpoint_parse(slice_trim(word), &out->local);
    int64_t size;
    if (!take(&s, ')'))
        return;
    skip_spaces(&s);
    if (take_number(&s, 1, 9, &size))
        out->size = size;
}

/* "Sending Packet -" with any spacing of the dash (P§4.1) */
static bool take_start(struct slice *s, const char *words)
{
    if (!take_word(s, words))
        return false;
    skip_spaces(s);
    return take(s, '-');
}

static bool client_line(struct slice line, struct siplog_line *out)
{
    struct slice s = line;
    struct siplog_line l = {.mark = SIPLOG_STAMPED, .size = -1};
    if (!take_time(&s, '|', &l.time_us))
        return false;
    skip_spaces(&s);
    if (!take_hex(&s, 8) || !take(&s, ':') || !take_hex(&s, 8))
        return false;
    l.stamp = slice_of(line.p, line.n - s.n);
    skip_spaces(&s);
    if (!take_word(&s, "INFO") && !take_word(&s, "WARN") && !take_word(&s, "ERROR") &&
        !take_word(&s, "TRACE"))
        return false;
    skip_spaces(&s);
    if (!take_word(&s, "::"))
        return false;
    (void)take(&s, ' ');
    l.text = s;
    skip_spaces(&s);
    if (take_word(&s, "End of "))
        l.mark = SIPLOG_ENDED;
    else if (take_start(&s, "Sending Packet"))
        l.mark = SIPLOG_SENT;
    else if (take_start(&s, "Data Received"))
        l.mark = SIPLOG_RECEIVED;
    if (l.mark == SIPLOG_SENT || l.mark == SIPLOG_RECEIVED)
        take_ends(s, &l);
    *out = l;
    return true;
}

/* ---- server ---- */

static bool skip_to(struct slice *s, char c)
{
    const uint8_t *at = s->n ? memchr(s->p, c, s->n) : NULL;
    if (!at)
        return false;
    *s = slice_of(at + 1, s->n - (size_t)(at + 1 - s->p));
    return true;
}

static bool ends_with(struct slice s, const char *word)
{
    size_t n = strlen(word);
    return s.n >= n && slice_ieq(slice_of(s.p + s.n - n, n), slice_of(word, n));
}

static bool server_line(struct slice line, struct siplog_line *out)
{
    struct slice s = line;
    struct siplog_line l = {.mark = SIPLOG_BEGIN, .size = -1};
    if (!take_word(&s, "TL_") || !skip_to(&s, '('))
        return false;
    if (slice_starts(s, "TF_PROTOCOL)"))
        l.flag = SIPLOG_PROTOCOL;
    else if (slice_starts(s, "TF_DIAG)"))
        l.flag = SIPLOG_DIAG;
    if (!skip_to(&s, '[') || !skip_to(&s, ']'))
        return false;
    const uint8_t *from = s.p;
    if (!take_hex(&s, 8) || !take(&s, '.') || !take_hex(&s, 8) || !take_word(&s, "::") ||
        !take_time(&s, '-', &l.time_us))
        return false;
    l.stamp = slice_of(from, (size_t)(s.p - from));
    l.text = s;
    if (!ends_with(slice_trim(line), "$$begin_record"))
        return false;
    *out = l;
    return true;
}

/* ---- a line ---- */

void siplog_line(struct slice line, struct siplog_line *out)
{
    while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == '\n'))
        line.n--;
    struct slice s = line;
    if (line.n && line.p[0] >= '0' && line.p[0] <= '9' && client_line(line, out))
        return;
    if (line.n && line.p[0] == 'T' && server_line(line, out))
        return;
    *out = (struct siplog_line){.mark = SIPLOG_BARE, .text = line, .size = -1};
    skip_spaces(&s);
    if (slice_starts(s, "$$end_record"))
        out->mark = SIPLOG_END;
}

bool siplog_blank(struct slice line)
{
    for (size_t i = 0; i < line.n; i++) {
        uint8_t c = line.p[i];
        bool nbsp = c == 0xa0 || (c == 0xc2 && i + 1 < line.n && line.p[i + 1] == 0xa0);
        if (c != ' ' && c != '\t' && c != '\r' && !nbsp)
            return false;
    }
    return true;
}

bool siplog_next_line(struct slice record, size_t *at, struct slice *line)
{
    if (*at >= record.n)
        return false;
    const uint8_t *from = record.p + *at, *end = memchr(from, '\n', record.n - *at);
    size_t n = end ? (size_t)(end - from) : record.n - *at;
    *at += n + (end != NULL);
    while (n && from[n - 1] == '\r')
        n--;
    *line = slice_of(from, n);
    return true;
}
