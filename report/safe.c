/* UTF-8 (RFC 3629) without control characters and without bidirectional overrides. */
#include "report/safe.h"

#include <langinfo.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static size_t sequence_length(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

static int is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff ||
           c == 0x061c || (c >= 0x200b && c <= 0x200f); /* marks of direction, of no width */
}

size_t safe_length(const char *p)
{
    static const uint8_t mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *b = (const uint8_t *)p;
    size_t n = sequence_length(b[0]);
    uint32_t c = b[0] & mask[n];
    for (size_t i = 1; i < n; i++) {
        if ((b[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (b[i] & 0x3f);
    }
    if (n == 0 || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    return is_unsafe(c) ? 0 : n;
}

char *safe_text(const char *text, char *out, size_t room)
{
    size_t used = 0;
    for (const char *p = text ? text : ""; *p;) {
        size_t n = safe_length(p), take = n ? n : 1;
        if (used + take >= room)
            break;
        if (n)
            memcpy(out + used, p, n);
        else
            out[used] = *p == '\n' || *p == '\t' || *p == '\r' ? ' ' : '?';
        used += take;
        p += take;
    }
    out[used] = 0;
    return out;
}

char *safe_copy(const char *text)
{
    size_t room = text ? strlen(text) + 1 : 1;
    char *out = malloc(room);
    return out ? safe_text(text, out, room) : NULL;
}

char *safe_ascii(char *text)
{
    char *to = text;
    for (const char *p = text; *p;) {
        size_t n = safe_length(p);
        *to++ = n == 1 ? *p : '?';
        p += n ? n : 1;
    }
    *to = 0;
    return text;
}

bool safe_utf8_shown(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}
