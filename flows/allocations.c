/*
 * Relay allocations out of TURN and MS-TURN (P§1.3-1.9, RFC 8656, RFC 6062): one record per control
 * 5-tuple and life, with the peers it was told to reach. A first 401 followed by success is normal;
 * what never succeeds is an allocation that failed.
 */
#include <stdlib.h>

#include "flows/limits.h"
#include "flows/multimap.h"
#include "flows/pool.h"
#include "flows/session.h"

#define ALLOCATION_INTERIM (120 * TICK_S) /* a row while it still lives */
#define FAILED_AFTER_ERROR (10 * TICK_S)  /* an error, and the client did not ask again */
#define FAILED_AFTER_SILENCE (40 * TICK_S)
#define SWEEP_EVERY (20 * TICK_S) /* for those that expire in silence */
enum { MAX_CHANNELS = 16, CALL_ID_MAX = 256 };

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
    uint32_t node, id_node;
    tick_t active_at, expires;
    struct endpoint asked;    /* peer of the last Set Active Destination or Connect request */
    struct channel *channels; /* room for MAX_CHANNELS; most allocations have none */
    unsigned n_channels, room;
    bool told, over;
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

struct allocations *allocations_new(struct joiner *j, const struct engine_out *out, bool interim,
                                    uint64_t seed)
{
    struct allocations *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    pool_init(&s->pool, sizeof(struct allocation));
    s->joiner = j;
    s->out = out;
    s->interim = interim;
    s->seed = seed;
    s->swept = TICK_NONE;
    if (multimap_init(&s->by_tuple, LIMIT_ALLOCATIONS) != 0 ||
        multimap_init(&s->by_connection, LIMIT_ALLOCATIONS) != 0) {
        multimap_clear(&s->by_tuple);
        free(s);
        return NULL;
    }
    return s;
}

/* ---- life ---- */

static void fact_clear(struct fact_allocation *f)
{
    for (unsigned i = 0; i < f->n_sends; i++) {
        free((char *)f->sends[i].remote_ufrag);
        free((char *)f->sends[i].local_ufrag);
    }
    free(f->sends);
    free((char *)f->call_id);
}

static void allocation_over(struct allocations *s, struct allocation *a, const char *reason)
{
    if (a->over)
        return;
    a->over = true;
    if (!a->fact.end_reason)
        a->fact.end_reason = reason;
    joiner_allocation_over(s->joiner, &a->fact);
    s->out->allocation(s->out->arg, &a->fact);
}

static void ended_remove(struct allocations *s, struct allocation *a)
{
    if (a->fact.ended == TICK_NONE)
        return;
    if (s->first_due == a)
        s->first_due = a->due_next;
    if (a->due_prev)
        a->due_prev->due_next = a->due_next;
    else
        s->first_ended = a->due_next;
    if (a->due_next)
        a->due_next->due_prev = a->due_prev;
    else
        s->last_ended = a->due_prev;
}

static void wait_add(struct allocations *s, struct allocation *a)
{
    a->waiting = true;
    a->wait_prev = s->last_waiting;
    if (s->last_waiting)
        s->last_waiting->wait_next = a;
    else
        s->first_waiting = a;
    s->last_waiting = a;
}

static void wait_remove(struct allocations *s, struct allocation *a)
{
    if (!a->waiting)
        return;
    a->waiting = false;
    if (a->wait_prev)
        a->wait_prev->wait_next = a->wait_next;
    else
        s->first_waiting = a->wait_next;
    if (a->wait_next)
        a->wait_next->wait_prev = a->wait_prev;
    else
        s->last_waiting = a->wait_prev;
}

static void allocation_drop(struct allocations *s, struct allocation *a)
{
    joiner_allocation_forget(s->joiner, &a->fact);
    ended_remove(s, a);
    wait_remove(s, a);
    if (s->young == a)
        s->young = a->next;
    multimap_remove(&s->by_tuple, a->node);
    multimap_remove(&s->by_connection, a->id_node);
    if (a->prev)
        a->prev->next = a->next;
    else
        s->oldest = a->next;
    if (a->next)
        a->next->prev = a->prev;
    else
        s->newest = a->prev;
    fact_clear(&a->fact);
    free(a->channels);
    pool_give(&s->pool, a);
    s->n--;
}

