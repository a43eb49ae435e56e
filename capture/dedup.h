/*
 * Span duplicates: one packet seen twice, because a span port mirrors the way in and the way out,
 * two interfaces see one link, or both sides of a router are watched.
 *
 * Two packets are the same if addresses, ports, IPv4 identification, TCP header and options, length
 * and the first bytes of the payload agree within DEDUP_WINDOW of packet time. VLAN, TTL, tunnel
 * and interface may differ. What a sender can repeat by itself must not be taken for a copy:
 * retransmissions come much later than the window, and a packet without identification and without
 * content (a repeated pure acknowledgment) is never called a duplicate.
 */
#ifndef EW_CAPTURE_DEDUP_H
#define EW_CAPTURE_DEDUP_H

#include "capture/frame.h"

/* Copies of one packet arrive within a switch's or router's queueing time; TCP repeats nothing
 * sooner than 200 ms, except after three duplicate acknowledgments. */
#define DEDUP_WINDOW (10 * TICK_MS)

enum { DEDUP_ENTRIES = 65536 /* at most */, DEDUP_PAYLOAD = 64 };

struct dedup;

/* NULL: out of memory. The seed keeps a sender from choosing who forgets whom. */
struct dedup *dedup_new(uint64_t seed);
void dedup_free(struct dedup *d);

/* For packets handled in groups: dedup_hash() needs no table and may be asked in any thread (0 =
 * the packet can't be told apart), dedup_hint() asks for its memory early, dedup_seen_at() then
 * answers like dedup_seen(). seed as given to dedup_new(). */
uint64_t dedup_hash(const struct packet *p, uint64_t seed);
void dedup_hint(const struct dedup *d, uint64_t hash);
bool dedup_seen_at(struct dedup *d, const struct packet *p, uint64_t hash);

/* True if the packet is a copy of one seen before. Only for decoded packets (FRAME_PACKET). */
bool dedup_seen(struct dedup *d, const struct packet *p);

#endif
