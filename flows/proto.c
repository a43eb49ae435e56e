/* Recognition of streams and datagrams. */
#include "flows/proto.h"

#include <stdlib.h>
#include <string.h>

#include "flows/conversation.h"
#include "flows/feeds.h"
#include "flows/limits.h"
#include "flows/pages.h"
#include "flows/sipcomp.h"
#include "flows/wire/framing.h"
#include "flows/wire/hep.h"
#include "flows/wire/tls_handshake.h"
#include "flows/wire/websocket.h"
#include "flows/memory.h"

enum { CONVERSATION_BLOCK = 16384, SEARCH_MAX = 16384 };

struct conversation_block {
    struct conversation_block *next;
    uint32_t first; /* number of items[0] */
    unsigned used;  /* items handed out so far; the rest of the memory is untouched */
    struct conversation items[CONVERSATION_BLOCK];
};

static struct stream_take stream_data(void *arg, struct stream *s, enum stream_side side,
                                      struct slice avail);
static void stream_gap(void *arg, struct stream *s, enum stream_side side, uint32_t missing);
static void stream_over(void *arg, struct stream *s, bool closed);

struct proto *proto_new(const struct proto_config *c)
{
    struct proto *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->config = *c;
    p->reader = (struct stream_reader){p, stream_data, stream_gap, stream_over};
    if (tls_begin(p))
        return p;
    free(p);
    return NULL;
}

void proto_hints(struct proto *p, const uint16_t *sip_ports, unsigned n_sip_ports,
                 const uint16_t *turn_ports, unsigned n_turn_ports)
{
    p->config.sip_ports = sip_ports;
    p->config.n_sip_ports = n_sip_ports;
    p->config.turn_ports = turn_ports;
    p->config.n_turn_ports = n_turn_ports;
}

void proto_free(struct proto *p)
{
    if (!p)
        return;
    tls_end(p);
    while (p->blocks) {
        struct conversation_block *b = p->blocks;
        p->blocks = b->next;
        for (unsigned i = 0; i < b->used; i++) {
            free(b->items[i].text);
            sipcomp_free(b->items[i].compression);
        }
        pages_release(b, sizeof *b);
    }
    free(p);
}

const struct stream_reader *proto_reader(struct proto *p)
{
    return &p->reader;
}

void proto_counts(const struct proto *p, struct proto_counts *out)
{
    *out = p->counts;
}

void conversation_at(struct proto *p, const struct stream *s, enum stream_side side,
                     struct message_at *at)
{
    const struct flow *f = s->flow;
    *at = (struct message_at){
        .time = s->time,
        .src = side == SIDE_CLIENT ? f->client : f->server,
        .dst = side == SIDE_CLIENT ? f->server : f->client,
        .proto = PROTO_TCP,
        .origin = "wire",
        .both_ways = f->saw_synack,
        .ref = handover_ref(p->config.handover, ((struct conversation *)s->user)->number),
    };
}

/* ---- conversations ---- */

/* One that was never used. */
static struct conversation *fresh_conversation(struct proto *p)
{
    if (!p->blocks || p->blocks->used == CONVERSATION_BLOCK) {
        struct conversation_block *b = memory_got(pages_reserve(sizeof *b));
        if (!b)
            return NULL;
        b->next = p->blocks;
        b->first = b->next ? b->next->first + CONVERSATION_BLOCK : 0;
        p->blocks = b;
    }
    struct conversation *c = &p->blocks->items[p->blocks->used];
    c->number = p->blocks->first + p->blocks->used++;
    return c;
}

struct conversation *conversation_new(struct proto *p)
{
    struct conversation *c = p->spare;
    if (c)
        p->spare = c->next;
    else if (!(c = fresh_conversation(p)))
        return NULL;
    *c = (struct conversation){.kind = STREAM_UNDECIDED, .number = c->number};
    return c;
}

void conversation_free(struct proto *p, struct conversation *c)
{
    free(c->text);
    c->text = NULL;
    sipcomp_free(c->compression);
    c->compression = NULL;
    c->next = p->spare;
    p->spare = c;
}

/* ---- recognition ---- */

bool conversation_listed(const uint16_t *ports, unsigned n, const struct flow *f)
{
    for (unsigned i = 0; i < n; i++)
        if (f->server.port == ports[i] || f->client.port == ports[i])
            return true;
    return false;
}

static bool mostly_text(struct slice in)
{
    size_t n = in.n < 64 ? in.n : 64, text = 0;
    for (size_t i = 0; i < n; i++)
        text += (in.p[i] >= 0x20 && in.p[i] < 0x7f) || in.p[i] == '\r' || in.p[i] == '\n' ||
                in.p[i] == '\t';
    return n && text * 10 >= n * 9;
}

static bool turn_framed(struct slice in)
{
    struct turn_frame f;
    return turn_frame_parse(in, &f, NULL) == WIRE_OK && f.type == 2 &&
           stun_looks_like(f.payload, true);
}

