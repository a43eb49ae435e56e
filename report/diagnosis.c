/* What clients say about a call that failed, in plain words (P§3). */
#include "report/diagnosis.h"

#include "flows/wire/ms_diag.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_HANG = 26 };

/* ---- ICEWarn ---- */

bool diagnosis_icewarn_parse(const char *text, uint32_t *out)
{
    if (strncasecmp(text, "ICEWarn", 7) == 0) {
        text += 7;
        text += strspn(text, " =:");
    }
    bool marked = strncasecmp(text, "0x", 2) == 0;
    if (marked)
        text += 2;
    size_t n = strspn(text, "0123456789abcdefABCDEF");
    bool word = !marked && strcspn(text, "0123456789") >= n; /* "dead" is a word */
    if (n == 0 || n > 8 || text[n] || word)
        return false;
    *out = (uint32_t)strtoul(text, NULL, 16);
    return true;
}

/* "0x320 = 0x20 + 0x100 + 0x200" */
static void sum_text(uint32_t value, char *out, size_t room)
{
    int n = snprintf(out, room, "0x%" PRIX32, value);
    const char *glue = " = ";
    if ((value & (value - 1)) == 0)
        return;
    for (uint32_t bit = 1; bit; bit <<= 1)
        if (value & bit && n > 0 && (size_t)n < room) {
            n += snprintf(out + n, room - (size_t)n, "%s0x%" PRIX32, glue, bit);
            glue = " + ";
        }
}

/* The bits that are not normal in many networks, "0x1, 0x800000". */
static unsigned odd_bits(uint32_t value, char *out, size_t room)
{
    unsigned count = 0;
    size_t n = 0;
    out[0] = 0;
    for (uint32_t bit = 1; bit; bit <<= 1)
        if (value & bit && !icewarn_bit(bit)->expected && n < room) {
            n += (size_t)snprintf(out + n, room - n, "%s0x%" PRIX32, count ? ", " : "", bit);
            count++;
        }
    return count;
}

void diagnosis_icewarn(const struct prose *p, unsigned indent, uint32_t value)
{
    char sum[512], odd[512], lead[16];
    sum_text(value, sum, sizeof sum);
    prose_text(p, indent, "ICEWarn %s", sum);
    if (value == 0) {
        prose_text(p, indent + 2, "Nothing failed, or the connectivity checks had not run yet.");
        return;
    }
    for (uint32_t bit = 1; bit; bit <<= 1)
        if (value & bit) {
            snprintf(lead, sizeof lead, "0x%" PRIX32, bit);
            prose_lead(p, indent + 2, indent + 14, lead, icewarn_bit(bit)->text);
        }
    unsigned count = odd_bits(value, odd, sizeof odd);
    if (count)
        prose_text(p, indent + 2, "Out of the ordinary: %s.", odd);
    else
        prose_text(p, indent + 2,
                   "All of this is common; it means something only if the call had no media.");
}

/* ---- MediaDebug ---- */

static const struct {
    const char *key, *words;
} field_words[] = {
    {"LocalSite", "own address"},
    {"LocalMR", "own relay"},
    {"RemoteSite", "peer's address"},
    {"RemoteMR", "peer's relay"},
    {"LocalMRTCPPort", "own relay, TCP port"},
    {"RemoteMRTCPPort", "peer's relay, TCP port"},
    {"PortRange", "ports of the client"},
    {"LocalLocation", "where it is"},
    {"RemoteLocation", "where the peer is"},
    {"FederationType", "federation"},
    {"NetworkName", "network"},
    {"Interfaces", "interfaces"},
    {"BaseInterface", "base interface"},
    {"LocalInterface", "local interface"},
    {"BaseAddress", "base of the chosen pair"},
    {"LocalAddress", "local, chosen pair"},
    {"RemoteAddress", "remote, chosen pair"},
    {"Protocol", "protocol"},
};

static const char *const location_words[] = {"not known", "Internet", "intranet"};
static const char *const federation_words[] = {"none", "another company", "public cloud"};

