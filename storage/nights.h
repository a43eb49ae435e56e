/* Findings across failures of whole days, for who looks at them afterwards. */
#ifndef EW_STORAGE_NIGHTS_H
#define EW_STORAGE_NIGHTS_H

#include "capture/tick.h"

/* Draws them (scope 'night:DATE') for each UTC day of [since, until] whose failures come from
 * several runs: none of these saw all of the day, while a day of one run was drawn by it. Opens the
 * database, which exists, to write; where that is not permitted, or somebody holds it, what was
 * drawn before stays. */
void nights_draw(const char *path, tick_t since, tick_t until);

#endif
