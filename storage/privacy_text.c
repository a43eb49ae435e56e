/*
 * Users and addresses inside texts. A user is
 *
 *   sip:USER@host  sips:USER@host  im: mailto: pres:   USER up to the @, also with ;=,: in it
 *   tel:USER                                           digits and what goes between them
 *   USER@host                                          elsewhere
 *
 * An address is whatever addr_parse() takes that is no part of a longer number. Rather one too
 * many: tcpdump writes address.port, and Call-IDs have addresses next to letters.
 */
#include "storage/privacy_inner.h"

#include <ctype.h>
#include <stdio.h>

struct scan {
    struct privacy *p;
    const char *s;
    size_t n, at, copied; /* copied: up to there it is in p->out */
    bool users;
};

/* What lies before `from` stays, [from, to) becomes the new text. */
static void replace(struct scan *c, size_t from, size_t to, const char *with)
{
    text_raw(&c->p->out, c->s + c->copied, from - c->copied);
    text_put(&c->p->out, with);
    c->copied = c->at = to;
}

/* ---- users ---- */

static bool user_char(char ch)
{
    return isalnum((unsigned char)ch) || (unsigned char)ch >= 0x80 ||
           (ch && strchr("-_.!~*&+$%'#", ch));
}

static bool host_char(char ch)
{
    return isalnum((unsigned char)ch) || ch == '-' || ch == '.' || ch == '_';
}

/* Ends a text of a URI. */
static bool uri_end(char ch)
{
    return (unsigned char)ch <= ' ' || strchr("<>\"\\", ch);
}

enum { PSEUDONYM = 16 };

/* "u" and ten digits of the digest: one in a trillion to meet among two users. */
static void pseudonym(struct privacy *p, const char *s, size_t n, char out[PSEUDONYM])
{
    char lower[512];
    uint8_t digest[16];
    if (n > sizeof lower)
        n = sizeof lower;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)tolower((unsigned char)s[i]);
    if (cipher_digest(p->cipher, lower, n, digest))
        snprintf(out, PSEUDONYM, "u%02x%02x%02x%02x%02x", digest[0], digest[1], digest[2],
                 digest[3], digest[4]);
    else
        strcpy(out, "u-");
}

/* [from, at) is a user, host follows the @ at `at`. */
static void hide_user(struct scan *c, size_t from, size_t at)
{
    char name[PSEUDONYM];
    size_t end = at + 1;
    while (end < c->n && host_char(c->s[end]))
        end++;
    while (end > at + 1 && c->s[end - 1] == '.') /* ends a sentence */
        end--;
    if (c->p->users == USERS_DROP) {
        replace(c, from, at + 1, "");
        return;
    }
    pseudonym(c->p, c->s + from, end - from, name);
    replace(c, from, at, name);
}

static bool scheme_here(const struct scan *c, const char *scheme)
{
    size_t n = strlen(scheme);
    return c->n - c->at > n && strncasecmp(c->s + c->at, scheme, n) == 0 &&
           (c->at == 0 || !isalnum((unsigned char)c->s[c->at - 1]));
}

static bool tel_here(struct scan *c)
{
    char name[PSEUDONYM] = "-";
    size_t from = c->at + 4, to = from;
    while (to < c->n && (isxdigit((unsigned char)c->s[to]) || strchr("+*#-.()", c->s[to])))
        to++;
    if (to == from)
        return false;
    if (c->p->users == USERS_PSEUDONYM)
        pseudonym(c->p, c->s + from, to - from, name);
    replace(c, from, to, name);
    return true;
}

/* A URI with a scheme whose user ends at an @. */
static bool uri_here(struct scan *c)
{
    static const char *const schemes[] = {"sip:", "sips:", "im:", "pres:", "mailto:"};
    if (scheme_here(c, "tel:"))
        return tel_here(c);
    for (unsigned i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (!scheme_here(c, schemes[i]))
            continue;
        size_t from = c->at + strlen(schemes[i]), at = from;
        while (at < c->n && c->s[at] != '@' && !uri_end(c->s[at]))
            at++;
        if (at == c->n || c->s[at] != '@' || at == from)
            return false;
        hide_user(c, from, at);
        return true;
    }
    return false;
}

