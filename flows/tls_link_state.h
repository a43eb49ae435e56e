/*
 * A TLS connection's inside: shared by tls_link.c (records), tls_early.c (0-RTT), tls_resync.c
 * (gaps), tls_greeting.c (handshake messages), tls_secrets.c (how to open records) and tls_story.c
 * (what is told); nobody else includes it.
 */
#ifndef EW_FLOWS_TLS_LINK_STATE_H
#define EW_FLOWS_TLS_LINK_STATE_H

#include "flows/limits.h"
#include "flows/tls_cert.h"
#include "flows/tls_link.h"
#include "flows/wire/framing.h"
#include "flows/wire/tls_handshake.h"

enum {
    TLS_RECORD_HEADER = 5,
    TLS_SKIP_MAX = 48 /* records that a gap may have taken */
};

struct tls_bytes {
    uint8_t *p;
    size_t n, room;
};

/* What must not leak: in the secure heap. */
struct tls_hidden {
    uint8_t master[SECRET_MAX];
    uint8_t traffic[2][SECRET_MAX]; /* TLS 1.3: the present secret of each side */
    uint8_t block[320];             /* key block */
};

/* TLS 1.3: which secret a side's records are under. */
enum tls_epoch { EPOCH_CLEAR, EPOCH_EARLY, EPOCH_HANDSHAKE, EPOCH_DATA, EPOCHS };

/* One direction. */
struct tls_way {
    struct tls_bytes messages; /* handshake messages under assembly */
    struct tls_shield *shield, *next;
    uint64_t number; /* of the next record under this shield */
    uint32_t opened; /* records under all shields */
    uint32_t unread; /* sealed records without a key */
    uint8_t epoch;
    bool sealed;  /* records are encrypted from here on */
    bool lost;    /* after a gap: look for a record that opens */
    bool follows; /* implicit IV: the block before the next record is known */
    bool finished;
    uint32_t skipped; /* records that the gap may have taken, at most */
    uint32_t trials;  /* left for it */
    size_t secret;    /* bytes of hidden->traffic */
};

/* The handshake under way, or the last one. */
struct tls_greeting {
    uint8_t random[2][TLS_RANDOM];                                /* client's, server's */
    uint8_t offered[32], session[32], ticket[32], new_ticket[32]; /* ticket: hashes */
    uint8_t offered_n, session_n;
    bool has_ticket, has_new_ticket;
    bool client_hello, server_hello, server_done, server_cert, certificate_request, client_key;
    bool extended_master, early_data, psk, master_known, shields_made;
    bool early_open; /* TLS 1.3: whether the server takes the early data is not known yet */
    struct tls_shape shape;
    uint16_t suite;
    uint8_t compression;
    uint8_t encrypted_id[8]; /* of the encrypted pre-master secret */
    bool has_encrypted_id;
};

struct tls_link {
    struct tls_reader *reader;
    void *owner;
    struct tls_way way[2]; /* by stream side */
    struct tls_greeting g;
    struct tls_hidden *hidden;
    /* ClientHello to ClientKeyExchange, by role, while it may be needed: the capture may have the
     * server's flight behind the client's answer to it */
    struct tls_bytes flight[2];
    size_t hello_n;        /* of flight[0]: the ClientHello, before which nothing counts */
    struct tls_bytes kept; /* ciphertext that waits for a secret */
    size_t kept_at;
    struct tls_bytes early; /* records of early data, until the server has said if it takes them */
    tick_t early_time;      /* of the first */
    bool early_unread;      /* it took them, and their secret is not known */
    tick_t waiting;         /* since */
    tick_t now, first, last;
    uint64_t tried; /* keys' version at the last try */
    enum tls_state state;
    enum tls_failure failure;
    uint8_t client; /* stream side */
    bool known;     /* which side that is */
    bool retried;   /* TLS 1.3: the server asked for another ClientHello */
    bool stop, done, resumed, mutual_asked, mutual, was_closed, has_key;
    uint8_t handshakes;
    uint16_t offered_version; /* of the first ClientHello */
    uint64_t hello;           /* first bytes of its random */
    bool alerted, alert_fatal, alert_sealed;
    uint8_t alert_code, alert_side;
    int source; /* of the secret that reads it, -1 = none */
    bool name_mismatch;
    int key_source;           /* the private key of the server's certificate */
    struct tls_cert *cert[2]; /* client's, server's */
    char sni[256], alpn[32];
};

enum tls_step { STEP_ON, STEP_WAIT, STEP_STOP };

static inline unsigned tls_role(const struct tls_link *l, enum stream_side side)
{
    return side == (enum stream_side)l->client ? 0 : 1;
}

/* Appends; false: no memory, or more than most. */
bool tls_bytes_add(struct tls_bytes *b, struct slice more, size_t most);
void tls_bytes_free(struct tls_bytes *b);

/* tls_link.c: a whole record. STEP_WAIT: nothing was done with it, its secret is not known. */
enum tls_step tls_link_record(struct tls_link *l, enum stream_side side, const struct tls_record *r,
                              const uint8_t *header);
/* tls_link.c: nothing more is to be had of it, and why. Always STEP_STOP. */
enum tls_step tls_link_stop(struct tls_link *l, enum tls_state why);
/* tls_link.c: what a record holds, in clear or opened. */
enum tls_step tls_link_contents(struct tls_link *l, enum stream_side side, uint8_t type,
                                struct slice text);

/* tls_early.c: early data of a client (RFC 8446 4.2.10, 0-RTT) is kept until the server has said
 * whether it takes it. False: this is none, or there is no room for it. */
bool tls_early_keep(struct tls_link *l, enum stream_side side, struct slice whole);
/* The server has said it: reads what was kept, or drops it. */
void tls_early_decided(struct tls_link *l, bool taken);
void tls_early_drop(struct tls_link *l);

/* tls_resync.c: looks for the next record that opens; returns how much of avail is done with. */
size_t tls_resync(struct tls_link *l, enum stream_side side, struct slice avail);

/* tls_greeting.c: the hello of an old client at the front; bytes used, 0 = it is none (yet). */
size_t tls_greeting_old(struct tls_link *l, enum stream_side side, struct slice in, bool *more);
/* tls_greeting.c: all whole messages of a side that are there. False: damaged. */
bool tls_greeting_read(struct tls_link *l, enum stream_side side);

/* tls_secrets.c */
/* Makes way[side].shield for its next record, if that is possible by now. STEP_WAIT: the secret is
 * not known. STEP_STOP: it never will be readable; state says why. */
enum tls_step tls_secrets_shield(struct tls_link *l, enum stream_side side);
/* The pre-master secret came by; or the transcript that it needs is complete. */
void tls_secrets_client_key(struct tls_link *l, struct slice encrypted);
/* A master secret is known and so is what resumes it: keeps both. */
void tls_secrets_remember(struct tls_link *l);
/* TLS 1.3: the side's next record is under that secret. */
void tls_secrets_epoch(struct tls_link *l, enum stream_side side, enum tls_epoch epoch);
/* KeyUpdate. False: impossible. */
bool tls_secrets_update(struct tls_link *l, enum stream_side side);

#endif
