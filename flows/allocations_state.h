/*
 * The inside of allocations, shared by allocations.c (what messages say) and allocation_life.c (how
 * records come, wait, end and go).
 */
#ifndef EW_FLOWS_ALLOCATIONS_STATE_H
#define EW_FLOWS_ALLOCATIONS_STATE_H

#include "flows/multimap.h"
#include "flows/pool.h"
#include "flows/session.h"

struct channel {
    uint16_t number;
    struct endpoint peer;
};

struct allocation {
    struct fact_allocation fact;
    struct allocation *next, *prev;           /* by age */
    struct allocation *due_next, *due_prev;   /* ended ones, by the time they ended */
    struct allocation *wait_next, *wait_prev; /* those whose silence means something */
    bool waiting;
    uint32_t tag, id_tag;      /* in by_tuple, by_connection */
    tick_t active_at, expires; /* by the clock as it is now */
    tick_t leapt;              /* by so much it was set since it began, or since it ended */
    struct endpoint asked;     /* peer of the last Set Active Destination or Connect request */
    struct channel *channels;  /* room for MAX_CHANNELS; most allocations have none */
    unsigned n_channels, room;
    bool told, over;
    bool replaced; /* a later one lives on its 5-tuple */
};

struct allocations {
    struct joiner *joiner;
    const struct engine_out *out;
    bool interim;
    uint64_t seed;
    struct pool pool;
    struct multimap by_tuple, by_connection;
    struct allocation *oldest, *newest;
    struct allocation *first_ended, *last_ended; /* queue: over, then dropped */
    struct allocation *first_due;                /* of these, the first that is not over */
    /* not granted yet, or granted for a time: seldom many, while a TCP allocation just lasts as
     * long as its connection */
    struct allocation *first_waiting, *last_waiting;
    struct allocation *young; /* by age, the first that is too young for an interim row */
    uint32_t n;
    int64_t last_id;
    tick_t swept;
    struct allocations_counts counts;
};

/* allocation_life.c */

/* The newest one of the control 5-tuple, NULL = none. */
struct allocation *allocation_find(const struct allocations *s, const struct endpoint *client,
                                   const struct endpoint *server, uint8_t proto);
/* One that waits for its answer; the oldest gives way if need be. NULL without memory. */
struct allocation *allocation_new(struct allocations *s, const struct endpoint *client,
                                  const struct endpoint *server, const struct message_at *at);
/* Its silence means nothing any more: it lasts as long as its connection. */
void allocation_settled(struct allocations *s, struct allocation *a);
/* It ended at that time; it is told and dropped when its grace is over. */
void allocation_end(struct allocations *s, struct allocation *a, tick_t when, const char *reason);

#endif
