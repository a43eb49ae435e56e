/* The sections of a story that need no picture of their own. */
#include "report/story.h"

#include "report/clock.h"
#include "report/diagnosis.h"
#include "report/field.h"
#include "report/html.h"
#include "report/ticket.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { HANG = 19, TEXT = 256 };

/* ---- headline ---- */

static const struct {
    const char *verdict, *words;
} headlines[] = {
    {"refused", "was refused"},
    {"timeout", "got no answer"},
    {"single-syn", "got no answer; it was asked only once"},
    {"unreachable", "was reported unreachable"},
    {"half-open", "was answered but never completed"},
    {"retry-conflict", "was answered out of place"},
    {"reset-after-open", "was cut off right after it opened"},
    {"open-no-check", "opened, but no connectivity check got through"},
    {"pseudotls-fail", "did not get the hello that a relay gives"},
    {"tls-fail", "failed in TLS"},
    {"alloc-fail", "opened, but the relay gave no port"},
    {"not-tried", "was agreed on but never tried"},
    {"unseen", "cannot be judged: the capture does not show enough of it"},
};

static const char *headline_words(const char *verdict)
{
    for (size_t i = 0; i < sizeof headlines / sizeof *headlines; i++)
        if (strcmp(headlines[i].verdict, verdict) == 0)
            return headlines[i].words;
    return verdict;
}

static const char *leg_words(const char *leg)
{
    if (strcmp(leg, "client-relay") == 0)
        return "from the client to its relay";
    return strcmp(leg, "relay-peer") == 0 ? "from the relay to its peer" : "directly to the peer";
}

static void put_who(const struct story_facts *f, const struct prose *p)
{
    const char *medium = field_text(f->failure, "medium");
    const char *caller = field_user(f->failure, "caller", "?");
    const char *callee = field_user(f->failure, "callee", "?");
    const char *what = *medium ? diagnosis_medium(medium) : "media";
    if (*caller == '?' && *callee == '?')
        prose_text(p, 0, "%s, the users are not known", what);
    else
        prose_text(p, 0, "%s, %s to %s", what, caller, callee);
}

char *story_sentence(const struct story_facts *f)
{
    const json_t *x = f->failure;
    char src[TEXT], dst[TEXT], *text = NULL;
    field_endpoint(x, "src_addr", "src_port", src, sizeof src);
    field_endpoint(x, "dst_addr", "dst_port", dst, sizeof dst);
    bool known = *src && *dst, udp = strcmp(field_text(x, "transport"), "UDP") == 0;
    int n = asprintf(&text, "The %s %s %s %s%s%s%s%s.", field_text(x, "transport"),
                     udp ? "path" : "connection", leg_words(field_text(x, "leg")),
                     headline_words(field_text(x, "verdict")), known ? ": " : "", known ? src : "",
                     known ? " -> " : "", known ? dst : "");
    return n < 0 ? NULL : text;
}

static void put_headline(const struct story_facts *f, const struct prose *p)
{
    const json_t *x = f->failure;
    char when[TICK_TEXT], zone[CLOCK_ZONE], offset[CLOCK_ZONE], *sentence = story_sentence(f);
    const char *verdict = field_text(x, "verdict"), *quality = field_text(x, "capture_quality");
    bool info = strcmp(field_text(x, "severity"), "info") == 0;
    tick_t first = field_tick(x, "first_seen");
    prose_text(p, 0, "FAILURE %" PRId64 ": %s, %s, grade %s, %s%s", field_int(x, "id", 0), verdict,
               field_text(x, "leg"), field_text(x, "grade"), field_text(x, "confidence"),
               info ? ", information only" : "");
    put_who(f, p);
    prose_text(p, 0, "%s (all times %s, %s), sensor %s", clock_stamp(first, when), clock_zone(zone),
               clock_offset(first, offset), field_text(x, "sensor"));
    fputc('\n', p->out);
    prose_text(p, 2, "%s", sentence ? sentence : "");
    free(sentence);
    if (strcmp(quality, "good") != 0)
        prose_text(p, 2, "The capture is %s here, so that missing packets prove little.", quality);
}

/* ---- legs ---- */

static void put_allocation(const json_t *a, const struct prose *p, const char *lead)
{
    char client[TEXT], server[TEXT], relay[TEXT], reflexive[TEXT];
    int64_t error = field_int(a, "error_code", 0);
    field_endpoint(a, "relay_addr", "relay_port", relay, sizeof relay);
    prose_item(p, 2, HANG, lead, "%s -> %s, %s: %s",
               field_endpoint(a, "client_addr", "client_port", client, sizeof client),
               field_endpoint(a, "server_addr", "server_port", server, sizeof server),
               field_text(a, "transport"), *relay ? "relay port allocated" : "no relay port");
    if (error)
        prose_item(p, 2, HANG, "", "last error of the relay: %" PRId64, error);
    if (*relay)
        prose_item(p, 2, HANG, "", "relay port %s%s%s", relay,
                   *field_text(a, "wire_addr") ? ", seen on the wire at " : "",
                   field_text(a, "wire_addr"));
    field_endpoint(a, "reflexive_addr", "reflexive_port", reflexive, sizeof reflexive);
    if (*reflexive && strcmp(reflexive, client) != 0)
        prose_item(p, 2, HANG, "", "the relay sees the client as %s", reflexive);
}

static const char *alias_origin(const struct story_facts *f, char *out, size_t room)
{
    int64_t ports = field_int(f->alias, "ports_seen", 0);
    if (!f->alias)
        snprintf(out, room, "learned for this match");
    else if (strcmp(field_text(f->alias, "origin"), "configured") == 0)
        snprintf(out, room, "configured");
    else
        snprintf(out, room, "learned, %" PRId64 " port%s agreed", ports, ports == 1 ? "" : "s");
    return out;
}

