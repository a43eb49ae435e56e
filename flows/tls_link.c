/* Records of one TLS connection: in clear, opened, kept for a late key. */
#include "flows/tls_link_state.h"
#include "flows/memory.h"

#include <stdlib.h>

enum { ALERT_13 = 19 };

/* Ciphertext that waits: one behind the other. */
struct kept_record {
    tick_t time;
    uint32_t n;
    uint8_t side;
};

bool tls_bytes_add(struct tls_bytes *b, struct slice more, size_t most)
{
    size_t n = b->n + more.n;
    if (n > most)
        return false;
    if (n > b->room) {
        size_t room = 2 * n < 1024 ? 1024 : 2 * n;
        uint8_t *p = memory_got(realloc(b->p, room));
        if (!p)
            return false;
        b->p = p;
        b->room = room;
    }
    if (more.n)
        memcpy(b->p + b->n, more.p, more.n);
    b->n = n;
    return true;
}

void tls_bytes_free(struct tls_bytes *b)
{
    free(b->p);
    *b = (struct tls_bytes){0};
}

struct tls_link *tls_link_new(struct tls_reader *r, void *owner)
{
    struct tls_link *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->reader = r;
    l->owner = owner;
    l->waiting = l->now = l->first = l->last = TICK_NONE;
    l->source = l->key_source = -1;
    return l;
}

static void drop_kept(struct tls_link *l)
{
    l->reader->held -= l->kept.n;
    tls_bytes_free(&l->kept);
    l->kept_at = 0;
    l->waiting = TICK_NONE;
}

/* What only reading on would need. */
static void drop_reading(struct tls_link *l)
{
    drop_kept(l);
    tls_early_drop(l);
    tls_bytes_free(&l->flight[0]);
    tls_bytes_free(&l->flight[1]);
    for (int i = 0; i < 2; i++) {
        tls_bytes_free(&l->way[i].messages);
        tls_shield_free(l->way[i].shield);
        tls_shield_free(l->way[i].next);
        l->way[i].shield = l->way[i].next = NULL;
    }
    if (l->hidden)
        tls_secret_free(l->hidden, sizeof *l->hidden);
    l->hidden = NULL;
}

void tls_link_free(struct tls_link *l)
{
    if (!l)
        return;
    drop_reading(l);
    free(l->cert[0]);
    free(l->cert[1]);
    free(l);
}

enum tls_step tls_link_stop(struct tls_link *l, enum tls_state why)
{
    l->state = why;
    l->stop = true;
    return STEP_STOP;
}

/* ---- what records hold ---- */

static void fail(struct tls_link *l, enum tls_failure how)
{
    if (l->failure == TLS_NO_FAILURE)
        l->failure = how;
}

/* code -1: sealed, and not opened. */
static void note_alert(struct tls_link *l, enum stream_side side, const struct tls_alert *a)
{
    bool worse = !l->alerted || (a && a->fatal && !l->alert_fatal);
    if (a && a->code == 0 && l->done)
        return; /* close_notify: that is how connections end */
    if (worse) {
        l->alerted = true;
        l->alert_side = (uint8_t)side;
        l->alert_sealed = !a;
        l->alert_fatal = a && a->fatal;
        l->alert_code = a ? a->code : 0;
    }
    if (!l->done && (!a || a->fatal))
        fail(l, TLS_REFUSED_BY_ALERT);
}

static enum tls_step change_cipher(struct tls_link *l, enum stream_side side)
{
    struct tls_way *w = &l->way[side];
    struct tls_greeting *g = &l->g;
    if (g->shape.version == TLS_13 || (!g->server_hello && (l->retried || g->early_data)))
        return STEP_ON; /* for the sake of old middle boxes */
    if (!g->server_hello)
        return tls_link_stop(l, TLS_GAP);
    if (tls_role(l, side) == 1 && !g->server_cert && !g->server_done && !g->client_key)
        l->resumed = true;
    tls_shield_free(w->shield);
    w->shield = NULL;
    w->sealed = true;
    w->number = 0;
    return STEP_ON;
}

