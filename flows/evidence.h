/*
 * The handshake and ICMP packets of attempts that are not decided yet, cut to LIMIT_EVIDENCE_BYTES.
 * A fixed number of slots; when all are taken, the oldest packet gives way. Attempts of wanted and
 * of unknown endpoints have a store each, so that a scan never costs a negotiated pair its proof.
 */
#ifndef EW_FLOWS_EVIDENCE_H
#define EW_FLOWS_EVIDENCE_H

#include "flows/tracker.h"

struct evidence_store;

struct evidence_store *evidence_new(uint32_t slots);
void evidence_free(struct evidence_store *s);

/* Keeps p (cut) for the attempt whose newest packet is *handle (0 = none yet) and updates *handle.
 * Beyond LIMIT_EVIDENCE_PER_ATTEMPT the first ones stay. A handle never has its highest bit set. */
void evidence_keep(struct evidence_store *s, uint32_t *handle, const struct raw_packet *p);
/* The attempt needs no proof any more; *handle becomes 0. */
void evidence_drop(struct evidence_store *s, uint32_t *handle);
/* Another store keeps it from now on. */
void evidence_move(struct evidence_store *from, struct evidence_store *to, uint32_t *handle);
/* Oldest first; lent until the next call on s. */
unsigned evidence_list(const struct evidence_store *s, uint32_t handle,
                       struct evidence out[ATTEMPT_MAX_EVIDENCE]);
/* Packets overwritten while somebody still needed them. */
uint64_t evidence_lost(const struct evidence_store *s);

#endif
