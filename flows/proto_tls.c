/*
 * TLS streams: what their handshakes tell, what went wrong with them, and what they carry.
 *
 * Which ones? All on signaling ports and of known relays, all where a key may fit, and others as
 * long as name, protocol or certificate may turn out to be a SIP server's. The rest is released
 * after its ClientHello.
 */
#include "flows/conversation.h"
#include "flows/limits.h"

#include <stdlib.h>

#include "flows/wire/framing.h"
#include "flows/memory.h"

enum { PLAIN_MAX = LIMIT_SIP_MESSAGE + TLS_PLAIN_MAX };
#define LOOK_EVERY TICK_S

/* One TLS connection and what is read from it. */
struct tls_talk {
    struct tls_talk *next, *prev;
    struct proto *proto;
    struct stream *stream;
    struct conversation *outer, *inner;
    struct tls_link *link;
    struct plain {
        uint8_t *p; /* text that its reader wants to see again with more behind it */
        size_t n, room;
    } plain[2];
    uint64_t asked; /* question whether the server is a relay (handover_ask_server()), 0 = none */
    uint32_t since; /* times the stream was looked at since */
    bool release, counted;
    bool relay, strange; /* the server is one; the talk is nobody's we know */
    bool spoken;         /* of it to the second half */
    uint8_t told;        /* enum tls_state of the row so far */
};

/* ---- what it carries ---- */

static bool plain_add(struct plain *b, struct slice more)
{
    if (b->n + more.n > PLAIN_MAX)
        return false;
    if (b->n + more.n > b->room) {
        size_t room = 2 * (b->n + more.n);
        uint8_t *p = memory_got(realloc(b->p, room));
        if (!p)
            return false;
        b->p = p;
        b->room = room;
    }
    memcpy(b->p + b->n, more.p, more.n);
    b->n += more.n;
    return true;
}

/* To the reader that plain TCP has. What it leaves comes again. */
static bool on_text(void *arg, struct tls_link *l, enum stream_side side, tick_t time,
                    struct slice text)
{
    struct tls_talk *t = tls_link_owner(l);
    struct plain *b = &t->plain[side];
    struct slice avail = text;
    tick_t now = t->stream->time;
    if (b->n) {
        if (!plain_add(b, text))
            return false;
        avail = slice_of(b->p, b->n);
    }
    t->stream->time = time;
    struct stream_take take = conversation_data(arg, t->stream, t->inner, side, avail);
    t->stream->time = now;
    struct slice rest = slice_of(avail.p + take.used, avail.n - take.used);
    if (take.release)
        return false;
    if (b->n) {
        memmove(b->p, rest.p, rest.n);
        b->n = rest.n;
        return true;
    }
    return !rest.n || plain_add(b, rest);
}

static void on_hole(void *arg, struct tls_link *l, enum stream_side side)
{
    struct tls_talk *t = tls_link_owner(l);
    (void)arg;
    t->plain[side].n = 0;
    conversation_gap(t->inner, side);
}

/* ---- life ---- */

bool tls_begin(struct proto *p)
{
    p->tls = (struct tls_reader){.keys = p->config.keys,
                                 .scratch = malloc(TLS_PLAIN_MAX),
                                 .arg = p,
                                 .on_text = on_text,
                                 .on_hole = on_hole};
    p->looked = TICK_NONE;
    return p->tls.scratch != NULL;
}

void tls_end(struct proto *p)
{
    free(p->tls.scratch);
}

static void talk_free(struct tls_talk *t)
{
    struct proto *p = t->proto;
    tls_link_free(t->link);
    if (t->inner)
        conversation_free(p, t->inner);
    for (int i = 0; i < 2; i++)
        free(t->plain[i].p);
    free(t);
}

static struct tls_talk *talk_new(struct proto *p, struct stream *s, struct conversation *c)
{
    if (p->n_talks >= LIMIT_TLS_LINKS)
        return NULL;
    struct tls_talk *t = memory_got(calloc(1, sizeof *t));
    if (!t)
        return NULL;
    t->proto = p;
    t->stream = s;
    t->outer = c;
    t->inner = conversation_new(p);
    t->link = memory_got(tls_link_new(&p->tls, t));
    if (!t->inner || !t->link) {
        talk_free(t);
        return NULL;
    }
    t->inner->inside = true;
    t->inner->first = c->first;
    t->next = p->talks;
    if (t->next)
        t->next->prev = t;
    p->talks = t;
    p->n_talks++;
    c->tls = t;
    return t;
}

/* ---- whose business it is ---- */

