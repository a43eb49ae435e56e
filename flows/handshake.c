/* One TCP connection attempt: the transitions. See handshake.h. */
#include "flows/handshake.h"

#include "capture/frame.h"
#include "flows/limits.h"

enum { CLIENT, SERVER };
enum {
    NEAR = 65536,   /* a sequence number this close to the expected one belongs to the connection */
    HOLE = 1 << 24, /* beyond it, not a lost stretch but another connection's number */
    ANSWER_BYTES = 64, /* shorter answers before an RST do not make a connection */
};

#define RETRY_SLACK (2 * TICK_S) /* retries come late on a loaded host */
#define CLOSE_FLAGS (HS_CLIENT_FIN | HS_SERVER_FIN | HS_CLIENT_RST | HS_SERVER_RST)
#define RST_FLAGS (HS_CLIENT_RST | HS_SERVER_RST)
#define BOTH_FIN (HS_CLIENT_FIN | HS_SERVER_FIN)

typedef struct handshake_result result;

static bool ahead(uint32_t number, uint32_t expected, uint32_t by)
{
    return number - expected < by;
}

static bool around(uint32_t number, uint32_t expected, uint32_t by)
{
    return number - expected + by < 2 * by;
}

static bool acks_isn(const struct handshake_event *e, uint32_t isn)
{
    return (e->flags & TCP_ACK) && ahead(e->ack, isn + 1, NEAR);
}

static bool both_ways(const struct handshake *h)
{
    return h->bytes[CLIENT] && h->bytes[SERVER];
}

tick_t handshake_wait_time(enum handshake_wait w)
{
    static const tick_t times[WAITS] = {
        [WAIT_ANSWER] = DEADLINE_NO_ANSWER,      [WAIT_AFTER_RST] = DEADLINE_AFTER_RST,
        [WAIT_AFTER_ICMP] = DEADLINE_AFTER_ICMP, [WAIT_ACK] = DEADLINE_HALF_OPEN,
        [WAIT_BYTES] = DEADLINE_OPEN_SILENT,     [WAIT_CLOSED] = DEADLINE_AFTER_RST,
        [WAIT_LINGER] = DEADLINE_LINGER,         [WAIT_IDLE] = FLOW_IDLE_CHECK,
        [WAIT_IDLE_MID] = FLOW_IDLE_CHECK,
    };
    return times[w];
}

static void wait_for(struct handshake *h, enum handshake_wait w, result *r)
{
    h->wait = (uint8_t)(w & 15);
    r->rearm = true;
}

static void state_is(struct handshake *h, enum handshake_state s)
{
    h->state = (uint8_t)(s & 15);
}

static void bump(uint16_t *n)
{
    if (*n < UINT16_MAX)
        (*n)++;
}

void handshake_begin(struct handshake *h, tick_t time, uint32_t isn)
{
    *h = (struct handshake){.first = time, .client_isn = isn, .syns = 1};
}

void handshake_adopt(struct handshake *h, tick_t time, uint32_t synack_ack)
{
    *h = (struct handshake){.first = time, .client_isn = synack_ack - 1};
}

void handshake_midstream(struct handshake *h, tick_t time)
{
    *h = (struct handshake){.first = time};
    state_is(h, HS_MIDSTREAM);
    h->wait = WAIT_IDLE_MID;
}

/* The handshake is complete; counting starts at the first byte of each side. */
static void open_up(struct handshake *h, uint32_t server_isn, result *r)
{
    h->server_isn = server_isn;
    h->flags |= HS_PEER_KNOWN | HS_CLIENT_ACKED | HS_SERVER_ACKED;
    h->flags &= (uint16_t) ~(RST_FLAGS | HS_ICMP | HS_CLIENT_HEARD);
    h->bytes[CLIENT] = h->bytes[SERVER] = 0;
    h->next[CLIENT] = h->client_isn + 1;
    h->next[SERVER] = server_isn + 1;
    state_is(h, HS_OPEN);
    wait_for(h, WAIT_BYTES, r);
    r->opens = r->part = true;
}

