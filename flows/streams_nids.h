/*
 * The one door to libnids 1.26: a byte stream assembler for segments that do not arrive in order or
 * hold less than a message.
 *
 * libnids has no maintainer any more, keeps its state in globals, and believes what it is fed. What
 * it is fed is therefore made here (synth.h), segment by segment: a made-up handshake, payload at a
 * sequence number, an acknowledgment that never goes beyond the data that libnids has. No raw
 * packet, SYN, FIN, RST, fragment or ICMP message from the wire gets in. docs/DESIGN.md lists the
 * defects that this keeps away.
 *
 * Initialised once per process and never again (libnids leaks and dangles on a second init); used
 * by one owner, in one thread, at a time.
 */
#ifndef EW_FLOWS_STREAMS_NIDS_H
#define EW_FLOWS_STREAMS_NIDS_H

#include "capture/tick.h"
#include "flows/streams.h"

struct tcp_stream; /* libnids' */

/* A stream inside libnids. Memory of the caller, who zeroes it and keeps it in place while open. */
struct nids_stream {
    struct tcp_stream *tcp; /* NULL: not open */
    uint32_t number;        /* the caller's; also its synthetic address */
};

/* Who gets the bytes. Called inside streams_nids_feed(); must not call back into this file. */
struct nids_sink {
    void *arg;
    /* avail: what this side holds unconsumed, contiguous; its last fresh bytes are new. Returns how
     * many bytes to drop off the front. */
    size_t (*data)(void *arg, struct nids_stream *n, enum stream_side side, struct slice avail,
                   size_t fresh);
};

/* Takes libnids into use and returns how many streams may be open at once: at least streams if this
 * is the first start of the process, else possibly fewer. 0 on failure, with *why set: it is in use
 * already, or has no memory. */
uint32_t streams_nids_start(uint32_t streams, const struct nids_sink *sink, const char **why);

/* Ends the use; all streams are closed by then. */
void streams_nids_stop(void);

/* Opens stream number (1 to SYNTH_STREAMS_MAX, not in use): the next byte of each side is
 * seq[side]. The caller keeps to the number of streams granted. False, *n closed: no memory. */
bool streams_nids_open(struct nids_stream *n, uint32_t number, const uint32_t seq[2], tick_t now);

/* Frees everything of the stream. Not open: nothing happens. Never inside the sink. */
void streams_nids_close(struct nids_stream *n);

/* This side goes on at seq: what it holds unconsumed is dropped, what waits behind a hole stays. */
void streams_nids_seek(struct nids_stream *n, enum stream_side side, uint32_t seq);

/* Hands over payload of side at seq, copied before libnids sees it. The sink is called for what is
 * in order by then. False: no memory; the stream was closed. */
bool streams_nids_feed(struct nids_stream *n, enum stream_side side, uint32_t seq,
                       struct slice payload, tick_t now);

/* May n more bytes wait behind a hole? Beyond its limit libnids throws away all that waits. */
bool streams_nids_fits(const struct nids_stream *n, enum stream_side side, size_t bytes);

/* Gives back the buffer of a side of which everything was consumed. */
void streams_nids_shrink(struct nids_stream *n, enum stream_side side);

/* Bytes held for both sides: buffers and what waits behind holes. */
size_t streams_nids_memory(const struct nids_stream *n);

/* libnids' own complaints since the process began. */
uint64_t streams_nids_warnings(void);

#endif