static struct allocation *allocation_find(const struct allocations *s,
                                          const struct endpoint *client,
                                          const struct endpoint *server, uint8_t proto)
{
    uint64_t key = endpoint_hash2(client, server, s->seed);
    for (uint32_t h = multimap_first(&s->by_tuple, key); h; h = multimap_next(&s->by_tuple, h)) {
        struct allocation *a = s->by_tuple.nodes[h].owner;
        if (a->fact.proto == proto && endpoint_eq(&a->fact.client, client) &&
            endpoint_eq(&a->fact.server, server))
            return a; /* newest first */
    }
    return NULL;
}

static struct allocation *allocation_new(struct allocations *s, const struct endpoint *client,
                                         const struct endpoint *server, const struct message_at *at)
{
    if (s->n == LIMIT_ALLOCATIONS) {
        s->counts.evicted++;
        allocation_over(s, s->oldest, "expired");
        allocation_drop(s, s->oldest);
    }
    struct allocation *a = pool_take(&s->pool);
    if (!a)
        return NULL;
    *a = (struct allocation){.expires = TICK_NONE};
    a->fact = (struct fact_allocation){.id = ++s->last_id,
                                       .client = *client,
                                       .server = *server,
                                       .proto = at->proto,
                                       .started = at->time,
                                       .granted_at = TICK_NONE,
                                       .ended = TICK_NONE};
    a->node = multimap_add(&s->by_tuple, endpoint_hash2(client, server, s->seed), a, 0, 0, 0);
    a->prev = s->newest;
    if (s->newest)
        s->newest->next = a;
    else
        s->oldest = a;
    s->newest = a;
    if (!s->young)
        s->young = a;
    wait_add(s, a);
    s->n++;
    s->counts.allocations++;
    return a;
}

static void allocation_end(struct allocations *s, struct allocation *a, tick_t when,
                           const char *reason)
{
    if (a->fact.ended != TICK_NONE)
        return;
    wait_remove(s, a);
    a->fact.ended = when;
    a->fact.end_reason = reason;
    a->due_prev = s->last_ended;
    if (s->last_ended)
        s->last_ended->due_next = a;
    else
        s->first_ended = a;
    s->last_ended = a;
    if (!s->first_due)
        s->first_due = a;
}

static void tell(struct allocations *s, struct allocation *a)
{
    joiner_allocation(s->joiner, &a->fact);
}

/* ---- sends ---- */

static struct fact_send *send_to(struct allocation *a, const struct endpoint *peer, tick_t time,
                                 bool *fresh)
{
    struct fact_allocation *f = &a->fact;
    *fresh = false;
    for (unsigned i = 0; i < f->n_sends; i++)
        if (endpoint_eq(&f->sends[i].peer, peer))
            return &f->sends[i];
    if (f->n_sends == LIMIT_SENDS_PER_ALLOCATION || endpoint_none(peer))
        return NULL;
    if (f->n_sends == a->room) {
        unsigned room = a->room ? a->room * 2 : 2;
        struct fact_send *grown = realloc(f->sends, room * sizeof *grown);
        if (!grown)
            return NULL;
        f->sends = grown;
        a->room = room;
    }
    *fresh = true;
    f->sends[f->n_sends] =
        (struct fact_send){.peer = *peer, .first = time, .last = time, .answered = TICK_NONE};
    return &f->sends[f->n_sends++];
}

static void note_ufrags(struct fact_send *send, struct slice data)
{
    struct stun_msg nested;
    struct slice remote, local;
    if (send->remote_ufrag || !stun_nested(data, &nested) || nested.kind != STUN_BINDING_REQ ||
        !(nested.has & STUN_HAS_USERNAME) || !stun_ufrags(nested.username, &remote, &local))
        return;
    send->remote_ufrag = strndup((const char *)remote.p, remote.n);
    send->local_ufrag = strndup((const char *)local.p, local.n);
}

static void on_send(struct allocations *s, struct allocation *a, const struct endpoint *peer,
                    struct slice data, tick_t time, bool by_connection)
{
    bool fresh;
    struct fact_send *send = send_to(a, peer, time, &fresh);
    if (!send)
        return;
    send->count++;
    send->last = time;
    send->by_connection |= by_connection;
    note_ufrags(send, data);
    if (fresh)
        tell(s, a);
}

