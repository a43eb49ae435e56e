/*
 * What was negotiated and allocated, as the matcher sees it: calls with their media and candidates,
 * relay allocations with the peers they were told to reach, aliases. Plain records: who fills them
 * (session.c from the wire, rejoin.c from the database) owns them and every text and array in them.
 * Texts are NUL-terminated, NULL = unknown. Ticks may be TICK_NONE.
 */
#ifndef EW_FLOWS_FACTS_H
#define EW_FLOWS_FACTS_H

#include "capture/endpoint.h"
#include "capture/tick.h"

enum call_side { SIDE_OFFER, SIDE_ANSWER, CALL_SIDES };

struct fact_candidate {
    struct endpoint at;      /* addr none when the address is a name */
    struct endpoint related; /* raddr/rport */
    uint32_t priority;
    uint16_t component;
    uint8_t transport, type, dialect; /* enums of wire/sdp.h */
    const char *foundation;
    const char *name; /* FQDN or mDNS instead of an address */
};

/* One side's description of one medium. */
struct fact_side {
    bool present;           /* the side described this medium */
    bool rejected;          /* m= port 0 */
    bool tcp;               /* default address is for TCP */
    struct endpoint preset; /* c= address, m= port: the default candidate */
    tick_t told, added; /* first description, and the last one that had new addresses; of a present
                           side from a log or the engine, TICK_NONE from elsewhere */
    const char *ufrag;
    struct fact_candidate *candidates;
    uint16_t *ports; /* of the candidates once more, side by side: a dozen candidates are as many
                        cache lines. NULL: nobody laid them out */
    uint16_t n_candidates, room;
};

/* From i on the first candidate that may be at this port: one of an active candidate (9 or 0) says
 * nothing. */
static inline unsigned fact_next_at(const struct fact_side *s, unsigned i, uint16_t port)
{
    while (s->ports && i < s->n_candidates && s->ports[i] != port && s->ports[i] != 9 &&
           s->ports[i] != 0)
        i++;
    return i;
}

struct fact_media {
    const char *medium; /* contract's word: "audio", "applicationsharing" ... */
    struct fact_side side[CALL_SIDES];
    bool concluded; /* a=remote-candidates seen: ICE finished (P§2.3) */
};

struct ms_diag;

struct fact_diag {
    tick_t seen;
    const char *header; /* "ms-client-diagnostics" as on the wire, lower case */
    uint32_t code;
    const char *reason;
    const char *side;   /* "caller", "callee" or NULL */
    const char *medium; /* contract's word */
    bool has_icewarn;
    uint32_t icewarn;
    const char *value;          /* the whole header value (no secrets in it) */
    const struct ms_diag *said; /* value taken apart, NULL: match_said() does so each time */
};

enum call_outcome { CALL_UNKNOWN, CALL_CONNECTED, CALL_FAILED };

struct fact_call {
    int64_t id; /* run-unique, from 1 */
    const char *call_id;
    const char *caller, *callee; /* SIP URIs without parameters */
    const char *conversation_id;
    const char *origin; /* "wire", or a log's or feed's name */
    tick_t started, answered, ended;
    int status;      /* final SIP status of the INVITE, 0 = none */
    uint8_t outcome; /* enum call_outcome */
    struct fact_media *media;
    unsigned n_media;
    struct fact_diag *diags;
    unsigned n_diags;
    bool media_failed_diag; /* a diagnostics header said: media connectivity failure */
    void *join;             /* the joiner's state; others leave it alone (NULL at first) */
};

/* One peer that a client asked its relay to reach. */
struct fact_send {
    struct endpoint peer;
    tick_t first, last;
    uint32_t count;
    bool by_connection; /* found its allocation by MS connection id, not by addresses */
    tick_t answered;    /* first data from that peer through the relay, TICK_NONE = none */
    const char *remote_ufrag, *local_ufrag; /* of the nested check */
};

struct fact_allocation {
    int64_t id; /* run-unique, from 1 */
    struct endpoint client, server;
    uint8_t proto; /* PROTO_TCP or PROTO_UDP: of the relay port (= control, P§1.6) */
    bool granted;
    bool ms;    /* MS-TURN */
    bool heard; /* something of the server was seen: its silence means something */
    struct endpoint relay, relay2; /* as told to the client: public */
    struct addr wire_addr; /* the relay's address as seen on the wire (alias), none = unknown */
    struct endpoint reflexive;
    const char *medium;     /* "audio" "video" "data" or NULL */
    tick_t granted_at;      /* first success, TICK_NONE = none */
    tick_t started, ended;  /* started: first Allocate request; ended: TICK_NONE while alive */
    const char *end_reason; /* "released" "closed" "expired" "failed" "capture-end" */
    uint16_t error_code;    /* last error, 0 = none; a first 401 before success is none */
    uint32_t requests;      /* Allocate requests before the first success or the end */
    const char *call_id;    /* MS SIP Call-ID attribute */
    bool has_connection_id;
    uint8_t connection_id[20];
    struct fact_send *sends;
    unsigned n_sends;
    struct endpoint active; /* MS Set Active Destination accepted, or channel in use: success */
    void *join;
};

struct fact_alias {
    struct addr private_addr, public_addr;
    bool configured;
    uint32_t ports_seen; /* distinct relay ports that agreed; 3 = trusted */
};

enum { ALIAS_TRUSTED_PORTS = 3 };

/* What a certificate says. Texts NULL = not seen. */
struct fact_tls_end {
    const char *subject, *issuer, *names; /* names: SAN, comma list */
    tick_t not_before, not_after;         /* TICK_NONE = unknown */
};

/* A TLS connection, as its handshake showed it (view tls_sessions). Texts NULL = unknown. */
struct fact_tls {
    int64_t id; /* run-unique, from 1 */
    struct endpoint client, server;
    tick_t first, last;
    uint64_t hello; /* first 8 bytes of the client's random: which connection this is */
    const char *version, *cipher, *exchange, *sni, *alpn;
    int8_t resumed;     /* -1 unknown */
    const char *mutual; /* "no" "asked" "yes" */
    struct fact_tls_end client_end, server_end;
    const char *alert, *alert_from; /* "client" "server" */
    const char *handshake;          /* "done" "failed" "unfinished" */
    const char *state;              /* flows/tls_link.h */
    bool readable;
    const char *key; /* what reads it, or would if the server chose otherwise */
    const char *advice;
    uint32_t messages;                           /* SIP messages read from it */
    const char *partner_client, *partner_server; /* names of the two ends, for failures.partner */
};

#endif
