/* Interfaces as the kernel describes them: loopback is always there. */
#include "capture/link.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <unistd.h>

static int fd;

static int setup(void **state)
{
    (void)state;
    fd = link_open();
    return fd < 0;
}

static int teardown(void **state)
{
    (void)state;
    return close(fd);
}

static void by_name_and_by_index_is_the_same(void **state)
{
    (void)state;
    struct link_state a, b;
    assert_int_equal(link_get(fd, "lo", 0, &a), 0);
    assert_string_equal(a.name, "lo");
    assert_int_equal(a.index, (int)if_nametoindex("lo"));
    assert_true(a.mtu >= 1280);
    assert_int_equal(a.type, 772); /* ARPHRD_LOOPBACK */
    assert_int_equal(link_get(fd, NULL, a.index, &b), 0);
    assert_string_equal(b.name, "lo");
    assert_int_equal(a.up, b.up);
}

static void what_is_not_there_is_said(void **state)
{
    (void)state;
    struct link_state a = {.index = 77};
    assert_int_equal(link_get(fd, "ew-none", 0, &a), -1);
    assert_int_equal(errno, ENODEV);
    assert_int_equal(link_get(fd, NULL, 0x7ffffff0, &a), -1);
    assert_int_equal(errno, ENODEV);
    assert_int_equal(link_get(fd, "a-name-that-is-too-long", 0, &a), -1);
    assert_int_equal(errno, ENODEV);
    assert_int_equal(a.index, 77); /* left as it was */
}

static void offload_of_what_is_not_there_is_none(void **state)
{
    (void)state;
    char list[16] = "x";
    assert_int_equal(link_merges("ew-none", list, sizeof list), 0);
    assert_string_equal(list, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_name_and_by_index_is_the_same),
        cmocka_unit_test(what_is_not_there_is_said),
        cmocka_unit_test(offload_of_what_is_not_there_is_none),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