static void on_answered(struct allocations *s, struct allocation *a, const struct endpoint *peer,
                        tick_t time)
{
    bool fresh;
    struct fact_send *send = send_to(a, peer, time, &fresh);
    if (!send || send->answered != TICK_NONE)
        return;
    send->answered = time;
    tell(s, a);
}

/* ---- messages ---- */

static const char *stream_word(uint16_t stream_type)
{
    switch (stream_type) {
    case 1:
        return "audio";
    case 2:
    case 3:
        return "video";
    case 4:
        return "data";
    default:
        return NULL;
    }
}

static void on_allocate_request(struct allocations *s, struct allocation *a,
                                const struct stun_msg *m, const struct message_at *at)
{
    struct fact_allocation *f = &a->fact;
    f->ms |= m->dialect == STUN_MS;
    if (m->has & STUN_HAS_QUALITY)
        f->medium = stream_word(m->stream_type);
    if (m->has & STUN_HAS_SIP_CALL && !f->call_id)
        f->call_id = strndup((const char *)m->sip_call_id.p,
                             m->sip_call_id.n < CALL_ID_MAX ? m->sip_call_id.n : CALL_ID_MAX);
    if (m->has & STUN_HAS_LIFETIME && m->lifetime == 0) {
        if (f->granted)
            allocation_end(s, a, at->time, "released");
        return;
    }
    if (!f->granted)
        f->requests++;
    if (!a->told) {
        a->told = true;
        tell(s, a); /* the server is a relay server, whatever it answers */
    }
}

static void renew(struct allocations *s, struct allocation *a, const struct stun_msg *m,
                  tick_t time)
{
    tick_t life =
        m->has & STUN_HAS_LIFETIME ? (tick_t)m->lifetime * TICK_S : ALLOCATION_UDP_LIFETIME;
    /* a TCP allocation lives as long as its control connection (P§1.3) */
    a->expires = a->fact.proto == PROTO_UDP ? time + life : TICK_NONE;
    if (a->fact.granted && a->expires == TICK_NONE)
        wait_remove(s, a);
    if (life == 0)
        allocation_end(s, a, time, "released");
}

static void on_allocate_ok(struct allocations *s, struct allocation *a, const struct stun_msg *m,
                           tick_t time)
{
    struct fact_allocation *f = &a->fact;
    f->ms |= m->dialect == STUN_MS;
    f->error_code = 0;
    if (m->has & STUN_HAS_RELAY && !f->granted) {
        f->granted = true;
        f->granted_at = time;
        f->relay = m->relay;
        if (m->has & STUN_HAS_RELAY2)
            f->relay2 = m->relay2;
    }
    if (m->has & STUN_HAS_MAPPED)
        f->reflexive = m->mapped;
    if (m->has & STUN_HAS_SEQUENCE && !f->has_connection_id) {
        f->has_connection_id = true;
        memcpy(f->connection_id, m->connection_id, sizeof f->connection_id);
        uint64_t key = be64(f->connection_id) ^ s->seed;
        a->id_node =
            multimap_add(&s->by_connection, key * UINT64_C(0x9e3779b97f4a7c15), a, 0, 0, 0);
    }
    renew(s, a, m, time);
    tell(s, a);
}

static void on_allocate_error(struct allocation *a, const struct stun_msg *m)
{
    /* an error to a refresh does not undo the grant */
    if (!a->fact.granted && m->has & STUN_HAS_ERROR)
        a->fact.error_code = m->error_code;
}

static void bind_channel(struct allocation *a, const struct stun_msg *m)
{
    if (!(m->has & STUN_HAS_CHANNEL) || !(m->has & STUN_HAS_PEER))
        return;
    for (unsigned i = 0; i < a->n_channels; i++)
        if (a->channels[i].number == m->channel) {
            a->channels[i].peer = m->peer;
            return;
        }
    if (!a->channels)
        a->channels = malloc(MAX_CHANNELS * sizeof *a->channels);
    if (a->channels && a->n_channels < MAX_CHANNELS)
        a->channels[a->n_channels++] = (struct channel){m->channel, m->peer};
}

