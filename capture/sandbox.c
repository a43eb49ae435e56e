/* seccomp through libseccomp; Landlock by its system calls, for which Debian 12 has no library. */
#include "capture/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The leak checker of a sanitizer build looks into /proc and stops the process with ptrace() at its
 * end, which no filter of ours allows. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(SANITIZED)
enum { FILTERED = 0 };
#else
enum { FILTERED = 1 };
#endif

static enum sandbox_result fail(char why[SANDBOX_TEXT], const char *what, const char *reason)
{
    snprintf(why, SANDBOX_TEXT, "%s: %s", what, reason);
    return SANDBOX_FAILED;
}

/* ---- folders ---- */

#define READ_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define OWN_RIGHTS                                                               \
    (READ_RIGHTS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | \
     LANDLOCK_ACCESS_FS_REMOVE_FILE)
/* those of the first version; what later ones added (moving between folders) stays forbidden */
#define ALL_RIGHTS                                                                               \
    (OWN_RIGHTS | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                   \
     LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SOCK | \
     LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

static int allow_path(int ruleset, const char *path, uint64_t rights)
{
    struct stat st;
    struct landlock_path_beneath_attr rule = {.allowed_access = rights,
                                              .parent_fd = open(path, O_PATH | O_CLOEXEC)};
    if (rule.parent_fd < 0)
        return 0;                                                /* nothing there to be allowed */
    if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode)) /* rights of a file only */
        rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                               LANDLOCK_ACCESS_FS_EXECUTE;
    long r = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    int saved = errno;
    close(rule.parent_fd);
    errno = saved;
    return r == 0 ? 0 : -1;
}

static int allow_paths(int ruleset, const struct sandbox *s)
{
    for (unsigned i = 0; i < SANDBOX_PATHS && s->own[i]; i++)
        if (allow_path(ruleset, s->own[i], OWN_RIGHTS) != 0)
            return -1;
    for (unsigned i = 0; i < SANDBOX_PATHS && s->readable[i]; i++)
        if (allow_path(ruleset, s->readable[i], READ_RIGHTS) != 0)
            return -1;
    for (int i = 0; i < s->n_inputs; i++)
        if (allow_path(ruleset, s->inputs[i], READ_RIGHTS) != 0)
            return -1;
    if (!FILTERED && allow_path(ruleset, "/proc", READ_RIGHTS) != 0)
        return -1;
    if (s->swept && allow_path(ruleset, s->swept, LANDLOCK_ACCESS_FS_REMOVE_DIR) != 0)
        return -1;
    return s->programs ? allow_path(ruleset, "/", READ_RIGHTS | LANDLOCK_ACCESS_FS_EXECUTE) : 0;
}

