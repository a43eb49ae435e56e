/* The belt between two threads: order, bounds, and who waits for whom. */
#include "flows/belt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MANY = 300000, SMALL = 1000 };

static uint32_t next_random(uint32_t *r)
{
    return *r = *r * 1664525 + 1013904223;
}

/* Mostly small ones, now and then one of the largest. */
static size_t size_of(uint32_t *r)
{
    uint32_t n = next_random(r) >> 8;
    return sizeof(struct belt_item) +
           (n % 5000 ? n % 700 : BELT_ITEM_MOST - sizeof(struct belt_item));
}

static void fill(struct belt_item *i, size_t bytes, uint32_t number)
{
    memset(i + 1, (int)(number % 251), bytes - sizeof *i);
}

static bool is_whole(const struct belt_item *i, size_t bytes, uint32_t number)
{
    const uint8_t *p = (const uint8_t *)(i + 1), want = (uint8_t)(number % 251);
    size_t n = bytes - sizeof *i;
    return i->kind == number && i->size >= bytes && (uintptr_t)i % 16 == 0 &&
           (n == 0 || (p[0] == want && memcmp(p, p + 1, n - 1) == 0));
}

struct taker {
    struct belt *belt;
    pthread_t thread;
    _Atomic uint32_t taken;
    bool wrong;
    unsigned slow_us; /* after each span */
};

static void *take_all(void *arg)
{
    struct taker *t = arg;
    uint64_t from, to;
    uint32_t random = 1;
    while (belt_await(t->belt, &from, &to)) {
        for (; from < to; from++) {
            size_t bytes = size_of(&random);
            uint32_t number = atomic_load(&t->taken);
            t->wrong |= from != number || !is_whole(belt_at(t->belt, from), bytes, number);
            atomic_store(&t->taken, number + 1);
            belt_done(t->belt, from + 1);
        }
        if (t->slow_us)
            usleep(t->slow_us);
    }
    return NULL;
}

static void begin(struct taker *t, unsigned slow_us)
{
    *t = (struct taker){.belt = belt_new(), .slow_us = slow_us};
    assert_non_null(t->belt);
    assert_int_equal(pthread_create(&t->thread, NULL, take_all, t), 0);
}

static void end(struct taker *t, uint32_t put)
{
    belt_close(t->belt);
    pthread_join(t->thread, NULL);
    assert_int_equal(atomic_load(&t->taken), put);
    assert_false(t->wrong);
    belt_free(t->belt);
}

static void put(struct belt *b, uint32_t *random, uint32_t number)
{
    size_t bytes = size_of(random);
    fill(belt_claim(b, bytes, number), bytes, number);
}

static void items_of_all_sizes_come_whole_and_in_order(void **state)
{
    struct taker t;
    uint32_t random = 1;
    (void)state;
    begin(&t, 0);
    for (uint32_t i = 0; i < MANY; i++) {
        put(t.belt, &random, i);
        if (i % 32 == 0)
            belt_send(t.belt);
    }
    end(&t, MANY);
}

/* Every item of the same size: places repeat at once if room is counted wrongly. */
static void a_slow_taker_makes_the_putter_wait(void **state)
{
    struct taker t;
    uint32_t random = 1;
    (void)state;
    begin(&t, 300);
    for (uint32_t i = 0; i < MANY / 10; i++) {
        put(t.belt, &random, i);
        belt_send(t.belt);
    }
    end(&t, MANY / 10);
}

static void after_settling_all_is_done(void **state)
{
    struct taker t;
    uint32_t random = 1;
    (void)state;
    begin(&t, 0);
    for (uint32_t i = 0; i < SMALL; i++) {
        put(t.belt, &random, i);
        belt_settle(t.belt);
        assert_int_equal(atomic_load(&t.taken), i + 1);
    }
    end(&t, SMALL);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* A taker that sleeps is woken by a flush. By itself it looks once a second: ten items, each after
 * it has fallen asleep, would take ten. */
static void a_flush_wakes_the_taker(void **state)
{
    enum { TIMES = 10 };
    struct taker t;
    uint32_t random = 1;
    (void)state;
    begin(&t, 0);
    double begun = seconds();
    for (uint32_t i = 0; i < TIMES; i++) {
        usleep(2000); /* it falls asleep */
        put(t.belt, &random, i);
        belt_send(t.belt);
        belt_flush(t.belt);
        while (atomic_load(&t.taken) <= i && seconds() - begun < TIMES * 2)
            usleep(20);
        assert_int_equal(atomic_load(&t.taken), i + 1);
    }
    assert_true(seconds() - begun < TIMES / 2);
    end(&t, TIMES);
}

static void an_empty_belt_ends_when_it_is_closed(void **state)
{
    struct taker t;
    (void)state;
    begin(&t, 0);
    usleep(1000);
    end(&t, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_of_all_sizes_come_whole_and_in_order),
        cmocka_unit_test(a_slow_taker_makes_the_putter_wait),
        cmocka_unit_test(after_settling_all_is_done),
        cmocka_unit_test(a_flush_wakes_the_taker),
        cmocka_unit_test(an_empty_belt_ends_when_it_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