/* RFC 8656 wants a client to ask for the same lifetime 0 when it leaves */
static void on_refresh(struct allocations *s, struct allocation *a, const struct stun_msg *m,
                       tick_t time)
{
    if (m->kind == STUN_REFRESH_OK)
        renew(s, a, m, time);
    else if (m->kind == STUN_REFRESH_REQ && m->has & STUN_HAS_LIFETIME && m->lifetime == 0)
        allocation_end(s, a, time, "released");
}

static void on_peer_message(struct allocations *s, struct allocation *a, const struct stun_msg *m,
                            const struct message_at *at, bool by_connection)
{
    switch (m->kind) {
    case STUN_SEND:
        if (m->has & STUN_HAS_PEER)
            on_send(s, a, &m->peer, m->data, at->time, by_connection);
        break;
    case STUN_DATA:
        if (m->has & STUN_HAS_PEER)
            on_answered(s, a, &m->peer, at->time);
        break;
    case STUN_CONNECT_REQ:
        on_send(s, a, &m->peer, (struct slice){0}, at->time, false);
        a->asked = m->peer;
        break;
    case STUN_ACTIVE_DEST_REQ:
        a->asked = m->peer;
        break;
    case STUN_CONNECT_OK:
        on_answered(s, a, &a->asked, at->time);
        break;
    case STUN_ACTIVE_DEST_OK:
        a->fact.active = a->asked;
        tell(s, a);
        break;
    case STUN_CONNATTEMPT_IND:
        on_answered(s, a, &m->peer, at->time);
        break;
    case STUN_CHANNEL_REQ:
        bind_channel(a, m);
        break;
    default:
        break;
    }
}

static bool from_client(enum stun_kind k)
{
    switch (k) {
    case STUN_ALLOCATE_REQ:
    case STUN_REFRESH_REQ:
    case STUN_SEND:
    case STUN_PERMISSION_REQ:
    case STUN_CHANNEL_REQ:
    case STUN_CONNECT_REQ:
    case STUN_ACTIVE_DEST_REQ:
        return true;
    default:
        return false;
    }
}

/* ConnectionBind (RFC 6062) comes on a connection for data, which holds no relay port itself. */
static bool concerns_turn(enum stun_kind k)
{
    return k != STUN_BINDING_REQ && k != STUN_BINDING_OK && k != STUN_BINDING_ERR &&
           k != STUN_BINDING_IND && k != STUN_SHARED_SECRET && k != STUN_UNKNOWN &&
           k != STUN_CONNBIND_REQ && k != STUN_CONNBIND_OK && k != STUN_CONNBIND_ERR;
}

static struct allocation *by_connection_id(const struct allocations *s, const struct stun_msg *m)
{
    uint64_t key = (be64(m->connection_id) ^ s->seed) * UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t h = multimap_first(&s->by_connection, key); h;
         h = multimap_next(&s->by_connection, h)) {
        struct allocation *a = s->by_connection.nodes[h].owner;
        if (memcmp(a->fact.connection_id, m->connection_id, sizeof m->connection_id) == 0)
            return a;
    }
    return NULL;
}

/* A new life begins on the 5-tuple: the earlier allocation had ended or failed. */
static bool begins_anew(const struct allocation *a, const struct stun_msg *m)
{
    return (m->kind == STUN_ALLOCATE_REQ || m->kind == STUN_ALLOCATE_OK) &&
           (a->over ||
            (a->fact.ended != TICK_NONE && !(m->has & STUN_HAS_LIFETIME && m->lifetime == 0)));
}

void allocations_turn(struct allocations *s, const struct stun_msg *m, const struct message_at *at)
{
    bool out = from_client(m->kind), by_connection = false;
    const struct endpoint *client = out ? &at->src : &at->dst, *server = out ? &at->dst : &at->src;
    s->counts.stun_messages++;
    if (!concerns_turn(m->kind))
        return;
    struct allocation *a = allocation_find(s, client, server, at->proto);
    if (!a && m->has & STUN_HAS_SEQUENCE) {
        a = by_connection_id(s, m);
        by_connection = a != NULL;
    }
    if ((!a || begins_anew(a, m)) && m->kind != STUN_ALLOCATE_ERR)
        a = allocation_new(s, client, server, at);
    if (!a)
        return;
    a->active_at = at->time;
    switch (m->kind) {
    case STUN_ALLOCATE_REQ:
        on_allocate_request(s, a, m, at);
        break;
    case STUN_ALLOCATE_OK:
        on_allocate_ok(s, a, m, at->time);
        break;
    case STUN_ALLOCATE_ERR:
        on_allocate_error(a, m);
        break;
    case STUN_REFRESH_REQ:
    case STUN_REFRESH_OK:
        on_refresh(s, a, m, at->time);
        break;
    default:
        on_peer_message(s, a, m, at, by_connection);
    }
}

