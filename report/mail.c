/* Writing e-mail messages. */
#include "report/mail.h"

#include <string.h>
#include <time.h>

enum {
    LINE = 76,         /* longest line of a body, its soft break counted */
    WORD = 42,         /* bytes in an encoded word: 56 characters of base64, 68 in all */
    ADDRESS_MAX = 254, /* RFC 5321 */
};

bool mail_address(const char *text)
{
    const char *at = strrchr(text, '@');
    if (!at || at == text || !at[1] || strlen(text) > ADDRESS_MAX || *text == '-')
        return false;
    for (const char *p = text; *p; p++)
        if (*p <= ' ' || *p >= 0x7f || (p != at && strchr("@,;:<>()[]\"\\", *p)))
            return false;
    return true;
}

/* ---- headers ---- */

static bool plain(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p >= 0x7f || (p[0] == '=' && p[1] == '?'))
            return false;
    return strlen(text) < 900; /* a line of a header has 998 at most */
}

static void base64(FILE *out, const unsigned char *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (; n; p += 3, n -= n < 3 ? n : 3) {
        unsigned v = (unsigned)p[0] << 16 | (n > 1 ? (unsigned)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);
        fputc(digits[v >> 18], out);
        fputc(digits[v >> 12 & 63], out);
        fputc(n > 1 ? digits[v >> 6 & 63] : '=', out);
        fputc(n > 2 ? digits[v & 63] : '=', out);
    }
}

/* Characters are not cut: a word ends before one that does not fit. */
static size_t word_of(const char *text, size_t left)
{
    size_t n = left < WORD ? left : WORD;
    while (n < left && n > 1 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    return n;
}

static void subject(FILE *out, const char *text)
{
    char clean[1024];
    size_t n = 0;
    for (; text[n] && n < sizeof clean - 1; n++)
        clean[n] = (unsigned char)text[n] < ' ' || text[n] == 0x7f ? ' ' : text[n];
    clean[n] = 0;
    fputs("Subject: ", out);
    if (plain(clean)) {
        fprintf(out, "%s\n", clean);
        return;
    }
    for (size_t at = 0; at < n;) {
        size_t take = word_of(clean + at, n - at);
        fputs(at ? " =?UTF-8?B?" : "=?UTF-8?B?", out);
        base64(out, (const unsigned char *)clean + at, take);
        fputs("?=\n", out);
        at += take;
    }
}

/* Names of days and months are English, whatever the locale. */
static void date(FILE *out, tick_t when)
{
    static const char days[] = "SunMonTueWedThuFriSat",
                      months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t t = (time_t)(when / TICK_S);
    struct tm tm;
    if (!localtime_r(&t, &tm))
        return;
    long zone = tm.tm_gmtoff / 60, away = zone < 0 ? -zone : zone;
    fprintf(out, "Date: %.3s, %d %.3s %d %02d:%02d:%02d %c%02ld%02ld\n", days + tm.tm_wday * 3,
            tm.tm_mday, months + tm.tm_mon * 3, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec,
            zone < 0 ? '-' : '+', away / 60, away % 60);
}

/* ---- body ---- */

static void body_line(FILE *out, const unsigned char *p, size_t n)
{
    size_t column = 0;
    for (size_t i = 0; i < n; i++) {
        bool last = i + 1 == n;
        bool blank = p[i] == ' ' || p[i] == '\t';
        /* a dot alone ends a message for some; "From " is changed by others */
        bool risky = i == 0 && (p[i] == '.' || p[i] == 'F');
        bool as_is = (p[i] > ' ' && p[i] < 0x7f && p[i] != '=' && !risky) || (blank && !last);
        size_t width = as_is ? 1 : 3;
        if (column + width > LINE - 1) {
            fputs("=\n", out);
            column = 0;
        }
        fprintf(out, as_is ? "%c" : "=%02X", p[i]);
        column += width;
    }
    fputc('\n', out);
}

void mail_write(FILE *out, const struct mail *m, const char *body, size_t n)
{
    fprintf(out, "To: %s\n", m->to);
    subject(out, m->subject);
    date(out, m->date);
    fprintf(out,
            "MIME-Version: 1.0\nContent-Type: %s; charset=utf-8\n"
            "Content-Transfer-Encoding: quoted-printable\nAuto-Submitted: auto-generated\n\n",
            m->type);
    while (n) {
        const char *end = memchr(body, '\n', n);
        size_t line = end ? (size_t)(end - body) : n, step = line + (end != NULL);
        size_t text = line && body[line - 1] == '\r' ? line - 1 : line;
        body_line(out, (const unsigned char *)body, text);
        body += step;
        n -= step;
    }
}
