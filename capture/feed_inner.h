/*
 * Shared by the feeds' sources (feed.c, feed_hep.c, feed_sdn.c); nobody else includes it.
 */
#ifndef EW_CAPTURE_FEED_INNER_H
#define EW_CAPTURE_FEED_INNER_H

#include "capture/feed.h"
#include "capture/source_inner.h"

#include <sys/socket.h>

/* The producer's side of one feed. */
struct feed {
    struct source *src;
    struct iface *counts;
    uint16_t iface, linktype;
    int64_t second; /* under way, and how many messages came in it */
    unsigned in_second;
    void *own; /* of feed_hep.c or feed_sdn.c */
    void (*free_own)(void *own);
};

/* Adds a source of this kind, named "hep 127.0.0.1:9060"; own is freed with it, also on failure
 * (NULL, error text set). */
struct feed *feed_add(struct sources *s, const char *kind, const char *listen, uint16_t linktype,
                      void (*run)(struct source *), void *own, void (*free_own)(void *));

/* Puts one message into the ring, or counts it as dropped: false. */
bool feed_put(struct feed *f, const struct endpoint *sender, struct slice message);
/* What is in the ring's batch goes to the other side, if that has nothing to do. */
void feed_flush(struct feed *f);
/* Something came that is no message of this feed. */
void feed_garbage(struct feed *f);

int64_t feed_clock_ms(void);

/* A socket bound to this place; listening if it is a stream. -1 with errno. */
int feed_socket(int type, const struct endpoint *at);
enum source_error feed_not_opened(struct sources *s, const char *kind, const char *listen);
struct endpoint feed_sender(const struct sockaddr_storage *from);

#endif
