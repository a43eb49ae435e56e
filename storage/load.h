/*
 * Facts of one sensor out of the database, as the engine's own structs, for joining runs: what
 * began in a span of time at once (struct loaded: one arena, freed in one call), calls and
 * allocations one by one.
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
    struct fact_allocation *allocations; /* ids are row ids, here and below */
    size_t n_allocations;
    struct attempt *attempts; /* in order of first */
    size_t n_attempts;
    struct relay_trouble *troubles;
    size_t n_troubles;
};

void load_begin(struct loaded *l, const char *sensor); /* sensor: lent */
void load_free(struct loaded *l);

/* Allocations whose life touches [first, last] (us). 0 or -1 with db->why. */
int load_allocations(struct loaded *l, struct db *db, int64_t first, int64_t last);
/* Attempts that began in [first, last] (us). */
int load_attempts(struct loaded *l, struct db *db, int64_t first, int64_t last);

/* Relay troubles that did. */
int load_troubles(struct loaded *l, struct db *db, int64_t first, int64_t last);

/* Calls and allocations (scopes) whose life touches [first, last] (us), as a temporary table:
 * scope(call 0|1, at_us, id, started_us, ended_us), at_us: when they are first known of. The caller
 * drops it. 0 or -1. */
int load_list_scopes(struct db *db, const char *sensor, int64_t first, int64_t last);
/* Those of the table, calls or allocations, in order of at_us; a row for load_call() or
 * load_allocation(). NULL with db->why. */
sqlite3_stmt *load_scopes(struct db *db, bool calls);
int64_t load_scope_at(sqlite3_stmt *q); /* at_us of the row */
/* The row under way. Texts are in the arena. False without memory. */
bool load_call(struct arena *a, sqlite3_stmt *q, struct fact_call *c, struct call_state *state);
bool load_allocation(struct arena *a, sqlite3_stmt *q, struct fact_allocation *out);

/* A column as the engine has it; NULL is none. */
tick_t load_tick(sqlite3_stmt *q, int column);
struct addr load_addr(sqlite3_stmt *q, int column);
/* two columns */
struct endpoint load_endpoint(sqlite3_stmt *q, int column);

#endif
