/* STUN checks and TURN transactions over UDP. See checks.h. */
#include "flows/checks.h"

#include "flows/pages.h"

#include <stdlib.h>

enum { ASKED_KEPT = 4 }; /* newest transactions of a run whose answers give a round trip time */

enum family { BINDING, TURN };

struct transaction {
    uint32_t tag; /* of its id */
    tick_t time;
};

struct run {
    struct endpoint src, dst;
    uint64_t id;
    tick_t first, last, asked;
    struct transaction asks[ASKED_KEPT];
    uint64_t bytes_out, bytes_in;
    int64_t rtt_us;
    struct addr icmp_from;
    uint32_t isn, requests, oks, errors;
    uint32_t evidence;
    uint32_t next;         /* in the chain, or of the free ones */
    uint32_t older, newer; /* in its list */
    int32_t ipid;
    int16_t ttl, icmp_type, icmp_code;
    uint8_t family, wanted, proof, list;
    bool asking;        /* whether it is wanted is asked, not answered */
    bool last_is_error; /* nothing was asked since the last error answer */
};

/* Runs in order of their last request; the first of each list goes first when the table is full. Of
 * those that are asking none goes, and they have room of their own. */
enum list { UNKNOWN_SILENT, UNKNOWN_ANSWERED, WANTED_SILENT, WANTED_ANSWERED, ASKING, LISTS };

struct run_list {
    uint32_t oldest, newest;
};

struct checks {
    struct attempts *attempts;
    struct run *run; /* run 0 is never used */
    uint32_t *index;
    uint32_t most; /* runs that are not asking */
    uint32_t size, grown, free, used, asking, buckets;
    uint64_t seed;
    struct run_list list[LISTS];
};

static void answered(void *checks, uint32_t n, uint64_t id, bool wanted);

struct checks *checks_new(uint32_t runs, uint64_t seed, struct attempts *attempts)
{
    struct checks *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    *c = (struct checks){.attempts = attempts,
                         .most = runs,
                         .size = runs + LIMIT_QUESTIONS + 1,
                         .grown = 1,
                         .buckets = 1,
                         .seed = seed};
    while (c->buckets <= runs / 2)
        c->buckets *= 2;
    c->run = pages_reserve(c->size * sizeof *c->run);
    c->index = pages_reserve(c->buckets * sizeof *c->index);
    if (!c->run || !c->index) {
        checks_free(c);
        return NULL;
    }
    attempts->asker[ASKER_UDP] = (struct answered_hook){c, answered};
    return c;
}

void checks_free(struct checks *c)
{
    if (!c)
        return;
    pages_release(c->run, c->size * sizeof *c->run);
    pages_release(c->index, c->buckets * sizeof *c->index);
    free(c);
}

/* ---- table ---- */

static uint32_t *bucket(const struct checks *c, const struct endpoint *src,
                        const struct endpoint *dst)
{
    return &c->index[endpoint_hash2(src, dst, c->seed) & (c->buckets - 1)];
}

static struct run *find(const struct checks *c, const struct endpoint *src,
                        const struct endpoint *dst, enum family family)
{
    for (uint32_t n = *bucket(c, src, dst); n; n = c->run[n].next) {
        struct run *r = &c->run[n];
        if (r->family == family && endpoint_eq(&r->src, src) && endpoint_eq(&r->dst, dst))
            return r;
    }
    return NULL;
}

static void unlist(struct checks *c, struct run *r)
{
    struct run_list *l = &c->list[r->list];
    if (r->newer)
        c->run[r->newer].older = r->older;
    else
        l->newest = r->older;
    if (r->older)
        c->run[r->older].newer = r->newer;
    else
        l->oldest = r->newer;
}

static void enlist(struct checks *c, struct run *r)
{
    uint32_t n = (uint32_t)(r - c->run);
    r->list = (uint8_t)(r->asking ? ASKING : r->wanted * 2 + (r->oks > 0));
    struct run_list *l = &c->list[r->list];
    r->older = l->newest;
    r->newer = 0;
    while (r->older && c->run[r->older].asked > r->asked) { /* it has changed the list */
        r->newer = r->older;
        r->older = c->run[r->older].older;
    }
    if (r->newer)
        c->run[r->newer].older = n;
    else
        l->newest = n;
    if (r->older)
        c->run[r->older].newer = n;
    else
        l->oldest = n;
}

