/*
 * What `doctor` knows when it judges, and the judging: facts in, lines out, nothing asked of the
 * machine.
 */
#ifndef EW_CLI_EXAMINE_H
#define EW_CLI_EXAMINE_H

#include "capture/link.h"
#include "capture/survey.h"
#include "cli/tally.h"
#include "report/checkup.h"

enum { EXAMINE_RELAYS = 32, EXAMINE_IFACES = 64 };

/* A relay that announced itself. */
struct examined_relay {
    struct addr public_addr; /* as told to its clients */
    struct addr wire_addr;   /* as seen on the wire; none = unknown */
    struct survey_addr seen; /* packets of either, beside those on its listening port */
    unsigned allocations;
};

/* A live interface. */
struct examined_iface {
    const char *name;
    struct link_state link; /* at the end */
    bool gone;
    char merges[32];
    uint64_t packets, kernel_drops, nic_drops, ring_drops;
};

struct examined {
    bool live;
    tick_t seconds; /* listened, or the span of the files, in ticks */
    struct survey_facts survey;
    struct tally_loss loss;
    unsigned tls_listed; /* TLS connections that are told of one by one */
    struct examined_relay relays[EXAMINE_RELAYS];
    unsigned n_relays;
    uint64_t allocations, granted, clients;
    struct fact_alias aliases[EXAMINE_RELAYS];
    unsigned n_aliases;
    /* live only */
    struct examined_iface ifaces[EXAMINE_IFACES];
    unsigned n_ifaces;
    uint64_t ring_bytes; /* of each interface's kernel ring */
    bool promisc;        /* it was asked for */
    bool clock_known, clock_synced;
    int64_t clock_error_us;
    /* where the database would be */
    const char *db;
    bool disk_known;
    uint64_t disk_free;
    uint64_t written; /* bytes of database that this look gave */
    const char *damage;
    /* packets that load shedding was tried on, would keep whole, and would drop beyond the rate */
    uint64_t shed_tried, shed_whole, shed_media, shed_above;
    bool shed_off;
};

void examine(const struct examined *e, struct checkup *out);

#endif
