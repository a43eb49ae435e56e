/*
 * A period set aside for the figures of a summary: the failures, attempts and blind windows of it
 * in temporary tables of a reading handle, so that a dozen figures do not each go through the whole
 * database. The statements of statements_sum.c ask these tables:
 *   p_failure (id, first_us, last_us, leg, transport, verdict, info, edge, partner, peer, net,
 *     of_partner, dst_port, peer_port, attempts, syns, lossy, call_id, caller, callee (domains),
 *     local, remote (kinds of candidate))
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
