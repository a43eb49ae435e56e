/*
 * What a run found and lost, for the summary at its end.
 */
#ifndef EW_CLI_TALLY_H
#define EW_CLI_TALLY_H

#include "cli/options.h"
#include "flows/pipeline.h"
#include "storage/writer.h"

/* The verdict of every failure of this run by its run-unique id, because a failure may be told
 * again or taken back. */
struct tally {
    uint8_t *verdicts; /* by id; TALLY_NONE, or a verdict with TALLY_INFO */
    size_t room;
    uint64_t counts[256]; /* how many failures have that value now */
};
enum { TALLY_NONE = 0xff, TALLY_INFO = 0x80 };

/* Without memory a failure is not counted. */
void tally_failure(struct tally *t, const struct failure *f);
void tally_gone(struct tally *t, int64_t id);
/* What the database holds now takes the place of what the run said: it was joined with others. */
void tally_stored(struct tally *t, const struct failures_found *found);
void tally_free(struct tally *t);
/* Failures that are no mere information. */
uint64_t tally_failures(const struct tally *t);

/* Everything that was counted in the run. */
struct tally_loss {
    uint64_t packets, kernel_drops, nic_drops, ring_drops, decode_errors, duplicates, queue_lost;
    struct engine_counts engine;
};

struct tally_run {
    const char *command, *sources; /* "read", "a.pcap, b.pcap" */
    tick_t first, last;            /* packet time */
    const char *damage;            /* NULL or where */
    struct tally_loss loss;
};

/* The summary, on stderr. */
void tally_print(const struct tally *t, const struct tally_run *run, const struct settings *s);

#endif
