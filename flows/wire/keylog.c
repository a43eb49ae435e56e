/* Lines of a key log. */
#include "flows/wire/keylog.h"

static int hex_digit(uint8_t c)
{
    c = ascii_lower(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The word before the next blank. */
static struct slice word(struct cursor *c)
{
    while (cursor_left(c) && (*c->p == ' ' || *c->p == '\t'))
        c->p++;
    const uint8_t *start = c->p;
    while (cursor_left(c) && *c->p != ' ' && *c->p != '\t')
        c->p++;
    return slice_of(start, (size_t)(c->p - start));
}

/* Hex digits into at most room bytes; -1 = something else. */
static int unhex(struct slice text, uint8_t *out, size_t room)
{
    if (text.n % 2 || text.n / 2 > room)
        return -1;
    for (size_t i = 0; i < text.n; i += 2) {
        int high = hex_digit(text.p[i]), low = hex_digit(text.p[i + 1]);
        if (high < 0 || low < 0)
            return -1;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return (int)(text.n / 2);
}

static bool label(struct slice name, uint8_t *kind)
{
    static const struct {
        const char *name;
        uint8_t kind;
    } labels[] = {
        {"CLIENT_RANDOM", SECRET_MASTER},
        {"CLIENT_EARLY_TRAFFIC_SECRET", SECRET_CLIENT_EARLY},
        {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", SECRET_CLIENT_HANDSHAKE},
        {"SERVER_HANDSHAKE_TRAFFIC_SECRET", SECRET_SERVER_HANDSHAKE},
        {"CLIENT_TRAFFIC_SECRET_0", SECRET_CLIENT_DATA},
        {"SERVER_TRAFFIC_SECRET_0", SECRET_SERVER_DATA},
        {"PMS_CLIENT_RANDOM", SECRET_PREMASTER},
        {"RSA", SECRET_ENCRYPTED},
    };
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (slice_is(name, labels[i].name)) {
            *kind = labels[i].kind;
            return true;
        }
    return false;
}

static bool is_label(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              s.p[i] == '_'))
            return false;
    return s.n > 0;
}

static bool is_hex(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (hex_digit(s.p[i]) < 0)
            return false;
    return s.n > 0;
}

bool keylog_looks_like(struct slice line)
{
    struct slice text = slice_trim(line);
    struct cursor c = cursor_on(text);
    uint8_t kind;
    if (!text.n || text.p[0] == '#')
        return true;
    struct slice name = word(&c), id = word(&c);
    return label(name, &kind) || (is_label(name) && is_hex(id) && is_hex(word(&c)));
}

/* Cuts a prefix such as "Session-ID:" off. */
static bool cut(struct slice *s, const char *prefix)
{
    size_t n = strlen(prefix);
    if (!slice_starts(*s, prefix))
        return false;
    *s = slice_of(s->p + n, s->n - n);
    return true;
}

enum wire_result keylog_parse(struct slice line, struct keylog_line *out, struct wire_fault *fault)
{
    struct slice text = slice_trim(line);
    struct cursor c = cursor_on(text);
    struct keylog_line k = {0};
    if (!text.n || text.p[0] == '#')
        return wire_bad(fault, "no secret in this line", 0);
    if (!label(word(&c), &k.kind))
        return wire_bad(fault, "unknown label", 0);
    struct slice id = word(&c), secret = word(&c);
    if (k.kind == SECRET_ENCRYPTED && cut(&id, "Session-ID:")) {
        k.kind = SECRET_SESSION;
        if (!cut(&secret, "Master-Key:"))
            return wire_bad(fault, "no master key behind the session id", 0);
    }
    int got = unhex(id, k.id, sizeof k.id);
    int wanted = k.kind == SECRET_ENCRYPTED ? 8 : k.kind == SECRET_SESSION ? got : SECRET_ID;
    if (got < 1 || got != wanted)
        return wire_bad(fault, "the id is damaged", (size_t)(id.p - line.p));
    got = unhex(secret, k.secret, sizeof k.secret);
    bool traffic = k.kind >= SECRET_CLIENT_EARLY && k.kind <= SECRET_SERVER_DATA;
    bool any = k.kind == SECRET_PREMASTER && got > 0;
    if (got != SECRET_MAX && !any && !(traffic && got == SECRET_MIN))
        return wire_bad(fault, "the secret is damaged", (size_t)(secret.p - line.p));
    k.n = (uint16_t)got;
    *out = k;
    return WIRE_OK;
}
