/*
 * The composition behind read and monitor: sources -> pipeline -> writer.
 */
#ifndef EW_CLI_ENGINE_H
#define EW_CLI_ENGINE_H

#include "capture/source.h"
#include "cli/command.h"
#include "cli/keys.h"
#include "cli/tally.h"

/* Who looks on (doctor); each may be NULL. */
struct engine_watch {
    void *arg;
    void (*frames)(void *arg, const struct raw_packet *raw, unsigned n);
    void (*allocation)(void *arg, const struct fact_allocation *a);
    void (*alias)(void *arg, const struct fact_alias *a);
    /* when all is counted; lent */
    void (*end)(void *arg, const struct tally_run *run);
    unsigned seconds; /* live: ends by itself after so long; 0 = never */
};

struct outlets;

struct engine_job {
    const char *command; /* "read", "monitor" */
    const struct settings *settings;
    struct sources *sources; /* opened, not started; lent */
    const char *names;       /* "internal.pcap, external.pcap" */
    struct keys *keys;       /* lent, NULL = none */
    bool live;
    const char *account;     /* live: whom the process runs as now, for a helpful message */
    struct outlets *outlets; /* live: or NULL */
    const struct engine_watch *watch; /* or NULL; a signal then ends the run, not the process */
};

/* Runs until the sources end or a signal comes. Prints the summary. An exit code. */
int engine_run(const struct engine_job *job);

/* What a failed opening of a source means, after its text was printed. */
int engine_exit_of(enum source_error e);

/* "a.pcap, b.pcap": base names, cut with "..." */
char *engine_names(int n, const char *const paths[], char *out, size_t room);

#endif
