/* Interfaces that go and come back. See watch.h. */
#include "capture/watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENT = 128 };

void watch_open(struct watch *w, const char *name, int packet, bool promisc)
{
    *w = (struct watch){.netlink = link_open(), .packet = packet, .promisc = promisc};
    snprintf(w->name, sizeof w->name, "%s", name);
    if (w->netlink >= 0)
        w->bound = link_get(w->netlink, name, 0, &w->link) == 0;
    if (w->netlink >= 0 && !w->bound) { /* "any" is no interface: it stays */
        close(w->netlink);
        w->netlink = -1;
    }
}

void watch_close(struct watch *w)
{
    if (w->netlink >= 0)
        close(w->netlink);
    w->netlink = -1;
}

/* ---- what changed ---- */

static void tell_changes(struct watch *w, const struct link_state *now, watch_tell *tell, void *arg)
{
    const struct link_state *was = &w->link;
    char text[EVENT];
    if (strcmp(was->name, now->name) != 0) {
        snprintf(text, sizeof text, "was renamed from %s to %s", was->name, now->name);
        tell(arg, text);
    }
    if (was->up != now->up)
        tell(arg, now->up ? "is up again" : "is down");
    else if (now->up && was->running != now->running)
        tell(arg, now->running ? "has carrier again" : "has no carrier");
    if (was->mtu != now->mtu) {
        snprintf(text, sizeof text, "MTU changed from %u to %u", was->mtu, now->mtu);
        tell(arg, text);
    }
    if (w->promisc && was->promiscuity && !now->promiscuity)
        tell(arg, "is not in promiscuous mode any more");
}

/* ---- gone and back ---- */

static int bind_again(const struct watch *w, const struct link_state *link)
{
    struct sockaddr_ll at = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = link->index};
    return bind(w->packet, (struct sockaddr *)(void *)&at, sizeof at);
}

static int ask_for_all(const struct watch *w, const struct link_state *link)
{
    struct packet_mreq all = {.mr_ifindex = link->index, .mr_type = PACKET_MR_PROMISC};
    return setsockopt(w->packet, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all);
}

/* The name is there again, most probably as another interface. */
static void come_back(struct watch *w, const struct link_state *link, watch_tell *tell, void *arg)
{
    char text[EVENT];
    if (link->type != w->link.type) {
        if (!w->misfit)
            tell(arg, "is back with another link layer, which needs a new start to be read");
        w->misfit = true;
        return;
    }
    if (!link->up)
        return; /* nothing can be heard yet */
    if (bind_again(w, link) != 0) {
        if (errno != ENETDOWN && errno != ENODEV && !w->misfit) {
            snprintf(text, sizeof text, "is back, but cannot be listened on: %s", strerror(errno));
            tell(arg, text);
            w->misfit = true;
        }
        return;
    }
    w->bound = true;
    w->misfit = false;
    w->link = *link;
    tell(arg, "is back");
    if (w->promisc && ask_for_all(w, link) != 0) {
        snprintf(text, sizeof text, "promiscuous mode refused: %s", strerror(errno));
        tell(arg, text);
    }
}

uint64_t watch_look(struct watch *w, watch_tell *tell, void *arg)
{
    struct link_state now;
    if (w->netlink < 0)
        return 0;
    if (!w->bound) {
        if (link_get(w->netlink, w->name, 0, &now) == 0)
            come_back(w, &now, tell, arg);
        return 0;
    }
    if (link_get(w->netlink, NULL, w->link.index, &now) != 0) {
        if (errno != ENODEV)
            return 0; /* the kernel did not answer: next time */
        w->bound = false;
        tell(arg, "is gone");
        return 0;
    }
    tell_changes(w, &now, tell, arg);
    uint64_t lost = now.rx_lost > w->link.rx_lost ? now.rx_lost - w->link.rx_lost : 0;
    w->link = now;
    return lost;
}