static void on_syn(struct handshake *h, const struct handshake_event *e, result *r)
{
    if (!e->from_client || e->seq != h->client_isn || !handshake_embryonic(h))
        return;
    if (h->syns && e->time > e->asked)
        h->next[CLIENT] = (uint32_t)((e->time - e->asked) / TICK_MS);
    bump(&h->syns);
    r->asks = r->part = true;
    wait_for(h, h->state == HS_ANSWERED ? WAIT_ACK : WAIT_ANSWER, r);
}

static void on_synack(struct handshake *h, const struct handshake_event *e, result *r)
{
    if (handshake_open(h))
        bump(&h->synacks); /* the server missed the ACK */
    if (h->state == HS_DECIDED && e->ack == h->client_isn + 1) {
        state_is(h, HS_ASKED); /* a late retry got through */
        h->flags |= HS_TOLD;
    }
    if (!handshake_embryonic(h))
        return;
    bump(&h->synacks);
    h->flags |= HS_SERVER_SPOKE;
    r->part = r->rearm = true;
    if (e->ack != h->client_isn + 1) {
        h->flags |= HS_BAD_SYNACK;
        return;
    }
    if (!(h->flags & HS_PEER_KNOWN))
        h->server_isn = e->seq;
    h->other_isn = e->seq;
    r->answers = !(h->flags & HS_SERVER_ACKED);
    h->flags |= HS_PEER_KNOWN | HS_SERVER_ACKED;
    state_is(h, HS_ANSWERED);
    wait_for(h, WAIT_ACK, r);
    /* the ACK may have been captured first, or came as half of a simultaneous open */
    if ((h->flags & HS_CLIENT_ACKED) ||
        ((h->flags & HS_CLIENT_HEARD) && h->next[SERVER] == e->seq + 1))
        open_up(h, e->seq, r);
}

/* A non-SYN segment of the client before the connection is open. */
static void client_speaks(struct handshake *h, const struct handshake_event *e, result *r)
{
    /* SYN-ACK of a simultaneous open has the ISN as its number */
    uint32_t first = e->flags & TCP_SYN ? h->client_isn : h->client_isn + 1;
    if (!(e->flags & TCP_ACK) || !ahead(e->seq, first, NEAR))
        return;
    if (!(h->flags & HS_PEER_KNOWN)) {
        h->flags |= HS_CLIENT_HEARD;
        h->next[SERVER] = e->ack;
        r->part = true;
        return;
    }
    bool known = acks_isn(e, h->server_isn), other = acks_isn(e, h->other_isn);
    if (!known && !other)
        return;
    h->flags |= HS_CLIENT_ACKED;
    r->part = true;
    if (h->flags & HS_SERVER_ACKED)
        open_up(h, other ? h->other_isn : h->server_isn, r);
}

/* A non-SYN segment of the server before the connection is open. */
static void server_speaks(struct handshake *h, const struct handshake_event *e, result *r)
{
    if (!acks_isn(e, h->client_isn))
        return;
    bool has_data = e->len || (e->flags & TCP_FIN);
    if (h->state == HS_ANSWERED) {
        /* it would not send data before the ACK had come */
        if (has_data && ahead(e->seq, h->server_isn + 1, NEAR))
            open_up(h, h->server_isn, r);
        else if (has_data && ahead(e->seq, h->other_isn + 1, NEAR))
            open_up(h, h->other_isn, r);
        return;
    }
    /* the SYN-ACK was not captured, but this answers the SYN all the same */
    bool heard = h->flags & HS_CLIENT_HEARD, acked = h->flags & HS_CLIENT_ACKED;
    uint32_t isn = acked ? h->server_isn : heard ? h->next[SERVER] - 1 : e->seq - 1;
    r->answers = r->part = true;
    h->flags |= HS_SERVER_SPOKE;
    if (heard || acked || has_data) {
        open_up(h, isn, r);
        return;
    }
    h->server_isn = h->other_isn = isn;
    h->flags |= HS_PEER_KNOWN | HS_SERVER_ACKED;
    state_is(h, HS_ANSWERED);
    wait_for(h, WAIT_ACK, r);
}

