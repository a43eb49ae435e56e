/* The stage and the parts of a call played on it. */
#include "pcaps/make/scene.h"

#include "pcaps/make/scene_sip.h"
#include "pcaps/make/sip.h"

enum { CONTROL = 2, MEDIA_FRAME = 3, MESSAGE = 2048, FIRST_RELAY_PORT = 52100 };

static uint32_t ip4(int a, int b, int c, int d)
{
    return (uint32_t)a << 24 | (uint32_t)b << 16 | (uint32_t)c << 8 | (uint32_t)d;
}

static void scene_set(struct scene *s, int number)
{
    *s = (struct scene){.number = number, .random = (uint64_t)number};
    s->start = utc("2013-02-05 09:00:00") + SEC(60 * number);
    s->front_end = (struct host){ip4(10, number, 10, 1), 127, true, false, 0x11b2};
    s->edge_inside = (struct host){ip4(10, number, 0, 34), 128, false, false, 0x5c31};
    s->edge_outside = (struct host){ip4(10, number, 0, 40), 128, false, false, 0x5c31};
    s->router = (struct host){ip4(10, number, 0, 1), 255, true, false, 0x0101};
    s->medium = "applicationsharing";
    s->far_has_relay = true;
    scene_next_call(s, 0);
}

void scene_open(struct scene *s, int number)
{
    scene_set(s, number);
    s->trace = trace_new();
}

void scene_next_call(struct scene *s, int index)
{
    s->client = (struct host){ip4(10, s->number, 2, 1 + index), 125, true, false, 0x2a10};
    s->far = (struct host){ip4(198, 51, 100, s->number + index), 113, true, false, 0x7001};
    s->relay = (struct endpoint4){ip4(203, 0, 113, s->number),
                                  (uint16_t)(FIRST_RELAY_PORT + 7 * s->number + 2 * index)};
    s->far_relay = (struct endpoint4){s->far.ip, SCENE_FAR_PORT};
    s->far_host = (struct endpoint4){ip4(192, 168, s->number, 50 + index), SCENE_FAR_HOST_PORT};
    s->sip_port = (uint16_t)(49200 + s->number + 100 * index);
    s->control_port = (uint16_t)(13000 + 10 * s->number + index);
    s->cseq = 1;
    turn_start(&s->turn, rnd_next(&s->random), STREAM_DATA);
    s->sip = (struct talk){0};
}

struct endpoint4 scene_endpoint(int number, const char *what, int index)
{
    struct scene s;
    scene_set(&s, number);
    scene_next_call(&s, index);
    if (!strcmp(what, "client"))
        return (struct endpoint4){s.client.ip, s.control_port};
    if (!strcmp(what, "edge"))
        return (struct endpoint4){s.edge_inside.ip, 443};
    if (!strcmp(what, "relay"))
        return (struct endpoint4){s.edge_outside.ip, s.relay.port};
    if (!strcmp(what, "public"))
        return s.relay;
    if (!strcmp(what, "far"))
        return s.far_relay;
    assert(!strcmp(what, "farhost"));
    return s.far_host;
}

int scene_close(struct scene *s, const char *dir, const char *name)
{
    int bad = trace_save(s->trace, dir, name);
    trace_free(s->trace);
    return bad;
}

static struct talk talk_between(struct scene *s, struct host *a, uint16_t a_port, struct host *b,
                                uint16_t b_port)
{
    uint64_t r = rnd_next(&s->random);
    return (struct talk){.trace = s->trace,
                         .host = {a, b},
                         .port = {a_port, b_port},
                         .seq = {(uint32_t)r, (uint32_t)(r >> 32)},
                         .away = {a->routed ? MS(0.5) : MS(0.2), b->routed ? MS(0.5) : MS(0.2)}};
}

void scene_signaling_was_open(struct scene *s)
{
    s->sip = talk_between(s, &s->client, s->sip_port, &s->front_end, 5060);
}

/* The signaling connection is opened with the first message. */
static int64_t sip_say(struct scene *s, int side, int64_t at, const char *head, const char *sdp)
{
    if (!s->sip.trace) {
        s->sip = talk_between(s, &s->client, s->sip_port, &s->front_end, 5060);
        at = talk_open(&s->sip, at) + MS(3);
    }
    BUF(message, 2 * SIP_TEXT);
    sip_write(&message, head, sdp);
    return talk_say(&s->sip, side, at, message.p, message.n);
}

static void start_line(char text[128], const struct scene *s, const char *method)
{
    snprintf(text, 128, "%s sip:bob%d@fabrikam.com SIP/2.0", method, s->number);
}

int64_t scene_invite(struct scene *s, int64_t at)
{
    char start[128], head[SIP_TEXT], sdp[SIP_TEXT];
    start_line(start, s, "INVITE");
    scene_head(head, s, start, "1 INVITE", false, "Max-Forwards: 70\n");
    scene_sdp(sdp, s, true);
    at = sip_say(s, 0, at, head, sdp);
    scene_head(head, s, "SIP/2.0 100 Trying", "1 INVITE", false, "");
    return sip_say(s, 1, at + MS(12), head, NULL);
}

