/*
 * Joining across runs: the internal span read today, the external one tomorrow. Facts of all runs
 * of this sensor, in the stretch of packet time where this run touches another, go through a fresh
 * joiner, and its failures replace those stored for that stretch. An imported log is such a run,
 * once its clock is known.
 */
#ifndef EW_STORAGE_REJOIN_H
#define EW_STORAGE_REJOIN_H

#include "storage/store.h"

/* Nothing to do if no other run of the sensor is near in packet time. In a transaction. 0 or -1
 * with db.why. */
int rejoin_run(struct store *s);
/* The same for another run, whose times have changed. */
int rejoin_with(struct store *s, int64_t run);

#endif
