/* Words of any length, with any gaps, up to the last byte of a text. */
#include "flows/wire/words.h"

#include "flows/wire/headers.h"

void words_skip_gap(struct words *w)
{
    while (w->p < w->end && *w->p <= ' ' && *w->p != w->stop)
        w->p++;
}

struct word words_next_any(struct words *w)
{
    const uint8_t *from = w->p;
    while (w->p<w->end && * w->p> ' ')
        w->p++;
    struct slice text = slice_between(from, w->p);
    uint64_t front = text_word_upto(from, w->p);
    words_skip_gap(w);
    return (struct word){text, text_key(front, text_below(front, 1))};
}

bool words_number_any(struct words *w, uint32_t max, uint32_t *out)
{
    return slice_decimal(words_next_any(w).text, max, out);
}

bool words_addr_any(struct words *w, struct slice *word, struct addr *out)
{
    *word = words_next_any(w).text;
    return addr_parse(*word, out);
}
