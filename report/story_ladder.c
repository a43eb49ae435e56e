/* The ladder of one failure: signaling, relay control, handshake, on lanes client - relay - peer.
 */
#include "report/field.h"
#include "report/ladder.h"
#include "report/story.h"

#include <inttypes.h>
#include <string.h>

/* four lanes need room for what stands on their arrows */
enum { LADDER_MOST = 40, LADDER_WIDE = 110, TEXT = 128 };

/* Which lane is who in this story. -1: has none. */
struct cast {
    int client, relay, outside, peer; /* outside: the relay again where it has one lane */
    int src, dst;                     /* of the failure */
};

static void put_head(struct ladder *l, int lane, int line, const char *text)
{
    if (lane >= 0)
        snprintf(l->head[lane][line], LADDER_HEAD, "%s", text);
}

static struct cast cast_lanes(const struct story_facts *f, bool wide, struct ladder *l)
{
    const char *leg = field_text(f->failure, "leg");
    if (strcmp(leg, "direct") == 0) {
        l->lanes = 2;
        return (struct cast){
            .client = 0, .relay = -1, .outside = -1, .peer = 1, .src = 0, .dst = 1};
    }
    if (strcmp(leg, "client-relay") == 0) {
        l->lanes = f->call ? 3 : 2;
        return (struct cast){
            .client = 0, .relay = 1, .outside = 1, .peer = f->call ? 2 : -1, .src = 0, .dst = 1};
    }
    bool client = f->allocation || f->call || *field_text(f->failure, "client_addr");
    bool apart = wide && *field_text(f->allocation, "server_addr");
    l->lanes = client + apart + 2u;
    struct cast c = {.client = client ? 0 : -1,
                     .relay = client,
                     .outside = client + apart,
                     .peer = client + apart + 1};
    /* The relay asks, or is asked by the peer: the alias and the relay port tell which. */
    bool asked =
        f->allocation &&
        field_int(f->allocation, "relay_port", 0) == field_int(f->failure, "dst_port", -1) &&
        field_int(f->allocation, "relay_port", 0) != field_int(f->failure, "src_port", -1);
    c.src = asked ? c.peer : c.outside;
    c.dst = asked ? c.outside : c.peer;
    return c;
}

/* Users where they are known, addresses below; a relay has one inside and one outside. */
static void put_heads(const struct story_facts *f, const struct cast *c, struct ladder *l)
{
    const json_t *x = f->failure;
    const char *near = "client", *far = "peer";
    if (f->near_known) {
        near = field_user(x, f->near_is_offer ? "caller" : "callee", near);
        far = field_user(x, f->near_is_offer ? "callee" : "caller", far);
    }
    put_head(l, c->client, 0, near);
    put_head(l, c->outside, 0, c->relay == c->outside ? "relay" : "Edge, outside");
    put_head(l, c->peer, 0, far);
    put_head(l, c->client, 1, field_text(x, "client_addr"));
    put_head(l, c->src, 1, field_text(x, "src_addr"));
    put_head(l, c->dst, 1, field_text(x, "dst_addr"));
    const char *inside = field_text(f->allocation, "server_addr");
    if (c->relay != c->outside) {
        put_head(l, c->relay, 0, "Edge, inside");
        put_head(l, c->relay, 1, inside);
        put_head(l, c->outside, 2, field_text(f->allocation, "relay_addr"));
        return;
    }
    if (c->relay < 0 || !*inside || strcmp(inside, l->head[c->relay][1]) == 0)
        return;
    memcpy(l->head[c->relay][2], l->head[c->relay][1], LADDER_HEAD);
    put_head(l, c->relay, 1, inside);
}

/* ---- signaling ---- */

static void add_call(const struct story_facts *f, const struct cast *c, struct ladder *l)
{
    if (!f->call)
        return;
    l->kind = LADDER_SIGNALING;
    int caller = 0, callee = 0; /* a remark while it is not known who is who */
    if (f->near_known && c->client >= 0 && c->peer >= 0) {
        caller = f->near_is_offer ? c->client : c->peer;
        callee = f->near_is_offer ? c->peer : c->client;
    }
    int64_t status = field_int(f->call, "status", 0);
    tick_t answered = field_tick(f->call, "answered"), ended = field_tick(f->call, "ended");
    ladder_add(l, field_tick(f->call, "started"), caller, callee, "INVITE, offer");
    ladder_add(l, answered, callee, caller, "%" PRId64 ", answer", status ? status : 200);
    if (answered == TICK_NONE && status >= 300)
        ladder_add(l, ended, callee, caller, "%" PRId64, status);
    else
        ladder_add(l, ended, 0, 0, "the call ends");
}

/* ---- relay control ---- */

