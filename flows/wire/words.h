/*
 * Walking the words of a line of text: of a candidate, of SDP.
 *
 *   [gap] word gap word gap number gap address ... line end      (gap: bytes up to the space)
 *
 * Millions of such lines are read. The plain case is inline: a word that a gap follows needs no
 * look at the end of the text, nor need the end of its line be known. words.c does the rest. Bytes
 * are taken one by one on purpose: processors guess the lengths of words well, and run ahead.
 */
#ifndef EW_FLOWS_WIRE_WORDS_H
#define EW_FLOWS_WIRE_WORDS_H

#include "capture/endpoint.h"

struct words {
    const uint8_t *p;    /* at a word, or at the end of the line */
    const uint8_t *last; /* the last byte of a gap that another byte follows */
    const uint8_t *end;  /* of the text */
    int stop;            /* the byte that ends the line before the text ends; -1: none */
};

struct word {
    struct slice text; /* empty at the end of the line */
    uint64_t key;      /* text_key of its first eight bytes */
};

/* words.last of a text; from if there is none. */
static inline const uint8_t *words_last_gap(const uint8_t *from, const uint8_t *end)
{
    const uint8_t *last = end - (end > from);
    while (last > from && *--last > ' ')
        ;
    return last;
}

/* words.c: any case */
void words_skip_gap(struct words *w);
struct word words_next_any(struct words *w);
bool words_number_any(struct words *w, uint32_t max, uint32_t *out);
bool words_addr_any(struct words *w, struct slice *word, struct addr *out);

static inline struct words words_from(const uint8_t *p, const uint8_t *last, const uint8_t *end,
                                      int stop)
{
    struct words w = {p, last, end, stop};
    if (p < end && *p <= ' ')
        words_skip_gap(&w);
    return w;
}

static inline struct words words_of(struct slice line)
{
    const uint8_t *end = line.p + line.n;
    return words_from(line.p, words_last_gap(line.p, end), end, -1);
}

/* From the gap behind a word to the next word. */
static inline void words_leave(struct words *w, const uint8_t *gap)
{
    w->p = gap + 1;
    if (*gap != ' ' || gap[1] <= ' ') {
        w->p = gap;
        words_skip_gap(w);
    }
}

/* Steps over the next word if it is this one, of at most eight letters, spelt like this. */
#define words_skip(w, literal) words_skip_n(w, literal, sizeof literal - 1)
static inline bool words_skip_n(struct words *w, const char *word, size_t n)
{
    if (w->last - w->p < 8 || memcmp(w->p, word, n) != 0 || w->p[n] > ' ')
        return false;
    words_leave(w, w->p + n);
    return true;
}

static inline struct word words_next(struct words *w)
{
    const uint8_t *from = w->p, *p = from;
    if (w->last - p < 8)
        return words_next_any(w);
    while (*p > ' ')
        p++;
    uint64_t front = text_word(from);
    words_leave(w, p);
    return (struct word){slice_between(from, p), text_key(front, text_below(front, ' ' + 1))};
}

/* Next word; true if it is a decimal number of at most max. */
static inline bool words_number(struct words *w, uint32_t max, uint32_t *out)
{
    const uint8_t *p = w->p;
    uint64_t number = 0;
    if (p >= w->last)
        return words_number_any(w, max, out);
    for (uint32_t digit; (digit = (uint32_t)*p - '0') < 10; p++)
        number = number * 10 + digit;
    if (p == w->p || p - w->p > 10 || *p > ' ' || number > max)
        return words_number_any(w, max, out);
    words_leave(w, p);
    *out = (uint32_t)number;
    return true;
}

/* Next word; true if it is an address. */
static inline bool words_addr(struct words *w, struct slice *word, struct addr *out)
{
    struct addr four;
    const uint8_t *p = w->p < w->last ? addr4_read(w->p, &four) : NULL;
    if (!p || *p > ' ')
        return words_addr_any(w, word, out);
    *word = slice_between(w->p, p);
    words_leave(w, p);
    *out = four;
    return true;
}

#endif
