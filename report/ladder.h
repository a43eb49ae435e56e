/*
 * A ladder: who sent what to whom, top to bottom in order of time.
 *
 *                         client                     relay                  peer
 *   10:43:59.456   +6 s   |                          |-- SYN -------------->|
 *   10:43:59.499  +43 ms  |                          |<--------- RST, ACK --|
 */
#ifndef EW_REPORT_LADDER_H
#define EW_REPORT_LADDER_H

#include "capture/tick.h"
#include "report/prose.h"

enum { LADDER_LANES = 4, LADDER_LABEL = 48, LADDER_HEAD = 64, LADDER_HEADS = 3 };

/* What an arrow is about; pictures with colours show it. */
enum ladder_kind { LADDER_HANDSHAKE, LADDER_BAD, LADDER_RELAY, LADDER_SIGNALING };

struct ladder_event {
    tick_t at;
    int from, to; /* lanes; the same twice: a remark beside the lane */
    enum ladder_kind kind;
    char label[LADDER_LABEL];
};

struct ladder {
    unsigned lanes;
    char head[LADDER_LANES][LADDER_HEADS][LADDER_HEAD]; /* lines above each lane, "" = none */
    struct ladder_event *events;
    size_t n, room;
    enum ladder_kind kind; /* of what is added from now on */
};

void ladder_free(struct ladder *l);

/* Adds an event; without a time (TICK_NONE) or without memory it is left out. */
__attribute__((format(printf, 5, 6))) void ladder_add(struct ladder *l, tick_t at, int from, int to,
                                                      const char *fmt, ...);

/* In order of time; equal times keep their order. */
void ladder_sort(struct ladder *l);

/* Sorts and prints at most max events. */
void ladder_print(struct ladder *l, const struct prose *p, size_t max);

/* Sorts and draws the same as a figure of HTML; id as in svg.h (ladder_svg.c). */
void ladder_svg(struct ladder *l, FILE *out, const char *id, size_t max);

#endif
