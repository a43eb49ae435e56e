/* Connections that drip are cut, those that are answered are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/patience.h"

static int open_pair(int pair[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static void who_takes_too_long_is_cut(void **state)
{
    struct patience p;
    int slow[2], quick[2];
    char c;
    (void)state;
    assert_int_equal(open_pair(slow), 0);
    assert_int_equal(open_pair(quick), 0);
    patience_begin(&p, 1000);
    int a = patience_connected(&p, slow[0], 5000);
    int b = patience_connected(&p, quick[0], 5000);
    assert_int_equal(patience_cut(&p, 6000), 0);
    patience_answered(&p, b, 5900);
    assert_int_equal(patience_cut(&p, 6001), 1);
    assert_int_equal(read(slow[1], &c, 1), 0);
    assert_int_equal(write(quick[1], "x", 1), 1);
    assert_int_equal(read(quick[0], &c, 1), 1);
    patience_closed(&p, a);
    assert_int_equal(patience_cut(&p, 6002), 0);
    patience_closed(&p, b);
    patience_end(&p);
    for (int i = 0; i < 2; i++) {
        close(slow[i]);
        close(quick[i]);
    }
}

static void places_are_used_again_and_more_are_not_watched(void **state)
{
    struct patience p;
    (void)state;
    patience_begin(&p, 1000);
    for (int i = 0; i < PATIENCE_CONNECTIONS; i++)
        assert_int_equal(patience_connected(&p, 1000000 + i, 0), i);
    assert_int_equal(patience_connected(&p, 999999, 0), -1);
    patience_answered(&p, -1, 1);
    patience_closed(&p, -1);
    patience_closed(&p, 7);
    assert_int_equal(patience_connected(&p, 999999, 0), 7);
    patience_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_takes_too_long_is_cut),
        cmocka_unit_test(places_are_used_again_and_more_are_not_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
