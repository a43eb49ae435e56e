/*
 * A look at frames as they come from a span port, for `doctor`: what is in them, how much of them
 * is missing, and whether both directions are there. It decodes every frame for itself and keeps
 * the engine's way of packets free of such questions. Fixed memory, 3 MB.
 */
#ifndef EW_CAPTURE_SURVEY_H
#define EW_CAPTURE_SURVEY_H

#include "capture/frame.h"

struct survey;

enum {
    SURVEY_CONVERSATIONS = 1 << 16, /* TCP connections looked at; later ones are not */
    SURVEY_ADDRS = 1 << 14,
    SURVEY_LARGEST = 1522, /* Ethernet with two tags: a longer frame was merged, or is a jumbo */
    SURVEY_TALK = 4, /* packets of a conversation before one direction alone means something */
};

struct survey_facts {
    uint64_t frames, bytes;
    uint64_t not_ip, undecoded, fragments, icmp, tcp, udp;
    uint64_t cut;         /* less was captured than was on the wire */
    uint32_t cut_to;      /* longest of these as captured */
    uint64_t long_frames; /* over SURVEY_LARGEST */
    uint32_t longest;
    uint64_t tagged, tunneled;
    unsigned vlans; /* different ones */
    uint16_t vlan_low, vlan_high;
    uint64_t conversations, talks;    /* TCP: all, and those with SURVEY_TALK packets */
    uint64_t one_way;                 /* of the talks: one direction only */
    uint64_t steps_back, steps_ahead; /* of an interface's time: over a second, over an hour */
    tick_t largest_step;              /* negative: back */
    tick_t first, last;               /* TICK_NONE without frames */
    uint64_t peak_frames, peak_bytes; /* in one second of packet time */
};

/* NULL without memory. */
struct survey *survey_new(void);
void survey_free(struct survey *s);

/* n frames as a source hands them out. */
void survey_frames(struct survey *s, const struct raw_packet *raw, unsigned n);

void survey_facts(const struct survey *s, struct survey_facts *out);

/* IP packets from and to an address. */
struct survey_addr {
    uint64_t sent, received;
};
struct survey_addr survey_addr(const struct survey *s, const struct addr *a);

#endif
