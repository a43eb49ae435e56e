/* The ring of batches: order, bounds, and two threads that wait for each other. */
#include "capture/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>

static struct bell bell;
static const struct ring_shape three = {.batches = 3, .bytes = 64, .packets = 4};

static void publish(struct ring *r, tick_t time)
{
    struct batch *b = ring_claim(r);
    b->packets[b->count++].time = time;
    ring_publish(r);
}

static void a_full_ring_has_no_room_until_something_is_released(void **state)
{
    (void)state;
    struct ring *r = ring_new(&three, &bell);
    for (tick_t i = 0; i < 3; i++)
        publish(r, i);
    assert_null(ring_claim(r));
    assert_int_equal(ring_peek(r)->packets[0].time, 0);
    ring_release(r);
    assert_non_null(ring_claim(r));
    ring_free(r);
}

static void batches_come_out_in_order_and_empty_again(void **state)
{
    (void)state;
    struct ring *r = ring_new(&three, &bell);
    for (tick_t i = 0; i < 10; i++) {
        publish(r, i);
        const struct batch *b = ring_peek(r);
        assert_int_equal(b->count, 1);
        assert_int_equal(b->packets[0].time, i);
        ring_release(r);
        assert_null(ring_peek(r));
    }
    ring_free(r);
}

static void a_claimed_batch_stays_the_same_until_published(void **state)
{
    (void)state;
    struct ring *r = ring_new(&three, &bell);
    struct batch *b = ring_claim(r);
    b->count = 1;
    b->end = 7;
    assert_ptr_equal(ring_claim(r), b);
    assert_int_equal(b->count, 1);
    assert_int_equal(b->end, 7);
    assert_null(ring_peek(r));
    ring_free(r);
}

static void idle_means_nothing_is_published_or_held(void **state)
{
    (void)state;
    struct ring *r = ring_new(&three, &bell);
    assert_true(ring_idle(r));
    publish(r, 1);
    assert_false(ring_idle(r));
    assert_non_null(ring_peek(r));
    assert_false(ring_idle(r));
    ring_release(r);
    assert_true(ring_idle(r));
    ring_free(r);
}

static void a_closed_ring_ends_only_when_it_is_empty(void **state)
{
    (void)state;
    struct ring *r = ring_new(&three, &bell);
    publish(r, 1);
    assert_false(ring_ended(r));
    ring_close(r);
    assert_false(ring_ended(r));
    ring_release(r);
    assert_true(ring_ended(r));
    ring_free(r);
}

enum { MANY = 20000 };

static void *produce(void *arg)
{
    struct ring *r = arg;
    for (tick_t i = 0; i < MANY; i++) {
        while (!ring_claim(r))
            ring_wait_room(r, 10000);
        publish(r, i);
    }
    ring_close(r);
    return NULL;
}

/* The waits are so long that one lost wake-up would be noticed as a hanging test. */
static void two_threads_lose_nothing_and_no_wake_up(void **state)
{
    (void)state;
    struct ring *r = ring_new(&three, &bell);
    pthread_t t;
    tick_t want = 0;
    assert_int_equal(pthread_create(&t, NULL, produce, r), 0);
    for (;;) {
        uint32_t seen = bell_now(&bell);
        const struct batch *b = ring_peek(r);
        if (b) {
            assert_int_equal(b->packets[0].time, want++);
            ring_release(r);
        } else if (ring_ended(r)) {
            break;
        } else {
            bell_wait(&bell, seen, 10000);
        }
    }
    pthread_join(t, NULL);
    assert_int_equal(want, MANY);
    ring_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_ring_has_no_room_until_something_is_released),
        cmocka_unit_test(batches_come_out_in_order_and_empty_again),
        cmocka_unit_test(a_claimed_batch_stays_the_same_until_published),
        cmocka_unit_test(idle_means_nothing_is_published_or_held),
        cmocka_unit_test(a_closed_ring_ends_only_when_it_is_empty),
        cmocka_unit_test(two_threads_lose_nothing_and_no_wake_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
