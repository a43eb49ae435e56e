/*
 * Shared by source.c (set-up and tear-down), source_merge.c (the pulling side), source_file.c and
 * source_live.c (a thread each); nobody else includes it.
 */
#ifndef EW_CAPTURE_SOURCE_INNER_H
#define EW_CAPTURE_SOURCE_INNER_H

#include "capture/ring.h"
#include "capture/shed.h"
#include "capture/source.h"

#include <pthread.h>

enum {
    SOURCE_TEXT = 512,
    SOURCE_MAX_IFACES = 4096, /* of all sources; what comes later counts as "others" */
    SOURCE_POLL_MS = 20,      /* how long a frame of a quiet interface may wait in a batch */
    SOURCE_DEFAULT_SNAPLEN = 262144,
    SOURCE_EVENTS = 64, /* not yet taken; more are lost: an interface that flaps that fast is told
                           of often enough */
};

/* Written by the source's thread (one writer each, so no read-modify-write is needed), on a line of
 * its own. */
struct iface {
    _Alignas(64) _Atomic uint64_t packets;
    _Atomic uint64_t bytes, kernel_drops, nic_drops, ring_drops, shed_cut, shed_dropped;
    _Atomic bool dropping;
    char name[64];
    bool feed; /* messages of other programs: what is lost of them is no blind span */
};

struct source {
    struct sources *owner;
    char *path; /* file name or interface name as given */
    struct ring *ring;
    pthread_t thread;
    bool started;
    void (*run)(struct source *); /* the thread's body: fills the ring until end or stop */

    /* pulling side */
    const struct batch *batch;
    size_t next; /* in batch */
    bool ended;

    /* written by the thread before it closes the ring, read after PULL_END */
    enum source_error damage;
    char damage_text[SOURCE_TEXT];

    struct file *file; /* one of these three */
    struct live *live;
    struct feed *feed;
};

struct sources {
    struct source_options opt;
    struct source **list;
    size_t count;
    bool has_live;
    bool decode;
    uint64_t seed; /* for dedup_hash() */

    struct source *current; /* may go on until run_until without looking at the others */
    tick_t run_until;
    tick_t safe_time;   /* live: nothing older than this is still on its way */
    int64_t held_since; /* live: monotonic ms since a frame is held back for a silent interface; 0 =
                           none */

    char error[SOURCE_TEXT];

    struct iface *ifaces[SOURCE_MAX_IFACES];
    struct iface spare; /* the last one of all, when the table is full or memory short */
    _Atomic unsigned iface_count;
    pthread_mutex_t iface_lock; /* several file threads may add interfaces, and key logs */

    /* key logs out of captures, until the pulling side fetches them: head and bytes in turn */
    uint8_t *secrets; /* under iface_lock */
    size_t secrets_n, secrets_room;
    _Atomic bool secrets_there;

    pthread_mutex_t event_lock; /* for what follows */
    struct shed_config shed;    /* what was found so far, added to opt.shed */
    _Atomic unsigned shed_changes;
    struct source_event events[SOURCE_EVENTS]; /* a queue: oldest at event_first */
    unsigned event_first, event_count;

    struct bell bell; /* rung when a ring has something new */
    int stop_fd;      /* readable once stopping: wakes threads that sleep in poll() */
    _Atomic bool stopping;
    _Atomic uint64_t done_bytes;
    uint64_t total_bytes;
    bool total_unknown;
};

/* Adds to a counter that only this thread writes. */
static inline void count_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static inline bool sources_stopping(const struct sources *s)
{
    return atomic_load_explicit(&s->stopping, memory_order_relaxed);
}

/* Looks into the packets of b that were not looked into yet, if that is asked for. A source that
 * does not call it leaves that to the engine. */
void source_decode(struct source *src, struct batch *b);

static inline struct raw_packet source_frame(const struct batch *b, size_t i)
{
    const struct batch_packet *p = &b->packets[i];
    return (struct raw_packet){.time = p->time,
                               .data = b->bytes + p->offset,
                               .caplen = p->caplen,
                               .len = p->len,
                               .linktype = p->linktype,
                               .iface = p->iface,
                               .decoded = i < b->n_decoded ? &b->decoded[i] : NULL};
}

/* Registers an interface and returns its number. */
uint16_t sources_new_iface(struct sources *s, struct slice name);

/* Adds a source that reads path into a ring of this shape. NULL: out of memory, error text set. */
struct source *sources_add(struct sources *s, const char *path, const struct ring_shape *shape);
/* Takes the newest source back after a failed opening. */
void sources_drop_last(struct sources *s);

/* Puts a piece of a key log aside for the pulling side. */
void source_secrets(struct source *src, struct slice piece, bool last);

/* Sets the error text and returns code. */
__attribute__((format(printf, 3, 4))) enum source_error
sources_fail(struct sources *s, enum source_error code, const char *fmt, ...);

/* Notes what ended a source; the text is prefixed with its path. Only the first one is kept. */
__attribute__((format(printf, 3, 4))) void
source_damaged(struct source *src, enum source_error code, const char *fmt, ...);

/* Notes what happened to an interface, now. Any thread. */
void sources_tell(struct sources *s, uint16_t iface, const char *text);

void source_file_free(struct source *src);
void source_live_free(struct source *src);
void source_feed_free(struct source *src);

#endif
