/*
 * Puts IP fragments of both versions together, in bounded memory and packet time.
 *
 * Overlaps: for IPv4 the bytes that came first stay; an IPv6 datagram with an overlap is dropped
 * whole (RFC 5722). An exact repetition (span duplicates) is no overlap.
 */
#ifndef EW_CAPTURE_DEFRAG_H
#define EW_CAPTURE_DEFRAG_H

#include "capture/frame.h"

/* RFC 791 suggests 15 s, RFC 8200 asks for 60 s; senders' and receivers' practice is 30 s. */
#define DEFRAG_TIMEOUT (30 * TICK_S)

/* Datagrams under way. Each may take 64 KiB, so this is 16 MiB at worst; pages that no datagram
 * ever touched are never in memory. */
enum { DEFRAG_DATAGRAMS = 256 };

struct defrag_counts {
    uint64_t fragments;
    uint64_t complete;   /* datagrams handed out */
    uint64_t expired;    /* not complete in time */
    uint64_t evicted;    /* given up for a newer one: too many at once */
    uint64_t overlaps;   /* fragments that contradict others */
    uint64_t duplicates; /* fragments that repeat others */
    uint64_t unusable;   /* cut by the snap length */
};

struct defrag;

/* NULL: out of memory. */
struct defrag *defrag_new(uint64_t seed);
void defrag_free(struct defrag *d);

/* Takes a fragment seen at packet time `now`. True if it completes a datagram: *whole is the IP
 * payload, lent until the next call, and f->proto becomes that of the first fragment, so that f can
 * be given to frame_transport(). */
bool defrag_add(struct defrag *d, struct fragment *f, tick_t now, struct slice *whole);

void defrag_counts(const struct defrag *d, struct defrag_counts *out);

#endif
