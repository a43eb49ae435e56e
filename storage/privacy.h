/*
 * Pseudonyms for users and internal addresses, before anything is stored.
 *
 *   users       sip:alice@contoso.com -> sip:u5c0ffee123@contoso.com   (drop: sip:contoso.com)
 *   addresses   10.1.2.3 -> 10.77.40.9, 10.1.2.4 -> 10.77.40.14: two that share n bits still do,
 *               and what is internal stays in its block (10/8, 172.16/12, 192.168/16, 100.64/10,
 *               169.254/16, fc00::/7, fe80::/10). Public addresses are kept.
 *
 * The same key gives the same pseudonym; without the key nobody can go back, nor try out all of a
 * network's addresses. Addresses by Crypto-PAn (Xu, Fan, Ammar, Moon 2002) with AES-128, users by
 * HMAC-SHA-256 over the lower-case user@host. Free text is searched for both.
 */
#ifndef EW_STORAGE_PRIVACY_H
#define EW_STORAGE_PRIVACY_H

#include "capture/endpoint.h"

enum privacy_users { USERS_KEEP, USERS_PSEUDONYM, USERS_DROP };

struct privacy_config {
    enum privacy_users users;
    bool addresses;       /* internal ones become pseudonyms */
    const char *key_file; /* NULL: the database's name with .key behind it, made if missing */
};

struct privacy;

/* *out NULL where nothing is to be hidden. 0, or -1 with a reason that names the key's file. */
int privacy_open(const struct privacy_config *c, const char *database, struct privacy **out,
                 char *why, size_t room);
/* With a key in memory. NULL without memory. */
struct privacy *privacy_new(enum privacy_users users, bool addresses, const uint8_t key[32]);
void privacy_free(struct privacy *p);

/* All of them leave things alone if p is NULL. None of them may be applied twice. */
void privacy_addr(struct privacy *p, struct addr *a);
void privacy_endpoint(struct privacy *p, struct endpoint *e);
/* Users and addresses in a text, addresses alone in an identifier (whose user@ is none). The answer
 * is s itself, or lives until the next call; NULL for NULL. */
const char *privacy_text(struct privacy *p, const char *s);
const char *privacy_id(struct privacy *p, const char *s);
/* A word that means nothing but may be made of an address (ICE foundations are, in hexadecimal): a
 * short one stays. Lives like privacy_text(). */
const char *privacy_token(struct privacy *p, const char *s);
/* Are packets to be made anew from their headers? */
bool privacy_packets(const struct privacy *p);
/* A packet that says what this one says below the payload, as raw IP (LINKTYPE_RAW) with
 * pseudonyms: IP, TCP with options, UDP, ICMP with what it quotes. No payload, no link layer, no
 * tunnel, no checksums above IP. Returns its length, 0 if it can't be told; *len: with the payload.
 */
enum { PRIVACY_PACKET = 256, PRIVACY_LINKTYPE = 101 };
size_t privacy_packet(struct privacy *p, uint16_t linktype, struct slice frame, uint32_t wire_len,
                      uint8_t out[PRIVACY_PACKET], uint32_t *len);

/* Crypto-PAn over all bits from keep on, for tests with its published vectors. */
void privacy_bits(struct privacy *p, uint8_t *bytes, unsigned bits, unsigned keep);

#endif
