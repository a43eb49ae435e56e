/* Facts made by hand for tests of the engine. See facts_lab.h. */
#include "tests/help/facts_lab.h"

#include <stdlib.h>

#include "capture/frame.h"
#include "flows/wire/sdp.h"

struct endpoint ep(const char *text)
{
    struct endpoint e = {.port = 0};
    if (*text && !endpoint_parse(slice_str(text), &e))
        abort();
    return e;
}

struct addr ad(const char *text)
{
    struct addr a = {{0}};
    if (*text && !addr_parse(slice_str(text), &a))
        abort();
    return a;
}

tick_t at(double seconds)
{
    return INT64_C(1355136180) * TICK_S + (tick_t)(seconds * 1e6 + 0.5) * TICK_US;
}

void call_make(struct call_made *c, const char *offer, const char *answer)
{
    const char *preset[CALL_SIDES] = {offer, answer};
    *c = (struct call_made){.call = {.id = 1,
                                     .call_id = "a622d7b9f6464be3a455e6d98ec700b3",
                                     .caller = "sip:user1@contoso.com",
                                     .callee = "sip:user2@fabrikam.com",
                                     .origin = "wire",
                                     .started = at(49.3),
                                     .answered = at(53.0),
                                     .ended = TICK_NONE,
                                     .status = 200,
                                     .media = c->media,
                                     .n_media = 1,
                                     .diags = c->diags}};
    c->media[0].medium = "applicationsharing";
    for (int side = 0; side < CALL_SIDES; side++) {
        struct fact_side *s = &c->media[0].side[side];
        s->present = s->tcp = true;
        s->preset = ep(preset[side]);
        s->candidates = c->candidates[0][side];
        s->room = MAKE_CANDIDATES;
    }
}

struct fact_candidate *call_add(struct call_made *c, enum call_side side, int type, bool udp,
                                const char *where)
{
    struct fact_side *s = &c->media[0].side[side];
    if (s->n_candidates == s->room)
        abort();
    struct fact_candidate *k = &s->candidates[s->n_candidates++];
    *k = (struct fact_candidate){.at = ep(where),
                                 .component = 1,
                                 .type = (uint8_t)type,
                                 .transport = udp ? CAND_UDP : CAND_TCP_PASS,
                                 .dialect = DIALECT_MS_ICE2};
    return k;
}

void call_diag(struct call_made *c, tick_t seen, uint32_t code, const char *side, const char *value)
{
    const char *warn = strstr(value, "ICEWarn=0x");
    if (c->call.n_diags == MAKE_DIAGS)
        abort();
    c->diags[c->call.n_diags++] = (struct fact_diag){
        .seen = seen,
        .header = "ms-client-diagnostics",
        .code = code,
        .side = side,
        .medium = "applicationsharing",
        .has_icewarn = warn != NULL,
        .icewarn = warn ? (uint32_t)strtoul(warn + strlen("ICEWarn="), NULL, 16) : 0,
        .value = value,
    };
}

void allocation_make(struct allocation_made *a, const char *client, const char *server,
                     const char *relay)
{
    *a = (struct allocation_made){.fact = {.id = 1,
                                           .client = ep(client),
                                           .server = ep(server),
                                           .proto = PROTO_TCP,
                                           .granted = true,
                                           .ms = true,
                                           .relay = ep(relay),
                                           .medium = "data",
                                           .started = at(49.234),
                                           .ended = TICK_NONE,
                                           .requests = 2,
                                           .sends = a->sends}};
}

struct fact_send *allocation_send(struct allocation_made *a, const char *peer, double first)
{
    if (a->fact.n_sends == MAKE_SENDS)
        abort();
    struct fact_send *s = &a->sends[a->fact.n_sends++];
    *s = (struct fact_send){
        .peer = ep(peer), .first = at(first), .last = at(first), .count = 1, .answered = TICK_NONE};
    return s;
}

struct attempt attempt_make(uint64_t id, const char *src, const char *dst, enum verdict v,
                            double second)
{
    return (struct attempt){.id = id,
                            .src = ep(src),
                            .dst = ep(dst),
                            .proto = PROTO_TCP,
                            .verdict = (uint8_t)v,
                            .isn = 0x10000000u + (uint32_t)id,
                            .syns = 1,
                            .rsts = v == VERDICT_REFUSED,
                            .first = at(second),
                            .last = at(second),
                            .rtt_us = -1,
                            .answer_ttl = -1,
                            .answer_ipid = -1,
                            .icmp_type = -1,
                            .icmp_code = -1};
}

struct attempt attempt_of_incident(void)
{
    struct attempt a = attempt_make(1, "10.3.0.40:58138", "1.1.1.1:50704", VERDICT_REFUSED, 59.456);
    a.isn = 3074395695u;
    a.syns = a.rsts = 3;
    a.last = at(60.590);
    a.rtt_us = 43000;
    return a;
}
