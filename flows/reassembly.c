/*
 * What becomes of a segment: handed on from the packet, or behind what was collected of its
 * message, or through libnids, or waiting there behind a hole; and the healing of holes.
 *
 *   sequence numbers ->      | kept |                 | waiting[0] |     | waiting[1] |
 *                    read ...        ^next    hole                   hole
 *
 * libnids holds kept and waiting; without a hole or disorder, kept is collected in the room's rest
 * and libnids knows nothing of it. Healing moves next to waiting[0] and feeds libnids one made-up
 * byte in front of it, since it looks at what waits only when something arrives.
 */
#include "flows/rooms.h"

#include "flows/limits.h"

#include <assert.h>

/* A segment further off than these is a stray: a sensor outage, a reused port whose SYN was missed,
 * or garbage. Retransmission may reach back by a whole window, hence the second. */
enum { STRAY_AHEAD = HEAL_MAX_BYTES, STRAY_BEHIND = 1 << 24 };

/* The other side has gone quiet and its acknowledgments can't tell about the hole any more. */
#define HEAL_UNSEEN (10 * HEAL_AFTER)

/* ---- the reader ---- */

static size_t hand_on(struct feeder *f, struct fed *e, enum stream_side side, struct slice avail)
{
    if (e->release)
        return avail.n;
    struct stream_take take = f->reader.data(f->reader.arg, &e->stream, side, avail);
    assert(take.used <= avail.n);
    e->release = take.release;
    return take.release ? avail.n : take.used;
}

size_t reassembly_sink(void *arg, struct nids_stream *n, enum stream_side side, struct slice avail,
                       size_t fresh)
{
    struct feeder *f = arg;
    struct fed *e = &f->fed[f->rooms[n->number].fed];
    struct half *h = &e->half[side];
    if (f->mode == MODE_KEEP)
        return 0;
    h->next += (uint32_t)fresh;
    if (f->mode == MODE_SWALLOW) {
        f->mode = MODE_READ;
        return avail.n;
    }
    h->kept = (uint32_t)(avail.n - hand_on(f, e, side, avail));
    if (h->kept > LIMIT_SIP_MESSAGE)
        room_tell_gap(f, e, side, 0);
    return avail.n - h->kept;
}

/* ---- holes ---- */

/* The side goes on at seq, whatever it held. Nothing waits. */
static void jump(struct feeder *f, struct fed *e, enum stream_side side, uint32_t seq,
                 uint32_t missing)
{
    struct half *h = &e->half[side];
    assert(h->waiting == 0);
    bool kept = h->kept;
    h->next = seq;
    room_tell_gap(f, e, side, missing);
    if (kept && room_of(f, e)->rest[side].n) {
        rest_drop(&f->stock, &room_of(f, e)->rest[side]);
        room_count(f, room_of(f, e));
    } else if (kept) {
        streams_nids_seek(&room_of(f, e)->nids, side, seq);
        room_settle(f, e, side);
    }
    hole_unlist(f, e);
}

void reassembly_skip(struct feeder *f, struct fed *e, enum stream_side side, uint32_t seq)
{
    jump(f, e, side, seq, seq - e->half[side].next);
}

static uint32_t end_of_hole(struct feeder *f, const struct fed *e, enum stream_side side)
{
    const struct half *h = &e->half[side];
    return h->waiting ? room_of(f, e)->waiting[side].r[0].from : h->fin;
}

/* What the receiver has, and we shall not see any more. The rest of the hole may still come. */
static uint32_t end_of_loss(const struct half *h, uint32_t hole)
{
    bool acked = seq_diff(h->acked, h->next) > 0;
    return acked && seq_diff(h->acked, hole) < 0 ? h->acked : hole;
}

/* Gives up the hole at next, up to seq. */
static void heal(struct feeder *f, struct fed *e, enum stream_side side, uint32_t seq)
{
    struct half *h = &e->half[side];
    if (!h->waiting) { /* only its FIN stands behind the hole */
        reassembly_skip(f, e, side, seq);
        return;
    }
    struct room *r = room_of(f, e);
    room_tell_gap(f, e, side, seq - h->next);
    bool all = seq == r->waiting[side].r[0].from;
    h->next = all ? seq - 1 : seq;
    streams_nids_seek(&r->nids, side, h->next);
    if (!all || room_feed(f, e, side, h->next, slice_of("", 1), MODE_SWALLOW))
        room_settle(f, e, side);
}

static void flush_side(struct feeder *f, struct fed *e, enum stream_side side)
{
    while (has_hole(&e->half[side]))
        heal(f, e, side, end_of_hole(f, e, side));
}