enum tls_step tls_link_contents(struct tls_link *l, enum stream_side side, uint8_t type,
                                struct slice text)
{
    struct tls_way *w = &l->way[side];
    struct tls_alert a;
    switch (type) {
    case TLS_CHANGE_CIPHER:
        return change_cipher(l, side);
    case TLS_ALERTS:
        if (tls_alert_parse(text, &a, NULL) == WIRE_OK)
            note_alert(l, side, &a);
        return STEP_ON;
    case TLS_HANDSHAKES:
        if (tls_bytes_add(&w->messages, text, LIMIT_TLS_HANDSHAKE) && tls_greeting_read(l, side))
            return STEP_ON;
        return tls_link_stop(l, w->opened || !l->g.client_hello ? TLS_GAP : TLS_UNSUPPORTED);
    case TLS_DATA:
        if (!w->sealed)
            return l->g.early_data && !l->g.server_hello ? STEP_ON
                                                         : tls_link_stop(l, TLS_MID_STREAM);
        if (text.n && !l->reader->on_text(l->reader->arg, l, side, l->now, text))
            l->stop = true;
        return STEP_ON;
    default:
        return STEP_ON;
    }
}

/* ---- sealed records ---- */

/* A record that stays sealed still tells how the handshake went on. */
static enum tls_step pass_sealed(struct tls_link *l, enum stream_side side,
                                 const struct tls_record *r)
{
    struct tls_way *w = &l->way[side];
    bool tls13 = l->g.shape.version == TLS_13, client = tls_role(l, side) == 0;
    w->unread++;
    if (tls13 && !client) /* whether it takes early data is in what can't be read */
        tls_early_decided(l, false);
    if (!tls13) /* its secret may yet come, with the other side's packet that was captured late */
        w->number++;
    if (!l->done &&
        (tls13 ? client && w->unread == 1 && r->body.n == ALERT_13 : r->type == TLS_ALERTS))
        note_alert(l, side, NULL);
    else if (tls13 ? client : w->unread && l->way[!side].unread)
        l->done = true;
    if (l->done || l->failure) {
        l->stop = true;
        if (l->state == TLS_IN_HANDSHAKE || l->state == TLS_WAITING)
            l->state = TLS_NO_KEY;
    }
    return STEP_ON;
}

/* Data that a client sent ahead, and that the server did not take or that can't be read (RFC 8446
 * 4.2.10): it is passed over. */
static bool is_early(const struct tls_link *l, enum stream_side side)
{
    const struct tls_way *w = &l->way[side];
    return l->g.early_data && tls_role(l, side) == 0 && w->epoch == EPOCH_HANDSHAKE && !w->number;
}

static enum tls_step sealed_record(struct tls_link *l, enum stream_side side,
                                   const struct tls_record *r, const uint8_t *header);

static enum tls_step open_sealed(struct tls_link *l, enum stream_side side,
                                 const struct tls_record *r, const uint8_t *header)
{
    struct tls_way *w = &l->way[side];
    uint8_t type;
    struct tls_sealed sealed = {r->type, slice_of(header, TLS_RECORD_HEADER), r->body, w->number};
    int n = tls_shield_open(w->shield, &sealed, l->reader->scratch, &type);
    if (n < 0 && w->epoch == EPOCH_EARLY) { /* damaged: on with what the handshake protects */
        l->early_unread = true;
        l->reader->on_hole(l->reader->arg, l, side);
        tls_secrets_epoch(l, side, EPOCH_HANDSHAKE);
        return sealed_record(l, side, r, header);
    }
    if (n < 0 && is_early(l, side))
        return STEP_ON;
    if (n < 0)
        return tls_link_stop(l, TLS_BAD_MAC);
    w->number++;
    w->opened++;
    l->state = TLS_DECRYPTED;
    enum tls_step step = tls_link_contents(l, side, type, slice_of(l->reader->scratch, (size_t)n));
    tls_wipe(l->reader->scratch, (size_t)n < 64 ? (size_t)n : 64);
    return step;
}

static enum tls_step sealed_record(struct tls_link *l, enum stream_side side,
                                   const struct tls_record *r, const uint8_t *header)
{
    enum tls_step step = tls_secrets_shield(l, side);
    if (step == STEP_ON)
        return open_sealed(l, side, r, header);
    if (step == STEP_STOP && l->state == TLS_IN_HANDSHAKE)
        l->state = TLS_NO_KEY;
    return step == STEP_WAIT ? STEP_WAIT : pass_sealed(l, side, r);
}

