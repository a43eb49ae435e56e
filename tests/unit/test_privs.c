/* Giving up privileges: each test forks, since there is no way back. Needs root. */
#include "capture/privs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void need_root(void)
{
    if (geteuid() == 0)
        return;
    print_message("not root: skipped\n");
    skip();
}

/* Runs body in a child; what it returns is the child's exit status. */
static int in_child(int (*body)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(body());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int drop_and_look(void)
{
    char why[PRIVS_TEXT];
    gid_t groups[8];
    const struct passwd *pw = getpwnam("nobody");
    uid_t uid = pw->pw_uid;
    gid_t gid = pw->pw_gid;
    if (privs_drop("nobody", why) != 0)
        return 1;
    if (getuid() != uid || geteuid() != uid || getgid() != gid || getegid() != gid)
        return 2;
    if (getgroups(8, groups) != 1 || groups[0] != gid)
        return 3;
    if (setuid(0) == 0 || setgid(0) == 0)
        return 4;
    if (socket(AF_PACKET, SOCK_RAW, 0) >= 0 || open("/etc/shadow", O_RDONLY) >= 0)
        return 5;
    return 0;
}

static int drop_to_a_stranger(void)
{
    char why[PRIVS_TEXT];
    return privs_drop("no-such-user-here", why) == -1 && strstr(why, "no-such-user-here") ? 0 : 1;
}

static int drop_to_root(void)
{
    char why[PRIVS_TEXT];
    return privs_drop("root", why) == -1 && strstr(why, "root") ? 0 : 1;
}

static int drop_twice(void)
{
    char why[PRIVS_TEXT];
    return privs_drop(NULL, why) == 0 && privs_drop(NULL, why) == 0 ? 0 : 1;
}

static void everything_is_given_up_for_good(void **state)
{
    (void)state;
    need_root();
    assert_int_equal(in_child(drop_and_look), 0);
}

static void an_unknown_user_is_refused_by_name(void **state)
{
    (void)state;
    need_root();
    assert_int_equal(in_child(drop_to_a_stranger), 0);
}

static void root_is_no_user_to_become(void **state)
{
    (void)state;
    need_root();
    assert_int_equal(in_child(drop_to_root), 0);
}

static void an_ordinary_user_may_drop_too(void **state)
{
    (void)state;
    need_root();
    assert_int_equal(in_child(drop_twice), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_given_up_for_good),
        cmocka_unit_test(an_unknown_user_is_refused_by_name),
        cmocka_unit_test(root_is_no_user_to_become),
        cmocka_unit_test(an_ordinary_user_may_drop_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
