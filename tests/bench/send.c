/*
 * Sends the frames of a capture out of an interface: as fast as it goes, at a rate, or in the time
 * that the capture says, for hours, from a generator on stdin. Says what became of it on one line:
 *   <packets> packets, <bytes> bytes, <seconds> s, <packets/s> packets/s, <milliseconds> ms late
 *
 *   usage: send INTERFACE CAPTURE|- [--rate PACKETS-PER-SECOND | --in-time] [--packets N]
 *
 * Little-endian pcap of Ethernet with microseconds, as tests/bench/generate writes it. SIGTERM and
 * SIGINT end it early. Frames leave by sendmmsg() past the queueing discipline, 64 at a time; who
 * is early sleeps and does not spin, because the receiver wants the processor, too. Late frames are
 * sent at once, but what is more than a second late moves the plan: no burst makes up for a pause.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = 64,
    FILE_HEADER = 24,
    FRAME_HEADER = 16,
    FRAME_MAX = 65536,
    WINDOW = 4 << 20, /* of what comes through a pipe */
    EXIT_USAGE = 64,
    EXIT_FAILED = 69
};

#define SECOND INT64_C(1000000000)
#define EARLY (SECOND / 1000) /* frames due within this leave together */
#define PACED_BURST 5000      /* bursts of a rate per second, a part of EARLY */

struct input {
    const uint8_t *at, *end;
    uint8_t *window; /* NULL: the whole file is mapped */
    int fd;
};

struct plan {
    double rate; /* 0: none */
    bool in_time;
    uint64_t most;
    int64_t began, shift, first, late; /* ns; first: the time of the first frame, -1 before */
};

struct batch {
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    unsigned n;
};

struct total {
    uint64_t packets, bytes;
};

static volatile sig_atomic_t stopped;

