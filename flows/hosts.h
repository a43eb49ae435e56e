/*
 * What the sensor knows of an address: a small table that forgets. "No answer came" is worth saying
 * only where answers to that address would have been seen.
 */
#ifndef EW_FLOWS_HOSTS_H
#define EW_FLOWS_HOSTS_H

#include "capture/endpoint.h"
#include "capture/tick.h"

struct hosts;

/* entries: rounded up to a power of two. NULL without memory. */
struct hosts *hosts_new(uint32_t entries, uint64_t seed);
void hosts_free(struct hosts *h);

/* Packets to a were seen, in answer to its own or with answers of its own. */
void hosts_heard(struct hosts *h, const struct addr *a);
/* a talks with somebody whose packets to it do not pass here. */
void hosts_one_way(struct hosts *h, const struct addr *a);
/* Would an answer to a have been missed? Only with positive evidence. */
bool hosts_is_one_way(const struct hosts *h, const struct addr *a);

/* A connection of a opened, or closed; how many are open. A little low after addresses were
 * forgotten. */
void hosts_opened(struct hosts *h, const struct addr *a);
void hosts_closed(struct hosts *h, const struct addr *a);
uint32_t hosts_open(const struct hosts *h, const struct addr *a);

/* Counts one event of a in the minute of now; true while there were at most limit. */
bool hosts_within_rate(struct hosts *h, const struct addr *a, tick_t now, unsigned limit);

#endif
