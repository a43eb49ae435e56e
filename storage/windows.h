/* Findings across failures (flows/findings.h), drawn from the database and stored in it. */
#ifndef EW_STORAGE_WINDOWS_H
#define EW_STORAGE_WINDOWS_H

#include "storage/store.h"

/* Scope 'window': the run's packet time. Replaces what was found for the same time before. In a
 * transaction. 0 or -1. */
int windows_run(struct store *s);
/* Scope 'night:DATE': the UTC day that t lies in, as far as it is known. */
int windows_night(struct store *s, tick_t t);
/* The same outside of a transaction: it makes one for what it stores. */
int windows_night_alone(struct store *s, tick_t t);

#endif