static void on_signal(int n)
{
    (void)n;
    stopped = 1;
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

static uint32_t le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void fail(const char *what)
{
    fprintf(stderr, "send: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILED);
}

/* ---- in ---- */

/* Reads on; what was handed out before is gone. False at the end. */
static bool refill(struct input *in)
{
    if (!in->window)
        return false;
    size_t left = (size_t)(in->end - in->at);
    memmove(in->window, in->at, left);
    ssize_t n = read(in->fd, in->window + left, WINDOW - left);
    if (n < 0 && errno != EINTR)
        fail("stdin");
    in->at = in->window;
    in->end = in->window + left + (n > 0 ? n : 0);
    return n > 0;
}

static void open_input(struct input *in, const char *path)
{
    struct stat st;
    if (strcmp(path, "-") == 0) {
        in->fd = 0;
        in->at = in->end = in->window = malloc(WINDOW);
        if (!in->window)
            fail("memory");
        while (in->end - in->at < FILE_HEADER && refill(in))
            continue;
    } else {
        in->fd = open(path, O_RDONLY | O_CLOEXEC);
        if (in->fd < 0 || fstat(in->fd, &st) != 0)
            fail(path);
        in->at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, in->fd, 0);
        if (in->at == MAP_FAILED)
            fail(path);
        in->end = in->at + st.st_size;
    }
    if (in->end - in->at < FILE_HEADER || le32(in->at) != 0xa1b2c3d4) {
        fprintf(stderr, "send: %s: not a little-endian pcap\n", path);
        exit(EXIT_USAGE);
    }
    in->at += FILE_HEADER;
}

/* The size of the frame that is next, 0 if it is not all there. */
static uint32_t next_size(const struct input *in)
{
    if (in->end - in->at < FRAME_HEADER)
        return 0;
    uint32_t n = le32(in->at + 8);
    if (n > FRAME_MAX) {
        fprintf(stderr, "send: damaged capture\n");
        exit(EXIT_USAGE);
    }
    return in->end - in->at - FRAME_HEADER < (int64_t)n ? 0 : n;
}

/* ---- when ---- */

/* When the next frame, the n-th, is to leave. */
static int64_t due(struct plan *p, uint64_t n, const uint8_t *header)
{
    if (p->rate > 0)
        return p->began + p->shift + (int64_t)((double)n * 1e9 / p->rate);
    if (!p->in_time)
        return 0;
    int64_t when = le32(header) * SECOND + le32(header + 4) * INT64_C(1000);
    if (p->first < 0)
        p->first = when;
    return p->began + p->shift + when - p->first;
}

/* Sleeps until then, or says that it is too late, and how much. */
static void wait_until(struct plan *p, int64_t when)
{
    int64_t at = now();
    if (at < when) {
        struct timespec t = {when / SECOND, when % SECOND};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        return;
    }
    if (when && at - when > p->late)
        p->late = at - when;
    if (when && at - when > SECOND)
        p->shift += at - when;
}

/* ---- out ---- */

static void flush(int fd, struct batch *b, struct total *t)
{
    for (unsigned sent = 0; sent < b->n;) {
        int n = sendmmsg(fd, b->messages + sent, b->n - sent, 0);
        if (n < 0 && errno != EINTR && errno != ENOBUFS && errno != EAGAIN)
            fail("sendmmsg");
        for (int i = 0; i < n; i++)
            t->bytes += b->messages[sent + (unsigned)i].msg_len;
        sent += n > 0 ? (unsigned)n : 0;
        t->packets += n > 0 ? (unsigned)n : 0;
    }
    b->n = 0;
}

static void add(struct batch *b, const uint8_t *frame, uint32_t n)
{
    b->parts[b->n] = (struct iovec){(void *)(uintptr_t)frame, n};
    b->messages[b->n] = (struct mmsghdr){.msg_hdr = {.msg_iov = &b->parts[b->n], .msg_iovlen = 1}};
    b->n++;
}

static void send_all(int fd, struct input *in, struct plan *p, struct total *t)
{
    static struct batch b;
    int64_t until = 0; /* frames due by then leave now */
    int64_t early = p->rate > 0 ? SECOND / PACED_BURST : EARLY;
    while (!stopped && t->packets + b.n < p->most) {
        uint32_t n = next_size(in);
        if (!n) {
            flush(fd, &b, t);
            if (!refill(in))
                break;
            continue;
        }
        int64_t when = due(p, t->packets + b.n, in->at);
        if (when > until) {
            flush(fd, &b, t);
            wait_until(p, when);
            until = now() + early;
        }
        add(&b, in->at + FRAME_HEADER, n);
        in->at += FRAME_HEADER + n;
        if (b.n == BATCH)
            flush(fd, &b, t);
    }
    flush(fd, &b, t);
}

static int open_output(const char *interface)
{
    const int on = 1;
    struct sockaddr_ll at = {.sll_family = AF_PACKET,
                             .sll_ifindex = (int)if_nametoindex(interface)};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0 || !at.sll_ifindex || bind(fd, (struct sockaddr *)(void *)&at, sizeof at) != 0)
        fail(interface);
    (void)setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
    return fd;
}

static bool read_options(struct plan *p, int argc, char **argv)
{
    static const struct option names[] = {{"rate", required_argument, NULL, 'r'},
                                          {"in-time", no_argument, NULL, 't'},
                                          {"packets", required_argument, NULL, 'n'},
                                          {0}};
    for (int o; (o = getopt_long(argc, argv, "", names, NULL)) != -1;)
        switch (o) {
        case 'r':
            p->rate = strtod(optarg, NULL);
            break;
        case 't':
            p->in_time = true;
            break;
        case 'n':
            p->most = strtoull(optarg, NULL, 10);
            break;
        default:
            return false;
        }
    return argc == optind + 2;
}

int main(int argc, char **argv)
{
    struct plan plan = {.most = UINT64_MAX, .first = -1};
    struct input in = {0};
    struct total total = {0};
    struct sigaction act = {.sa_handler = on_signal};
    if (!read_options(&plan, argc, argv)) {
        fprintf(stderr, "usage: send INTERFACE CAPTURE|- [--rate PPS | --in-time] [--packets N]\n");
        return EXIT_USAGE;
    }
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGINT, &act, NULL);
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    int fd = open_output(argv[optind]);
    open_input(&in, argv[optind + 1]);
    plan.began = now();
    send_all(fd, &in, &plan, &total);
    double seconds = (double)(now() - plan.began) / 1e9;
    printf("%" PRIu64 " packets, %" PRIu64 " bytes, %.3f s, %.0f packets/s, %" PRId64 " ms late\n",
           total.packets, total.bytes, seconds, (double)total.packets / seconds,
           plan.late / (SECOND / 1000));
    return 0;
}
