/*
 * Evidence packets of one failure as pcapng, for Wireshark.
 */
#ifndef EW_REPORT_EXPORT_H
#define EW_REPORT_EXPORT_H

#include "storage/query.h"

#include <stdio.h>

/* Writes the packets in order of time. Returns how many; -1 if the database failed or there are
 * more kinds of interfaces than EXPORT_IFACES. */
int64_t export_packets(struct query_db *db, int64_t failure, FILE *out);

enum { EXPORT_IFACES = 64 };

#endif
