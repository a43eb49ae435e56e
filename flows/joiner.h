/*
 * Joins attempts, calls and allocations in whatever order they come, and says what failed.
 *
 * Owners keep the fact objects and tell the joiner when they change; the joiner keeps indexes by
 * endpoint and by relay port, the attempts that nothing explains yet, and per call or allocation
 * the pairs tried. A failure is emitted when its pair's verdict is known, emitted again with the
 * same id when something about it changes, and withdrawn if the pair connects after all. Live
 * reading, offline reading and rejoin over a database all go through here.
 */
#ifndef EW_FLOWS_JOINER_H
#define EW_FLOWS_JOINER_H

#include "flows/matcher.h"

struct joiner;
struct finding;

/* How addresses and identifiers will be stored, where that is not as they are. An answer of id()
 * lives until the next call. */
struct joiner_veil {
    void *arg;
    void (*addr)(void *arg, struct addr *a);
    const char *(*id)(void *arg, const char *s);
};

struct joiner_config {
    const char *sensor;               /* part of event_id */
    const struct fact_alias *aliases; /* configured ones */
    unsigned n_aliases;
    const struct addr *edges; /* configured --edge */
    unsigned n_edges;
    uint16_t relay_low, relay_high; /* --relay-ports */
    uint64_t seed;
    const struct joiner_veil *veil; /* lent; event_id is made of what will be stored. NULL: none */
};

struct joiner_hooks {
    void *arg;
    /* New, or changed (same id), with its findings, likeliest first (they replace earlier ones of
     * that id). All lent. */
    void (*failure)(void *arg, const struct failure *f, const struct finding *list, unsigned n);
    /* The pair connected after all. */
    void (*failure_gone)(void *arg, int64_t id);
    /* The attempt belongs to that failure (attempts.failure_id). */
    void (*attempt_failure)(void *arg, uint64_t attempt, int64_t failure);
    void (*alias)(void *arg, const struct fact_alias *a);
};

struct joiner_counts {
    uint64_t orphans_evicted, pairs_dropped, strangers_suppressed;
};

struct joiner *joiner_new(const struct joiner_config *c, const struct joiner_hooks *h);
void joiner_free(struct joiner *j);

/* Edges, relay ports and aliases of c take effect from now on, and c's lists are lent from now on.
 * Its sensor and seed are not looked at: they are part of what is there. Aliases are added; one
 * that c no longer names stays until the end of the run, as what it explained does. */
void joiner_reconfigure(struct joiner *j, const struct joiner_config *c);

/* A call appeared or its SDP, status or diagnostics changed. Idempotent. */
void joiner_call(struct joiner *j, struct fact_call *c);
/* Only its status or times changed: what is claimed of its pairs is told anew, but nothing that
 * joins them to it has changed. */
void joiner_call_status(struct joiner *j, struct fact_call *c);
/* The call is over (and its grace has passed): last judgement (not-tried, unseen, outcome). */
void joiner_call_over(struct joiner *j, struct fact_call *c);
/* The owner is about to free it. */
void joiner_call_forget(struct joiner *j, struct fact_call *c);

void joiner_allocation(struct joiner *j, struct fact_allocation *a);
void joiner_allocation_over(struct joiner *j, struct fact_allocation *a);
void joiner_allocation_forget(struct joiner *j, struct fact_allocation *a);

/* What an attempt turned out to be to us: what is stored of it and counted depends on that. */
enum attempt_use {
    ATTEMPT_STRANGER, /* nobody we know */
    ATTEMPT_WAITING,  /* signaling may yet explain it */
    ATTEMPT_VISITOR,  /* a stranger's at a known relay: anybody can send those */
    ATTEMPT_CLIENT,   /* a client's way to its relay server */
    ATTEMPT_RELAY,    /* of a negotiated pair, or a known relay's own */
};

/* An attempt was decided; a connected one comes twice, the second time when its flow ended. */
enum attempt_use joiner_attempt(struct joiner *j, const struct attempt *a);

/* For attempts that are known ahead: steps that ask early for the memory joiner_attempt() will
 * need, each of use some attempts after the one before. The first says what the others are to look
 * for. */
struct joiner_hint {
    uint64_t key[2]; /* of the ends; 0 = nobody knows such a port */
    uint16_t port[2];
};
void joiner_hint(const struct joiner *j, const struct endpoint *src, const struct endpoint *dst,
                 struct joiner_hint *out);
void joiner_hint_owners(const struct joiner *j, const struct joiner_hint *h);
void joiner_hint_media(const struct joiner *j, const struct joiner_hint *h);
void joiner_hint_ports(const struct joiner *j, const struct joiner_hint *h);
void joiner_hint_candidates(const struct joiner *j, const struct joiner_hint *h);

/* For a call whose description comes: that it names this endpoint, as a host's own address or not.
 */
void joiner_hint_endpoint(const struct joiner *j, const struct endpoint *e, bool host);
/* The same of all that a side names. */
void joiner_hint_side(const struct joiner *j, const struct fact_side *f);
/* For calls and allocations that will be over or forgotten soon, join being what the joiner left in
 * them: its state of them first, and some later the places of the indexes where they stand. */
void joiner_hint_scope(const void *join);
void joiner_hint_forget(const struct joiner *j, const void *join);

enum { TROUBLE_DETAIL = 320, TROUBLE_PARTNER = 96 };

/* A connection to a relay or between SIP servers failed above TCP: pseudo-TLS or TLS. */
struct relay_trouble {
    struct endpoint client, server;
    tick_t first, last;
    uint8_t verdict; /* VERDICT_PSEUDOTLS_FAIL or VERDICT_TLS_FAIL */
    uint32_t isn;
    int instead;                   /* enum tls_instead */
    bool signaling;                /* a SIP/TLS connection, not a relay's */
    char detail[TROUBLE_DETAIL];   /* who complained about what, "" = not known */
    char partner[TROUBLE_PARTNER]; /* the far end by its certificate, "" = not known */
};
void joiner_relay_trouble(struct joiner *j, const struct relay_trouble *t);

/* Is the endpoint pair of interest to the tracker (hooks.wanted)? Not if all that is known is an
 * Edge that SYNs are sent to: anybody can do that, and what is wanted pushes out other flows. */
bool joiner_wanted(struct joiner *j, const struct endpoint *src, const struct endpoint *dst);
/* Is this the server side of relay control (known TURN server)? */
bool joiner_relay_server(const struct joiner *j, const struct endpoint *e);
bool joiner_configured_edge(const struct joiner *j, const struct addr *a);
/* A host address of a relay or configured Edge, public or private. */
bool joiner_relay_addr(const struct joiner *j, const struct addr *a);

void joiner_aliases(const struct joiner *j, const struct fact_alias **list, unsigned *n);
void joiner_counts(const struct joiner *j, struct joiner_counts *out);

#endif