void handshake_bytes(struct handshake *h, bool from_client, uint32_t seq, uint32_t len)
{
    unsigned side = from_client ? CLIENT : SERVER;
    uint32_t fresh = seq + len - h->next[side];
    if (fresh == 0 || fresh >= HOLE)
        return; /* seen before, or no number of this connection */
    h->bytes[side] += fresh < len ? fresh : len;
    h->next[side] += fresh;
}

static void peek_at(struct handshake *h, const struct handshake_event *e)
{
    /* an error answer is followed by better ones when a check is repeated (487, then success) */
    if (e->peek == PEEK_NOTHING)
        return;
    if (e->from_client && h->peek_out == PEEK_NOTHING)
        h->peek_out = (uint8_t)(e->peek & 15);
    if (!e->from_client && (h->peek_in == PEEK_NOTHING || h->peek_in == PEEK_CHECK_ERROR))
        h->peek_in = (uint8_t)(e->peek & 15);
}

static bool answer_convinces(const struct handshake *h)
{
    if (!both_ways(h) || h->peek_in == PEEK_CHECK_ERROR)
        return false;
    return h->bytes[SERVER] >= ANSWER_BYTES || h->peek_in == PEEK_CHECK_OK ||
           (h->flags & BOTH_FIN) != 0;
}

/* The client closes, and all that it had from the other side is silence: nobody cut it off. */
static void client_gives_up(struct handshake *h)
{
    if (h->state == HS_OPEN && h->peek_out == PEEK_CHECK_REQUEST && !h->bytes[SERVER] &&
        !(h->flags & CLOSE_FLAGS))
        h->flags |= HS_NO_CHECK;
}

/* A segment of an open connection, RST excepted. */
static void on_data(struct handshake *h, const struct handshake_event *e, result *r)
{
    unsigned side = e->from_client ? CLIENT : SERVER;
    uint32_t before = h->next[side];
    handshake_bytes(h, e->from_client, e->seq, e->len);
    bool grew = h->next[side] != before;
    uint16_t rst = e->from_client ? HS_CLIENT_RST : HS_SERVER_RST;
    if (grew && (h->flags & rst)) { /* its sender goes on: the RST was forged */
        h->flags &= (uint16_t)~rst;
        wait_for(h, h->state == HS_LIVE ? WAIT_IDLE : WAIT_BYTES, r);
    }
    if ((e->flags & TCP_FIN) && around(e->seq, before, NEAR)) {
        if (e->from_client)
            client_gives_up(h);
        h->flags |= e->from_client ? HS_CLIENT_FIN : HS_SERVER_FIN;
    }
    if (h->state == HS_OPEN) {
        peek_at(h, e);
        if (answer_convinces(h)) {
            state_is(h, HS_LIVE);
            wait_for(h, WAIT_IDLE, r);
            r->report = HS_PROVISIONAL;
            r->verdict = VERDICT_CONNECTED;
        } else if (grew && h->wait == WAIT_BYTES) {
            r->rearm = true;
        }
    }
    if ((h->flags & BOTH_FIN) == BOTH_FIN && h->wait != WAIT_CLOSED)
        wait_for(h, WAIT_CLOSED, r);
}

static void rst_counts(struct handshake *h, uint16_t flag, enum handshake_wait w, result *r)
{
    bump(&h->rsts);
    h->flags |= flag;
    r->part = true;
    wait_for(h, w, r);
}

static void rst_when_asked(struct handshake *h, const struct handshake_event *e, result *r)
{
    if (e->from_client) {
        if (!ahead(e->seq, h->client_isn, NEAR))
            return;
        h->flags |= HS_CLIENT_RST;
        if ((e->flags & TCP_ACK) && e->ack && !(h->flags & HS_SERVER_SPOKE))
            h->flags |= HS_CLIENT_HEARD;
        r->part = true;
        wait_for(h, WAIT_AFTER_RST, r);
        return;
    }
    h->flags |= HS_SERVER_SPOKE;
    /* RFC 9293 §3.10.7.3: in SYN-SENT only an RST that acknowledges the SYN counts */
    if ((e->flags & TCP_ACK) && e->ack == h->client_isn + 1) {
        r->answers = h->rsts == 0;
        rst_counts(h, 0, WAIT_AFTER_RST, r);
    }
}

