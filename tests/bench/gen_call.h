/*
 * One generated call: a desktop sharing between a user of the monitored site, whose client holds a
 * relay port at one of the site's Edges, and a federated user with a relay of his own.
 */
#ifndef EW_BENCH_GEN_CALL_H
#define EW_BENCH_GEN_CALL_H

#include "pcaps/make/turn.h"
#include "tests/bench/gen.h"

enum { EDGES = 8, TRUNKS = 16, UFRAG = 5, CALL_ID = 33, SIP_MAX = 8192 };

enum gen_verdict { GEN_CONNECTED, GEN_REFUSED, GEN_TIMEOUT, GEN_UNREACHABLE, GEN_RESET, GEN_HALF };
enum { GEN_VERDICTS = GEN_HALF + 1 };

/* A long-lived signaling connection: side 0 = front end, side 1 = Edge. */
struct trunk {
    struct flow flow;
    int last_sender;
    bool unanswered; /* the last sender has sent something not yet acknowledged by a packet */
};

struct call {
    uint32_t serial;
    uint8_t step, op, edge, attempts;
    bool inbound, again, early_answer, retry, retry_reversed, reversed;
    enum gen_verdict verdict, retry_verdict;
    int64_t rtt, media_gap;
    uint32_t media_left;
    uint64_t random;
    struct endpoint4 client, relay, relay_wire, peer; /* relay is its public address */
    struct flow control, media;
    struct turn turn;
    uint8_t check_id[16];
    char call_id[CALL_ID], ufrag[2][UFRAG]; /* ufrag 0: ours */
};

struct gen_site {
    struct gen *gen;
    int64_t begun;
    struct call *calls; /* slots; free ones are listed in free_slots */
    uint32_t *free_slots;
    uint32_t slots, free_count, started, running, running_max;
    uint16_t next_port[EDGES];
    struct trunk trunks[TRUNKS];
    uint64_t sip_messages, candidates, allocations, attempts[GEN_VERDICTS], failed_pairs;
};

/* gen_sip.c: each appends one message to b and counts candidates */
void sip_invite(struct buf *b, struct gen_site *s, const struct call *c);
void sip_trying(struct buf *b, const struct call *c);
void sip_ringing(struct buf *b, struct gen_site *s, const struct call *c);
void sip_ok(struct buf *b, struct gen_site *s, const struct call *c);
void sip_ack(struct buf *b, const struct call *c);
void sip_bye(struct buf *b, const struct call *c, bool failed);
void sip_bye_ok(struct buf *b, const struct call *c);

/* gen_media.c: the steps of a call after the answer; each returns the time to the next step */
int64_t media_attempt(struct gen_site *s, struct call *c);
int64_t media_check(struct gen_site *s, struct call *c);
int64_t media_check_answer(struct gen_site *s, struct call *c);
int64_t media_activate(struct gen_site *s, struct call *c);
int64_t media_flow(struct gen_site *s, struct call *c);
int64_t media_close(struct gen_site *s, struct call *c);
void control_send(struct gen_site *s, struct call *c, int side, unsigned type, const struct buf *b);
bool call_connected(const struct call *c);
const char *gen_verdict_name(enum gen_verdict v);

/* gen_noise.c: traffic that is none of the monitor's business */
struct noise_pool;
struct noise_pool *noise_new(struct gen *g);
void noise_free(struct noise_pool *p);
void noise_spawn(struct noise_pool *p, int64_t when);
void noise_step(struct noise_pool *p, uint32_t actor);

/* gen_scan.c: one SYN of the scan, and the next one into the queue while any are left */
void scan_step(struct gen *g);

enum event_kind { EVENT_ARRIVAL, EVENT_CALL, EVENT_NOISE, EVENT_SCAN };

#endif
