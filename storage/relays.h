/*
 * The addresses of relays and Edges that the database knows, and the public names of those behind
 * NAT: for statements over many rows, where asking the tables for each costs more than the row.
 */
#ifndef EW_STORAGE_RELAYS_H
#define EW_STORAGE_RELAYS_H

#include "storage/db.h"

struct relay_name {
    char *addr, *public_addr; /* as in the tables */
};

/* Zeroed = none. */
struct relays {
    char **addrs; /* sorted, as names by addr */
    struct relay_name *names;
    size_t n_addrs, n_names;
};

/* 0 or -1 with db->why; relays_free() in either case. */
int relays_load(struct relays *r, struct db *db);
void relays_free(struct relays *r);

bool relays_has(const struct relays *r, const char *addr);
/* The public address of that private one: the configured alias, else the one with most ports seen.
 * NULL: it has none. */
const char *relays_public(const struct relays *r, const char *addr);

#endif
