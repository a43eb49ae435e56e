/*
 * Hourly denominators: how many attempts of known relays connected, were refused, timed out
 * (view traffic). What a flood would add beyond LIMIT_TRAFFIC rows an hour is counted under no
 * source.
 */
#ifndef EW_FLOWS_TRAFFIC_H
#define EW_FLOWS_TRAFFIC_H

#include "flows/pipeline.h"

struct traffic;

struct traffic *traffic_new(uint16_t relay_low, uint16_t relay_high, uint64_t seed);
void traffic_free(struct traffic *t);
/* Another relay port range, from the next attempt on. */
void traffic_relay_ports(struct traffic *t, uint16_t low, uint16_t high);
/* One decided attempt. Hours that are past are handed to out->traffic first. */
void traffic_add(struct traffic *t, const struct attempt *a, const struct engine_out *out);
void traffic_flush(struct traffic *t, const struct engine_out *out);

#endif
