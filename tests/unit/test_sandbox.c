/* What the sandbox leaves possible, and what not: each test forks, since there is no way back. */
#include "capture/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
enum { FILTERED = 0 };
#else
enum { FILTERED = 1 };
#endif

static char own[] = "/tmp/test_sandbox.XXXXXX";

/* Runs body in a child after sandbox_enter(); its exit status. 100: could not enter. */
static int inside(const struct sandbox *box, int (*body)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        char why[SANDBOX_TEXT];
        enum sandbox_result r = sandbox_enter(box, why);
        if (r == SANDBOX_FAILED)
            fprintf(stderr, "%s\n", why);
        _exit(r == SANDBOX_FAILED ? 100 : body());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool opens(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void need_landlock(void)
{
    char why[SANDBOX_TEXT];
    pid_t pid = fork();
    int status;
    if (pid == 0)
        _exit(sandbox_enter(&(struct sandbox){.own = {NULL}}, why) == SANDBOX_NO_LANDLOCK);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) == 0)
        return;
    print_message("no Landlock in this kernel: skipped\n");
    skip();
}

static int use_files(void)
{
    char mine[64], moved[64];
    snprintf(mine, sizeof mine, "%s/made", own);
    snprintf(moved, sizeof moved, "%s/moved", own);
    if (!opens(mine, O_RDWR | O_CREAT) || rename(mine, moved) != 0 || unlink(moved) != 0)
        return 1;
    if (opens("/etc/passwd", O_RDONLY) || opens("/etc", O_RDONLY | O_DIRECTORY))
        return 2;
    if (opens("/tmp/test_sandbox.elsewhere", O_RDWR | O_CREAT))
        return 3;
    if (!opens("/usr/include/errno.h", O_RDONLY))
        return 4;
    return opens("/usr/include/errno.h", O_WRONLY) ? 5 : 0;
}

static void only_its_own_files_and_those_named_can_be_opened(void **state)
{
    (void)state;
    need_landlock();
    const struct sandbox box = {.own = {own}, .readable = {"/usr/include", "/nonexistent"}};
    assert_int_equal(inside(&box, use_files), 0);
}

static void *write_elsewhere(void *arg)
{
    *(bool *)arg = opens("/tmp/test_sandbox.elsewhere", O_RDWR | O_CREAT);
    return NULL;
}

static int start_thread(void)
{
    bool could = true;
    pthread_t t;
    if (pthread_create(&t, NULL, write_elsewhere, &could) != 0)
        return 1;
    pthread_join(t, NULL);
    return could ? 2 : 0;
}

static void threads_that_start_later_are_locked_in(void **state)
{
    (void)state;
    need_landlock();
    assert_int_equal(inside(&(struct sandbox){.own = {own}}, start_thread), 0);
}

static bool has_socket(int family, int type)
{
    int fd = socket(family, type, 0);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int no_way_out(void)
{
    static char name[] = "true", *const args[] = {name, NULL};
    if (has_socket(AF_PACKET, SOCK_RAW) || has_socket(AF_INET, SOCK_STREAM))
        return 1;
    if (!has_socket(AF_UNIX, SOCK_DGRAM))
        return 2;
    execv("/bin/true", args);
    if (errno != EPERM)
        return 3;
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 || chroot("/tmp") == 0 || setuid(1) == 0)
        return 4;
    return 0;
}

static void neither_sockets_nor_programs_nor_other_processes(void **state)
{
    (void)state;
    if (!FILTERED)
        skip();
    assert_int_equal(inside(&(struct sandbox){.own = {own}}, no_way_out), 0);
}

static int run_true(void)
{
    static char name[] = "true", *const args[] = {name, NULL};
    execv("/bin/true", args);
    return 1;
}

static void programs_can_be_started_if_asked_for(void **state)
{
    (void)state;
    assert_int_equal(inside(&(struct sandbox){.own = {own}, .programs = true}, run_true), 0);
}

static int open_sockets(void)
{
    return has_socket(AF_INET, SOCK_STREAM) && has_socket(AF_INET6, SOCK_DGRAM) ? 0 : 1;
}

static void internet_sockets_can_be_opened_if_asked_for(void **state)
{
    (void)state;
    assert_int_equal(inside(&(struct sandbox){.own = {own}, .network = true}, open_sockets), 0);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(own) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_its_own_files_and_those_named_can_be_opened),
        cmocka_unit_test(threads_that_start_later_are_locked_in),
        cmocka_unit_test(neither_sockets_nor_programs_nor_other_processes),
        cmocka_unit_test(programs_can_be_started_if_asked_for),
        cmocka_unit_test(internet_sockets_can_be_opened_if_asked_for),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