enum tls_step tls_link_record(struct tls_link *l, enum stream_side side, const struct tls_record *r,
                              const uint8_t *header)
{
    bool tls13 = l->g.shape.version == TLS_13;
    if (r->type == TLS_DATA &&
        tls_early_keep(l, side, slice_of(header, TLS_RECORD_HEADER + (size_t)r->length)))
        return STEP_ON;
    if (l->way[side].sealed && (!tls13 || r->type == TLS_DATA))
        return sealed_record(l, side, r, header);
    if (!l->known && r->type != TLS_HANDSHAKES && r->type != TLS_ALERTS)
        return tls_link_stop(l, TLS_MID_STREAM);
    return tls_link_contents(l, side, r->type, r->body);
}

/* ---- late keys ---- */

static bool may_wait(const struct tls_link *l, size_t more)
{
    return l->reader->keys && tls_keys_growing(l->reader->keys) &&
           l->kept.n + more <= LIMIT_TLS_HELD_EACH && l->reader->held + more <= LIMIT_TLS_HELD &&
           (l->waiting == TICK_NONE || l->now - l->waiting <= TLS_KEY_WAIT);
}

static bool keep(struct tls_link *l, enum stream_side side, struct slice whole)
{
    struct kept_record k = {.time = l->now, .n = (uint32_t)whole.n, .side = (uint8_t)side};
    size_t before = l->kept.n, more = sizeof k + whole.n;
    if (!may_wait(l, more) || !tls_bytes_add(&l->kept, slice_of(&k, sizeof k), SIZE_MAX))
        return false;
    if (!tls_bytes_add(&l->kept, whole, SIZE_MAX)) {
        l->kept.n = before;
        return false;
    }
    l->reader->held += more;
    if (l->waiting == TICK_NONE)
        l->waiting = l->now;
    if (l->state == TLS_IN_HANDSHAKE)
        l->state = TLS_WAITING;
    return true;
}

static enum tls_step replay_one(struct tls_link *l, const struct kept_record *k, struct slice whole,
                                bool last_chance)
{
    struct tls_record r;
    if (tls_record_parse(whole, &r, NULL) != WIRE_OK)
        return tls_link_stop(l, TLS_GAP);
    enum stream_side side = (enum stream_side)k->side;
    enum tls_step step = tls_link_record(l, side, &r, whole.p);
    return step == STEP_WAIT && last_chance ? pass_sealed(l, side, &r) : step;
}

/* Everything kept that can be read by now. last_chance: what can't is passed over. */
static void replay(struct tls_link *l, bool last_chance)
{
    tick_t now = l->now;
    while (l->kept_at < l->kept.n && !l->stop) {
        struct kept_record k;
        memcpy(&k, l->kept.p + l->kept_at, sizeof k);
        struct slice whole = slice_of(l->kept.p + l->kept_at + sizeof k, k.n);
        l->now = k.time;
        if (replay_one(l, &k, whole, last_chance) == STEP_WAIT)
            break;
        l->kept_at += sizeof k + k.n;
    }
    l->now = now;
    if (l->stop || l->kept_at == l->kept.n)
        drop_kept(l);
}

/* The wait is over, without success. */
static void give_up_waiting(struct tls_link *l)
{
    replay(l, true);
    drop_kept(l);
    if (!l->stop && l->state != TLS_DECRYPTED)
        l->state = TLS_NO_KEY;
}

void tls_link_retry(struct tls_link *l, tick_t now)
{
    if (l->waiting == TICK_NONE || l->stop)
        return;
    uint64_t version = tls_keys_version(l->reader->keys);
    if (version != l->tried) {
        l->tried = version;
        replay(l, false);
    }
    if (l->waiting != TICK_NONE &&
        (now - l->waiting > TLS_KEY_WAIT || !tls_keys_growing(l->reader->keys)))
        give_up_waiting(l);
}