static void remove_run(struct checks *c, struct run *r)
{
    uint32_t n = (uint32_t)(r - c->run), *link = bucket(c, &r->src, &r->dst);
    while (*link != n)
        link = &c->run[*link].next;
    *link = r->next;
    unlist(c, r);
    evidence_drop(c->attempts->proof[r->wanted], &r->evidence);
    c->used--;
    c->asking -= r->asking;
    r->asking = false;
    r->next = c->free;
    c->free = n;
}

/* ---- verdicts ---- */

static enum verdict judge_silence(const struct run *r, bool end, tick_t now)
{
    if (end && now - r->first < DEADLINE_SINGLE_SYN)
        return VERDICT_UNSEEN; /* an answer may still come */
    return r->requests > 1 ? VERDICT_TIMEOUT : VERDICT_SINGLE_SYN;
}

static enum verdict judge(const struct checks *c, const struct run *r, bool end, tick_t now)
{
    if (r->oks)
        return VERDICT_CONNECTED;
    if (r->errors && r->family == TURN) {
        /* the request with credentials that a 401 asks for was not in the capture */
        bool cut = end && r->last_is_error && now - r->last < DEADLINE_SINGLE_SYN;
        return cut ? VERDICT_UNSEEN : VERDICT_ALLOC_FAIL;
    }
    const struct run *back = find(c, &r->dst, &r->src, BINDING);
    if (r->family == BINDING && back && back->oks)
        return VERDICT_CONNECTED; /* the peer's check was answered */
    if (r->errors)
        return VERDICT_OPEN_NO_CHECK;
    if (r->icmp_type >= 0)
        return VERDICT_UNREACHABLE;
    return judge_silence(r, end, now);
}

static void report(struct checks *c, const struct run *r, enum verdict v, bool final)
{
    bool check = r->family == BINDING;
    struct attempt a = {
        .id = r->id,
        .src = r->src,
        .dst = r->dst,
        .proto = PROTO_UDP,
        .verdict = (uint8_t)v,
        .peek_out = check ? PEEK_CHECK_REQUEST : PEEK_OTHER,
        .again = final && r->oks,
        .wanted = r->wanted,
        .asking = r->asking,
        .isn = r->isn,
        .syns = r->requests,
        .synacks = r->oks + r->errors,
        .first = r->first,
        .last = r->last,
        .rtt_us = r->rtt_us,
        .answer_ttl = r->ttl,
        .answer_ipid = r->ipid,
        .icmp_type = r->icmp_type,
        .icmp_code = r->icmp_code,
        .icmp_from = r->icmp_from,
        .bytes_out = r->bytes_out,
        .bytes_in = r->bytes_in,
        .evidence = attempts_handle(r->evidence, r->wanted),
    };
    if (r->oks || r->errors)
        a.peek_in = !check ? PEEK_OTHER : r->oks ? PEEK_CHECK_OK : PEEK_CHECK_ERROR;
    attempts_report(c->attempts, &a, r->asked, a.synacks || r->icmp_type >= 0, final);
}

/* What is to happen to the run depends on it. */
static void want_answer(struct checks *c, const struct run *r)
{
    if (r->asking)
        attempts_answers(c->attempts, r->id);
}

static void end_run(struct checks *c, struct run *r, bool end, tick_t now)
{
    want_answer(c, r);
    report(c, r, judge(c, r, end, now), true);
    remove_run(c, r);
}

static struct run *first_due(const struct checks *c)
{
    struct run *first = NULL;
    for (int i = 0; i < LISTS; i++) {
        struct run *r = c->list[i].oldest ? &c->run[c->list[i].oldest] : NULL;
        if (r && (!first || r->asked < first->asked))
            first = r;
    }
    return first;
}

tick_t checks_due(const struct checks *c)
{
    const struct run *r = first_due(c);
    return r ? r->asked + DEADLINE_CHECK : INT64_MAX;
}