static bool mail_here(struct scan *c)
{
    size_t at = c->at;
    if (at && user_char(c->s[at - 1]))
        return false;
    while (at < c->n && user_char(c->s[at]))
        at++;
    if (at == c->at || at + 1 >= c->n || c->s[at] != '@' ||
        !(host_char(c->s[at + 1]) || c->s[at + 1] == '['))
        return false;
    hide_user(c, c->at, at);
    return true;
}

/* ---- addresses ---- */

/* "10.3.1.0/24": the network of the pseudonym. */
static void cut_to_net(struct addr *a, const char *s, size_t n)
{
    unsigned bits = 0;
    for (size_t i = 1; i < n && i < 4 && isdigit((unsigned char)s[i]); i++)
        bits = bits * 10 + (unsigned)(s[i] - '0');
    bits += addr_is_v4(a) ? 96 : 0;
    if (n < 2 || s[0] != '/' || !isdigit((unsigned char)s[1]))
        return;
    for (unsigned i = bits; i < 128; i++)
        a->b[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

static bool address_of(struct scan *c, size_t to)
{
    struct addr a, new;
    char out[ADDR_TEXT];
    if (to == c->at || to - c->at >= ADDR_TEXT ||
        !addr_parse(slice_of(c->s + c->at, to - c->at), &a))
        return false;
    new = a;
    privacy_addr(c->p, &new);
    if (addr_eq(&a, &new)) {
        c->at = to;
        return true;
    }
    cut_to_net(&new, c->s + to, c->n - to);
    addr_text(&new, out);
    replace(c, c->at, to, out);
    return true;
}

static bool v4_here(struct scan *c)
{
    size_t to = c->at;
    unsigned dots = 0;
    while (to < c->n &&
           (isdigit((unsigned char)c->s[to]) || (c->s[to] == '.' && ++dots <= 3 && to + 1 < c->n &&
                                                 isdigit((unsigned char)c->s[to + 1]))))
        to++;
    size_t from = c->at;
    if (!address_of(c, to))
        return false;
    /* of five numbers in a row, the last four may be the internal address */
    if (c->copied != to && to + 1 < c->n && c->s[to] == '.' && isdigit((unsigned char)c->s[to + 1]))
        c->at = from + strspn(c->s + from, "0123456789") + 1;
    return true;
}

static bool v6_here(struct scan *c)
{
    size_t to = c->at;
    unsigned colons = 0;
    while (to < c->n && (isxdigit((unsigned char)c->s[to]) || c->s[to] == ':' || c->s[to] == '.'))
        colons += c->s[to++] == ':';
    while (to > c->at && (c->s[to - 1] == '.' ||
                          (c->s[to - 1] == ':' && (to == c->at + 1 || c->s[to - 2] != ':'))))
        to--;
    return colons >= 2 && address_of(c, to);
}

static bool address_here(struct scan *c)
{
    char before = c->at ? c->s[c->at - 1] : ' ', ch = c->s[c->at];
    if (isdigit((unsigned char)before))
        return false;
    if (isdigit((unsigned char)ch) && v4_here(c))
        return true;
    return !isalnum((unsigned char)before) && (isxdigit((unsigned char)ch) || ch == ':') &&
           v6_here(c);
}

/* ---- texts ---- */

static const char *scan_text(struct privacy *p, const char *s, bool users)
{
    if (!p || !s)
        return s;
    struct scan c = {.p = p, .s = s, .n = strlen(s), .users = users && p->users != USERS_KEEP};
    p->out.n = 0;
    while (c.at < c.n) {
        if (c.users && (uri_here(&c) || mail_here(&c)))
            continue;
        if (p->addresses && address_here(&c))
            continue;
        c.at++;
    }
    if (!c.copied)
        return s;
    text_raw(&p->out, s + c.copied, c.n - c.copied);
    text_raw(&p->out, "", 1);
    return p->out.failed ? "" : p->out.p;
}

const char *privacy_token(struct privacy *p, const char *s)
{
    char name[PSEUDONYM];
    if (!p || !s || !p->addresses || strlen(s) < sizeof(uint32_t))
        return s;
    pseudonym(p, s, strlen(s), name);
    p->out.n = 0;
    text_raw(&p->out, name, strlen(name) + 1);
    return p->out.failed ? "" : p->out.p;
}

const char *privacy_text(struct privacy *p, const char *s)
{
    return scan_text(p, s, true);
}

const char *privacy_id(struct privacy *p, const char *s)
{
    return scan_text(p, s, false);
}