/* One whole record, now or later. */
static void take(struct tls_link *l, enum stream_side side, const struct tls_record *r,
                 struct slice whole)
{
    if (l->waiting != TICK_NONE)
        tls_link_retry(l, l->now);
    if (l->waiting == TICK_NONE) {
        if (l->stop || tls_link_record(l, side, r, whole.p) != STEP_WAIT)
            return;
        if (!keep(l, side, whole))
            pass_sealed(l, side, r);
        return;
    }
    if (!keep(l, side, whole)) {
        give_up_waiting(l);
        if (!l->stop && tls_link_record(l, side, r, whole.p) == STEP_WAIT)
            pass_sealed(l, side, r);
    }
}

/* ---- after a gap ---- */

void tls_link_gap(struct tls_link *l, enum stream_side side, uint32_t missing)
{
    struct tls_way *w = &l->way[side];
    if (l->stop)
        return;
    w->messages.n = 0;
    if (l->waiting != TICK_NONE)
        give_up_waiting(l);
    if (l->stop)
        return;
    bool readable = l->done && w->sealed && w->shield && tls_shield_can_skip(w->shield);
    if (!readable) {
        bool hopeless = l->done && l->state != TLS_IN_HANDSHAKE;
        tls_link_stop(l, hopeless ? l->state : TLS_GAP);
        return;
    }
    w->lost = true;
    w->follows = false;
    w->trials = LIMIT_TLS_TRIALS;
    uint32_t most = missing ? missing / (TLS_RECORD_HEADER + ALERT_13) + 2 : TLS_SKIP_MAX;
    w->skipped = w->skipped + most < TLS_SKIP_MAX ? w->skipped + most : TLS_SKIP_MAX;
    l->reader->on_hole(l->reader->arg, l, side);
}

/* ---- the stream ---- */

struct stream_take tls_link_data(struct tls_link *l, enum stream_side side, tick_t time,
                                 struct slice avail)
{
    struct stream_take t = {0};
    struct tls_record r;
    l->now = l->last = time;
    if (l->first == TICK_NONE)
        l->first = time;
    while (t.used < avail.n && !l->stop) {
        struct slice rest = slice_of(avail.p + t.used, avail.n - t.used);
        if (l->way[side].lost) {
            size_t n = tls_resync(l, side, rest);
            t.used += n;
            if (l->way[side].lost)
                break;
            continue;
        }
        enum wire_result got = tls_record_parse(rest, &r, NULL);
        if (got == WIRE_MORE || (got == WIRE_OK && r.body.n < r.length))
            break;
        if (got == WIRE_BAD && !l->known) {
            bool more;
            size_t n = tls_greeting_old(l, side, rest, &more);
            t.used += n;
            if (more)
                break;
            if (n)
                continue;
        }
        if (got == WIRE_BAD) {
            tls_link_stop(l, l->known ? TLS_GAP : TLS_MID_STREAM);
            break;
        }
        size_t size = TLS_RECORD_HEADER + (size_t)r.length;
        take(l, side, &r, slice_of(rest.p, size));
        t.used += size;
    }
    if (l->stop) {
        t.used = avail.n;
        t.release = true;
        drop_reading(l);
    }
    return t;
}

void tls_link_over(struct tls_link *l, tick_t now, bool closed)
{
    if (l->waiting != TICK_NONE)
        give_up_waiting(l);
    l->was_closed = closed;
    if (l->last == TICK_NONE || now > l->last)
        l->last = now;
    if (!l->done && l->known && l->state != TLS_GAP && closed)
        fail(l, l->g.server_hello ? TLS_BROKEN_OFF : TLS_NO_ANSWER);
    else if (tls_link_unanswered(l) && now - l->first >= TLS_SILENCE)
        fail(l, TLS_NO_ANSWER);
    if (l->failure && l->state < TLS_DECRYPTED)
        l->state = TLS_FAILED;
}

void tls_link_silent(struct tls_link *l)
{
    fail(l, TLS_NO_ANSWER);
    l->state = TLS_FAILED;
}

bool tls_link_unanswered(const struct tls_link *l)
{
    return l->known && !l->g.server_hello && !l->handshakes && l->state == TLS_IN_HANDSHAKE &&
           !l->alerted;
}
