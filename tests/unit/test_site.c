/* What serve is made of, below HTTP: addresses to listen on, the cache, the limits per address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "report/cache.h"
#include "report/http.h"
#include "report/limiter.h"

static void an_address_to_listen_on_has_a_port(void **state)
{
    (void)state;
    static const struct {
        const char *text, *addr; /* addr NULL: refused */
        uint16_t port;
        bool loopback;
    } cases[] = {
        {"127.0.0.1:8080", "127.0.0.1", 8080, true},
        {"127.9.9.9:0", "127.9.9.9", 0, true},
        {"[::1]:80", "::1", 80, true},
        {"0.0.0.0:65535", "0.0.0.0", 65535, false},
        {"[2001:db8::1]:443", "2001:db8::1", 443, false},
        {"[::ffff:127.0.0.1]:1", "::ffff:127.0.0.1", 1, false}, /* the careful answer */
        {"127.0.0.1", NULL, 0, false},
        {"127.0.0.1:65536", NULL, 0, false},
        {"127.0.0.1:-1", NULL, 0, false},
        {"127.0.0.1:+1", NULL, 0, false},
        {"127.0.0.1: 1", NULL, 0, false},
        {"127.0.0.1:1x", NULL, 0, false},
        {":80", NULL, 0, false},
        {"localhost:80", NULL, 0, false},
        {"[]:80", NULL, 0, false},
        {"[::1:80", NULL, 0, false},
        {"", NULL, 0, false},
        {"127.1:80", NULL, 0, false},
        {"[127.0.0.1]", NULL, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char addr[HTTP_PEER] = "";
        uint16_t port = 7;
        bool good = http_listen_parse(cases[i].text, addr, &port);
        if (good != (cases[i].addr != NULL))
            fail_msg("%s", cases[i].text);
        if (!good)
            continue;
        assert_string_equal(addr, cases[i].addr);
        assert_int_equal(port, cases[i].port);
        assert_int_equal(http_is_loopback(addr), cases[i].loopback);
    }
}

static struct cached page_of(const char *text)
{
    struct cached p = {.status = 200, .body = http_body_new(strdup(text), strlen(text))};
    p.head.type = "text/plain";
    return p;
}

static void put(struct cache *c, const char *key, int64_t version, const char *text)
{
    struct cached p = page_of(text);
    cache_put(c, key, version, &p);
    http_body_drop(p.body);
}

/* Size of what the cache has, 0 for nothing. */
static size_t got(struct cache *c, const char *key, int64_t version)
{
    struct cached p;
    if (!cache_get(c, key, version, &p))
        return 0;
    size_t n = http_body_size(p.body);
    http_body_drop(p.body);
    return n;
}

static void a_page_serves_while_nothing_was_written(void **state)
{
    (void)state;
    struct cache *c = cache_new();
    assert_int_equal(got(c, "/a", 1), 0);
    put(c, "/a", 1, "12345");
    assert_int_equal(got(c, "/a", 1), 5);
    assert_int_equal(got(c, "/b", 1), 0); /* another page; we are to make it */
    cache_put(c, "/b", 1, NULL);          /* and could not */
    assert_int_equal(got(c, "/b", 1), 0);
    put(c, "/b", 1, "1");
    assert_int_equal(got(c, "/a", 2), 5); /* written, but younger than a second */
    usleep(1100 * 1000);
    assert_int_equal(got(c, "/a", 1), 5);
    assert_int_equal(got(c, "/a", 2), 0); /* ours to make anew ... */
    assert_int_equal(got(c, "/a", 2), 5); /* ... while others get the old one */
    put(c, "/a", 2, "1234567");
    assert_int_equal(got(c, "/a", 2), 7);
    cache_free(c);
}

static void what_is_too_large_is_not_kept(void **state)
{
    (void)state;
    struct cache *c = cache_new();
    char *large = calloc(1, CACHE_LARGEST + 2), key[CACHE_KEY + 10];
    memset(large, 'x', CACHE_LARGEST + 1);
    assert_int_equal(got(c, "/a", 1), 0);
    put(c, "/a", 1, large);
    assert_int_equal(got(c, "/a", 1), 0);
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = 0;
    assert_int_equal(got(c, key, 1), 0);
    put(c, key, 1, "x");
    assert_int_equal(got(c, key, 1), 0);
    free(large);
    cache_free(c);
}

