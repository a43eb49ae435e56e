/* What the endpoints said in diagnostics headers, each in a few lines, and beside it what the
 * packets show of the same. */
#include "flows/claims.h"
#include "report/clock.h"
#include "report/diagnosis.h"
#include "report/field.h"
#include "report/story.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { HANG = 19, LINE = 256, CODE_CALLEE_INFO = 51007 };

static size_t add(char line[LINE], size_t n, const char *glue, const char *text)
{
    if (!*text || n >= LINE)
        return n;
    return n + (size_t)snprintf(line + n, LINE - n, "%s%s", n ? glue : "", text);
}

static const char *location(const json_t *fields, const char *key)
{
    const char *value = field_text(fields, key);
    return strcmp(value, "1") == 0   ? "on the Internet"
           : strcmp(value, "2") == 0 ? "on the intranet"
                                     : "";
}

/* "10.98.2.1:21916, relay 2.2.2.2:58138, on the intranet" */
static void put_end(const json_t *fields, const struct prose *p, const char *lead, const char *site,
                    const char *relay, const char *where)
{
    char line[LINE] = "";
    size_t n = add(line, 0, "", field_text(fields, site));
    n = add(line, n, ", relay ", field_text(fields, relay));
    add(line, n, ", ", location(fields, where));
    if (*line)
        prose_lead(p, 2, HANG, lead, line);
}

static void put_fields(const json_t *fields, const struct prose *p)
{
    put_end(fields, p, "  itself", "LocalSite", "LocalMR", "LocalLocation");
    put_end(fields, p, "  its peer", "RemoteSite", "RemoteMR", "RemoteLocation");
}

/* ---- beside the wire ---- */

/* Is the endpoint's relay port, by its own word or by what its side offered, the allocation's? */
static bool is_relay(const struct story_facts *f, const json_t *claim, const json_t *allocation)
{
    char relay[ENDPOINT_TEXT];
    const char *side = field_text(claim, "debug_side"),
               *own = field_text(json_object_get(claim, "fields"), "LocalMR");
    if (!*own && strcmp(side, "caller") == 0)
        own = field_text(f->call, "offer_relay");
    else if (!*own && strcmp(side, "callee") == 0)
        own = field_text(f->call, "answer_relay");
    return *own && allocation &&
           strcmp(own,
                  field_endpoint(allocation, "relay_addr", "relay_port", relay, sizeof relay)) == 0;
}

static uint8_t leg_of(const json_t *failure)
{
    const char *name = field_text(failure, "leg");
    uint8_t leg = LEG_CLIENT_RELAY;
    while (leg < LEG_SIGNALING && strcmp(name, leg_name((enum leg)leg)) != 0)
        leg++;
    return leg;
}

/* The failure, and the relay port of the endpoint that speaks, if it was seen. */
static struct claim_wire wire_of(const struct story_facts *f, const json_t *claim)
{
    const json_t *far = is_relay(f, claim, f->far) ? f->far : NULL,
                 *own = is_relay(f, claim, f->allocation) ? f->allocation : far;
    struct claim_wire w = {
        .leg = leg_of(f->failure),
        .verdict = (uint8_t)verdict_by_name(field_text(f->failure, "verdict")),
        .tcp = strcmp(field_text(f->failure, "transport"), "UDP") != 0,
        .error_code = (uint16_t)field_int(own, "error_code", 0),
        .asked = own,
        .granted = own,
        .relay_tcp = strcmp(field_text(own, "transport"), "UDP") != 0,
    };
    size_t k;
    json_t *send;
    json_array_foreach(own == f->allocation ? f->sends : NULL, k, send)
    {
        w.sends++;
        w.answered += field_tick(send, "answered") != TICK_NONE;
    }
    return w;
}

static void put_wire(const struct story_facts *f, const json_t *claim, uint32_t warn,
                     const struct prose *p)
{
    struct claim_wire w = wire_of(f, claim);
    const char *words, *verdict = field_text(f->failure, "verdict");
    for (uint32_t bit = 1; bit; bit <<= 1) {
        enum claim_says says = warn & bit ? claim_set(bit, &w, &words) : CLAIM_UNKNOWN;
        char lead[16];
        snprintf(lead, sizeof lead, "0x%" PRIX32, bit);
        if (says == CLAIM_AGREES)
            prose_item(p, 6, HANG, lead, "the packets agree: %s (%s)", words, verdict);
        else if (says == CLAIM_DENIES)
            prose_item(p, 6, HANG, lead, "the packets say otherwise: %s", words);
    }
    words = w.leg == LEG_RELAY_PEER || w.asked ? claim_missing(warn, &w) : NULL;
    if (words)
        prose_text(p, 6, "The packets show what it has no bit for: %s (%s).", words, verdict);
}

/* What the wire showed of the same, in one line. */
static void put_seen(const struct story_facts *f, const struct prose *p)
{
    const json_t *x = f->failure;
    char src[LINE], dst[LINE];
    int64_t syns = field_int(x, "syns", 0), rsts = field_int(x, "rsts", 0);
    field_endpoint(x, "src_addr", "src_port", src, sizeof src);
    field_endpoint(x, "dst_addr", "dst_port", dst, sizeof dst);
    if (!*src || !*dst)
        prose_item(p, 2, HANG, "  the wire", "%s", field_text(x, "verdict"));
    else
        prose_item(p, 2, HANG, "  the wire",
                   "%s -> %s, %s: %" PRId64 " request%s, %" PRId64 " reset%s", src, dst,
                   field_text(x, "verdict"), syns, syns == 1 ? "" : "s", rsts,
                   rsts == 1 ? "" : "s");
}

void story_claims(const struct story_facts *f, const struct prose *p)
{
    size_t k;
    json_t *d;
    if (json_array_size(f->diagnostics) == 0)
        return;
    prose_heading(p, "WHAT THE ENDPOINTS CLAIMED");
    json_array_foreach(f->diagnostics, k, d)
    {
        char at[TICK_TEXT];
        const char *side = field_text(d, "debug_side"), *reason = field_text(d, "reason");
        clock_time(field_tick(d, "seen"), at);
        char words[LINE];
        snprintf(words, sizeof words, "%s%s%s%" PRId64 "%s%s", *side ? "the " : "", side,
                 *side ? ": " : "", field_int(d, "code", 0), *reason ? " " : "", reason);
        if (p->html)
            prose_title(p, 2, "%s, %s", at, words);
        else
            prose_lead(p, 2, HANG, at, words);
        put_fields(json_object_get(d, "fields"), p);
        if (!json_is_integer(json_object_get(d, "icewarn")))
            continue;
        uint32_t warn = (uint32_t)field_int(d, "icewarn", 0);
        diagnosis_icewarn(p, 4, warn);
        put_seen(f, p);
        /* what comes with the answer was said before checks ran */
        if (field_int(d, "code", 0) != CODE_CALLEE_INFO)
            put_wire(f, d, warn, p);
    }
}
