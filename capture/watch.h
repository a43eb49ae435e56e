/*
 * Keeps an eye on the interface behind a packet socket, and keeps the socket on it: interfaces go
 * down, come up, are renamed, unplugged and plugged in again (as another one, with the same name).
 *
 * Binding a socket that is open already to another interface, and asking for promiscuous mode,
 * need no privilege: that is what makes it possible to go on after root was given up.
 */
#ifndef EW_CAPTURE_WATCH_H
#define EW_CAPTURE_WATCH_H

#include "capture/link.h"

struct watch {
    int netlink;            /* -1: cannot be asked, nothing is watched */
    int packet;             /* the packet socket; lent */
    char name[IF_NAMESIZE]; /* as it was asked for */
    bool promisc;           /* wanted */
    bool bound;             /* link is what the socket listens on */
    bool misfit;            /* another kind of interface has the name: told */
    struct link_state link; /* as last seen */
};

/* What happened, in words ("is down"); see the text of the health view's event. */
typedef void watch_tell(void *arg, const char *event);

/* The socket listens on the interface of that name already. */
void watch_open(struct watch *w, const char *name, int packet, bool promisc);
void watch_close(struct watch *w);

/* Asks the kernel, tells what changed since the last look, and binds the socket again where the
 * interface is another one now. Call about once a second. Returns how many more frames the card and
 * the kernel lost before any program could see them. */
uint64_t watch_look(struct watch *w, watch_tell *tell, void *arg);

#endif
