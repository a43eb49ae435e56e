/* A failure and what is concluded from it. See scene.h. */
#include "tests/help/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <jansson.h>

#include "flows/wire/sdp.h"

void scene_from_attempt(struct scene *s)
{
    const struct attempt *a = &s->attempt;
    s->f.verdict = a->verdict;
    s->f.proto = a->proto;
    s->f.src = a->src;
    s->f.dst = a->dst;
    s->f.first = a->first;
    s->f.last = a->last;
    s->f.syns = a->syns;
    s->f.rsts = a->rsts;
    s->f.rtt_us = a->rtt_us;
    s->f.icmp_type = a->icmp_type;
    s->f.icmp_code = a->icmp_code;
    s->f.icmp_from = a->icmp_from;
}

void scene_incident(struct scene *s)
{
    *s = (struct scene){.attempt = attempt_of_incident(),
                        .f = {.leg = LEG_RELAY_PEER,
                              .grade = 'A',
                              .attempts = 1,
                              .id = 1,
                              .confidence = CONFIDENCE_CONFIRMED,
                              .medium = "applicationsharing"}};
    call_make(&s->call, "2.2.2.2:58138", "1.1.1.1:50704");
    call_add(&s->call, SIDE_OFFER, CAND_HOST, false, "10.98.2.1:21916");
    call_add(&s->call, SIDE_OFFER, CAND_RELAY, false, "2.2.2.2:58138");
    call_add(&s->call, SIDE_ANSWER, CAND_HOST, false, "10.26.10.50:50058");
    allocation_make(&s->own, "10.98.2.1:13211", "10.3.0.34:443", "2.2.2.2:58138");
    scene_from_attempt(s);
    s->f.src_public = ad("2.2.2.2");
    s->f.client = s->own.fact.client;
    s->ctx = (struct failure_context){.call = &s->call.call,
                                      .allocation = &s->own.fact,
                                      .attempt = &s->attempt,
                                      .send = allocation_send(&s->own, "1.1.1.1:50704", 53.067),
                                      .near_side = SIDE_OFFER,
                                      .tls_instead = -1};
}

void scene_client_leg(struct scene *s, enum verdict v)
{
    scene_incident(s);
    s->attempt = attempt_make(1, "10.98.2.1:13211", "10.3.0.34:443", v, 49.1);
    scene_from_attempt(s);
    s->f.src_public = ad("");
    s->f.leg = LEG_CLIENT_RELAY;
    s->f.grade = 'B';
    s->ctx.call = NULL;
    s->ctx.send = NULL;
    s->own.fact.granted = false;
    s->ctx.allocation = v == VERDICT_ALLOC_FAIL ? &s->own.fact : NULL;
}

void scene_run(struct scene *s)
{
    s->n = findings_of_failure(&s->f, &s->ctx, s->list);
    for (unsigned i = 0; i < s->n; i++) {
        json_error_t why;
        json_t *j = json_loads(s->list[i].evidence, 0, &why);
        if (!j)
            fail_msg("%s: %s in %s", s->list[i].code, why.text, s->list[i].evidence);
        assert_true(json_array_size(json_object_get(j, "for")) > 0);
        assert_true(json_is_array(json_object_get(j, "against")));
        assert_true(json_array_size(json_object_get(j, "settle")) > 0);
        json_decref(j);
        assert_true(strlen(s->list[i].advice) > 20);
    }
}

const struct finding *scene_find(const struct scene *s, const char *code)
{
    for (unsigned i = 0; i < s->n; i++)
        if (strcmp(s->list[i].code, code) == 0)
            return &s->list[i];
    return NULL;
}

void scene_expect(const struct scene *s, const char *code, bool likely)
{
    const struct finding *f = scene_find(s, code);
    if (!f)
        fail_msg("%s is missing", code);
    assert_int_equal(f->likely, likely);
}

void scene_expect_none(const struct scene *s, const char *code)
{
    if (scene_find(s, code))
        fail_msg("%s is claimed: %s", code, scene_find(s, code)->evidence);
}