static bool is_signaling(const struct tls_talk *t)
{
    const struct proto_config *k = &t->proto->config;
    return conversation_listed(k->sip_ports, k->n_sip_ports, t->stream->flow) ||
           tls_link_is_sip(t->link) || t->inner->messages;
}

/* Who knows about relays, and has heard of all that was seen so far. */
static const struct joiner *settled(const struct tls_talk *t)
{
    handover_settle(t->proto->config.handover);
    return t->proto->config.joiner;
}

static bool is_relay(const struct tls_talk *t)
{
    const struct proto_config *k = &t->proto->config;
    return conversation_listed(k->turn_ports, k->n_turn_ports, t->stream->flow) ||
           joiner_relay_server(settled(t), &t->stream->flow->server);
}

static bool is_edge(const struct tls_talk *t)
{
    return joiner_relay_addr(settled(t), &t->stream->flow->server.addr);
}

/* May it be known by now whether the server is a relay? Asked once; others are read meanwhile, so
 * many that the answer is there when it is wanted. */
static bool is_answered(struct tls_talk *t)
{
    enum { OTHERS = 64, LOOKS = 16 };
    struct handover *h = t->proto->config.handover;
    if (!t->asked)
        t->asked = handover_ask_server(h, &t->stream->flow->server);
    else
        t->since++;
    return handover_newest(h) - t->asked >= OTHERS || t->since >= LOOKS;
}

/* Fetches the answer, before it is overwritten by those to later ones. */
static bool is_ours(struct tls_talk *t)
{
    struct handover *h = t->proto->config.handover;
    if (!t->relay && handover_newest(h) - t->asked < LIMIT_QUESTIONS)
        t->relay = handover_server(h, t->asked);
    else if (!t->relay)
        t->relay = is_relay(t) || is_edge(t);
    return t->relay;
}

/* Nothing about it is ours, and nothing that may still come would change that. */
static bool is_strange(struct tls_talk *t)
{
    const struct proto_config *k = &t->proto->config;
    if (t->relay || (k->keys && !tls_keys_empty(k->keys)) || !tls_link_is_other(t->link) ||
        is_signaling(t) || conversation_listed(k->turn_ports, k->n_turn_ports, t->stream->flow))
        return false;
    t->strange = is_answered(t) && !is_ours(t);
    return t->strange;
}

/* ---- what is told of it ---- */

static const char compressed_advice[] = "Its SIP is compressed (MS-SIPCOMP) in a way that could "
                                        "not be worked out: import the log of the "
                                        "client (edgewatch import).";

void tls_tell_compressed(struct proto *p, const struct stream *s, const struct conversation *c)
{
    const struct fact_tls row = {.client = s->flow->client,
                                 .server = s->flow->server,
                                 .first = c->first,
                                 .last = s->time,
                                 .resumed = -1,
                                 .client_end = {.not_before = TICK_NONE, .not_after = TICK_NONE},
                                 .server_end = {.not_before = TICK_NONE, .not_after = TICK_NONE},
                                 .state = "compressed",
                                 .advice = compressed_advice,
                                 .messages = c->messages};
    handover_tls(
        p->config.handover,
        &(struct tls_news){.t = &row, .conversation = c->number, .fresh = true, .time = s->time});
}

static void tell_row(struct tls_talk *t)
{
    struct proto *p = t->proto;
    const struct flow *f = t->stream->flow;
    bool swapped = tls_link_client(t->link) == SIDE_SERVER;
    bool ours = is_signaling(t) || tls_link_has_key(t->link) ||
                conversation_listed(p->config.turn_ports, p->config.n_turn_ports, f) || t->relay;
    struct tls_texts texts;
    struct fact_tls row;
    char name[2][TLS_PARTNER];
    if (t->strange)
        return;
    tls_link_facts(t->link, &texts, &row);
    row.client = swapped ? f->server : f->client;
    row.server = swapped ? f->client : f->server;
    row.messages = t->inner->messages;
    if (t->inner->closed) {
        row.state = "compressed";
        row.readable = false;
        row.advice = compressed_advice;
    }
    for (int i = 0; i < 2; i++)
        tls_link_name(t->link, i == 1, name[i]);
    row.partner_client = name[0][0] && row.client_end.subject ? name[0] : NULL;
    row.partner_server = name[1][0] && row.server_end.subject ? name[1] : NULL;
    handover_tls(p->config.handover, &(struct tls_news){.t = &row,
                                                        .conversation = t->outer->number,
                                                        .fresh = !t->spoken,
                                                        .time = t->stream->time,
                                                        .relay = ours ? NULL : &f->server});
    t->spoken = true;
    t->told = (uint8_t)tls_link_state(t->link);
}