static bool rfc4571_framed(struct slice in)
{
    struct rfc4571_frame f;
    return rfc4571_parse(in, &f, NULL) == WIRE_OK && f.payload.n >= 20 &&
           stun_looks_like(f.payload, true);
}

static bool websocket_with_sip(struct slice in)
{
    struct websocket_frame f;
    uint8_t head[512];
    if (in.n < 2 || (in.p[0] != 0x81 && in.p[0] != 0x82) ||
        websocket_parse(in, LIMIT_SIP_MESSAGE, &f, NULL) != WIRE_OK || f.payload.n > sizeof head)
        return false;
    websocket_unmask(&f, head);
    return sip_looks_like(slice_of(head, f.payload.n)) == WIRE_OK;
}

/* One of enum stream_kind, or -1 for "more bytes, please", -2 for "nothing we know". */
static int recognise(const struct stream *s, enum stream_side side, struct slice in)
{
    struct tls_record tls;
    size_t size;
    enum wire_result sip = sip_looks_like(in);
    if (sip == WIRE_OK)
        return STREAM_SIP;
    enum wire_result hello = side == SIDE_CLIENT ? pseudo_tls_hello(in, NULL) : WIRE_BAD;
    if (hello == WIRE_OK || turn_framed(in))
        return STREAM_MS_TURN;
    if (hello == WIRE_MORE)
        return -1;
    if (stun_looks_like(in, false))
        return STREAM_TURN;
    if (rfc4571_framed(in))
        return STREAM_ICE;
    if (tls_record_parse(in, &tls, NULL) == WIRE_OK)
        return STREAM_TLS;
    uint8_t random[TLS_RANDOM];
    struct tls_hello old;
    if (side == SIDE_CLIENT && tls_old_hello_parse(in, random, &old, &size, NULL) == WIRE_OK)
        return STREAM_TLS;
    enum wire_result upgrade =
        side == SIDE_CLIENT ? websocket_upgrade(in, true, &size, NULL) : WIRE_BAD;
    if (upgrade == WIRE_OK || websocket_with_sip(in))
        return STREAM_WEBSOCKET;
    bool started = s->from_start && in.n < 28;
    return upgrade == WIRE_MORE || (sip == WIRE_MORE && in.n < LIMIT_PROBE_BYTES) || started ? -1
                                                                                             : -2;
}

void conversation_is(struct proto *p, struct stream *s, struct conversation *c, int kind)
{
    uint64_t *const counters[] = {
        [STREAM_UNDECIDED] = &p->counts.unknown_streams,
        [STREAM_SIP] = &p->counts.sip_streams,
        [STREAM_WEBSOCKET] = &p->counts.websocket_streams,
        [STREAM_MS_TURN] = &p->counts.turn_streams,
        [STREAM_TURN] = &p->counts.turn_streams,
        [STREAM_ICE] = &p->counts.ice_streams,
        [STREAM_TLS] = &p->counts.tls_streams,
        [STREAM_SIPCOMP] = &p->counts.compressed_streams,
    };
    ++*counters[kind];
    c->kind = (uint8_t)kind;
    if (kind != STREAM_UNDECIDED && kind != STREAM_ICE)
        handover_signaling(p->config.handover, s->flow->server.port);
    /* frames before a greeting: the connection is older than the capture */
    if (kind == STREAM_WEBSOCKET || kind == STREAM_MS_TURN)
        c->half[0].greeted = c->half[1].greeted = !s->from_start;
}

/* A connection older than the capture may begin inside a message: text goes on being searched for a
 * start line, longer where the port is known for SIP. */
static struct stream_take search_text(struct proto *p, struct stream *s, struct conversation *c,
                                      enum stream_side side, struct slice avail)
{
    struct half *h = &c->half[side];
    bool sip_port = conversation_listed(p->config.sip_ports, p->config.n_sip_ports, s->flow);
    struct stream_take take = {0};
    if (!sip_port && !mostly_text(avail)) {
        h->refused = true;
        take.used = avail.n;
        take.release = c->half[!side].refused || c->half[!side].searched == 0;
        return take;
    }
    size_t skip = sip_resync(avail, 0);
    h->searched += (uint32_t)skip;
    if (skip < avail.n && sip_looks_like(slice_of(avail.p + skip, avail.n - skip)) == WIRE_OK) {
        conversation_is(p, s, c, STREAM_SIP);
        take = sip_data(p, s, c, side, slice_of(avail.p + skip, avail.n - skip));
        c->half[!side].lost = true;
    }
    take.used += skip;
    take.release |= c->kind == STREAM_UNDECIDED && h->searched > SEARCH_MAX;
    return take;
}

