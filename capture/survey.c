/* Counting what a span port delivers. See survey.h. */
#include "capture/survey.h"

#include <stdlib.h>

enum { IFACES = 64, VLANS = 4096, PROBES = 8 };

struct conversation {
    uint64_t hash; /* 0 = free */
    uint32_t sent[2];
};

struct seen_addr {
    struct addr addr;
    bool used;
    struct survey_addr n;
};

struct survey {
    struct survey_facts facts;
    uint8_t vlans[VLANS / 8];
    tick_t newest[IFACES];
    tick_t second; /* of the peak under way */
    uint64_t second_frames, second_bytes;
    struct conversation conversations[SURVEY_CONVERSATIONS];
    struct seen_addr addrs[SURVEY_ADDRS];
};

struct survey *survey_new(void)
{
    struct survey *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->facts.first = s->facts.last = s->second = TICK_NONE;
    for (int i = 0; i < IFACES; i++)
        s->newest[i] = TICK_NONE;
    return s;
}

void survey_free(struct survey *s)
{
    free(s);
}

/* ---- time ---- */

static void note_step(struct survey_facts *f, tick_t step)
{
    uint64_t *count = step < -TICK_S         ? &f->steps_back
                      : step > 3600 * TICK_S ? &f->steps_ahead
                                             : NULL;
    if (!count)
        return;
    (*count)++;
    if (llabs(step) > llabs(f->largest_step))
        f->largest_step = step;
}

static void note_time(struct survey *s, const struct raw_packet *raw)
{
    struct survey_facts *f = &s->facts;
    tick_t *newest = &s->newest[raw->iface % IFACES];
    if (*newest != TICK_NONE)
        note_step(f, raw->time - *newest);
    *newest = raw->time;
    if (f->first == TICK_NONE || raw->time < f->first)
        f->first = raw->time;
    if (f->last == TICK_NONE || raw->time > f->last)
        f->last = raw->time;
    tick_t second = raw->time / TICK_S;
    if (second != s->second) {
        s->second = second;
        s->second_frames = s->second_bytes = 0;
    }
    s->second_bytes += raw->len;
    if (++s->second_frames > f->peak_frames)
        f->peak_frames = s->second_frames;
    if (s->second_bytes > f->peak_bytes)
        f->peak_bytes = s->second_bytes;
}

/* ---- who talks to whom ---- */

static struct seen_addr *addr_slot(struct survey *s, const struct addr *a)
{
    struct endpoint e = {.addr = *a};
    uint64_t h = endpoint_hash(&e, 0);
    for (unsigned i = 0; i < PROBES; i++) {
        struct seen_addr *slot = &s->addrs[(h + i) % SURVEY_ADDRS];
        if (!slot->used || addr_eq(&slot->addr, a))
            return slot;
    }
    return NULL;
}

static void note_addr(struct survey *s, const struct addr *a, bool sent)
{
    struct seen_addr *slot = addr_slot(s, a);
    if (!slot)
        return;
    slot->used = true;
    slot->addr = *a;
    if (sent)
        slot->n.sent++;
    else
        slot->n.received++;
}

struct survey_addr survey_addr(const struct survey *s, const struct addr *a)
{
    const struct seen_addr *slot = addr_slot((struct survey *)(uintptr_t)s, a);
    return slot && slot->used ? slot->n : (struct survey_addr){0};
}

/* A connection's two directions meet in one entry: its ends in canonical order. */
static void note_conversation(struct survey *s, const struct packet *p)
{
    bool back = endpoint_cmp(&p->src, &p->dst) > 0;
    const struct endpoint *low = back ? &p->dst : &p->src, *high = back ? &p->src : &p->dst;
    uint64_t h = endpoint_hash2(low, high, 0) | 1;
    for (unsigned i = 0; i < PROBES; i++) {
        struct conversation *c = &s->conversations[(h / 2 + i) % SURVEY_CONVERSATIONS];
        if (c->hash && c->hash != h)
            continue;
        c->hash = h;
        if (c->sent[back] < UINT32_MAX)
            c->sent[back]++;
        return;
    }
}

static void note_packet(struct survey *s, const struct packet *p)
{
    struct survey_facts *f = &s->facts;
    f->tcp += p->proto == PROTO_TCP;
    f->udp += p->proto == PROTO_UDP;
    f->icmp += p->proto == PROTO_ICMP || p->proto == PROTO_ICMP6;
    f->tunneled += p->tunnels > 0;
    if (p->vlan) {
        uint16_t vlan = p->vlan % VLANS;
        f->tagged++;
        s->vlans[vlan / 8] |= (uint8_t)(1 << vlan % 8);
    }
    note_addr(s, &p->src.addr, true);
    note_addr(s, &p->dst.addr, false);
    if (p->proto == PROTO_TCP)
        note_conversation(s, p);
}

/* ---- frames ---- */

static void note_size(struct survey_facts *f, const struct raw_packet *raw)
{
    f->frames++;
    f->bytes += raw->len;
    f->long_frames += raw->len > SURVEY_LARGEST;
    if (raw->len > f->longest)
        f->longest = raw->len;
    if (raw->caplen >= raw->len)
        return;
    f->cut++;
    if (raw->caplen > f->cut_to)
        f->cut_to = raw->caplen;
}

void survey_frames(struct survey *s, const struct raw_packet *raw, unsigned n)
{
    struct packet p;
    struct fragment fragment;
    for (unsigned i = 0; i < n; i++) {
        note_size(&s->facts, &raw[i]);
        note_time(s, &raw[i]);
        switch (frame_decode(&raw[i], &p, &fragment)) {
        case FRAME_PACKET:
            note_packet(s, &p);
            break;
        case FRAME_FRAGMENT:
            s->facts.fragments++;
            break;
        case FRAME_OTHER:
            s->facts.not_ip++;
            break;
        case FRAME_NO_LINK:
        case FRAME_BAD:
            s->facts.undecoded++;
            break;
        }
    }
}

static void sum_vlans(const struct survey *s, struct survey_facts *out)
{
    for (uint16_t v = 1; v < VLANS; v++) {
        if (!(s->vlans[v / 8] >> v % 8 & 1))
            continue;
        out->vlan_low = out->vlans ? out->vlan_low : v;
        out->vlan_high = v;
        out->vlans++;
    }
}

void survey_facts(const struct survey *s, struct survey_facts *out)
{
    *out = s->facts;
    sum_vlans(s, out);
    for (unsigned i = 0; i < SURVEY_CONVERSATIONS; i++) {
        const uint32_t *sent = s->conversations[i].sent;
        if (!s->conversations[i].hash)
            continue;
        out->conversations++;
        bool talk = (uint64_t)sent[0] + sent[1] >= SURVEY_TALK;
        out->talks += talk;
        out->one_way += talk && (!sent[0] || !sent[1]);
    }
}
