/* A tracker under test. See tracker_lab.h. */
#include "tests/help/tracker_lab.h"

#include <stdlib.h>

static const uint8_t frame[64]; /* what evidence keeps of each packet */

tick_t lab_at(double seconds)
{
    return 1400000000 * TICK_S + (tick_t)(seconds * 1e6 + 0.5) * TICK_US;
}

static bool wanted(void *arg, const struct endpoint *src, const struct endpoint *dst)
{
    const struct tracker_lab *l = arg;
    return l->wanted && (addr_eq(&src->addr, l->wanted) || addr_eq(&dst->addr, l->wanted));
}

static enum wanted ask(void *arg, uint64_t id, const struct endpoint *src,
                       const struct endpoint *dst)
{
    struct tracker_lab *l = arg;
    l->answers[id % LIMIT_QUESTIONS] = id << 1 | wanted(arg, src, dst);
    return WANTED_LATER;
}

/* Each is fetched once, in order, and before it is overwritten. */
static bool answer(void *arg, uint64_t id)
{
    struct tracker_lab *l = arg;
    uint64_t said = l->answers[id % LIMIT_QUESTIONS];
    if (said >> 1 != id || id <= l->fetched)
        abort();
    l->fetched = id;
    return said & 1;
}

static void reported(void *arg, const struct attempt *told, bool final)
{
    struct tracker_lab *l = arg;
    struct evidence proof[ATTEMPT_MAX_EVIDENCE];
    struct attempt asked = *told, *a = &asked;
    if (l->late && a->asking)
        a->wanted = l->answers[a->id % LIMIT_QUESTIONS] == (a->id << 1 | 1);
    a->asking = false;
    if (l->late)
        a->wanted = a->wanted || wanted(arg, &a->src, &a->dst);
    if (l->wanted && !a->wanted) {
        l->strangers++;
        return;
    }
    if (l->reports < LAB_REPORTS) {
        l->report[l->reports] = *a;
        l->final[l->reports] = final;
        l->proofs[l->reports] = tracker_evidence(l->tracker, a->evidence, proof);
    }
    l->reports++;
    l->by_verdict[a->verdict] += final;
}

static void flow_over(void *arg, struct flow *f)
{
    struct tracker_lab *l = arg;
    f->stream = 0;
    l->flows_over++;
}

static void lab_open(struct tracker_lab *l, uint32_t flows, uint32_t checks, bool late)
{
    const struct tracker_hooks hooks = {.arg = l,
                                        .wanted = wanted,
                                        .ask = late ? ask : NULL,
                                        .answer = answer,
                                        .attempt = reported,
                                        .flow_over = flow_over};
    memset(l, 0, sizeof *l);
    l->late = late;
    l->tracker = tracker_new(flows, checks, 1, &hooks);
    if (!l->tracker)
        abort();
}

void tracker_lab_open(struct tracker_lab *l, uint32_t flows, uint32_t checks)
{
    lab_open(l, flows, checks, false);
}

void tracker_lab_open_late(struct tracker_lab *l, uint32_t flows, uint32_t checks)
{
    lab_open(l, flows, checks, true);
}

void tracker_lab_close(struct tracker_lab *l)
{
    tracker_free(l->tracker);
    l->tracker = NULL;
}

struct endpoint lab_end(const char *text)
{
    struct endpoint e;
    if (!endpoint_parse(slice_str(text), &e))
        abort();
    return e;
}

static struct packet packet(double at, const char *src, const char *dst, uint8_t proto)
{
    struct packet p = {.time = lab_at(at),
                       .src = lab_end(src),
                       .dst = lab_end(dst),
                       .proto = proto,
                       .ttl = 57,
                       .ip_id = 4711};
    p.raw = (struct raw_packet){
        .time = p.time, .data = frame, .caplen = sizeof frame, .len = sizeof frame, .linktype = 1};
    return p;
}

struct packet lab_tcp(double at, const char *src, const char *dst, uint8_t flags, uint32_t seq,
                      uint32_t ack, uint32_t len)
{
    struct packet p = packet(at, src, dst, PROTO_TCP);
    p.flags = flags;
    p.seq = seq;
    p.ack = ack;
    p.payload_len = len;
    return p;
}

struct flow_ref lab_segment(struct tracker_lab *l, double at, const char *src, const char *dst,
                            uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    struct packet p = lab_tcp(at, src, dst, flags, seq, ack, len);
    return tracker_tcp(l->tracker, &p);
}

struct flow_ref lab_payload(struct tracker_lab *l, double at, const char *src, const char *dst,
                            uint32_t seq, uint32_t ack, struct slice payload)
{
    struct packet p = lab_tcp(at, src, dst, TCP_ACK | TCP_PSH, seq, ack, (uint32_t)payload.n);
    p.payload = payload;
    return tracker_tcp(l->tracker, &p);
}

void lab_handshake(struct tracker_lab *l, double at, const char *src, const char *dst)
{
    lab_segment(l, at, src, dst, LAB_SYN, 100, 0, 0);
    lab_segment(l, at + 0.010, dst, src, LAB_SYNACK, 900, 101, 0);
    lab_segment(l, at + 0.020, src, dst, TCP_ACK, 101, 901, 0);
}

void lab_icmp(struct tracker_lab *l, double at, const char *router, uint8_t type, uint8_t code,
              uint8_t proto, const char *src, const char *dst, uint32_t seq)
{
    struct packet p = packet(at, router, src, PROTO_ICMP);
    if (!addr_is_v4(&p.dst.addr))
        p.proto = PROTO_ICMP6;
    p.src.port = p.dst.port = 0;
    p.icmp_type = type;
    p.icmp_code = code;
    p.quoted = (struct quoted){
        .valid = true, .proto = proto, .src = lab_end(src), .dst = lab_end(dst), .seq = seq};
    tracker_icmp(l->tracker, &p);
}

void lab_stun(struct tracker_lab *l, double at, const char *src, const char *dst, uint16_t type,
              uint8_t id)
{
    const uint8_t bytes[20] = {
        (uint8_t)(type >> 8), (uint8_t)type, 0, 0, 0x21, 0x12, 0xa4, 0x42, id, 1, 2, 3};
    struct packet p = packet(at, src, dst, PROTO_UDP);
    struct stun_msg m;
    p.payload = slice_of(bytes, sizeof bytes);
    p.payload_len = sizeof bytes;
    if (stun_parse(p.payload, true, &m, NULL) != WIRE_OK)
        abort();
    tracker_stun(l->tracker, &p, &m);
}

void lab_finish(struct tracker_lab *l, double at)
{
    tracker_finish(l->tracker, lab_at(at));
}

const struct attempt *lab_last(const struct tracker_lab *l)
{
    if (!l->reports || l->reports > LAB_REPORTS)
        abort();
    return &l->report[l->reports - 1];
}
