/* Words, numbers and addresses of a text: the plain case, inline, says what the general one says.
 * The first byte: whether a line ends before the text does, and where the kinds of words begin. */
#include "flows/wire/words.h"
#include "tests/fuzz/inside.h"

static void same_place(const struct words *a, const struct words *b, struct slice in)
{
    must(a->p == b->p && a->p >= in.p && a->p <= in.p + in.n);
}

static void one_word(struct words *a, struct words *b, struct slice in)
{
    struct word x = words_next(a), y = words_next_any(b);
    must(x.text.p == y.text.p && x.text.n == y.text.n && x.key == y.key);
    must_be_inside(x.text, in);
}

static void one_number(struct words *a, struct words *b, uint32_t max)
{
    uint32_t x = 0, y = 0;
    bool is = words_number(a, max, &x);
    must(is == words_number_any(b, max, &y) && (!is || (x == y && x <= max)));
}

static void one_addr(struct words *a, struct words *b, struct slice in)
{
    struct addr x, y;
    struct slice v, w;
    bool is = words_addr(a, &v, &x);
    must(is == words_addr_any(b, &w, &y) && (!is || addr_eq(&x, &y)));
    must(v.p == w.p && v.n == w.n);
    must_be_inside(v, in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    struct slice in = slice_of(data + 1, size - 1);
    const uint8_t *end = in.p + in.n;
    struct words a = words_from(in.p, words_last_gap(in.p, end), end, data[0] & 1 ? '\n' : -1);
    struct words b = a;
    for (unsigned kind = data[0] >> 1;; kind++) {
        const uint8_t *from = a.p;
        if (kind % 3 == 0)
            one_word(&a, &b, in);
        else if (kind % 3 == 1)
            one_number(&a, &b, kind & 8 ? UINT16_MAX : UINT32_MAX);
        else
            one_addr(&a, &b, in);
        same_place(&a, &b, in);
        if (a.p == from)
            return 0;
    }
}