static const char *value_words(const char *key, const char *value)
{
    size_t n = strlen(key);
    bool digit = value[0] >= '0' && value[0] <= '2' && !value[1];
    if (digit && n > 8 && strcasecmp(key + n - 8, "Location") == 0)
        return location_words[value[0] - '0'];
    if (digit && strcasecmp(key, "FederationType") == 0)
        return federation_words[value[0] - '0'];
    return value;
}

void diagnosis_field(const struct prose *p, unsigned indent, const char *key, const char *value)
{
    const char *words = key;
    for (size_t i = 0; i < sizeof field_words / sizeof *field_words; i++)
        if (strcasecmp(field_words[i].key, key) == 0)
            words = field_words[i].words;
    prose_lead(p, indent, indent + FIELD_HANG, words, value_words(key, value));
}

const char *diagnosis_medium(const char *medium)
{
    return strcasecmp(medium, "applicationsharing") == 0 ||
                   strcasecmp(medium, "application-sharing") == 0
               ? "application sharing"
               : medium;
}

/* ---- whole headers ---- */

static void put_slice(struct slice s, char *out, size_t room)
{
    snprintf(out, room, "%.*s", (int)s.n, (const char *)s.p);
}

static const char *side_words(enum diag_side side)
{
    static const char *const words[] = {
        [DIAG_NO_SIDE] = "client", [DIAG_CALLER] = "caller", [DIAG_CALLEE] = "callee"};
    return words[side];
}

static void put_media(const struct prose *p, const struct media_debug *m)
{
    char medium[64], key[64], value[512];
    put_slice(m->medium, medium, sizeof medium);
    fputc('\n', p->out);
    prose_text(p, 0, "What the %s says about %s", side_words(m->side),
               *medium ? diagnosis_medium(medium) : "its media");
    if (m->has_icewarn)
        diagnosis_icewarn(p, 2, m->icewarn);
    struct slice k, v;
    size_t pos = 0;
    bool sites = false; /* it tells addresses at all */
    while (media_debug_field(m->fields, &pos, &k, &v)) {
        sites |= slice_is(k, "LocalSite") || slice_is(k, "LocalMR") || slice_is(k, "RemoteSite");
        if (slice_is(k, "ICEWarn"))
            continue;
        put_slice(k, key, sizeof key);
        put_slice(v, value, sizeof value);
        diagnosis_field(p, 2, key, value);
    }
    if (sites && !m->has_remote_mr)
        prose_text(p, 2, "The peer's relay (RemoteMR) is missing: the peer offered none.");
}

/* Cuts "ms-client-diagnostics:" off. */
static struct slice value_of(struct slice text)
{
    text = slice_trim(text);
    const uint8_t *colon = text.n ? memchr(text.p, ':', text.n) : NULL;
    if (colon && text.p < colon && isalpha(text.p[0]) &&
        memchr(text.p, '-', (size_t)(colon - text.p)))
        text = slice_of(colon + 1, text.n - (size_t)(colon + 1 - text.p));
    return slice_trim(text);
}

static bool is_media_debug(struct slice name)
{
    return slice_is(name, "CallerMediaDebug") || slice_is(name, "CalleeMediaDebug") ||
           slice_is(name, "reason");
}

int diagnosis_header(const struct prose *p, struct slice text)
{
    struct ms_diag d;
    text = value_of(text);
    if (ms_diag_parse(text, &d, NULL) != WIRE_OK || d.params.n == 0 || !memchr(text.p, ';', text.n))
        return -1;
    char lead[16], name[64], value[512];
    snprintf(lead, sizeof lead, "%" PRIu32, d.code);
    const char *own = ms_diag_code_text(d.code);
    prose_lead(p, 0, 8, lead, own ? own : "An error id whose meaning is not public.");
    if (d.reason.n)
        prose_item(p, 0, 8, "reason", "\"%.*s\"", (int)d.reason.n, (const char *)d.reason.p);
    struct slice n, v;
    size_t pos = 0;
    while (ms_diag_param(d.params, &pos, &n, &v)) {
        if (is_media_debug(n))
            continue;
        put_slice(n, name, sizeof name);
        put_slice(v, value, sizeof value);
        prose_item(p, 0, 8, name, "%s", value);
    }
    for (unsigned i = 0; i < d.n_media; i++)
        put_media(p, &d.media[i]);
    return 0;
}
