/*
 * The tracker's inside, shared by tracker.c (packets) and tracker_entries.c (how entries come,
 * wait, report and go).
 */
#ifndef EW_FLOWS_TRACKER_STATE_H
#define EW_FLOWS_TRACKER_STATE_H

#include "flows/attempts.h"
#include "flows/checks.h"
#include "flows/flowtable.h"

struct tracker {
    bool dropping; /* see tracker_dropping() */
    struct flowtable table;
    struct attempts attempts;
    struct checks *checks;
    tick_t now;       /* highest packet time so far */
    tick_t due;       /* nothing is due before this */
    uint32_t embryos; /* cap on undecided attempts of unknown endpoints */
};

/* An entry for the pair, evicting another if need be; 0 only in a table without room for one.
 * embryo: an attempt, not a connection already under way. */
uint32_t entry_new(struct tracker *t, const struct endpoint *client, const struct endpoint *server,
                   bool embryo);
/* Its end; the feeder is told. */
void entry_remove(struct tracker *t, uint32_t n);
/* Begins the wait that its handshake is in. */
void entry_arm(struct tracker *t, uint32_t n);
/* Brings what others see of the flow in line with its handshake. */
void entry_show(struct tracker *t, struct entry *e);

/* What it is asked for is known (attempts.h): struct answered_hook's. */
void entry_answered(void *tracker, uint32_t n, uint64_t id, bool wanted);

/* Keeps the packet as evidence of the attempt. */
void entry_keep_proof(struct tracker *t, uint32_t n, const struct packet *p);
/* The handshake reported connected: proof is not needed any more. */
void entry_connected(struct tracker *t, uint32_t n, const struct handshake_result *r);
/* Silence, the end of the capture, or somebody else needs the place. True if the entry is gone. */
bool entry_conclude(struct tracker *t, uint32_t n, enum handshake_what what, enum quality quality);
/* talker's flow proves that the sensor sees one direction; once per flow. */
void entry_one_way(struct tracker *t, struct entry *e, const struct endpoint *talker);

/* Runs everything due up to now, TCP and UDP; at the end decides everything. */
void entries_run(struct tracker *t, tick_t now);
void entries_finish(struct tracker *t);

#endif