static enum sandbox_result lock_folders(const struct sandbox *s, char why[SANDBOX_TEXT])
{
    struct landlock_ruleset_attr attr = {.handled_access_fs = ALL_RIGHTS};
    long ruleset = syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (ruleset < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
        return SANDBOX_NO_LANDLOCK;
    if (ruleset < 0)
        return fail(why, "landlock", strerror(errno));
    bool done = allow_paths((int)ruleset, s) == 0 &&
                syscall(SYS_landlock_restrict_self, (int)ruleset, 0) == 0;
    enum sandbox_result r = done ? SANDBOX_WHOLE : fail(why, "landlock", strerror(errno));
    close((int)ruleset);
    return r;
}

/* ---- system calls ---- */

#define CALL(name) SCMP_SYS(name)

/* What capture, engine, database, feeds and the C library under them use. */
static const int calls[] = {
    /* files that are open or may be opened */
    CALL(read),
    CALL(write),
    CALL(readv),
    CALL(writev),
    CALL(pread64),
    CALL(pwrite64),
    CALL(preadv),
    CALL(pwritev),
    CALL(lseek),
    CALL(close),
    CALL(close_range),
    CALL(fsync),
    CALL(fdatasync),
    CALL(ftruncate),
    CALL(fallocate),
    CALL(fadvise64),
    CALL(readahead),
    CALL(open),
    CALL(openat),
    CALL(stat),
    CALL(fstat),
    CALL(lstat),
    CALL(newfstatat),
    CALL(statx),
    CALL(statfs),
    CALL(fstatfs),
    CALL(access),
    CALL(faccessat),
    CALL(faccessat2),
    CALL(readlink),
    CALL(readlinkat),
    CALL(getcwd),
    CALL(unlink),
    CALL(unlinkat),
    CALL(rmdir),
    CALL(rename),
    CALL(renameat),
    CALL(renameat2),
    CALL(getdents64),
    CALL(fchmod),
    CALL(fchown),
    CALL(utimensat),
    CALL(umask),
    CALL(fcntl),
    CALL(flock),
    CALL(dup),
    CALL(dup2),
    CALL(dup3),
    CALL(pipe),
    CALL(pipe2),
    CALL(sendfile),
    CALL(copy_file_range),
    CALL(ioctl),
    CALL(inotify_init1),
    CALL(inotify_add_watch),
    CALL(inotify_rm_watch),
    /* waiting */
    CALL(poll),
    CALL(ppoll),
    CALL(select),
    CALL(pselect6),
    CALL(epoll_create1),
    CALL(epoll_ctl),
    CALL(epoll_wait),
    CALL(epoll_pwait),
    CALL(eventfd2),
    CALL(timerfd_create),
    CALL(timerfd_settime),
    CALL(nanosleep),
    CALL(clock_nanosleep),
    CALL(restart_syscall),
    CALL(alarm),
    CALL(setitimer),
    CALL(wait4),
    CALL(waitid),
    /* memory */
    CALL(brk),
    CALL(mmap),
    CALL(munmap),
    CALL(mprotect),
    CALL(mremap),
    CALL(madvise),
    CALL(mincore),
    CALL(mlock),
    CALL(mlock2),
    CALL(munlock),
    CALL(msync),
    CALL(memfd_create),
    /* threads and signals of its own */
    CALL(clone),
    CALL(clone3),
    CALL(futex),
    CALL(set_robust_list),
    CALL(rseq),
    CALL(membarrier),
    CALL(set_tid_address),
    CALL(arch_prctl),
    CALL(exit),
    CALL(exit_group),
    CALL(tgkill),
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(rt_sigtimedwait),
    CALL(rt_sigpending),
    CALL(sigaltstack),
    CALL(sched_yield),
    CALL(sched_getaffinity),
    CALL(getcpu),
    CALL(prctl),
    /* what it is, and what time it is; setting the clock takes a right that is gone */
    CALL(getpid),
    CALL(getppid),
    CALL(gettid),
    CALL(getuid),
    CALL(geteuid),
    CALL(getgid),
    CALL(getegid),
    CALL(getresuid),
    CALL(getresgid),
    CALL(getgroups),
    CALL(capget),
    CALL(uname),
    CALL(sysinfo),
    CALL(getrusage),
    CALL(getrlimit),
    CALL(prlimit64),
    CALL(times),
    CALL(getrandom),
    CALL(clock_gettime),
    CALL(clock_getres),
    CALL(gettimeofday),
    CALL(time),
    CALL(adjtimex),
    CALL(clock_adjtime),
    /* sockets that are open; socket() itself is below */
    CALL(bind),
    CALL(listen),
    CALL(accept),
    CALL(accept4),
    CALL(connect),
    CALL(shutdown),
    CALL(sendto),
    CALL(recvfrom),
    CALL(sendmsg),
    CALL(recvmsg),
    CALL(sendmmsg),
    CALL(recvmmsg),
    CALL(getsockopt),
    CALL(setsockopt),
    CALL(getsockname),
    CALL(getpeername),
    CALL(socketpair),
};

static const int program_calls[] = {CALL(execve), CALL(execveat), CALL(vfork),  CALL(fork),
                                    CALL(kill),   CALL(setpgid),  CALL(setsid), CALL(chdir)};

static int allow_calls(scmp_filter_ctx f, const int *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (seccomp_rule_add(f, SCMP_ACT_ALLOW, list[i], 0) != 0)
            return -1;
    return 0;
}

static int allow_sockets(scmp_filter_ctx f, int family)
{
    struct scmp_arg_cmp is = {.arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)family};
    return seccomp_rule_add_array(f, SCMP_ACT_ALLOW, CALL(socket), 1, &is);
}

static int fill_filter(scmp_filter_ctx f, const struct sandbox *s)
{
    /* the journal and systemd; addresses and counters of interfaces */
    if (allow_calls(f, calls, sizeof calls / sizeof *calls) != 0 ||
        allow_sockets(f, AF_UNIX) != 0 || allow_sockets(f, AF_NETLINK) != 0)
        return -1;
    if (s->interfaces && allow_sockets(f, AF_PACKET) != 0)
        return -1;
    if ((s->network || s->interfaces) && /* libpcap asks an Internet socket about interfaces */
        (allow_sockets(f, AF_INET) != 0 || allow_sockets(f, AF_INET6) != 0))
        return -1;
    return s->programs ? allow_calls(f, program_calls, sizeof program_calls / sizeof *program_calls)
                       : 0;
}