static void on_rst(struct handshake *h, const struct handshake_event *e, result *r)
{
    uint16_t flag = e->from_client ? HS_CLIENT_RST : HS_SERVER_RST;
    switch (h->state) {
    case HS_ASKED:
        rst_when_asked(h, e, r);
        break;
    case HS_ANSWERED:
        if (e->from_client ? ahead(e->seq, h->client_isn, NEAR)
                           : ahead(e->seq, h->server_isn, NEAR) || acks_isn(e, h->client_isn))
            rst_counts(h, flag, WAIT_AFTER_RST, r);
        break;
    case HS_OPEN:
    case HS_LIVE:
        if (around(e->seq, h->next[e->from_client ? CLIENT : SERVER], NEAR)) {
            if (e->from_client)
                client_gives_up(h);
            rst_counts(h, flag, WAIT_CLOSED, r);
        }
        r->part &= h->state == HS_OPEN;
        break;
    case HS_MIDSTREAM:
        h->flags |= flag;
        wait_for(h, WAIT_CLOSED, r);
        break;
    default:
        break;
    }
}

static void on_segment(struct handshake *h, const struct handshake_event *e, result *r)
{
    bool syn = e->flags & TCP_SYN;
    if (e->flags & TCP_RST)
        on_rst(h, e, r);
    else if (syn && !(e->flags & TCP_ACK))
        on_syn(h, e, r);
    else if (syn && !e->from_client)
        on_synack(h, e, r);
    else if (handshake_embryonic(h) && e->from_client)
        client_speaks(h, e, r);
    else if (handshake_embryonic(h))
        server_speaks(h, e, r);
    if (handshake_open(h) && !(e->flags & (TCP_SYN | TCP_RST)))
        on_data(h, e, r);
}

static void on_icmp(struct handshake *h, const struct handshake_event *e, result *r)
{
    if (h->state != HS_ASKED || e->seq != h->client_isn)
        return;
    if (!(h->flags & HS_ICMP)) {
        h->icmp_from = *e->icmp_from;
        h->icmp_code = e->icmp_code;
        h->flags |= HS_ICMP;
    }
    r->part = true;
    wait_for(h, WAIT_AFTER_ICMP, r);
}

static enum verdict judge_asked(const struct handshake *h, const struct handshake_event *e)
{
    if (h->rsts)
        return VERDICT_REFUSED;
    if (h->flags & HS_ICMP)
        return VERDICT_UNREACHABLE;
    if (h->flags & HS_BAD_SYNACK)
        return VERDICT_RETRY_CONFLICT;
    if (h->flags & HS_CLIENT_HEARD || h->syns == 0)
        return VERDICT_UNSEEN;
    if (h->flags & HS_CLIENT_RST)
        return h->syns > 1 ? VERDICT_TIMEOUT : VERDICT_SINGLE_SYN;
    if (e->what == HS_END && e->time - h->first < DEADLINE_SINGLE_SYN)
        return VERDICT_UNSEEN; /* an answer may still come */
    return h->syns > 1 ? VERDICT_TIMEOUT : VERDICT_SINGLE_SYN;
}

static enum verdict judge_answered(const struct handshake *h, const struct handshake_event *e)
{
    if (h->flags & HS_CLIENT_RST)
        return VERDICT_RETRY_CONFLICT;
    if (h->syns == 0)
        return VERDICT_UNSEEN; /* nothing of the client is visible */
    if (e->what == HS_END && h->synacks < 2 && e->time - h->first < DEADLINE_SINGLE_SYN)
        return VERDICT_UNSEEN;
    return VERDICT_HALF_OPEN;
}