int64_t scene_answer_early(struct scene *s, int64_t at)
{
    char head[SIP_TEXT], sdp[SIP_TEXT];
    scene_head(head, s, "SIP/2.0 183 Session Progress", "1 INVITE", true, "");
    scene_sdp(sdp, s, false);
    return sip_say(s, 1, at, head, sdp);
}

int64_t scene_answer(struct scene *s, int64_t at)
{
    char start[128], head[SIP_TEXT], sdp[SIP_TEXT];
    scene_head(head, s, "SIP/2.0 200 OK", "1 INVITE", true, "Session-Expires: 720;refresher=uac\n");
    scene_sdp(sdp, s, false);
    at = sip_say(s, 1, at, head, sdp);
    start_line(start, s, "ACK");
    scene_head(head, s, start, "1 ACK", true, "Max-Forwards: 70\n");
    return sip_say(s, 0, at + MS(9), head, NULL);
}

int64_t scene_bye(struct scene *s, int64_t at, const char *diagnostics)
{
    char start[128], head[SIP_TEXT], more[SIP_TEXT];
    start_line(start, s, "BYE");
    snprintf(more, sizeof more, "Max-Forwards: 70\n%s", diagnostics ? diagnostics : "");
    scene_head(head, s, start, "2 BYE", true, more);
    at = sip_say(s, 0, at, head, NULL);
    scene_head(head, s, "SIP/2.0 200 OK", "2 BYE", true, "");
    return sip_say(s, 1, at + MS(60), head, NULL);
}

void scene_control_message(struct scene *s, int side, int64_t at, const struct buf *message)
{
    BUF(framed, MESSAGE);
    ms_frame(&framed, CONTROL, message);
    talk_data(&s->control, side, at, framed.p, framed.n);
}

int64_t scene_control(struct scene *s, int64_t at)
{
    s->control = talk_between(s, &s->client, s->control_port, &s->edge_inside, 443);
    return talk_open(&s->control, at);
}

int64_t scene_hello(struct scene *s, int64_t at)
{
    BUF(hello, MESSAGE);
    pseudo_tls_hello(&hello, &s->random);
    talk_data(&s->control, 0, at, hello.p, hello.n);
    at += MS(0.3);
    BUF(done, MESSAGE);
    pseudo_tls_answer(&done, &s->random);
    return talk_data(&s->control, 1, at, done.p, done.n);
}

/* Allocate without credentials and the 401 that every session begins with. */
int64_t scene_challenge(struct scene *s, int64_t at)
{
    BUF(ask, MESSAGE);
    ms_allocate(&ask, &s->turn, false);
    scene_control_message(s, 0, at, &ask);
    at += MS(0.3);
    BUF(refuse, MESSAGE);
    ms_challenge(&refuse, &s->turn);
    scene_control_message(s, 1, at, &refuse);
    return at;
}

int64_t scene_allocate(struct scene *s, int64_t at)
{
    at = scene_challenge(s, at) + MS(51);
    BUF(ask, MESSAGE);
    ms_allocate(&ask, &s->turn, true);
    scene_control_message(s, 0, at, &ask);
    at += MS(0.3);
    BUF(done, MESSAGE);
    ms_allocated(&done, &s->turn, s->relay, (struct endpoint4){s->client.ip, s->control_port});
    scene_control_message(s, 1, at, &done);
    at += MS(20);
    talk_ack(&s->control, 0, at);
    return at;
}

int64_t scene_allocate_error(struct scene *s, int64_t at, unsigned code, const char *text)
{
    BUF(ask, MESSAGE);
    ms_allocate(&ask, &s->turn, true);
    scene_control_message(s, 0, at, &ask);
    at += MS(0.4);
    BUF(refuse, MESSAGE);
    ms_error(&refuse, &s->turn, code, text, code == 401);
    scene_control_message(s, 1, at, &refuse);
    return at;
}

int64_t scene_relay(struct scene *s, int64_t at)
{
    at = scene_control(s, at) + MS(50);
    at = scene_hello(s, at) + MS(52);
    return scene_allocate(s, at);
}

int64_t scene_release(struct scene *s, int64_t at)
{
    return talk_close(&s->control, 0, at);
}

int64_t scene_send_to(struct scene *s, int64_t at, struct endpoint4 to)
{
    BUF(check, MESSAGE);
    ms_check(&check, &s->random, &(struct check){"Wp9d", "k3Tz", 6556159, true});
    BUF(data, MESSAGE);
    rfc4571(&data, &check);
    BUF(send, MESSAGE);
    ms_send(&send, &s->turn, to, &data);
    scene_control_message(s, 0, at, &send);
    at += MS(200);
    talk_ack(&s->control, 1, at);
    return at;
}