static struct stream_take dispatch(struct proto *p, struct stream *s, struct conversation *c,
                                   enum stream_side side, struct slice avail)
{
    switch (c->kind) {
    case STREAM_SIP:
        return sip_data(p, s, c, side, avail);
    case STREAM_SIPCOMP:
        return sipcomp_data(p, s, c, side, avail);
    case STREAM_WEBSOCKET:
        return websocket_data(p, s, c, side, avail);
    case STREAM_MS_TURN:
        return relay_ms_turn(p, s, c, side, avail);
    case STREAM_TURN:
        return relay_turn(p, s, c, side, avail);
    case STREAM_ICE:
        return relay_ice(p, s, c, side, avail);
    default:
        return tls_data(p, s, c, side, avail);
    }
}

struct stream_take conversation_data(struct proto *p, struct stream *s, struct conversation *c,
                                     enum stream_side side, struct slice avail)
{
    if (c->kind == STREAM_UNDECIDED) {
        int kind = recognise(s, side, avail);
        if (kind == STREAM_TLS && c->inside)
            kind = -2;
        if (kind == -1 && avail.n < LIMIT_PROBE_BYTES)
            return (struct stream_take){0};
        if (kind < 0 && !s->from_start)
            return search_text(p, s, c, side, avail);
        if (kind < 0) {
            p->counts.unknown_streams++;
            return (struct stream_take){.used = avail.n, .release = true};
        }
        conversation_is(p, s, c, kind);
    }
    return dispatch(p, s, c, side, avail);
}

static struct stream_take stream_data(void *arg, struct stream *s, enum stream_side side,
                                      struct slice avail)
{
    struct proto *p = arg;
    struct conversation *c = s->user;
    if (!c) {
        c = s->user = conversation_new(p);
        if (!c)
            return (struct stream_take){.used = avail.n, .release = true};
        c->first = s->time;
    }
    return conversation_data(p, s, c, side, avail);
}

void conversation_gap(struct conversation *c, enum stream_side side)
{
    c->half[side].lost = true;
    c->half[side].enough = 0;
}

static void stream_gap(void *arg, struct stream *s, enum stream_side side, uint32_t missing)
{
    struct conversation *c = s->user;
    if (!c)
        return;
    conversation_gap(c, side);
    if (c->tls)
        tls_gap(arg, c, side, missing);
}

static void stream_over(void *arg, struct stream *s, bool closed)
{
    struct proto *p = arg;
    struct conversation *c = s->user;
    if (!c)
        return;
    tls_over(p, c, closed);
    relay_over(p, s, c, closed);
    conversation_free(p, c);
    s->user = NULL;
}

/* ---- datagrams ---- */

static void datagram_at(const struct packet *k, struct message_at *at)
{
    *at = (struct message_at){
        .time = k->time, .src = k->src, .dst = k->dst, .proto = PROTO_UDP, .origin = "wire"};
}

static bool datagram_stun(struct proto *p, const struct packet *k, struct slice payload,
                          struct stun_msg *stun)
{
    struct message_at at;
    if (!stun_looks_like(payload, true) || stun_parse(payload, true, stun, NULL) != WIRE_OK)
        return false;
    datagram_at(k, &at);
    handover_turn(p->config.handover, stun, &at);
    return true;
}

static void datagram_sip(struct proto *p, const struct packet *k)
{
    struct sip_msg m;
    struct message_at at;
    if (sip_looks_like(k->payload) != WIRE_OK || sip_parse(k->payload, true, &m, NULL) != WIRE_OK)
        return;
    datagram_at(k, &at);
    handover_sip(p->config.handover, &m, &at);
}

/* HEP on its way to a collector. */
static bool datagram_hep(struct proto *p, const struct packet *k)
{
    if (!p->config.feeds || !hep_looks_like(k->payload))
        return false;
    handover_settle(p->config.handover);
    return feeds_hep(p->config.feeds, k->payload, &k->src, k->time);
}

bool proto_datagram(struct proto *p, const struct packet *k, struct stun_msg *stun)
{
    struct slice in = k->payload;
    struct channel_data channel;
    struct mux_frame mux;
    struct message_at at;
    if (in.n < 4)
        return false;
    uint8_t first = in.p[0];
    /* RTP and RTCP begin with 0x80-0xbf, DTLS with 20-63: most packets end here */
    if (first < 4) {
        bool known = datagram_stun(p, k, in, stun);
        if (!known && first)
            datagram_hep(p, k);
        return known;
    }
    if (first == 0xff)
        return mux_parse(in, &mux, NULL) == WIRE_OK && mux.size == in.n &&
               datagram_stun(p, k, mux.data, stun);
    if (first == 'H' && datagram_hep(p, k))
        return false;
    if (first >= 0x40 && first < 0x50 && channel_data_parse(in, false, &channel, NULL) == WIRE_OK) {
        datagram_at(k, &at);
        handover_channel(p->config.handover, channel.channel, &at);
        if (sip_looks_like(in) != WIRE_OK)
            return false;
    }
    if ((first >= 'A' && first <= 'z') || first == '\r' || first == '\n')
        datagram_sip(p, k);
    return false;
}
