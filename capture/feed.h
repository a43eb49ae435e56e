/*
 * Feeds: other programs' copies of signaling messages, received over the network and handed out by
 * a source like frames of an interface, under link types of their own.
 *
 *   frame:  sender's address, 16 bytes (IPv4 mapped) | sender's port, 2 bytes | message
 *
 * The time of a frame is when the message arrived here. A feed is live: a full ring drops and
 * counts. What is more than FEED_RATE messages in a second is dropped and counted, too, so
 * that a feed that floods leaves the ring and the engine to the others.
 */
#ifndef EW_CAPTURE_FEED_H
#define EW_CAPTURE_FEED_H

#include "capture/frame.h"
#include "capture/source.h"

/* Beyond what files may declare (LINKTYPE values end far below). */
enum { LINKTYPE_FEED_HEP = 0xfff0, LINKTYPE_FEED_SDN = 0xfff1 };
enum { FEED_HEAD = 18 };

/* Caps of one feed, beside flows/limits.h, which a source may not see. */
enum {
    FEED_RATE = 20000, /* messages a second: 1,500 calls a second of eight messages, both sides */
    FEED_MESSAGE_MAX = 131072, /* a SIP message's own cap; an SDN message is far below */
    FEED_CONNECTIONS = 64,     /* at one time; the one that was silent longest makes room */
    FEED_SLOW_S = 30,          /* a message that is begun must be whole by then */
    FEED_SILENT_S = 3600,      /* agents keep a connection, and may have nothing to say at night */
};

static inline bool feed_frame(uint16_t linktype)
{
    return linktype == LINKTYPE_FEED_HEP || linktype == LINKTYPE_FEED_SDN;
}

/* Takes a frame apart; both lent. False if it is too short. */
static inline bool feed_frame_parse(const struct raw_packet *raw, struct endpoint *sender,
                                    struct slice *message)
{
    struct cursor c = cursor_on(slice_of(raw->data, raw->caplen));
    struct slice addr;
    uint16_t port;
    if (!get_slice(&c, 16, &addr) || !get_u16(&c, &port))
        return false;
    sender->addr = addr_v6(addr.p);
    sender->port = port;
    *message = cursor_rest(&c);
    return true;
}

/* "ADDR:PORT", "[ADDR6]:PORT", ":PORT" or "PORT" (both: this machine only, 127.0.0.1). False and
 * *out unchanged if it is none of these. */
bool feed_listen_parse(const char *text, struct endpoint *out);

/* A TCP socket that listens there, -1 with errno: for servers that are no source. */
int feed_listen(const struct endpoint *at);

/* Adds a source that listens for HEP at this place, UDP and TCP. The sockets are open afterwards;
 * nothing is read from them before sources_start(). */
enum source_error sources_add_hep(struct sources *s, const char *listen);

/* How SDN messages are received: cert and key are both given or both NULL. */
struct feed_sdn {
    const char *listen;
    const char *cert, *key; /* PEM files: TLS */
    const char *token;      /* file with the token that must come along, NULL = none */
};

/* Adds a source that takes SDN messages by HTTP POST. The socket is open and the files are read
 * afterwards; no request is looked at before sources_start(). SOURCE_BAD_FILE: one of the files. */
enum source_error sources_add_sdn(struct sources *s, const struct feed_sdn *how);

#endif
