/*
 * What the kernel says of a network interface (rtnetlink): is it there, is it up, what is it called
 * now, and its own 64-bit counters. libpcap's ps_ifdrop is 32 bits wide and misses what many
 * drivers count elsewhere. The socket needs no privileges and asks the network namespace that it
 * was opened in, wherever /sys may be mounted from.
 */
#ifndef EW_CAPTURE_LINK_H
#define EW_CAPTURE_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link_state {
    int index;
    char name[IF_NAMESIZE];
    bool up;       /* set up by the administrator */
    bool running;  /* and its cable carries a signal */
    uint16_t type; /* ARPHRD_*: another one means another link layer in the frames */
    uint32_t mtu;
    uint32_t promiscuity; /* how many ask for promiscuous mode */
    uint64_t rx_packets, rx_bytes;
    uint64_t rx_lost; /* dropped or missed before any program could see them */
};

/* A socket for the calls below; -1 with errno. */
int link_open(void);

/* The interface of that name or, if name is NULL, of that index. 0; -1 with errno (ENODEV: there
 * is none). */
int link_get(int fd, const char *name, int index, struct link_state *out);

/* Settings of the interface that merge received packets before they are captured: a list like "GRO,
 * LRO" in out, "" for none. -1 if it can't be asked. */
int link_merges(const char *name, char *out, size_t room);

#endif
