/* Interfaces by rtnetlink and ethtool. See link.h. */
#include "capture/link.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { ANSWER = 32768, ASK_AGAIN = 3 };

int link_open(void)
{
    /* the kernel answers at once; the deadline is for a kernel that is out of memory */
    const struct timeval deadline = {.tv_usec = 200000};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd >= 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    return fd;
}

/* ---- the question ---- */

struct question {
    struct nlmsghdr head;
    struct ifinfomsg link;
    struct rtattr attr;
    char name[RTA_ALIGN(IF_NAMESIZE)];
};

static int ask(int fd, const char *name, int index, uint32_t seq)
{
    struct question q = {
        .head = {.nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = seq},
        .link = {.ifi_family = AF_UNSPEC, .ifi_index = name ? 0 : index},
    };
    q.head.nlmsg_len = NLMSG_LENGTH(sizeof q.link);
    if (name) {
        size_t n = strlen(name) + 1;
        if (n > IF_NAMESIZE) {
            errno = ENODEV;
            return -1;
        }
        q.attr = (struct rtattr){.rta_type = IFLA_IFNAME, .rta_len = (uint16_t)RTA_LENGTH(n)};
        memcpy(q.name, name, n);
        q.head.nlmsg_len += (uint32_t)RTA_SPACE(n);
    }
    return send(fd, &q, q.head.nlmsg_len, 0) < 0 ? -1 : 0;
}

/* ---- the answer ---- */

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Drivers disagree on where a frame is counted that found no buffer: missed, fifo and over are the
 * same loss under three names, dropped is the kernel's own. */
static void take_stats(const struct rtattr *a, struct link_state *out)
{
    struct rtnl_link_stats64 st = {0};
    size_t n = RTA_PAYLOAD(a);
    memcpy(&st, RTA_DATA(a), n < sizeof st ? n : sizeof st);
    out->rx_packets = st.rx_packets;
    out->rx_bytes = st.rx_bytes;
    out->rx_lost =
        st.rx_dropped + larger(st.rx_missed_errors, larger(st.rx_fifo_errors, st.rx_over_errors));
}

static void take_attr(const struct rtattr *a, struct link_state *out)
{
    switch (a->rta_type) {
    case IFLA_IFNAME:
        snprintf(out->name, sizeof out->name, "%.*s", (int)RTA_PAYLOAD(a),
                 (const char *)RTA_DATA(a));
        break;
    case IFLA_MTU:
        memcpy(&out->mtu, RTA_DATA(a), sizeof out->mtu);
        break;
    case IFLA_PROMISCUITY:
        memcpy(&out->promiscuity, RTA_DATA(a), sizeof out->promiscuity);
        break;
    case IFLA_STATS64:
        take_stats(a, out);
        break;
    }
}

static void take_link(const struct nlmsghdr *h, struct link_state *out)
{
    const struct ifinfomsg *link = NLMSG_DATA(h);
    const struct rtattr *a = IFLA_RTA(link);
    size_t left = IFLA_PAYLOAD(h);
    *out = (struct link_state){.index = link->ifi_index,
                               .type = link->ifi_type,
                               .up = link->ifi_flags & IFF_UP,
                               .running = link->ifi_flags & IFF_RUNNING};
    for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
        take_attr(a, out);
}

/* 1: the answer was taken; 0: it was an older question's; -1 with errno. */
static int take_answer(const struct nlmsghdr *h, uint32_t seq, struct link_state *out)
{
    if (h->nlmsg_seq != seq)
        return 0;
    if (h->nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *e = NLMSG_DATA(h);
        errno = e->error ? -e->error : EPROTO;
        return -1;
    }
    if (h->nlmsg_type != RTM_NEWLINK)
        return 0;
    take_link(h, out);
    return 1;
}

int link_get(int fd, const char *name, int index, struct link_state *out)
{
    static _Atomic uint32_t last;
    uint32_t seq = ++last;
    _Alignas(struct nlmsghdr) char answer[ANSWER];
    if (ask(fd, name, index, seq) != 0)
        return -1;
    for (int i = 0; i < ASK_AGAIN; i++) {
        ssize_t n = recv(fd, answer, sizeof answer, 0);
        if (n < 0)
            return -1;
        const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)answer;
        for (uint32_t left = (uint32_t)n; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
            int got = take_answer(h, seq, out);
            if (got)
                return got < 0 ? -1 : 0;
        }
    }
    errno = EPROTO;
    return -1;
}

/* ---- offload ---- */

static bool is_on(int fd, const char *name, uint32_t command, uint32_t bits)
{
    struct ethtool_value value = {.cmd = command};
    struct ifreq r = {0};
    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    r.ifr_data = (char *)&value;
    return ioctl(fd, SIOCETHTOOL, &r) == 0 && (value.data & bits);
}

int link_merges(const char *name, char *out, size_t room)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    bool gro = is_on(fd, name, ETHTOOL_GGRO, UINT32_MAX),
         lro = is_on(fd, name, ETHTOOL_GFLAGS, ETH_FLAG_LRO);
    snprintf(out, room, "%s%s%s", gro ? "GRO" : "", gro && lro ? ", " : "", lro ? "LRO" : "");
    close(fd);
    return 0;
}
