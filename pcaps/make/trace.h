/*
 * A capture in the making: what one span port sees. Frames may be added in any order, each with its
 * time; saving sorts them (equal times stay in the order of adding) and writes a pcap file that is
 * the same byte for byte on every run. Time is microseconds since 1970, UTC.
 */
#ifndef EW_PCAPS_TRACE_H
#define EW_PCAPS_TRACE_H

#include "pcaps/make/packet.h"

#define MS(n) ((int64_t)((n)*1000))
#define SEC(n) ((int64_t)((n)*1000000))

/* A machine as this span port sees it. */
struct host {
    uint32_t ip;
    uint8_t ttl;    /* what is left of it at the span */
    bool routed;    /* behind the router: frames carry the router's MAC */
    bool fixed_id;  /* always IP id 0, as some stacks and middleboxes send */
    uint16_t ip_id; /* else counting up from here */
};

struct trace;

struct trace *trace_new(void);
void trace_free(struct trace *t);

/* "2012-12-10 10:43:49.130700" */
int64_t utc(const char *text);

void trace_tcp(struct trace *t, int64_t at, struct host *from, uint16_t from_port,
               const struct host *to, uint16_t to_port, const struct packet_tcp *tcp,
               const void *data, size_t n);
void trace_udp(struct trace *t, int64_t at, struct host *from, uint16_t from_port,
               const struct host *to, uint16_t to_port, const void *data, size_t n);

/* ICMP destination unreachable from `from`, quoting the frame added last. */
void trace_unreachable(struct trace *t, int64_t at, struct host *from, const struct host *to,
                       uint8_t code);

/* Keep only frames sent by `ip`: a span that copies one direction. */
void trace_keep_from(struct trace *t, uint32_t ip);

/* Adds a copy of every frame of `more`. */
void trace_append(struct trace *t, const struct trace *more);

/* Writes DIR/NAME; 0, or -1 with errno set. */
int trace_save(struct trace *t, const char *dir, const char *name);

#endif
