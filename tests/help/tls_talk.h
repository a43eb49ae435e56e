/*
 * TLS connections between OpenSSL's own client and server, in memory, recorded: what each sent, in
 * which order, and every kind of key log line that opens it.
 */
#ifndef EW_TESTS_HELP_TLS_TALK_H
#define EW_TESTS_HELP_TLS_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tls_talk_how {
    TALK_FULL,
    TALK_RESUMED_ID,     /* the second of two connections, by session id */
    TALK_RESUMED_TICKET, /* by ticket; TLS 1.3: by PSK */
    TALK_RENEGOTIATED,   /* in the middle */
    TALK_UPDATED,        /* KeyUpdate of both sides in the middle */
    TALK_EARLY,          /* resumed, with early data in front */
    TALK_EARLY_REFUSED,  /* ... that the server does not take */
    TALK_MUTUAL,
};

struct tls_talk_plan {
    const char *name;
    int version;         /* 0x0301 .. 0x0304 */
    const char *ciphers; /* as openssl spells them */
    const char *groups;  /* NULL = as it comes */
    enum tls_talk_how how;
    bool no_etm, no_ems, ec; /* ec: an ECDSA certificate */
};

enum { TALK_ROOM = 1 << 16, TALK_STEPS = 64, TALK_TEXT = 1 << 14 };

struct tls_talk_step {
    uint8_t side; /* 0 client, 1 server */
    size_t at, n; /* of wire[side] */
};

struct tls_talk {
    uint8_t wire[2][TALK_ROOM];
    size_t n[2];
    struct tls_talk_step steps[TALK_STEPS]; /* as sent, one after the other */
    unsigned n_steps, handshake;            /* steps up to the first text of both */
    char text[2][TALK_TEXT];                /* what the programs wrote */
    size_t early;                           /* bytes of text[0] that were early data */
    char keylog[8192];                      /* as OpenSSL writes it */
    char premaster[8192]; /* PMS_CLIENT_RANDOM; "" where there is none, as in resumed ones */
    char encrypted[512];  /* RSA <8 bytes> <pre-master>; "" = another key exchange */
    char session[256];    /* RSA Session-ID:.. Master-Key:..; "" = no session id */
    bool rsa;             /* the server's key opens it */
};

/* Once; the keys for all talks. Leaves the servers' RSA key in PEM, n bytes. */
const char *tls_talk_start(size_t *n);
void tls_talk_end(void);
/* Has it. before: the full connection that a resumed one comes from, else left as it is. NULL, or
 * why this OpenSSL can't. */
const char *tls_talk(const struct tls_talk_plan *p, struct tls_talk *before, struct tls_talk *out);

#endif
