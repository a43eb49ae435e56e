/*
 * What is held for a fed flow: the rests of its messages, its stream in libnids, and the list of
 * flows with holes. For reassembly.c, which decides what becomes of a segment; nobody else includes
 * this.
 */
#ifndef EW_FLOWS_ROOMS_H
#define EW_FLOWS_ROOMS_H

#include "flows/feeder_state.h"

/* Nothing of this direction is held. */
static inline bool clean(const struct half *h)
{
    return h->kept == 0 && h->waiting == 0;
}

static inline bool has_hole(const struct half *h)
{
    return h->waiting || (h->fin_seen && seq_diff(h->fin, h->next) > 0);
}

static inline struct room *room_of(struct feeder *f, const struct fed *e)
{
    return e->room ? &f->rooms[e->room] : NULL;
}

/* The reader must not go on where it stood: what it left is gone. */
void room_tell_break(struct feeder *f, struct fed *e, enum stream_side side, uint32_t missing);
/* ... because bytes are missing in the capture. */
void room_tell_gap(struct feeder *f, struct fed *e, enum stream_side side, uint32_t missing);

/* A hole begins now: the flow is looked at until it is healed. */
void hole_begin(struct feeder *f, struct fed *e, enum stream_side side);
/* If neither side has a hole any more. */
void hole_unlist(struct feeder *f, struct fed *e);

/* The flow's room; the longest unused one is taken from its flow if need be. */
struct room *room_take(struct feeder *f, struct fed *e);
/* The same, and libnids stands at seq on this side, and holds what is kept before it. NULL: it has
 * no memory, and the room is lost. */
struct room *room_enter(struct feeder *f, struct fed *e, enum stream_side side, uint32_t seq);
/* Nothing is held for this flow any more: what was held is missing, and tell says so. */
void room_lose(struct feeder *f, struct fed *e,
               void (*tell)(struct feeder *, struct fed *, enum stream_side, uint32_t));

/* Payload for libnids. False: out of memory, and the room is lost. */
bool room_feed(struct feeder *f, struct fed *e, enum stream_side side, uint32_t seq,
               struct slice data, enum nids_mode mode);
/* After libnids took something in: forgets what is no longer held. */
void room_settle(struct feeder *f, struct fed *e, enum stream_side side);

/* What the room holds has changed. */
void room_count(struct feeder *f, struct room *r);
/* Eviction for the sake of memory spares only the stream at hand. */
void room_bound(struct feeder *f, const struct fed *e);

#endif
