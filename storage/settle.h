/* The end of a run: what earlier runs stored from the same packets is merged (settle.sql). */
#ifndef EW_STORAGE_SETTLE_H
#define EW_STORAGE_SETTLE_H

#include "storage/store.h"

/* Merges attempts, calls, allocations, traffic and health of the run with those that earlier runs
 * of the same sensor stored from the same packets. Rows keep the older id and take the better
 * content. In a transaction. 0 or -1 with db.why. */
int settle_run(struct store *s);

/* Merges calls that logs and packets, or several logs, have both (settle_logs.sql). In a
 * transaction, after clocks. 0 or -1 with db.why. */
int settle_logs(struct store *s);

#endif
