/* The tracker's table: whatever was asked and answered in between, its lists stand in the order of
 * age. */
#include "flows/flowtable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

enum { FLOWS = 3000, STEPS = 200000 };

static uint32_t next_random(uint32_t *r)
{
    *r = *r * 1664525 + 1013904223;
    return *r >> 8;
}

static struct endpoint at(uint32_t n)
{
    const uint32_t a = 0x0a000000 + n / 50000;
    struct endpoint e = {.port = (uint16_t)(1000 + n % 50000)};
    memcpy(e.addr.b, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    for (unsigned i = 0; i < 4; i++)
        e.addr.b[12 + i] = (uint8_t)(a >> (24 - 8 * i));
    return e;
}

/* Each list from its oldest to its newest: linked both ways, by age, and counted. */
static unsigned check_lists(struct flowtable *t)
{
    unsigned all = 0;
    for (int l = 0; l < FLOW_LISTS; l++) {
        uint32_t before = 0, count = 0;
        bool placed = t->list[l].placed == 0;
        for (uint32_t n = t->list[l].oldest; n; n = t->cold[n].newer) {
            assert_int_equal(t->cold[n].list, l);
            assert_int_equal(t->cold[n].older, before);
            if (before)
                assert_true(t->cold[before].armed <= t->cold[n].armed);
            placed |= n == t->list[l].placed;
            before = n;
            count++;
        }
        assert_true(placed);
        assert_int_equal(t->list[l].newest, before);
        assert_int_equal(t->list[l].count, count);
        assert_true((t->due[l] == INT64_MAX) == (count == 0));
        all += count;
    }
    return all;
}

struct asking {
    uint32_t n[FLOWS];
    unsigned first, count;
};

static uint32_t ask(struct flowtable *t, struct asking *a, uint32_t number, tick_t now)
{
    struct endpoint client = at(number), server = at(7);
    uint32_t n = flowtable_take(t, &client, &server);
    if (!n)
        return 0;
    t->hot[n].hs.wait = (number % WAITS) & 15;
    flowtable_asking(t, n);
    flowtable_arm(t, n, now);
    a->n[(a->first + a->count++) % FLOWS] = n;
    return n;
}

/* Questions are answered in their order and late; meanwhile entries begin other waits, and go. */
static void test_answered_in_any_state(void **state)
{
    static struct flowtable t;
    static struct asking a;
    static uint32_t live[FLOWS];
    unsigned n_live = 0, answered = 0;
    uint32_t random = 1, number = 0;
    tick_t now = 1000;
    (void)state;
    assert_int_equal(flowtable_open(&t, FLOWS, 1), 0);
    for (unsigned step = 0; step < STEPS; step++) {
        uint32_t r = next_random(&random);
        now += r % 3; /* some at the same time */
        if (a.count < 300 && n_live + a.count < FLOWS && r % 4 == 0) {
            ask(&t, &a, number++, now);
        } else if (a.count > 100 && r % 4 == 1) {
            uint32_t n = a.n[a.first % FLOWS];
            a.first++, a.count--;
            flowtable_answered(&t, n, r % 5 == 0);
            assert_int_equal(t.hot[n].asking, 0);
            live[n_live++] = n;
            answered++;
        } else if (r % 4 == 2 && n_live + a.count) { /* another wait, asking or not */
            unsigned k = next_random(&random) % (n_live + a.count);
            uint32_t n = k < n_live ? live[k] : a.n[(a.first + k - n_live) % FLOWS];
            t.hot[n].hs.wait = (next_random(&random) % WAITS) & 15;
            flowtable_arm(&t, n, now);
        } else if (n_live > 500) {
            unsigned k = next_random(&random) % n_live;
            flowtable_remove(&t, live[k]);
            live[k] = live[--n_live];
        }
        if (step % 100 == 0)
            assert_int_equal(check_lists(&t), n_live + a.count);
    }
    assert_true(answered > STEPS / 8);
    assert_int_equal(t.asking, a.count);
    flowtable_close(&t);
}

/* One that began its wait before all others of its list becomes the oldest, which is due first. */
static void test_answered_is_the_oldest(void **state)
{
    static struct flowtable t;
    static struct asking a;
    tick_t due;
    (void)state;
    assert_int_equal(flowtable_open(&t, FLOWS, 1), 0);
    uint32_t first = ask(&t, &a, 0, 100), second = ask(&t, &a, WAITS, 200);
    flowtable_answered(&t, second, true);
    flowtable_answered(&t, first, true);
    int list = flowtable_due(&t, &due);
    assert_int_equal(t.list[list].oldest, first);
    assert_int_equal(t.list[list].newest, second);
    assert_true(due == 100 + handshake_wait_time((enum handshake_wait)t.hot[first].hs.wait));
    flowtable_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answered_in_any_state),
        cmocka_unit_test(test_answered_is_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
