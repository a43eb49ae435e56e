/*
 * A TCP conversation that keeps its own sequence numbers, and the single packets that a failed
 * attempt consists of. Side 0 is the one that connects. All times are absolute.
 */
#ifndef EW_PCAPS_TALK_H
#define EW_PCAPS_TALK_H

#include "pcaps/make/trace.h"

enum { MSS = 1460 };

struct talk {
    struct trace *trace;
    struct host *host[2];
    uint16_t port[2];
    uint32_t seq[2];    /* next to be sent: set to the initial numbers before the first packet */
    int64_t away[2];    /* from the span to this side and back: how long its answers take */
    uint16_t window[2]; /* scaled by 256; 0 stands for 256, that is 65536 bytes */
    bool last_try;      /* the SYN carries the options of a last try */
};

void talk_syn(struct talk *k, int64_t at);
void talk_syn_ack(struct talk *k, int64_t at);

/* SYN, SYN-ACK, ACK; returns when it was done. */
int64_t talk_open(struct talk *k, int64_t at);

/* Data of one side, cut into segments of at most MSS; returns the time of the last one. */
int64_t talk_data(struct talk *k, int side, int64_t at, const void *data, size_t n);

/* Data, then the other side's pure ACK. */
int64_t talk_say(struct talk *k, int side, int64_t at, const void *data, size_t n);

void talk_ack(struct talk *k, int side, int64_t at);
void talk_reset(struct talk *k, int side, int64_t at);

/* FIN of `side`, FIN of the other, last ACK. */
int64_t talk_close(struct talk *k, int side, int64_t at);

/* The answer of a closed port (or of something on the path) to the SYN sent last. */
void talk_refuse(struct talk *k, int64_t at);

/* SYNs without an answer after each of the n gaps, as Windows sends them: the last without scale.
 */
int64_t talk_knock(struct talk *k, int64_t at, const int64_t *gaps, size_t n);

/* Three SYNs, each refused, 503 ms from refusal to retry: one attempt of Windows (P§7.1). */
int64_t talk_refused_attempt(struct talk *k, int64_t at);

/* SYNs at 0, 3 and 9 s and no answer (P§7.1). */
int64_t talk_silent_attempt(struct talk *k, int64_t at);

#endif
