/* Candidates into the packed column and back: components that differ in nothing else share an
 * entry. */
#include "storage/facts_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "storage/load_json.h"

static struct fact_candidate candidate(uint16_t component, uint32_t priority)
{
    struct fact_candidate k = {.component = component,
                               .priority = priority,
                               .foundation = "1",
                               .type = CAND_HOST,
                               .transport = CAND_TCP_ACT,
                               .dialect = DIALECT_RFC6544};
    addr_parse(slice_str("192.0.2.1"), &k.at.addr);
    k.at.port = 50050;
    return k;
}

static struct text packed(struct fact_candidate *list, uint16_t n)
{
    struct text out = {0};
    struct fact_media m = {.medium = "audio"};
    struct fact_call c = {.media = &m, .n_media = 1};
    m.side[SIDE_OFFER] = (struct fact_side){
        .present = true, .preset = list[0].at, .candidates = list, .n_candidates = n};
    assert_true(facts_json_side(&out, &c, SIDE_OFFER));
    return out;
}

static void assert_packed(struct fact_candidate *list, uint16_t n, const char *expected)
{
    struct text t = packed(list, n);
    text_raw(&t, "", 1);
    assert_string_equal(t.p, expected);
    text_free(&t);
}

/* After packing and loading all n are there again, in their order. */
static void assert_unchanged(struct fact_candidate *list, uint16_t n)
{
    struct text t = packed(list, n);
    struct arena_pool pool;
    struct arena a;
    struct fact_call c = {0};
    arena_pool_init(&pool, 1 << 20);
    arena_init(&a, &pool);
    assert_true(load_json_side(&a, slice_of((const uint8_t *)t.p, t.n), &c, SIDE_OFFER));
    const struct fact_side *s = &c.media[0].side[SIDE_OFFER];
    assert_int_equal(s->n_candidates, n);
    for (unsigned i = 0; i < n; i++) {
        const struct fact_candidate *got = &s->candidates[i], *want = &list[i];
        assert_int_equal(got->component, want->component);
        assert_int_equal(got->priority, want->priority);
        assert_int_equal(got->type, want->type);
        assert_int_equal(got->transport, want->transport);
        assert_int_equal(got->dialect, want->dialect);
        assert_true(endpoint_eq(&got->at, &want->at));
        assert_true(endpoint_eq(&got->related, &want->related));
        assert_string_equal(got->foundation, want->foundation);
    }
    arena_free(&a);
    arena_pool_clear(&pool);
    text_free(&t);
}

static void components_of_one_candidate_share_an_entry(void **state)
{
    (void)state;
    struct fact_candidate list[] = {candidate(1, 900), candidate(2, 800), candidate(3, 700)};
    assert_packed(list, 3,
                  "[[\"audio\",1,\"192.0.2.1\",50050,null,"
                  "[[1,2,0,\"192.0.2.1\",50050,[900,800,700],\"1\",3]]]]");
    assert_unchanged(list, 3);
}

static void only_the_next_component_does(void **state)
{
    (void)state;
    struct fact_candidate same[] = {candidate(1, 9), candidate(1, 8)};
    struct fact_candidate back[] = {candidate(2, 9), candidate(1, 8)};
    assert_packed(same, 2,
                  "[[\"audio\",1,\"192.0.2.1\",50050,null,"
                  "[[1,2,0,\"192.0.2.1\",50050,[9],\"1\",3],"
                  "[1,2,0,\"192.0.2.1\",50050,[8],\"1\",3]]]]");
    assert_unchanged(same, 2);
    assert_unchanged(back, 2);
}

static void what_differs_has_an_entry_of_its_own(void **state)
{
    (void)state;
    for (int what = 0; what < 6; what++) {
        struct fact_candidate list[] = {candidate(1, 9), candidate(2, 8)}, *k = &list[1];
        switch (what) {
        case 0:
            k->at.port = 50051;
            break;
        case 1:
            k->type = CAND_RELAY;
            break;
        case 2:
            k->transport = CAND_UDP;
            break;
        case 3:
            k->foundation = "2";
            break;
        case 4:
            k->dialect = DIALECT_MS_ICE2;
            break;
        default:
            k->related = list[0].at;
        }
        assert_unchanged(list, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(components_of_one_candidate_share_an_entry),
        cmocka_unit_test(only_the_next_component_does),
        cmocka_unit_test(what_differs_has_an_entry_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