void checks_fire(struct checks *c)
{
    struct run *r = first_due(c);
    if (r)
        end_run(c, r, false, r->asked + DEADLINE_CHECK);
}

void checks_finish(struct checks *c, tick_t now)
{
    struct run *r;
    while ((r = first_due(c)))
        end_run(c, r, true, now);
}

/* ---- packets ---- */

/* For one more that is not asking. */
static void make_room(struct checks *c)
{
    unsigned i = UNKNOWN_SILENT;
    if (c->used - c->asking < c->most)
        return;
    while (!c->list[i].oldest)
        i++;
    struct run *old = &c->run[c->list[i].oldest];
    c->attempts->counts.evicted_checks++;
    if (old->oks || old->errors || old->wanted)
        report(c, old, judge(c, old, true, old->asked), true);
    remove_run(c, old);
}

static void answered(void *checks, uint32_t n, uint64_t id, bool wanted)
{
    struct checks *c = checks;
    struct run *r = &c->run[n];
    if (!r->asking || r->id != id)
        return; /* it is over */
    make_room(c);
    unlist(c, r);
    c->asking--;
    r->asking = false;
    r->wanted = wanted;
    enlist(c, r);
    if (wanted) {
        evidence_move(c->attempts->proof[0], c->attempts->proof[1], &r->evidence);
    } else if (!attempts_proof(c->attempts, &r->src, false, r->first)) {
        evidence_drop(c->attempts->proof[0], &r->evidence);
        r->proof = 0;
    }
}

static struct run *take(struct checks *c, const struct endpoint *src, const struct endpoint *dst)
{
    uint32_t n = c->free;
    if (n)
        c->free = c->run[n].next;
    else
        n = c->grown++; /* there is room: of those that ask, only so many are waited for */
    uint32_t *head = bucket(c, src, dst);
    c->run[n] = (struct run){.src = *src, .dst = *dst, .next = *head};
    *head = n;
    c->used++;
    return &c->run[n];
}

/* The transaction id in 32 bits, to tell a run's own transactions apart. */
static uint32_t tag_of(const uint8_t id[16])
{
    return be32(id) ^ be32(id + 4) ^ be32(id + 8) ^ be32(id + 12);
}

static uint32_t random_bits(const struct stun_msg *m)
{
    return be32(m->dialect == STUN_RFC ? m->id + 4 : m->id); /* RFC 5389: after the cookie */
}

static void keep_proof(struct checks *c, struct run *r, const struct packet *p)
{
    if (r->proof && !r->oks)
        evidence_keep(c->attempts->proof[r->wanted], &r->evidence, &p->raw);
}

static struct run *new_run(struct checks *c, const struct packet *p, enum family family, tick_t now)
{
    enum wanted wanted;
    uint64_t id = attempts_begin(c->attempts, &p->src, &p->dst, &wanted);
    if (wanted != WANTED_LATER)
        make_room(c);
    struct run *r = take(c, &p->src, &p->dst);
    r->family = (uint8_t)family;
    r->id = id;
    r->wanted = wanted == WANTED_YES;
    r->asking = wanted == WANTED_LATER;
    c->asking += r->asking;
    if (r->asking)
        attempts_asking(c->attempts, ASKER_UDP, id, (uint32_t)(r - c->run));
    r->proof = r->asking || attempts_proof(c->attempts, &p->src, r->wanted, now);
    r->first = r->last = p->time;
    r->asked = now;
    r->rtt_us = r->ipid = r->ttl = r->icmp_type = r->icmp_code = -1;
    enlist(c, r);
    return r;
}

static void on_request(struct checks *c, const struct packet *p, const struct stun_msg *m,
                       enum family family, tick_t now)
{
    struct run *r = find(c, &p->src, &p->dst, family);
    uint32_t tag = tag_of(m->id);
    if (!r)
        r = new_run(c, p, family, now);
    if (r->requests++ == 0)
        r->isn = random_bits(m);
    unlist(c, r);
    r->asked = now;
    enlist(c, r);
    if (p->time > r->last)
        r->last = p->time;
    if (r->asks[0].tag != tag || r->requests == 1) {
        memmove(r->asks + 1, r->asks, sizeof r->asks - sizeof *r->asks);
        r->asks[0].tag = tag;
    }
    r->asks[0].time = p->time;
    r->bytes_out += p->payload_len;
    r->last_is_error = false;
    keep_proof(c, r, p);
}

