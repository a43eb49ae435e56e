/*
 * What the feeder keeps, for its parts: feeder.c (which flows are fed, and for how long),
 * reassembly.c (what becomes of a segment) and rooms.c (what is held). Nobody else includes this.
 *
 *   flow->stream --> fed[i] --room--> rooms[j] --> libnids
 *
 * A fed flow reads straight from the packets (half.kept and half.waiting are 0), collects a message
 * that spans segments as long as they come in order (rooms[j].rest), or goes through libnids, each
 * direction for itself. What is held, with the libnids stream and what we must know about its
 * content, is a room; it is taken when first needed and stays, without buffers, while the flow
 * needs it now and then. A room's libnids stream is opened with the first disorder.
 */
#ifndef EW_FLOWS_FEEDER_STATE_H
#define EW_FLOWS_FEEDER_STATE_H

#include "flows/feeder.h"
#include "flows/lru.h"
#include "flows/ranges.h"
#include "flows/rest.h"
#include "flows/streams_nids.h"

enum start {
    START_UNKNOWN, /* nothing known of this direction */
    START_ACKED,   /* no byte seen; next is what the other side acknowledged last */
    START_SEEN,    /* next is reliable: from the handshake, or from the first payload */
};

/* One direction: what one side sent. */
struct half {
    uint32_t next;   /* everything before it was handed to the reader */
    uint32_t acked;  /* highest acknowledgment of it seen from the other side */
    uint32_t kept;   /* bytes before next that the reader left: the room's rest, or in libnids */
    uint32_t fin;    /* where its FIN stands, with fin_seen */
    tick_t seen;     /* last packet of this side; TICK_NONE = none ever */
    tick_t hole_at;  /* since when next stands still before a hole */
    uint8_t start;   /* enum start */
    uint8_t waiting; /* ranges behind the hole; libnids holds them */
    uint8_t since;   /* packets of the flow since hole_at, saturating */
    uint8_t stray;   /* segments in a row that are nowhere near next */
    bool fin_seen;
};

struct fed {
    struct stream stream;
    struct half half[2]; /* by enum stream_side */
    uint32_t room;       /* 0 = none */
    uint32_t holed;      /* place in feeder.holed + 1; 0 = has no hole */
    uint32_t listed;     /* second of packet time when it last became the newest of its list */
    bool release;        /* the reader wants no more of it */
};

_Static_assert(sizeof(struct fed) == 128, "two cache lines a packet");

struct room {
    struct nids_stream nids; /* open from the first disorder on */
    uint32_t fed;
    tick_t used;
    size_t memory;       /* held here and in libnids; part of feeder.memory */
    struct rest rest[2]; /* by side: what is kept, unless it is in libnids */
    struct ranges waiting[2];
};

/* What the bytes are that come back from libnids. */
enum nids_mode {
    MODE_READ,    /* for the reader */
    MODE_KEEP,    /* a rest that the reader has just seen: keep it */
    MODE_SWALLOW, /* the one made-up byte in front of what waited behind a hole; then MODE_READ */
};

struct feeder {
    struct stream_reader reader;
    struct feeder_counts counts;
    uint64_t old_warnings; /* of libnids, before this feeder began */
    struct fed *fed;       /* [0] is not used */
    struct lru fed_lru;
    struct room *rooms; /* [0] is not used */
    struct lru room_lru;
    struct rest_stock stock;
    size_t fed_bytes, rooms_bytes;
    uint32_t *holed; /* numbers of the fed flows with a hole */
    uint32_t n_holed;
    size_t memory; /* bytes of rests, and in libnids */
    enum nids_mode mode;
    tick_t checked; /* last look for due holes and idle rooms */
};

static inline enum stream_side other_side(enum stream_side side)
{
    return side == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
}

/* Moving to the front of a list costs three cache lines, and is worth it once in a while. Time may
 * step back (another capture). */
static inline bool is_stale(tick_t touched, tick_t now, tick_t after)
{
    return now - touched > after || now < touched;
}

/* Payload of one side at seq: new bytes go to the reader, now or when the hole before them is
 * filled. */
void reassembly_segment(struct feeder *f, struct fed *e, enum stream_side side, uint32_t seq,
                        struct slice data);

/* The bytes up to seq will never be seen: nothing waits, and next stands before it. */
void reassembly_skip(struct feeder *f, struct fed *e, enum stream_side side, uint32_t seq);

/* A FIN of this side stands at seq. */
void reassembly_fin(struct feeder *f, struct fed *e, enum stream_side side, uint32_t seq);

/* Heals the holes whose time has come. */
void reassembly_heal_due(struct feeder *f, struct fed *e, tick_t now);

/* Heals all holes, whatever their age. */
void reassembly_flush(struct feeder *f, struct fed *e);

/* Leaves libnids, the flow goes on: holes are healed, what the reader left is dropped, with a gap.
 */
void reassembly_leave(struct feeder *f, struct fed *e);

/* Leaves libnids for good: holes are healed, what the reader left is dropped. */
void reassembly_close(struct feeder *f, struct fed *e);

/* The sink of streams_nids.h; arg is the feeder. */
size_t reassembly_sink(void *arg, struct nids_stream *n, enum stream_side side, struct slice avail,
                       size_t fresh);

#endif