void reassembly_flush(struct feeder *f, struct fed *e)
{
    flush_side(f, e, SIDE_CLIENT);
    flush_side(f, e, SIDE_SERVER);
}

/* A hole is healed when the receiver acknowledged what is missing and the capture had time to bring
 * it in disorder; without sight of the receiver, by time alone. A receiver that is seen and does
 * not acknowledge is waiting for a retransmission, and so are we. */
static bool due(const struct fed *e, enum stream_side side, tick_t now)
{
    const struct half *h = &e->half[side];
    if (!has_hole(h))
        return false;
    tick_t age = now - h->hole_at, receiver = e->half[other_side(side)].seen;
    if (seq_diff(h->acked, h->next) > 0)
        return h->since >= HEAL_SEGMENTS || age >= HEAL_AFTER;
    if (receiver == TICK_NONE)
        return age >= HEAL_AFTER;
    return receiver < h->hole_at && age >= HEAL_UNSEEN;
}

/* One hole at a time: the next one may be much younger. */
static void heal_side(struct feeder *f, struct fed *e, enum stream_side side, tick_t now)
{
    struct half *h = &e->half[side];
    if (!due(e, side, now))
        return;
    heal(f, e, side, end_of_loss(h, end_of_hole(f, e, side)));
    h->hole_at = now;
    h->since = 0;
}

void reassembly_heal_due(struct feeder *f, struct fed *e, tick_t now)
{
    heal_side(f, e, SIDE_CLIENT, now);
    heal_side(f, e, SIDE_SERVER, now);
}

void reassembly_fin(struct feeder *f, struct fed *e, enum stream_side side, uint32_t seq)
{
    struct half *h = &e->half[side];
    int32_t ahead = seq_diff(seq, h->next);
    if (h->fin_seen || ahead < 0 || ahead > STRAY_AHEAD)
        return;
    h->fin = seq;
    h->fin_seen = true;
    if (has_hole(h) && !h->waiting)
        hole_begin(f, e, side);
}

/* ---- segments ---- */

/* The flow goes on somewhere else: after a few strays in a row, or at once if the receiver has
 * acknowledged everything before this one. */
static bool readopt(struct feeder *f, struct fed *e, enum stream_side side, uint32_t seq)
{
    struct half *h = &e->half[side];
    bool acked = seq_diff(seq, h->next) > 0 && seq_diff(h->acked, seq) >= 0;
    if (++h->stray < HEAL_SEGMENTS && !acked)
        return false;
    flush_side(f, e, side);
    f->counts.reopened++;
    int32_t ahead = seq_diff(seq, h->next);
    h->fin_seen = false;
    h->acked = seq;
    jump(f, e, side, seq, ahead > 0 ? (uint32_t)ahead : 0);
    return true;
}

/* False: it would be too much for libnids. */
static bool wait_behind_hole(struct feeder *f, struct fed *e, enum stream_side side, uint32_t seq,
                             struct slice data)
{
    struct half *h = &e->half[side];
    struct room *r = room_enter(f, e, side, h->next);
    if (!r || !streams_nids_fits(&r->nids, side, data.n) ||
        !ranges_add(&r->waiting[side], seq, seq + (uint32_t)data.n))
        return false;
    if (!has_hole(h))
        hole_begin(f, e, side);
    h->waiting = (uint8_t)r->waiting[side].n;
    f->counts.nids_segments++;
    if (room_feed(f, e, side, seq, data, MODE_READ)) {
        room_count(f, r);
        room_bound(f, e);
    }
    return true;
}

/* Nothing more can wait: the hole at next is given up, as far as to seq at most. */
static void give_up_hole(struct feeder *f, struct fed *e, enum stream_side side, uint32_t seq)
{
    if (!e->half[side].waiting) {
        reassembly_skip(f, e, side, seq);
        return;
    }
    uint32_t end = end_of_hole(f, e, side);
    heal(f, e, side, seq_diff(seq, end) < 0 ? seq : end);
}

/* More of a message that is being collected, or the first of one: all or nothing. */
static bool collect(struct feeder *f, struct fed *e, enum stream_side side, struct slice data)
{
    struct room *r = room_take(f, e);
    bool done = rest_add(&f->stock, &r->rest[side], data);
    if (!done) {
        f->counts.no_memory++;
        room_lose(f, e, room_tell_gap);
    }
    return done;
}

/* The reader left so much of what is collected. */
static void keep(struct feeder *f, struct fed *e, enum stream_side side, size_t left)
{
    struct room *r = room_of(f, e);
    e->half[side].kept = (uint32_t)left;
    if (left > LIMIT_SIP_MESSAGE)
        room_tell_gap(f, e, side, 0);
    rest_taken(&f->stock, &r->rest[side], e->half[side].kept);
    room_count(f, r);
    room_bound(f, e);
}

