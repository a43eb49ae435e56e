/*
 * Where frames come from: interfaces (libpcap, live) and capture files (pcap, pcapng, stdin),
 * several at once, merged by packet time.
 *
 * One thread per source fills a bounded ring of blocks (ring.h); the caller's thread pulls. A file
 * source waits when its ring is full; a live source drops and counts.
 *
 * Order of calls: sources_new, sources_add_* (opens: needs privileges for interfaces),
 * [drop privileges], sources_start, sources_next ..., sources_stop, sources_free.
 */
#ifndef EW_CAPTURE_SOURCE_H
#define EW_CAPTURE_SOURCE_H

#include "capture/frame.h"

struct sources;

struct shed_config;

struct source_options {
    const char *filter; /* BPF text or NULL */
    uint32_t snaplen;   /* live; 0 = 262144 */
    uint32_t ring_mb;   /* live kernel ring; 0 = 64 */
    bool no_promisc;    /* live */
    /* live: what the kernel may cut (shed.h); link type and lengths are set by the source. NULL =
     * everything is kept whole */
    const struct shed_config *shed;
    uint64_t shed_above; /* packets per second beyond which relay media are dropped; 0 = never */
};

enum { SOURCE_EVENT_TEXT = 128 };

enum source_error {
    SOURCE_OK = 0,
    SOURCE_NOT_OPENED,    /* file missing or unreadable          -> exit 66 */
    SOURCE_BAD_INPUT,     /* empty, unknown kind, damaged        -> exit 65 */
    SOURCE_NO_INTERFACE,  /* no such interface, down, vanished   -> exit 69 */
    SOURCE_NO_PERMISSION, /*                                     -> exit 77 */
    SOURCE_BAD_FILTER,    /*                                     -> exit 64 */
    SOURCE_BAD_FILE,      /* key, certificate or token                  -> exit 78 */
    SOURCE_NO_MEMORY,
};

enum source_pull {
    PULL_PACKET, /* *out is set; data lent until the next sources_next() */
    PULL_IDLE,   /* live only: nothing came within the wait; *now_out = a safe packet time */
    PULL_END,    /* all files are read, or sources_stop() was called */
};

/* Counters of one source, in the order of the pipe. Read at any time from the pulling thread. */
struct source_counts {
    uint64_t packets, bytes; /* handed out by the source's thread (before ring drops) */
    uint64_t kernel_drops;   /* libpcap ps_drop */
    uint64_t nic_drops;      /* the card's and the kernel's own count, before any program */
    uint64_t shed_cut;       /* handed out, cut by shedding */
    uint64_t shed_dropped;   /* never handed out, dropped by shedding: media, no loss */
    uint64_t ring_drops;     /* our ring was full (live); feeds: or more than their rate */
    bool feed;               /* messages of other programs (feed.h): no packets of the wire */
};

/* Never NULL except out of memory. */
struct sources *sources_new(const struct source_options *opt);
void sources_free(struct sources *s);

/* Add a file ("-" = stdin) or an interface. On failure the reason, naming the object, is in
 * sources_error_text(). A damaged file is found while reading: see sources_damage(). An interface
 * that goes down or vanishes is waited for. */
enum source_error sources_add_file(struct sources *s, const char *path);
enum source_error sources_add_interface(struct sources *s, const char *name);
const char *sources_error_text(const struct sources *s);

/* From the start on, the threads of files and interfaces decode their frames (raw_packet.decoded).
 * seed: for dedup_hash() and endpoint_hash_pair(). */
void sources_decode(struct sources *s, uint64_t seed);

/* Starts the threads. 0 or -1. */
int sources_start(struct sources *s);

/* Next frame in packet-time order over all sources. Files are merged exactly (each keeps its own
 * order); a silent interface holds the others' frames back for 50 ms at most. Live: waits at most
 * wait_ms; on PULL_IDLE *idle_now is the wall clock as packet time, so that deadlines can run: 0.1
 * s behind, so that no older frame is still on its way. */
enum source_pull sources_next(struct sources *s, int wait_ms, struct raw_packet *out,
                              tick_t *idle_now);

/* After PULL_PACKET: frames that are known to follow it at once, at most max, without waiting. All
 * are lent until the next sources_next(). May be none. */
unsigned sources_more(struct sources *s, struct raw_packet *out, unsigned max);

/* TLS key logs inside captures (pcapng), in the order of their files' packets: what was read before
 * a packet that was pulled is there. source: which file, from 0. Call it after a pull. */
typedef void sources_secrets_fn(void *arg, unsigned source, const char *name, struct slice piece,
                                bool last);
void sources_secrets(struct sources *s, sources_secrets_fn *fn, void *arg);

/* Asks every source to end; safe from a signal handler. sources_next() then drains the rings. */
void sources_stop(struct sources *s);

/* Interfaces: one per live source, one per pcap file, one per interface block of a pcapng. Their
 * number may grow while reading. Names: the interface's, else the file's base name. */
unsigned sources_iface_count(const struct sources *s);
const char *sources_iface_name(const struct sources *s, unsigned iface);
void sources_iface_counts(struct sources *s, unsigned iface, struct source_counts *out);

/* What happened to an interface: it went down, came back, was renamed ... */
struct source_event {
    uint16_t iface;
    tick_t time; /* wall clock */
    char text[SOURCE_EVENT_TEXT];
};
/* Takes the oldest event not yet taken. Pulling thread. */
bool sources_event(struct sources *s, struct source_event *out);

/* A port of signaling or TURN was found, or the address of a relay: shedding respects it within a
 * second. Cheap if it is known. Pulling thread. */
void sources_shed_port(struct sources *s, uint16_t port);
void sources_shed_relay(struct sources *s, const struct addr *a);
/* Some interface's relay media are dropped at the moment. */
bool sources_dropping(const struct sources *s);

/* After PULL_END: SOURCE_OK, or what ended a source early (the first one added, if several); the
 * text names the file and the byte offset ("x.pcap: record of 70000 bytes at offset 4711 exceeds
 * the snap length"). Everything before the damage was handed out. */
enum source_error sources_damage(const struct sources *s, const char **text);

/* Bytes read and total size of all files (0 = unknown, e.g. a pipe): for a progress line. */
void sources_progress(const struct sources *s, uint64_t *done, uint64_t *total);

#endif
