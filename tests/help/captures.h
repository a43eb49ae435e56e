/*
 * Where the folder with real captures is: $EW_CAPTURES, else ../shared/captures beside the project.
 */
#ifndef EW_TESTS_HELP_CAPTURES_H
#define EW_TESTS_HELP_CAPTURES_H

#include "capture/bytes.h"

/* NULL if there is none: the test says so and is skipped. */
const char *captures_dir(void);

/* The path of one of them, in a buffer of the function's own. */
const char *captures_path(const char *name);

/* A whole file in fresh memory (free it); p NULL if it cannot be read. */
struct slice captures_read(const char *path);

#endif
