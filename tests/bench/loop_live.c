/*
 * The yardstick on an interface: libpcap counts what arrives, and nobody looks at it. Non-blocking,
 * with poll(), as TPACKET_V3 wants it. SIGTERM ends it; then it says
 *   <packets> packets, <drops> drops
 *
 *   usage: loop_live INTERFACE [RING-MB [SNAPLEN]]
 */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <pcap/pcap.h>

enum { TIMEOUT_MS = 10, POLL_MS = 50, AT_ONCE = 4096, RING_MB = 64, SNAPLEN = 262144 };

static volatile sig_atomic_t stopped;

static void on_signal(int n)
{
    (void)n;
    stopped = 1;
}

static void count(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
    (void)h;
    (void)bytes;
    ++*(uint64_t *)(void *)user;
}

/* The empty filter makes the snap length hold in the kernel, too. */
static pcap_t *listen_on(const char *name, int ring_mb, int snaplen)
{
    char why[PCAP_ERRBUF_SIZE];
    struct bpf_program empty;
    pcap_t *p = pcap_create(name, why);
    if (!p)
        return NULL;
    pcap_set_snaplen(p, snaplen);
    pcap_set_promisc(p, 1);
    pcap_set_buffer_size(p, ring_mb << 20);
    pcap_set_timeout(p, TIMEOUT_MS);
    if (pcap_activate(p) < 0 || pcap_compile(p, &empty, "", 1, PCAP_NETMASK_UNKNOWN) != 0 ||
        pcap_setfilter(p, &empty) != 0 || pcap_setnonblock(p, 1, why) != 0) {
        pcap_close(p);
        return NULL;
    }
    pcap_freecode(&empty);
    return p;
}

int main(int argc, char **argv)
{
    struct sigaction act = {.sa_handler = on_signal};
    struct pcap_stat st = {0};
    uint64_t packets = 0;
    pcap_t *p = argc > 1 ? listen_on(argv[1], argc > 2 ? atoi(argv[2]) : RING_MB,
                                     argc > 3 ? atoi(argv[3]) : SNAPLEN)
                         : NULL;
    if (!p) {
        fprintf(stderr,
                "loop_live: cannot listen\nusage: loop_live INTERFACE [RING-MB [SNAPLEN]]\n");
        return 1;
    }
    sigaction(SIGTERM, &act, NULL);
    fprintf(stderr, "loop_live: listening on %s\n", argv[1]);
    struct pollfd fd = {.fd = pcap_get_selectable_fd(p), .events = POLLIN};
    while (!stopped) {
        poll(&fd, 1, POLL_MS);
        pcap_dispatch(p, AT_ONCE, count, (u_char *)(void *)&packets);
    }
    while (pcap_dispatch(p, AT_ONCE, count, (u_char *)(void *)&packets) > 0)
        continue;
    pcap_stats(p, &st);
    pcap_close(p);
    printf("%" PRIu64 " packets, %u drops\n", packets, st.ps_drop);
    return 0;
}