int64_t scene_send(struct scene *s, int64_t at)
{
    return scene_send_to(s, at, s->far_relay);
}

int64_t scene_until_syn(struct scene *s)
{
    int64_t at = scene_relay(s, s->start) + MS(30);
    at = scene_invite(s, at) + SEC(3);
    at = scene_answer(s, at) + MS(15);
    return scene_send(s, at) + MS(300);
}

int64_t scene_give_up(struct scene *s, int64_t at)
{
    char diagnostics[SIP_TEXT];
    scene_diagnostics(diagnostics, s);
    at = scene_bye(s, at, diagnostics) + MS(40);
    return scene_release(s, at);
}

struct talk scene_media(struct scene *s)
{
    struct talk k = talk_between(s, &s->edge_outside, s->relay.port, &s->far, s->far_relay.port);
    k.away[1] = MS(38.4);
    return k;
}

struct talk scene_media_reversed(struct scene *s)
{
    struct talk k = talk_between(s, &s->far, s->far_relay.port, &s->edge_outside, s->relay.port);
    k.away[0] = MS(38.4);
    return k;
}

int64_t scene_check_on(struct scene *s, struct talk *media, int64_t at)
{
    int ours = media->host[0] == &s->edge_outside ? 0 : 1;
    BUF(check, MESSAGE);
    ms_check(&check, &s->random, &(struct check){"Wp9d", "k3Tz", 6556159, true});
    BUF(framed, MESSAGE);
    rfc4571(&framed, &check);
    return talk_say(media, ours, at, framed.p, framed.n);
}

/* A packet of the far user, and its way on to the client in the frame of the control connection. */
static int64_t relay_to_client(struct scene *s, struct talk *media, int64_t at, size_t size)
{
    int theirs = media->host[0] == &s->edge_outside ? 1 : 0;
    BUF(rtp, MESSAGE);
    buf_u16(&rtp, 0x807f);
    buf_rnd(&rtp, &s->random, size);
    BUF(packet, MESSAGE);
    rfc4571(&packet, &rtp);
    talk_data(media, theirs, at, packet.p, packet.n);
    BUF(framed, MESSAGE);
    ms_frame(&framed, MEDIA_FRAME, &packet);
    return talk_data(&s->control, 1, at + MS(0.2), framed.p, framed.n);
}

static int64_t client_to_relay(struct scene *s, struct talk *media, int64_t at, size_t size)
{
    int ours = media->host[0] == &s->edge_outside ? 0 : 1;
    BUF(rtp, MESSAGE);
    buf_u16(&rtp, 0x807f);
    buf_rnd(&rtp, &s->random, size);
    BUF(packet, MESSAGE);
    rfc4571(&packet, &rtp);
    BUF(framed, MESSAGE);
    ms_frame(&framed, MEDIA_FRAME, &packet);
    talk_data(&s->control, 0, at, framed.p, framed.n);
    return talk_data(media, ours, at + MS(0.2), packet.p, packet.n);
}

/* Check and answer on the relay connection; the client hears of it and settles on this peer. */
static int64_t settle(struct scene *s, struct talk *media, int64_t at)
{
    uint8_t id[16];
    int theirs = media->host[0] == &s->edge_outside ? 1 : 0;
    BUF(check, MESSAGE);
    ms_check(&check, &s->random, &(struct check){"Wp9d", "k3Tz", 6556159, true});
    memcpy(id, check.p + 4, sizeof id);
    BUF(framed, MESSAGE);
    rfc4571(&framed, &check);
    talk_data(media, !theirs, at, framed.p, framed.n);
    at += MS(40);
    BUF(answer, MESSAGE);
    ms_check_answer(&answer, id, s->relay);
    BUF(data, MESSAGE);
    rfc4571(&data, &answer);
    talk_data(media, theirs, at, data.p, data.n);
    BUF(indication, MESSAGE);
    ms_data(&indication, &s->turn, s->far_relay, &data);
    scene_control_message(s, 1, at + MS(0.2), &indication);
    at += MS(20);
    BUF(ask, MESSAGE);
    ms_set_active(&ask, &s->turn, s->far_relay);
    scene_control_message(s, 0, at, &ask);
    at += MS(0.3);
    BUF(done, MESSAGE);
    ms_set_active_done(&done, &s->turn);
    scene_control_message(s, 1, at, &done);
    return at;
}

int64_t scene_use(struct scene *s, struct talk *media, int64_t at)
{
    enum { ROUNDS = 4 };
    at = settle(s, media, at);
    for (int i = 0; i < ROUNDS; i++) {
        at = client_to_relay(s, media, at + MS(120), 400 + 90 * (size_t)i);
        at = relay_to_client(s, media, at + MS(80), 60);
    }
    return talk_close(media, 0, at + MS(500));
}
