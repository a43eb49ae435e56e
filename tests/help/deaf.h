/* An engine whose rows nobody wants: for tests that look at what it does on the way, or that it
 * lives through its input. */
#ifndef EW_TESTS_HELP_DEAF_H
#define EW_TESTS_HELP_DEAF_H

#include "flows/findings.h"
#include "flows/pipeline.h"

extern const struct engine_out engine_deaf;

#endif
