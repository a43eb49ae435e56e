/*
 * Makes the n-th call of a kind fail, in any program that it is preloaded into: LD_PRELOAD=shim.so
 *
 *   FAULT_KIND   alloc write sync trunc read open unlink thread lock map pcap net
 *   FAULT_AT     n, counted from 1 and from the start of main(); 0 only counts
 *   FAULT_ERRNO  what the call says; "short" lets write and read do half of the work instead
 *   FAULT_ON     set: every later call fails, too
 *   FAULT_SHM    a file of three 64-bit numbers: calls of the kind, faults made, faults inside of
 *                functions of libcrypto that are known to crash without memory
 *   FAULT_SITES  a file that gets a line for each place (stack) that makes such calls: its first n
 *
 * Calls inside of the C library itself (stdio's writes) are out of reach. stderr never fails: what
 * a program says then is what the test reads.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { ALLOC, WRITE, SYNC, TRUNC, READ, OPEN, UNLINK, THREAD, LOCK, MAP, PCAP, NET, KINDS };

static const char *const names[KINDS] = {"alloc",  "write",  "sync", "trunc", "read", "open",
                                         "unlink", "thread", "lock", "map",   "pcap", "net"};

struct shared {
    _Atomic uint64_t calls, faults, known;
};

static struct shared nowhere, *shared = &nowhere;
static enum kind chosen = KINDS;
static uint64_t at;
static int code;
static bool half, on;

/* ---- which places make such calls ---- */

enum { SITES = 1 << 16, FRAMES = 24 };
static _Atomic uint64_t sites[SITES];
static int sites_fd = -1;

static void note_site(uint64_t n)
{
    static _Thread_local bool inside;
    void *frames[FRAMES];
    uint64_t hash = 14695981039346656037U;
    if (inside)
        return;
    inside = true;
    int depth = backtrace(frames, FRAMES);
    inside = false;
    for (int i = 0; i < depth; i++)
        hash = (hash ^ (uintptr_t)frames[i]) * 1099511628211U;
    for (uint64_t i = hash % SITES;; i = (i + 1) % SITES) {
        uint64_t old = 0;
        if (atomic_compare_exchange_strong(&sites[i], &old, hash | 1))
            break;
        if (old == (hash | 1))
            return;
    }
    char line[24];
    int len = snprintf(line, sizeof line, "%llu\n", (unsigned long long)n);
    syscall(SYS_write, sites_fd, line, len);
}

/* OpenSSL 3.0: the secure heap asserts that it got memory, a provider that is loaded does without.
 */
static bool known_to_crash(void)
{
    static const char *const known[] = {"CRYPTO_secure_malloc_init", "OSSL_PROVIDER_load",
                                        "OSSL_PROVIDER_try_load"};
    void *frames[FRAMES];
    Dl_info who;
    int depth = backtrace(frames, FRAMES);
    for (int i = 0; i < depth; i++)
        for (unsigned k = 0; k < sizeof known / sizeof *known; k++)
            if (dladdr(frames[i], &who) && who.dli_sname && strcmp(who.dli_sname, known[k]) == 0)
                return true;
    return false;
}

/* A place for breakpoints. */
void fault_made(void);
__attribute__((noinline)) void fault_made(void)
{
    __asm__ volatile("");
}

static bool fails(enum kind k)
{
    static _Thread_local bool inside;
    if (k != chosen || inside)
        return false;
    uint64_t n = atomic_fetch_add(&shared->calls, 1) + 1;
    if (sites_fd >= 0)
        note_site(n);
    if (!at || (on ? n < at : n != at))
        return false;
    atomic_fetch_add(&shared->faults, 1);
    inside = true;
    if (k == ALLOC && known_to_crash())
        atomic_fetch_add(&shared->known, 1);
    inside = false;
    fault_made();
    errno = code;
    return true;
}

static void set_up(void)
{
    const char *kind = getenv("FAULT_KIND"), *n = getenv("FAULT_AT"), *e = getenv("FAULT_ERRNO"),
               *shm = getenv("FAULT_SHM");
    if (!kind)
        return;
    if (shm) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, shm, O_RDWR | O_CLOEXEC, 0);
        long p = fd < 0 ? -1
                        : syscall(SYS_mmap, NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                                  MAP_SHARED, fd, 0);
        if (p > 0 || p < -4095)
            shared = (struct shared *)p; // NOLINT
        syscall(SYS_close, fd);
    }
    void *first[1];
    backtrace(first, 1); /* loads what it needs */
    if (getenv("FAULT_SITES")) {
        sites_fd = (int)syscall(SYS_openat, AT_FDCWD, getenv("FAULT_SITES"),
                                O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    at = n ? strtoull(n, NULL, 10) : 0;
    half = e && strcmp(e, "short") == 0;
    code = e && !half ? atoi(e) : EIO;
    on = getenv("FAULT_ON") != NULL;
    for (int k = 0; k < KINDS; k++)
        if (strcmp(kind, names[k]) == 0)
            chosen = (enum kind)k;
}

/* Libraries set themselves up before main(): that much is the machine's business. */
typedef int main_fn(int, char **, char **);
int __libc_start_main(main_fn *, int, char **, main_fn *, void (*)(void), void (*)(void), void *);
static main_fn *real_main;

static int counted_main(int argc, char **argv, char **env)
{
    set_up();
    return real_main(argc, argv, env);
}

#define REAL(name)                 \
    static __typeof__(name) *real; \
    if (!real)                     \
    real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

int __libc_start_main(main_fn *m, int argc, char **argv, main_fn *init, void (*fini)(void),
                      void (*rtld)(void), void *stack)
{
    REAL(__libc_start_main);
    real_main = m;
    return real(counted_main, argc, argv, init, fini, rtld, stack);
}

/* ---- memory; the C library has its own names for those that dlsym() would call back into ---- */

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);