void allocations_channel(struct allocations *s, uint16_t channel, const struct message_at *at)
{
    bool out = true;
    struct allocation *a = allocation_find(s, &at->src, &at->dst, at->proto);
    if (!a) {
        a = allocation_find(s, &at->dst, &at->src, at->proto);
        out = false;
    }
    for (unsigned i = 0; a && i < a->n_channels; i++) {
        if (a->channels[i].number != channel)
            continue;
        a->active_at = at->time;
        if (out)
            on_send(s, a, &a->channels[i].peer, (struct slice){0}, at->time, false);
        else
            on_answered(s, a, &a->channels[i].peer, at->time);
    }
}

bool allocations_known(const struct allocations *s, const struct message_at *at)
{
    return allocation_find(s, &at->src, &at->dst, at->proto) ||
           allocation_find(s, &at->dst, &at->src, at->proto);
}

void allocations_closed(struct allocations *s, const struct endpoint *client,
                        const struct endpoint *server, tick_t when)
{
    struct allocation *a = allocation_find(s, client, server, PROTO_TCP);
    if (a)
        allocation_end(s, a, when, "closed");
}

/* ---- time ---- */

static void check_silent(struct allocations *s, struct allocation *a, tick_t now)
{
    tick_t wait = a->fact.error_code ? FAILED_AFTER_ERROR : FAILED_AFTER_SILENCE;
    if (a->fact.granted && a->expires != TICK_NONE && now > a->expires + TICK_S)
        allocation_end(s, a, a->expires, "expired");
    else if (!a->fact.granted && now - a->active_at > wait)
        allocation_end(s, a, a->active_at, "failed");
}

void allocations_advance(struct allocations *s, tick_t now)
{
    for (; s->first_due && now - s->first_due->fact.ended > ALLOCATION_GRACE;
         s->first_due = s->first_due->due_next)
        allocation_over(s, s->first_due, "expired");
    /* calls that end with it are judged up to CALL_GRACE later and still look at it */
    while (s->first_ended && now - s->first_ended->fact.ended > 2 * CALL_GRACE)
        allocation_drop(s, s->first_ended);
    if (s->swept != TICK_NONE && now - s->swept < SWEEP_EVERY && now >= s->swept)
        return;
    s->swept = now;
    for (struct allocation *a = s->first_waiting, *next; a; a = next) {
        next = a->wait_next;
        check_silent(s, a, now);
    }
    for (; s->young && now - s->young->fact.started > ALLOCATION_INTERIM; s->young = s->young->next)
        if (s->interim && !s->young->over)
            s->out->allocation(s->out->arg, &s->young->fact);
}

/* A request whose answer may have come after the capture's end did not fail. */
static bool undecided(const struct allocation *a, tick_t now)
{
    return !a->fact.granted && now - a->active_at < DEADLINE_SINGLE_SYN;
}

void allocations_finish(struct allocations *s, tick_t now)
{
    for (struct allocation *a = s->oldest; a; a = a->next) {
        bool alive = a->fact.ended == TICK_NONE && (a->fact.granted || undecided(a, now));
        if (alive && undecided(a, now)) {
            a->over = true;
            a->fact.end_reason = "capture-end";
            s->out->allocation(s->out->arg, &a->fact);
        } else {
            allocation_over(s, a, alive ? "capture-end" : "failed");
        }
    }
}

void allocations_free(struct allocations *s)
{
    if (!s)
        return;
    while (s->oldest)
        allocation_drop(s, s->oldest);
    multimap_clear(&s->by_tuple);
    multimap_clear(&s->by_connection);
    pool_clear(&s->pool);
    free(s);
}

void allocations_counts(const struct allocations *s, struct allocations_counts *out)
{
    *out = s->counts;
}
