/* snprintf() for few conversions; see format.h. */
#include "capture/format.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "capture/digits.h"

/* What fits is written, all of it is counted. */
struct sink {
    char *at, *end; /* end: where the NUL goes at the latest */
    size_t n;
};

static void put(struct sink *s, const char *text, size_t n)
{
    size_t left = (size_t)(s->end - s->at), fits = n < left ? n : left;
    memcpy(s->at, text, fits);
    s->at += fits;
    s->n += n;
}

/* A conversion as far as it is known here. */
struct conversion {
    int precision; /* -1: none given */
    int longs;     /* how many l */
    char kind;
};

static const char *read_conversion(const char *f, struct conversion *out)
{
    *out = (struct conversion){.precision = -1};
    if (*f == '.')
        for (out->precision = 0, f++; *f >= '0' && *f <= '9'; f++)
            out->precision = out->precision * 10 + (*f - '0');
    for (; *f == 'l'; f++)
        out->longs++;
    out->kind = *f;
    return *f ? f + 1 : f;
}

static void put_text(struct sink *s, const char *text, int precision)
{
    text = text ? text : "(null)";
    put(s, text, precision < 0 ? strlen(text) : strnlen(text, (size_t)precision));
}

static void put_unsigned(struct sink *s, unsigned long long n)
{
    char digits[DIGITS_MOST];
    put(s, digits, (size_t)(digits_put(digits, n) - digits));
}

static void put_hexadecimal(struct sink *s, unsigned long long n)
{
    char digits[16], *p = digits + sizeof digits;
    do
        *--p = "0123456789abcdef"[n & 15];
    while (n >>= 4);
    put(s, p, (size_t)(digits + sizeof digits - p));
}

static void put_signed(struct sink *s, long long n)
{
    if (n < 0)
        put(s, "-", 1);
    put_unsigned(s, n < 0 ? 0 - (unsigned long long)n : (unsigned long long)n);
}

/* v rounded to a multiple of 1/scale, half to even as the exact binary value says: that multiple.
 * False if v is not from 0 to 2^52. */
static bool rounded(double v, unsigned scale, uint64_t *out)
{
    enum { FRACTION = 52, BIAS = 1023 + FRACTION };
    uint64_t bits;
    if (!(v >= 0 && v < (double)(UINT64_C(1) << FRACTION)))
        return false;
    memcpy(&bits, &v, sizeof bits);
    int shift = BIAS - (int)(bits >> FRACTION & 0x7ff);
    if (shift > 63 || bits >> 63) /* less than half of the least multiple; -0.0 */
        return *out = 0, !(bits >> 63);
    uint64_t whole = (bits & ((UINT64_C(1) << FRACTION) - 1)) | UINT64_C(1) << FRACTION;
    uint64_t x = whole * scale, rest = x & ((UINT64_C(1) << shift) - 1);
    uint64_t half = UINT64_C(1) << (shift - 1);
    x >>= shift;
    *out = x + (rest > half || (rest == half && x & 1));
    return true;
}

static bool put_fraction(struct sink *s, double v, int precision)
{
    static const unsigned scales[] = {1, 10, 100, 1000};
    uint64_t n;
    if (precision < 0 || precision > 3 || !rounded(v, scales[precision], &n))
        return false;
    put_unsigned(s, n / scales[precision]);
    if (!precision)
        return true;
    char fraction[] = ".000";
    n %= scales[precision];
    for (int i = precision; i > 0; i--, n /= 10)
        fraction[i] = (char)('0' + n % 10);
    put(s, fraction, (size_t)precision + 1);
    return true;
}

/* A va_list can't be lent by pointer where it is an array type; a struct can. */
struct arguments {
    va_list list;
};

static unsigned long long next_unsigned(struct arguments *a, int longs)
{
    return longs == 0   ? va_arg(a->list, unsigned)
           : longs == 1 ? va_arg(a->list, unsigned long)
                        : va_arg(a->list, unsigned long long);
}

static long long next_signed(struct arguments *a, int longs)
{
    return longs == 0   ? va_arg(a->list, int)
           : longs == 1 ? va_arg(a->list, long)
                        : va_arg(a->list, long long);
}

static bool convert(struct sink *s, const struct conversion *c, struct arguments *a)
{
    bool plain = c->precision < 0 && c->longs <= 2, bare = plain && !c->longs;
    if (c->kind == 's' && !c->longs)
        put_text(s, va_arg(a->list, const char *), c->precision);
    else if (c->kind == 'u' && plain)
        put_unsigned(s, next_unsigned(a, c->longs));
    else if (c->kind == 'd' && plain)
        put_signed(s, next_signed(a, c->longs));
    else if (c->kind == 'x' && plain)
        put_hexadecimal(s, next_unsigned(a, c->longs));
    else if (c->kind == 'f' && !c->longs)
        return put_fraction(s, va_arg(a->list, double), c->precision);
    else if (c->kind == 'c' && bare)
        put(s, (char[]){(char)va_arg(a->list, int)}, 1);
    else if (c->kind == '%' && bare)
        put(s, "%", 1);
    else
        return false;
    return true;
}

static bool known(char *out, size_t room, const char *format, struct arguments *a, int *n)
{
    char none;
    struct sink s = {room ? out : &none, room ? out + room - 1 : &none, 0};
    for (const char *f = format;;) {
        const char *mark = strchrnul(f, '%');
        struct conversion c;
        put(&s, f, (size_t)(mark - f));
        if (!*mark)
            break;
        f = read_conversion(mark + 1, &c);
        if (!convert(&s, &c, a))
            return false;
    }
    if (room)
        *s.at = 0;
    *n = (int)s.n;
    return true;
}

int format_args(char *out, size_t room, const char *format, va_list args)
{
    struct arguments a;
    int n;
    va_copy(a.list, args);
    bool done = known(out, room, format, &a, &n);
    va_end(a.list);
    return done ? n : vsnprintf(out, room, format, args);
}

int format_text(char *out, size_t room, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = format_args(out, room, format, args);
    va_end(args);
    return n;
}
