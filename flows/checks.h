/*
 * STUN Binding checks and TURN transactions over UDP, as runs: what one endpoint asked another
 * until it stopped for DEADLINE_CHECK. A run is an attempt like a TCP connect; its requests count
 * as SYNs.
 *
 *   checks        Binding: an OK answer = connected; only errors = open-no-check
 *   transactions  Allocate, Refresh, CreatePermission ...: a 401 before success is normal; errors
 *                 and never success = alloc-fail
 *   both          silence = timeout, single-syn; ICMP = unreachable
 */
#ifndef EW_FLOWS_CHECKS_H
#define EW_FLOWS_CHECKS_H

#include "flows/attempts.h"

struct checks;

/* NULL without memory. attempts is lent and outlives checks. */
struct checks *checks_new(uint32_t runs, uint64_t seed, struct attempts *attempts);
void checks_free(struct checks *c);

/* One message; now: the tracker's clock, never falling. Messages that are neither request nor
 * answer are ignored. */
void checks_stun(struct checks *c, const struct packet *p, const struct stun_msg *m, tick_t now);
/* An ICMP destination unreachable that quotes UDP. True if it belongs to a run. */
bool checks_icmp(struct checks *c, const struct packet *p);

/* When the first run is due, INT64_MAX = none; and its end. */
tick_t checks_due(const struct checks *c);
void checks_fire(struct checks *c);
/* Decides all runs at the end of the capture. */
void checks_finish(struct checks *c, tick_t now);

#endif
