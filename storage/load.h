/*
 * Facts of one sensor out of the database, as the engine's own structs, for joining runs. Memory is
 * one arena, freed in one call.
 */
#ifndef EW_STORAGE_LOAD_H
#define EW_STORAGE_LOAD_H

#include "flows/arena.h"
#include "flows/facts.h"
#include "flows/joiner.h"
#include "storage/db.h"

/* What the database knows of a call beside the fact. */
struct call_state {
    uint8_t outcome; /* as stored */
    bool open;       /* its run still goes on, or was killed, and saw no end of it */
};

struct loaded {
    const char
        *sensor; /* whose runs are read, * = everybody's; imported logs if their time is known */
    struct arena_pool pool;
    struct arena arena;
    struct fact_call *calls; /* ids are row ids, here and below */
    struct call_state *states;
    size_t n_calls;
    struct fact_allocation *allocations;
    struct addr *wire_addrs; /* of the allocations as stored */
    size_t n_allocations;
    struct attempt *attempts; /* in order of first */
    size_t n_attempts;
    struct relay_trouble *troubles;
    size_t n_troubles;
};

void load_begin(struct loaded *l, const char *sensor); /* sensor: lent */
void load_free(struct loaded *l);

/* Calls and allocations whose life touches [first, last] (us). 0 or -1 with db->why. */
int load_facts(struct loaded *l, struct db *db, int64_t first, int64_t last);
/* Allocations only. */
int load_allocations(struct loaded *l, struct db *db, int64_t first, int64_t last);
/* Attempts and relay troubles that began in [first, last] (us). */
int load_attempts(struct loaded *l, struct db *db, int64_t first, int64_t last);

/* A column as the engine has it; NULL is none. */
tick_t load_tick(sqlite3_stmt *q, int column);
struct addr load_addr(sqlite3_stmt *q, int column);
/* two columns */
struct endpoint load_endpoint(sqlite3_stmt *q, int column);

#endif
