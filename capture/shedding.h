/*
 * Load shedding on one interface: keeps the program of shed.h attached to its packet socket, behind
 * the user's own filter, and counts what it drops.
 *
 * The kernel does not count what a filter refuses. So a second socket, which nobody reads, has the
 * opposite program: its counter is the number of packets that the first one dropped. Changing a
 * socket's filter needs no privilege.
 */
#ifndef EW_CAPTURE_SHEDDING_H
#define EW_CAPTURE_SHEDDING_H

#include "capture/shed.h"

enum { SHEDDING_FIRST = 2048 }; /* instructions of the user's filter; with more nothing is shed */

struct shedding {
    bool on;        /* the program is attached */
    bool dropping;  /* over the set rate */
    int packet;     /* lent */
    int counter;    /* -1: none, then nothing is ever dropped */
    int index;      /* of the interface that the counter listens on; 0 = none */
    uint64_t above; /* packets per second beyond which relay media are dropped; 0 = never */
    struct shed_config config;
    struct sock_filter first[SHEDDING_FIRST];
    unsigned n_first;
};

/* With root's rights: opens the counting socket. first: the filter that is attached now. Attaches
 * the program if the link type allows it (s->on). */
void shedding_open(struct shedding *s, int packet, const struct shed_config *config, uint64_t above,
                   const struct sock_filter *first, unsigned n_first);
void shedding_close(struct shedding *s);

/* The configuration was changed (shed_add_*). */
void shedding_again(struct shedding *s);

/* Once a second: how many packets arrived in it, dropped ones aside. Begins or ends dropping.
 * index: the interface's number now. Returns how many were dropped. */
uint64_t shedding_second(struct shedding *s, int index, uint64_t packets);

#endif