/* The end that is not ours: of two the one with a public address that is no relay's or Edge's. */
static bool partner_is_client(const struct tls_talk *t)
{
    const struct joiner *j = settled(t);
    const struct flow *f = t->stream->flow;
    bool swapped = tls_link_client(t->link) == SIDE_SERVER;
    const struct addr *client = swapped ? &f->server.addr : &f->client.addr;
    const struct addr *server = swapped ? &f->client.addr : &f->server.addr;
    bool ours_c = addr_is_private(client) || joiner_relay_addr(j, client);
    bool ours_s = addr_is_private(server) || joiner_relay_addr(j, server);
    return ours_s && !ours_c;
}

_Static_assert((int)TROUBLE_DETAIL == (int)TLS_DETAIL && (int)TROUBLE_PARTNER == (int)TLS_PARTNER,
               "same rooms");

static void tell_failure(struct tls_talk *t)
{
    enum tls_failure failure = tls_link_failure(t->link);
    bool signaling = is_signaling(t);
    if (failure == TLS_NO_FAILURE || t->outer->troubled)
        return;
    if (!signaling && !(failure == TLS_REFUSED_BY_ALERT && is_relay(t)))
        return;
    struct relay_trouble trouble = {.verdict = VERDICT_TLS_FAIL,
                                    .instead = failure == TLS_REFUSED_BY_ALERT ? TLS_ALERT : -1,
                                    .signaling = signaling};
    tls_link_detail(t->link, trouble.detail);
    tls_link_name(t->link, !partner_is_client(t), trouble.partner);
    relay_tell(t->proto, t->stream, t->outer, &trouble);
}

/* Looks at what the link has come to. */
static void look(struct tls_talk *t)
{
    enum tls_state state = tls_link_state(t->link);
    if (state == TLS_DECRYPTED && !t->counted) {
        t->counted = true;
        t->proto->counts.tls_read++;
    }
    tell_failure(t);
    if (state != (enum tls_state)t->told && (state == TLS_WAITING || state == TLS_DECRYPTED) &&
        tls_link_done(t->link))
        tell_row(t);
}

/* ---- the stream ---- */

struct stream_take tls_data(struct proto *p, struct stream *s, struct conversation *c,
                            enum stream_side side, struct slice avail)
{
    struct tls_talk *t = c->tls ? c->tls : talk_new(p, s, c);
    if (!t) {
        p->counts.tls_refused++;
        return (struct stream_take){.used = avail.n, .release = true};
    }
    struct stream_take take = {.used = avail.n, .release = true};
    if (!t->release)
        take = tls_link_data(t->link, side, s->time, avail);
    look(t);
    take.release |= is_strange(t);
    return take;
}

void tls_gap(struct proto *p, struct conversation *c, enum stream_side side, uint32_t missing)
{
    (void)p;
    tls_link_gap(c->tls->link, side, missing);
}

void tls_over(struct proto *p, struct conversation *c, bool closed)
{
    struct tls_talk *t = c->tls;
    if (!t)
        return;
    tick_t now =
        p->looked != TICK_NONE && p->looked > t->stream->time ? p->looked : t->stream->time;
    tls_link_over(t->link, closed ? t->stream->time : now, closed);
    look(t);
    tell_row(t);
    if (t->prev)
        t->prev->next = t->next;
    else
        p->talks = t->next;
    if (t->next)
        t->next->prev = t->prev;
    p->n_talks--;
    c->tls = NULL;
    talk_free(t);
}

/* ---- time ---- */

static void advance_talk(struct tls_talk *t, tick_t now)
{
    if (tls_link_waiting(t->link) != TICK_NONE)
        tls_link_retry(t->link, now);
    if (tls_link_unanswered(t->link) && now - t->outer->first >= TLS_SILENCE) {
        tls_link_silent(t->link);
        t->release = true;
    }
    look(t);
}

void proto_advance(struct proto *p, tick_t now)
{
    uint64_t version = p->config.keys ? tls_keys_version(p->config.keys) : 0;
    bool news = version != p->keys_version;
    if (!news && p->looked != TICK_NONE && now >= p->looked && now - p->looked < LOOK_EVERY)
        return;
    p->looked = now;
    p->keys_version = version;
    for (struct tls_talk *t = p->talks, *next; t; t = next) {
        next = t->next;
        advance_talk(t, now);
    }
}
