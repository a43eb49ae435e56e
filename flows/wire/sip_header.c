/* What is read out of SIP headers apart from the one walk of sip.c: URIs, and headers by name. */
#include "flows/wire/sip.h"

#include "flows/wire/headers.h"

/* Where the URI that begins before from ends: at its parameters or headers, or at white space. */
static size_t uri_end(struct slice s, size_t from)
{
    while (from < s.n && s.p[from] > ' ' && s.p[from] != ';' && s.p[from] != '?' &&
           s.p[from] != ',')
        from++;
    return from;
}

struct slice sip_uri_of(struct slice v)
{
    v = slice_trim(v);
    size_t open = header_find(v, '<', '<');
    if (open < v.n) {
        struct slice uri = slice_trim(slice_before(slice_from(v, open + 1), '>'));
        /* the user part may hold semicolons and question marks of its own: look behind it */
        size_t host = slice_before(uri, '@').n;
        return slice_of(uri.p, uri_end(uri, host < uri.n ? host : 0));
    }
    if (v.n && v.p[0] == '"')
        v = slice_trim(slice_from(v, header_quoted(v)));
    return slice_of(v.p, uri_end(v, 0));
}

static bool same_header(struct slice name, const char *wanted)
{
    static const struct {
        const char *name;
        uint8_t letter;
    } compact[] = {
        {"Accept-Contact", 'a'},
        {"Allow-Events", 'u'},
        {"Call-ID", 'i'},
        {"Contact", 'm'},
        {"Content-Encoding", 'e'},
        {"Content-Length", 'l'},
        {"Content-Type", 'c'},
        {"Event", 'o'},
        {"From", 'f'},
        {"Refer-To", 'r'},
        {"Referred-By", 'b'},
        {"Session-Expires", 'x'},
        {"Subject", 's'},
        {"Supported", 'k'},
        {"To", 't'},
        {"Via", 'v'},
    };
    if (name.n != 1)
        return slice_is(name, wanted);
    for (size_t i = 0; i < sizeof compact / sizeof *compact; i++)
        if (compact[i].letter == ascii_lower(name.p[0]))
            return slice_is(slice_str(wanted), compact[i].name);
    return false;
}

bool sip_header_next(const struct sip_msg *m, const char *name, size_t *pos, struct slice *value)
{
    struct slice line, found, v;
    if (*pos > m->head.n)
        return false;
    struct cursor c = cursor_on(slice_from(m->head, *pos));
    if (*pos == 0 && head_plain_line(&c, &line) == HEAD_CUT)
        return false;
    while (head_next(&c, &line) == HEAD_FIELD) {
        if (!header_split(line, &found, &v) || !same_header(found, name))
            continue;
        *pos = (size_t)(c.p - m->head.p);
        *value = v;
        return true;
    }
    *pos = m->head.n;
    return false;
}
