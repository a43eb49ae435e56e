/* The multimap against a plain list that is searched from end to end, and pools of records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "flows/multimap.h"
#include "flows/pool.h"

enum { OWNERS = 20000, KEYS = 700 };

static struct {
    uint32_t handle;
    uint64_t key;
} model[OWNERS];
static char owners[OWNERS];

static uint64_t rng = 88172645463325252u;
static uint32_t any(uint32_t below)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (uint32_t)(rng >> 32) % below;
}

/* few keys in the high bits, which choose the bucket: long chains and shared buckets */
static uint64_t some_key(void)
{
    return (uint64_t)any(KEYS) << 40 | any(3);
}

static void check_key(const struct multimap *m, uint64_t key)
{
    unsigned want = 0, found = 0;
    for (unsigned i = 0; i < OWNERS; i++)
        want += model[i].handle && model[i].key == key;
    for (uint32_t h = multimap_first(m, key); h; h = multimap_next(m, h)) {
        size_t i = (size_t)((char *)m->nodes[h].owner - owners);
        assert_int_equal(model[i].handle, h);
        assert_int_equal(model[i].key, key);
        found++;
    }
    assert_int_equal(found, want);
}

static void remove_some(struct multimap *m)
{
    uint32_t handles[40];
    unsigned n = any(40);
    for (unsigned k = 0; k < n; k++) {
        uint32_t i = any(OWNERS);
        handles[k] = model[i].handle;
        model[i].handle = 0;
    }
    multimap_remove_all(m, handles, n);
}

static void finds_what_was_added_and_not_removed(void **state)
{
    struct multimap m;
    (void)state;
    memset(model, 0, sizeof model);
    assert_int_equal(multimap_init(&m, OWNERS), 0);
    for (int step = 0; step < 200000; step++) {
        uint32_t i = any(OWNERS);
        if (!model[i].handle) {
            model[i].key = some_key();
            model[i].handle = multimap_add(&m, model[i].key, &owners[i], 0, 0, 0);
            assert_int_not_equal(model[i].handle, 0);
        } else if (any(8) == 0) {
            multimap_remove(&m, model[i].handle);
            model[i].handle = 0;
        }
        if (any(50) == 0)
            remove_some(&m);
        if (any(500) == 0)
            check_key(&m, some_key());
    }
    multimap_clear(&m);
}

static void gives_the_newest_first(void **state)
{
    struct multimap m;
    (void)state;
    assert_int_equal(multimap_init(&m, 100), 0);
    uint32_t first = multimap_add(&m, 7, &owners[1], 0, 0, 0);
    uint32_t second = multimap_add(&m, 7, &owners[2], 0, 0, 0);
    assert_int_equal(multimap_first(&m, 7), second);
    assert_int_equal(multimap_next(&m, second), first);
    multimap_remove(&m, second);
    assert_int_equal(multimap_first(&m, 7), first);
    multimap_remove(&m, 0);
    multimap_clear(&m);
}

static void counts_what_its_cap_refuses(void **state)
{
    struct multimap m;
    unsigned held = 0;
    (void)state;
    assert_int_equal(multimap_init(&m, 300), 0);
    for (unsigned i = 0; i < 5000; i++)
        held += multimap_add(&m, i, &owners[i], 0, 0, 0) != 0;
    assert_true(held >= 300 && held < 5000);
    assert_int_equal(m.refused, 5000 - held);
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
        cmocka_unit_test(pool_records_do_not_overlap),
        cmocka_unit_test(pool_takes_back_what_was_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
