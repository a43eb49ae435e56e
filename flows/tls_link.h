/*
 * One TLS connection, read from both of its directions: what its handshake says in clear, and, with
 * a key, what it carries.
 *
 *   records -> (opened) -> handshake messages -> facts, secrets -> how to open what follows
 *                       -> data -> on_text
 *
 * States and their words (tls_sessions.state):
 *
 *   handshake     under way, or cut off before it was over
 *   failed        the handshake failed: there is nothing to read
 *   waiting       its secret may yet come through a key log that grows; ciphertext is kept
 *   decrypted     read
 *   no-key        nothing that was given opens it
 *   bad-mac       what was given does not open it: a wrong secret. None of it is believed
 *   gap           packets are missing where they are needed
 *   unsupported   a cipher, version or compression that is not read
 *   mid-stream    began before the capture
 *
 * and, from proto_tls.c:
 *
 *   compressed    decrypted, or never encrypted, but its SIP is compressed and was not decoded
 */
#ifndef EW_FLOWS_TLS_LINK_H
#define EW_FLOWS_TLS_LINK_H

#include "flows/facts.h"
#include "flows/streams.h"
#include "flows/tls_keys.h"

enum tls_state {
    TLS_IN_HANDSHAKE,
    TLS_FAILED,
    TLS_WAITING,
    TLS_DECRYPTED,
    TLS_NO_KEY,
    TLS_BAD_MAC,
    TLS_GAP,
    TLS_UNSUPPORTED,
    TLS_MID_STREAM,
    TLS_STATES
};
const char *tls_state_name(enum tls_state s);

/* What a connection says about its failed handshake. */
enum tls_failure {
    TLS_NO_FAILURE,
    TLS_REFUSED_BY_ALERT,
    TLS_NO_ANSWER, /* ClientHello, and silence */
    TLS_BROKEN_OFF /* closed between ServerHello and the end of the handshake */
};

struct tls_link;

/* Shared by all links of one reader. */
struct tls_reader {
    struct tls_keys *keys; /* NULL: none */
    uint8_t *scratch;      /* TLS_PLAIN_MAX bytes */
    size_t held;           /* bytes of ciphertext that all links keep */
    void *arg;
    /* Authentic plain text of side, in order, lent. False: it is not worth reading on. */
    bool (*on_text)(void *arg, struct tls_link *l, enum stream_side side, tick_t time,
                    struct slice text);
    /* Text of side is missing before what comes next. */
    void (*on_hole)(void *arg, struct tls_link *l, enum stream_side side);
};

/* owner: whose it is, for the callbacks. NULL: no memory. */
struct tls_link *tls_link_new(struct tls_reader *r, void *owner);
void tls_link_free(struct tls_link *l);
void *tls_link_owner(const struct tls_link *l);

/* Takes whole records from the front of avail. release: nothing more is to be had of it. */
struct stream_take tls_link_data(struct tls_link *l, enum stream_side side, tick_t time,
                                 struct slice avail);
void tls_link_gap(struct tls_link *l, enum stream_side side, uint32_t missing);
/* Tries again what waits for a secret; gives up what has waited too long. */
void tls_link_retry(struct tls_link *l, tick_t now);
/* The connection has ended. closed: by FIN or RST, else the capture ended or it was forgotten. */
void tls_link_over(struct tls_link *l, tick_t now, bool closed);

enum tls_state tls_link_state(const struct tls_link *l);
/* Both sides' part of the handshake is over. */
bool tls_link_done(const struct tls_link *l);
enum tls_failure tls_link_failure(const struct tls_link *l);
/* ClientHello seen, no answer yet. */
bool tls_link_unanswered(const struct tls_link *l);
/* When its ciphertext began to wait, TICK_NONE = it does not. */
tick_t tls_link_waiting(const struct tls_link *l);
/* Which side of the stream is TLS's client. */
enum stream_side tls_link_client(const struct tls_link *l);
/* A certificate, SNI or ALPN that speaks of SIP; a key that was given for it. */
bool tls_link_is_sip(const struct tls_link *l);
/* Its ClientHello asks for a server or a protocol that is known not to be SIP. */
bool tls_link_is_other(const struct tls_link *l);
/* The time for an answer to its ClientHello has passed. */
void tls_link_silent(struct tls_link *l);
bool tls_link_has_key(const struct tls_link *l);

enum { TLS_TEXT = 320, TLS_ADVICE = 400, TLS_DETAIL = 320, TLS_PARTNER = 96 };
struct tls_texts {
    char sni[256], alpn[32], cipher[64], alert[64], key[128], advice[TLS_ADVICE];
};
/* Everything known of it but id, ends and messages; the texts live in t and in l. */
void tls_link_facts(const struct tls_link *l, struct tls_texts *t, struct fact_tls *out);
/* What went wrong, as sentences: who complained about what, and what the certificates say. "" if
 * nothing did. */
void tls_link_detail(const struct tls_link *l, char out[TLS_DETAIL]);
/* The name of that side's certificate, "" = none seen. server: else the SNI. */
void tls_link_name(const struct tls_link *l, bool server, char out[TLS_PARTNER]);

#endif
