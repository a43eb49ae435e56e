/* The chained multimap against a plain list that is searched from end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "flows/chains.h"

enum { OWNERS = 20000, KEYS = 700 };

static struct {
    uint32_t handle;
    uint64_t key;
    unsigned turn; /* when it was added */
} model[OWNERS];
static char owners[OWNERS];
static unsigned turns;

static uint64_t rng = 88172645463325252u;
static uint32_t any(uint32_t below)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (uint32_t)(rng >> 32) % below;
}

/* Few keys in the high bits, which choose the bucket: long chains and shared buckets. */
static uint64_t some_key(void)
{
    return (uint64_t)any(KEYS) << 40 | any(3);
}

static void check_key(const struct chains *c, uint64_t key)
{
    unsigned want = 0, found = 0, newest = UINT32_MAX;
    for (unsigned i = 0; i < OWNERS; i++)
        want += model[i].handle && model[i].key == key;
    for (const struct chain_node *n = chains_first(c, key); n; n = chains_next(c, n)) {
        size_t i = (size_t)((char *)n->owner - owners);
        assert_ptr_equal(n, &c->nodes[model[i].handle]);
        assert_int_equal(model[i].key, key);
        assert_int_equal(n->kind, i % 3);
        assert_int_equal(n->side, i % 2);
        assert_true(model[i].turn < newest);
        newest = model[i].turn;
        found++;
    }
    assert_int_equal(found, want);
}

static void add_one(struct chains *c, uint32_t i)
{
    model[i].key = some_key();
    model[i].turn = turns++;
    model[i].handle = chains_add(c, model[i].key, &owners[i], (uint8_t)(i % 3), (uint8_t)(i % 2));
    assert_int_not_equal(model[i].handle, 0);
}

static void remove_one(struct chains *c, uint32_t i)
{
    chains_remove(c, model[i].handle);
    model[i].handle = 0;
}

static void finds_what_was_added_and_not_removed(void **state)
{
    struct chains c;
    unsigned n = 0;
    (void)state;
    assert_int_equal(chains_init(&c, OWNERS), 0);
    for (int step = 0; step < 200000; step++) {
        uint32_t i = any(OWNERS);
        if (!model[i].handle)
            add_one(&c, i);
        else if (step > 100000 || any(8) == 0)
            remove_one(&c, i);
        if (any(200) == 0)
            check_key(&c, some_key());
    }
    for (uint32_t i = 0; i < OWNERS; i++)
        n += model[i].handle != 0;
    assert_int_equal(c.n, n);
    for (uint32_t i = 0; i < OWNERS; i++)
        remove_one(&c, i);
    assert_int_equal(c.n, 0);
    for (uint32_t i = 0; i < 1u << c.bits; i++)
        assert_int_equal(c.heads[i], 0);
    chains_clear(&c);
}

static void counts_what_its_cap_refuses(void **state)
{
    struct chains c;
    unsigned held = 0;
    (void)state;
    assert_int_equal(chains_init(&c, 300), 0);
    for (unsigned i = 0; i < 5000; i++)
        held += chains_add(&c, (uint64_t)i << 50, &owners[i], 0, 0) != 0;
    assert_int_equal(held, 300);
    assert_int_equal(c.refused, 5000 - held);
    chains_clear(&c);
}

/* Processor time of OWNERS entries that come, and of as many more that each push out the oldest. */
static double turnover(uint64_t key_step)
{
    static uint32_t handles[OWNERS];
    struct chains c;
    assert_int_equal(chains_init(&c, OWNERS), 0);
    clock_t begun = clock();
    for (uint64_t i = 0; i < 2 * OWNERS; i++) {
        if (i >= OWNERS)
            chains_remove(&c, handles[i % OWNERS]);
        handles[i % OWNERS] = chains_add(&c, i * key_step, &owners[i % OWNERS], 0, 0);
        assert_int_not_equal(handles[i % OWNERS], 0);
    }
    double spent = (double)(clock() - begun) / CLOCKS_PER_SEC;
    chains_clear(&c);
    return spent;
}

/* With one key for all, a walk per entry would be 400 million steps. */
static void a_key_of_all_costs_no_more_than_many(void **state)
{
    (void)state;
    double many = turnover(UINT64_C(0x9e3779b97f4a7c15)), one = turnover(0);
    assert_true(one < 10 * many + 0.05);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_added_and_not_removed),
        cmocka_unit_test(counts_what_its_cap_refuses),
        cmocka_unit_test(a_key_of_all_costs_no_more_than_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