void *malloc(size_t n)
{
    return fails(ALLOC) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t each)
{
    return fails(ALLOC) ? NULL : __libc_calloc(n, each);
}

void *realloc(void *p, size_t n)
{
    return fails(ALLOC) ? NULL : __libc_realloc(p, n);
}

void *memalign(size_t align, size_t n)
{
    return fails(ALLOC) ? NULL : __libc_memalign(align, n);
}

void *aligned_alloc(size_t align, size_t n)
{
    return memalign(align, n);
}

int posix_memalign(void **out, size_t align, size_t n)
{
    if (fails(ALLOC))
        return ENOMEM;
    void *p = __libc_memalign(align, n);
    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

static void *map(void *a, size_t n, int prot, int flags, int fd, off_t off)
{
    if (fails(MAP))
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, a, n, prot, flags, fd, off); // NOLINT
}

void *mmap(void *a, size_t n, int prot, int flags, int fd, off_t off)
{
    return map(a, n, prot, flags, fd, off);
}

void *mmap64(void *a, size_t n, int prot, int flags, int fd, off_t off)
{
    return map(a, n, prot, flags, fd, off);
}

/* ---- files ---- */

#define SHORT(k, n) (half && (n) > 1 && fails(k) ? (n) / 2 : (n))
#define BROKEN(k) (!half && fails(k))

ssize_t write(int fd, const void *p, size_t n)
{
    if (fd == STDERR_FILENO)
        return syscall(SYS_write, fd, p, n);
    return BROKEN(WRITE) ? -1 : syscall(SYS_write, fd, p, SHORT(WRITE, n));
}

static ssize_t write_at(int fd, const void *p, size_t n, off_t off)
{
    return BROKEN(WRITE) ? -1 : syscall(SYS_pwrite64, fd, p, SHORT(WRITE, n), off);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t off)
{
    return write_at(fd, p, n, off);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t off)
{
    return write_at(fd, p, n, off);
}

ssize_t read(int fd, void *p, size_t n)
{
    return BROKEN(READ) ? -1 : syscall(SYS_read, fd, p, SHORT(READ, n));
}

static ssize_t read_at(int fd, void *p, size_t n, off_t off)
{
    return BROKEN(READ) ? -1 : syscall(SYS_pread64, fd, p, SHORT(READ, n), off);
}

ssize_t pread(int fd, void *p, size_t n, off_t off)
{
    return read_at(fd, p, n, off);
}

ssize_t pread64(int fd, void *p, size_t n, off_t off)
{
    return read_at(fd, p, n, off);
}