static void put_alias(const struct story_facts *f, const struct prose *p)
{
    const char *private = field_text(f->failure, "src_addr");
    const char *public = field_text(f->failure, "src_public");
    char origin[TEXT];
    if (!*public) { /* the relay is the one that was asked, or never got so far */
        private = field_text(f->allocation, "wire_addr");
        public = field_text(f->allocation, "relay_addr");
    }
    if (*private && *public && strcmp(private, public) != 0)
        prose_item(p, 2, HANG, "alias", "%s = %s (%s)", private, public,
                   alias_origin(f, origin, sizeof origin));
}

static void put_legs(const struct story_facts *f, const struct prose *p)
{
    const json_t *x = f->failure;
    char src[TEXT], dst[TEXT];
    const char *leg = field_text(x, "leg");
    field_endpoint(x, "src_addr", "src_port", src, sizeof src);
    field_endpoint(x, "dst_addr", "dst_port", dst, sizeof dst);
    prose_heading(p, "LEGS");
    if (f->allocation)
        put_allocation(f->allocation, p, "client-relay");
    bool told = f->allocation && strcmp(field_text(x, "verdict"), "alloc-fail") == 0;
    if (!told && *src && *dst)
        prose_item(p, 2, HANG, leg, "%s -> %s, %s: %s", src, dst, field_text(x, "transport"),
                   field_text(x, "verdict"));
    else if (!told)
        prose_item(p, 2, HANG, leg, "%s", field_text(x, "verdict"));
    if (f->far)
        put_allocation(f->far, p, "far client");
    put_alias(f, p);
}

/* ---- call ---- */

static void put_call(const struct story_facts *f, const struct prose *p)
{
    const json_t *c = f->call;
    prose_heading(p, "CALL");
    if (!c) {
        prose_text(p, 2,
                   "No signaling of this call was readable, so users and candidates are not "
                   "known.");
        return;
    }
    char begun[TICK_TEXT], span[CLOCK_SPAN];
    tick_t started = field_tick(c, "started"), answered = field_tick(c, "answered");
    tick_t ended = field_tick(c, "ended");
    prose_item(p, 2, HANG, "Call-ID", "%s", field_text(c, "call_id"));
    prose_item(p, 2, HANG, "users", "%s to %s", field_user(c, "caller", "?"),
               field_user(c, "callee", "?"));
    prose_item(p, 2, HANG, "started", "%s", clock_stamp_ms(started, begun));
    if (answered != TICK_NONE)
        prose_item(p, 2, HANG, "answered", "after %s, status %" PRId64,
                   clock_span(answered - started, span), field_int(c, "status", 200));
    else
        prose_item(p, 2, HANG, "answered", "no%s", field_int(c, "status", 0) ? ", refused" : "");
    if (ended != TICK_NONE)
        prose_item(p, 2, HANG, "ended", "after %s; media: %s", clock_span(ended - started, span),
                   field_text(c, "outcome"));
}

/* ---- hypotheses ---- */

static void put_reasons(const json_t *evidence, const char *key, const char *lead,
                        const struct prose *p)
{
    size_t k;
    json_t *reason;
    json_array_foreach(json_object_get(evidence, key), k, reason)
    {
        if (json_is_string(reason))
            prose_lead(p, 5, HANG, k ? "" : lead, json_string_value(reason));
    }
}

/* Whom to ask, and the rule or setting to look at. */
static void put_ticket(const char *code, const struct prose *p)
{
    const struct ticket *t = ticket_for(code);
    if (!t)
        return;
    prose_lead(p, 5, HANG, "ask", t->whom);
    prose_lead(p, 5, HANG, "check", t->check);
}

static void put_findings(const struct story_facts *f, const struct prose *p)
{
    size_t k;
    json_t *x;
    if (json_array_size(f->findings) == 0)
        return;
    prose_heading(p, "WHAT IT MAY BE (hypotheses, none of them proven)");
    json_array_foreach(f->findings, k, x)
    {
        const json_t *evidence = json_object_get(x, "evidence");
        fputs(k ? "\n" : "", p->out);
        prose_title(p, 2, "%zu. %s, %s", k + 1, field_text(x, "code"), field_text(x, "confidence"));
        put_reasons(evidence, "for", "for", p);
        put_reasons(evidence, "against", "against", p);
        put_reasons(evidence, "settle", "would settle", p);
        if (*field_text(x, "advice"))
            prose_item(p, 5, HANG, "advice", "%s", field_text(x, "advice"));
        put_ticket(field_text(x, "code"), p);
    }
}

/* ---- the whole ---- */

static void put_next(const struct story_facts *f, const struct prose *p, const char *again)
{
    int64_t id = field_int(f->failure, "id", 0);
    if (f->n_packets == 0)
        return;
    prose_heading(p, "THE PACKETS");
    if (p->html) {
        fputs("<pre>", p->out);
        html_format(p->out, "%s export %" PRId64 " -o failure-%" PRId64 ".pcapng", again, id, id);
        fputs("</pre>\n", p->out);
    } else
        fprintf(p->out, "  %s export %" PRId64 " -o failure-%" PRId64 ".pcapng\n", again, id, id);
}

void story_body(const struct story_facts *f, const struct prose *p, const char *again)
{
    put_legs(f, p);
    put_call(f, p);
    story_candidates(f, p);
    story_ladder(f, p);
    story_claims(f, p);
    story_verdict(f, p);
    put_findings(f, p);
    put_next(f, p, again);
}

void story_print(const struct story_facts *f, const struct prose *p, const char *again)
{
    put_headline(f, p);
    story_body(f, p, again);
}
