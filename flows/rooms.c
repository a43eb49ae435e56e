/* Rooms: what is held for a flow, here and in libnids. See rooms.h. */
#include "flows/rooms.h"

#include "flows/limits.h"

/* The reader must not go on where it stood: what it left is gone. */
void room_tell_break(struct feeder *f, struct fed *e, enum stream_side side, uint32_t missing)
{
    e->half[side].kept = 0;
    if (!e->release)
        f->reader.gap(f->reader.arg, &e->stream, side, missing);
}

/* ... because bytes are missing in the capture. */
void room_tell_gap(struct feeder *f, struct fed *e, enum stream_side side, uint32_t missing)
{
    if (!e->release) {
        f->counts.gaps++;
        f->counts.gap_bytes += missing;
    }
    room_tell_break(f, e, side, missing);
}

/* ---- the list of flows with holes ---- */

static void hole_list(struct feeder *f, struct fed *e)
{
    if (e->holed)
        return;
    f->holed[f->n_holed++] = (uint32_t)(e - f->fed);
    e->holed = f->n_holed;
}

void hole_unlist(struct feeder *f, struct fed *e)
{
    if (!e->holed || has_hole(&e->half[SIDE_CLIENT]) || has_hole(&e->half[SIDE_SERVER]))
        return;
    uint32_t last = f->holed[--f->n_holed];
    f->holed[e->holed - 1] = last;
    f->fed[last].holed = e->holed;
    e->holed = 0;
}

void hole_begin(struct feeder *f, struct fed *e, enum stream_side side)
{
    e->half[side].hole_at = e->stream.time;
    e->half[side].since = 0;
    hole_list(f, e);
}

/* ---- rooms ---- */

void room_count(struct feeder *f, struct room *r)
{
    size_t now = (size_t)r->rest[0].size + r->rest[1].size;
    if (r->nids.tcp)
        now += streams_nids_memory(&r->nids);
    f->memory += now - r->memory;
    r->memory = now;
}

static void room_give(struct feeder *f, struct fed *e)
{
    struct room *r = room_of(f, e);
    streams_nids_close(&r->nids);
    rest_drop(&f->stock, &r->rest[0]);
    rest_drop(&f->stock, &r->rest[1]);
    room_count(f, r);
    lru_give(&f->room_lru, e->room);
    e->room = 0;
}

/* Nothing is held for this flow any more: what was held is missing, and tell says so. */
void room_lose(struct feeder *f, struct fed *e,
               void (*tell)(struct feeder *, struct fed *, enum stream_side, uint32_t))
{
    room_give(f, e);
    for (int side = 0; side < 2; side++) {
        struct half *h = &e->half[side];
        bool lost = !clean(h);
        h->waiting = 0;
        if (lost)
            tell(f, e, (enum stream_side)side, 0);
    }
    hole_unlist(f, e);
}

void reassembly_leave(struct feeder *f, struct fed *e)
{
    reassembly_flush(f, e);
    /* only a rest that its reader never came back for is left now: the capture has no hole there */
    if (e->room)
        room_lose(f, e, room_tell_break);
}

void reassembly_close(struct feeder *f, struct fed *e)
{
    reassembly_flush(f, e);
    if (e->room)
        room_give(f, e);
    hole_unlist(f, e); /* one before a FIN may have been filled straight from packets */
}

static void evict_oldest_room(struct feeder *f)
{
    f->counts.evicted++;
    reassembly_leave(f, &f->fed[f->rooms[lru_oldest(&f->room_lru)].fed]);
}

struct room *room_take(struct feeder *f, struct fed *e)
{
    if (!e->room) {
        if (f->room_lru.live == f->room_lru.size)
            evict_oldest_room(f);
        e->room = lru_take(&f->room_lru);
        f->rooms[e->room] = (struct room){.fed = (uint32_t)(e - f->fed), .used = e->stream.time};
    }
    struct room *r = room_of(f, e);
    if (is_stale(r->used, e->stream.time, TICK_S)) {
        lru_touch(&f->room_lru, e->room);
        r->used = e->stream.time;
    }
    return r;
}

/* Eviction for the sake of memory spares only the stream at hand. */
void room_bound(struct feeder *f, const struct fed *e)
{
    while (f->memory > LIMIT_STREAM_BYTES && lru_oldest(&f->room_lru) != e->room)
        evict_oldest_room(f);
}

/* False: out of memory, and the flow is not in libnids any more. */
bool room_feed(struct feeder *f, struct fed *e, enum stream_side side, uint32_t seq,
               struct slice data, enum nids_mode mode)
{
    f->mode = mode;
    bool fed = streams_nids_feed(&room_of(f, e)->nids, side, seq, data, e->stream.time);
    f->mode = MODE_READ;
    if (!fed) {
        f->counts.no_memory++;
        room_lose(f, e, room_tell_gap);
    }
    return fed;
}

/* libnids goes on with what was collected. False: it has no memory. */
static bool room_move_rest(struct feeder *f, struct fed *e, enum stream_side side)
{
    struct room *r = room_of(f, e);
    struct rest *rest = &r->rest[side];
    uint32_t seq = e->half[side].next - rest->n;
    streams_nids_seek(&r->nids, side, seq);
    if (!room_feed(f, e, side, seq, slice_of(rest->bytes, rest->n), MODE_KEEP))
        return false;
    rest_drop(&f->stock, rest);
    return true;
}

/* Makes sure that libnids stands at seq on this side, and holds what is kept before it. NULL: it
 * has no memory. */
struct room *room_enter(struct feeder *f, struct fed *e, enum stream_side side, uint32_t seq)
{
    struct room *r = room_take(f, e);
    uint32_t next[2] = {e->half[SIDE_CLIENT].next, e->half[SIDE_SERVER].next};
    if (!r->nids.tcp && !streams_nids_open(&r->nids, e->room, next, e->stream.time)) {
        f->counts.no_memory++;
        room_lose(f, e, room_tell_gap);
        return NULL;
    }
    if (clean(&e->half[side]))
        streams_nids_seek(&r->nids, side, seq);
    else if (r->rest[side].n && !room_move_rest(f, e, side))
        return NULL;
    return r;
}

/* After libnids took something in: forgets what is no longer held. */
void room_settle(struct feeder *f, struct fed *e, enum stream_side side)
{
    struct half *h = &e->half[side];
    struct room *r = room_of(f, e);
    ranges_drop(&r->waiting[side], h->next);
    h->waiting = (uint8_t)r->waiting[side].n;
    if (clean(h))
        streams_nids_shrink(&r->nids, side);
    room_count(f, r);
    hole_unlist(f, e);
}
