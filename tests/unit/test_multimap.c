/* The multimap against a plain list that is searched from end to end, and pools of records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "flows/multimap.h"
#include "flows/pool.h"

enum { OWNERS = 20000, KEYS = 700 };

static struct {
    bool in;
    uint64_t key;
    uint16_t more;
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

/* Few keys whose homes lie side by side, at the end of the table and round it: long runs that
 * share slots. */
static uint64_t some_key(void)
{
    return (uint64_t)(any(KEYS) - (uint32_t)KEYS / 2) << 40 | any(3);
}

static uint64_t tag_of(uint64_t key)
{
    return key >> 34;
}

static void check_key(const struct multimap *m, uint64_t key, uint16_t more)
{
    unsigned want = 0, found = 0, newest = UINT32_MAX;
    for (unsigned i = 0; i < OWNERS; i++)
        want += model[i].in && tag_of(model[i].key) == tag_of(key) && model[i].more == more;
    for (const struct multimap_slot *s = multimap_first(m, key, more); s; s = multimap_next(m, s)) {
        size_t i = (size_t)((char *)s->owner - owners);
        assert_true(model[i].in && model[i].more == more);
        assert_true(tag_of(model[i].key) == tag_of(key));
        assert_int_equal(s->kind, i % 3);
        assert_int_equal(s->medium, i % 6);
        assert_int_equal(s->side, i % 2);
        assert_true(model[i].turn < newest);
        newest = model[i].turn;
        found++;
    }
    assert_int_equal(found, want);
}

static void add_one(struct multimap *m, uint32_t i)
{
    model[i].key = some_key();
    model[i].more = (uint16_t)any(2);
    model[i].turn = turns++;
    model[i].in = true;
    assert_int_equal(
        multimap_add(m, model[i].key, model[i].more, &owners[i], (uint8_t)(i % 3), i % 6, i % 2),
        MULTIMAP_ADDED);
}

static void remove_one(struct multimap *m, uint32_t i)
{
    assert_int_equal(multimap_remove(m, multimap_tag(model[i].key), &owners[i]), model[i].more);
    model[i].in = false;
}

static void finds_what_was_added_and_not_removed(void **state)
{
    struct multimap m;
    unsigned n = 0;
    (void)state;
    memset(model, 0, sizeof model);
    assert_int_equal(multimap_init(&m, OWNERS), 0);
    for (int step = 0; step < 200000; step++) {
        uint32_t i = any(OWNERS);
        if (!model[i].in)
            add_one(&m, i);
        else if (step > 100000 || any(8) == 0)
            remove_one(&m, i);
        if (any(200) == 0)
            check_key(&m, some_key(), (uint16_t)any(3));
    }
    for (uint32_t i = 0; i < OWNERS; i++)
        n += model[i].in;
    assert_int_equal(m.n, n);
    for (uint32_t i = 0; i < OWNERS; i++)
        if (model[i].in)
            remove_one(&m, i);
    assert_int_equal(m.n, 0);
    for (uint32_t i = 0; i < 1u << m.bits; i++)
        assert_null(m.slots[i].owner);
    multimap_clear(&m);
}

static void gives_the_newest_first(void **state)
{
    struct multimap m;
    (void)state;
    assert_int_equal(multimap_init(&m, 100), 0);
    assert_true(multimap_add(&m, 7, 1, &owners[1], 0, 0, 0));
    assert_true(multimap_add(&m, 7, 2, &owners[3], 0, 0, 0));
    assert_true(multimap_add(&m, 7, 1, &owners[2], 0, 0, 0));
    const struct multimap_slot *first = multimap_first(&m, 7, 1);
    assert_ptr_equal(first->owner, &owners[2]);
    const struct multimap_slot *second = multimap_next(&m, first);
    assert_ptr_equal(second->owner, &owners[1]);
    assert_null(multimap_next(&m, second));
    assert_int_equal(multimap_remove(&m, multimap_tag(7), &owners[2]), 1);
    assert_int_equal(multimap_remove(&m, multimap_tag(7), &owners[2]), -1);
    assert_ptr_equal(multimap_first(&m, 7, 1)->owner, &owners[1]);
    multimap_clear(&m);
}

static void counts_what_its_cap_refuses(void **state)
{
    struct multimap m;
    unsigned held = 0;
    (void)state;
    assert_int_equal(multimap_init(&m, 300), 0);
    for (unsigned i = 0; i < 5000; i++)
        held += multimap_add(&m, (uint64_t)i << 50, 0, &owners[i], 0, 0, 0) == MULTIMAP_ADDED;
    assert_int_equal(held, 300);
    assert_int_equal(m.refused, 5000 - held);
    multimap_clear(&m);
}

/* What thousands share would make one long run, through which each add has to go. */
static void the_oldest_of_too_many_alike_gives_way(void **state)
{
    struct multimap m;
    unsigned n = 0;
    (void)state;
    assert_int_equal(multimap_init(&m, OWNERS), 0);
    assert_int_equal(multimap_add(&m, 7, 2, &owners[0], 0, 0, 0), MULTIMAP_ADDED);
    for (unsigned i = 1; i <= MULTIMAP_ALIKE; i++)
        assert_int_equal(multimap_add(&m, 7, 1, &owners[i], 0, 0, 0), MULTIMAP_ADDED);
    assert_int_equal(multimap_add(&m, 8, 1, &owners[0], 0, 0, 0), MULTIMAP_REPLACED);
    assert_int_equal(m.n, MULTIMAP_ALIKE + 1);
    assert_int_equal(m.refused, 1);
    const struct multimap_slot *s = multimap_first(&m, 7, 1);
    assert_ptr_equal(s->owner, &owners[0]);
    while ((s = multimap_next(&m, s)))
        assert_ptr_equal(s->owner, &owners[MULTIMAP_ALIKE - n++]);
    assert_int_equal(n, MULTIMAP_ALIKE - 1); /* all but owners[1] */
    assert_int_equal(multimap_remove(&m, multimap_tag(7), &owners[1]), -1);
    assert_ptr_equal(multimap_first(&m, 7, 2)->owner, &owners[0]);
    multimap_clear(&m);
}

/* 100 bytes are rounded up: records that overlapped would lose their mark */
static void pool_records_do_not_overlap(void **state)
{
    static char *record[50000];
    struct pool p;
    (void)state;
    pool_init(&p, 100);
    for (int i = 0; i < 50000; i++) {
        record[i] = pool_take(&p);
        assert_non_null(record[i]);
        assert_int_equal((uintptr_t)record[i] % 16, 0);
        memset(record[i], i & 0x7f, 100);
    }
    for (int i = 0; i < 50000; i++)
        for (int k = 0; k < 100; k += 33)
            assert_int_equal(record[i][k], i & 0x7f);
    pool_clear(&p);
}

static void pool_takes_back_what_was_given(void **state)
{
    struct pool p;
    (void)state;
    pool_init(&p, sizeof(void *));
    void *a = pool_take(&p), *b = pool_take(&p);
    assert_ptr_not_equal(a, b);
    pool_give(&p, a);
    assert_ptr_equal(pool_take(&p), a);
    pool_clear(&p);
    assert_non_null(pool_take(&p));
    pool_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_added_and_not_removed),
        cmocka_unit_test(gives_the_newest_first),
        cmocka_unit_test(counts_what_its_cap_refuses),
        cmocka_unit_test(the_oldest_of_too_many_alike_gives_way),
        cmocka_unit_test(pool_records_do_not_overlap),
        cmocka_unit_test(pool_takes_back_what_was_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
