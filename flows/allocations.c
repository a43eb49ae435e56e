/*
 * Relay allocations out of TURN and MS-TURN (P§1.3-1.9, RFC 8656, RFC 6062): one record per control
 * 5-tuple and life, with the peers it was told to reach. A first 401 followed by success is normal;
 * what never succeeds is an allocation that failed.
 */
#include <stdlib.h>

#include "flows/allocations_state.h"
#include "flows/limits.h"
#include "flows/memory.h"

enum { MAX_CHANNELS = 16, CALL_ID_MAX = 256 };

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
        struct fact_send *grown = memory_got(realloc(f->sends, room * sizeof *grown));
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
    send->remote_ufrag = memory_got(strndup((const char *)remote.p, remote.n));
    send->local_ufrag = memory_got(strndup((const char *)local.p, local.n));
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
        allocation_settled(s, a);
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
        key *= UINT64_C(0x9e3779b97f4a7c15);
        a->id_tag = multimap_tag(key);
        multimap_add(&s->by_connection, key, multimap_more(key), a, 0, 0, 0);
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
        a->channels = memory_got(malloc(MAX_CHANNELS * sizeof *a->channels));
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
bool allocations_concerned(const struct stun_msg *m)
{
    const enum stun_kind k = m->kind;
    return k != STUN_BINDING_REQ && k != STUN_BINDING_OK && k != STUN_BINDING_ERR &&
           k != STUN_BINDING_IND && k != STUN_SHARED_SECRET && k != STUN_UNKNOWN &&
           k != STUN_CONNBIND_REQ && k != STUN_CONNBIND_OK && k != STUN_CONNBIND_ERR;
}

static struct allocation *by_connection_id(const struct allocations *s, const struct stun_msg *m)
{
    uint64_t key = (be64(m->connection_id) ^ s->seed) * UINT64_C(0x9e3779b97f4a7c15);
    const struct multimap *map = &s->by_connection;
    for (const struct multimap_slot *at = multimap_first(map, key, multimap_more(key)); at;
         at = multimap_next(map, at)) {
        struct allocation *a = at->owner;
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

static bool holds(const struct allocation_ref *r, const struct endpoint *client,
                  const struct endpoint *server)
{
    const struct allocation *a = r->at;
    /* its place in the pool may be free, or another's by now: then the number differs */
    return a && a->fact.id == r->id && !a->replaced && endpoint_eq(&a->fact.client, client) &&
           endpoint_eq(&a->fact.server, server);
}

/* The newest one of the 5-tuple, NULL = none. */
static struct allocation *recall(struct allocations *s, const struct endpoint *client,
                                 const struct endpoint *server, uint8_t proto,
                                 const struct allocation_ref *ref)
{
    if (ref && holds(ref, client, server))
        return ref->at;
    return allocation_find(s, client, server, proto);
}

void allocations_hint(const struct allocations *s, const struct stun_msg *m,
                      const struct message_at *at)
{
    if (at->ref && at->ref->at) {
        for (size_t i = 0; i < sizeof *at->ref->at; i += 64)
            __builtin_prefetch((const char *)at->ref->at + i);
        return;
    }
    const bool out = from_client(m->kind);
    const struct endpoint *client = out ? &at->src : &at->dst, *server = out ? &at->dst : &at->src;
    multimap_prefetch(&s->by_tuple, multimap_tag(endpoint_hash2(client, server, s->seed)));
}

void allocations_hint_scope(const struct allocation_ref *ref)
{
    if (!ref || !ref->at)
        return;
    const char *join = ref->at->fact.join;
    if (join) {
        __builtin_prefetch(join);
        __builtin_prefetch(join + 64);
    }
    __builtin_prefetch(ref->at->fact.sends);
}

void allocations_turn(struct allocations *s, const struct stun_msg *m, const struct message_at *at)
{
    bool out = from_client(m->kind), by_connection = false;
    const struct endpoint *client = out ? &at->src : &at->dst, *server = out ? &at->dst : &at->src;
    s->counts.stun_messages++;
    if (!allocations_concerned(m))
        return;
    struct allocation *a = recall(s, client, server, at->proto, at->ref);
    if (!a && m->has & STUN_HAS_SEQUENCE) {
        a = by_connection_id(s, m);
        by_connection = a != NULL;
    }
    if ((!a || begins_anew(a, m)) && m->kind != STUN_ALLOCATE_ERR) {
        if (a)
            a->replaced = true;
        a = allocation_new(s, client, server, at);
    }
    if (!a)
        return;
    if (at->ref && !by_connection)
        *at->ref = (struct allocation_ref){a, a->fact.id};
    a->active_at = at->time;
    a->fact.heard |= !out || at->both_ways;
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

void allocations_closed_at(struct allocations *s, const struct allocation_ref *ref,
                           const struct endpoint *client, const struct endpoint *server,
                           tick_t when)
{
    struct allocation *a = recall(s, client, server, PROTO_TCP, ref);
    if (a)
        allocation_end(s, a, when, "closed");
}

void allocations_closed(struct allocations *s, const struct endpoint *client,
                        const struct endpoint *server, tick_t when)
{
    allocations_closed_at(s, NULL, client, server, when);
}