static void read_direct(struct feeder *f, struct fed *e, enum stream_side side, struct slice data)
{
    struct half *h = &e->half[side];
    f->counts.direct_segments++;
    size_t used = hand_on(f, e, side, data);
    h->next += (uint32_t)data.n;
    if (used == data.n)
        return;
    struct slice rest = slice_of(data.p + used, data.n - used);
    h->kept = (uint32_t)rest.n;
    if (collect(f, e, side, rest))
        keep(f, e, side, rest.n);
}

static void read_collected(struct feeder *f, struct fed *e, enum stream_side side,
                           struct slice data)
{
    struct half *h = &e->half[side];
    f->counts.collected_segments++;
    h->next += (uint32_t)data.n;
    if (!collect(f, e, side, data))
        return;
    const struct rest *rest = &room_of(f, e)->rest[side];
    struct slice avail = slice_of(rest->bytes, rest->n);
    keep(f, e, side, avail.n - hand_on(f, e, side, avail));
    h->hole_at = e->stream.time; /* it waited for this */
    h->since = 0;
    hole_unlist(f, e);
}

static void read_through_libnids(struct feeder *f, struct fed *e, enum stream_side side,
                                 struct slice data)
{
    struct half *h = &e->half[side];
    uint32_t end = h->next + (uint32_t)data.n;
    f->counts.nids_segments++;
    room_take(f, e);
    if (!room_feed(f, e, side, h->next, data, MODE_READ)) {
        if (seq_diff(end, h->next) > 0)
            reassembly_skip(f, e, side, end);
        return;
    }
    h->hole_at = e->stream.time;
    h->since = 0;
    room_settle(f, e, side);
    room_bound(f, e);
}

/* The first part of a segment that was not seen before; empty if there is none. What came first
 * counts: a retransmission with other bytes changes nothing, whatever waits. */
static struct slice unseen(struct feeder *f, const struct fed *e, enum stream_side side,
                           uint32_t *seq, struct slice data)
{
    const struct half *h = &e->half[side];
    uint32_t from = *seq, to = *seq + (uint32_t)data.n;
    if (seq_diff(h->next, from) > 0)
        from = seq_diff(h->next, to) < 0 ? h->next : to;
    if (from != to && h->waiting && !ranges_missing(&room_of(f, e)->waiting[side], &from, &to))
        from = to;
    struct slice part = slice_of(data.p + (from - *seq), to - from);
    *seq = from;
    return part;
}

/* False: a hole had to be given up, and what of the segment is new must be found out again. */
static bool read_part(struct feeder *f, struct fed *e, enum stream_side side, uint32_t seq,
                      struct slice part)
{
    const struct half *h = &e->half[side];
    if (seq_diff(seq, h->next) > 0) {
        if (wait_behind_hole(f, e, side, seq, part))
            return true;
        give_up_hole(f, e, side, seq);
        return false;
    }
    if (clean(h))
        read_direct(f, e, side, part);
    else if (room_of(f, e)->rest[side].n)
        read_collected(f, e, side, part);
    else
        read_through_libnids(f, e, side, part);
    return true;
}

static bool is_stray(struct feeder *f, const struct fed *e, enum stream_side side, uint32_t seq)
{
    const struct half *h = &e->half[side];
    uint32_t top = h->next;
    if (h->waiting)
        top = room_of(f, e)->waiting[side].r[h->waiting - 1].to;
    return seq_diff(seq, top) > STRAY_AHEAD || seq_diff(seq, h->next) < -STRAY_BEHIND;
}

void reassembly_segment(struct feeder *f, struct fed *e, enum stream_side side, uint32_t seq,
                        struct slice data)
{
    struct half *h = &e->half[side];
    if (seq == h->next && !h->waiting) { /* nearly always: it is the next one */
        h->stray = 0;
        (void)read_part(f, e, side, seq, data);
        return;
    }
    if (is_stray(f, e, side, seq) && !readopt(f, e, side, seq))
        return;
    h->stray = 0;
    uint32_t end = seq + (uint32_t)data.n;
    struct slice part = unseen(f, e, side, &seq, data);
    f->counts.retransmitted += part.n == 0;
    while (part.n) {
        data = slice_of(part.p, end - seq);
        if (read_part(f, e, side, seq, part)) {
            seq += (uint32_t)part.n;
            data = slice_of(part.p + part.n, end - seq);
        }
        part = unseen(f, e, side, &seq, data);
    }
}
