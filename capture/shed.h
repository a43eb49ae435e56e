/*
 * How much of each packet the kernel hands over: a classic BPF program, written anew when another
 * relay or signaling port becomes known.
 *
 * - whole: ICMP, fragments, tunnels, tags, IPv6 extensions; SYN, FIN, RST; signaling and TURN by
 *   port; TCP that is neither between relay ports nor at a known relay; what may be STUN by its
 *   first bytes (over TCP also behind the length of RFC 4571); UDP that is no media; everything up
 *   to SHED_CUT bytes anyway.
 * - cut: the rest, to SHED_CUT bytes: every header stays, so that the tracker misses nothing.
 * - drop: only if asked for, payload between a relay's port and its peer that is none of the above.
 *
 * Pure: no socket, no allocation.
 */
#ifndef EW_CAPTURE_SHED_H
#define EW_CAPTURE_SHED_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    SHED_CUT = 128,
    SHED_PORTS = 64,  /* of signaling and TURN; more are not protected, and then nothing is shed */
    SHED_RELAYS = 32, /* IPv4 addresses */
    SHED_MOST = 1024, /* instructions; the kernel takes 4096 */
};

struct shed_config {
    uint16_t linktype;         /* DLT_EN10MB or DLT_RAW; with others nothing is shed */
    uint32_t whole, cut, drop; /* what the program returns for each: bytes to keep, 0 = none */
    bool drops;                /* false: what could be dropped is cut */
    uint16_t ports[SHED_PORTS];
    uint32_t relays[SHED_RELAYS]; /* host order, as seen on the wire */
    unsigned n_ports, n_relays;
    uint16_t relay_low, relay_high;
};

/* Returns the number of instructions, 0 if nothing can be shed on such a link. */
unsigned shed_program(const struct shed_config *c, struct sock_filter out[SHED_MOST]);

/* first, then second for what first accepts. 0 if that is longer than room. */
unsigned shed_join(const struct sock_filter *first, unsigned n_first,
                   const struct sock_filter *second, unsigned n_second, struct sock_filter *out,
                   unsigned room);

/* Adds a port or address that is not yet in it. True if that changed anything. */
bool shed_add_port(struct shed_config *c, uint16_t port);
bool shed_add_relay(struct shed_config *c, uint32_t address);

#endif