int fsync(int fd)
{
    return fails(SYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return fails(SYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t n)
{
    return fails(TRUNC) ? -1 : (int)syscall(SYS_ftruncate, fd, n);
}

int ftruncate64(int fd, off_t n)
{
    return fails(TRUNC) ? -1 : (int)syscall(SYS_ftruncate, fd, n);
}

static int open_at(int dir, const char *path, int flags, va_list ap)
{
    int mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, int) : 0;
    return fails(OPEN) ? -1 : (int)syscall(SYS_openat, dir, path, flags, mode);
}

#define OPENS(name)                                  \
    int name(const char *path, int flags, ...)       \
    {                                                \
        va_list ap;                                  \
        va_start(ap, flags);                         \
        int fd = open_at(AT_FDCWD, path, flags, ap); \
        va_end(ap);                                  \
        return fd;                                   \
    }
OPENS(open)
OPENS(open64)

FILE *fopen(const char *path, const char *mode)
{
    REAL(fopen);
    return fails(OPEN) ? NULL : real(path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
    return fopen(path, mode);
}

int unlink(const char *path)
{
    return fails(UNLINK) ? -1 : (int)syscall(SYS_unlink, path);
}

int rename(const char *from, const char *to)
{
    return fails(UNLINK) ? -1 : (int)syscall(SYS_rename, from, to);
}

static int control(int fd, int what, void *arg)
{
    bool lock = what == F_SETLK || what == F_SETLKW || what == F_GETLK;
    return lock && fails(LOCK) ? -1 : (int)syscall(SYS_fcntl, fd, what, arg);
}

#define CONTROLS(name)                  \
    int name(int fd, int what, ...)     \
    {                                   \
        va_list ap;                     \
        va_start(ap, what);             \
        void *arg = va_arg(ap, void *); \
        va_end(ap);                     \
        return control(fd, what, arg);  \
    }
CONTROLS(fcntl)
CONTROLS(fcntl64)

/* ---- threads ---- */

int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg)
{
    REAL(pthread_create);
    return fails(THREAD) ? EAGAIN : real(t, a, run, arg);
}

/* ---- the network, and libpcap's packet sockets ---- */

int socket(int domain, int type, int protocol)
{
    return fails(NET) ? -1 : (int)syscall(SYS_socket, domain, type, protocol);
}

int bind(int fd, const struct sockaddr *a, socklen_t n)
{
    return fails(NET) ? -1 : (int)syscall(SYS_bind, fd, a, n);
}

int setsockopt(int fd, int level, int option, const void *p, socklen_t n)
{
    return fails(NET) ? -1 : (int)syscall(SYS_setsockopt, fd, level, option, p, n);
}

int getsockopt(int fd, int level, int option, void *p, socklen_t *n)
{
    return fails(NET) ? -1 : (int)syscall(SYS_getsockopt, fd, level, option, p, n);
}

ssize_t recvfrom(int fd, void *p, size_t n, int flags, struct sockaddr *from, socklen_t *size)
{
    return fails(NET) ? -1 : syscall(SYS_recvfrom, fd, p, n, flags, from, size);
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
    return recvfrom(fd, p, n, flags, NULL, NULL);
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    return fails(NET) ? -1 : syscall(SYS_recvmsg, fd, m, flags);
}

ssize_t sendto(int fd, const void *p, size_t n, int flags, const struct sockaddr *to, socklen_t len)
{
    return fails(NET) ? -1 : syscall(SYS_sendto, fd, p, n, flags, to, len);
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
    return sendto(fd, p, n, flags, NULL, 0);
}

int ioctl(int fd, unsigned long what, ...)
{
    va_list ap;
    va_start(ap, what);
    void *arg = va_arg(ap, void *);
    va_end(ap);
    return fails(NET) ? -1 : (int)syscall(SYS_ioctl, fd, what, arg);
}

int poll(struct pollfd *p, nfds_t n, int ms)
{
    REAL(poll);
    return fails(NET) ? -1 : real(p, n, ms);
}

/* ---- libpcap ---- */

typedef struct pcap pcap_t;
struct bpf_program;
struct pcap_stat;
typedef void pcap_handler(unsigned char *, const void *, const unsigned char *);

#define PCAP_CALL(type, name, failure, params, args) \
    type name params;                                \
    type name params                                 \
    {                                                \
        REAL(name);                                  \
        return fails(PCAP) ? (failure) : real args;  \
    }

#define PCAP_INT(name, params, args) PCAP_CALL(int, name, -1, params, args)

/* A reason comes with these, else through pcap_geterr(). */
static char made_to_fail[] = "made to fail";

pcap_t *pcap_create(const char *device, char *why);
pcap_t *pcap_create(const char *device, char *why)
{
    REAL(pcap_create);
    return fails(PCAP) ? (strcpy(why, made_to_fail), NULL) : real(device, why);
}

int pcap_setnonblock(pcap_t *p, int on_or_off, char *why);
int pcap_setnonblock(pcap_t *p, int on_or_off, char *why)
{
    REAL(pcap_setnonblock);
    return fails(PCAP) ? (strcpy(why, made_to_fail), -1) : real(p, on_or_off, why);
}

char *pcap_geterr(pcap_t *p);
char *pcap_geterr(pcap_t *p)
{
    REAL(pcap_geterr);
    return chosen == PCAP && shared->faults ? made_to_fail : real(p);
}

PCAP_CALL(pcap_t *, pcap_open_dead, NULL, (int link, int snap), (link, snap))
PCAP_CALL(pcap_t *, pcap_open_dead_with_tstamp_precision, NULL,
          (int link, int snap, unsigned precision), (link, snap, precision))
PCAP_INT(pcap_activate, (pcap_t * p), (p))
PCAP_INT(pcap_set_snaplen, (pcap_t * p, int v), (p, v))
PCAP_INT(pcap_set_promisc, (pcap_t * p, int v), (p, v))
PCAP_INT(pcap_set_timeout, (pcap_t * p, int v), (p, v))
PCAP_INT(pcap_set_buffer_size, (pcap_t * p, int v), (p, v))
PCAP_INT(pcap_set_immediate_mode, (pcap_t * p, int v), (p, v))
PCAP_INT(pcap_set_tstamp_precision, (pcap_t * p, int v), (p, v))
PCAP_INT(pcap_setfilter, (pcap_t * p, struct bpf_program *f), (p, f))
PCAP_INT(pcap_compile, (pcap_t * p, struct bpf_program *f, const char *t, int o, unsigned m),
         (p, f, t, o, m))
PCAP_INT(pcap_dispatch, (pcap_t * p, int n, pcap_handler *h, unsigned char *a), (p, n, h, a))
PCAP_INT(pcap_next_ex, (pcap_t * p, void **h, const unsigned char **d), (p, h, d))
PCAP_INT(pcap_stats, (pcap_t * p, struct pcap_stat *s), (p, s))
PCAP_INT(pcap_set_datalink, (pcap_t * p, int v), (p, v))