static void add_allocation(const json_t *a, int client, int relay, struct ladder *l)
{
    if (!a || client < 0 || relay < 0)
        return;
    l->kind = LADDER_RELAY;
    int64_t error = field_int(a, "error_code", 0), port = field_int(a, "relay_port", 0);
    tick_t started = field_tick(a, "started");
    if (error && !port) {
        l->kind = LADDER_BAD;
        ladder_add(l, started, client, relay, "Allocate: error %" PRId64, error);
    } else
        ladder_add(l, started, client, relay, "Allocate");
    if (port)
        ladder_add(l, field_tick(a, "granted"), relay, client, "granted %" PRId64, port);
    l->kind = LADDER_RELAY;
    const char *reason = field_text(a, "end_reason");
    if (*reason && strcmp(reason, "capture-end") != 0)
        ladder_add(l, field_tick(a, "ended"), client, client, "allocation over: %s", reason);
}

/* Is the peer of a Send the far end of this failure? */
static bool is_far_end(const struct story_facts *f, const json_t *send)
{
    char peer[TEXT], src[TEXT], dst[TEXT];
    field_endpoint(send, "peer_addr", "peer_port", peer, sizeof peer);
    field_endpoint(f->failure, "src_addr", "src_port", src, sizeof src);
    field_endpoint(f->failure, "dst_addr", "dst_port", dst, sizeof dst);
    return strcmp(peer, dst) == 0 || strcmp(peer, src) == 0;
}

static void add_sends(const struct story_facts *f, const struct cast *c, struct ladder *l)
{
    size_t k;
    json_t *send;
    json_array_foreach(f->sends, k, send)
    {
        if (c->client < 0 || c->relay < 0 || !is_far_end(f, send))
            continue;
        ladder_add(l, field_tick(send, "first_seen"), c->client, c->relay, "Send to the peer");
        ladder_add(l, field_tick(send, "answered"), c->relay, c->client, "data of the peer");
    }
}

/* ---- packets ---- */

static bool is_addr(const struct addr *a, const json_t *o, const char *name)
{
    char text[ADDR_TEXT];
    return strcmp(addr_text(a, text), field_text(o, name)) == 0;
}

/* The lane that an end of a packet belongs to, by the failure's own ends; -1: neither. */
static int lane_of(const struct story_facts *f, const struct cast *c, const struct endpoint *e)
{
    const json_t *x = f->failure;
    bool src_port = e->port == field_int(x, "src_port", -1);
    bool dst_port = e->port == field_int(x, "dst_port", -1);
    if (src_port && (is_addr(&e->addr, x, "src_addr") || is_addr(&e->addr, x, "src_public")))
        return c->src;
    if (dst_port && is_addr(&e->addr, x, "dst_addr"))
        return c->dst;
    /* seen on the other side of an address translation: the port alone */
    return src_port == dst_port ? -1 : src_port ? c->src : c->dst;
}

static bool is_syn(const struct evidence_packet *e)
{
    return e->readable && e->proto == PROTO_TCP && (e->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static bool isn_seen(const struct story_facts *f, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (is_syn(&f->packets[i]) && f->packets[i].seq == f->packets[at].seq)
            return true;
    return false;
}

static void add_packet(const struct story_facts *f, const struct cast *c, struct ladder *l,
                       size_t i)
{
    const struct evidence_packet *e = &f->packets[i];
    l->kind = e->icmp || (e->readable && e->proto == PROTO_TCP && (e->flags & TCP_RST))
                  ? LADDER_BAD
                  : LADDER_HANDSHAKE;
    if (!e->readable) {
        ladder_add(l, e->time, c->src, c->src, "a packet that cannot be decoded");
        return;
    }
    int from = lane_of(f, c, &e->src), to = lane_of(f, c, &e->dst);
    if (e->icmp)
        ladder_add(l, e->time, c->dst, c->src, "%s", e->label);
    else if (from < 0 || to < 0 || from == to)
        ladder_add(l, e->time, c->src, c->src, "%s", e->label);
    else if (is_syn(e))
        ladder_add(l, e->time, from, to, isn_seen(f, i) ? "SYN again" : "SYN %" PRIu32, e->seq);
    else
        ladder_add(l, e->time, from, to, "%s", e->label);
}

void story_ladder_build(const struct story_facts *f, bool wide, struct ladder *l)
{
    *l = (struct ladder){0};
    struct cast c = cast_lanes(f, wide, l);
    put_heads(f, &c, l);
    add_call(f, &c, l);
    add_allocation(f->allocation, c.client, c.relay, l);
    l->kind = LADDER_RELAY;
    add_sends(f, &c, l);
    for (size_t i = 0; i < f->n_packets; i++)
        add_packet(f, &c, l, i);
}

void story_ladder(const struct story_facts *f, const struct prose *p)
{
    struct ladder l;
    story_ladder_build(f, p->html || p->width >= LADDER_WIDE, &l);
    if (l.n)
        prose_heading(p, "WHAT HAPPENED");
    if (l.n && p->html)
        ladder_svg(&l, p->out, "ladder", 3 * LADDER_MOST);
    else if (l.n)
        ladder_print(&l, p, LADDER_MOST);
    ladder_free(&l);
}