/* More pages than places, more bytes than room: the ones unused for longest go. */
static void the_cache_is_bounded(void **state)
{
    (void)state;
    struct cache *c = cache_new();
    char key[32], *half = calloc(1, CACHE_LARGEST / 2 + 1);
    memset(half, 'x', CACHE_LARGEST / 2);
    for (int i = 0; i < 3 * CACHE_PAGES; i++) {
        snprintf(key, sizeof key, "/%d", i);
        assert_int_equal(got(c, key, 1), 0);
        put(c, key, 1, half);
        assert_int_equal(got(c, key, 1), CACHE_LARGEST / 2);
    }
    int kept = 0;
    for (int i = 0; i < 3 * CACHE_PAGES; i++) {
        snprintf(key, sizeof key, "/%d", i);
        if (got(c, key, 1))
            kept++;
        else
            cache_put(c, key, 1, NULL);
    }
    assert_in_range(kept, 1, CACHE_BYTES / (CACHE_LARGEST / 2));
    free(half);
    cache_free(c);
}

static atomic_int made;

static void *ask(void *arg)
{
    struct cache *c = arg;
    struct cached p;
    if (cache_get(c, "/slow", 1, &p)) {
        assert_int_equal(http_body_size(p.body), 4);
        http_body_drop(p.body);
        return NULL;
    }
    atomic_fetch_add(&made, 1);
    usleep(200 * 1000);
    put(c, "/slow", 1, "slow");
    return NULL;
}

static void many_who_ask_at_once_wait_for_one(void **state)
{
    (void)state;
    struct cache *c = cache_new();
    pthread_t all[16];
    for (int i = 0; i < 16; i++)
        assert_int_equal(pthread_create(&all[i], NULL, ask, c), 0);
    for (int i = 0; i < 16; i++)
        pthread_join(all[i], NULL);
    assert_int_equal(made, 1);
    cache_free(c);
}

static void an_address_may_ask_so_often(void **state)
{
    (void)state;
    struct limiter *l = limiter_new();
    int allowed = 0;
    for (int i = 0; i < 10 * LIMITER_ASK_BURST; i++)
        allowed += limiter_may_ask(l, "192.0.2.1");
    assert_in_range(allowed, LIMITER_ASK_BURST, LIMITER_ASK_BURST + LIMITER_ASK_PER_S);
    assert_true(limiter_may_ask(l, "192.0.2.2"));
    usleep(1000 * 1000 / LIMITER_ASK_PER_S + 20000);
    assert_true(limiter_may_ask(l, "192.0.2.1"));
    limiter_free(l);
}

static void wrong_tokens_use_up_the_tries(void **state)
{
    (void)state;
    struct limiter *l = limiter_new();
    for (int i = 0; i < LIMITER_TRY_BURST; i++) {
        assert_true(limiter_may_try(l, "192.0.2.1"));
        limiter_tried(l, "192.0.2.1");
    }
    assert_false(limiter_may_try(l, "192.0.2.1"));
    assert_true(limiter_may_try(l, "192.0.2.2"));
    limiter_free(l);
}

/* A flood of addresses pushes out the one not seen for longest, and no more is kept. */
static void addresses_are_bounded(void **state)
{
    (void)state;
    struct limiter *l = limiter_new();
    char peer[32];
    for (int i = 0; i < 4 * LIMITER_PEERS; i++) {
        snprintf(peer, sizeof peer, "10.0.%d.%d", i / 256, i % 256);
        assert_true(limiter_may_ask(l, peer));
    }
    limiter_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_to_listen_on_has_a_port),
        cmocka_unit_test(a_page_serves_while_nothing_was_written),
        cmocka_unit_test(what_is_too_large_is_not_kept),
        cmocka_unit_test(the_cache_is_bounded),
        cmocka_unit_test(many_who_ask_at_once_wait_for_one),
        cmocka_unit_test(an_address_may_ask_so_often),
        cmocka_unit_test(wrong_tokens_use_up_the_tries),
        cmocka_unit_test(addresses_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
