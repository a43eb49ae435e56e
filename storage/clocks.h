/*
 * Clocks of imported SIP logs: how far each lies behind the packets' (flows/skew.h), from what both
 * know of the same calls, and the times of its rows corrected by that.
 *
 * Of a call in a log and packets of one sensor or another:
 *   a relay port is granted before an SDP names it; it is known by its address, and that the
 * client's end, a peer or an ICE name agrees, too, because ports are used again and again an SDP is
 * logged before its receiver asks a relay to reach an address in it, and before a relay connects to
 * one a request to a relay comes before the call's end a Call-ID that was read from packets as
 * well: its INVITE comes before its answer A log's stamps are cut to milliseconds, so each means up
 * to one millisecond later.
 */
#ifndef EW_STORAGE_CLOCKS_H
#define EW_STORAGE_CLOCKS_H

#include "storage/store.h"

/* Runs that imported a SIP log; and of these the ones whose clock nobody knows yet. */
#define SIP_LOGS "(SELECT run_id FROM log WHERE run_id NOT NULL AND kind IN ('uccapi', 'sipstack'))"
#define TIMELESS_LOGS                                                                       \
    "(SELECT run_id FROM log WHERE run_id NOT NULL AND kind IN ('uccapi', 'sipstack') AND " \
    "shift_us"                                                                              \
    " IS NULL)"

/* All at the end of a run, in its transaction; 0, or -1 with db.why. */

/* Was the text of this run's log imported before, for the same sensor? Then this run and all it
 * stored are taken back, and result tells of the earlier one. */
int clocks_known_log(struct store *s, struct log_result *result);
/* This run imported a log: its clock against all packets that are stored. */
int clocks_of_log(struct store *s);
/* Logs (their runs) whose time has just become known: to be joined with all packets near them. */
enum { CLOCKS_FOUND = 64 };
struct clocks_found {
    int64_t run[CLOCKS_FOUND];
    unsigned n;
};
/* This run saw packets: the clocks of stored logs against them. */
int clocks_of_logs(struct store *s, struct clocks_found *found);
/* What is known of this run's log now. */
int clocks_result(struct store *s, struct log_result *result);

#endif