static enum verdict judge_open(const struct handshake *h, const struct handshake_event *e)
{
    bool answered = both_ways(h) && h->peek_in != PEEK_CHECK_ERROR;
    if ((h->flags & HS_NO_CHECK) && !answered)
        return VERDICT_OPEN_NO_CHECK;
    if (h->flags & CLOSE_FLAGS)
        return answered && !(h->flags & RST_FLAGS) ? VERDICT_CONNECTED : VERDICT_RESET_AFTER_OPEN;
    if (answered)
        return VERDICT_CONNECTED;
    if (e->what == HS_DEADLINE || e->idle >= DEADLINE_OPEN_SILENT)
        return VERDICT_OPEN_NO_CHECK;
    if (h->peek_out == PEEK_CHECK_REQUEST && e->idle >= DEADLINE_SINGLE_SYN)
        return VERDICT_OPEN_NO_CHECK;
    return VERDICT_CONNECTED; /* the handshake is all there was time for */
}

/* The last word: after it the entry holds no attempt any more. */
static void decide(struct handshake *h, enum verdict v, result *r)
{
    r->report = HS_FINAL;
    r->verdict = (uint8_t)v;
    if (v == VERDICT_UNSEEN) { /* one direction may go on, and is worth reading */
        handshake_midstream(h, h->first);
        r->rearm = true;
        return;
    }
    state_is(h, HS_DECIDED);
    wait_for(h, WAIT_LINGER, r);
}

/* Stacks double the time between SYNs, the slowest (Linux) up to 32 s: another may come. */
static bool retry_expected(const struct handshake *h, const struct handshake_event *e)
{
    return h->wait == WAIT_ANSWER && h->syns > 1 &&
           e->time - e->asked < 2 * h->next[CLIENT] * TICK_MS + RETRY_SLACK;
}

static void on_silence(struct handshake *h, const struct handshake_event *e, result *r)
{
    bool last = e->what != HS_DEADLINE;
    switch (h->state) {
    case HS_ASKED:
        if (!last && retry_expected(h, e))
            r->rearm = true;
        else
            decide(h, judge_asked(h, e), r);
        break;
    case HS_ANSWERED:
        decide(h, judge_answered(h, e), r);
        break;
    case HS_OPEN:
        if (!last && h->wait == WAIT_BYTES && !(h->flags & CLOSE_FLAGS)) {
            r->report = HS_PROVISIONAL;
            r->verdict = (uint8_t)judge_open(h, e);
            if (r->verdict == VERDICT_CONNECTED)
                state_is(h, HS_LIVE);
            else
                h->flags |= HS_NO_CHECK;
            wait_for(h, WAIT_IDLE, r);
            break;
        }
        decide(h, judge_open(h, e), r);
        r->over = true;
        break;
    case HS_LIVE:
        decide(h, VERDICT_CONNECTED, r);
        r->over = true;
        break;
    default:
        r->over = true;
    }
    r->over |= last;
}

struct handshake_result handshake_step(struct handshake *h, const struct handshake_event *e)
{
    result r = {.report = HS_QUIET, .verdict = VERDICT_PENDING};
    if (e->what == HS_SEGMENT)
        on_segment(h, e, &r);
    else if (e->what == HS_UNREACH)
        on_icmp(h, e, &r);
    else
        on_silence(h, e, &r);
    if ((h->flags & HS_TOLD) && r.verdict != VERDICT_CONNECTED) {
        r.report = HS_QUIET;
        r.verdict = VERDICT_PENDING;
    }
    return r;
}

bool handshake_fits(const struct handshake *h, const struct handshake_event *e)
{
    if (handshake_open(h))
        return around(e->seq, h->next[e->from_client ? CLIENT : SERVER], HOLE);
    if (!handshake_embryonic(h))
        return false;
    if (e->from_client)
        return ahead(e->seq, h->client_isn, NEAR);
    return (e->flags & TCP_SYN) || acks_isn(e, h->client_isn) ||
           ((h->flags & HS_PEER_KNOWN) && ahead(e->seq, h->server_isn, NEAR));
}
