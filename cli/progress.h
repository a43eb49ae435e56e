/*
 * One line on a terminal while a long capture is read.
 */
#ifndef EW_CLI_PROGRESS_H
#define EW_CLI_PROGRESS_H

#include "capture/source.h"

struct progress {
    bool on, shown;
    int64_t begun_ms, next_ms;
};

/* wanted: not --quiet and not live; shown only if stderr is a terminal. */
void progress_begin(struct progress *p, bool wanted);
/* Call now and then; draws at most four times a second. */
void progress_show(struct progress *p, const struct sources *s, uint64_t packets,
                   uint64_t failures);
/* The same for a log: bytes of its file (total 0: not known), messages and calls so far. */
void progress_log(struct progress *p, uint64_t done, uint64_t total, uint64_t messages,
                  uint64_t calls);
/* Takes the line away. */
void progress_end(struct progress *p);

#endif
