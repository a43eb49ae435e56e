/*
 * Header fields as SIP, MIME parts and HTTP heads share them, and a few words on slices of text.
 *
 *   name *WSP ":" value (LF | CRLF)  *( WSP more of the value (LF | CRLF) )     blank line ends the
 * head
 *
 * All inline: the SIP parser calls these once per line.
 */
#ifndef EW_FLOWS_WIRE_HEADERS_H
#define EW_FLOWS_WIRE_HEADERS_H

#include "capture/bytes.h"

enum head_line {
    HEAD_FIELD,
    HEAD_BLANK, /* the head ends here */
    HEAD_CUT,   /* no line end before the input ends; nothing consumed */
};

static inline bool header_is_space(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* Bytes from the front up to the first c, or all. */
static inline struct slice slice_before(struct slice s, uint8_t c)
{
    const uint8_t *at = s.n ? memchr(s.p, c, s.n) : NULL;
    return at ? slice_between(s.p, at) : s;
}

/* s without its first n bytes (n at most s.n). */
static inline struct slice slice_from(struct slice s, size_t n)
{
    return slice_of(s.p + n, s.n - n);
}

/* All of s as a decimal number up to max. False, *out unchanged, if it is none. */
static inline bool slice_decimal(struct slice s, uint32_t max, uint32_t *out)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint32_t digit = (uint32_t)s.p[i] - '0';
        if (digit > 9)
            return false;
        n = n * 10 + digit;
        if (n > max)
            return false;
    }
    if (s.n == 0)
        return false;
    *out = (uint32_t)n;
    return true;
}

/* One line without its LF or CRLF. */
static inline enum head_line head_plain_line(struct cursor *c, struct slice *line)
{
    const uint8_t *lf = cursor_left(c) ? memchr(c->p, '\n', cursor_left(c)) : NULL;
    if (!lf)
        return HEAD_CUT;
    *line = slice_between(c->p, lf);
    if (line->n && lf[-1] == '\r')
        line->n--;
    c->p = lf + 1;
    return line->n ? HEAD_FIELD : HEAD_BLANK;
}

/* The lines that go on a header line: seldom, so not inline. */
__attribute__((noinline, unused)) static enum head_line
head_folds(struct cursor *c, const uint8_t *from, struct slice *line)
{
    while (c->p < c->end && header_is_space(*c->p)) {
        struct slice fold;
        enum head_line kind = head_plain_line(c, &fold);
        if (kind == HEAD_CUT) {
            c->p = from;
            return HEAD_CUT;
        }
        *line = slice_between(from, fold.p + fold.n);
    }
    return HEAD_FIELD;
}

/* One header line with its continuation lines; the line ends of the folds stay in it. */
static inline enum head_line head_next(struct cursor *c, struct slice *line)
{
    const uint8_t *from = c->p, *end = c->end;
    const uint8_t *lf = from < end ? memchr(from, '\n', (size_t)(end - from)) : NULL;
    if (!lf)
        return HEAD_CUT;
    const uint8_t *to = lf - (lf > from && lf[-1] == '\r');
    *line = slice_between(from, to);
    c->p = lf + 1;
    if (to == from)
        return HEAD_BLANK;
    return lf + 1 < end && header_is_space(lf[1]) ? head_folds(c, from, line) : HEAD_FIELD;
}

/* Splits a line at its colon. False if it has none, or nothing before it. */
static inline bool header_split(struct slice line, struct slice *name, struct slice *value)
{
    struct slice left = slice_before(line, ':');
    if (left.n == line.n)
        return false;
    *value = slice_trim(slice_from(line, left.n + 1));
    while (left.n && header_is_space(left.p[left.n - 1]))
        left.n--;
    *name = left;
    return left.n > 0;
}

/* Length of the quoted string at the front of s (which begins with the quote), both quotes
 * included; all of s if it is not closed. */
static inline size_t header_quoted(struct slice s)
{
    size_t i = 1;
    while (i < s.n) {
        if (s.n - i >= 8) {
            uint64_t w = text_word(s.p + i);
            uint64_t marks = text_equal(w, '"') | text_equal(w, '\\');
            i += marks ? text_first(marks) : 8;
            if (!marks)
                continue;
        }
        if (s.p[i] == '"')
            return i + 1;
        i += s.p[i] == '\\' ? 2 : 1;
    }
    return s.n;
}

/* First byte out of the set that is not inside quotes, or s.n. */
static inline size_t header_find(struct slice s, uint8_t a, uint8_t b)
{
    size_t i = 0;
    while (i < s.n) {
        if (s.n - i >= 8) {
            uint64_t w = text_word(s.p + i);
            uint64_t marks = text_equal(w, a) | text_equal(w, b) | text_equal(w, '"');
            i += marks ? text_first(marks) : 8;
            if (!marks)
                continue;
        }
        if (s.p[i] == a || s.p[i] == b)
            break;
        i += s.p[i] == '"' ? header_quoted(slice_from(s, i)) : 1;
    }
    return i;
}

/* The value of a parameter that text begins with: up to a semicolon or comma; quotes are taken off.
 */
static inline struct slice header_param_value(struct slice text)
{
    struct slice value = slice_trim(slice_of(text.p, header_find(text, ';', ',')));
    if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
        value = slice_of(value.p + 1, value.n - 2);
    return value;
}

/* Value of ";name=value" in what follows the first semicolon of s, up to a comma (the next element
 * of a list); quotes are taken off. Empty if absent. */
static inline struct slice header_param(struct slice s, const char *name)
{
    size_t at = header_find(s, ';', ',');
    while (at < s.n && s.p[at] == ';') {
        s = slice_from(s, at + 1);
        at = header_find(s, ';', ',');
        struct slice item = slice_of(s.p, at), key = slice_before(item, '=');
        if (key.n == item.n || !slice_is(slice_trim(key), name))
            continue;
        return header_param_value(slice_from(item, key.n + 1));
    }
    return slice_of(NULL, 0);
}

#endif