static void note_first_answer(struct run *r, const struct packet *p, const struct stun_msg *m)
{
    uint32_t tag = tag_of(m->id);
    r->ttl = p->ttl;
    r->ipid = addr_is_v4(&p->src.addr) ? p->ip_id : -1;
    for (unsigned i = 0; i < ASKED_KEPT && i < r->requests; i++)
        if (r->asks[i].tag == tag && p->time >= r->asks[i].time) {
            r->rtt_us = (p->time - r->asks[i].time) / TICK_US;
            return;
        }
}

static void on_answer(struct checks *c, const struct packet *p, const struct stun_msg *m,
                      enum family family, bool ok)
{
    struct run *r = find(c, &p->dst, &p->src, family);
    if (!r)
        return;
    if (!r->oks && !r->errors) {
        note_first_answer(r, p, m);
        hosts_heard(c->attempts->hosts, &r->src.addr);
        hosts_heard(c->attempts->hosts, &r->dst.addr);
    }
    if (p->time > r->last)
        r->last = p->time;
    r->bytes_in += p->payload_len;
    r->last_is_error = !ok;
    if (!ok) {
        r->errors++;
        keep_proof(c, r, p);
        return;
    }
    if (r->oks++ > 0)
        return;
    evidence_drop(c->attempts->proof[r->wanted], &r->evidence);
    unlist(c, r);
    enlist(c, r);
    report(c, r, VERDICT_CONNECTED, false);
}

void checks_stun(struct checks *c, const struct packet *p, const struct stun_msg *m, tick_t now)
{
    switch (m->kind) {
    case STUN_BINDING_REQ:
        on_request(c, p, m, BINDING, now);
        break;
    case STUN_BINDING_OK:
    case STUN_BINDING_ERR:
        on_answer(c, p, m, BINDING, m->kind == STUN_BINDING_OK);
        break;
    case STUN_ALLOCATE_REQ:
    case STUN_REFRESH_REQ:
    case STUN_PERMISSION_REQ:
    case STUN_CHANNEL_REQ:
    case STUN_ACTIVE_DEST_REQ:
        on_request(c, p, m, TURN, now);
        break;
    case STUN_ALLOCATE_OK:
    case STUN_REFRESH_OK:
    case STUN_PERMISSION_OK:
    case STUN_CHANNEL_OK:
    case STUN_ACTIVE_DEST_OK:
        on_answer(c, p, m, TURN, true);
        break;
    case STUN_ALLOCATE_ERR:
    case STUN_REFRESH_ERR:
    case STUN_PERMISSION_ERR:
    case STUN_CHANNEL_ERR:
    case STUN_ACTIVE_DEST_ERR:
        on_answer(c, p, m, TURN, false);
        break;
    default:
        return; /* indications, MS Send and Data, connects of RFC 6062: nobody answers these here */
    }
    c->attempts->counts.udp_checks++;
}

/* Is what an ICMP error quotes one of our requests, as far as it shows? */
static bool may_be_request(struct slice quoted)
{
    return quoted.n < 2 || (be16(quoted.p) & 0xc110) == 0; /* RFC 8489 §5: class bits */
}

bool checks_icmp(struct checks *c, const struct packet *p)
{
    const struct quoted *q = &p->quoted;
    bool known = false;
    if (!may_be_request(q->udp_payload))
        return false;
    for (int family = BINDING; family <= TURN; family++) {
        struct run *r = find(c, &q->src, &q->dst, (enum family)family);
        if (!r)
            continue;
        known = true;
        keep_proof(c, r, p);
        if (p->time > r->last)
            r->last = p->time;
        if (r->icmp_type >= 0)
            continue;
        r->icmp_type = p->icmp_type;
        r->icmp_code = p->icmp_code;
        r->icmp_from = p->src.addr;
    }
    return known;
}
