/* Attaching the program of shed.h. See shedding.h. */
#include "capture/shedding.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = SHEDDING_FIRST + SHED_MOST, ENDS_AT = 70 /* percent of the rate where it begins */ };

/* -1: the socket has the filter that it had. */
static int attach(const struct shedding *s, int socket, const struct shed_config *config)
{
    static _Thread_local struct sock_filter own[SHED_MOST], all[ROOM];
    unsigned n = shed_program(config, own);
    if (n)
        n = shed_join(s->first, s->n_first, own, n, all, ROOM);
    if (!n || n > BPF_MAXINSNS)
        return -1;
    struct sock_fprog program = {.len = (uint16_t)n, .filter = all};
    return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

/* What the counter takes: exactly what the other one drops. */
static struct shed_config opposite(const struct shedding *s)
{
    struct shed_config c = s->config;
    c.whole = 0;
    c.cut = 0;
    c.drop = 1;
    return c;
}

static int open_counter(void)
{
    const int least = 1; /* the kernel makes it its own minimum */
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
    return fd;
}

void shedding_open(struct shedding *s, int packet, const struct shed_config *config, uint64_t above,
                   const struct sock_filter *first, unsigned n_first)
{
    *s = (struct shedding){.packet = packet, .counter = -1, .above = above, .config = *config};
    if (n_first > SHEDDING_FIRST)
        return;
    memcpy(s->first, first, n_first * sizeof *first);
    s->n_first = n_first;
    s->config.drops = false;
    s->on = attach(s, packet, &s->config) == 0;
    if (s->on && above)
        s->counter = open_counter();
}

void shedding_close(struct shedding *s)
{
    if (s->counter >= 0)
        close(s->counter);
    s->counter = -1;
    s->on = false;
}

void shedding_again(struct shedding *s)
{
    if (!s->on)
        return;
    (void)attach(s, s->packet, &s->config);
    if (s->index) {
        struct shed_config c = opposite(s);
        (void)attach(s, s->counter, &c);
    }
}

static int listen_on(const struct shedding *s, int index)
{
    struct sockaddr_ll at = {.sll_family = AF_PACKET,
                             .sll_protocol = index ? htons(ETH_P_ALL) : 0,
                             .sll_ifindex = index ? index : s->index};
    return bind(s->counter, (struct sockaddr *)(void *)&at, sizeof at);
}

static uint64_t counted(const struct shedding *s)
{
    struct tpacket_stats st;
    socklen_t n = sizeof st;
    if (!s->index || getsockopt(s->counter, SOL_PACKET, PACKET_STATISTICS, &st, &n) != 0)
        return 0;
    return st.tp_packets;
}

/* The counter first, so that nothing is dropped without being counted. */
static void begin_dropping(struct shedding *s, int index)
{
    s->config.drops = true;
    struct shed_config c = opposite(s);
    if (attach(s, s->counter, &c) == 0 && listen_on(s, index) == 0) {
        s->index = index;
        (void)counted(s);
        s->dropping = attach(s, s->packet, &s->config) == 0;
    }
    s->config.drops = s->dropping;
}

static void end_dropping(struct shedding *s)
{
    s->config.drops = false;
    s->dropping = attach(s, s->packet, &s->config) != 0;
    (void)listen_on(s, 0);
    s->index = 0;
}

uint64_t shedding_second(struct shedding *s, int index, uint64_t packets)
{
    uint64_t dropped = counted(s);
    if (!s->on || s->counter < 0)
        return 0;
    if (!s->dropping && packets > s->above && s->config.n_relays)
        begin_dropping(s, index);
    else if (s->dropping && (packets + dropped) * 100 < s->above * ENDS_AT)
        end_dropping(s);
    else if (s->dropping && index != s->index && listen_on(s, index) == 0)
        s->index = index; /* plugged in again */
    return dropped;
}
