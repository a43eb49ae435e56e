/*
 * A period set aside for the figures of a summary: the failures, attempts and blind windows of it
 * in temporary tables of a reading handle, so that a dozen figures do not each go through the whole
 * database. The statements of statements_sum.c ask these tables:
 *   p_group (key, failures, first_us, last_us, attempts, syns, lossy, example, leg, transport,
 *     verdict, info, edge, partner, net, of_partner, caller, callee (domains), local, remote (kinds
 *     of candidate), dst_port, peer_port (of one; the others' are in the same ranges), pn (of its
 *     partner)): failures that have all of that in common
 *   p_failure (id, key (of its group), info, first_us, call (a number for its Call-ID)): each
 *   p_partner (partner, pn, failures, first_us, last_us): the far ends that failures count against
 *   p_traffic (hour_us, edge, dst_net, port_from, port_to, transport, attempts, connected, refused,
 *     timeout, other): hours that the period touches
 *   p_net (partner, net): the networks of each partner that failed
 *   p_before (partner, failures, first_us, last_us): the seven days before the period
 */
#ifndef EW_STORAGE_PERIOD_H
#define EW_STORAGE_PERIOD_H

#include "storage/db.h"

struct period {
    bool made;
    int64_t since_us, until_us;
    int64_t version; /* of the data that it was made from */
};

/* Makes the tables unless they are there and nothing was written since. 0; -1 with the reason in
 * db->why. */
int period_make(struct period *p, struct db *db, int64_t since_us, int64_t until_us);

#endif