enum { PATIENCE_S = 10 };

/* The filter as the kernel takes it, in a file in memory. -1 if it can't be made. */
static int write_program(const struct sandbox *s)
{
    int fd = memfd_create("filter", MFD_CLOEXEC);
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    bool made = f && fd >= 0 && fill_filter(f, s) == 0 && seccomp_export_bpf(f, fd) == 0;
    if (f)
        seccomp_release(f);
    if (made)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static size_t read_program(int fd, struct sock_filter program[BPF_MAXINSNS])
{
    ssize_t n = pread(fd, program, BPF_MAXINSNS * sizeof *program, 0);
    return n > 0 ? (size_t)n / sizeof *program : 0;
}

/* Where memory is short, libseccomp 2.5 crashes, or makes a filter that lacks calls and says
 * nothing. So it works in a process of its own, and twice. Instructions; 0 if it did not work out.
 */
static size_t make_program(const struct sandbox *s, struct sock_filter program[BPF_MAXINSNS])
{
    static struct sock_filter twin[BPF_MAXINSNS];
    int out = memfd_create("filter", MFD_CLOEXEC), status = 1;
    pid_t child = out < 0 ? -1 : fork();
    if (child == 0) {
        (void)alarm(PATIENCE_S); /* ... or goes round in circles */
        int a = write_program(s), b = write_program(s);
        size_t n = a < 0 || b < 0 ? 0 : read_program(a, program), bytes = n * sizeof *program;
        bool same = n && read_program(b, twin) == n && memcmp(program, twin, bytes) == 0;
        _exit(same && write(out, program, bytes) == (ssize_t)bytes ? 0 : 1);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    size_t n = child > 0 && status == 0 ? read_program(out, program) : 0;
    if (out >= 0)
        close(out);
    return n;
}

static enum sandbox_result filter_calls(const struct sandbox *s, char why[SANDBOX_TEXT])
{
    static struct sock_filter program[BPF_MAXINSNS];
    struct sock_fprog filter = {.filter = program};
    filter.len = (unsigned short)make_program(s, program);
    if (!filter.len)
        return fail(why, "system call filter", "no memory");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0)
        return fail(why, "system call filter", strerror(errno));
    return SANDBOX_WHOLE;
}

/* ---- trying what must fail ---- */

static bool can_read(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool holds_etc(const char *path)
{
    return strcmp(path, "/") == 0 || strncmp(path, "/etc", 4) == 0;
}

/* Is something of /etc allowed? Then reading there proves nothing. */
static bool may_see_etc(const struct sandbox *s)
{
    bool may = false;
    for (unsigned i = 0; i < SANDBOX_PATHS && s->own[i]; i++)
        may |= holds_etc(s->own[i]);
    for (unsigned i = 0; i < SANDBOX_PATHS && s->readable[i]; i++)
        may |= strcmp(s->readable[i], "/") == 0 || strcmp(s->readable[i], "/etc") == 0;
    for (int i = 0; i < s->n_inputs; i++)
        may |= holds_etc(s->inputs[i]);
    return may;
}

static bool can_open_socket(int family, int type)
{
    int fd = socket(family, type, 0);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* No such program exists: without a filter the answer is "not found". */
static bool may_execute(void)
{
    static char *const nothing[] = {NULL};
    return execve("/nonexistent/edgewatch", nothing, nothing) != 0 && errno != EPERM;
}

static const char *still_possible(const struct sandbox *s, bool folders)
{
    if (folders && !s->programs && !may_see_etc(s) && can_read("/etc/passwd"))
        return "files outside its folders can be read";
    if (!FILTERED)
        return NULL;
    if (!s->interfaces && can_open_socket(AF_PACKET, SOCK_RAW))
        return "packet sockets can be opened";
    if (!s->network && !s->interfaces && can_open_socket(AF_INET, SOCK_STREAM))
        return "Internet sockets can be opened";
    if (!s->programs && may_execute())
        return "programs can be started";
    return NULL;
}

enum sandbox_result sandbox_enter(const struct sandbox *s, char why[SANDBOX_TEXT])
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail(why, "no_new_privs", strerror(errno));
    enum sandbox_result folders = lock_folders(s, why);
    if (folders == SANDBOX_FAILED || (FILTERED && filter_calls(s, why) == SANDBOX_FAILED))
        return SANDBOX_FAILED;
    const char *possible = still_possible(s, folders == SANDBOX_WHOLE);
    return possible ? fail(why, "sandbox", possible) : folders;
}
